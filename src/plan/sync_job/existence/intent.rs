//! What became of a request whose outcome is unknown. Jobs of other templates, and jobs that any SyncJob holds, explain
//! nothing.

use crate::plan::common::settings::{ABSENCES_MIN, Settings};
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::step::{Look, Step};
use crate::plan::sync_job::world::{IntentOrigin, IntentView, Rival, Rivals, World};

pub(in crate::plan) fn outcome_is_unknown(world: &World) -> bool {
    world.intent.as_ref().is_some_and(|intent| intent.adopt.is_none() && intent.origin == IntentOrigin::Unknown)
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
