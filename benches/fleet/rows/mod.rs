//! The rows of the page, each a function from the options to what it came to.

mod churn;
mod converge;
mod latency;
mod memory;
mod outage;
mod rest;
mod restart;

use super::fleet::Fleet;
use super::options::Options;
use super::page::Outcome;

/// In the order in which they run.
pub const NAMES: [&str; 8] = ["b1", "b2", "b3", "b4", "b7", "b8", "b10", "b11"];

pub async fn run(name: &str, options: &Options) -> Outcome {
    match name {
        "b1" => converge::many(options).await,
        "b2" => converge::few(options).await,
        "b3" => restart::row(options).await,
        "b4" => memory::row(options).await,
        "b7" => latency::row(options).await,
        "b8" => rest::row(options).await,
        "b10" => churn::row(options).await,
        "b11" => outage::row(options).await,
        other => panic!("there is no row '{other}'; there are {}", NAMES.join(", ")),
    }
}

/// The fleet that the options name.
fn fleet(options: &Options) -> Fleet {
    let principals = options.sync_jobs.div_ceil(options.per_principal);
    Fleet {
        sync_jobs: options.sync_jobs,
        per_principal: options.per_principal,
        tenants: options.tenants.clamp(1, principals.max(1)),
        poll_seconds: None,
    }
}

fn sizes(fleet: Fleet, repeats: usize) -> String {
    let times = if repeats == 1 { "once".to_owned() } else { format!("{repeats} repeats") };
    format!(
        "{} SyncJobs on {} service principals in {} tenants, {times}",
        fleet.sync_jobs,
        fleet.principals(),
        fleet.tenants
    )
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
fn float(count: usize) -> f64 {
    count as f64
}

/// The value below which this part of all lies.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = (float(sorted.len()) * part).ceil() as usize;
    sorted.get(index.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
