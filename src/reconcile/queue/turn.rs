//! When a key is due, how urgently, and with whom it shares its turns.

use std::sync::Arc;

use tokio::time::Instant;

use super::class::Class;
use crate::reconcile::tenants::TenantKey;

/// With whom a key shares its turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub tenant: TenantKey,
    pub namespace: Arc<str>,
}

/// A pass that is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub due: Instant,
    pub class: Class,
    /// Of two that are due at the same instant the one that was wanted first goes first.
    pub number: u64,
    /// Until then only what happens to the object itself is a reason for an earlier pass.
    pub rests_until: Instant,
}

impl Turn {
    /// One pass for both: as early as the earlier, as urgent as the more urgent.
    pub fn joined(self, other: Self) -> Self {
        let (due, number) = (self.due, self.number).min((other.due, other.number));
        let rests_until = self.rests_until.min(other.rests_until);
        Self { due, class: self.class.max(other.class), number, rests_until }
    }

    /// The same, not before an instant.
    pub fn not_before(self, instant: Instant) -> Self {
        Self { due: self.due.max(instant), ..self }
    }
}
