//! Changes of credentials and settings that need a restart of the job: a quarantine for wrong credentials that came before the
//! new ones, and a scope that became narrower (`known-issues` of the Entra documentation).

use std::time::Duration;

use super::View;
use crate::api::{Reason, RestartAfterChange, RunState, Scope};
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::step::{Change, Verdict};
use crate::plan::sync_job::world::World;

/// Lifts a quarantine and keeps the progress of the job.
const LIFT: &str = "QuarantineState";

/// The restart that the saved set needs, or the wish for it.
pub(in crate::plan) fn after_save(job: &ObservedJob, desired: &Desired, world: &World) -> Option<Verdict> {
    if desired.run_state == RunState::Paused || !desired.content.is_any() {
        return None;
    }
    let automatic = desired.content.restart == RestartAfterChange::Automatic;
    if quarantined_before(job, world) {
        return automatic.then(|| restart(&job.id, Some(LIFT)));
    }
    let narrower = narrower(job, desired, &world.secrets);
    if !narrower || job.quarantined() {
        return None;
    }
    let unclear = world.secrets.restart_unclear;
    if automatic && !unclear {
        return Some(restart(&job.id, None));
    }
    let message = if unclear { UNCLEAR } else { NEEDED };
    Some(Verdict::stop(Standing::Stuck, Reason::RestartNeeded, message, Wake::After(desired.poll_interval)))
}

const NEEDED: &str = "The scope is saved as Assigned, and the service goes on with all users until the job begins from the start. Ask for a restart with the annotation `entrain.dev/restart-requested-at` (without a scope it resets Watermark, Escrows and QuarantineState), or set `spec.restartAfterChange` to Automatic.";
const UNCLEAR: &str = "The scope is saved as Assigned. A restart was sent for it and its answer was lost; it is not sent again, because each one costs the job its progress. If the job did not begin from the start, ask for a restart with the annotation `entrain.dev/restart-requested-at`.";

fn restart(id: &str, scope: Option<&str>) -> Verdict {
    let step = Change::RestartAfterChange { id: id.to_owned(), scope: scope.map(str::to_owned) };
    Verdict::take(step, Reason::Starting, "Restarting the job, because its credentials or settings have changed.")
}

/// Whether the service put the job in quarantine for its credentials, and has not tried again since others were saved; and
/// nothing was asked of the job since then either.
pub(in crate::plan) fn quarantined_before(job: &ObservedJob, world: &World) -> bool {
    let view = &world.secrets;
    let last = job.shown.last_execution.as_ref().and_then(|last| last.ended_time.as_ref());
    let (age, tried_since) = match &view.saved_time {
        _ if view.saved_now => (Duration::ZERO, false),
        Some((saved, age)) => (*age, last.is_some_and(|ended| ended.0 > saved.0)),
        None => return false,
    };
    let asked_since = world.run.and_then(|run| run.asked).is_some_and(|asked| asked <= age);
    job.quarantined() && !job.stopped() && for_credentials(job) && !asked_since && !tried_since
}

/// Connectors have codes of their own, and all of those that concern credentials say so in their name.
fn for_credentials(job: &ObservedJob) -> bool {
    let of_quarantine = job.shown.quarantine.as_ref().and_then(|quarantine| quarantine.error.as_ref());
    let of_cycle = job.shown.last_execution.as_ref().and_then(|last| last.error.as_ref());
    of_quarantine.into_iter().chain(of_cycle).any(|error| error.code.to_ascii_lowercase().contains("credential"))
}

/// What to add to the message about a quarantine.
pub(in crate::plan) fn words_for_quarantine(job: &ObservedJob, world: &World) -> &'static str {
    if quarantined_before(job, world) {
        " New credentials were saved since: ask for a restart with the scope QuarantineState, set `spec.restartAfterChange` to Automatic, or wait for the service's next attempt."
    } else {
        ""
    }
}

fn narrower(job: &ObservedJob, desired: &Desired, view: &View) -> bool {
    let assigned = desired.content.settings.scope == Some(Scope::Assigned);
    assigned
        && job.scheduled()
        && view.live_scope() == Some(Scope::Assigned)
        && in_force(Some(job), view) != Some(Scope::Assigned)
}

/// The scope that the job last began from the start with, as far as that is known.
pub(in crate::plan) fn in_force(job: Option<&ObservedJob>, view: &View) -> Option<Scope> {
    let live = view.live_scope();
    let steady = job.and_then(|job| job.shown.steady_state_since_time.as_ref());
    let begun_since = steady.zip(view.saved_time.as_ref()).is_some_and(|(steady, (saved, _))| steady.0 > saved.0);
    let fresh = job.is_some_and(|job| !job.lives());
    if view.begun || fresh || begun_since && !view.saved_now || live == Some(Scope::All) {
        return live.or(view.scope_in_force);
    }
    view.scope_in_force.or(view.scope_found.filter(|_| !view.met))
}
