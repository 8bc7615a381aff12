//! The one place where it is decided what to do. One match from top to bottom, total, a step at a time.

use super::create;
use super::delete;
use super::desired::{Desired, Refusals};
use super::existence;
use super::health;
use super::modes;
use super::observed::ObservedJob;
use super::requests;
use super::run_state;
use super::settings::Settings;
use super::step::{Look, Record, Step};
use super::trouble::{Trouble, TroubleKind, traced};
use super::wake::Wake;
use super::world::World;
use crate::api::{DeletionPolicy, Mode, Reason, RunState};

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
    /// Nothing is done, as declared; says nothing against what was true before.
    Suspended,
}

/// What to do next, why, and when to look again if nothing is to be done now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Plan {
    pub step: Option<Step>,
    pub standing: Standing,
    pub reason: Reason,
    pub message: String,
    /// Request id and date of the failure that the message speaks of.
    pub trace: Option<String>,
    pub wake: Wake,
}

impl Plan {
    pub(super) fn take(step: impl Into<Step>, reason: Reason, message: impl Into<String>) -> Self {
        let (standing, message, wake) = (Standing::Working, message.into(), Wake::backoff(0));
        Self { step: Some(step.into()), standing, reason, message, trace: None, wake }
    }

    pub(super) fn stop(standing: Standing, reason: Reason, message: impl Into<String>, wake: Wake) -> Self {
        Self { step: None, standing, reason, message: message.into(), trace: None, wake }
    }

    /// A plan that ends a pass because of a failure.
    pub(super) fn fail(trouble: &Trouble, reason: Reason, message: String, world: &World, settings: &Settings) -> Self {
        let wake = trouble.wake(world.failures, settings);
        Self { trace: trouble.trace.clone(), ..Self::stop(trouble.standing(), reason, message, wake) }
    }

    /// The message with its trace.
    pub fn told(&self) -> String {
        traced(&self.message, self.trace.as_deref())
    }
}

/// Names the next step for what is known. Total: every world has an answer.
pub fn decide(desired: &Desired, world: &World, settings: &Settings) -> Plan {
    match desired.mode {
        Mode::Manage => manage(desired, world, settings),
        Mode::Observe | Mode::Plan | Mode::Suspended => modes::decide(desired, world, settings),
    }
}

pub(super) fn manage(desired: &Desired, world: &World, settings: &Settings) -> Plan {
    if world.deletion_requested {
        return delete::decide(desired, world, settings);
    }
    if let Some(plan) = in_trouble(world, settings).or_else(|| existence::elsewhere(desired, world)) {
        return plan;
    }
    if !world.finalizer {
        return Plan::take(Record::AddFinalizer, Reason::Creating, "Preparing to create the job.");
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

/// Trouble ends the pass: whatever comes next needs a fresh look. A refused create does so once its intent is cleared; a
/// conflict is looked into first, because it says that somebody's job is there.
pub(super) fn in_trouble(world: &World, settings: &Settings) -> Option<Plan> {
    let over = |refusal: &&Trouble| world.intent.is_none() && refusal.kind != TroubleKind::Conflict;
    let trouble = world.trouble.as_ref().or(world.refusal.as_ref().filter(over))?;
    let unknown_create =
        trouble.may_have_been_answered() && world.job_id.is_none() && create::outcome_is_unknown(world);
    let invisible = trouble.kind == TroubleKind::NotFound && world.job_id.is_some();
    let (reason, remedy) = if unknown_create {
        let remedy = "The request may have been carried out: the jobs of the service principal are watched until that is certain, and no second request is sent before.";
        (Reason::CreateOutcomeUnknown, remedy)
    } else if invisible {
        (
            Reason::JobNotVisible,
            "Graph does not show the job everywhere; it is asked again before anything is concluded.",
        )
    } else if trouble.kind == TroubleKind::Rejected && world.job_id.is_none() {
        (Reason::CreateRefused, trouble.remedy())
    } else {
        (trouble.reason(), trouble.remedy())
    };
    Some(Plan::fail(trouble, reason, format!("{} {remedy}", trouble.detail), world, settings))
}

/// A 404 for the list of jobs is never "no jobs": it is asked whether the service principal is there at all.
pub(super) fn not_found(desired: &Desired, world: &World, settings: &Settings) -> Plan {
    let id = desired.service_principal.as_str();
    let wake = Wake::After(Wake::backoff(world.absences).delay().min(settings.slow_retry));
    match world.service_principal_exists {
        None => Plan::take(Look::ServicePrincipal, Reason::ProvisioningNotReady, "Looking up the service principal."),
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
        let step = if world.at_rest(desired) { Step::Look(Look::RecentJobs) } else { Step::Look(Look::Jobs) };
        return Plan::take(step, Reason::JobNotVisible, "Looking at the job.");
    }
    let Some(job) = world.bound_job() else {
        return existence::invisible(id, desired, world, settings);
    };
    if let Some(plan) = existence::to_record(job, desired, world) {
        return plan;
    }
    if let Some(plan) = requests::restart(job, desired, world) {
        return plan;
    }
    if let Some(plan) = existence::replaced(job, desired, world) {
        return plan;
    }
    let pausing = desired.run_state == RunState::Paused;
    if !job.quarantined() || pausing {
        return run_state::decide(job, desired, world, settings);
    }
    match run_state::just_asked(world) {
        Some(since) => Plan::stop(
            Standing::Working,
            Reason::Starting,
            "Graph accepted the request and still shows the job in quarantine.",
            Wake::soon_after(since),
        ),
        None => quarantined(job, desired),
    }
}

/// Never answered by a start or a restart of our own: a job in quarantine needs a person.
pub(super) fn quarantined(job: &ObservedJob, desired: &Desired) -> Plan {
    let mut said = health::quarantine_message(job.shown.quarantine.as_ref());
    if desired.mode != Mode::Manage {
        said.push_str(" The operator restarts a job in mode Manage only.");
    }
    let (reason, message) = if health::disabled_by_service(job) {
        (Reason::DisabledByService, format!("The service disabled the job after a long quarantine. {said}"))
    } else if job.stopped() {
        (Reason::Quarantined, format!("The service put the job in quarantine, and it is paused as well. {said}"))
    } else {
        (Reason::Quarantined, format!("The service put the job in quarantine. {said}"))
    };
    Plan::stop(Standing::Stuck, reason, message, Wake::After(desired.poll_interval))
}

/// A spec that cannot be acted on. Deletion still ends if there is nothing to leave behind.
pub fn refused(refusals: &Refusals, world: &World, policy: Option<DeletionPolicy>, settings: &Settings) -> Plan {
    if let Some(trouble) = &world.trouble {
        let message = format!("{} {}", trouble.detail, trouble.remedy());
        return Plan::fail(trouble, trouble.reason(), message, world, settings);
    }
    let nothing_held = world.job_id.is_none() && world.intent.is_none();
    let retained = policy == Some(DeletionPolicy::Retain);
    if world.deletion_requested && world.finalizer && (nothing_held || retained) {
        return delete::retain(world);
    }
    Plan::stop(Standing::Stuck, Reason::InvalidSpec, format!("{}.", refusals.0.join("; ")), Wake::OnChange)
}
