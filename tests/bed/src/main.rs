//! The `bed` command.

use std::process::ExitCode;

use bed::tools::Tool;
use bed::{demo, graph_command, plane_command, tools};
use clap::{Parser, Subcommand, ValueEnum};

/// A real control plane, a Microsoft Graph simulator and the demo, for developing Entrain.
#[derive(Parser, Debug)]
#[command(name = "bed", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a control plane in the foreground.
    Plane(plane_command::Args),
    /// Run the Graph simulator in the foreground.
    Graph(graph_command::Args),
    /// Build the binaries of the control plane and of what tests ask, or find them, and print their paths.
    Tools {
        /// Default: all of them.
        tools: Vec<Tool>,
    },
    /// Show a SyncJob becoming a job, on a control plane and a Graph made for it.
    Demo(demo::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Plane(args) => in_runtime(plane_command::run(args)),
        Command::Graph(args) => in_runtime(graph_command::run(args)),
        Command::Tools { tools } => ensure(tools),
        Command::Demo(args) => in_runtime(demo::run(args)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn ensure(named: Vec<Tool>) -> Result<(), Box<dyn std::error::Error>> {
    for tool in if named.is_empty() { Tool::value_variants().to_vec() } else { named } {
        println!("{}", tools::ensure(tool)?.display());
    }
    Ok(())
}

fn in_runtime<E>(command: impl Future<Output = Result<(), E>>) -> Result<(), Box<dyn std::error::Error>>
where
    Box<dyn std::error::Error>: From<E>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(command);
    // A thread that builds a tool or reads stdin must not hold up the end.
    runtime.shutdown_background();
    Ok(outcome?)
}
