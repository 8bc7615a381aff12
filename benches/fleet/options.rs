//! What is run, and how large.

use std::path::PathBuf;

use clap::Parser;

/// Measures the release build of the operator on a control plane and a Graph of its own. Talks to the loopback only.
#[derive(Parser, Clone, Debug)]
#[command(name = "fleet")]
pub struct Options {
    /// The rows to run, such as b1; all by default.
    pub rows: Vec<String>,
    /// SyncJobs in a fleet.
    #[arg(long, env = "BENCH_SYNC_JOBS", default_value_t = 10_000)]
    pub sync_jobs: usize,
    /// SyncJobs of one service principal.
    #[arg(long, env = "BENCH_PER_PRINCIPAL", default_value_t = 10)]
    pub per_principal: usize,
    /// Tenants, each with an application of its own. One takes 20 writes a second, so that few of them measure that limit.
    #[arg(long, env = "BENCH_TENANTS", default_value_t = 50)]
    pub tenants: usize,
    /// Repeats of a row; without a number, five where one takes less than 30 s, else as many as fit in 150 s.
    #[arg(long, env = "BENCH_REPEATS")]
    pub repeats: Option<usize>,
    /// How long a steady state is watched, and how long a load lasts, where a row has no time of its own.
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 60)]
    pub seconds: u64,
    /// The operator that is measured; by default the one that cargo built with the bench, whose libraries have the features that
    /// tests need.
    #[arg(long, env = "BENCH_OPERATOR")]
    pub operator: Option<PathBuf>,
    /// Print the tables and leave docs/performance.md as it is.
    #[arg(long, env = "BENCH_PRINT_ONLY")]
    pub print_only: bool,
    /// Cargo gives it.
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Options {
    /// Whether there is to be another repeat after these times.
    pub fn another(&self, took: &[f64]) -> bool {
        let wanted = self.repeats.unwrap_or_else(|| match took.first() {
            Some(first) if *first >= 30.0 => 3,
            _ => 5,
        });
        let budget = if self.repeats.is_some() { f64::INFINITY } else { 150.0 };
        took.is_empty() || (took.len() < wanted && took.iter().sum::<f64>() < budget)
    }
}
