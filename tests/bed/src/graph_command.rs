//! `bed graph`: the simulator in the foreground.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::graph::{Options, Seed, Simulator};
use crate::signals::{Signals, owner_gone};

/// Run the Graph simulator in the foreground.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where to listen; a free port by default.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A JSON file with tenants; without it there is one for trying things out.
    #[arg(long)]
    seed: Option<PathBuf>,
    /// End when standard input ends.
    #[arg(long)]
    until_stdin_closes: bool,
}

/// Prints one line of JSON when ready and runs until a signal, or the end of standard input.
pub async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let mut signals = Signals::new()?;
    let seed = args.seed.map(std::fs::read).transpose()?;
    let seed: Option<Seed> = seed.map(|seed| serde_json::from_slice(&seed)).transpose()?;
    let simulator = Simulator::start(Options { listen: args.listen, seed, dir: None }).await?;
    println!("{}", serde_json::to_string(simulator.ready())?);
    tokio::select! {
        () = signals.next() => {}
        () = owner_gone(args.until_stdin_closes) => {}
    }
    Ok(())
}
