//! Running or Paused: what is asked of Graph, what is waited for, and what somebody else's hand is met with.

use std::time::Duration;

use super::decide::{Plan, Standing};
use super::desired::Desired;
use super::settings::{CORRECTION_SPACING, PAUSE_REPEAT, START_REPEAT};
use super::step::Step;
use super::wake::Wake;
use super::world::{ObservedJob, RunView, World};
use crate::api::{OutOfBandPolicy, Reason, RunState};

/// Graph accepted something this long ago at most that its answers need not show yet.
pub(super) fn just_asked(world: &World) -> Option<Duration> {
    let view = world.run.filter(|run| !run.reached)?;
    view.asked.filter(|asked| *asked < repeat(view.state))
}

fn repeat(state: RunState) -> Duration {
    match state {
        RunState::Running => START_REPEAT,
        RunState::Paused => PAUSE_REPEAT,
    }
}

pub(super) fn decide(job: &ObservedJob, desired: &Desired, world: &World) -> Plan {
    if job.run_state() == desired.run_state {
        return settled(desired);
    }
    match world.run {
        Some(run) if run.state == desired.run_state && run.reached => out_of_band(&run, job, desired),
        Some(run) if run.state == desired.run_state => match just_asked(world) {
            Some(since) => waiting(since, desired),
            None => ask(job, desired),
        },
        _ => ask(job, desired),
    }
}

fn settled(desired: &Desired) -> Plan {
    let (reason, message) = match desired.run_state {
        RunState::Running => (Reason::Running, "The job is scheduled by the service."),
        RunState::Paused => (Reason::Paused, "The job is paused, as declared."),
    };
    Plan::stop(Standing::Settled, reason, message, Wake::After(desired.poll_interval))
}

fn ask(job: &ObservedJob, desired: &Desired) -> Plan {
    let id = job.id.clone();
    match desired.run_state {
        RunState::Running => Plan::take(Step::StartJob { id }, Reason::Starting, "Starting the job."),
        RunState::Paused => Plan::take(Step::PauseJob { id }, Reason::Pausing, "Pausing the job."),
    }
}

fn waiting(since: Duration, desired: &Desired) -> Plan {
    let (reason, message) = match desired.run_state {
        RunState::Running => (Reason::Starting, "Graph accepted the start and does not show the job as scheduled yet."),
        RunState::Paused => (Reason::Pausing, "Graph accepted the pause; a cycle in flight runs to its end first."),
    };
    Plan::stop(Standing::Working, reason, message, Wake::soon_after(since))
}

/// The job was as declared, and somebody else changed that.
fn out_of_band(run: &RunView, job: &ObservedJob, desired: &Desired) -> Plan {
    let (reason, what, wish) = match desired.run_state {
        RunState::Running => (Reason::PausedOutOfBand, "paused", "Running"),
        RunState::Paused => (Reason::StartedOutOfBand, "started", "Paused"),
    };
    let spent = run.asked.filter(|asked| *asked < CORRECTION_SPACING);
    match (desired.out_of_band, spent) {
        (OutOfBandPolicy::Correct, None) => ask(job, desired),
        (OutOfBandPolicy::Correct, Some(asked)) => Plan::stop(
            Standing::Blocked,
            reason,
            format!(
                "The job was {what} outside of this SyncJob again, less than an hour after `state: {wish}` was last asked for. It is brought back at most once an hour; find out who else manages it."
            ),
            Wake::After(CORRECTION_SPACING.saturating_sub(asked).min(desired.poll_interval)),
        ),
        (OutOfBandPolicy::Respect, _) => Plan::stop(
            Standing::Stuck,
            reason,
            format!(
                "The job was {what} outside of this SyncJob and is left that way, although `state: {wish}` is declared. Change it back in the portal, declare what it is now in `spec.state`, or set `spec.outOfBandPolicy` to Correct."
            ),
            Wake::After(desired.poll_interval),
        ),
    }
}
