//! What is done about mappings: read, compare, save; or why nothing is.

use std::time::Duration;

use super::words;
use super::{CHECKED_FOR, Compared, Comparison, Difference, Fault, HELD_FOR, SAVE_SPACING, View, Wish};
use crate::api::{Mode, Reason};
use crate::plan::common::settings::{CORRECTION_SPACING, Settings};
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::common::without::Guard;
use crate::plan::sync_job::course::{Course, Problem};
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::step::{Change, Look, Step, Verdict};
use crate::plan::sync_job::world::World;

pub(in crate::plan) fn course(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Course {
    let view = &world.mappings;
    let Some(wish) = wish_hash(desired, view) else { return Course::InPlace };
    if let Some(refusal) = &view.refused {
        let message = words::refused(refusal);
        return Course::Held(held(Standing::Blocked, Reason::MappingsRefused, message, settings.slow_retry));
    }
    if let Some(seen) = &view.seen {
        return decided(id, seen, desired, view, settings);
    }
    if view.saved_now {
        let (message, wake) = (words::NOT_SHOWN_YET.to_owned(), Wake::soon_after(Duration::ZERO));
        return Course::Held(Problem { standing: Standing::Working, reason: Reason::SavingMappings, message, wake });
    }
    if is_due(&wish, desired, world, settings) {
        return take(Look::Schema, words::READING);
    }
    match &view.recalled {
        Some((recalled, _)) => decided(id, recalled, desired, view, settings),
        None => Course::InPlace,
    }
}

/// What has to be read before anything can be planned; also of the job that would be adopted, where it is clear which one that is.
pub(in crate::plan) fn unread(desired: &Desired, world: &World) -> Option<Look> {
    let wish = wish_hash(desired, &world.mappings)?;
    let shown = world.subject(desired).is_some();
    let known = world.mappings.found().is_some_and(|found| found.wish == wish);
    (shown && !known).then_some(Look::Schema)
}

/// Whether a job may be started that is held back by nothing else: what a person changed on purpose holds nothing up.
pub(in crate::plan) fn may_start(problem: &Problem) -> bool {
    problem.reason == Reason::MappingsChangedOutOfBand
}

/// The hash of the wish; `None` if nothing is declared and nothing is owned.
pub(super) fn wish_hash(desired: &Desired, view: &View) -> Option<String> {
    match &desired.mappings {
        Some(wish) => Some(wish.hash.clone()),
        None => view.owns().then(|| Wish::nothing().hash),
    }
}

/// Whether the schema has to be read. It is not read at each poll: it can be large, and changes seldom.
fn is_due(wish: &str, desired: &Desired, world: &World, settings: &Settings) -> bool {
    let view = &world.mappings;
    if world.look_is_due() {
        return true;
    }
    match (&view.recalled, &view.checked) {
        (Some((recalled, age)), _) if recalled.wish == wish => again(recalled, *age, desired, view, settings),
        (None, Some((checked, age))) if checked == wish => *age >= CHECKED_FOR,
        (Some(_), _) | (None, Some(_) | None) => true,
    }
}

/// Whether what an earlier pass found has to be looked at again.
fn again(recalled: &Comparison, age: Duration, desired: &Desired, view: &View, settings: &Settings) -> bool {
    // What was found so soon after a save may be from before it.
    let lags = view.lags(age, settings);
    match &recalled.outcome {
        Compared::Faulty(..) | Compared::TestsFailed(_) => age >= HELD_FOR,
        Compared::Differs(difference) if difference.lines.is_empty() => {
            let drifts = !difference.drifted.is_empty();
            (drifts || difference.lets_go) && lags || age >= if drifts { HELD_FOR } else { CHECKED_FOR }
        }
        // Nothing is saved in this mode, however often it is looked at.
        Compared::Differs(_) if desired.mode == Mode::Plan => age >= HELD_FOR,
        Compared::Differs(difference) => {
            lags || not_now(difference, desired, view, settings).is_none() || age >= HELD_FOR
        }
    }
}

fn decided(id: &str, seen: &Comparison, desired: &Desired, view: &View, settings: &Settings) -> Course {
    match &seen.outcome {
        Compared::Faulty(fault, messages) => {
            let reason = match fault {
                Fault::Invalid => Reason::MappingInvalid,
                Fault::Ambiguous => Reason::MappingAmbiguous,
                Fault::ReadOnly => Reason::RuleReadOnly,
            };
            Course::Held(held(Standing::Stuck, reason, words::faulty(messages), HELD_FOR))
        }
        Compared::TestsFailed(messages) => {
            Course::Held(held(Standing::Stuck, Reason::MappingTestFailed, words::tests_failed(messages), HELD_FOR))
        }
        Compared::Differs(difference) => match not_now(difference, desired, view, settings) {
            Some(problem) => Course::Held(problem),
            None if difference.lines.is_empty() => Course::InPlace,
            None => {
                let (lines, confirmation) = (difference.lines.clone(), difference.confirmation.clone());
                take(Change::SaveMappings { id: id.to_owned(), lines, confirmation }, words::SAVING)
            }
        },
    }
}

/// Why what differs is not saved now.
fn not_now(difference: &Difference, desired: &Desired, view: &View, settings: &Settings) -> Option<Problem> {
    let (lines, drifted) = (&difference.lines, &difference.drifted);
    let saved = view.saved.as_ref().map(|(_, age)| *age);
    let differs = !lines.is_empty() || !drifted.is_empty() || difference.lets_go;
    if let Some(age) = saved.filter(|age| differs && *age < settings.settle_window) {
        let (message, wake) = (words::NOT_SHOWN_YET.to_owned(), Wake::soon_after(age));
        return Some(Problem { standing: Standing::Working, reason: Reason::SavingMappings, message, wake });
    }
    if lines.is_empty() {
        let message = words::drifted(drifted);
        return (!drifted.is_empty())
            .then(|| held(Standing::Stuck, Reason::MappingsChangedOutOfBand, message, desired.poll_interval));
    }
    let spacing = if difference.corrects { CORRECTION_SPACING } else { SAVE_SPACING };
    if let Some(left) = saved.and_then(|age| spacing.checked_sub(age)).filter(|left| !left.is_zero()) {
        return Some(too_soon(difference, left));
    }
    let guarded = !settings.without.lacks(Guard::RiskyMappings);
    (guarded && !difference.risks.is_empty() && !permitted(difference, desired, view)).then(|| {
        let message = words::risky(difference);
        held(Standing::Stuck, Reason::RiskyChange, message, desired.poll_interval)
    })
}

fn too_soon(difference: &Difference, left: Duration) -> Problem {
    let wake = Wake::NotBefore(left);
    if difference.corrects {
        let message = words::corrected_lately(&difference.lines);
        return Problem { standing: Standing::Stuck, reason: Reason::MappingsChangedOutOfBand, message, wake };
    }
    let message = words::pending(&difference.lines);
    Problem { standing: Standing::Working, reason: Reason::MappingsPending, message, wake }
}

/// Whether a delete threshold is in force, so that the service stops at many deletions, or a person confirmed exactly this
/// change.
fn permitted(difference: &Difference, desired: &Desired, view: &View) -> bool {
    let threshold = desired.content.delete_threshold().is_some_and(|threshold| threshold > 0);
    threshold || view.confirmed.as_ref() == Some(&difference.confirmation)
}

fn take(step: impl Into<Step>, message: &str) -> Course {
    Course::Do(Verdict::take(step, Reason::SavingMappings, message))
}

fn held(standing: Standing, reason: Reason, message: String, after: Duration) -> Problem {
    Problem { standing, reason, message, wake: Wake::After(after) }
}
