//! One thing to do, and one thing learnt. Steps are plain data: they can be printed, compared and counted.

use super::observed::ObservedJob;
use super::trouble::Trouble;
use super::world::{Rival, Sibling};
use crate::api::{JobOrigin, RestartResult};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Put our finalizer on the SyncJob, before a job can exist.
    AddFinalizer,
    /// Learn the id of the tenant that the operator logs in to.
    LookUpTenant,
    /// Record the tenant of a job whose record lacks it.
    RecordTenant {
        id: String,
    },
    /// List all jobs of the service principal.
    ListJobs,
    /// Take the list of jobs that another SyncJob of the service principal was answered a moment ago, or list them.
    RecallJobs,
    /// Ask whether the service principal exists.
    LookUpServicePrincipal,
    /// Ask whether the CRD of SyncJobs is being deleted.
    LookUpDefinition,
    /// List the templates that the service principal offers.
    ListTemplates,
    /// Write an intent to create, by compare-and-swap on the version that was decided on.
    RecordIntent {
        baseline: Vec<String>,
    },
    /// Write the intent to adopt a job, in the same way.
    RecordAdoption {
        id: String,
    },
    /// Read the other SyncJobs of this service principal from the API server, uncached.
    ReadRivals,
    /// Send the create request, once.
    CreateJob,
    /// Take the intent back: its request was never sent, was refused, or is proven to have had no effect.
    ClearIntent,
    /// Write the job's id, in place of the intent.
    BindJob {
        id: String,
    },
    /// Write the id of a job that was there before, in place of the intent to adopt it.
    AdoptJob {
        id: String,
    },
    /// Record how the job comes to be this SyncJob's by now: it is another one under the same id.
    RecordOrigin {
        id: String,
        origin: JobOrigin,
    },
    /// Take back the record of a job that is gone.
    ForgetJob {
        id: String,
    },
    StartJob {
        id: String,
    },
    PauseJob {
        id: String,
    },
    /// Note that a requested restart is about to be sent, so that it is sent once at most.
    RecordRestart {
        token: String,
    },
    RestartJob {
        id: String,
        /// Graph's `resetScope`; `None` is the portal's restart.
        scope: Option<String>,
    },
    DeleteJob {
        id: String,
    },
    /// Let the SyncJob go.
    RemoveFinalizer {
        leaving: Leaving,
    },
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
    /// It may exist, or come back, without a SyncJob; `None` where its id was never known.
    LeftBehind { id: Option<String> },
}

impl Step {
    /// Whether the step changes something in Entra ID.
    pub fn writes_to_graph(&self) -> bool {
        match self {
            Self::CreateJob
            | Self::StartJob { .. }
            | Self::PauseJob { .. }
            | Self::RestartJob { .. }
            | Self::DeleteJob { .. } => true,
            Self::AddFinalizer
            | Self::LookUpTenant
            | Self::RecordTenant { .. }
            | Self::ListJobs
            | Self::RecallJobs
            | Self::LookUpServicePrincipal
            | Self::LookUpDefinition
            | Self::ListTemplates
            | Self::RecordIntent { .. }
            | Self::ReadRivals
            | Self::ClearIntent
            | Self::BindJob { .. }
            | Self::RecordAdoption { .. }
            | Self::AdoptJob { .. }
            | Self::RecordOrigin { .. }
            | Self::ForgetJob { .. }
            | Self::RecordRestart { .. }
            | Self::RemoveFinalizer { .. } => false,
        }
    }

    /// Whether the step only asks.
    pub fn only_asks(&self) -> bool {
        matches!(
            self,
            Self::LookUpTenant
                | Self::ListJobs
                | Self::RecallJobs
                | Self::LookUpServicePrincipal
                | Self::LookUpDefinition
                | Self::ListTemplates
        )
    }

    /// Whether the step begins something that has to be brought to an end. What only records an effect that has
    /// happened, or takes something back, does not.
    pub fn begins_something(&self) -> bool {
        self.writes_to_graph()
            || matches!(self, Self::RecordIntent { .. } | Self::RecordAdoption { .. } | Self::RecordRestart { .. })
    }

    /// Whether the step carries out what was recorded just before. Left undone, the record would leave everybody in doubt:
    /// the next operator waits for the whole settle window, the answer to a restart is `Unknown`.
    pub fn carries_out_a_record(&self) -> bool {
        matches!(self, Self::CreateJob | Self::RestartJob { .. })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    FinalizerAdded,
    FinalizerRemoved,
    TenantKnown {
        id: String,
    },
    TenantRecorded,
    JobsListed(Vec<ObservedJob>),
    /// The jobs as they were listed a moment ago.
    JobsRecalled(Vec<ObservedJob>),
    /// Graph answered 404 where the jobs of the service principal should be.
    NotFound,
    ServicePrincipalLookedUp {
        exists: bool,
    },
    DefinitionLookedUp {
        going: bool,
    },
    TemplatesListed(Vec<String>),
    IntentRecorded {
        baseline: Vec<String>,
    },
    IntentCleared,
    AdoptionRecorded {
        id: String,
    },
    JobAdopted {
        id: String,
    },
    OriginRecorded {
        origin: JobOrigin,
    },
    JobForgotten,
    RivalsRead {
        rivals: Vec<Rival>,
        siblings: Vec<Sibling>,
    },
    /// The answer to the create request, which may show a job that was there before.
    JobCreated(ObservedJob),
    /// The create request was provably not carried out; of kind `Conflict` if somebody's job is in its place.
    CreateRefused(Trouble),
    /// The create request may have been carried out.
    CreateUnknown(Trouble),
    JobBound {
        id: String,
    },
    /// The intent was no longer ours when the id was to be written.
    BindLost {
        id: String,
    },
    /// A start or a pause was accepted.
    RunStateRequested,
    RestartRecorded {
        token: String,
    },
    /// What came of the request to restart.
    RestartAnswered {
        result: RestartResult,
        message: String,
    },
    JobDeleted,
    /// Graph answered 404 to the deletion. One such answer proves nothing: replicas differ.
    DeleteNotFound,
    /// The deletion may have been carried out, or may yet be.
    DeleteUnknown(Trouble),
    /// The step did not succeed; what it was for is unchanged.
    Trouble(Trouble),
}
