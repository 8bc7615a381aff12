//! The status of both kinds of tenant: how the login went, and what it is good for.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::condition::ConditionType;

// One field manager, `MANAGER_TENANT`, writes it whole.
/// How the login went, and what it is good for. Written by the operator alone; it holds nothing secret.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TenantStatus {
    /// `Ready`: the operator can log in. `PermissionsGranted`: the application has the permissions that the operator needs.
    /// `Reconciling` and `Stalled` are present only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that the conditions speak of; -1 until the operator has looked at the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What was presented at the last login, refused or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<LoginStatus>,
    /// The permissions in the token of the last login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Permissions>,
}

impl TenantStatus {
    /// Whether both say the same: the order of conditions, and those of other writers, do not matter.
    pub fn says(&self, other: &Self) -> bool {
        self.normal() == other.normal()
    }

    fn normal(&self) -> Self {
        let own = |condition: &&Condition| ConditionType::TENANT.iter().any(|own| own.name() == condition.type_);
        let mut conditions: Vec<Condition> = self.conditions.iter().filter(own).cloned().collect();
        conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
        Self { conditions, observed_generation: self.observed_generation.or(Some(-1)), ..self.clone() }
    }
}

/// What was presented at the last login. A federated credential in Entra ID must say the same issuer, subject and audience.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LoginStatus {
    /// The member of `spec.credential` that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<CredentialKind>,
    /// Client id of the application or identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub client_id: Option<String>,
    /// Issuer of the token that was presented; only with workload identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub issuer: Option<String>,
    /// Subject of the token that was presented; only with workload identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub subject: Option<String>,
    /// Audience of the token that was presented; only with workload identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub audience: Option<String>,
    /// When the login service last gave out a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_obtained_time: Option<Time>,
    /// When the certificate ceases to be valid; only with a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after_time: Option<Time>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CredentialKind {
    /// A token of this cluster for a ServiceAccount.
    WorkloadIdentity,
    /// A client secret.
    ClientSecret,
    /// A certificate.
    Certificate,
    /// What the operator was given in its own environment.
    OperatorIdentity,
    /// A managed identity of the machine.
    ManagedIdentity,
}

/// Application permissions of Graph, by name.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    /// Those that the token holds, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 256)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub granted: Vec<String>,
    /// Those that the operator needs and the token lacks, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 256)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub missing: Vec<String>,
}
