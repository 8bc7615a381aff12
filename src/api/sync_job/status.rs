//! The status of a `SyncJob`: what was seen and done, in a part for each field manager.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credentials::CredentialsStatus;
use super::job::{JobStatus, QuarantineStatus};
use super::policy::{DeletionPolicy, RunState};
use crate::api::condition::ConditionType;

// A field manager for each part writes it whole: an apply that leaves out a field which its manager owns deletes that field.
/// What was seen and done. Written by the operator alone.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SyncJobStatus {
    #[serde(flatten)]
    pub report: Report,
    #[serde(flatten)]
    pub identity: Identity,
    #[serde(flatten)]
    pub answers: Answers,
}

/// What describes; the field manager is [`MANAGER_REPORT`](crate::api::MANAGER_REPORT).
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `Ready` is the summary; `Reconciling` and `Stalled` are present only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that the conditions speak of; -1 until the operator has looked at the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The job as Graph last showed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobStatus>,
    /// Present while the service keeps the job in quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<QuarantineStatus>,
    /// The run state that was last asked of Graph, or found to be as declared. It tells a pause of ours from one of
    /// somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunRecord>,
    /// When a list first showed the recorded job; absent as long as none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_seen_time: Option<Time>,
    /// When the recorded job first showed a history: an execution or a steady state. A job whose history is gone again was
    /// deleted and set up once more, under the same id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_lived_time: Option<Time>,
    /// Since when every list of the service principal has lacked the recorded job; absent while one shows it, and while the
    /// service principal is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_missing_since_time: Option<Time>,
    /// When the service principal of the recorded job was first found to be gone; absent while it is there and shows the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_principal_lost_time: Option<Time>,
    /// The set of credentials and settings that the service principal has, as far as it concerns this SyncJob; never a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsStatus>,
    /// The part of the job's schema that this SyncJob owns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mappings: Option<MappingsStatus>,
    /// In mode Plan: what Manage would do now, in this order; empty if nothing. A change of mappings has an entry for each
    /// attribute; where there are many, the last entry counts the rest, and `entrain plan` shows them all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub plan: Option<Vec<PlannedChange>>,
    /// The deletion policy in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

impl Report {
    /// Whether both say the same: the order of conditions, and those of other writers, do not matter.
    pub fn says(&self, other: &Self) -> bool {
        self.normal() == other.normal()
    }

    fn normal(&self) -> Self {
        let own = |condition: &&Condition| ConditionType::SYNC_JOB.iter().any(|own| own.name() == condition.type_);
        let mut conditions: Vec<Condition> = self.conditions.iter().filter(own).cloned().collect();
        conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
        Self { conditions, observed_generation: self.observed_generation.or(Some(-1)), ..self.clone() }
    }
}

/// Which job is the SyncJob's; the field manager is [`MANAGER_IDENTITY`](crate::api::MANAGER_IDENTITY).
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Id of the job in Graph, set once the job is known to be this SyncJob's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub job_id: Option<String>,
    /// When `jobId` was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_bound_time: Option<Time>,
    /// How the job came to be this SyncJob's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_origin: Option<JobOrigin>,
    /// Id of the Entra tenant that the job or the intent belongs to, in lower case. Everything that is sent for them goes to
    /// this tenant, or is not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 36, max = 36))]
    pub tenant_id: Option<String>,
    /// The service principal's id in lower case, present as long as `jobId` or `intent` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 36, max = 36))]
    pub service_principal_id: Option<String>,
    /// A creation or adoption whose outcome is not yet known. It is written before the request leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
}

/// What became of requests made by annotation; the field manager is [`MANAGER_REQUESTS`](crate::api::MANAGER_REQUESTS).
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct Answers {
    /// The value of `entrain.dev/reconcile-requested-at` that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile: Option<String>,
    /// What became of the `entrain.dev/restart-requested-at` that was answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_restart: Option<HandledRestart>,
    /// The values of `entrain.dev/restart-requested-at` that were answered, the newest first. None of them is acted on again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 256)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub handled_restarts: Vec<String>,
}

/// The record of one attempt to create, or to adopt, the job.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Names this attempt; also sent as `client-request-id`.
    #[schemars(length(min = 36, max = 36))]
    pub nonce: String,
    /// When it was written.
    pub recorded_time: Time,
    /// Ids of all jobs that the service principal had before this attempt; empty for an adoption.
    #[schemars(length(max = 200), inner(length(max = 512)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub baseline: Vec<String>,
    /// The job to be adopted; absent when one is to be created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub adopt_job_id: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobOrigin {
    /// This SyncJob's create request made it.
    Created,
    /// It was there before.
    Adopted,
    /// Somebody deleted the job and set it up once more, under the same id.
    Replaced,
}

/// A run state, and how far it came.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// What was asked for, or found.
    pub state: RunState,
    /// When Graph accepted the request for it; absent if the job was found that way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_time: Option<Time>,
    /// When Graph first showed it; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached_time: Option<Time>,
}

/// One thing that Manage would do.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// What would be done.
    pub action: ChangeAction,
    /// The same for people, with the ids.
    #[schemars(length(max = 1024))]
    pub message: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeAction {
    CreateJob,
    AdoptJob,
    ForgetJob,
    StartJob,
    PauseJob,
    RestartJob,
    DeleteJob,
    SaveCredentials,
    SaveMappings,
}

/// The part of the job's schema that this SyncJob owns, as it was when the schema was last read.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct MappingsStatus {
    /// How many values of the schema this SyncJob owns.
    pub owned: i32,
    /// When the schema was last read and compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_time: Option<Time>,
    /// Hash of `spec.mappings` as it was then, shortened. Another wish is compared at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub checked_hash: Option<String>,
    /// When the schema was last saved by this SyncJob; absent as long as it was only found to be as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_time: Option<Time>,
    /// Name of the ControllerRevision that holds what was there before this SyncJob changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub revision: Option<String>,
    /// Owned values that somebody changed outside of this SyncJob and that were left that way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub changed_out_of_band: Vec<String>,
    /// Present while a change is held back that can deprovision people: the value of the annotation `entrain.dev/confirm` that
    /// has exactly this change saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub confirm: Option<String>,
}

/// What became of a requested restart.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct HandledRestart {
    /// The value of the annotation.
    #[schemars(length(max = 256))]
    pub token: String,
    /// How far it came.
    pub result: RestartResult,
    /// What was restarted, or why it was not.
    #[schemars(length(max = 1024))]
    pub message: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestartResult {
    /// The request is about to be sent, or was sent by an operator that ended before it had an answer. It is not repeated.
    Requested,
    /// Graph accepted it.
    Accepted,
    /// It was not sent, or Graph refused it.
    Refused,
    /// No clear answer came. It is not repeated, because each restart discards progress.
    Unknown,
    /// It was there before this SyncJob was first seen. Nothing was restarted.
    Ignored,
}
