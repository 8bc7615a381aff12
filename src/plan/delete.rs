//! Deletion of a SyncJob: the job goes, or is kept, before the finalizer does. Letting go cannot be undone, so no single
//! answer is enough for it: a job counts as gone when several looks spread over the settle window lack it, and no deletion
//! that was sent can still take effect, because it would hit whatever has the same id by then.

use std::time::Duration;

use super::create::{self, Resolution};
use super::decide::{Plan, Standing};
use super::desired::Desired;
use super::existence;
use super::settings::{ABSENCES_MIN, Settings};
use super::step::{Change, Leaving, Look, Record};
use super::wake::Wake;
use super::world::{IntentOrigin, IntentView, World};
use crate::api::{DeletionPolicy, Reason};

const RELEASE: &str = "To let go of the job without deleting it, set `spec.deletionPolicy` to Retain.";

pub(super) fn decide(desired: &Desired, world: &World, settings: &Settings) -> Plan {
    if !world.finalizer {
        return nothing_left();
    }
    if let Some(plan) = failed(world, settings) {
        return plan;
    }
    match desired.deletion_policy(world.origin) {
        DeletionPolicy::Retain => retain(world),
        DeletionPolicy::Delete if world.job_id.is_none() && world.intent.is_none() => {
            release("There is no job to delete.")
        }
        DeletionPolicy::Delete => match existence::elsewhere(desired, world) {
            Some(plan) => plan,
            None => delete(desired, world, settings),
        },
    }
}

/// Others' finalizers may still be there.
pub(super) fn nothing_left() -> Plan {
    Plan::stop(Standing::Working, Reason::Deleting, "Nothing is left to do.", Wake::OnChange)
}

/// A step that failed is never the next step of the same pass.
pub(super) fn failed(world: &World, settings: &Settings) -> Option<Plan> {
    let trouble = world.trouble.as_ref()?;
    let what = match (&world.job_id, &world.intent) {
        (Some(id), _) => format!("The job '{id}' could not be deleted or let go of."),
        (None, Some(_)) => "It is not known yet whether a job was created.".to_owned(),
        (None, None) => "The SyncJob could not be let go of.".to_owned(),
    };
    let message = format!("{what} {} {} {RELEASE}", trouble.detail, trouble.remedy());
    Some(Plan::fail(trouble, trouble.reason(), message, world, settings))
}

fn release(message: &str) -> Plan {
    leave(Leaving::Nothing, message)
}

fn leave(leaving: Leaving, message: impl Into<String>) -> Plan {
    Plan::take(Record::RemoveFinalizer { leaving }, Reason::Deleting, message)
}

/// Lets go without a call to Graph, so that it always ends.
pub(super) fn retain(world: &World) -> Plan {
    let kept = world.job_id.clone().or_else(|| world.created.as_ref().map(|job| job.id.clone()));
    let leaving = kept.map_or(Leaving::Nothing, |id| Leaving::Retained { id });
    leave(leaving, "Letting go of the job; it stays in Entra ID.")
}

fn delete(desired: &Desired, world: &World, settings: &Settings) -> Plan {
    match world.definition_going {
        None => {
            let message = "Looking whether the CRD of SyncJobs is being deleted.";
            return Plan::take(Look::Definition, Reason::Deleting, message);
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

fn delete_job(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Plan {
    if world.job_deleted {
        return after_deletions(world, settings, || release("The job is deleted."));
    }
    if world.not_found {
        return without_list(id, desired, world, settings);
    }
    if world.jobs.is_none() {
        return Plan::take(Look::Jobs, Reason::Deleting, "Looking at the job before it is deleted.");
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
    Plan::take(Change::DeleteJob { id: id.to_owned() }, Reason::Deleting, format!("Deleting job '{id}'."))
}

/// Whether enough looks over enough time lacked the job.
fn looks_agree(world: &World, settings: &Settings) -> bool {
    let lasted = world.absent_for.max(world.missing_for.unwrap_or_default());
    world.absences >= ABSENCES_MIN && lasted >= settings.settle_window
}

/// A list that succeeds lacks the job.
fn absent(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Plan {
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
        None => Plan::take(Look::ServicePrincipal, Reason::Deleting, "Looking up the service principal."),
        Some(false) => without_list(id, desired, world, settings),
        // A job that no list has ever shown may be there all the same.
        Some(true) if !world.seen && !world.delete_not_found => {
            Plan::take(Change::DeleteJob { id: id.to_owned() }, Reason::Deleting, format!("Deleting job '{id}'."))
        }
        Some(true) => {
            after_deletions(world, settings, || leave(Leaving::Gone { id: id.to_owned() }, "The job was gone already."))
        }
    }
}

/// The list of jobs is answered with 404: the service principal is gone, or its provisioning cannot be reached.
fn without_list(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Plan {
    let Some(exists) = world.service_principal_exists else {
        return Plan::take(Look::ServicePrincipal, Reason::Deleting, "Looking up the service principal.");
    };
    if !exists && world.recorded_tenant.is_none() {
        let plan = super::decide::not_found(desired, world, settings);
        let message = format!(
            "{} The record of job '{id}' does not say which tenant it belongs to, so it is not taken to be gone. {RELEASE}",
            plan.message
        );
        return Plan { message, ..plan };
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
        return Plan::take(Change::DeleteJob { id: id.to_owned() }, Reason::Deleting, format!("Deleting job '{id}'."));
    }
    let message = format!("The service principal is gone, and job '{id}' with it; both return if it is restored.");
    after_deletions(world, settings, || leave(Leaving::LeftBehind { id: Some(id.to_owned()) }, message))
}

/// As long as a deletion that was sent may still be carried out, this SyncJob keeps its place: a successor under the same
/// id would be hit.
fn after_deletions(world: &World, settings: &Settings, then: impl FnOnce() -> Plan) -> Plan {
    let left = world.delete_unknown_for.map(|since| settings.settle_window.saturating_sub(since));
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

fn wait(message: String, wake: Wake) -> Plan {
    Plan::stop(Standing::Working, Reason::Deleting, message, wake)
}

/// A job may come of the intent yet; letting go now could leak it.
fn settle_intent(intent: &IntentView, desired: &Desired, world: &World, settings: &Settings) -> Plan {
    if intent.adopt.is_some() {
        return release("No job was adopted yet.");
    }
    match intent.origin {
        IntentOrigin::Recorded if world.created.is_some() => create::with_intent(intent, desired, world, settings),
        IntentOrigin::Recorded | IntentOrigin::Unsent | IntentOrigin::Refused => release("No job was created."),
        IntentOrigin::Unknown if world.not_found => intent_without_list(intent, world, settings),
        IntentOrigin::Unknown => match create::resolve(intent, desired, world, settings) {
            Resolution::Ask(step) => {
                Plan::take(step, Reason::Deleting, "Looking for a job that an earlier request may have created.")
            }
            Resolution::Bind(id) => Plan::take(
                Record::BindJob { id },
                Reason::Deleting,
                "Recording the job that an earlier request created.",
            ),
            Resolution::NoEffect => release("The earlier request had no effect."),
            Resolution::Ambiguous(ids) => create::ambiguous(&ids, desired),
            Resolution::Wait => waiting(world),
        },
    }
}

fn intent_without_list(intent: &IntentView, world: &World, settings: &Settings) -> Plan {
    match world.service_principal_exists {
        None => Plan::take(Look::ServicePrincipal, Reason::Deleting, "Looking up the service principal."),
        Some(false) if looks_agree(world, settings) && intent.age >= settings.settle_window => {
            let message = "The service principal is gone, and any job with it; both return if it is restored.";
            leave(Leaving::LeftBehind { id: None }, message)
        }
        Some(_) => waiting(world),
    }
}

fn waiting(world: &World) -> Plan {
    Plan::stop(
        Standing::Working,
        Reason::CreateOutcomeUnknown,
        format!(
            "An earlier request to create the job got no clear answer; waiting until it is certain whether there is a job to delete. {RELEASE}"
        ),
        Wake::backoff(world.absences.min(4)),
    )
}
