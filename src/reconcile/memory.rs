//! What this process remembers of a SyncJob between two passes. Losing it is safe: each entry only spares a question or
//! a wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::api::{RunState, SyncJob};
use crate::plan::ObservedJob;

#[derive(Clone, Default)]
pub(super) struct Entry {
    /// Passes in a row that ended in trouble.
    pub failures: u32,
    /// Lists in a row that did not show what was looked for.
    pub absences: u32,
    /// When the first of these was asked for.
    pub absent_since: Option<Instant>,
    /// Whether this process has looked at the object before.
    pub met: bool,
    /// When a deletion may last have been sent whose outcome nobody knows.
    pub delete_unknown: Option<Instant>,
    /// The job whose deletion Graph accepted.
    pub deleted: Option<String>,
    pub intent: Option<SeenIntent>,
    /// Intents that this process wrote, or tried to write, and whose requests certainly have no effect:
    /// they have not left, or were refused.
    pub unsent: Vec<String>,
    /// A start, pause or restart that was accepted and is not in status yet, and when.
    pub run: Option<(RunState, Instant)>,
    /// A restart that was recorded and has certainly not been carried out.
    pub restart_unsent: Option<String>,
    /// The object as our last write left it; the watch may still be behind it.
    pub written: Option<Arc<SyncJob>>,
}

/// An intent as this process has met it.
#[derive(Clone)]
pub(super) struct SeenIntent {
    pub nonce: String,
    /// When this process first saw it; the settle window counts from here, on a monotonic clock.
    pub since: Instant,
    /// The job that Graph answered with, while its id is not recorded.
    pub created: Option<ObservedJob>,
}

#[derive(Default)]
pub(super) struct Memory(Mutex<HashMap<String, Entry>>);

impl Memory {
    /// Takes the entry out; a pass that does not come back leaves nothing behind that could mislead.
    pub fn take(&self, uid: &str) -> Entry {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(uid).unwrap_or_default()
    }

    pub fn put(&self, uid: &str, entry: Entry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(uid.to_owned(), entry);
    }

    pub fn retain(&self, keep: impl Fn(&str) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| keep(uid));
    }
}
