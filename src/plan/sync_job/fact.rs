//! One thing learnt: what came of a step. Facts are plain data: they can be printed, compared and counted.

use crate::api::{JobOrigin, RestartResult, RunState};
use crate::plan::common::trouble::{Trouble, TroubleKind};
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::step::{Change, Leaving, Record};
use crate::plan::sync_job::world::{Rival, Sibling};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    FinalizerAdded,
    FinalizerRemoved {
        leaving: Leaving,
    },
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
        id: String,
        origin: JobOrigin,
    },
    JobForgotten {
        id: String,
    },
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
    RunStateRequested {
        id: String,
        state: RunState,
    },
    RestartRecorded {
        token: String,
    },
    /// What came of the request to restart.
    RestartAnswered {
        result: RestartResult,
        message: String,
    },
    JobDeleted {
        id: String,
    },
    /// Graph answered 404 to the deletion. One such answer proves nothing: replicas differ.
    DeleteNotFound,
    /// The deletion may have been carried out, or may yet be.
    DeleteUnknown(Trouble),
    /// The step did not succeed; what it was for is unchanged.
    Trouble(Trouble),
}

impl Record {
    /// What is learnt when the write succeeds.
    pub fn done(&self) -> Fact {
        match self {
            Self::AddFinalizer => Fact::FinalizerAdded,
            Self::Tenant { .. } => Fact::TenantRecorded,
            Self::Intent { baseline } => Fact::IntentRecorded { baseline: baseline.clone() },
            Self::Adoption { id } => Fact::AdoptionRecorded { id: id.clone() },
            Self::ClearIntent => Fact::IntentCleared,
            Self::BindJob { id } => Fact::JobBound { id: id.clone() },
            Self::AdoptJob { id } => Fact::JobAdopted { id: id.clone() },
            Self::Origin { id, origin } => Fact::OriginRecorded { id: id.clone(), origin: *origin },
            Self::ForgetJob { id } => Fact::JobForgotten { id: id.clone() },
            Self::Restart { token } => Fact::RestartRecorded { token: token.clone() },
            Self::RemoveFinalizer { leaving } => Fact::FinalizerRemoved { leaving: leaving.clone() },
        }
    }
}

impl Change {
    /// What is learnt when Graph accepts the request; `created` is the job that it answers a create request with.
    pub fn done(&self, created: impl FnOnce() -> ObservedJob) -> Fact {
        match self {
            Self::CreateJob => Fact::JobCreated(created()),
            Self::StartJob { id } => Fact::RunStateRequested { id: id.clone(), state: RunState::Running },
            Self::PauseJob { id } => Fact::RunStateRequested { id: id.clone(), state: RunState::Paused },
            Self::RestartJob { id, scope } => {
                let scope = scope.as_deref().unwrap_or("of the portal");
                let message = format!("Restarted job '{id}' with the scope {scope}.");
                Fact::RestartAnswered { result: RestartResult::Accepted, message }
            }
            Self::DeleteJob { id } => Fact::JobDeleted { id: id.clone() },
        }
    }
}

impl Fact {
    /// Whether nothing is left to work on.
    pub fn ends_the_object(&self) -> bool {
        matches!(self, Self::FinalizerRemoved { .. })
    }

    /// A pass goes round in circles. It is waited out like a failure, so that it costs little.
    pub fn in_circles() -> Self {
        Self::Trouble(Trouble {
            kind: TroubleKind::ObjectChanged,
            detail: "The pass took more steps than any pass should.".to_owned(),
            trace: None,
            retry_after: None,
        })
    }

    /// Whether the step did not succeed.
    pub fn is_failure(&self) -> bool {
        match self {
            Self::NotFound
            | Self::CreateRefused(_)
            | Self::CreateUnknown(_)
            | Self::BindLost { .. }
            | Self::DeleteNotFound
            | Self::DeleteUnknown(_)
            | Self::Trouble(_) => true,
            Self::FinalizerAdded
            | Self::FinalizerRemoved { .. }
            | Self::TenantKnown { .. }
            | Self::TenantRecorded
            | Self::JobsListed(_)
            | Self::JobsRecalled(_)
            | Self::ServicePrincipalLookedUp { .. }
            | Self::DefinitionLookedUp { .. }
            | Self::TemplatesListed(_)
            | Self::IntentRecorded { .. }
            | Self::IntentCleared
            | Self::AdoptionRecorded { .. }
            | Self::JobAdopted { .. }
            | Self::OriginRecorded { .. }
            | Self::JobForgotten { .. }
            | Self::RivalsRead { .. }
            | Self::JobCreated(_)
            | Self::JobBound { .. }
            | Self::RunStateRequested { .. }
            | Self::RestartRecorded { .. }
            | Self::RestartAnswered { .. }
            | Self::JobDeleted { .. } => false,
        }
    }

    /// What came of the step, for the log: no body of an answer, no secret.
    pub fn outcome(&self) -> String {
        match self {
            Self::JobCreated(job) => format!("created {}", job.id),
            Self::Trouble(trouble)
            | Self::CreateRefused(trouble)
            | Self::CreateUnknown(trouble)
            | Self::DeleteUnknown(trouble) => trouble.told(),
            Self::RestartAnswered { message, .. } => message.clone(),
            Self::NotFound | Self::DeleteNotFound => "not found".to_owned(),
            Self::BindLost { .. } => "the intent was withdrawn".to_owned(),
            Self::FinalizerAdded
            | Self::FinalizerRemoved { .. }
            | Self::TenantKnown { .. }
            | Self::TenantRecorded
            | Self::JobsListed(_)
            | Self::JobsRecalled(_)
            | Self::ServicePrincipalLookedUp { .. }
            | Self::DefinitionLookedUp { .. }
            | Self::TemplatesListed(_)
            | Self::IntentRecorded { .. }
            | Self::IntentCleared
            | Self::AdoptionRecorded { .. }
            | Self::JobAdopted { .. }
            | Self::OriginRecorded { .. }
            | Self::JobForgotten { .. }
            | Self::RivalsRead { .. }
            | Self::JobBound { .. }
            | Self::RunStateRequested { .. }
            | Self::RestartRecorded { .. }
            | Self::JobDeleted { .. } => "done".to_owned(),
        }
    }
}
