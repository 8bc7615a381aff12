//! What is wrong with a wish, for the person who wrote it.

use std::fmt;

/// Something of the wish that cannot be done. With a single one, nothing of the wish is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: FindingKind,
    /// The place in the wish, what is wrong there, the nearest names, and the remedy.
    pub message: String,
}

/// Which remedy it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// The wish must be corrected.
    Invalid,
    /// The schema has several things of that name.
    Ambiguous,
    /// The rule cannot be changed.
    ReadOnly,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// All findings, in the order of the wish.
#[derive(Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, kind: FindingKind, place: &str, problem: &str) {
        self.0.push(Finding { kind, message: format!("{place}: {problem}") });
    }

    pub(super) fn invalid(&mut self, place: &str, problem: &str) {
        self.add(FindingKind::Invalid, place, problem);
    }
}
