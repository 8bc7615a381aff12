//! How things stand.

/// How things stand, as conditions will tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// As declared.
    Settled,
    /// Under way.
    Working,
    /// Outside trouble that passes by itself; says nothing against what was true before.
    Passing,
    /// Trouble that may pass by itself for a while, and needs a person after that.
    Blocked,
    /// A person has to act.
    Stuck,
    /// Nothing is done, as declared; says nothing against what was true before.
    Suspended,
}
