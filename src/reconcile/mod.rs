//! The only module that knows both sides: look, decide, act, report.

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod change;
mod context;
mod driver;
mod effect;
mod helpers;
mod listings;
mod look;
mod memory;
mod observe;
mod pass;
mod publish;
mod queue;
mod record;
mod restart;
mod scene;
mod tenants;
mod translate;
mod unreadable;
mod watchdog;

use std::sync::Arc;

pub use context::{Context, Parts};
pub use tenants::{TenantKey, Tenants};
pub use watchdog::Watchdog;

pub(crate) use observe::recorded;
pub(crate) use translate::{found, observed};

/// Runs until `shutdown` turns true and the passes in flight have ended.
pub async fn run(parts: Parts) {
    let (concurrency, shutdown) = (parts.concurrency, parts.shutdown.clone());
    let (context, watches) = Context::new(parts);
    driver::run(watches, Arc::new(context), concurrency, shutdown).await;
}
