//! Creation: an intent first, then one look at the rivals, then one request; and what to make of an intent whose
//! outcome nobody knows. The argument for its safety is in ARCHITECTURE.md, the search for counterexamples in the tests.

use crate::api::Reason;
use crate::plan::common::settings::{ABSENCES_MIN, BASELINE_JOBS_MAX, Settings};
use crate::plan::common::standing::Standing;
use crate::plan::common::trouble::{Trouble, TroubleKind};
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::Verdict;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::existence::adopt;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::step::{Change, Look, Record, Step};
use crate::plan::sync_job::world::{IntentOrigin, IntentView, Rival, Rivals, World};
use std::time::Duration;

pub(in crate::plan) fn outcome_is_unknown(world: &World) -> bool {
    world.intent.as_ref().is_some_and(|intent| intent.adopt.is_none() && intent.origin == IntentOrigin::Unknown)
}

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
    let conflict = world.refusal.as_ref().filter(|refusal| refusal.kind == TroubleKind::Conflict);
    if let Some(trouble) = conflict {
        return blocked(desired, trouble, world, settings);
    }
    if jobs.len() > BASELINE_JOBS_MAX {
        return Verdict::stop(
            Standing::Stuck,
            Reason::TooManyJobs,
            format!(
                "The service principal has {} jobs; above {BASELINE_JOBS_MAX} a new one cannot be told apart safely. Delete jobs that nobody needs.",
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

/// Whoever sees another intent or a bound job does not post.
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

/// Our own intent from an earlier pass, whose request never left. Time has passed, so the look around is repeated;
/// the intent itself stays, because the rival has been told to give way to it.
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

/// What became of a request whose outcome is unknown.
pub(in crate::plan) enum Resolution {
    /// More has to be known first.
    Ask(Step),
    /// This job is its result.
    Bind(String),
    Wait,
    NoEffect,
    /// These jobs may or may not be its result.
    Ambiguous(Vec<String>),
}

pub(in crate::plan) fn resolve(
    intent: &IntentView,
    desired: &Desired,
    world: &World,
    settings: &Settings,
) -> Resolution {
    if world.jobs.is_none() {
        return Resolution::Ask(Step::Look(Look::Jobs));
    }
    let mut candidates: Vec<String> = world.candidates(desired).map(|job| job.id.clone()).collect();
    if let Some(created) = &world.created
        && !candidates.contains(&created.id)
        && !world.is_held(&created.id)
    {
        candidates.push(created.id.clone());
    }
    let settled = intent.age >= settings.settle_window;
    match candidates.len() {
        0 if !settled || world.absences < ABSENCES_MIN => Resolution::Wait,
        0 => unexplained(intent, desired, world, settings),
        1 => claim(candidates.remove(0), world, settled),
        _ => Resolution::Ambiguous(candidates),
    }
}

/// The window has passed without a job of our template. Jobs of other templates, and jobs that any SyncJob holds, explain
/// nothing; what was made from a template that the service principal does not offer may be ours under another name.
fn unexplained(intent: &IntentView, desired: &Desired, world: &World, settings: &Settings) -> Resolution {
    let strange = |job: &&ObservedJob| !job.made_from(&desired.template);
    if !world.newcomers().any(|job| strange(&job)) {
        return Resolution::NoEffect;
    }
    let Some(templates) = &world.templates else {
        return Resolution::Ask(Step::Look(Look::Templates));
    };
    if !matches!(world.rivals, Rivals::Read(_)) {
        return Resolution::Ask(Step::Look(Look::Rivals));
    }
    let offered = |job: &&ObservedJob| {
        templates
            .iter()
            .any(|template| job.template_id.as_deref().is_some_and(|made| made.eq_ignore_ascii_case(template)))
    };
    let unknown: Vec<String> =
        world.newcomers().filter(strange).filter(|job| !offered(job)).map(|job| job.id.clone()).collect();
    let sibling_at_work = world.siblings.iter().any(|sibling| sibling.job_id.is_none());
    match unknown.is_empty() {
        true => Resolution::NoEffect,
        // A sibling's request may have made it; its own window is no longer than ours.
        false if sibling_at_work && intent.age < settings.settle_window * 2 => Resolution::Wait,
        false => Resolution::Ambiguous(unknown),
    }
}

/// A rival with an intent of its own may have made the candidate. While its request may still be answered, nobody else
/// records the job; after that, the one that comes first in the common order does.
fn claim(id: String, world: &World, settled: bool) -> Resolution {
    let Rivals::Read(rivals) = &world.rivals else {
        return Resolution::Ask(Step::Look(Look::Rivals));
    };
    let intents: Vec<&Rival> = rivals.iter().filter(|rival| rival.job_id.is_none()).collect();
    let first = settled && !intents.iter().any(|rival| rival.precedes);
    if intents.is_empty() || first { Resolution::Bind(id) } else { Resolution::Wait }
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

/// The first few ids, for people.
pub(in crate::plan) fn quoted<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    ids.take(5).map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ")
}

fn conflict(rival: &Rival, settings: &Settings) -> Verdict {
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
