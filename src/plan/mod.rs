//! What to do: pure and total. No async, no client, no clock, no randomness, and never a secret value.
//!
//! `decide` looks at a [`Desired`] and a [`World`] and names at most one [`Step`]; the [`Fact`] that the step ended in
//! is folded into the world, and `decide` is asked again. Whatever a pass learnt ends in a [`Report`](crate::api::Report).

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

pub mod common;
pub mod sync_job;
pub mod tenant;

pub use common::now::Now;
pub use common::pass::{Decider, Next, Outcome, Pass};
pub use common::settings::{self, Settings};
pub use common::standing::Standing;
pub use common::trouble::{Barrier, Trouble, TroubleKind};
pub use common::wake::Wake;
pub use common::without::{Guard, Without};
pub use sync_job::mappings;
pub use sync_job::running::requests;
pub use sync_job::running::restart::answers;
pub use sync_job::secrets;
pub use sync_job::{
    Begun, Change, Desired, EVENT_KINDS, Event, EventKind, Fact, IntentOrigin, IntentView, Leaving, Look, Managed,
    Memory, ObservedJob, Preview, Record, Refusals, Refused, Remember, Rival, Rivals, RunView, Shown, Sibling, Step,
    Verdict, World, decide, desired, events, health, ids, preview, report, unreadable,
};
