//! Deletion of a SyncJob: the job goes, or is kept, before the finalizer does.

use super::create::{self, Resolution};
use super::decide::{Plan, Standing};
use super::desired::Desired;
use super::settings::{ABSENCES_MIN, Settings};
use super::step::Step;
use super::wake::Wake;
use super::world::{IntentOrigin, IntentView, World};
use crate::api::{DeletionPolicy, Reason};

const RELEASE: &str = "To let go of the job without deleting it, set `spec.deletionPolicy` to Retain.";

pub(super) fn decide(desired: &Desired, world: &World, settings: &Settings) -> Plan {
    if !world.finalizer {
        return nothing_left();
    }
    match desired.deletion_policy(world.origin) {
        DeletionPolicy::Retain => retain(world),
        DeletionPolicy::Delete if world.job_deleted => release("The job is deleted."),
        DeletionPolicy::Delete => match (&world.job_id, &world.intent) {
            (Some(id), _) => delete_job(id, world, settings),
            (None, Some(intent)) => settle_intent(intent, desired, world, settings),
            (None, None) => release("There is no job to delete."),
        },
    }
}

/// Others' finalizers may still be there.
pub(super) fn nothing_left() -> Plan {
    Plan::stop(Standing::Working, Reason::Deleting, "Nothing is left to do.", Wake::OnChange)
}

fn release(message: &str) -> Plan {
    Plan::take(Step::RemoveFinalizer { retained: None }, Reason::Deleting, message)
}

/// Lets go without a call to Graph, so that it always ends.
pub(super) fn retain(world: &World) -> Plan {
    let retained = world.job_id.clone().or_else(|| world.created.as_ref().map(|job| job.id.clone()));
    Plan::take(Step::RemoveFinalizer { retained }, Reason::Deleting, "Letting go of the job; it stays in Entra ID.")
}

fn delete_job(id: &str, world: &World, settings: &Settings) -> Plan {
    if let Some(trouble) = &world.trouble {
        let message = format!("The job '{id}' could not be deleted. {} {} {RELEASE}", trouble.detail, trouble.remedy());
        return Plan::fail(trouble, trouble.reason(), message, world, settings);
    }
    if !world.not_found {
        return Plan::take(Step::DeleteJob { id: id.to_owned() }, Reason::Deleting, format!("Deleting job '{id}'."));
    }
    if world.bound_for >= settings.missing_grace {
        return release("The job was gone already.");
    }
    match world.service_principal_exists {
        None => Plan::take(Step::LookUpServicePrincipal, Reason::Deleting, "Looking up the service principal."),
        Some(false) if world.absences >= ABSENCES_MIN => release("The service principal is gone, and the job with it."),
        Some(_) => Plan::stop(
            Standing::Working,
            Reason::Deleting,
            format!(
                "Job '{id}' was created a moment ago and Graph does not show it everywhere yet; it is deleted as soon as it does. {RELEASE}"
            ),
            Wake::backoff(world.absences.min(5)),
        ),
    }
}

/// A job may come of the intent yet; letting go now could leak it.
fn settle_intent(intent: &IntentView, desired: &Desired, world: &World, settings: &Settings) -> Plan {
    if intent.adopt.is_some() {
        return release("No job was adopted yet.");
    }
    match intent.origin {
        IntentOrigin::Recorded if world.created.is_some() => create::with_intent(intent, desired, world, settings),
        IntentOrigin::Recorded | IntentOrigin::Unsent | IntentOrigin::Refused => release("No job was created."),
        IntentOrigin::Unknown => {
            if let Some(trouble) = &world.trouble {
                let message = format!(
                    "It is not known yet whether a job was created. {} {} {RELEASE}",
                    trouble.detail,
                    trouble.remedy()
                );
                return Plan::fail(trouble, trouble.reason(), message, world, settings);
            }
            if world.not_found {
                return match world.service_principal_exists {
                    None => {
                        Plan::take(Step::LookUpServicePrincipal, Reason::Deleting, "Looking up the service principal.")
                    }
                    Some(false) if world.absences >= ABSENCES_MIN && intent.age >= settings.settle_window => {
                        release("The service principal is gone, and any job with it.")
                    }
                    Some(_) => waiting(world),
                };
            }
            match create::resolve(intent, desired, world, settings) {
                Resolution::Ask(step) => {
                    Plan::take(step, Reason::Deleting, "Looking for a job that an earlier request may have created.")
                }
                Resolution::Bind(id) => Plan::take(
                    Step::BindJob { id },
                    Reason::Deleting,
                    "Recording the job that an earlier request created.",
                ),
                Resolution::NoEffect => release("The earlier request had no effect."),
                Resolution::Ambiguous(ids) => create::ambiguous(&ids, desired),
                Resolution::Wait => waiting(world),
            }
        }
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
