//! Creation: an intent first, then one look at the rivals, then one request; and what to make of an intent whose
//! outcome nobody knows. The argument for its safety is in ARCHITECTURE.md, the search for counterexamples in the tests.

use crate::api::Reason;
use crate::plan::common::settings::{BASELINE_JOBS_MAX, Settings};
use crate::plan::common::standing::Standing;
use crate::plan::common::trouble::{Trouble, TroubleKind};
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::existence::adopt;
use crate::plan::sync_job::existence::intent::{Resolution, resolve};
use crate::plan::sync_job::existence::others::{ambiguous, conflict, giving_way};
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::step::Verdict;
use crate::plan::sync_job::step::{Change, Look, Record};
use crate::plan::sync_job::world::{IntentOrigin, IntentView, Rivals, World};
use std::time::Duration;

/// Neither a job nor an intent: look around before anything is written.
pub(in crate::plan) fn unbound(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    if let Some(rival) = world.rivals.known().first() {
        return conflict(rival, settings);
    }
    let Some(jobs) = &world.jobs else {
        return Verdict::take(Look::Jobs, Reason::Creating, "Looking at the jobs that are already there.");
    };
    if let Some(verdict) = adopt::instead_of_creating(desired, jobs, settings) {
        return verdict;
    }
    if let Some(left) = world.record_lost.and_then(|since| settings.settle_window.checked_sub(since)) {
        return Verdict::stop(
            Standing::Working,
            Reason::JobNotVisible,
            "The record of a job was removed from status shortly after the job was made, and Graph may not show that job yet. No other one is created before it would be shown.",
            Wake::not_before(left),
        );
    }
    let conflict = world.refusal.as_ref().filter(|refusal| refusal.kind == TroubleKind::Conflict);
    if let Some(trouble) = conflict {
        return blocked(desired, trouble, world, settings);
    }
    if jobs.len() > BASELINE_JOBS_MAX {
        return Verdict::stop(
            Standing::Stuck,
            Reason::TooManyJobs,
            format!(
                "The service principal has {} jobs; above {BASELINE_JOBS_MAX} a new one cannot be distinguished from them safely. Delete the jobs that are no longer needed.",
                jobs.len()
            ),
            Wake::After(desired.poll_interval),
        );
    }
    let Some(templates) = &world.templates else {
        return Verdict::take(
            Look::Templates,
            Reason::Creating,
            "Looking at the templates that the service principal offers.",
        );
    };
    if let Some(verdict) = not_offered(desired, templates, world) {
        return verdict;
    }
    record_intent(jobs)
}

/// An intent stands. What is allowed depends on whether its request can have left.
pub(in crate::plan) fn with_intent(
    intent: &IntentView,
    desired: &Desired,
    world: &World,
    settings: &Settings,
) -> Verdict {
    if let Some(id) = &intent.adopt {
        return adopt::with_intent(id, world);
    }
    match intent.origin {
        IntentOrigin::Recorded => recorded(world),
        IntentOrigin::Unsent => unsent(desired, world),
        IntentOrigin::Refused => Verdict::take(
            Record::ClearIntent,
            Reason::CreateRefused,
            "Taking back the intent of a request that was refused.",
        ),
        IntentOrigin::Unknown => unknown(intent, desired, world, settings),
    }
}

/// A SyncJob that sees another intent or a bound job sends no request.
fn recorded(world: &World) -> Verdict {
    if let Some(job) = &world.created {
        return Verdict::take(
            Record::BindJob { id: job.id.clone() },
            Reason::Creating,
            "Recording the id of the created job.",
        );
    }
    let Rivals::Read(rivals) = &world.rivals else {
        return Verdict::take(
            Look::Rivals,
            Reason::Creating,
            "Making sure that no other SyncJob is creating the same job.",
        );
    };
    giving_way(rivals, world).unwrap_or_else(|| Verdict::take(Change::CreateJob, Reason::Creating, "Creating the job."))
}

/// Our own intent from an earlier pass, whose request never left. Time has passed, so the look around is repeated;
/// the intent itself stays, because the rival gives way to it.
fn unsent(desired: &Desired, world: &World) -> Verdict {
    let Some(jobs) = &world.jobs else {
        return Verdict::take(Look::Jobs, Reason::Creating, "Looking at the jobs that are already there.");
    };
    let taken = jobs.iter().any(|job| job.made_from(&desired.template))
        || world.rivals.known().iter().any(|rival| rival.job_id.is_some());
    if taken || jobs.len() > BASELINE_JOBS_MAX {
        return Verdict::take(
            Record::ClearIntent,
            Reason::Conflict,
            "Giving way: the job has been created by somebody else.",
        );
    }
    record_intent(jobs)
}

/// The request may have been carried out, or may yet be.
fn unknown(intent: &IntentView, desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    let reason = Reason::CreateOutcomeUnknown;
    match resolve(intent, desired, world, settings) {
        Resolution::Ask(step) => {
            Verdict::take(step, reason, "Looking for the job that an earlier request may have created.")
        }
        Resolution::Bind(id) => {
            Verdict::take(Record::BindJob { id }, reason, "Recording the job that an earlier request created.")
        }
        Resolution::NoEffect => {
            Verdict::take(Record::ClearIntent, Reason::Creating, "The earlier request had no effect.")
        }
        Resolution::Ambiguous(ids) => ambiguous(&ids, desired),
        Resolution::Wait => {
            let left = settings.settle_window.saturating_sub(intent.age).max(Duration::from_secs(1));
            Verdict::stop(
                Standing::Working,
                reason,
                "An earlier request to create the job got no clear answer. Until it is certain that it had no effect, the jobs of the service principal are watched and no second request is sent.",
                Wake::After(Wake::backoff(world.absences.min(4)).delay().min(left)),
            )
        }
    }
}

/// Graph refuses to create the job because one is there, and no list shows it: a lagging replica, or a job that the
/// service can neither show nor delete.
fn blocked(desired: &Desired, trouble: &Trouble, world: &World, settings: &Settings) -> Verdict {
    let message = format!(
        "{} A job of template '{}' is in the way, and no list shows it. Nothing is created and nothing is touched; it is tried again slowly. If it lasts, look for the job in the portal, or ask Microsoft support.",
        trouble.detail,
        desired.template.as_str()
    );
    Verdict::fail(trouble, Reason::AlreadyExists, message, world.failures, settings)
}

fn record_intent(jobs: &[ObservedJob]) -> Verdict {
    let baseline = jobs.iter().map(|job| job.id.clone()).collect();
    Verdict::take(Record::Intent { baseline }, Reason::Creating, "Recording the intent to create the job.")
}

fn not_offered(desired: &Desired, templates: &[String], world: &World) -> Option<Verdict> {
    let template = desired.template.as_str();
    if templates.is_empty() {
        return Some(Verdict::stop(
            Standing::Blocked,
            Reason::TemplatesNotReady,
            "The service principal offers no provisioning template yet. After its creation this takes minutes; if it lasts, the application does not support provisioning.",
            Wake::After(Wake::backoff(world.failures).delay().max(Duration::from_secs(5))),
        ));
    }
    (!templates.iter().any(|offered| desired.template.same_as(offered))).then(|| {
        let offered: Vec<String> = templates.iter().take(20).map(|id| format!("'{id}'")).collect();
        Verdict::stop(
            Standing::Stuck,
            Reason::TemplateNotOffered,
            format!(
                "The service principal does not offer the template '{template}'. It offers: {}. `templateId` cannot be changed: delete this SyncJob and apply it with one of these.",
                offered.join(", ")
            ),
            Wake::After(desired.poll_interval),
        )
    })
}
