//! One thing learnt: the outcome of a step. Facts are plain data: they can be printed, compared and counted.

use std::borrow::Cow;

use crate::api::{CredentialTestResult, JobOrigin, RestartResult, RunState};
use crate::plan::common::pass::Outcome;
use crate::plan::common::trouble::{Trouble, TroubleKind};
use crate::plan::sync_job::mappings::{Comparison, Released};
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::secrets::{LiveSecret, SettingKey, Text, Wanted};
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
    /// The jobs from a list of a few seconds ago.
    JobsRecalled(Vec<ObservedJob>),
    /// Graph answered 404 where the jobs of the service principal should be.
    NotFound,
    ServicePrincipalLookedUp {
        exists: bool,
    },
    DefinitionLookedUp {
        going: bool,
    },
    NamespaceLookedUp {
        terminating: bool,
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
    /// The outcome of a request to restart.
    RestartAnswered {
        result: RestartResult,
        message: String,
    },
    JobDeleted {
        id: String,
    },
    CredentialsRead(Wanted),
    SecretsRead(Vec<LiveSecret>),
    /// The service's test of credentials ended; `code` is the service's.
    CredentialsTested {
        result: CredentialTestResult,
        code: Option<String>,
    },
    SecretsSaved {
        own: Vec<String>,
        settings: Vec<(SettingKey, Text)>,
    },
    /// A restart that a saved change needs was accepted; `from_start` if the job forgets where it was.
    RestartedAfterChange {
        id: String,
        from_start: bool,
    },
    /// What a look at the schema of the job came to.
    SchemaRead(Comparison),
    /// Graph accepted the schema; what was there before is in this revision.
    SchemaSaved {
        revision: String,
        lines: Vec<String>,
    },
    /// Graph refused the schema, which stays as it was.
    SchemaRefused(Trouble),
    /// What became of the mappings of a job that is let go of.
    MappingsReleased(Released),
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
            Self::TestCredentials { .. } => {
                Fact::CredentialsTested { result: CredentialTestResult::Accepted, code: None }
            }
            Self::SaveSecrets { own, settings } => Fact::SecretsSaved { own: own.clone(), settings: settings.clone() },
            Self::RestartAfterChange { id, scope } => {
                Fact::RestartedAfterChange { id: id.clone(), from_start: scope.is_none() }
            }
            Self::SaveMappings { lines, .. } => Fact::SchemaSaved { revision: String::new(), lines: lines.clone() },
            Self::ReleaseMappings { .. } => {
                Fact::MappingsReleased(Released::Restored { lines: Vec::new(), left: Vec::new() })
            }
        }
    }
}

impl Outcome for Fact {
    fn is_failure(&self) -> bool {
        self.ending().is_err()
    }

    fn ends_the_object(&self) -> bool {
        matches!(self, Self::FinalizerRemoved { .. })
    }

    /// It is waited out like a failure, so that it costs little.
    fn in_circles() -> Self {
        Self::Trouble(Trouble {
            kind: TroubleKind::ObjectChanged,
            detail: "The pass took more steps than any pass should.".to_owned(),
            trace: None,
            retry_after: None,
        })
    }
}

impl Fact {
    /// Whether the SyncJob was let go because its namespace goes and nobody could log in any more.
    pub fn leaves_without_login(&self) -> bool {
        matches!(self, Self::FinalizerRemoved { leaving: Leaving::WithoutLogin { .. } })
    }

    /// The outcome of the step, for the log: no body of an answer, no secret.
    pub fn outcome(&self) -> Cow<'_, str> {
        match self.ending() {
            Ok(text) | Err(text) => text,
        }
    }

    /// The same, as an error if the step did not succeed.
    fn ending(&self) -> Result<Cow<'_, str>, Cow<'_, str>> {
        match self {
            Self::Trouble(trouble)
            | Self::CreateRefused(trouble)
            | Self::CreateUnknown(trouble)
            | Self::SchemaRefused(trouble)
            | Self::DeleteUnknown(trouble) => Err(trouble.detail_with_trace().into()),
            Self::NotFound | Self::DeleteNotFound => Err("not found".into()),
            Self::BindLost { .. } => Err("the intent was withdrawn".into()),
            Self::JobCreated(job) => Ok(format!("created {}", job.id).into()),
            Self::RestartAnswered { message, .. } => Ok(message.into()),
            Self::CredentialsTested { result, .. } => Ok(format!("the test came to {result:?}").into()),
            Self::SecretsSaved { own, settings } => {
                let settings = settings.iter().map(|(key, _)| key.name());
                let keys: Vec<&str> = own.iter().map(String::as_str).chain(settings).collect();
                Ok(format!("saved {}", keys.join(", ")).into())
            }
            Self::SchemaSaved { lines, .. } => Ok(format!("saved {} values", lines.len()).into()),
            Self::MappingsReleased(Released::Restored { lines, left }) => {
                Ok(format!("restored {} values, and left {}", lines.len(), left.len()).into())
            }
            Self::MappingsReleased(Released::Kept(why)) => Err(why.into()),
            Self::FinalizerAdded
            | Self::FinalizerRemoved { .. }
            | Self::TenantKnown { .. }
            | Self::TenantRecorded
            | Self::JobsListed(_)
            | Self::JobsRecalled(_)
            | Self::ServicePrincipalLookedUp { .. }
            | Self::DefinitionLookedUp { .. }
            | Self::NamespaceLookedUp { .. }
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
            | Self::JobDeleted { .. }
            | Self::CredentialsRead(_)
            | Self::SecretsRead(_)
            | Self::SchemaRead(_)
            | Self::RestartedAfterChange { .. } => Ok("done".into()),
        }
    }
}
