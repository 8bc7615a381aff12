//! How a SyncJob names its tenant.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::form::ShortName;

/// A tenant: an EntraTenant of the same namespace, or a ClusterEntraTenant that allows it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct TenantRef {
    /// Kind of the tenant. Default: EntraTenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<TenantKind>,
    /// Name of the tenant.
    #[schemars(with = "ShortName")]
    pub name: String,
}

impl TenantRef {
    /// The kind, the default included.
    pub fn kind(&self) -> TenantKind {
        self.kind.unwrap_or(TenantKind::EntraTenant)
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TenantKind {
    /// A tenant of the same namespace.
    EntraTenant,
    /// A tenant of the cluster, through its `allowedNamespaces`.
    ClusterEntraTenant,
}

impl TenantKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::EntraTenant => "EntraTenant",
            Self::ClusterEntraTenant => "ClusterEntraTenant",
        }
    }
}
