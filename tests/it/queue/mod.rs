//! The queue on the real stack: what waits, and what does not.

mod parked;
mod vanished;

use crate::ops::{free_address, get, scrape::Scrape};

/// What the operator's metrics say now.
async fn scrape(address: &str) -> Scrape {
    Scrape::parse(&get(address, "/metrics").await.unwrap().1)
}

/// How many passes have ended.
async fn passes(address: &str) -> u64 {
    let ended = scrape(address).await.sum("controller_runtime_reconcile_total", &[]);
    format!("{ended:.0}").parse().unwrap()
}

fn metrics_flag() -> (String, String) {
    let address = free_address();
    (format!("--metrics-bind-address={address}"), address)
}
