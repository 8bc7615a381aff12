//! `bed plane`: one control plane in the foreground.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::child::ChildError;
use crate::plane::{Plane, PlaneError, PlaneOptions};
use crate::signals::{Signals, owner_gone};

/// Prints one line of JSON when the plane is ready: kubeconfig, server, ca, adminToken, dir (and auditLog).
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Directory for state and logs: empty, absent, or of an earlier plane. Default: a temporary one, removed at the end.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Also run kube-controller-manager (namespaces, garbage collection).
    #[arg(long)]
    controller_manager: bool,
    /// Write an audit log.
    #[arg(long)]
    audit: bool,
    /// Stop when stdin ends, so that the plane does not outlive the process that started it.
    #[arg(long)]
    until_stdin_closes: bool,
    /// An argument for kube-apiserver; may be repeated.
    #[arg(long = "apiserver-arg", value_name = "FLAG", allow_hyphen_values = true)]
    extra: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlaneCommandError {
    #[error(transparent)]
    Plane(#[from] PlaneError),
    #[error(transparent)]
    Died(#[from] ChildError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Runs until a signal, the end of stdin (if asked for) or the death of a process of the plane, which is an error.
pub async fn run(args: Args) -> Result<(), PlaneCommandError> {
    let mut signals = Signals::new()?;
    let options = PlaneOptions {
        dir: args.dir,
        controller_manager: args.controller_manager,
        audit: args.audit,
        extra_apiserver_args: args.extra,
    };
    let mut owner_gone = std::pin::pin!(owner_gone(args.until_stdin_closes));
    let mut plane = tokio::select! {
        plane = Plane::start(options) => plane?,
        () = signals.next() => return Ok(()),
        () = &mut owner_gone => return Ok(()),
    };
    announce(&plane)?;
    let outcome = tokio::select! {
        () = signals.next() => Ok(()),
        () = &mut owner_gone => Ok(()),
        error = plane.died() => Err(error.into()),
    };
    tokio::select! {
        stopped = plane.stop() => stopped?,
        // The dropped future takes the processes with it, by KILL.
        () = signals.next() => {}
    }
    outcome
}

fn announce(plane: &Plane) -> io::Result<()> {
    let line = serde_json::to_string(plane.ready())?;
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush())
}
