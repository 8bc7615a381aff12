//! Steps that write to the SyncJob: which job is its own, and what is about to be sent. Each is a compare-and-swap.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::memory::SeenIntent;
use super::pass::Pass;
use super::translate::cluster_trouble;
use super::{Context, restart};
use crate::api::{Intent, JobOrigin};
use crate::cluster::{self, read, write, write::Identity};
use crate::plan::{Desired, Fact, Leaving, Record, Trouble, TroubleKind, World};

/// How often a write of the job's id is repeated when the object changes under it.
const BIND_TRIES: usize = 3;

pub(super) async fn record(
    record: &Record,
    desired: &Desired,
    world: &World,
    pass: &mut Pass,
    context: &Context,
) -> Fact {
    match record {
        Record::AddFinalizer => match write::add_finalizer(&context.client, &pass.object).await {
            Ok(object) => {
                pass.wrote(object);
                Fact::FinalizerAdded
            }
            Err(error) => changed(&error, "adding the finalizer", pass),
        },
        Record::Intent { baseline } => match intent(baseline, None, desired, world, pass, context).await {
            Ok(()) => Fact::IntentRecorded { baseline: baseline.clone() },
            Err(unrecorded) => unrecorded.fact("recording the intent to create the job", pass),
        },
        Record::Adoption { id } => match intent(&[], Some(id), desired, world, pass, context).await {
            Ok(()) => Fact::AdoptionRecorded { id: id.clone() },
            Err(unrecorded) => unrecorded.fact("recording the intent to adopt the job", pass),
        },
        Record::BindJob { id } => bind(id, JobOrigin::Created, desired, world, pass, context).await,
        Record::AdoptJob { id } => bind(id, JobOrigin::Adopted, desired, world, pass, context).await,
        Record::Tenant { .. } => match amend(world.origin, world, pass, context).await {
            Ok(()) => Fact::TenantRecorded,
            Err(error) => changed(&error, "recording the tenant of the job", pass),
        },
        Record::Origin { id, origin } => match amend(Some(*origin), world, pass, context).await {
            Ok(()) => Fact::OriginRecorded { id: id.clone(), origin: *origin },
            Err(error) => changed(&error, "recording that the job is another one", pass),
        },
        Record::ForgetJob { id } => match clear(pass, context).await {
            Ok(()) => Fact::JobForgotten { id: id.clone() },
            Err(error) => changed(&error, "giving the job up", pass),
        },
        Record::ClearIntent => match clear(pass, context).await {
            Ok(()) => Fact::IntentCleared,
            Err(error) => changed(&error, "taking the intent back", pass),
        },
        Record::Restart { token } => restart::record(token, world, pass, context).await,
        Record::RemoveFinalizer { leaving } => release(leaving, pass, context).await,
    }
}

/// Lets the SyncJob go.
pub(super) async fn release(leaving: &Leaving, pass: &mut Pass, context: &Context) -> Fact {
    match write::remove_finalizer(&context.client, &pass.object).await {
        Ok(()) => {
            if let Leaving::LeftBehind { id } = leaving {
                left_behind(id.as_deref(), pass, context);
            }
            Fact::FinalizerRemoved { leaving: leaving.clone() }
        }
        Err(error) => changed(&error, "removing the finalizer", pass),
    }
}

/// Counts and logs a job that may exist, or come back, without a SyncJob; the Event says it as well.
fn left_behind(job_id: Option<&str>, pass: &Pass, context: &Context) {
    let (namespace, name) = (pass.object.namespace().unwrap_or_default(), pass.object.name_any());
    let service_principal = &pass.object.spec.service_principal_id;
    tracing::warn!(namespace, name, service_principal, job_id, "JobLeftBehind: no SyncJob holds this job");
    context.metrics.left_behind();
}

/// A write that did not happen because the object changed; what we believed to be its newest version is forgotten.
pub(super) fn changed(error: &cluster::Error, doing: &str, pass: &mut Pass) -> Fact {
    if matches!(error, cluster::Error::Changed | cluster::Error::Gone) {
        pass.entry.written = None;
    }
    Fact::Trouble(cluster_trouble(error, doing))
}

/// Why an intent is not on record.
enum Unrecorded {
    /// Its request would have to wait, and it would only be taken back again.
    Shut(Instant),
    Failed(cluster::Error),
}

impl Unrecorded {
    fn fact(self, doing: &str, pass: &mut Pass) -> Fact {
        match self {
            Self::Shut(until) => Fact::Trouble(shut(until)),
            Self::Failed(error) => changed(&error, doing, pass),
        }
    }
}

fn shut(until: Instant) -> Trouble {
    Trouble {
        kind: TroubleKind::Throttled,
        detail: "Graph asked to wait, and nothing was begun.".to_owned(),
        trace: None,
        retry_after: Some(until.saturating_duration_since(Instant::now())),
    }
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
async fn intent(
    baseline: &[String],
    adopt: Option<&String>,
    desired: &Desired,
    world: &World,
    pass: &mut Pass,
    context: &Context,
) -> Result<(), Unrecorded> {
    if let Some(until) = context.graph.closed_until() {
        return Err(Unrecorded::Shut(until));
    }
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
    pass.wrote(write::identity(&context.client, &pass.object, &identity).await.map_err(Unrecorded::Failed)?);
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
