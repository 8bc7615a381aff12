//! Deletion of a SyncJob: the job goes, or is kept, before the finalizer does. Letting go cannot be undone, so no single
//! answer is enough for it: a job counts as gone when several lists, distributed over the settle window, lack it, and no deletion
//! that was sent can still take effect, because it would hit whatever has the same id by then.

use std::time::Duration;

use crate::api::{DeletionPolicy, Reason};
use crate::plan::common::settings::{ABSENCES_MIN, Settings};
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::common::without::Guard;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::existence;
use crate::plan::sync_job::existence::create;
use crate::plan::sync_job::existence::intent::{Resolution, resolve};
use crate::plan::sync_job::existence::others::ambiguous;
use crate::plan::sync_job::existence::service_principal::not_found;
use crate::plan::sync_job::mappings;
use crate::plan::sync_job::step::Verdict;
use crate::plan::sync_job::step::{Change, Leaving, Look, Record};
use crate::plan::sync_job::world::{IntentOrigin, IntentView, World};

const RELEASE: &str = "To let go of the job without deleting it, set `spec.deletionPolicy` to Retain.";

pub(in crate::plan) fn decide(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if !world.finalizer {
        return nothing_left();
    }
    if let Some(verdict) = failed(world, settings) {
        return verdict;
    }
    match desired.deletion_policy(world.origin) {
        DeletionPolicy::Retain => mappings::giving_back(desired, world).unwrap_or_else(|| as_it_is(desired, world)),
        DeletionPolicy::Delete if world.job_id.is_none() && world.intent.is_none() => {
            release("There is no job to delete.")
        }
        DeletionPolicy::Delete => match existence::elsewhere(desired, world) {
            Some(verdict) => verdict,
            None => delete(desired, world, settings),
        },
    }
}

pub(in crate::plan) const RETAINING: &str = "Letting go of the job; it stays in Entra ID.";

/// Others' finalizers may still be there.
pub(in crate::plan) fn nothing_left() -> Verdict {
    Verdict::stop(Standing::Working, Reason::Deleting, "Nothing is left to do.", Wake::OnChange)
}

/// A step that failed is never the next step of the same pass.
pub(in crate::plan) fn failed(world: &World, settings: &Settings) -> Option<Verdict> {
    let trouble = world.trouble.as_ref()?;
    if trouble.without_login() && world.no_login_for >= settings.left_behind_after {
        match world.namespace_terminating {
            None => {
                let message = "Looking whether the namespace is being deleted, because there is no login.";
                return Some(Verdict::take(Look::Namespace, Reason::Deleting, message));
            }
            Some(true) => return Some(without_login(world)),
            Some(false) => {}
        }
    }
    let what = match (&world.job_id, &world.intent) {
        (Some(id), _) => format!("The job '{id}' could not be deleted or let go of."),
        (None, Some(_)) => "It is not known yet whether a job was created.".to_owned(),
        (None, None) => "The SyncJob could not be let go of.".to_owned(),
    };
    let message = format!("{what} {} {} {RELEASE}", trouble.detail, trouble.remedy());
    Some(Verdict::fail(trouble, trouble.reason(), message, world.failures, settings))
}

/// The credential went with its namespace. The job stays, and that is reported: a namespace never hangs.
fn without_login(world: &World) -> Verdict {
    let id = world.job_id.clone().or_else(|| world.created.as_ref().map(|job| job.id.clone()));
    if id.is_none() && world.intent.is_none() {
        return release("There is no job to delete.");
    }
    leave(
        Leaving::WithoutLogin { id },
        "The namespace is being deleted and its credential is gone: the job stays in Entra ID, and nothing manages it.",
    )
}

fn release(message: &str) -> Verdict {
    leave(Leaving::Nothing, message)
}

fn leave(leaving: Leaving, message: impl Into<String>) -> Verdict {
    Verdict::take(Record::RemoveFinalizer { leaving }, Reason::Deleting, message)
}

/// Lets go, and says so where the mappings of the job could not be restored.
fn as_it_is(desired: &Desired, world: &World) -> Verdict {
    match world.job_id.clone().filter(|_| mappings::unrestored(desired, world)) {
        Some(id) => leave(Leaving::Unrestored { id }, RETAINING),
        None => retain(world),
    }
}

/// Lets go without a call to Graph, so that it always ends.
pub(in crate::plan) fn retain(world: &World) -> Verdict {
    leave(retained(world), RETAINING)
}

/// What becomes of the job when nothing is asked of Graph.
pub(in crate::plan) fn retained(world: &World) -> Leaving {
    let kept = world.job_id.clone().or_else(|| world.created.as_ref().map(|job| job.id.clone()));
    kept.map_or(Leaving::Nothing, |id| Leaving::Retained { id })
}

fn delete(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    match world.definition_going {
        None => {
            let message = "Looking whether the CRD of SyncJobs is being deleted.";
            return Verdict::take(Look::Definition, Reason::Deleting, message);
        }
        // Nobody who removes the software asks for the end of provisioning.
        Some(true) => return retain(world),
        Some(false) => {}
    }
    match (&world.job_id, &world.intent) {
        (Some(id), _) => delete_job(id, desired, world, settings),
        (None, Some(intent)) => settle_intent(intent, desired, world, settings),
        (None, None) => release("There is no job to delete."),
    }
}

fn delete_job(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if world.job_deleted {
        return after_deletions(world, settings, || release("The job is deleted."));
    }
    if world.not_found {
        return without_list(id, desired, world, settings);
    }
    if world.jobs.is_none() {
        return Verdict::take(Look::Jobs, Reason::Deleting, "Looking at the job before it is deleted.");
    }
    let Some(job) = world.bound_job() else {
        return absent(id, desired, world, settings);
    };
    if existence::was_replaced(job, world) && desired.deletion_policy.is_none() {
        return retain(world);
    }
    if world.delete_not_found {
        let message =
            format!("Graph showed job '{id}' and answered 404 to its deletion; both are asked again. {RELEASE}");
        return wait(message, Wake::backoff(world.failures.min(5)));
    }
    Verdict::take(Change::DeleteJob { id: id.to_owned() }, Reason::Deleting, format!("Deleting job '{id}'."))
}

/// Whether enough looks over enough time lacked the job.
fn looks_agree(world: &World, settings: &Settings) -> bool {
    let lasted = world.absent_for.max(world.missing_for.unwrap_or_default());
    settings.without.lacks(Guard::SeveralLooks) || world.absences >= ABSENCES_MIN && lasted >= settings.settle_window
}

/// A list that succeeds lacks the job.
fn absent(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if world.bound_for < settings.missing_grace {
        let message = format!(
            "Job '{id}' was created a moment ago and Graph does not show it everywhere yet; it is deleted as soon as it does. {RELEASE}"
        );
        return wait(message, Wake::backoff(world.absences.min(5)));
    }
    if !looks_agree(world, settings) {
        let message = format!("Graph does not show job '{id}'; it is asked again before that is believed. {RELEASE}");
        return wait(message, Wake::backoff(world.absences.min(5)));
    }
    if world.service_principal_lost && world.missing_for.is_none_or(|since| since < settings.recreate_after) {
        let message = format!(
            "The service principal was deleted and restored, and job '{id}' returns with its provisioning data within a day; it is deleted then. {RELEASE}"
        );
        return wait(message, Wake::After(desired.poll_interval));
    }
    match world.service_principal_exists {
        None => Verdict::take(Look::ServicePrincipal, Reason::Deleting, "Looking up the service principal."),
        Some(false) => without_list(id, desired, world, settings),
        // A job that no list has ever shown may be there all the same.
        Some(true) if !world.seen && !world.delete_not_found => {
            Verdict::take(Change::DeleteJob { id: id.to_owned() }, Reason::Deleting, format!("Deleting job '{id}'."))
        }
        Some(true) => {
            after_deletions(world, settings, || leave(Leaving::Gone { id: id.to_owned() }, "The job was gone already."))
        }
    }
}

/// The list of jobs is answered with 404: the service principal is gone, or its provisioning cannot be reached.
fn without_list(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    let Some(exists) = world.service_principal_exists else {
        return Verdict::take(Look::ServicePrincipal, Reason::Deleting, "Looking up the service principal.");
    };
    if !exists && world.recorded_tenant.is_none() {
        let verdict = not_found(desired, world, settings);
        let message = format!(
            "{} The record of job '{id}' does not say which tenant it belongs to, so it is not taken to be gone. {RELEASE}",
            verdict.message
        );
        return Verdict { message, ..verdict };
    }
    if !looks_agree(world, settings) {
        let what = if exists {
            "Graph does not answer for the jobs of the service principal"
        } else {
            "The service principal is gone"
        };
        let message = format!("{what}; it is asked again before that is believed. {RELEASE}");
        return wait(message, Wake::backoff(world.absences.min(5)));
    }
    if exists && !world.delete_not_found {
        return Verdict::take(
            Change::DeleteJob { id: id.to_owned() },
            Reason::Deleting,
            format!("Deleting job '{id}'."),
        );
    }
    let message = format!("The service principal is gone, and job '{id}' with it; both return if it is restored.");
    after_deletions(world, settings, || leave(Leaving::LeftBehind { id: Some(id.to_owned()) }, message))
}

/// As long as a deletion that was sent may still be carried out, this SyncJob keeps its place: a successor under the same
/// id would be hit.
fn after_deletions(world: &World, settings: &Settings, then: impl FnOnce() -> Verdict) -> Verdict {
    let sent = world.delete_unknown_for.filter(|_| !settings.without.lacks(Guard::LateDelete));
    let left = sent.map(|since| settings.settle_window.saturating_sub(since));
    match left.filter(|left| *left > Duration::ZERO) {
        None => then(),
        Some(left) => {
            let message = format!(
                "The job is gone; waiting until no earlier request to delete it can still take effect. {RELEASE}"
            );
            wait(message, Wake::NotBefore(left))
        }
    }
}

fn wait(message: String, wake: Wake) -> Verdict {
    Verdict::stop(Standing::Working, Reason::Deleting, message, wake)
}

/// The intent may still lead to a job; letting go now could leak it.
fn settle_intent(intent: &IntentView, desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if intent.adopt.is_some() {
        return release("No job was adopted yet.");
    }
    match intent.origin {
        IntentOrigin::Recorded if world.created.is_some() => create::with_intent(intent, desired, world, settings),
        IntentOrigin::Recorded | IntentOrigin::Unsent | IntentOrigin::Refused => release("No job was created."),
        IntentOrigin::Unknown if world.not_found => intent_without_list(intent, world, settings),
        IntentOrigin::Unknown => match resolve(intent, desired, world, settings) {
            Resolution::Ask(step) => {
                Verdict::take(step, Reason::Deleting, "Looking for a job that an earlier request may have created.")
            }
            Resolution::Bind(id) => Verdict::take(
                Record::BindJob { id },
                Reason::Deleting,
                "Recording the job that an earlier request created.",
            ),
            Resolution::NoEffect => release("The earlier request had no effect."),
            Resolution::Ambiguous(ids) => ambiguous(&ids, desired),
            Resolution::Wait => waiting(world),
        },
    }
}

fn intent_without_list(intent: &IntentView, world: &World, settings: &Settings) -> Verdict {
    match world.service_principal_exists {
        None => Verdict::take(Look::ServicePrincipal, Reason::Deleting, "Looking up the service principal."),
        Some(false) if looks_agree(world, settings) && intent.age >= settings.settle_window => {
            let message = "The service principal is gone, and any job with it; both return if it is restored.";
            leave(Leaving::LeftBehind { id: None }, message)
        }
        Some(_) => waiting(world),
    }
}

fn waiting(world: &World) -> Verdict {
    Verdict::stop(
        Standing::Working,
        Reason::CreateOutcomeUnknown,
        format!(
            "An earlier request to create the job got no clear answer; waiting until it is certain whether there is a job to delete. {RELEASE}"
        ),
        Wake::backoff(world.absences.min(4)),
    )
}
