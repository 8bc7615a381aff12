//! The only module that knows both sides: look, decide, act, report.

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod context;
mod driver;
mod ended;
mod helpers;
mod memory;
mod queue;
mod rotation;
mod sync_job;
mod tenant;
mod tenants;
mod trouble;
mod urgency;
mod watchdog;

use std::sync::Arc;

#[doc(hidden)] // for the bench of fair use, which drives the queue in virtual time
pub use queue::{Again, Class, Lane, Queue, Work};

pub use context::{Context, Parts};
pub use tenants::{Account, Connections, Own, Share, TenantKey, Tenants};
pub use watchdog::Watchdog;

pub(crate) use sync_job::observe::recorded;
pub(crate) use sync_job::translate::{found, observed};
pub(crate) use sync_job::{Desk, Offline, Question, compare};

/// Runs until `shutdown` turns true and the passes in flight have ended.
pub async fn run(parts: Parts) {
    let (concurrency, shutdown) = (parts.concurrency, parts.shutdown.clone());
    let (context, watches) = Context::new(parts);
    driver::run(watches, Arc::new(context), concurrency, shutdown).await;
}
