//! What is remembered of expressions: they are parsed by the service, and mean the same at the next look.

use parking_lot::Mutex;

use crate::overlay::{Expressions, Parsed};

/// More texts than any overlay has; beyond them, all are asked again.
const TEXTS_MAX: usize = 4096;

/// Of one SyncJob.
#[derive(Default)]
pub(crate) struct Desk {
    known: Mutex<Expressions>,
    /// Hash of the wish whose tests have passed.
    passed: Mutex<Option<String>>,
}

impl Desk {
    pub(super) fn known(&self) -> Expressions {
        self.known.lock().clone()
    }

    pub(super) fn learn(&self, text: &str, parsed: Parsed) {
        let mut known = self.known.lock();
        if known.0.len() >= TEXTS_MAX {
            known.0.clear();
        }
        known.0.insert(text.to_owned(), parsed);
    }

    /// A refusal is worth another question at the next look: a function may have become known meanwhile.
    pub(super) fn forget_refusals(&self) {
        self.known.lock().0.retain(|_, parsed| matches!(parsed, Parsed::Source(_)));
    }

    pub(super) fn has_passed(&self, wish: &str) -> bool {
        self.passed.lock().as_deref() == Some(wish)
    }

    pub(super) fn pass(&self, wish: &str) {
        *self.passed.lock() = Some(wish.to_owned());
    }
}
