//! The wish of a tenant, the same for both kinds, parsed: later code cannot hold an invalid one.

use uuid::Uuid;

use crate::api::tenant::{
    Cloud, ClusterEntraTenantSpec, CredentialKind, CredentialMember, EntraTenantSpec, NamespaceGrant, RateLimit,
    TenantMode,
};

/// What a tenant is used with.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// A GUID in lower case.
    pub tenant_id: String,
    pub cloud: Cloud,
    pub login: LogInWith,
    /// Who may use it; `None` for a tenant that only its own namespace can name.
    pub grants: Option<Vec<NamespaceGrant>>,
    pub rate_limit: Option<RateLimit>,
    pub suspended: bool,
}

/// The one member of `credential`. Secrets and ServiceAccounts are in the namespace of the tenant, or of the operator where
/// the tenant has none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogInWith {
    WorkloadIdentity {
        /// If it is absent, the annotation of the ServiceAccount has it.
        client_id: Option<String>,
        service_account: String,
    },
    ClientSecret {
        client_id: String,
        secret: String,
        key: String,
    },
    Certificate {
        client_id: String,
        secret: String,
    },
    /// As the operator itself does.
    OperatorIdentity,
    ManagedIdentity {
        client_id: Option<String>,
    },
}

impl LogInWith {
    /// The application, where the spec names it.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::ClientSecret { client_id, .. } | Self::Certificate { client_id, .. } => Some(client_id),
            Self::WorkloadIdentity { client_id, .. } | Self::ManagedIdentity { client_id } => client_id.as_deref(),
            Self::OperatorIdentity => None,
        }
    }
}

impl LogInWith {
    fn of(member: Option<CredentialMember<'_>>) -> Result<Self, String> {
        Ok(match member {
            None => return Err("`credential` must have exactly one member".to_owned()),
            Some(CredentialMember::WorkloadIdentity(given)) => Self::WorkloadIdentity {
                client_id: given.client_id.clone(),
                service_account: given.service_account().to_owned(),
            },
            Some(CredentialMember::ClientSecret(given)) => Self::ClientSecret {
                client_id: given.client_id.clone(),
                secret: given.secret_ref.name.clone(),
                key: given.secret_ref.key().to_owned(),
            },
            Some(CredentialMember::Certificate(given)) => {
                Self::Certificate { client_id: given.client_id.clone(), secret: given.secret_name.clone() }
            }
            Some(CredentialMember::OperatorIdentity) => Self::OperatorIdentity,
            Some(CredentialMember::ManagedIdentity(given)) => {
                Self::ManagedIdentity { client_id: given.client_id.clone() }
            }
        })
    }

    /// As status names it.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::WorkloadIdentity { .. } => CredentialKind::WorkloadIdentity,
            Self::ClientSecret { .. } => CredentialKind::ClientSecret,
            Self::Certificate { .. } => CredentialKind::Certificate,
            Self::OperatorIdentity => CredentialKind::OperatorIdentity,
            Self::ManagedIdentity { .. } => CredentialKind::ManagedIdentity,
        }
    }
}

impl Wish {
    /// The wish of a namespaced tenant; or why there is none, in one sentence without its full stop.
    pub fn of_namespaced(spec: &EntraTenantSpec) -> Result<Self, String> {
        let login = LogInWith::of(spec.credential.member())?;
        Self::new(&spec.tenant_id, spec.cloud(), login, None, spec.rate_limit.clone(), spec.mode())
    }

    /// The wish of a cluster-wide tenant; or why there is none, in one sentence without its full stop. Without grants it is
    /// for nobody.
    pub fn of_cluster(spec: &ClusterEntraTenantSpec) -> Result<Self, String> {
        let login = LogInWith::of(spec.credential.member())?;
        let grants = Some(spec.grants().to_vec());
        Self::new(&spec.tenant_id, spec.cloud(), login, grants, spec.rate_limit.clone(), spec.mode())
    }

    fn new(
        tenant_id: &str,
        cloud: Cloud,
        login: LogInWith,
        grants: Option<Vec<NamespaceGrant>>,
        rate_limit: Option<RateLimit>,
        mode: TenantMode,
    ) -> Result<Self, String> {
        let tenant_id = Uuid::try_parse(tenant_id).map_err(|_| "`tenantId` must be a GUID")?.hyphenated().to_string();
        let suspended = match mode {
            TenantMode::Suspended => true,
            TenantMode::Manage => false,
        };
        Ok(Self { tenant_id, cloud, login, grants, rate_limit, suspended })
    }
}
