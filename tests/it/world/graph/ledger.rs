//! What happened in Graph, in order: every effect with its sender, and every request with its answer.

use std::time::Duration;

use std::sync::Arc;

use super::super::By;
use super::logins::LoggedIn;

/// What a request, a person or the service did to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Did {
    Created,
    /// A create request took the place of this job.
    Replaced,
    Started,
    Paused,
    Restarted,
    Deleted,
}

/// One effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    pub at: Duration,
    pub by: By,
    pub did: Did,
    /// The job, by the number of its life: an id can be used again.
    pub job: usize,
    /// What the request was named by; empty where people act.
    pub request: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    LogIn,
    GetPrincipal,
    ListTemplates,
    ListJobs,
    GetJob,
    CreateJob,
    StartJob,
    PauseJob,
    RestartJob,
    DeleteJob,
    ListSecrets,
    SaveSecrets,
    TestCredentials,
    ReadSchema,
    SaveSchema,
    ParseExpression,
    Unknown,
}

impl Operation {
    /// Whether it can have an effect on a job, on credentials, or on a schema.
    pub fn writes(self) -> bool {
        match self {
            Self::CreateJob
            | Self::StartJob
            | Self::PauseJob
            | Self::RestartJob
            | Self::DeleteJob
            | Self::SaveSecrets
            | Self::SaveSchema => true,
            Self::LogIn
            | Self::GetPrincipal
            | Self::ListTemplates
            | Self::ListJobs
            | Self::GetJob
            | Self::ListSecrets
            | Self::TestCredentials
            | Self::ReadSchema
            | Self::ParseExpression
            | Self::Unknown => false,
        }
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it was sent.
    pub at: Duration,
    pub by: By,
    pub operation: Operation,
    /// The service principal as the request names it; empty for a login.
    pub principal: String,
    /// The job that it names, or the template that it creates from.
    pub about: String,
    pub request: String,
    /// What the sender heard; 0 for a broken connection, or nothing yet.
    pub heard: u16,
    /// When it heard it. A request that hangs has no such moment.
    pub until: Option<Duration>,
    /// Whose token it carries; for a login, what it presents.
    pub login: Option<Arc<LoggedIn>>,
}

/// Everything, for the judges.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub effects: Vec<Effect>,
    pub calls: Vec<Call>,
}
