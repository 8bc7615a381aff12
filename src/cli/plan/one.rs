//! One SyncJob: which job is its own, what the plan says, and what that means for a reader.

use std::time::Duration;

use super::document::{Item, Remark};
use super::error::PlanError;
use super::look::Looks;
use crate::api::{Mode, Reason};
use crate::cli::manifests::{Manifest, Tenant};
use crate::plan::desired::Adoption;
use crate::plan::settings::ABSENCES_MIN;
use crate::plan::{Desired, Fact, Look, Preview, Settings, Standing, Step, Verdict, World, decide, preview, secrets};
use crate::reconcile::recorded;

/// More questions than the plan ever has for one SyncJob.
const QUESTIONS_MAX: usize = 8;

/// Asks what the plan wants to know, until it has an answer. `tenant` is the one that the SyncJob names, if it is known.
pub async fn plan(manifest: &Manifest, tenant: Option<&Tenant>, looks: &mut Looks<'_>) -> Result<Item, PlanError> {
    let (desired, mut item) = (&manifest.desired, Item::new(manifest));
    if let Some(remark) = elsewhere(tenant, desired, looks).await? {
        item.blocked = Some(remark);
        return Ok(item);
    }
    let known = recorded(&manifest.object, desired, looks.tenant());
    let mut world = World {
        // A plan looks once: what the list does not show is taken to be gone for good.
        absences: ABSENCES_MIN - 1,
        seen: true,
        missing_for: Some(Duration::MAX),
        // A manifest from a repository has no status, and its SyncJob may have been applied long ago.
        unseen: known.unseen && manifest.object.status.is_some(),
        ..known
    };
    let mut ahead = look_ahead(desired, &world);
    for _ in 0..QUESTIONS_MAX {
        let Some(Step::Look(look)) = ahead.end.step else { break };
        if !is_open(look, &world) {
            break;
        }
        let Some(fact) = looks.answer(look, desired, world.job_id.as_deref()).await? else { break };
        world = world.with(fact, desired);
        if let Err(remark) = find_own_job(&mut world, desired, &mut item) {
            item.blocked = Some(remark);
            return Ok(item);
        }
        ahead = look_ahead(desired, &world);
    }
    item.job_id = world.job_id.clone();
    item.changes = ahead.changes;
    let nothing_changes = item.changes.is_empty();
    item.note = not_compared(desired, &world);
    match (&world.trouble, remark(&ahead.end)) {
        (Some(trouble), _) => item.blocked = Some(Remark::new(ahead.end.reason, looks.trouble(trouble))),
        (None, Ending::Blocked(remark)) => item.blocked = Some(remark),
        (None, Ending::Note(remark)) if nothing_changes => item.note = Some(remark),
        _ => {}
    }
    Ok(item)
}

/// What this plan cannot know: Graph does not show what is saved, and the values are in the cluster.
fn not_compared(desired: &Desired, world: &World) -> Option<Remark> {
    let keys = secrets::not_compared(desired, world);
    (!keys.is_empty()).then(|| {
        let message = format!(
            "{} {} in a Secret of the cluster, and Graph does not show what is saved: nothing is known of a difference.",
            keys.join(", "),
            if keys.len() == 1 { "is" } else { "are" }
        );
        Remark::new(Reason::CredentialsUntested, message)
    })
}

/// A plan is made with one login. What another tenant holds is not in its answers.
async fn elsewhere(
    tenant: Option<&Tenant>,
    desired: &Desired,
    looks: &mut Looks<'_>,
) -> Result<Option<Remark>, PlanError> {
    let Some(tenant) = tenant else { return Ok(None) };
    let Some(Fact::TenantKnown { id }) = looks.answer(Look::Tenant, desired, None).await? else { return Ok(None) };
    Ok((id != tenant.id).then(|| {
        let (kind, name, wanted) = (tenant.kind.name(), &tenant.name, &tenant.id);
        let message = format!(
            "{kind} '{name}' is tenant '{wanted}', and this login leads to tenant '{id}'. Plan it with a login to its own tenant."
        );
        Remark::new(Reason::TenantMismatch, message)
    }))
}

/// Only Manage changes anything; for the other modes the preview shows what they would report.
fn look_ahead(desired: &Desired, world: &World) -> Preview {
    let settings = Settings::default();
    match desired.mode {
        Mode::Manage => preview(desired, world, &settings),
        Mode::Observe | Mode::Plan | Mode::Suspended => {
            Preview { changes: Vec::new(), end: decide(desired, world, &settings) }
        }
    }
}

/// Whether a look asks what has not been answered. After a restart, for example, the jobs would be listed again, which a
/// plan cannot do before the restart.
fn is_open(look: Look, world: &World) -> bool {
    match look {
        Look::Jobs | Look::RecentJobs => world.jobs.is_none() && !world.not_found,
        Look::Templates => world.templates.is_none(),
        Look::ServicePrincipal => world.service_principal_exists.is_none(),
        Look::Tenant => world.tenant.is_none(),
        Look::Credentials => world.secrets.wanted.is_none(),
        Look::Secrets => world.secrets.live.is_none(),
        Look::Schema => world.job_id.is_some() && world.mappings.seen.is_none(),
        Look::Definition | Look::Namespace | Look::Rivals => false,
    }
}

/// Without status it is unknown whose a job is. The one that adoption names, or the only one of the template, is
/// taken to be this SyncJob's: that is how it looks once the SyncJob has been applied for a while.
fn find_own_job(world: &mut World, desired: &Desired, item: &mut Item) -> Result<(), Remark> {
    let Some(jobs) = world.jobs.as_ref().filter(|_| world.job_id.is_none() && world.intent.is_none()) else {
        return Ok(());
    };
    let own = world.meant(desired).filter(|job| job.made_from(&desired.template)).map(|job| job.id.clone());
    if own.is_some() {
        (world.job_id, item.assumed) = (own, true);
        return Ok(());
    }
    let made: Vec<String> =
        jobs.iter().filter(|job| job.made_from(&desired.template)).map(|job| format!("'{}'", job.id)).collect();
    if made.len() > 1 && !matches!(desired.adoption, Adoption::Named(_)) {
        return Err(Remark::new(
            Reason::Ambiguous,
            format!(
                "The service principal has several jobs of this template: {}. Without status it is unknown which of them is this SyncJob's. Plan the object as `kubectl get -o yaml` prints it, or name the job in `adoption.jobId`.",
                made.join(", ")
            ),
        ));
    }
    Ok(())
}

/// How the end of a plan is shown.
enum Ending {
    Nothing,
    Note(Remark),
    Blocked(Remark),
}

/// Where the plan ends. A reason that is known to be the end of a plan is a note; all others that are not as declared
/// keep the plan from being made.
fn remark(end: &Verdict) -> Ending {
    let remark = || Remark::new(end.reason, &*end.message);
    match end.reason {
        Reason::PausedOutOfBand
        | Reason::StartedOutOfBand
        | Reason::Quarantined
        | Reason::DisabledByService
        | Reason::Starting
        | Reason::Pausing
        | Reason::Observed
        | Reason::NothingToObserve
        | Reason::ChangesPlanned
        | Reason::NothingToChange
        | Reason::Suspended => Ending::Note(remark()),
        _ if end.standing == Standing::Settled || end.step.is_some() => Ending::Nothing,
        _ => Ending::Blocked(remark()),
    }
}
