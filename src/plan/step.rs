//! One thing to do, and one thing learnt. Steps are plain data: they can be printed, compared and counted.

use super::trouble::Trouble;
use super::world::{ObservedJob, Rival};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Put our finalizer on the SyncJob, before a job can exist.
    AddFinalizer,
    /// List all jobs of the service principal.
    ListJobs,
    /// Ask whether the service principal exists.
    LookUpServicePrincipal,
    /// List the templates that the service principal offers.
    ListTemplates,
    /// Write an intent to create, by compare-and-swap on the version that was decided on.
    RecordIntent {
        baseline: Vec<String>,
    },
    /// Read the other SyncJobs of this service principal and template from the API server, uncached.
    ReadRivals,
    /// Send the create request, once.
    CreateJob,
    /// Take the intent back: its request was never sent, was refused, or is proven to have had no effect.
    ClearIntent,
    /// Write the job's id, in place of the intent.
    BindJob {
        id: String,
    },
    StartJob {
        id: String,
    },
    PauseJob {
        id: String,
    },
    DeleteJob {
        id: String,
    },
    /// Delete a job that this process itself created a moment ago and that could not be bound. It never ran.
    DeleteSurplus {
        id: String,
    },
    /// Let the SyncJob go. `retained` names a job that deliberately stays behind.
    RemoveFinalizer {
        retained: Option<String>,
    },
}

impl Step {
    /// Whether the step changes something in Entra ID.
    pub fn writes_to_graph(&self) -> bool {
        match self {
            Self::CreateJob
            | Self::StartJob { .. }
            | Self::PauseJob { .. }
            | Self::DeleteJob { .. }
            | Self::DeleteSurplus { .. } => true,
            Self::AddFinalizer
            | Self::ListJobs
            | Self::LookUpServicePrincipal
            | Self::ListTemplates
            | Self::RecordIntent { .. }
            | Self::ReadRivals
            | Self::ClearIntent
            | Self::BindJob { .. }
            | Self::RemoveFinalizer { .. } => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    FinalizerAdded,
    FinalizerRemoved,
    JobsListed(Vec<ObservedJob>),
    /// Graph answered 404 where the jobs of the service principal, or the job to be deleted, should be.
    NotFound,
    ServicePrincipalLookedUp {
        exists: bool,
    },
    TemplatesListed(Vec<String>),
    IntentRecorded {
        baseline: Vec<String>,
    },
    IntentCleared,
    RivalsRead(Vec<Rival>),
    JobCreated(ObservedJob),
    /// The create request was provably not carried out.
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
    SurplusDeleted,
    /// A start or a pause was accepted.
    RunStateRequested,
    JobDeleted,
    /// The step did not succeed; what it was for is unchanged.
    Trouble(Trouble),
}
