//! What people write and read: the custom resources as plain data, with the admission rules beside each field,
//! and the words of status (conditions, reasons) spelt once.

pub mod condition;
pub mod job;
pub mod schema;
pub mod status;
pub mod sync_job;

pub use condition::{ConditionType, Reason};
pub use job::{EntryCount, Execution, JobError, JobStatus, QuarantineStatus};
pub use status::{
    Answers, ChangeAction, HandledRestart, Identity, Intent, JobOrigin, PlannedChange, Report, RestartResult,
    RunRecord, SyncJobStatus,
};
pub use sync_job::{
    Adoption, AdoptionPolicy, DeletionPolicy, MissingJobPolicy, Mode, OutOfBandPolicy, RunState, SyncJob, SyncJobSpec,
};

/// API group of every resource.
pub const GROUP: &str = "entrain.dev";
/// The finalizer that a SyncJob carries from before its job can exist until the job is gone or retained.
pub const FINALIZER: &str = "entrain.dev/syncjob";
/// Annotation: any new value asks for one pass now.
pub const RECONCILE_REQUESTED_AT: &str = "entrain.dev/reconcile-requested-at";
/// Annotation: any new value asks for one restart of the job. The value is a token, or a token and the scope of the
/// restart: `<token> scope=Watermark,QuarantineState`.
pub const RESTART_REQUESTED_AT: &str = "entrain.dev/restart-requested-at";
/// Annotation without effect: a scope apart from its token would go with every later restart as well. While it is present,
/// restarts are refused.
pub const RESTART_SCOPE: &str = "entrain.dev/restart-scope";
/// Field manager of `status.intent`, `status.jobId` and what belongs to them.
pub const MANAGER_IDENTITY: &str = "entrain/identity";
/// Field manager of the answers to requests made by annotation.
pub const MANAGER_REQUESTS: &str = "entrain/requests";
/// Field manager of the rest of status.
pub const MANAGER_REPORT: &str = "entrain/report";
