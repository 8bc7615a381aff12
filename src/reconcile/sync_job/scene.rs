//! What the steps of a pass are carried out with, and the outcome of each.

use kube::ResourceExt;
use tokio::time::Instant;

use crate::api::SyncJob;
use crate::cluster;
use crate::graph;
use crate::plan::{Desired, Fact, Guard, Remember, World};
use crate::reconcile::context::Context;
use crate::reconcile::sync_job::mappings::Desk;
use crate::reconcile::sync_job::secrets::Vault;
use crate::reconcile::tenants::Login;
use crate::reconcile::trouble::cluster_trouble;

/// What the steps of a pass are carried out for.
pub(super) struct Scene<'a> {
    pub desired: &'a Desired,
    pub world: &'a World,
    /// The object that the step was decided on.
    pub decided_on: &'a SyncJob,
    /// The nonce of the intent that this process has met.
    pub nonce: Option<String>,
    /// When the intent of this pass was recorded; its request leaves shortly after, or not at all.
    pub intent_recorded: Option<Instant>,
    pub login: &'a Login,
    /// What this pass holds of credentials.
    pub vault: &'a Vault,
    /// What is remembered of expressions.
    pub desk: &'a Desk,
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

    pub fn graph(&self) -> &graph::Client {
        &self.login.client
    }

    /// Whether a write to Graph may leave at this instant: the lease lasts, and the fence of the tenant, as far as it is known
    /// by now, is open. Between the fence before the step and this instant are reads, a login, and the wait for a turn.
    pub fn may_send(&self) -> bool {
        let open = || self.context.tenants.permits(self.decided_on, self.login);
        self.context.may_send() && (self.lacks(Guard::TenantFence) || open())
    }

    /// The jobs of the service principal have changed, or may have.
    pub fn jobs_changed(&self) {
        self.context.listings.changed(&self.login.tenant, self.service_principal());
    }

    /// A job of this id is there again, whatever was deleted under it.
    pub fn job_is_back(&self, id: &str) {
        self.context.listings.is_back(&self.login.tenant, id);
    }
}

/// The outcome of a step.
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
