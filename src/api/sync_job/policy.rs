//! Words that the spec of a `SyncJob` declares, and that its status or the fence of a tenant repeats.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Create the job and keep it as written.
    Manage,
    /// Read only: show the job, change nothing.
    Observe,
    /// Read only: write what Manage would do into `status.plan`.
    Plan,
    /// Do nothing at all. Deletion of the SyncJob is not held up; the job then stays.
    Suspended,
}
