//! The handle of a tenant of either kind.

use std::sync::Arc;

use kube::ResourceExt;

use crate::api::tenant::{ClusterEntraTenant, EntraTenant, TenantStatus};
use crate::api::{MANAGER_TENANT, TENANT_FINALIZER};
use crate::cluster::events::Events;
use crate::cluster::object::Handle;
use crate::cluster::{self};

pub(super) enum TenantHandle {
    Namespaced(Handle<EntraTenant>),
    Cluster(Handle<ClusterEntraTenant>),
}

impl TenantHandle {
    pub fn namespaced(client: kube::Client, tenant: Arc<EntraTenant>) -> Self {
        Self::Namespaced(Handle::new(client, tenant))
    }

    pub fn cluster(client: kube::Client, tenant: Arc<ClusterEntraTenant>) -> Self {
        Self::Cluster(Handle::new(client, tenant))
    }

    pub fn status(&self) -> TenantStatus {
        match self {
            Self::Namespaced(handle) => handle.object().status.clone(),
            Self::Cluster(handle) => handle.object().status.clone(),
        }
        .unwrap_or_default()
    }

    pub fn has_finalizer(&self) -> bool {
        let finalizers = match self {
            Self::Namespaced(handle) => handle.object().finalizers(),
            Self::Cluster(handle) => handle.object().finalizers(),
        };
        finalizers.iter().any(|finalizer| finalizer == TENANT_FINALIZER)
    }

    pub async fn add_finalizer(&mut self) -> Result<(), cluster::Error> {
        match self {
            Self::Namespaced(handle) => handle.add_finalizer(TENANT_FINALIZER).await,
            Self::Cluster(handle) => handle.add_finalizer(TENANT_FINALIZER).await,
        }
    }

    pub async fn remove_finalizer(&self) -> Result<(), cluster::Error> {
        match self {
            Self::Namespaced(handle) => handle.remove_finalizer(TENANT_FINALIZER).await,
            Self::Cluster(handle) => handle.remove_finalizer(TENANT_FINALIZER).await,
        }
    }

    pub async fn describe(&mut self, status: &TenantStatus) -> Result<(), cluster::Error> {
        match self {
            Self::Namespaced(handle) => handle.describe(MANAGER_TENANT, status).await,
            Self::Cluster(handle) => handle.describe(MANAGER_TENANT, status).await,
        }
    }

    pub fn send(&self, events: &Events, warning: bool, reason: &str, note: &str) {
        match self {
            Self::Namespaced(handle) => events.send(&**handle.object(), warning, reason, "LogIn", note),
            Self::Cluster(handle) => events.send(&**handle.object(), warning, reason, "LogIn", note),
        }
    }
}
