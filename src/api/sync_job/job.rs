//! A job as Graph shows it, in status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A job as Graph last showed it. Nothing in here changes merely because time passes.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// Id of the job that is shown; in the modes Observe and Plan it may be a job that is not recorded in `jobId`.
    #[schemars(length(min = 1, max = 512))]
    pub id: String,
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
    /// The last cycle that ended, whatever came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_execution: Option<Execution>,
    /// When the last successful cycle ended; single entries may have failed in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success_time: Option<Time>,
    /// Whole cycles in a row that failed, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successive_failure_count: Option<i64>,
    /// When the first full cycle had been completed; absent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steady_state_since_time: Option<Time>,
    /// How many entries are in sync, by type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub entries: Vec<EntryCount>,
    /// Where the service says how to solve its trouble.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub troubleshooting_url: Option<String>,
}

/// One cycle of a job.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// Graph's word for what came of it: Succeeded, Failed or EntryLevelErrors.
    #[schemars(length(max = 64))]
    pub state: String,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_time: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_time: Option<Time>,
    /// Entries in scope.
    pub entitled_count: i64,
    /// Entries that were read from the source.
    pub imported_count: i64,
    /// Entries that were written to the target.
    pub exported_count: i64,
    /// Entries in error, kept for another try.
    pub escrowed_count: i64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
}

/// Graph's word for what went wrong in a job.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct JobError {
    /// Graph's error code.
    #[schemars(length(max = 256))]
    pub code: String,
    /// Graph's message, cut to 256 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 256))]
    pub message: String,
}

/// Entries of one type that are in sync.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EntryCount {
    /// Graph's label, such as "Users to Salesforce".
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 128))]
    pub type_: String,
    /// How many.
    pub count: i64,
}

/// Why and for how long a job is in quarantine.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct QuarantineStatus {
    /// Graph's reason, such as EncounteredQuarantineException or TooManyDeletes.
    #[schemars(length(max = 256))]
    pub reason: String,
    /// The reason in words.
    #[schemars(length(max = 512))]
    pub message: String,
    /// When it was first imposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_time: Option<Time>,
    /// When the service tries again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_time: Option<Time>,
    /// When the service will disable the job for good if the quarantine lasts: 28 days after it was first imposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_after_time: Option<Time>,
    /// What the service met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
}
