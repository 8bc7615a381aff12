//! What to do: pure and total. No async, no client, no clock, no randomness, and never a secret value.
//!
//! `decide` looks at a [`Desired`] and a [`World`] and names at most one [`Step`]; the [`Fact`] that came of the step
//! is folded into the world, and `decide` is asked again. Whatever a pass learnt ends in a [`report::Report`].

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod adopt;
mod create;
mod decide;
mod delete;
pub mod desired;
mod events;
mod existence;
pub mod fact;
mod fold;
pub mod health;
mod modes;
pub mod observed;
mod preview;
pub mod report;
pub mod requests;
mod run_state;
pub mod settings;
mod shown;
pub mod step;
mod token;
pub mod trouble;
pub mod unreadable;
pub mod wake;
pub mod witness;
pub mod world;

pub use decide::{Plan, Standing, decide, refused};
pub use desired::{Desired, Refusals};
pub use events::{EVENT_KINDS, Event, EventKind, events};
pub use fact::Fact;
pub use observed::{ObservedJob, Shown};
pub use preview::{Preview, preview};
pub use settings::Settings;
pub use step::{Change, Leaving, Look, Record, Step};
pub use trouble::{Trouble, TroubleKind};
pub use wake::Wake;
pub use world::{IntentOrigin, IntentView, Rival, Rivals, RunView, Sibling, World};
