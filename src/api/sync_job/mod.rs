//! The `SyncJob` resource: one provisioning job of one service principal.

pub mod content;
pub mod credentials;
mod form;
pub mod job;
pub mod mappings;
pub mod policy;
pub mod status;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tenant::reference::TenantRef;

pub use content::{
    CredentialSource, CredentialValidation, JobCredential, Notifications, OutOfScopeDeletions, RestartAfterChange,
    Scope, SecretKeyRef,
};
pub use credentials::{CredentialTest, CredentialTestResult, CredentialsStatus, KeyFingerprint};
pub use job::{EntryCount, Execution, JobError, JobStatus, QuarantineStatus};
pub use mappings::{
    AttributeDefinition, AttributeFlowType, AttributeMapping, AttributeType, ContainerFilter, FlowBehavior,
    GroupFilter, MappingPolicy, MappingState, MappingTest, Mappings, ObjectFlowType, ObjectMapping, OnRelease,
    ScopeClause, ScopeFilter, ScopeGroup, Side,
};
pub use policy::{DeletionPolicy, Mode, RunState};
pub use status::{
    Answers, ChangeAction, HandledRestart, Identity, Intent, JobOrigin, MappingsStatus, PlannedChange, Report,
    RestartResult, RunRecord, SyncJobStatus,
};

/// A provisioning job of Microsoft Entra ID, kept as written.
///
/// Absence of an optional field means its documented default; the schema sets none, so that GitOps tools see no drift.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "entrain.dev",
    version = "v1alpha1",
    kind = "SyncJob",
    namespaced,
    status = "SyncJobStatus",
    derive = "PartialEq",
    shortname = "sj",
    category = "entrain",
    doc = "SyncJob declares one synchronization (provisioning) job of a service principal in Microsoft Entra ID.",
    selectable = ".spec.servicePrincipalId",
    selectable = ".spec.templateId",
    selectable = ".spec.tenantRef.kind",
    selectable = ".spec.tenantRef.name",
    selectable = ".status.servicePrincipalId",
    selectable = ".status.tenantId",
    selectable = ".status.jobId",
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Job ID", type_ = "string", json_path = ".status.jobId"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Job", type_ = "string", json_path = ".status.job.code", priority = 1),
    printcolumn(name = "Template", type_ = "string", json_path = ".spec.templateId", priority = 1),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenantRef.name", priority = 1),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode", priority = 1),
    printcolumn(name = "Deletion", type_ = "string", json_path = ".status.deletionPolicy", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1),
    validation = Rule::new("size(self.metadata.name) <= 63")
        .message("metadata.name must be no longer than 63 characters, so that names derived from it stay valid"),
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.jobId) || !has(self.spec.adoption) || !has(self.spec.adoption.jobId) || self.spec.adoption.jobId == oldSelf.status.jobId")
        .message("`adoption.jobId` must name the job that this SyncJob holds already (see `status.jobId`), or be left out. To hold another job, create a second SyncJob")
        .reason(Reason::FieldValueForbidden)
        .field_path(".spec.adoption.jobId"),
    // The job or the intent is in that tenant, and a person who may change a reference could otherwise let another tenant answer
    // for it. A kind that is left out is EntraTenant.
    validation = Rule::new("!has(oldSelf.status) || (!has(oldSelf.status.jobId) && !has(oldSelf.status.intent)) || (has(self.spec.tenantRef) == has(oldSelf.spec.tenantRef) && (!has(self.spec.tenantRef) || (self.spec.tenantRef.name == oldSelf.spec.tenantRef.name && (has(self.spec.tenantRef.kind) ? self.spec.tenantRef.kind : 'EntraTenant') == (has(oldSelf.spec.tenantRef.kind) ? oldSelf.spec.tenantRef.kind : 'EntraTenant'))))")
        .message("`tenantRef` must not change once a job is recorded or about to be: the job belongs to that tenant. Create a second SyncJob, or delete this one first")
        .reason(Reason::FieldValueForbidden)
        .field_path(".spec.tenantRef"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    // Another spelling of the same id is no change; `plan::desired` compares in the same way.
    validation = Rule::new("self.servicePrincipalId.replace('/servicePrincipals/', '').lowerAscii() == oldSelf.servicePrincipalId.replace('/servicePrincipals/', '').lowerAscii()")
        .message("`servicePrincipalId` must not change: a job belongs to one service principal. Create a second SyncJob, or delete this one first")
        .reason(Reason::FieldValueForbidden)
        .field_path(".servicePrincipalId"),
    // The two names are one template: Graph stores the second for the first.
    validation = Rule::new("self.templateId.lowerAscii() == oldSelf.templateId.lowerAscii() || [self.templateId, oldSelf.templateId].all(id, id.lowerAscii() in ['ad2aadprovisioning', 'addcinpassthrough'])")
        .message("`templateId` must not change: a job keeps its template for life. Create a second SyncJob, or delete this one first")
        .reason(Reason::FieldValueForbidden)
        .field_path(".templateId"),
    validation = Rule::new("self.servicePrincipalId.matches('^(/servicePrincipals/)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')")
        .message("`servicePrincipalId` must be the object id of the service principal, a GUID such as '2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f' (not the application's client id), alone or after '/servicePrincipals/'")
        .field_path(".servicePrincipalId"),
    validation = Rule::new("self.templateId.matches('^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$') && !self.templateId.contains('..')")
        .message("`templateId` must be a template id such as 'BoxOutDelta' or 'scim': letters, digits, single dots, dashes and underscores, with a letter or digit at both ends")
        .field_path(".templateId"),
    validation = Rule::new("!has(self.adoption) || !has(self.adoption.jobId) || self.adoption.policy != 'Never'")
        .message("`adoption.jobId` must come with policy 'IfExists' or 'Only': with 'Never' no job is adopted")
        .reason(Reason::FieldValueForbidden)
        .field_path(".adoption.jobId"),
    validation = Rule::new("!has(self.adoption) || !has(self.adoption.jobId) || (self.adoption.jobId.matches('^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$') && !self.adoption.jobId.contains('..'))")
        .message("`adoption.jobId` must be the id of a job as Graph shows it, such as 'BoxOutDelta.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.5b9a1c44-0e2f-4a6b-b1d7-93c2f0e8a655'")
        .field_path(".adoption.jobId"),
    validation = Rule::new("!has(self.missingJobPolicy) || self.missingJobPolicy != 'Recreate' || !has(self.adoption) || (self.adoption.policy != 'Only' && !has(self.adoption.jobId))")
        .message("`missingJobPolicy` must not be 'Recreate' when adoption has policy 'Only' or names a job: then no job is ever created")
        .reason(Reason::FieldValueForbidden)
        .field_path(".missingJobPolicy"),
    // The API server compares the keys of the list to the letter, Graph does not.
    validation = Rule::new("!has(self.credentials) || self.credentials.all(one, self.credentials.exists_one(other, other.key.lowerAscii() == one.key.lowerAscii()))")
        .message("`credentials` must name each key once: Graph takes 'SecretToken' and 'secrettoken' for the same key")
        .field_path(".credentials"),
    validation = Rule::new("!has(self.outOfScopeDeletions) || !self.templateId.lowerAscii().startsWith('azure2azure')")
        .message("`outOfScopeDeletions` must be left out for cross-tenant synchronization, which has no such setting")
        .reason(Reason::FieldValueForbidden)
        .field_path(".outOfScopeDeletions"),
)]
pub struct SyncJobSpec {
    /// Object id (a GUID) of the service principal that the job belongs to, alone or as `/servicePrincipals/<id>`.
    /// It is the id of the enterprise application, not the client id of the app registration. Immutable.
    #[schemars(length(min = 1, max = 64))]
    pub service_principal_id: String,
    /// Id of the template that the job is made from, one of those that Graph offers for this service principal
    /// (`GET /servicePrincipals/{id}/synchronization/templates`). Immutable.
    #[schemars(length(min = 1, max = 128))]
    pub template_id: String,
    /// The tenant that the service principal is in. Default: the ClusterEntraTenant `default` if there is one that allows
    /// this namespace, else the operator's own login if it may serve this namespace. Immutable once a job is recorded or about to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_ref: Option<TenantRef>,
    /// Whether the job should run. Default: Running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// What becomes of the job in Entra ID when this SyncJob is deleted. Default: Delete for a job that this SyncJob
    /// created, Retain for one that it adopted or that somebody set up once more under the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What to do with a job of this template that is there already. Default: policy Never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,
    /// What the operator may do. Default: Manage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What to do when somebody starts or pauses the job outside of this SyncJob. Default: Respect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_band_policy: Option<OutOfBandPolicy>,
    /// What to do when the job is gone although nobody deleted this SyncJob. Default: Report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_job_policy: Option<MissingJobPolicy>,
    /// How often the job is looked at while nothing changes, in seconds. Default: 600.
    /// The service runs a cycle every 20 to 40 minutes, so less than 300 brings nothing but calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 86_400))]
    pub poll_interval_seconds: Option<i32>,
    /// Credentials of the connector, which Graph keeps with the service principal. Default: none are declared, and those that
    /// are there stay as they are. Keys that are not listed are kept as well; where Graph does not show the value of one, the
    /// set is not saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["key".into()]))]
    pub credentials: Option<Vec<JobCredential>>,
    /// What becomes of credentials that fail the service's test against the target, which is made before they are saved.
    /// Default: Warn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_validation: Option<CredentialValidation>,
    /// Whom the service provisions (`SyncAll`). Default: as it is set in Entra ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// What becomes of accounts in the target when their users leave the scope (`SkipOutOfScopeDeletions`). Default: as it is
    /// set in Entra ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_scope_deletions: Option<OutOfScopeDeletions>,
    /// Who is notified by e-mail when the service puts the job in quarantine (`SyncNotificationSettings`). Default: as it is
    /// set in Entra ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Notifications>,
    /// From how many deletions in one cycle on the service holds them back and puts the job in quarantine
    /// (`SyncNotificationSettings`). 0 turns this guard off. Default: as it is set in Entra ID, which may be off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub delete_threshold: Option<i32>,
    /// Whether the operator restarts the job after a change of credentials or settings that takes effect only then.
    /// Default: Manual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_after_change: Option<RestartAfterChange>,
    /// The part of the job's schema that this SyncJob owns: an overlay of attribute mappings, scopes and attribute
    /// definitions. Default: none of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mappings: Option<Mappings>,
}

/// What to do with a job that is there already.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Adoption {
    /// Whether a job that this SyncJob did not create may become its own.
    pub policy: AdoptionPolicy,
    /// Id of the one job that is meant. No other is adopted, and none is created in its place. Needs policy IfExists or
    /// Only. Once a job is recorded in status, it can only name that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub job_id: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdoptionPolicy {
    /// A job that is there already is reported and left alone.
    Never,
    /// The only job of the template is adopted; if there is none, one is created.
    IfExists,
    /// The only job of the template is adopted; none is ever created.
    Only,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfBandPolicy {
    /// Leave the job as it was left, and say so.
    Respect,
    /// Bring the job back to `state`, at most once an hour.
    Correct,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingJobPolicy {
    /// Say so, and create nothing.
    Report,
    /// Create a new job, which begins with an initial cycle, once the job was seen and has been missing for a day.
    Recreate,
}

impl SyncJobSpec {
    pub fn run_state(&self) -> RunState {
        self.state.unwrap_or(RunState::Running)
    }

    pub fn mode(&self) -> Mode {
        self.mode.unwrap_or(Mode::Manage)
    }
}
