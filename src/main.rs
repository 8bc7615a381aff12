//! The `entrain` command.

use std::process::ExitCode;

use entrain::args::{Cli, Command, Import, Operator, Plan};
use entrain::{api, cli, operator, telemetry};

type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments = match Cli::parse_as_called(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => return usage_error(&error),
    };
    let outcome = match arguments.command {
        Command::Crd => crd(),
        Command::Plan(options) => plan(&options),
        Command::Import(options) => import(&options),
        Command::Operator(options) => run(&options),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("entrain: {error}");
        ExitCode::FAILURE
    })
}

/// clap exits with 2 on a usage error, but `plan` and `import` use 2 for what somebody should look at.
fn usage_error(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() || printed.is_err() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn crd() -> Outcome {
    print!("{}", api::schema::yaml()?);
    Ok(ExitCode::SUCCESS)
}

fn plan(options: &Plan) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(cli::plan::run(options))?)
}

fn import(options: &Import) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(cli::import::run(options))?)
}

fn run(options: &Operator) -> Outcome {
    let _telemetry = telemetry::start(options.log_format)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Err(error) = runtime.block_on(operator::run(options)) {
        // As a log line, because a collector of logs must not miss the reason for the exit.
        tracing::error!(%error, "exiting");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
