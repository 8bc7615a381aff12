//! What people write and read: the custom resources as plain data, with the admission rules next to each field,
//! and the words of status (conditions, reasons) spelt once.

pub mod condition;
pub mod kinds;
pub mod schema;
pub mod sync_job;
pub mod tenant;

pub use condition::{ConditionType, Reason};
pub use kinds::{KINDS, Kind};
pub use sync_job::{
    Adoption, AdoptionPolicy, Answers, AttributeDefinition, AttributeFlowType, AttributeMapping, AttributeType,
    ChangeAction, ContainerFilter, CredentialSource, CredentialTest, CredentialTestResult, CredentialValidation,
    CredentialsStatus, DeletionPolicy, EntryCount, Execution, FlowBehavior, GroupFilter, HandledRestart, Identity,
    Intent, JobCredential, JobError, JobOrigin, JobStatus, KeyFingerprint, MappingPolicy, MappingState, MappingTest,
    Mappings, MappingsStatus, MissingJobPolicy, Mode, Notifications, ObjectFlowType, ObjectMapping, OnRelease,
    OutOfBandPolicy, OutOfScopeDeletions, PlannedChange, QuarantineStatus, Report, RestartAfterChange, RestartResult,
    RunRecord, RunState, Scope, ScopeClause, ScopeFilter, ScopeGroup, SecretKeyRef, Side, SyncJob, SyncJobSpec,
    SyncJobStatus,
};
pub use tenant::{
    Certificate, ClientSecret, Cloud, ClusterEntraTenant, ClusterEntraTenantSpec, ClusterTenantCredential,
    CredentialKind, CredentialMember, EntraTenant, EntraTenantSpec, LocalName, LoginStatus, ManagedIdentity,
    NamespaceGrant, NamespaceSelector, OperatorIdentity, Permissions, RateLimit, SecretKey, TenantCredential,
    TenantKind, TenantMode, TenantRef, TenantStatus, WorkloadIdentity,
};

/// API group of every resource.
pub const GROUP: &str = "entrain.dev";
/// The finalizer that a SyncJob carries from before its job can exist until the job is gone or retained.
pub const FINALIZER: &str = "entrain.dev/syncjob";
/// The finalizer that a tenant carries while SyncJobs name it, so that their jobs can still be let go.
pub const TENANT_FINALIZER: &str = "entrain.dev/tenant";
/// Annotation: any new value asks for one pass now.
pub const RECONCILE_REQUESTED_AT: &str = "entrain.dev/reconcile-requested-at";
/// Annotation: any new value asks for one restart of the job. The value is a token, or a token and the scope of the
/// restart: `<token> scope=Watermark,QuarantineState`.
pub const RESTART_REQUESTED_AT: &str = "entrain.dev/restart-requested-at";
/// Annotation without effect: a scope apart from its token would go with every later restart as well. While it is present,
/// restarts are refused.
pub const RESTART_SCOPE: &str = "entrain.dev/restart-scope";
/// Annotation: has one change of mappings saved that can deprovision people. The value names exactly that change, and is in
/// `status.mappings.confirm`.
pub const CONFIRM: &str = "entrain.dev/confirm";
/// Field manager of `status.intent`, `status.jobId` and what belongs to them.
pub const MANAGER_IDENTITY: &str = "entrain/identity";
/// Field manager of the answers to requests made by annotation.
pub const MANAGER_REQUESTS: &str = "entrain/requests";
/// Field manager of the rest of status.
pub const MANAGER_REPORT: &str = "entrain/report";
/// Field manager of the status of a tenant.
pub const MANAGER_TENANT: &str = "entrain/tenant";
