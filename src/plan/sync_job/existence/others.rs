//! Jobs and SyncJobs that stand in the way.

use crate::api::Reason;
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::common::words::quoted;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::step::{Record, Verdict};
use crate::plan::sync_job::world::{Rival, World};

/// What the rivals, read after our own intent was written, allow: `None` is to go ahead. One that is bound, or comes
/// first in the common order, is given way to; for another one our intent waits.
pub(in crate::plan) fn giving_way(rivals: &[Rival], world: &World) -> Option<Verdict> {
    let other = rivals.first()?;
    Some(match rivals.iter().find(|rival| rival.job_id.is_some() || rival.precedes) {
        Some(rival) => Verdict::take(
            Record::ClearIntent,
            Reason::Conflict,
            format!("Giving way to SyncJob '{}', which has the same service principal and template.", rival.name),
        ),
        None => Verdict::stop(
            Standing::Working,
            Reason::Conflict,
            format!("Waiting for SyncJob '{}', which began to do the same a moment later, to give way.", other.name),
            Wake::backoff(world.failures.min(4)),
        ),
    })
}

pub(in crate::plan) fn conflict(rival: &Rival, settings: &Settings) -> Verdict {
    let message = match &rival.job_id {
        Some(id) => format!(
            "SyncJob '{}' has the same service principal and template and owns the job '{id}'. Delete one of the two.",
            rival.name
        ),
        None => format!(
            "SyncJob '{}' has the same service principal and template and is creating the job. Delete one of the two.",
            rival.name
        ),
    };
    Verdict::stop(Standing::Stuck, Reason::Conflict, message, Wake::After(settings.slow_retry))
}

pub(in crate::plan) fn already_exists(desired: &Desired, existing: &[&ObservedJob], settings: &Settings) -> Verdict {
    Verdict::stop(
        Standing::Blocked,
        Reason::AlreadyExists,
        format!(
            "The service principal already has a job of template '{}' that this SyncJob did not create: {}. It is left untouched. To have it managed here, set `adoption.policy` to IfExists or Only; to have a new one, delete it in Entra ID.",
            desired.template.as_str(),
            quoted(existing.iter().map(|job| job.id.as_str()))
        ),
        Wake::After(settings.slow_retry),
    )
}

pub(in crate::plan) fn ambiguous(ids: &[String], desired: &Desired) -> Verdict {
    Verdict::stop(
        Standing::Stuck,
        Reason::Ambiguous,
        format!(
            "While the outcome of a create request was unknown, jobs appeared that may or may not be its result: {}. Nothing is touched. Delete those that nobody needs in Entra ID.",
            quoted(ids.iter().map(String::as_str))
        ),
        Wake::After(desired.poll_interval),
    )
}
