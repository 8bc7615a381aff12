//! The `SyncJob` resource: one provisioning job of one service principal.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    selectable = ".status.servicePrincipalId",
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Job ID", type_ = "string", json_path = ".status.jobId"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Job", type_ = "string", json_path = ".status.job.code", priority = 1),
    printcolumn(name = "Template", type_ = "string", json_path = ".spec.templateId", priority = 1),
    printcolumn(name = "Deletion", type_ = "string", json_path = ".status.deletionPolicy", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1),
    validation = Rule::new("size(self.metadata.name) <= 63")
        .message("metadata.name must be no longer than 63 characters, so that names derived from it stay valid"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.servicePrincipalId == oldSelf.servicePrincipalId")
        .message("`servicePrincipalId` must not change: a job belongs to one service principal. Create a second SyncJob, or delete this one first")
        .reason(Reason::FieldValueForbidden)
        .field_path(".servicePrincipalId"),
    validation = Rule::new("self.templateId == oldSelf.templateId")
        .message("`templateId` must not change: a job keeps its template for life. Create a second SyncJob, or delete this one first")
        .reason(Reason::FieldValueForbidden)
        .field_path(".templateId"),
    validation = Rule::new("self.servicePrincipalId.matches('^(/servicePrincipals/)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')")
        .message("`servicePrincipalId` must be the object id of the service principal, a GUID such as '2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f' (not the application's client id), alone or after '/servicePrincipals/'")
        .field_path(".servicePrincipalId"),
    validation = Rule::new("self.templateId.matches('^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$') && !self.templateId.contains('..')")
        .message("`templateId` must be a template id such as 'BoxOutDelta' or 'scim': letters, digits, single dots, dashes and underscores, with a letter or digit at both ends")
        .field_path(".templateId"),
)]
pub struct SyncJobSpec {
    /// Object id (a GUID) of the service principal that the job belongs to, alone or as `/servicePrincipals/<id>`.
    /// It is the id of the enterprise application, not the client id of the app registration. Immutable.
    #[schemars(length(min = 36, max = 64))]
    pub service_principal_id: String,
    /// Id of the template that the job is made from, one of those that Graph offers for this service principal
    /// (`GET /servicePrincipals/{id}/synchronization/templates`). Immutable.
    #[schemars(length(min = 1, max = 128))]
    pub template_id: String,
    /// Whether the job should run. Default: Running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// What becomes of the job in Entra ID when this SyncJob is deleted. Default: Delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// How often the job is looked at while nothing changes, in seconds. Default: 600.
    /// The service runs a cycle every 20 to 40 minutes, so less than 300 brings nothing but calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 86_400))]
    pub poll_interval_seconds: Option<i32>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// The job is started and kept scheduled.
    Running,
    /// The job exists and is not scheduled; its progress is kept.
    Paused,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// The job is deleted with the SyncJob. Accounts that it provisioned stay as they are.
    Delete,
    /// The job stays in Entra ID as it is.
    Retain,
}

/// What was seen and done. Written by the operator alone.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SyncJobStatus {
    /// `Ready` is the summary; `Reconciling` and `Stalled` are present only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that the conditions speak of; -1 until the operator has looked at the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Id of the job in Graph, set once the job is known to be this SyncJob's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub job_id: Option<String>,
    /// When `jobId` was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_bound_time: Option<Time>,
    /// The service principal's id in lower case, present as long as `jobId` or `intent` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 36, max = 36))]
    pub service_principal_id: Option<String>,
    /// A creation whose outcome is not yet known. It is written before the request leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The job as Graph last showed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobStatus>,
    /// The deletion policy in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// The record of one attempt to create the job.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Names this attempt; also sent as `client-request-id`.
    #[schemars(length(min = 36, max = 36))]
    pub nonce: String,
    /// When it was written.
    pub recorded_time: Time,
    /// Ids of all jobs that the service principal had before this attempt.
    #[schemars(length(max = 200), inner(length(max = 512)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub baseline: Vec<String>,
}

/// A job as Graph shows it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// Graph's status code: NotConfigured, NotRun, Active, Paused or Quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub code: Option<String>,
    /// Whether the service schedules the job: Active, Disabled or Paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub schedule_state: Option<String>,
    /// Time between two cycles as an ISO 8601 duration; fixed by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub interval: Option<String>,
}

impl SyncJobSpec {
    pub fn run_state(&self) -> RunState {
        self.state.unwrap_or(RunState::Running)
    }

    pub fn effective_deletion_policy(&self) -> DeletionPolicy {
        self.deletion_policy.unwrap_or(DeletionPolicy::Delete)
    }
}
