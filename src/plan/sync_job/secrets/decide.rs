//! What is done about credentials and settings: read, compare, test, save; or why nothing is.

use std::time::Duration;

use super::words;
use super::{Difference, Gap, Tested, View, Wanted, WantedValue, difference, in_doubt};
use crate::api::{CredentialTestResult, CredentialValidation, Reason};
use crate::plan::common::settings::{CORRECTION_SPACING, Settings};
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::common::without::Guard;
use crate::plan::sync_job::course::{Course, Problem};
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::step::{Change, Look, Step, TestOf, Verdict};
use crate::plan::sync_job::world::World;

/// Longer than any request takes; a set that nobody may save after this time waits for the poll.
const DOUBT_MAX: Duration = Duration::from_secs(900);

pub(in crate::plan) fn course(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Course {
    let (declared, view) = (&desired.content, &world.secrets);
    if !declared.is_any() {
        return Course::InPlace;
    }
    let Some(wanted) = &view.wanted else {
        return take(Look::Credentials, "Reading the Secrets that `spec.credentials` names.");
    };
    if let Some(problem) = unusable(wanted, settings) {
        return Course::Held(problem);
    }
    let Some(difference) = difference(declared, view) else {
        return take(Look::Secrets, "Reading the credentials and settings of the service principal.");
    };
    if difference.is_none() {
        return again(&difference, desired, view, settings).unwrap_or_else(|| in_place(id, wanted, desired, view));
    }
    if let Some(problem) = not_now(&difference, desired, view, settings) {
        return Course::Held(problem);
    }
    if let Some(course) = before_saving(id, &difference, wanted, desired, view) {
        return course;
    }
    let save = Change::SaveSecrets { own: difference.own.clone(), settings: difference.settings.clone() };
    take(save, words::SAVING)
}

/// Declared credentials that are in the set and of which nobody could say whether they differ.
pub fn not_compared(desired: &Desired, world: &World) -> Vec<String> {
    difference(&desired.content, &world.secrets).map(|difference| difference.unknown).unwrap_or_default()
}

/// What has to be read before anything can be planned.
pub(in crate::plan) fn unread(desired: &Desired, world: &World) -> Option<Look> {
    let view = &world.secrets;
    match (desired.content.is_any(), &view.wanted, &view.live) {
        (false, _, _) | (true, Some(_), Some(_)) => None,
        (true, None, _) => Some(Look::Credentials),
        (true, Some(_), None) => Some(Look::Secrets),
    }
}

fn take(step: impl Into<Step>, message: &str) -> Course {
    Course::Do(Verdict::take(step, Reason::SavingCredentials, message))
}

fn held(standing: Standing, reason: Reason, message: String, after: Duration) -> Problem {
    Problem { standing, reason, message, wake: Wake::After(after) }
}

/// Values that are missing, and SyncJobs that disagree.
fn unusable(wanted: &Wanted, settings: &Settings) -> Option<Problem> {
    let gap = wanted.credentials.iter().find_map(|credential| match &credential.value {
        WantedValue::Missing(gap) => Some((credential.key.as_str(), gap)),
        WantedValue::Known(_) | WantedValue::NotRead => None,
    });
    if let Some((key, gap)) = gap {
        let reason = match gap {
            Gap::NoSecret { .. } => Reason::SecretNotFound,
            Gap::NoKey { .. } => Reason::SecretKeyMissing,
            Gap::Invalid { .. } => Reason::SecretInvalid,
        };
        return Some(held(Standing::Blocked, reason, words::gap(key, gap), settings.slow_retry));
    }
    (!wanted.others.is_empty()).then(|| {
        let message = words::conflict(&wanted.others);
        held(Standing::Stuck, Reason::CredentialsConflict, message, settings.slow_retry)
    })
}

/// A save whose answer was lost may be carried out late, after a newer one, and what it wrote is not shown. Once that is over,
/// the set is saved once more.
fn again(difference: &Difference, desired: &Desired, view: &View, settings: &Settings) -> Option<Course> {
    let over = view.doubt.is_some_and(|doubt| doubt >= settings.settle_window) && !view.saved_now;
    let own: Vec<String> = desired.content.credentials.iter().map(|credential| credential.key.clone()).collect();
    let whole = difference.masked.is_empty() && vanished(difference, settings).is_none();
    let may = whole && difference.unknown.is_empty() && !own.is_empty();
    let guarded = !settings.without.lacks(Guard::SavedAgain);
    (over && may && guarded).then(|| take(Change::SaveSecrets { own, settings: Vec::new() }, words::SAVING_AGAIN))
}

/// The set is as declared. Credentials that nobody has seen pass a test are tested as they are saved, at each look.
fn in_place(id: &str, wanted: &Wanted, desired: &Desired, view: &View) -> Course {
    let wants_test = desired.content.validation != CredentialValidation::Skip && wanted.fingerprint.is_some();
    let due = match view.test_of(wanted) {
        Some(tested) => tested.result != CredentialTestResult::Accepted && tested.age >= desired.poll_interval,
        None => true,
    };
    if wants_test && due && !desired.content.credentials.is_empty() {
        return take(Change::TestCredentials { id: id.to_owned(), of: TestOf::Saved }, words::TESTING);
    }
    Course::InPlace
}

/// What Graph shows may lag behind a save; somebody else may write the same set; and what cannot be read cannot be kept.
fn not_now(difference: &Difference, desired: &Desired, view: &View, settings: &Settings) -> Option<Problem> {
    let same = |saved: &&super::Saved| {
        let wanted = view.wanted.as_ref().map(|wanted| &wanted.credentials);
        wanted == Some(&saved.credentials) && saved.settings == desired.content.settings
    };
    if let Some(saved) = view.saved.as_ref().filter(same) {
        if saved.age < settings.settle_window {
            let message = words::SAVED_NOT_SHOWN.to_owned();
            let wake = Wake::soon_after(saved.age);
            return Some(Problem { standing: Standing::Working, reason: Reason::SavingCredentials, message, wake });
        }
        // Nobody else need have written: an earlier save of ours may have been carried out late.
        if saved.age < CORRECTION_SPACING && view.doubt.is_none() {
            let after = CORRECTION_SPACING.saturating_sub(saved.age).min(desired.poll_interval);
            let message = words::not_kept(&difference.names());
            return Some(held(Standing::Blocked, Reason::CredentialsNotKept, message, after));
        }
    }
    if settings.without.lacks(Guard::ForeignKeys) {
        return None;
    }
    if !difference.masked.is_empty() {
        let message = words::incomplete(&difference.masked);
        return Some(held(Standing::Stuck, Reason::CredentialsIncomplete, message, desired.poll_interval));
    }
    vanished(difference, settings).map(|(key, ago)| {
        let (message, wake) = (words::vanished(key), Wake::soon_after(*ago));
        Problem { standing: Standing::Working, reason: Reason::SavingCredentials, message, wake }
    })
}

/// A key that cannot be read and that one read showed and the last one did not: that read may lag behind.
fn vanished<'a>(difference: &'a Difference, settings: &Settings) -> Option<&'a (String, Duration)> {
    difference.vanished.iter().find(|(_, ago)| *ago < settings.settle_window)
}

/// Credentials that change are tested before they are saved.
fn before_saving(id: &str, difference: &Difference, wanted: &Wanted, desired: &Desired, view: &View) -> Option<Course> {
    let validation = desired.content.validation;
    if difference.own.is_empty() || validation == CredentialValidation::Skip || wanted.fingerprint.is_none() {
        return None;
    }
    let test = Change::TestCredentials { id: id.to_owned(), of: TestOf::Declared };
    let Some(tested) = view.test_of(wanted) else {
        return Some(take(test, words::TESTING));
    };
    if validation == CredentialValidation::Warn || tested.result == CredentialTestResult::Accepted {
        return None;
    }
    if tested.age >= desired.poll_interval {
        return Some(take(test, words::TESTING));
    }
    let after = desired.poll_interval.saturating_sub(tested.age);
    Some(Course::Held(refused(tested, after, words::NOT_SAVED)))
}

fn refused(tested: &Tested, after: Duration, consequence: &str) -> Problem {
    let (reason, message) = words::test(tested);
    held(words::standing(tested), reason, format!("{message} {consequence}"), after)
}

/// What may have been overwritten is saved once more as soon as that is certain to last, not at the next poll.
pub(in crate::plan) fn looked_at_soon(verdict: Verdict, world: &World) -> Verdict {
    let doubt = world.secrets.doubt.unwrap_or_default();
    if verdict.step.is_some() || verdict.standing != Standing::Settled || !in_doubt(world) || doubt >= DOUBT_MAX {
        return verdict;
    }
    Verdict { wake: verdict.wake.sooner(Wake::soon_after(doubt)), ..verdict }
}

/// Why a job is not started although its credentials are saved.
pub(in crate::plan) fn required_test(desired: &Desired, world: &World) -> Option<Problem> {
    let wanted = world.secrets.wanted.as_ref()?;
    if desired.content.validation != CredentialValidation::Require || desired.content.credentials.is_empty() {
        return None;
    }
    let tested = world.secrets.test_of(wanted)?;
    let after = desired.poll_interval.saturating_sub(tested.age).max(Duration::from_secs(60));
    (tested.result != CredentialTestResult::Accepted).then(|| refused(tested, after, words::NOT_STARTED))
}
