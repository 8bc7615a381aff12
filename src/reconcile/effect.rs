//! One step, carried out. Nothing is decided here: each step becomes calls, and what came of them one value.

use kube::ResourceExt;
use tokio::time::Instant;

use super::translate::cluster_trouble;
use super::{Context, change, look, record};
use crate::api::SyncJob;
use crate::cluster;
use crate::cluster::object::Handle;
use crate::plan::{Change, Desired, Fact, Guard, Remember, Step, World};

/// What the steps of a pass are carried out for.
pub(super) struct Scene<'a> {
    pub desired: &'a Desired,
    pub world: &'a World,
    /// The nonce of the intent that this process has met.
    pub nonce: Option<String>,
    /// When the intent of this pass was recorded; its request leaves shortly after, or not at all.
    pub intent_recorded: Option<Instant>,
    pub context: &'a Context,
}

impl Scene<'_> {
    /// Whether the search has taken this guard away.
    pub fn lacks(&self, guard: Guard) -> bool {
        self.context.settings.without.lacks(guard)
    }

    pub fn service_principal(&self) -> &str {
        self.desired.service_principal.as_str()
    }
}

/// What a step came to.
pub(super) struct Learnt {
    pub fact: Fact,
    /// For later passes, in this order.
    pub remember: Vec<Remember>,
}

impl From<Fact> for Learnt {
    fn from(fact: Fact) -> Self {
        Self { fact, remember: Vec::new() }
    }
}

impl Learnt {
    pub fn and(fact: Fact, remember: impl Into<Vec<Remember>>) -> Self {
        Self { fact, remember: remember.into() }
    }
}

pub(super) async fn carry_out(step: &Step, scene: &Scene<'_>, handle: &mut Handle<SyncJob>) -> Learnt {
    match step {
        Step::Look(look) => look::look(*look, scene, handle.object()).await.into(),
        Step::Record(record) => record::record(record, scene, handle).await,
        Step::Change(change) => {
            if matches!(change, Change::DeleteJob { .. }) && !scene.lacks(Guard::FreshDelete) {
                let current = still_the_same(handle).await;
                if let Err(error) = current {
                    return unwritten(&error, "reading the SyncJob before its job is deleted").into();
                }
            }
            change::change(change, scene).await
        }
    }
}

/// Whether the object that the decision was made on is still there, with the same record: another operator may have deleted
/// its job and let it go, while our watch lags, and the id may be a successor's by now.
async fn still_the_same(handle: &Handle<SyncJob>) -> Result<(), cluster::Error> {
    let mut current = handle.clone();
    current.reread().await?;
    let record = |object: &SyncJob| object.status.as_ref().and_then(|status| status.identity.job_id.clone());
    if record(current.object()) == record(handle.object()) { Ok(()) } else { Err(cluster::Error::Changed) }
}

/// A write that did not happen, or may not have.
pub(super) fn unwritten(error: &cluster::Error, doing: &str) -> Fact {
    Fact::Trouble(cluster_trouble(error, doing))
}

/// Counts and logs a job that may exist, or come back, without a SyncJob; the Event says it as well.
pub(super) fn left_behind(job_id: Option<&str>, object: &SyncJob, context: &Context) {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let service_principal = &object.spec.service_principal_id;
    tracing::warn!(namespace, name, service_principal, job_id, "JobLeftBehind: no SyncJob holds this job");
    context.metrics.left_behind();
}
