//! What becomes of mappings when the job is let go: what was there before comes back, unless somebody has changed it since.

use crate::api::{OnRelease, Reason};
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::step::{Change, Look, Verdict};
use crate::plan::sync_job::world::World;

/// Passes in a row that may fail before a job is let go of with its mappings as they are: deletion always ends.
const TRIES: u32 = 8;

/// The step that gives everything back, if there is anything.
pub(in crate::plan) fn giving_back(desired: &Desired, world: &World) -> Option<Verdict> {
    let id = world.job_id.as_ref()?;
    if !unrestored(desired, world) || world.failures_in_deletion >= TRIES {
        return None;
    }
    if world.tenant.is_none() {
        let message = "Learning which tenant the operator logs in to, before the mappings of the job are restored.";
        return Some(Verdict::take(Look::Tenant, Reason::Deleting, message));
    }
    // A login for another tenant than the recorded one asks and sends nothing.
    let elsewhere = world.recorded_tenant.is_some() && world.recorded_tenant != world.tenant;
    if elsewhere {
        return None;
    }
    let message = "Restoring the mappings of the job before it is let go of.";
    Some(Verdict::take(Change::ReleaseMappings { id: id.clone() }, Reason::Deleting, message))
}

fn keeps(desired: &Desired) -> bool {
    desired.mappings.as_ref().and_then(|wish| wish.mappings.on_release) == Some(OnRelease::Keep)
}

/// Whether there is something to give back.
pub(in crate::plan) fn unrestored(desired: &Desired, world: &World) -> bool {
    !keeps(desired) && world.mappings.owns() && world.mappings.released.is_none()
}
