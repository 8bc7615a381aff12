//! Wires the layers together and runs the controller until a signal ends it.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::args::Operator;
use crate::cluster::{Namespaces, events::Events};
use crate::connect::{self, ConnectError};
use crate::graph;
use crate::reconcile::{self, Parts};

/// How long passes under way may take to end after a signal.
const SHUTDOWN_MAX: Duration = Duration::from_secs(9);

/// Why the operator could not start. The text names what to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the cluster cannot be reached: {0}")]
    Kubeconfig(#[from] kube::config::InferConfigError),
    #[error("the Kubernetes client cannot be made: {0}")]
    Client(#[from] kube::Error),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("signals cannot be received: {0}")]
    Signal(std::io::Error),
}

/// Runs until SIGTERM or SIGINT; what is under way is finished first, within seconds.
pub async fn run(options: &Operator) -> Result<(), StartError> {
    let graph = graph_client(options)?;
    let mut config = kube::Config::infer().await?;
    // The client's own retries repeat writes behind our back: a lost answer would come back as a conflict with ourselves.
    config.default_retry = false;
    let client = kube::Client::try_from(config)?;
    let instance = std::env::var("HOSTNAME").unwrap_or_else(|_| "entrain".to_owned());
    let (events, writing) = Events::new(client.clone(), &instance);
    let writing = tokio::spawn(writing);
    let (stop, shutdown) = watch::channel(false);
    let parts = Parts {
        client,
        graph,
        namespaces: Namespaces::new(&options.watch_namespaces),
        events,
        settings: options.settings(),
        concurrency: options.concurrency,
        shutdown,
    };
    let mut running = tokio::spawn(reconcile::run(parts));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "entrain is running");
    tokio::select! {
        _ = &mut running => tracing::error!("the controller ended by itself"),
        signal = terminated() => tracing::info!(signal = signal.map_err(StartError::Signal)?, "stopping"),
    }
    stop.send_replace(true);
    if tokio::time::timeout(SHUTDOWN_MAX, running).await.is_err() {
        tracing::warn!("work under way did not end in time");
    }
    writing.abort();
    Ok(())
}

fn graph_client(options: &Operator) -> Result<graph::Client, ConnectError> {
    let credential = graph::Credential::from_environment(|name| std::env::var(name).ok())?;
    let options = graph::Options {
        login_retry: Duration::from_secs(options.slow_retry_seconds),
        ..connect::options(&options.connection)?
    };
    Ok(graph::Client::new(options, credential)?)
}

async fn terminated() -> std::io::Result<&'static str> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
    }
}
