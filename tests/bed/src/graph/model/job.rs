//! A synchronization job: what it remembers, and how long replicas need to show it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::replicas::Replicated;

/// A whole schema. They are large, and jobs are copied often.
pub type Schema = Arc<Value>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScheduleState {
    Active,
    #[default]
    Disabled,
    Paused,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    #[default]
    NotConfigured,
    NotRun,
    Active,
    Paused,
    Quarantine,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    EncounteredBaseEscrowThreshold,
    EncounteredTotalEscrowThreshold,
    EncounteredEscrowProportionThreshold,
    #[default]
    EncounteredQuarantineException,
    Unknown,
    QuarantinedOnDemand,
    /// The spelling of one page.
    QuarantineOnDemand,
    TooManyDeletes,
    IngestionInterrupted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    #[default]
    Succeeded,
    Failed,
    EntryLevelErrors,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Trouble {
    pub code: String,
    pub message: String,
    pub tenant_actionable: bool,
}

impl Counts {
    /// What a cycle has come to that has run this share of its time.
    pub fn so_far(self, done: i64, of: i64) -> Self {
        let (done, of) = (u64::try_from(done).unwrap_or_default(), u64::try_from(of).unwrap_or(1).max(1));
        let part = |whole: u64| whole.saturating_mul(done.min(of)) / of;
        Self {
            entitled: part(self.entitled),
            escrowed: part(self.escrowed),
            escrowed_raw: self.escrowed_raw.map(part),
            exported: part(self.exported),
            imported: part(self.imported),
        }
    }
}

impl Default for Trouble {
    fn default() -> Self {
        Self { code: String::new(), message: String::new(), tenant_actionable: true }
    }
}

impl Trouble {
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned(), tenant_actionable: true }
    }
}

/// One run of a job.
#[derive(Clone, Debug)]
pub struct Execution {
    pub activity: String,
    pub state: Outcome,
    pub began: Timestamp,
    pub ended: Timestamp,
    pub counts: Counts,
    pub error: Option<Trouble>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Counts {
    pub entitled: u64,
    pub escrowed: u64,
    /// With those that the service made itself; the same as `escrowed` where absent.
    pub escrowed_raw: Option<u64>,
    pub exported: u64,
    pub imported: u64,
}

#[derive(Clone, Debug)]
pub struct Quarantine {
    pub current_began: Timestamp,
    pub next_attempt: Timestamp,
    pub reason: Reason,
    pub series_began: Timestamp,
    pub series_count: u64,
    pub error: Option<Trouble>,
}

/// What a replica shows of a job.
#[derive(Clone, Debug, Default)]
pub struct JobState {
    pub schedule: ScheduleState,
    pub code: Code,
    pub deleted: bool,
    /// Whether it was ever started; before, it shows no execution at all.
    pub started: bool,
    pub successive_failures: u64,
    pub last_execution: Option<Execution>,
    pub last_successful: Option<Execution>,
    pub last_successful_with_exports: Option<Execution>,
    pub quarantine: Option<Quarantine>,
    pub steady_first: Option<Timestamp>,
    pub steady_last: Option<Timestamp>,
    pub synchronized: u64,
    pub synchronized_groups: u64,
    /// Entries in error were dropped in the initial cycle, after which the service paused the job.
    pub escrows_pruned: bool,
    /// Parts of the JSON that a test set; they stand until the job changes.
    pub overlay: Value,
}

/// A cycle in flight.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    pub activity: Uuid,
    pub began: Timestamp,
    pub ends: Timestamp,
    /// Whether it reads everything.
    pub initial: bool,
    /// What it will have come to.
    pub expected: Counts,
}

/// A broken job: it cannot be deleted, and no other of its template can be made.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Ghost {
    /// Whether reads show it.
    pub listed: bool,
    /// The status that a delete is answered with.
    pub status: u16,
}

impl Default for Ghost {
    fn default() -> Self {
        Self { listed: true, status: 500 }
    }
}

#[derive(Clone, Debug)]
pub struct Job {
    pub id: String,
    pub template_id: String,
    pub created: Timestamp,
    pub deleted: Option<Timestamp>,
    pub state: Replicated<JobState>,
    pub running: Option<Running>,
    pub next_cycle: Option<Timestamp>,
    /// A pause waits for the end of the cycle in flight.
    pub pausing: bool,
    /// The next cycle reads everything.
    pub initial: bool,
    /// Deletions that the guard holds back may go through once.
    pub force_deletes: bool,
    /// Whether the last cycle had everybody in scope; unknown before the first, and after a restart.
    pub everybody: Option<bool>,
    /// The target has entries of a time when everybody was in scope.
    pub holds_everybody: bool,
    /// In place of the template's.
    pub schema: Replicated<Option<Schema>>,
    /// In place of the template's.
    pub settings: Option<Value>,
    pub ghost: Option<Ghost>,
    /// It exists, and no read shows it.
    pub invisible: bool,
}

impl Job {
    pub fn new(id: String, template_id: String, created: Timestamp, state: JobState) -> Self {
        Self {
            id,
            template_id,
            created,
            deleted: None,
            state: Replicated::new(created, state),
            running: None,
            next_cycle: None,
            pausing: false,
            initial: true,
            force_deletes: false,
            everybody: None,
            holds_everybody: false,
            schema: Replicated::new(created, None),
            settings: None,
            ghost: None,
            invisible: false,
        }
    }

    pub fn is_live(&self) -> bool {
        self.deleted.is_none()
    }

    /// Whether reads show it at all, however far a replica is behind.
    pub fn is_shown(&self) -> bool {
        !self.invisible && self.ghost.is_none_or(|ghost| ghost.listed)
    }

    pub fn now(&self) -> &JobState {
        self.state.current()
    }

    pub fn is_active(&self) -> bool {
        self.now().schedule == ScheduleState::Active
    }

    /// Changes what the job shows; what a test had put over it is gone.
    pub fn change(&mut self, at: Timestamp, change: impl FnOnce(&mut JobState)) {
        self.state.change(at, |state| {
            state.overlay = Value::Null;
            change(state);
        });
    }

    pub fn delete(&mut self, at: Timestamp) {
        self.deleted = Some(at);
        self.running = None;
        self.next_cycle = None;
        self.change(at, |state| state.deleted = true);
    }
}
