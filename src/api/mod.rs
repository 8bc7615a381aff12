//! What people write and read: the custom resources as plain data, with the admission rules beside each field,
//! and the words of status (conditions, reasons) spelt once.

pub mod condition;
pub mod schema;
pub mod sync_job;

pub use condition::{ConditionType, Reason};
pub use sync_job::{DeletionPolicy, Intent, JobStatus, RunState, SyncJob, SyncJobSpec, SyncJobStatus};

/// API group of every resource.
pub const GROUP: &str = "entrain.dev";
/// The finalizer that a SyncJob carries from before its job can exist until the job is gone or retained.
pub const FINALIZER: &str = "entrain.dev/syncjob";
/// Field manager of `status.intent`, `status.jobId` and what belongs to them.
pub const MANAGER_IDENTITY: &str = "entrain/identity";
/// Field manager of the rest of status.
pub const MANAGER_REPORT: &str = "entrain/report";
