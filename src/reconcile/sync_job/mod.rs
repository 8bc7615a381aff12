//! SyncJobs: one pass, its steps carried out, and what is reported of those that cannot be read.

mod change;
mod effect;
pub(super) mod listings;
mod look;
mod mappings;
pub(super) mod observe;
pub(super) mod pass;
mod publish;
mod record;
mod restart;
mod scene;
mod secrets;
pub(super) mod translate;
pub(super) mod unreadable;

pub(crate) use mappings::{Desk, Question, compare};
pub(crate) use secrets::Offline;
pub(super) use secrets::Vault;
