//! The one place where it is decided what to do. One match from top to bottom, total, a step at a time.

use std::time::Duration;

use super::create;
use super::delete;
use super::desired::{Desired, Refusals};
use super::settings::{ABSENCES_MIN, PAUSE_REPEAT, START_REPEAT, Settings};
use super::step::Step;
use super::trouble::TroubleKind;
use super::wake::Wake;
use super::world::{ObservedJob, World};
use crate::api::{DeletionPolicy, Reason, RunState};

/// How things stand, as conditions will tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// As declared.
    Settled,
    /// Under way.
    Working,
    /// Outside trouble that passes by itself; says nothing against what was true before.
    Passing,
    /// Trouble that may pass by itself for a while, and needs a person after that.
    Blocked,
    /// A person has to act.
    Stuck,
}

/// What to do next, why, and when to look again if nothing is to be done now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Plan {
    pub step: Option<Step>,
    pub standing: Standing,
    pub reason: Reason,
    pub message: String,
    pub wake: Wake,
}

impl Plan {
    pub(super) fn take(step: Step, reason: Reason, message: impl Into<String>) -> Self {
        Self { step: Some(step), standing: Standing::Working, reason, message: message.into(), wake: Wake::backoff(0) }
    }

    pub(super) fn stop(standing: Standing, reason: Reason, message: impl Into<String>, wake: Wake) -> Self {
        Self { step: None, standing, reason, message: message.into(), wake }
    }
}

/// Names the next step for what is known. Total: every world has an answer.
pub fn decide(desired: &Desired, world: &World, settings: &Settings) -> Plan {
    if let Some(id) = &world.surplus {
        return surplus(id, world, settings);
    }
    if world.deletion_requested {
        return delete::decide(desired, world, settings);
    }
    if let Some(plan) = in_trouble(world, settings) {
        return plan;
    }
    if !world.finalizer {
        return Plan::take(Step::AddFinalizer, Reason::Creating, "Preparing to create the job.");
    }
    if world.not_found {
        return not_found(desired, world, settings);
    }
    match (&world.job_id, &world.intent) {
        (Some(id), _) => bound(id, desired, world, settings),
        (None, Some(intent)) => create::with_intent(intent, desired, world, settings),
        (None, None) => create::unbound(desired, world, settings),
    }
}

/// Trouble ends the pass: whatever comes next needs a fresh look. A refused create does so once its intent is cleared.
fn in_trouble(world: &World, settings: &Settings) -> Option<Plan> {
    let refusal = world.refusal.as_ref().filter(|_| world.intent.is_none());
    let trouble = world.trouble.as_ref().or(refusal)?;
    let answered =
        matches!(trouble.kind, TroubleKind::GraphUnavailable | TroubleKind::Conflict | TroubleKind::Rejected);
    let unknown_create = answered && world.job_id.is_none() && create::outcome_is_unknown(world);
    let reason = match trouble.kind {
        _ if unknown_create => Reason::CreateOutcomeUnknown,
        TroubleKind::Rejected if world.job_id.is_none() => Reason::CreateRefused,
        _ => trouble.reason(),
    };
    let message = if unknown_create {
        format!(
            "{} The request may have been carried out: the jobs of the service principal are watched until that is certain, and no second request is sent before.",
            trouble.detail
        )
    } else {
        format!("{} {}", trouble.detail, trouble.remedy())
    };
    Some(Plan::stop(trouble.standing(), reason, message, trouble.wake(world.failures, settings)))
}

fn surplus(id: &str, world: &World, settings: &Settings) -> Plan {
    match &world.trouble {
        None => Plan::take(
            Step::DeleteSurplus { id: id.to_owned() },
            Reason::Interrupted,
            "Deleting a job that was created for an intent that is no longer ours.",
        ),
        Some(trouble) => Plan::stop(
            Standing::Blocked,
            Reason::Ambiguous,
            format!(
                "The surplus job '{id}' could not be deleted: {} Delete it by hand; it was never started.",
                trouble.detail
            ),
            trouble.wake(world.failures, settings),
        ),
    }
}

/// A 404 for the list of jobs is never "no jobs": it is asked whether the service principal is there at all.
fn not_found(desired: &Desired, world: &World, settings: &Settings) -> Plan {
    let id = desired.service_principal.as_str();
    let wake = Wake::After(Wake::backoff(world.absences).delay().min(settings.slow_retry));
    match world.service_principal_exists {
        None => {
            Plan::take(Step::LookUpServicePrincipal, Reason::ProvisioningNotReady, "Looking up the service principal.")
        }
        Some(false) => Plan::stop(
            Standing::Blocked,
            Reason::ServicePrincipalNotFound,
            format!(
                "No service principal has the object id '{id}'. Use the object id of the enterprise application (not the application's client id or its own object id); if it was deleted, restore it. A service principal made a moment ago may take minutes to appear."
            ),
            wake,
        ),
        Some(true) => Plan::stop(
            Standing::Blocked,
            Reason::ProvisioningNotReady,
            format!(
                "The service principal '{id}' exists, but Graph does not answer for its provisioning jobs. After creation this takes minutes; if it lasts, the application does not support provisioning."
            ),
            wake,
        ),
    }
}

fn bound(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Plan {
    if world.jobs.is_none() {
        return Plan::take(Step::ListJobs, Reason::JobNotVisible, "Looking at the job.");
    }
    let Some(job) = world.bound_job() else {
        return invisible(id, world, settings);
    };
    if job.quarantined() {
        return Plan::stop(
            Standing::Stuck,
            Reason::Quarantined,
            format!(
                "The service put job '{id}' in quarantine. Look at the provisioning logs of the application; the service tries again by itself, less and less often."
            ),
            Wake::After(desired.poll_interval),
        );
    }
    match desired.run_state {
        RunState::Running => running(job, desired, world),
        RunState::Paused => paused(job, desired, world),
    }
}

fn running(job: &ObservedJob, desired: &Desired, world: &World) -> Plan {
    if job.scheduled() {
        return Plan::stop(
            Standing::Settled,
            Reason::Running,
            "The job is scheduled by the service.",
            Wake::After(desired.poll_interval),
        );
    }
    match world.run_requested {
        Some(since) if since < START_REPEAT => Plan::stop(
            Standing::Working,
            Reason::Starting,
            "Graph accepted the start and does not show the job as scheduled yet.",
            soon_after(since),
        ),
        _ => Plan::take(Step::StartJob { id: job.id.clone() }, Reason::Starting, "Starting the job."),
    }
}

fn paused(job: &ObservedJob, desired: &Desired, world: &World) -> Plan {
    if !job.scheduled() {
        return Plan::stop(
            Standing::Settled,
            Reason::Paused,
            "The job is paused, as declared.",
            Wake::After(desired.poll_interval),
        );
    }
    match world.run_requested {
        Some(since) if since < PAUSE_REPEAT => Plan::stop(
            Standing::Working,
            Reason::Pausing,
            "Graph accepted the pause; a cycle in flight runs to its end first.",
            soon_after(since),
        ),
        _ => Plan::take(Step::PauseJob { id: job.id.clone() }, Reason::Pausing, "Pausing the job."),
    }
}

/// The list does not show our job: young jobs are not visible everywhere, and answers of replicas differ.
fn invisible(id: &str, world: &World, settings: &Settings) -> Plan {
    if world.bound_for < settings.missing_grace {
        return Plan::stop(
            Standing::Working,
            Reason::JobNotVisible,
            format!("Job '{id}' was created a moment ago and Graph does not show it yet."),
            soon_after(world.bound_for),
        );
    }
    if world.absences < ABSENCES_MIN {
        return Plan::stop(
            Standing::Passing,
            Reason::JobNotVisible,
            format!("Graph did not show job '{id}' just now; asking again before anything is concluded."),
            Wake::backoff(3),
        );
    }
    Plan::stop(
        Standing::Stuck,
        Reason::JobMissing,
        format!(
            "Job '{id}' is gone from Entra ID. Nothing is created in its place. To have a new job, delete this SyncJob and apply it again."
        ),
        Wake::backoff(8),
    )
}

/// What was done a moment ago shows soon; what did not show for a while is asked for less and less often.
fn soon_after(since: Duration) -> Wake {
    Wake::After(since.clamp(Duration::from_secs(1), Duration::from_secs(60)))
}

/// A spec that cannot be acted on. Deletion still ends if there is nothing to leave behind.
pub fn refused(refusals: &Refusals, world: &World, policy: DeletionPolicy) -> Plan {
    let nothing_held = world.job_id.is_none() && world.intent.is_none();
    if world.deletion_requested && world.finalizer && (nothing_held || policy == DeletionPolicy::Retain) {
        return delete::retain(world);
    }
    Plan::stop(Standing::Stuck, Reason::InvalidSpec, format!("{}.", refusals.0.join("; ")), Wake::OnChange)
}
