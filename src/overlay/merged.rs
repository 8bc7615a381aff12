//! What merging takes and what it makes.

use serde_json::Value;

use super::line::Line;
use super::memory::Memory;
use super::risk::Risk;
use crate::api::sync_job::Mappings;

/// What one SyncJob wants of a schema, and what it did to it before.
#[derive(Clone, Copy, Debug)]
pub struct Overlay<'a> {
    pub wish: &'a Mappings,
    /// What was kept when it was applied last.
    pub memory: Option<&'a Memory>,
    pub drift: Drift,
    /// Whether all users and groups are in scope (`spec.scope: All`) and not those only that are assigned.
    pub everyone: bool,
}

/// What becomes of owned values that somebody else changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// They stay as they are.
    Respect,
    /// They are changed back.
    Correct,
}

/// A schema with an overlay merged into it.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The whole schema, to be saved as it is; the one that was read, if nothing changes.
    pub document: Value,
    /// How it differs from the one that was read. If this is empty, there is nothing to save.
    pub changes: Vec<Line>,
    /// Owned values that somebody changed: from what was applied to what is there.
    pub drifted: Vec<Line>,
    /// Values that are owned no longer and stay, because somebody changed them: from what was applied to what is there.
    pub left: Vec<Line>,
    /// What of the changes can deprovision people.
    pub risks: Vec<Risk>,
    /// To be saved before the document is.
    pub memory: Memory,
    /// How many values are owned.
    pub owned: usize,
    /// Whether all changes only undo what somebody else did.
    pub corrects_only: bool,
}
