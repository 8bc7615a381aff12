//! What the operator logs in with. No reference has a namespace: a namespaced tenant reads its own namespace, a cluster
//! tenant the operator's. There is no address, no certificate authority and no audience to choose.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::form::{Guid, KeyOfSecret, ObjectName};
use super::status::CredentialKind;

/// The ServiceAccount that is used where none is named; the chart lets the operator request tokens for this name only.
pub const DEFAULT_SERVICE_ACCOUNT: &str = "entrain-workload";
/// The key of the Secret that is read where none is named.
pub const DEFAULT_SECRET_KEY: &str = "clientSecret";

/// What the operator logs in with: exactly one member.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TenantCredential {
    /// A token of this cluster for a ServiceAccount, which Entra ID trusts through a federated credential. Nothing secret is
    /// stored anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_identity: Option<WorkloadIdentity>,
    /// A client secret of the application, in a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecret>,
    /// A certificate that is registered with the application, in a Secret of type `kubernetes.io/tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// What the operator logs in with: exactly one member.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ClusterTenantCredential {
    /// A token of this cluster for a ServiceAccount of the operator's namespace, which Entra ID trusts through a federated
    /// credential. Nothing secret is stored anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_identity: Option<WorkloadIdentity>,
    /// A client secret of the application, in a Secret of the operator's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecret>,
    /// A certificate that is registered with the application, in a Secret of type `kubernetes.io/tls` of the operator's
    /// namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// What the operator itself was given in its environment (`AZURE_*`), but for the tenant, which is `tenantId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_identity: Option<OperatorIdentity>,
    /// A managed identity of the machine that the operator runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_identity: Option<ManagedIdentity>,
}

/// A token of this cluster as credential.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadIdentity {
    /// Client id of the application or of the user-assigned managed identity. Default: the annotation
    /// `azure.workload.identity/client-id` of the ServiceAccount; where both are present they must agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Guid>")]
    pub client_id: Option<String>,
    /// The ServiceAccount. Default: `entrain-workload`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_ref: Option<LocalName>,
}

impl WorkloadIdentity {
    /// The name of the ServiceAccount, the default included.
    pub fn service_account(&self) -> &str {
        self.service_account_ref.as_ref().map_or(DEFAULT_SERVICE_ACCOUNT, |reference| &reference.name)
    }
}

/// An object where the tenant's credentials are: there is no namespace to choose.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LocalName {
    /// Name of the object.
    #[schemars(with = "ObjectName")]
    pub name: String,
}

/// A client secret as credential.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ClientSecret {
    /// Client id of the application.
    #[schemars(with = "Guid")]
    pub client_id: String,
    /// Where the value is.
    pub secret_ref: SecretKey,
}

/// One value of a Secret.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// Name of the Secret.
    #[schemars(with = "ObjectName")]
    pub name: String,
    /// Key within the Secret. Default: `clientSecret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<KeyOfSecret>")]
    pub key: Option<String>,
}

impl SecretKey {
    /// The key, the default included.
    pub fn key(&self) -> &str {
        self.key.as_deref().unwrap_or(DEFAULT_SECRET_KEY)
    }
}

/// A certificate as credential.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Client id of the application.
    #[schemars(with = "Guid")]
    pub client_id: String,
    /// Name of the Secret with `tls.crt` (the leaf first) and `tls.key`, as cert-manager writes it.
    #[schemars(with = "ObjectName")]
    pub secret_name: String,
}

/// The operator's own identity as credential. There is nothing to choose.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorIdentity {}

/// A managed identity as credential.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ManagedIdentity {
    /// Client id of the user-assigned identity. Default: the only identity of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Guid>")]
    pub client_id: Option<String>,
}

/// The one member of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialMember<'a> {
    WorkloadIdentity(&'a WorkloadIdentity),
    ClientSecret(&'a ClientSecret),
    Certificate(&'a Certificate),
    OperatorIdentity,
    ManagedIdentity(&'a ManagedIdentity),
}

impl CredentialMember<'_> {
    pub const fn kind(self) -> CredentialKind {
        match self {
            Self::WorkloadIdentity(_) => CredentialKind::WorkloadIdentity,
            Self::ClientSecret(_) => CredentialKind::ClientSecret,
            Self::Certificate(_) => CredentialKind::Certificate,
            Self::OperatorIdentity => CredentialKind::OperatorIdentity,
            Self::ManagedIdentity(_) => CredentialKind::ManagedIdentity,
        }
    }
}

impl TenantCredential {
    /// The one member, or none if there is none or more than one; admission refuses both.
    pub fn member(&self) -> Option<CredentialMember<'_>> {
        only([
            self.workload_identity.as_ref().map(CredentialMember::WorkloadIdentity),
            self.client_secret.as_ref().map(CredentialMember::ClientSecret),
            self.certificate.as_ref().map(CredentialMember::Certificate),
        ])
    }
}

impl ClusterTenantCredential {
    /// The one member, or none if there is none or more than one; admission refuses both.
    pub fn member(&self) -> Option<CredentialMember<'_>> {
        only([
            self.workload_identity.as_ref().map(CredentialMember::WorkloadIdentity),
            self.client_secret.as_ref().map(CredentialMember::ClientSecret),
            self.certificate.as_ref().map(CredentialMember::Certificate),
            self.operator_identity.as_ref().map(|_| CredentialMember::OperatorIdentity),
            self.managed_identity.as_ref().map(CredentialMember::ManagedIdentity),
        ])
    }
}

fn only<const N: usize>(members: [Option<CredentialMember<'_>>; N]) -> Option<CredentialMember<'_>> {
    let mut members = members.into_iter().flatten();
    members.next().filter(|_| members.next().is_none())
}
