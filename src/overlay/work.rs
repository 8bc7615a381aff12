//! A schema being changed: the one copy of the document, and what is noted on the way.

use serde_json::Value;

use super::document::{find, member, put};
use super::expression::Forms;
use super::line::{Line, joined};
use super::memory::{Before, Memory, Owned};
use super::merged::Merged;
use super::path::{Path, Subject};
use super::risk;

pub(super) struct Work<'a> {
    pub(super) live: &'a Value,
    pub(super) forms: &'a Forms,
    /// What was kept before.
    pub(super) old: &'a Memory,
    pub(super) document: Value,
    /// What is to be kept.
    pub(super) memory: Memory,
    pub(super) drifted: Vec<Line>,
    pub(super) left: Vec<Line>,
    /// What was written to, in this order.
    touched: Vec<Subject>,
    /// Whether anything is changed other than back to what was applied.
    pub(super) wished: bool,
}

impl<'a> Work<'a> {
    pub(super) fn new(live: &'a Value, old: &'a Memory, forms: &'a Forms) -> Self {
        Self {
            live,
            forms,
            old,
            document: live.clone(),
            memory: Memory::default(),
            drifted: Vec::new(),
            left: Vec::new(),
            touched: Vec::new(),
            wished: false,
        }
    }

    /// The value at a path, as the document is now.
    pub(super) fn value(&self, path: &Path) -> Option<&Value> {
        find(&self.document, &path.subject).and_then(|whole| member(whole, path.member))
    }

    /// False if there is no place for it.
    pub(super) fn write(&mut self, path: &Path, value: Option<Value>) -> bool {
        if !self.touched.contains(&path.subject) {
            self.touched.push(path.subject.clone());
        }
        put(&mut self.document, path, value)
    }

    /// Keeps in mind that a value is owned and seen to be as it was applied.
    pub(super) fn keep(&mut self, path: Path, owned: &Owned) {
        self.memory.owned.insert(path, Owned { unseen: None, ..owned.clone() });
    }

    /// Keeps in mind what is owned and was not changed now.
    pub(super) fn carry(&mut self, path: Path, owned: &Owned) {
        let unseen = owned.unseen.clone().map(|before| Before { left: true, ..before });
        self.memory.owned.insert(path, Owned { unseen, ..owned.clone() });
    }

    /// Keeps in mind what is written now.
    pub(super) fn own(&mut self, path: Path, owned: Owned, before: Option<Value>) {
        self.memory.owned.insert(path, Owned { unseen: Some(Before { value: before, left: false }), ..owned });
    }

    pub(super) fn finish(self) -> Merged {
        let (mut changes, mut risks) = (Vec::new(), Vec::new());
        for subject in &self.touched {
            let (before, after) = (find(self.live, subject), find(&self.document, subject));
            if let Some(line) = Line::between(subject, before, after, self.forms) {
                risks.extend(risk::of(subject, before, after, self.forms));
                changes.push(line);
            }
        }
        let unchanged = changes.is_empty() && !self.touched.is_empty();
        Merged {
            // What was written means what was there.
            document: if unchanged { self.live.clone() } else { self.document },
            corrects_only: !changes.is_empty() && !self.wished,
            changes,
            drifted: joined(self.drifted),
            left: joined(self.left),
            risks,
            owned: self.memory.len(),
            memory: self.memory,
        }
    }
}
