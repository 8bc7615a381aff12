//! The modes that change nothing in Graph: Observe, Plan and Suspended.

use crate::api::{ChangeAction, Mode, PlannedChange, Reason};
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::common::words::quoted;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::existence;
use crate::plan::sync_job::existence::delete;
use crate::plan::sync_job::existence::service_principal::not_found;
use crate::plan::sync_job::manage::{in_trouble, manage};
use crate::plan::sync_job::mappings;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::preview::preview;
use crate::plan::sync_job::running::quarantine::quarantined;
use crate::plan::sync_job::secrets;
use crate::plan::sync_job::step::{Look, Step, Verdict};
use crate::plan::sync_job::world::World;

pub(in crate::plan) fn decide(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if world.deletion_requested {
        let go = || if world.finalizer { delete::retain(world) } else { delete::nothing_left() };
        return delete::failed(world, settings).unwrap_or_else(go);
    }
    match desired.mode {
        Mode::Suspended => Verdict::stop(
            Standing::Suspended,
            Reason::Suspended,
            "The operator does nothing, as declared. Deleting the SyncJob is possible; the job then stays in Entra ID.",
            Wake::OnChange,
        ),
        Mode::Observe => observe(desired, world, settings),
        Mode::Plan | Mode::Manage => plan(desired, world, settings),
    }
}

fn observe(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if let Some(verdict) = in_trouble(world, settings).or_else(|| existence::elsewhere(desired, world)) {
        return verdict;
    }
    if world.not_found {
        return not_found(desired, world, settings);
    }
    let Some(jobs) = &world.jobs else {
        let step = if world.look_is_due() { Step::Look(Look::Jobs) } else { Step::Look(Look::RecentJobs) };
        return Verdict::take(step, Reason::Observed, "Looking at the job.");
    };
    if let Some(job) = world.subject(desired) {
        return if job.quarantined() {
            quarantined(job, desired)
        } else {
            let message = format!("Job '{}' is shown as it is; nothing is changed.", job.id);
            Verdict::stop(Standing::Settled, Reason::Observed, message, Wake::After(desired.poll_interval))
        };
    }
    if world.jobs_recalled {
        return Verdict::take(Look::Jobs, Reason::Observed, "Looking at the job.");
    }
    nothing_to_observe(desired, jobs, world, settings)
}

fn nothing_to_observe(desired: &Desired, jobs: &[ObservedJob], world: &World, settings: &Settings) -> Verdict {
    let made: Vec<&str> =
        jobs.iter().filter(|job| job.made_from(&desired.template)).map(|job| job.id.as_str()).collect();
    let named = world.job_id.as_deref().or(desired.adoption.named());
    match (named, made.as_slice()) {
        (Some(id), _) => Verdict::stop(
            Standing::Blocked,
            Reason::NothingToObserve,
            format!("Graph does not show job '{id}'."),
            Wake::After(settings.slow_retry),
        ),
        (None, []) => Verdict::stop(
            Standing::Blocked,
            Reason::NothingToObserve,
            format!(
                "The service principal has no job of template '{}'. Make one in Entra ID, or set `spec.mode` to Manage to have one created.",
                desired.template.as_str()
            ),
            Wake::After(settings.slow_retry),
        ),
        (None, several) => Verdict::stop(
            Standing::Stuck,
            Reason::Ambiguous,
            format!(
                "The service principal has several jobs of this template: {}. Name the one that is meant in `adoption.jobId`.",
                quoted(several.iter().copied())
            ),
            Wake::After(desired.poll_interval),
        ),
    }
}

/// A change of mappings can have hundreds of entries, which a message only counts.
fn in_words(changes: &[PlannedChange]) -> String {
    let of_mappings = |change: &&PlannedChange| change.action == ChangeAction::SaveMappings;
    let values = changes.iter().filter(of_mappings).count();
    let rest = changes.iter().filter(|change| !of_mappings(change)).map(|change| change.message.clone());
    let count = if values == 1 { "1 change".to_owned() } else { format!("{values} changes") };
    let mappings = (values > 0).then(|| format!("Save mappings ({count}, see `status.plan`)."));
    mappings.into_iter().chain(rest).collect::<Vec<_>>().join(" ")
}

/// What Manage would do, up to the first step that changes something.
fn plan(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    let next = manage(desired, &world.as_managed(), settings);
    match &next.step {
        None if next.standing == Standing::Settled => {
            let message = format!("Mode Manage would change nothing. {}", next.message);
            Verdict { reason: Reason::NothingToChange, message, ..next }
        }
        Some(Step::Look(_)) | None => next,
        Some(Step::Record(_) | Step::Change(_)) => {
            if let Some(look) = secrets::unread(desired, world) {
                return Verdict::take(look, Reason::ChangesPlanned, "Reading the credentials and settings.");
            }
            if let Some(look) = mappings::unread(desired, world) {
                return Verdict::take(look, Reason::ChangesPlanned, "Reading the schema of the job.");
            }
            let preview = preview(desired, world, settings);
            if preview.changes.is_empty() {
                return preview.end;
            }
            Verdict::stop(
                Standing::Settled,
                Reason::ChangesPlanned,
                format!("Mode Manage would now: {}", in_words(&preview.changes)),
                Wake::After(desired.poll_interval),
            )
        }
    }
}
