//! The steps that write which job is the SyncJob's: intent, id, and their removal. Each is a compare-and-swap.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::Context;
use super::act::{changed, left_behind};
use super::memory::SeenIntent;
use super::pass::Pass;
use super::translate::cluster_trouble;
use crate::api::{Intent, JobOrigin};
use crate::cluster::{self, read, write, write::Identity};
use crate::plan::{Desired, Fact, Step, Trouble, TroubleKind, World};

/// How often a write of the job's id is repeated when the object changes under it.
const BIND_TRIES: usize = 3;

pub(super) async fn write(step: &Step, desired: &Desired, world: &World, pass: &mut Pass, context: &Context) -> Fact {
    match step {
        Step::RecordIntent { baseline } => match record(baseline, None, desired, world, pass, context).await {
            Ok(()) => Fact::IntentRecorded { baseline: baseline.clone() },
            Err(error) => changed(&error, "recording the intent to create the job", pass),
        },
        Step::RecordAdoption { id } => match record(&[], Some(id), desired, world, pass, context).await {
            Ok(()) => Fact::AdoptionRecorded { id: id.clone() },
            Err(error) => changed(&error, "recording the intent to adopt the job", pass),
        },
        Step::BindJob { id } => bind(id, JobOrigin::Created, desired, world, pass, context).await,
        Step::AdoptJob { id } => bind(id, JobOrigin::Adopted, desired, world, pass, context).await,
        Step::RecordTenant { .. } => match amend(world.origin, world, pass, context).await {
            Ok(()) => Fact::TenantRecorded,
            Err(error) => changed(&error, "recording the tenant of the job", pass),
        },
        Step::RecordOrigin { origin, .. } => match amend(Some(*origin), world, pass, context).await {
            Ok(()) => Fact::OriginRecorded { origin: *origin },
            Err(error) => changed(&error, "recording that the job is another one", pass),
        },
        Step::ForgetJob { .. } => match clear(pass, context).await {
            Ok(()) => Fact::JobForgotten,
            Err(error) => changed(&error, "giving the job up", pass),
        },
        Step::ClearIntent => match clear(pass, context).await {
            Ok(()) => Fact::IntentCleared,
            Err(error) => changed(&error, "taking the intent back", pass),
        },
        Step::AddFinalizer
        | Step::LookUpTenant
        | Step::ListJobs
        | Step::RecallJobs
        | Step::LookUpServicePrincipal
        | Step::LookUpDefinition
        | Step::ListTemplates
        | Step::ReadRivals
        | Step::CreateJob
        | Step::StartJob { .. }
        | Step::PauseJob { .. }
        | Step::RecordRestart { .. }
        | Step::RestartJob { .. }
        | Step::DeleteJob { .. }
        | Step::RemoveFinalizer { .. } => not_here(step),
    }
}

/// No step reaches a place that does not carry it out; should one, nothing is done and that is reported.
pub(super) fn not_here(step: &Step) -> Fact {
    tracing::error!(?step, "a step was handed to the wrong place");
    Fact::Trouble(Trouble {
        kind: TroubleKind::ObjectChanged,
        detail: "A step could not be carried out.".to_owned(),
        trace: None,
        retry_after: None,
    })
}

/// Writes the record as it stands, with the tenant in force and this origin.
async fn amend(
    origin: Option<JobOrigin>,
    world: &World,
    pass: &mut Pass,
    context: &Context,
) -> Result<(), cluster::Error> {
    let status = pass.object.status.clone().unwrap_or_default();
    let identity = Identity {
        tenant_id: world.tenant.clone(),
        service_principal_id: status.service_principal_id,
        intent: status.intent,
        job_id: status.job_id,
        job_bound_time: status.job_bound_time,
        job_origin: origin,
    };
    pass.wrote(write::identity(&context.client, &pass.object, &identity).await?);
    Ok(())
}

async fn clear(pass: &mut Pass, context: &Context) -> Result<(), cluster::Error> {
    pass.wrote(write::identity(&context.client, &pass.object, &Identity::default()).await?);
    Ok(())
}

/// Writes the intent and remembers it as unsent before the write: should its answer be lost, the request still has not left.
async fn record(
    baseline: &[String],
    adopt: Option<&String>,
    desired: &Desired,
    world: &World,
    pass: &mut Pass,
    context: &Context,
) -> Result<(), cluster::Error> {
    let nonce = Uuid::new_v4().to_string();
    let intent = Intent {
        nonce: nonce.clone(),
        recorded_time: Time(Timestamp::now()),
        baseline: baseline.to_vec(),
        adopt_job_id: adopt.cloned(),
    };
    let identity = Identity {
        tenant_id: world.tenant.clone(),
        service_principal_id: Some(desired.service_principal.as_str().to_owned()),
        intent: Some(intent),
        ..Identity::default()
    };
    pass.entry.unsent.push(nonce.clone());
    pass.wrote(write::identity(&context.client, &pass.object, &identity).await?);
    pass.intent_recorded = Some(Instant::now());
    pass.entry.unsent = vec![nonce.clone()];
    pass.entry.intent = Some(SeenIntent { nonce, since: Instant::now(), created: None });
    Ok(())
}

/// Writes the id in place of the intent. The object may change meanwhile (an edit, a deletion): as long as the intent in
/// it is still ours, the write is repeated on the newer version.
async fn bind(
    id: &str,
    origin: JobOrigin,
    desired: &Desired,
    world: &World,
    pass: &mut Pass,
    context: &Context,
) -> Fact {
    let fact = |id: &str| match origin {
        JobOrigin::Created => Fact::JobBound { id: id.to_owned() },
        JobOrigin::Adopted | JobOrigin::Replaced => Fact::JobAdopted { id: id.to_owned() },
    };
    let identity = Identity {
        tenant_id: world.tenant.clone(),
        service_principal_id: Some(desired.service_principal.as_str().to_owned()),
        job_id: Some(id.to_owned()),
        job_bound_time: Some(Time(Timestamp::now())),
        job_origin: Some(origin),
        intent: None,
    };
    let created_here = world.created.is_some();
    let nonce = pass.entry.intent.as_ref().map(|intent| intent.nonce.clone());
    for _ in 0..BIND_TRIES {
        match write::identity(&context.client, &pass.object, &identity).await {
            Ok(object) => {
                pass.wrote(object);
                context.listings.is_back(id);
                return fact(id);
            }
            Err(error @ (cluster::Error::Unavailable(_) | cluster::Error::Refused(_))) => {
                return Fact::Trouble(cluster_trouble(&error, "recording the job's id"));
            }
            Err(cluster::Error::Changed | cluster::Error::Gone) => {}
        }
        let (namespace, name) = (pass.object.namespace().unwrap_or_default(), pass.object.name_any());
        let current = match read::get(&context.client, &namespace, &name).await {
            Ok(current) => current.filter(|current| current.uid() == pass.object.uid()),
            Err(error) => return Fact::Trouble(cluster_trouble(&error, "recording the job's id")),
        };
        let status = current.as_ref().and_then(|current| current.status.clone()).unwrap_or_default();
        let ours = status.intent.is_some_and(|intent| Some(intent.nonce) == nonce);
        let bound = status.job_id.as_deref() == Some(id);
        match current {
            Some(current) if ours || bound => pass.wrote(current),
            Some(_) | None if created_here => return bind_lost(id, pass, context),
            Some(_) | None => return changed(&cluster::Error::Changed, "recording the job's id", pass),
        }
        if bound {
            return fact(id);
        }
    }
    changed(&cluster::Error::Changed, "recording the job's id", pass)
}

/// The job that our request created is nobody's: it was never started, and it is left as it is, because where ids follow
/// from template and application somebody else's request may have been answered with the very same one.
fn bind_lost(id: &str, pass: &mut Pass, context: &Context) -> Fact {
    (pass.entry.intent, pass.entry.written) = (None, None);
    left_behind(Some(id), pass, context);
    Fact::BindLost { id: id.to_owned() }
}
