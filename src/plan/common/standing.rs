//! How things stand.

/// How things stand, as conditions will show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// As declared.
    Settled,
    /// In progress.
    Working,
    /// Transient trouble outside of the operator; what was true before still counts.
    Passing,
    /// Trouble that may be transient, and needs a person if it lasts.
    Blocked,
    /// A person has to act.
    Stuck,
    /// Nothing is done, as declared; what was true before still counts.
    Suspended,
}
