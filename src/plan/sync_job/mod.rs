//! What to do about a SyncJob. `decide` is the table of contents: one match, each arm a folder or a file here.

mod course;
mod decide;
mod deciders;
pub mod desired;
mod events;
mod existence;
pub mod fact;
pub mod health;
pub mod ids;
mod manage;
pub mod mappings;
pub mod memory;
mod modes;
pub mod observed;
mod preview;
pub mod report;
pub mod running;
pub mod secrets;
pub mod step;
pub mod unreadable;
pub mod world;

pub use decide::decide;
pub use deciders::{Managed, Refused};
pub use desired::{Desired, Refusals};
pub use events::{EVENT_KINDS, Event, EventKind, events};
pub use fact::Fact;
pub use memory::{Begun, Memory, Remember};
pub use observed::{ObservedJob, Shown};
pub use preview::{Preview, preview};
pub use step::{Change, Leaving, Look, Record, Step, Verdict};
pub use world::{IntentOrigin, IntentView, Rival, Rivals, RunView, Sibling, World};
