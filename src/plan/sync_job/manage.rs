//! Mode Manage, from top to bottom: one match, each arm a folder.

use crate::api::{Reason, RunState};
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::trouble::{Trouble, TroubleKind};
use crate::plan::common::wake::Wake;
use crate::plan::common::without::Guard;
use crate::plan::sync_job::course::{Course, Problem};
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::existence::service_principal::not_found;
use crate::plan::sync_job::existence::{self, create, delete, intent};
use crate::plan::sync_job::mappings;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::running::quarantine::quarantined;
use crate::plan::sync_job::running::{restart, run_state};
use crate::plan::sync_job::secrets;
use crate::plan::sync_job::step::{Change, Look, Record, Step, Verdict};
use crate::plan::sync_job::world::World;

pub(in crate::plan) fn manage(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if world.deletion_requested {
        return delete::decide(desired, world, settings);
    }
    if let Some(verdict) = in_trouble(world, settings).or_else(|| existence::elsewhere(desired, world)) {
        return verdict;
    }
    if !world.finalizer && !settings.without.lacks(Guard::Finalizer) {
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
        trouble.may_have_been_answered() && world.job_id.is_none() && intent::outcome_is_unknown(world);
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
    if let Some(verdict) = restart::restart(job, desired, world) {
        return verdict;
    }
    if let Some(verdict) = existence::replaced(job, desired, world) {
        return verdict;
    }
    let held = match secrets::course(id, desired, world, settings) {
        Course::Do(verdict) => return verdict,
        Course::InPlace => None,
        Course::Held(problem) => Some(problem),
    };
    let held = match held {
        Some(problem) => Some(problem),
        None => match mappings::course(id, desired, world, settings) {
            Course::Do(verdict) => return verdict,
            Course::InPlace => None,
            Course::Held(problem) => Some(problem),
        },
    };
    if held.is_none()
        && let Some(verdict) = secrets::after_save(job, desired, world)
    {
        return verdict;
    }
    tempered(run(job, desired, world, settings), held.as_ref(), desired, world)
}

/// What the pass comes to in the light of the content of the job: a start waits for it, and nothing is as declared without
/// it. Whatever else is wrong comes first.
fn tempered(verdict: Verdict, held: Option<&Problem>, desired: &Desired, world: &World) -> Verdict {
    let starts = match &verdict.step {
        Some(Step::Change(Change::StartJob { .. })) => true,
        Some(Step::Change(_) | Step::Look(_) | Step::Record(_)) | None => false,
    };
    let untested = starts.then(|| secrets::required_test(desired, world)).flatten();
    let settled = verdict.step.is_none() && verdict.standing == Standing::Settled;
    let waits = |problem: &&Problem| if starts { !mappings::may_start(problem) } else { settled };
    match held.or(untested.as_ref()).filter(waits) {
        Some(problem) => {
            let wake = problem.wake.sooner(Wake::After(desired.poll_interval));
            Verdict::stop(problem.standing, problem.reason, problem.message.clone(), wake)
        }
        None => secrets::looked_at_soon(looked_at_soon(verdict, held), world),
    }
}

/// What is under way is looked at soon, whatever else is wrong with the job.
fn looked_at_soon(verdict: Verdict, held: Option<&Problem>) -> Verdict {
    match held {
        Some(problem) if problem.standing == Standing::Working && verdict.step.is_none() => {
            Verdict { wake: verdict.wake.sooner(problem.wake), ..verdict }
        }
        Some(_) | None => verdict,
    }
}

fn run(job: &ObservedJob, desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    let pausing = desired.run_state == RunState::Paused;
    if !job.quarantined() || pausing {
        return run_state::decide(job, desired, world, settings);
    }
    if let Some(since) = run_state::just_asked(world) {
        let message = "Graph accepted the request and still shows the job in quarantine.";
        return Verdict::stop(Standing::Working, Reason::Starting, message, Wake::soon_after(since));
    }
    let verdict = quarantined(job, desired);
    let message = format!("{}{}", verdict.message, secrets::words_for_quarantine(job, world));
    Verdict { message, ..verdict }
}
