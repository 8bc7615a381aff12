//! A world in memory for the real loop: an API server and a Graph that are served over plain calls, in the time that
//! tokio's paused clock shows. All chance comes from one schedule, so that a seed repeats a run.

mod api;
mod clock;
mod content;
mod controls;
mod found;
mod graph;
mod invariants;
mod mappings;
mod operator;
mod play;
mod requests;
mod run;
mod scene;
mod schedule;
mod search;
mod sweep;
mod tenants;
mod wire;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// One of the operators, by its number.
    Operator(u8),
    /// Everybody else: people, their tools, other controllers, and the service itself.
    Person,
}

impl By {
    pub fn is_operator(self) -> bool {
        matches!(self, Self::Operator(_))
    }
}
