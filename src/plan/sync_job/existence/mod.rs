//! Whether the recorded job is there, where, and whether it is still the same one. An id names a slot, not a job: what is
//! deleted and set up once more has the id of what was there before, and so has the same application in another tenant.

pub(in crate::plan) mod adopt;
pub(in crate::plan) mod create;
pub(in crate::plan) mod delete;
pub(in crate::plan) mod intent;
pub(in crate::plan) mod others;
pub(in crate::plan) mod service_principal;

use crate::api::{JobOrigin, MissingJobPolicy, Reason};
use crate::plan::common::settings::{ABSENCES_MIN, Settings};
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::running::run_state;
use crate::plan::sync_job::step::Verdict;
use crate::plan::sync_job::step::{Look, Record};
use crate::plan::sync_job::world::World;

/// What is recorded belongs to a tenant. Nothing is asked of, sent to, or concluded from another one.
pub(in crate::plan) fn elsewhere(desired: &Desired, world: &World) -> Option<Verdict> {
    if world.tenant.is_none() {
        return Some(Verdict::take(Look::Tenant, Reason::Creating, "Learning which tenant the operator logs in to."));
    }
    let recorded = world.recorded_tenant.as_ref().filter(|_| world.job_id.is_some() || world.intent.is_some())?;
    let in_force = world.tenant.as_ref().filter(|tenant| *tenant != recorded)?;
    let what =
        world.job_id.as_ref().map_or_else(|| "An attempt to create the job".to_owned(), |id| format!("Job '{id}'"));
    Some(Verdict::stop(
        Standing::Stuck,
        Reason::TenantMismatch,
        format!(
            "{what} is recorded for tenant '{recorded}', and the operator logs in to tenant '{in_force}'. Nothing is asked or sent, and nothing is released. Let the operator log in to the recorded tenant; to let go of the job as it is, set `spec.deletionPolicy` to Retain and delete this SyncJob."
        ),
        Wake::After(desired.poll_interval),
    ))
}

/// What a list that shows the job lets us record: its tenant, where an older version did not, and that the job is another
/// one by now.
pub(in crate::plan) fn to_record(job: &ObservedJob, desired: &Desired, world: &World) -> Option<Verdict> {
    if world.from_answer {
        return None;
    }
    let id = job.id.clone();
    if world.recorded_tenant.is_none() {
        return Some(Verdict::take(Record::Tenant { id }, Reason::JobNotVisible, "Recording the tenant of the job."));
    }
    let known = world.origin == Some(JobOrigin::Replaced);
    if !(known || was_replaced(job, world)) || job.lives() {
        return None;
    }
    let origin = match (desired.may_adopt(&job.id), known) {
        (true, _) => JobOrigin::Adopted,
        (false, false) => JobOrigin::Replaced,
        (false, true) => return None,
    };
    let message = format!("Job '{id}' was set up once more under the same id; recording that.");
    Some(Verdict::take(Record::Origin { id, origin }, Reason::JobReplaced, message))
}

/// A history does not go back to nothing by itself while the job is stopped.
pub(in crate::plan) fn was_replaced(job: &ObservedJob, world: &World) -> bool {
    world.lived && job.stopped() && !job.has_history() && run_state::just_asked(world).is_none()
}

/// Another job under the id of ours, which nobody has started yet.
pub(in crate::plan) fn replaced(job: &ObservedJob, desired: &Desired, world: &World) -> Option<Verdict> {
    let untouched = world.origin == Some(JobOrigin::Replaced) && job.stopped() && !job.has_history();
    (untouched && run_state::just_asked(world).is_none()).then(|| {
        Verdict::stop(
            Standing::Stuck,
            Reason::JobReplaced,
            format!(
                "Job '{}' was deleted and set up once more under the same id, outside of this SyncJob: its history is gone, and so may be its mappings. It is not started. Check it in Entra ID; then set `adoption.policy` to IfExists to go on with it, or delete this SyncJob, which leaves the job there unless `spec.deletionPolicy` is Delete.",
                job.id
            ),
            Wake::After(desired.poll_interval),
        )
    })
}

/// The list does not show our job: young jobs are not visible everywhere, and answers of replicas differ.
pub(in crate::plan) fn invisible(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if world.jobs_recalled {
        return Verdict::take(Look::Jobs, Reason::JobNotVisible, "Looking at the job.");
    }
    if world.bound_for < settings.missing_grace {
        return Verdict::stop(
            Standing::Working,
            Reason::JobNotVisible,
            format!("Job '{id}' was recorded a moment ago and Graph does not show it yet."),
            Wake::soon_after(world.bound_for),
        );
    }
    if !world.seen && !world.service_principal_lost {
        return Verdict::stop(
            Standing::Blocked,
            Reason::JobNotVisible,
            format!(
                "Graph accepted the creation of job '{id}' and has not shown it in any list since. It is not replaced. Look for it in the portal; if it is not there either, delete this SyncJob and apply it again."
            ),
            Wake::After(settings.slow_retry.max(settings.stalled_grace).min(desired.poll_interval)),
        );
    }
    if world.absences < ABSENCES_MIN {
        return Verdict::stop(
            Standing::Passing,
            Reason::JobNotVisible,
            format!("Graph did not show job '{id}' just now; asking again before anything is concluded."),
            Wake::backoff(3),
        );
    }
    missing(id, desired, world, settings)
}

/// The job was there once, and several lists in a row lack it.
fn missing(id: &str, desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    let recreate = desired.missing_job == MissingJobPolicy::Recreate;
    let long_enough = world.missing_for.is_some_and(|since| since >= settings.recreate_after);
    if recreate && long_enough && world.seen {
        return match world.service_principal_exists {
            None => Verdict::take(
                Look::ServicePrincipal,
                Reason::JobMissing,
                "Making sure that the service principal is there.",
            ),
            Some(false) => service_principal::not_found(desired, world, settings),
            Some(true) => {
                let message = format!("Giving up job '{id}', which is gone, to create a new one.");
                Verdict::take(Record::ForgetJob { id: id.to_owned() }, Reason::JobMissing, message)
            }
        };
    }
    let message = match (world.service_principal_lost && !long_enough, recreate && world.seen) {
        (true, _) => format!(
            "Graph does not show job '{id}' since its service principal was deleted and restored. Its provisioning data returns by itself within a day; nothing is created in its place before."
        ),
        (false, true) => format!(
            "Job '{id}' is gone from Entra ID. A new one is created once it has been missing for a day (see `status.jobMissingSinceTime`): the data of a restored service principal takes that long to return."
        ),
        (false, false) => format!(
            "Job '{id}' is gone from Entra ID. Nothing is created in its place. To have a new job, set `spec.missingJobPolicy` to Recreate, or delete this SyncJob and apply it again."
        ),
    };
    Verdict::stop(Standing::Stuck, Reason::JobMissing, message, Wake::backoff(8))
}
