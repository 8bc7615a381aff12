//! Steps that write to the SyncJob: which job is its own, and what is about to be sent. Each is a compare-and-swap.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::time::Instant;
use uuid::Uuid;

use super::restart;
use super::scene::{Learnt, Scene, left_behind, unwritten};
use crate::api::{FINALIZER, Identity, Intent, JobOrigin, MANAGER_IDENTITY, SyncJob};
use crate::cluster;
use crate::cluster::object::Handle;
use crate::graph::Availability;
use crate::plan::{Fact, Guard, Leaving, Record, Remember, Trouble, TroubleKind};
use crate::reconcile::context::Context;

/// How often a write of the job's id is repeated when the object changes under it.
const BIND_TRIES: usize = 3;

pub(super) async fn record(record: &Record, scene: &Scene<'_>, handle: &mut Handle<SyncJob>) -> Learnt {
    let done = || record.done();
    match record {
        Record::AddFinalizer => written(handle.add_finalizer(FINALIZER).await, done(), "adding the finalizer"),
        Record::Intent { baseline } => {
            intent(baseline, None, done(), "recording the intent to create the job", scene, handle).await
        }
        Record::Adoption { id } => {
            intent(&[], Some(id), done(), "recording the intent to adopt the job", scene, handle).await
        }
        Record::BindJob { id } => bind(id, JobOrigin::Created, done(), scene, handle).await,
        Record::AdoptJob { id } => bind(id, JobOrigin::Adopted, done(), scene, handle).await,
        Record::Tenant { .. } => {
            written(amend(scene.world.origin, scene, handle).await, done(), "recording the tenant of the job")
        }
        Record::Origin { origin, .. } => {
            written(amend(Some(*origin), scene, handle).await, done(), "recording that the job is another one")
        }
        Record::ForgetJob { .. } => written(clear(handle).await, done(), "giving the job up"),
        Record::ClearIntent => written(clear(handle).await, done(), "taking the intent back"),
        Record::Restart { token } => restart::record(token, done(), scene, handle).await,
        Record::RemoveFinalizer { leaving } => release(leaving, handle, scene.context).await.into(),
    }
}

fn written(outcome: Result<(), cluster::Error>, done: Fact, doing: &str) -> Learnt {
    outcome.map_or_else(|error| unwritten(&error, doing), |()| done).into()
}

/// Lets the SyncJob go.
pub(super) async fn release(leaving: &Leaving, handle: &Handle<SyncJob>, context: &Context) -> Fact {
    match handle.remove_finalizer(FINALIZER).await {
        Ok(()) => {
            match leaving {
                Leaving::LeftBehind { id } | Leaving::WithoutLogin { id } => {
                    left_behind(id.as_deref(), handle.object(), context);
                }
                Leaving::Nothing | Leaving::Gone { .. } | Leaving::Retained { .. } | Leaving::Unrestored { .. } => {}
            }
            Fact::FinalizerRemoved { leaving: leaving.clone() }
        }
        Err(error) => unwritten(&error, "removing the finalizer"),
    }
}

/// Writes the record as it stands, with the tenant in force and this origin.
async fn amend(
    origin: Option<JobOrigin>,
    scene: &Scene<'_>,
    handle: &mut Handle<SyncJob>,
) -> Result<(), cluster::Error> {
    let recorded = handle.object().status.clone().unwrap_or_default().identity;
    let identity = Identity { tenant_id: scene.world.tenant.clone(), job_origin: origin, ..recorded };
    handle.apply_status(MANAGER_IDENTITY, &identity).await
}

async fn clear(handle: &mut Handle<SyncJob>) -> Result<(), cluster::Error> {
    handle.apply_status(MANAGER_IDENTITY, &Identity::default()).await
}

fn shut(until: Instant) -> Trouble {
    Trouble {
        kind: TroubleKind::Throttled,
        detail: "No request may be sent to Graph at the moment, and nothing was begun.".to_owned(),
        trace: None,
        retry_after: Some(until.saturating_duration_since(Instant::now())),
    }
}

/// Writes the intent. It is remembered as unsent also where the write failed: should only its answer be lost, the request
/// still has not left.
async fn intent(
    baseline: &[String],
    adopt: Option<&String>,
    done: Fact,
    doing: &str,
    scene: &Scene<'_>,
    handle: &mut Handle<SyncJob>,
) -> Learnt {
    // An intent whose request has to wait would only be taken back again.
    if let Availability::Shut { until } = scene.graph().availability() {
        return Fact::Trouble(shut(until)).into();
    }
    let nonce = Uuid::new_v4().to_string();
    let intent = Intent {
        nonce: nonce.clone(),
        recorded_time: Time(scene.context.clock.now().wall),
        baseline: baseline.to_vec(),
        adopt_job_id: adopt.cloned(),
    };
    let identity = Identity {
        tenant_id: scene.world.tenant.clone(),
        service_principal_id: Some(scene.service_principal().to_owned()),
        intent: Some(intent),
        ..Identity::default()
    };
    if scene.lacks(Guard::Intent) {
        return Learnt::and(done, [Remember::IntentRecorded { nonce }]);
    }
    let newest = scene.context.stores.newest();
    match handle.apply_status(MANAGER_IDENTITY, &identity).await {
        Ok(()) => {
            scene.context.stores.answered(newest, handle.object());
            Learnt::and(done, [Remember::IntentRecorded { nonce }])
        }
        Err(error) => Learnt::and(unwritten(&error, doing), [Remember::IntentTried { nonce }]),
    }
}

/// Writes the id in place of the intent. The object may change meanwhile (an edit, a deletion): as long as the intent in
/// it is still ours, the write is repeated on the newer version.
async fn bind(id: &str, origin: JobOrigin, done: Fact, scene: &Scene<'_>, handle: &mut Handle<SyncJob>) -> Learnt {
    const DOING: &str = "recording the job's id";
    let identity = Identity {
        tenant_id: scene.world.tenant.clone(),
        service_principal_id: Some(scene.service_principal().to_owned()),
        job_id: Some(id.to_owned()),
        job_bound_time: Some(Time(scene.context.clock.now().wall)),
        job_origin: Some(origin),
        intent: None,
    };
    let created_here = scene.world.created.is_some();
    for _ in 0..BIND_TRIES {
        match handle.apply_status(MANAGER_IDENTITY, &identity).await {
            Ok(()) => {
                scene.job_is_back(id);
                return done.into();
            }
            Err(error @ (cluster::Error::Unavailable(_) | cluster::Error::Refused(_))) => {
                return unwritten(&error, DOING).into();
            }
            Err(cluster::Error::Changed | cluster::Error::Gone) => {}
        }
        let known = match handle.reread().await {
            Ok(()) => handle.object().status.clone().unwrap_or_default().identity,
            Err(cluster::Error::Changed | cluster::Error::Gone) => Identity::default(),
            Err(error @ (cluster::Error::Unavailable(_) | cluster::Error::Refused(_))) => {
                return unwritten(&error, DOING).into();
            }
        };
        if known.job_id.as_deref() == Some(id) {
            return done.into();
        }
        let ours = known.intent.is_some_and(|intent| Some(intent.nonce) == scene.nonce) || scene.lacks(Guard::Nonce);
        if !ours && created_here {
            return bind_lost(id, scene, handle.object());
        }
        if !ours {
            break;
        }
    }
    unwritten(&cluster::Error::Changed, DOING).into()
}

/// The job that our request created is nobody's: it was never started, and it is left as it is, because where ids follow
/// from template and application somebody else's request may have been answered with the very same one.
fn bind_lost(id: &str, scene: &Scene<'_>, object: &SyncJob) -> Learnt {
    left_behind(Some(id), object, scene.context);
    Learnt::and(Fact::BindLost { id: id.to_owned() }, [Remember::IntentLost])
}
