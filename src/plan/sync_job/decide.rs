//! The one place where it is decided what to do. One match from top to bottom, total, a step at a time.

use crate::api::{DeletionPolicy, Mode, Reason, RunState};
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::trouble::{Trouble, TroubleKind};
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::Verdict;
use crate::plan::sync_job::desired::{Desired, Refusals};
use crate::plan::sync_job::existence;
use crate::plan::sync_job::existence::create;
use crate::plan::sync_job::existence::delete;
use crate::plan::sync_job::health;
use crate::plan::sync_job::modes;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::running::requests;
use crate::plan::sync_job::running::run_state;
use crate::plan::sync_job::step::{Look, Record, Step};
use crate::plan::sync_job::world::World;

/// Names the next step for what is known. Total: every world has an answer.
pub fn decide(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    match desired.mode {
        Mode::Manage => manage(desired, world, settings),
        Mode::Observe | Mode::Plan | Mode::Suspended => modes::decide(desired, world, settings),
    }
}

pub(in crate::plan) fn manage(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if world.deletion_requested {
        return delete::decide(desired, world, settings);
    }
    if let Some(verdict) = in_trouble(world, settings).or_else(|| existence::elsewhere(desired, world)) {
        return verdict;
    }
    if !world.finalizer {
        return Verdict::take(Record::AddFinalizer, Reason::Creating, "Preparing to create the job.");
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
pub(in crate::plan) fn in_trouble(world: &World, settings: &Settings) -> Option<Verdict> {
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
    Some(Verdict::fail(trouble, reason, format!("{} {remedy}", trouble.detail), world.failures, settings))
}

/// A 404 for the list of jobs is never "no jobs": it is asked whether the service principal is there at all.
pub(in crate::plan) fn not_found(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    let id = desired.service_principal.as_str();
    let wake = Wake::After(Wake::backoff(world.absences).delay().min(settings.slow_retry));
    match world.service_principal_exists {
        None => {
            Verdict::take(Look::ServicePrincipal, Reason::ProvisioningNotReady, "Looking up the service principal.")
        }
        Some(false) => Verdict::stop(
            Standing::Blocked,
            Reason::ServicePrincipalNotFound,
            format!(
                "No service principal has the object id '{id}'. Use the object id of the enterprise application (not the application's client id or its own object id); if it was deleted, restore it. A service principal made a moment ago may take minutes to appear."
            ),
            wake,
        ),
        Some(true) => Verdict::stop(
            Standing::Blocked,
            Reason::ProvisioningNotReady,
            format!(
                "The service principal '{id}' exists, but Graph does not answer for its provisioning jobs. After creation this takes minutes; if it lasts, the application does not support provisioning."
            ),
            wake,
        ),
    }
}

fn bound(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if world.jobs.is_none() {
        let step = if world.at_rest(desired) { Step::Look(Look::RecentJobs) } else { Step::Look(Look::Jobs) };
        return Verdict::take(step, Reason::JobNotVisible, "Looking at the job.");
    }
    let Some(job) = world.bound_job() else {
        return existence::invisible(id, desired, world, settings);
    };
    if let Some(verdict) = existence::to_record(job, desired, world) {
        return verdict;
    }
    if let Some(verdict) = requests::restart(job, desired, world) {
        return verdict;
    }
    if let Some(verdict) = existence::replaced(job, desired, world) {
        return verdict;
    }
    let pausing = desired.run_state == RunState::Paused;
    if !job.quarantined() || pausing {
        return run_state::decide(job, desired, world, settings);
    }
    match run_state::just_asked(world) {
        Some(since) => Verdict::stop(
            Standing::Working,
            Reason::Starting,
            "Graph accepted the request and still shows the job in quarantine.",
            Wake::soon_after(since),
        ),
        None => quarantined(job, desired),
    }
}

/// Never answered by a start or a restart of our own: a job in quarantine needs a person.
pub(in crate::plan) fn quarantined(job: &ObservedJob, desired: &Desired) -> Verdict {
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
    Verdict::stop(Standing::Stuck, reason, message, Wake::After(desired.poll_interval))
}

/// A spec that cannot be acted on. Deletion still ends if there is nothing to leave behind.
pub fn refused(refusals: &Refusals, world: &World, policy: Option<DeletionPolicy>, settings: &Settings) -> Verdict {
    if let Some(trouble) = &world.trouble {
        let message = format!("{} {}", trouble.detail, trouble.remedy());
        return Verdict::fail(trouble, trouble.reason(), message, world.failures, settings);
    }
    let nothing_held = world.job_id.is_none() && world.intent.is_none();
    let retained = policy == Some(DeletionPolicy::Retain);
    if world.deletion_requested && world.finalizer && (nothing_held || retained) {
        return delete::retain(world);
    }
    Verdict::stop(Standing::Stuck, Reason::InvalidSpec, format!("{}.", refusals.0.join("; ")), Wake::OnChange)
}
