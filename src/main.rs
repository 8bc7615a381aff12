//! The `entrain` command.

use std::process::ExitCode;

use clap::Parser;
use entrain::args::{Cli, Command};
use entrain::{api, operator, telemetry};

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Crd => crd(),
        Command::Operator(options) => run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("entrain: {error}");
            ExitCode::FAILURE
        }
    }
}

fn crd() -> Result<(), Box<dyn std::error::Error>> {
    print!("{}", api::schema::yaml()?);
    Ok(())
}

fn run(options: &entrain::args::Operator) -> Result<(), Box<dyn std::error::Error>> {
    telemetry::start(options.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(operator::run(options))?)
}
