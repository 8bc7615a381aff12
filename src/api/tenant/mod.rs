//! The kinds `EntraTenant` and `ClusterEntraTenant`: an Entra tenant, and what the operator logs in to it with.

pub mod credential;
pub mod fence;
pub mod form;
pub mod reference;
mod rules;
pub mod status;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use credential::{
    Certificate, ClientSecret, ClusterTenantCredential, CredentialMember, LocalName, ManagedIdentity, OperatorIdentity,
    SecretKey, TenantCredential, WorkloadIdentity,
};
pub use fence::{LabelOperator, LabelRequirement, NamespaceGrant, NamespaceSelector};
pub use reference::{TenantKind, TenantRef};
pub use status::{CredentialKind, LoginStatus, Permissions, TenantStatus};

/// An Entra tenant for the SyncJobs of the same namespace. It never uses the operator's own identity.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "entrain.dev",
    version = "v1alpha1",
    kind = "EntraTenant",
    namespaced,
    status = "TenantStatus",
    derive = "PartialEq",
    shortname = "et",
    category = "entrain",
    doc = "EntraTenant names a tenant of Microsoft Entra ID and the credential with which the operator logs in to it for the SyncJobs of the same namespace.",
    selectable = ".spec.tenantId",
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Tenant ID", type_ = "string", json_path = ".spec.tenantId"),
    printcolumn(name = "Login", type_ = "string", json_path = ".status.login.kind"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Client ID", type_ = "string", json_path = ".status.login.clientId", priority = 1),
    printcolumn(name = "Permissions", type_ = "string", json_path = ".status.conditions[?(@.type==\"PermissionsGranted\")].reason", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1),
    validation = rules::name(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::tenant_id(),
    validation = rules::tenant_id_stays(),
    validation = rules::cloud_stays(),
    validation = rules::one_of_three(),
)]
pub struct EntraTenantSpec {
    /// Id of the Entra tenant (directory), a GUID. A domain name is not accepted. Immutable.
    #[schemars(length(min = 1, max = 64))]
    pub tenant_id: String,
    /// The national cloud that the tenant is in. Default: Global. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Cloud>,
    /// What the operator logs in with: exactly one member.
    pub credential: TenantCredential,
    /// Ceilings for what the operator sends to the tenant, where other programs use the same application. Default: none but
    /// the limits that Graph documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// What the operator may do in the tenant, for all SyncJobs that name it. Default: Manage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<TenantMode>,
}

/// An Entra tenant for the namespaces that it allows. Its Secrets and ServiceAccounts are in the operator's namespace.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "entrain.dev",
    version = "v1alpha1",
    kind = "ClusterEntraTenant",
    status = "TenantStatus",
    derive = "PartialEq",
    shortname = "cet",
    category = "entrain",
    doc = "ClusterEntraTenant names a tenant of Microsoft Entra ID, the credential with which the operator logs in to it, and the namespaces whose SyncJobs may use it.",
    selectable = ".spec.tenantId",
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Tenant ID", type_ = "string", json_path = ".spec.tenantId"),
    printcolumn(name = "Login", type_ = "string", json_path = ".status.login.kind"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Client ID", type_ = "string", json_path = ".status.login.clientId", priority = 1),
    printcolumn(name = "Permissions", type_ = "string", json_path = ".status.conditions[?(@.type==\"PermissionsGranted\")].reason", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1),
    validation = rules::name(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::tenant_id(),
    validation = rules::tenant_id_stays(),
    validation = rules::cloud_stays(),
    validation = rules::one_of_five(),
)]
pub struct ClusterEntraTenantSpec {
    /// Id of the Entra tenant (directory), a GUID. A domain name is not accepted. Immutable.
    #[schemars(length(min = 1, max = 64))]
    pub tenant_id: String,
    /// The national cloud that the tenant is in. Default: Global. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Cloud>,
    /// What the operator logs in with: exactly one member. Secrets and ServiceAccounts are those of the operator's own
    /// namespace.
    pub credential: ClusterTenantCredential,
    /// Which namespaces may use this tenant: those that at least one grant covers. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub allowed_namespaces: Option<Vec<NamespaceGrant>>,
    /// Ceilings for what the operator sends to the tenant, where other programs use the same application. Default: none but
    /// the limits that Graph documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// What the operator may do in the tenant, for all SyncJobs that name it. Default: Manage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<TenantMode>,
}

// The national clouds of Microsoft: each has its own login service and its own Graph. A doc comment on an enum would take the
// place of that on the field.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// The worldwide service.
    Global,
    /// US Government L4 (GCC High).
    USGov,
    /// US Government L5 (DoD).
    USGovDoD,
    /// The cloud in China, operated by 21Vianet.
    China,
}

// What is absent is bounded by Graph's documented limits alone; a ceiling above them has no effect.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// The most requests to Graph in a second, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub requests_per_second: Option<i32>,
    /// The most requests that change something in a minute, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub writes_per_minute: Option<i32>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantMode {
    /// Do what the SyncJobs declare.
    Manage,
    /// Send nothing to this tenant, whatever the SyncJobs declare.
    Suspended,
}

impl EntraTenantSpec {
    pub fn cloud(&self) -> Cloud {
        self.cloud.unwrap_or(Cloud::Global)
    }

    pub fn mode(&self) -> TenantMode {
        self.mode.unwrap_or(TenantMode::Manage)
    }
}

impl ClusterEntraTenantSpec {
    pub fn cloud(&self) -> Cloud {
        self.cloud.unwrap_or(Cloud::Global)
    }

    pub fn mode(&self) -> TenantMode {
        self.mode.unwrap_or(TenantMode::Manage)
    }

    /// The grants; empty: nobody may use the tenant.
    pub fn grants(&self) -> &[NamespaceGrant] {
        self.allowed_namespaces.as_deref().unwrap_or_default()
    }
}
