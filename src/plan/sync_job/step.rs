//! One thing to do. Steps are plain data: they can be printed, compared and counted. What a step may touch is its class, so
//! that a reader who may only look is a reader of [`Look`].

use crate::api::JobOrigin;
use crate::plan::common::verdict;
use crate::plan::sync_job::secrets::{SettingKey, Text};

/// What is decided about a SyncJob.
pub type Verdict = verdict::Verdict<Step>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Look(Look),
    Record(Record),
    Change(Change),
}

/// Asks, and changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Look {
    /// Learn the id of the tenant that the operator logs in to.
    Tenant,
    /// List all jobs of the service principal.
    Jobs,
    /// Take the list of jobs that another SyncJob of the service principal got a few seconds ago, or list them.
    RecentJobs,
    /// Ask whether the service principal exists.
    ServicePrincipal,
    /// Ask whether the CRD of SyncJobs is being deleted.
    Definition,
    /// Ask whether the namespace of the SyncJob is being deleted.
    Namespace,
    /// List the templates that the service principal offers.
    Templates,
    /// Read the other SyncJobs of this service principal as they are after our own intent was written.
    Rivals,
    /// Learn whether the Secrets that the wish names have what it takes from them.
    Credentials,
    /// Read the credentials and settings of the service principal.
    Secrets,
    /// Read the schema of the job, and compare it with the wish.
    Schema,
}

/// Writes to the SyncJob, by compare-and-swap on the version that was decided on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// Put our finalizer on the SyncJob, before a job can exist.
    AddFinalizer,
    /// Record the tenant of a job whose record lacks it.
    Tenant { id: String },
    /// Write an intent to create.
    Intent { baseline: Vec<String> },
    /// Write the intent to adopt a job.
    Adoption { id: String },
    /// Take the intent back: its request was never sent, was refused, or is proven to have had no effect.
    ClearIntent,
    /// Write the job's id, in place of the intent.
    BindJob { id: String },
    /// Write the id of a job that was there before, in place of the intent to adopt it.
    AdoptJob { id: String },
    /// Record how the job comes to be this SyncJob's by now: it is another one under the same id.
    Origin { id: String, origin: JobOrigin },
    /// Take back the record of a job that is gone.
    ForgetJob { id: String },
    /// Note that a requested restart is about to be sent, so that it is sent once at most.
    Restart { token: String },
    /// Let the SyncJob go.
    RemoveFinalizer { leaving: Leaving },
}

/// Changes something in Entra ID.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Send the create request, once.
    CreateJob,
    StartJob {
        id: String,
    },
    PauseJob {
        id: String,
    },
    RestartJob {
        id: String,
        /// Graph's `resetScope`; `None` is the portal's restart.
        scope: Option<String>,
    },
    DeleteJob {
        id: String,
    },
    /// Have the service try credentials against the target. Nothing is saved.
    TestCredentials {
        id: String,
        of: TestOf,
    },
    /// Save the whole set of credentials and settings: all declared credentials, of which these differ, these settings, and
    /// whatever else is there.
    SaveSecrets {
        own: Vec<String>,
        settings: Vec<(SettingKey, Text)>,
    },
    /// Restart the job, because a saved change needs it.
    RestartAfterChange {
        id: String,
        /// Graph's `resetScope`; `None` is the portal's restart.
        scope: Option<String>,
    },
    /// Save the schema with the wish in it, if that still changes these lines and nothing else.
    SaveMappings {
        id: String,
        lines: Vec<String>,
        confirmation: String,
    },
    /// Give back what this SyncJob changed of the schema.
    ReleaseMappings {
        id: String,
    },
}

/// Which credentials a test is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TestOf {
    /// Those that are saved.
    Saved,
    /// The set as it would be saved.
    Declared,
}

/// What becomes of the job when its SyncJob goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Leaving {
    /// There is none, or this SyncJob deleted it.
    Nothing,
    /// It was gone before this SyncJob deleted it.
    Gone { id: String },
    /// It stays, as declared.
    Retained { id: String },
    /// It stays, with mappings that could not be restored.
    Unrestored { id: String },
    /// It may exist, or come back, without a SyncJob; `None` where its id was never known.
    LeftBehind { id: Option<String> },
    /// It stays, because nobody could log in any more to delete it; `None` where its id was never known.
    WithoutLogin { id: Option<String> },
}

impl From<Look> for Step {
    fn from(look: Look) -> Self {
        Self::Look(look)
    }
}

impl From<Record> for Step {
    fn from(record: Record) -> Self {
        Self::Record(record)
    }
}

impl From<Change> for Step {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

impl Step {
    /// Whether the step begins something that has to be brought to an end. What only records an effect that has
    /// happened, or takes something back, does not.
    pub fn begins_something(&self) -> bool {
        match self {
            Self::Look(_) => false,
            Self::Record(record) => record.announces(),
            Self::Change(_) => true,
        }
    }

    /// Whether the step carries out what was recorded just before. Left undone, the record would leave everybody in doubt:
    /// the next operator waits for the whole settle window, the answer to a restart is `Unknown`.
    pub fn carries_out_a_record(&self) -> bool {
        match self {
            Self::Look(_) | Self::Record(_) => false,
            Self::Change(change) => change.is_announced(),
        }
    }
}

impl Look {
    /// Whether Graph, or the login service, is asked.
    pub fn asks_graph(self) -> bool {
        match self {
            Self::Tenant
            | Self::Jobs
            | Self::RecentJobs
            | Self::ServicePrincipal
            | Self::Templates
            | Self::Secrets
            | Self::Schema => true,
            Self::Definition | Self::Namespace | Self::Rivals | Self::Credentials => false,
        }
    }
}

impl Record {
    /// Whether it announces a change that is to follow.
    pub fn announces(&self) -> bool {
        match self {
            Self::Intent { .. } | Self::Adoption { .. } | Self::Restart { .. } => true,
            Self::AddFinalizer
            | Self::Tenant { .. }
            | Self::ClearIntent
            | Self::BindJob { .. }
            | Self::AdoptJob { .. }
            | Self::Origin { .. }
            | Self::ForgetJob { .. }
            | Self::RemoveFinalizer { .. } => false,
        }
    }
}

impl Change {
    /// Whether a record of its own comes before it.
    pub fn is_announced(&self) -> bool {
        match self {
            Self::CreateJob | Self::RestartJob { .. } => true,
            Self::StartJob { .. }
            | Self::PauseJob { .. }
            | Self::DeleteJob { .. }
            | Self::TestCredentials { .. }
            | Self::SaveSecrets { .. }
            | Self::RestartAfterChange { .. }
            | Self::SaveMappings { .. }
            | Self::ReleaseMappings { .. } => false,
        }
    }
}
