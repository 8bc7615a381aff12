//! What the search takes away, one at a time, to show that it would notice. Where debug assertions are off, as in every
//! release, nothing can be taken away and the type has no size.

/// A guard of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// An intent is on record before its create request is sent.
    Intent,
    /// The rivals are read as they are after the intent was recorded.
    RivalsReread,
    /// The jobs are listed once more after the rivals were read.
    ListAfterRivals,
    /// The create request leaves shortly after its intent, or not at all.
    SendWithin,
    /// An id is recorded only while the intent in the object is ours.
    Nonce,
    /// A job that was there before is never taken for the answer to our request.
    Somebodys,
    /// Jobs that this process deleted are left out of lists that lag.
    Tombstones,
    /// An object stays until no deletion that was sent can still be carried out.
    LateDelete,
    /// The object is read, uncached, before its job is deleted.
    FreshDelete,
    /// Several lists have to agree before an object is let go of.
    SeveralLooks,
    /// No write leaves without a lease that lasts.
    Fence,
    /// A restart is on record before it is sent.
    RestartRecord,
    /// What came of a restart is remembered until it is written.
    AnswerKept,
    /// A report that was not written is tried again with back-off.
    UnwrittenRetried,
    /// The finalizer is there before a job is made.
    Finalizer,
    /// The grant of a tenant is asked once more before each write.
    TenantFence,
    /// A set of credentials that holds what cannot be read is not replaced.
    ForeignKeys,
    /// A set is saved once more when no earlier save can be carried out any more.
    SavedAgain,
    /// A change of mappings that can deprovision people needs a delete threshold or a confirmation.
    RiskyMappings,
    /// What was there before is kept before a schema is saved.
    MemoryFirst,
    /// What the second look at a schema shows is what was decided on.
    SecondLook,
    /// A save of a schema whose answer was lost counts as a save.
    TriedCounts,
    /// Mappings that a person changed stay that way where that is declared.
    DriftRespected,
}

/// Which guard is missing; none, outside of the search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Without(#[cfg(debug_assertions)] Option<Guard>);

impl Without {
    /// Takes one guard away, where that is possible.
    pub const fn guard(guard: Guard) -> Self {
        #[cfg(debug_assertions)]
        return Self(Some(guard));
        #[cfg(not(debug_assertions))]
        {
            let _ = guard;
            Self()
        }
    }

    /// Whether this guard is missing.
    pub fn lacks(self, guard: Guard) -> bool {
        #[cfg(debug_assertions)]
        return self.0 == Some(guard);
        #[cfg(not(debug_assertions))]
        {
            let _ = guard;
            false
        }
    }
}
