//! How urgent a pass is, and which passes go although nothing can be sent to Graph.

/// Why an object is due, the least urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It was settled when it was last looked at.
    Poll,
    /// A list showed it, and it has no job yet.
    New,
    /// It was created while it was watched.
    Created,
    /// A request for it was recorded and its outcome is not known, or its deletion is under way.
    UnknownOutcome,
    /// The watch showed an edit or the request to delete it.
    Change,
}

impl Class {
    /// The most urgent first.
    pub(super) const ALL: [Self; 5] = [Self::Change, Self::UnknownOutcome, Self::Created, Self::New, Self::Poll];

    /// Whether it waits while nothing can be sent to Graph. What somebody has just done gets one pass all the same: the
    /// pass finds out whether it needs Graph, and reports what it waits for.
    pub(super) fn is_parked(self) -> bool {
        match self {
            Self::Poll | Self::New | Self::UnknownOutcome => true,
            Self::Created | Self::Change => false,
        }
    }

    /// Whether it may take the workers that are kept free.
    pub(super) fn takes_reserved(self) -> bool {
        match self {
            Self::Poll | Self::New | Self::Created | Self::UnknownOutcome => false,
            Self::Change => true,
        }
    }
}
