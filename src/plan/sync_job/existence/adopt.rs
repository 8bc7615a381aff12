//! A job that is there already: whether it may become the SyncJob's own, and the way there. An adoption is announced by
//! an intent like a creation, so that of two SyncJobs for one job at most one ends up with it.

use crate::api::Reason;
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::common::words::quoted;
use crate::plan::sync_job::desired::{Adoption, Desired};
use crate::plan::sync_job::existence::others::{already_exists, giving_way};
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::step::Verdict;
use crate::plan::sync_job::step::{Look, Record};
use crate::plan::sync_job::world::{Rivals, World};

/// What the jobs that are there mean for a SyncJob without one; `None` if one may be created.
pub(in crate::plan) fn instead_of_creating(
    desired: &Desired,
    jobs: &[ObservedJob],
    settings: &Settings,
) -> Option<Verdict> {
    if let Adoption::Named(id) = &desired.adoption {
        return Some(named(id, desired, jobs, settings));
    }
    let made: Vec<&ObservedJob> = jobs.iter().filter(|job| job.made_from(&desired.template)).collect();
    match (&desired.adoption, made.as_slice()) {
        (Adoption::Only, []) => Some(nothing(
            format!(
                "The service principal has no job of template '{}', and `adoption.policy: Only` creates none. Make one in Entra ID, or set `adoption.policy` to IfExists to have one created.",
                desired.template.as_str()
            ),
            settings,
        )),
        (_, []) => None,
        (Adoption::Never, _) => Some(already_exists(desired, &made, settings)),
        (_, [only]) => Some(announce(only)),
        (_, several) => Some(ambiguous(several, settings)),
    }
}

fn named(id: &str, desired: &Desired, jobs: &[ObservedJob], settings: &Settings) -> Verdict {
    match jobs.iter().find(|job| job.id == id) {
        Some(job) if job.made_from(&desired.template) => announce(job),
        Some(job) => Verdict::stop(
            Standing::Stuck,
            Reason::NothingToAdopt,
            format!(
                "Job '{id}' was made from template '{}', not from '{}'. Name a job of this template in `adoption.jobId`.",
                job.template_id.as_deref().unwrap_or_default(),
                desired.template.as_str()
            ),
            Wake::After(desired.poll_interval),
        ),
        None => nothing(
            format!(
                "The service principal has no job '{id}', which `adoption.jobId` names. None is created in its place: correct the id, or leave it out."
            ),
            settings,
        ),
    }
}

fn nothing(message: String, settings: &Settings) -> Verdict {
    Verdict::stop(Standing::Blocked, Reason::NothingToAdopt, message, Wake::After(settings.slow_retry))
}

fn announce(job: &ObservedJob) -> Verdict {
    Verdict::take(
        Record::Adoption { id: job.id.clone() },
        Reason::Adopting,
        format!("Recording the intent to adopt job '{}'.", job.id),
    )
}

fn ambiguous(jobs: &[&ObservedJob], settings: &Settings) -> Verdict {
    Verdict::stop(
        Standing::Stuck,
        Reason::Ambiguous,
        format!(
            "The service principal has several jobs of this template: {}. Nothing is touched. Name the one that is meant in `adoption.jobId`, or delete those that nobody needs.",
            quoted(jobs.iter().map(|job| job.id.as_str()))
        ),
        Wake::After(settings.slow_retry),
    )
}

/// The intent stands. Nothing was sent to Graph, so it can always be taken back. The rivals are read before the job is
/// looked at, so that it is not taken from one that has just deleted it.
pub(in crate::plan) fn with_intent(id: &str, world: &World) -> Verdict {
    let Rivals::Read(rivals) = &world.rivals else {
        return Verdict::take(Look::Rivals, Reason::Adopting, "Making sure that no other SyncJob holds the same job.");
    };
    if let Some(verdict) = giving_way(rivals, world) {
        return verdict;
    }
    let Some(jobs) = &world.jobs else {
        return Verdict::take(Look::Jobs, Reason::Adopting, "Looking at the job to be adopted.");
    };
    if !jobs.iter().any(|job| job.id == id) {
        return Verdict::take(
            Record::ClearIntent,
            Reason::Adopting,
            format!("Job '{id}' is gone; nothing is adopted."),
        );
    }
    Verdict::take(Record::AdoptJob { id: id.to_owned() }, Reason::Adopting, format!("Adopting job '{id}'."))
}
