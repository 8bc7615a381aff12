//! How fast and how frugal the operator is with many SyncJobs: the rows of docs/performance.md. Each row starts a control
//! plane, a Graph and the release build of the operator, and compares what it measures with a client without any logic in the
//! same run. Nothing is asserted about figures; a bench ends where it cannot go on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bare;
mod counts;
mod fleet;
mod graph;
mod options;
mod page;
mod process;
mod proxy;
mod rows;
mod stage;
mod watch;

use clap::Parser;
use options::Options;

fn main() {
    let options = Options::parse();
    if let Some(operator) = &options.operator {
        process::PROGRAM.get_or_init(|| operator.clone());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let wanted: Vec<String> = match options.rows.as_slice() {
            [] => rows::NAMES.map(str::to_owned).to_vec(),
            named => named.iter().map(|name| name.to_lowercase()).collect(),
        };
        for name in wanted {
            eprintln!("{name}:");
            rows::run(&name, &options).await.publish(options.print_only);
        }
    });
}
