//! Running or Paused: what is asked of Graph, what is waited for, and what somebody else's hand is met with.

use std::time::Duration;

use crate::api::{JobOrigin, OutOfBandPolicy, Reason, RunState};
use crate::plan::common::settings::{CORRECTION_SPACING, PAUSE_REPEAT, START_REPEAT, Settings};
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::common::words::quoted;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::step::Change;
use crate::plan::sync_job::step::Verdict;
use crate::plan::sync_job::world::{RunView, World};

/// Graph accepted something this long ago at most that its answers need not show yet.
pub(in crate::plan) fn just_asked(world: &World) -> Option<Duration> {
    let view = world.run.filter(|run| !run.reached)?;
    view.asked.filter(|asked| *asked < repeat(view.state))
}

fn repeat(state: RunState) -> Duration {
    match state {
        RunState::Running => START_REPEAT,
        RunState::Paused => PAUSE_REPEAT,
    }
}

pub(in crate::plan) fn decide(job: &ObservedJob, desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    let Some(state) = job.run_state() else {
        return unknown(job, desired, settings);
    };
    if state == desired.run_state {
        return if may_be_the_predecessors(desired, world, settings) { ask(job, desired) } else { settled(desired) };
    }
    if desired.run_state == RunState::Running {
        if job.escrows_pruned {
            return pruned(desired);
        }
        if let Some(verdict) = not_alone(job, desired, world, settings) {
            return verdict;
        }
    }
    match world.run {
        Some(run) if run.state == desired.run_state && run.reached => out_of_band(&run, job, desired),
        Some(run) if run.state == desired.run_state => match just_asked(world) {
            Some(since) => waiting(since, desired),
            None => ask(job, desired),
        },
        Some(_) | None => ask(job, desired),
    }
}

/// A job that we created and never started does not run. Where ids repeat, a lagging list may show the run state of the job
/// that had this id before; to start what runs already changes nothing.
fn may_be_the_predecessors(desired: &Desired, world: &World, settings: &Settings) -> bool {
    let never_started = world.origin == Some(JobOrigin::Created) && world.run.is_none();
    desired.run_state == RunState::Running && never_started && world.bound_for < settings.settle_window
}

/// What is not known leads neither to a step nor to a judgement.
fn unknown(job: &ObservedJob, desired: &Desired, settings: &Settings) -> Verdict {
    let word = job.schedule_state.as_deref().unwrap_or_default();
    let message = if word.is_empty() {
        "Graph does not say whether the job is scheduled; nothing is sent before it does.".to_owned()
    } else {
        format!("Graph says '{word}' of the job's schedule, a word that is not known here; nothing is sent.")
    };
    let wake = Wake::After(settings.slow_retry.max(Duration::from_secs(60)).min(desired.poll_interval));
    Verdict::stop(Standing::Passing, Reason::RunStateUnknown, message, wake)
}

/// The service stops such a job and waits for a person (`synchronizationStatus`): a start would fight it.
fn pruned(desired: &Desired) -> Verdict {
    Verdict::stop(
        Standing::Stuck,
        Reason::EscrowsPruned,
        "The service paused the job after its initial cycle, because so many entries failed that it dropped their records. It is not started again. Fix what the failing entries have in common (provisioning logs of the application); then ask for a restart with `entrain.dev/restart-requested-at`.",
        Wake::After(desired.poll_interval),
    )
}

/// A job that never ran is not started next to another one of its template: two running jobs would provision the same
/// accounts.
fn not_alone(job: &ObservedJob, desired: &Desired, world: &World, settings: &Settings) -> Option<Verdict> {
    let fresh = world.origin == Some(JobOrigin::Created) && !job.has_history() && world.run.is_none();
    let others: Vec<&str> = world.second_jobs(desired).map(|other| other.id.as_str()).collect();
    (fresh && !others.is_empty()).then(|| {
        Verdict::stop(
            Standing::Stuck,
            Reason::SecondJobPresent,
            format!(
                "The service principal has more jobs of this template: {}. Job '{}' is not started, because two jobs would provision the same accounts. Delete those that nobody needs in Entra ID.",
                quoted(others.into_iter()),
                job.id
            ),
            Wake::After(settings.slow_retry),
        )
    })
}

fn settled(desired: &Desired) -> Verdict {
    let (reason, message) = match desired.run_state {
        RunState::Running => (Reason::Running, "The job is scheduled by the service."),
        RunState::Paused => (Reason::Paused, "The job is paused, as declared."),
    };
    Verdict::stop(Standing::Settled, reason, message, Wake::After(desired.poll_interval))
}

fn ask(job: &ObservedJob, desired: &Desired) -> Verdict {
    let id = job.id.clone();
    match desired.run_state {
        RunState::Running => Verdict::take(Change::StartJob { id }, Reason::Starting, "Starting the job."),
        RunState::Paused => Verdict::take(Change::PauseJob { id }, Reason::Pausing, "Pausing the job."),
    }
}

fn waiting(since: Duration, desired: &Desired) -> Verdict {
    let (reason, message) = match desired.run_state {
        RunState::Running => (Reason::Starting, "Graph accepted the start and does not show the job as scheduled yet."),
        RunState::Paused => (Reason::Pausing, "Graph accepted the pause; a cycle in flight runs to its end first."),
    };
    Verdict::stop(Standing::Working, reason, message, Wake::soon_after(since))
}

/// The job was as declared, and somebody else changed that.
fn out_of_band(run: &RunView, job: &ObservedJob, desired: &Desired) -> Verdict {
    let (reason, what, wish) = match desired.run_state {
        RunState::Running => (Reason::PausedOutOfBand, "paused", "Running"),
        RunState::Paused => (Reason::StartedOutOfBand, "started", "Paused"),
    };
    let spent = run.asked.filter(|asked| *asked < CORRECTION_SPACING);
    match (desired.out_of_band, spent) {
        (OutOfBandPolicy::Correct, None) => ask(job, desired),
        (OutOfBandPolicy::Correct, Some(asked)) => Verdict::stop(
            Standing::Blocked,
            reason,
            format!(
                "The job was {what} outside of this SyncJob again, less than an hour after `state: {wish}` was last asked for. It is brought back at most once an hour; find out who else manages it."
            ),
            Wake::After(CORRECTION_SPACING.saturating_sub(asked).min(desired.poll_interval)),
        ),
        (OutOfBandPolicy::Respect, _) => Verdict::stop(
            Standing::Stuck,
            reason,
            format!(
                "The job was {what} outside of this SyncJob and is left that way, although `state: {wish}` is declared. Change it back in the portal, declare what it is now in `spec.state`, or set `spec.outOfBandPolicy` to Correct."
            ),
            Wake::After(desired.poll_interval),
        ),
    }
}
