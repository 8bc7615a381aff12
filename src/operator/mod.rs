//! Wires the layers together and runs the controller until a signal ends it.

mod instance;
mod leadership;
mod logins;
mod servers;
mod settings;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use kube::client::ClientBuilder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::instance::instance;
use self::leadership::{Leadership, lease_config};
use self::servers::Health;
use crate::args::Operator;
use crate::clock::Clock;
use crate::cluster::fingerprint::Fingerprints;
use crate::cluster::watch::secrets::secrets;
use crate::cluster::watch::tenants::tenants;
use crate::cluster::watch::{Stores, sync_jobs};
use crate::cluster::{Namespaces, events::Events, proxy};
use crate::connect::ConnectError;
use crate::metrics::{Metrics, Objects, RestMetrics, Silence, Tenants as TenantStates};
use crate::reconcile::{self, Parts, Watchdog};

pub use self::servers::ServeError;
pub use self::settings::SettingsError;

/// How long passes in flight may take to end after a signal. The outcome of a request to Graph that is cut off is unknown
/// for the whole settle window; the chart grants 30 s (`terminationGracePeriodSeconds`), of which the rest is for releasing
/// the lease.
const SHUTDOWN_MAX: Duration = Duration::from_secs(25);

/// After this long without a byte a connection to the API server is given up: longer than the server keeps a watch open.
const READ_TIMEOUT: Duration = Duration::from_secs(150);

/// Why the operator could not start, or had to end. The text names what to fix.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("cannot reach the cluster: {0}")]
    Kubeconfig(#[from] kube::config::InferConfigError),
    #[error("cannot create the Kubernetes client: {0}")]
    Client(#[from] kube::Error),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("cannot receive signals: {0}")]
    Signal(std::io::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("lost the leader lease; another replica may already be active")]
    LeaseLost,
    #[error("the controller stopped unexpectedly")]
    Ended,
}

/// Runs until SIGTERM or SIGINT; passes in flight are finished first, within seconds.
pub async fn run(options: &Operator) -> Result<(), RunError> {
    settings::check(options)?;
    let mut config = kube::Config::infer().await?;
    // The client's own retries repeat writes without our knowledge: after a lost answer, the write would conflict with itself.
    config.default_retry = false;
    config.read_timeout = Some(READ_TIMEOUT);
    proxy::respect_no_proxy(&mut config, |name| std::env::var(name).ok());
    let lease = options.election.leader_elect.then(|| lease_config(&options.election, &config));
    let (rest, config_namespace) = (RestMetrics::new(&config.cluster_url), config.default_namespace.clone());
    let client = ClientBuilder::try_from(config)?.with_layer(&rest).build();
    let namespaces = Namespaces::new(&options.watch_namespaces);
    let watches = sync_jobs(&client, &namespaces);
    let stores = Stores::of(&watches);
    let (objects, age) = (stores.clone(), stores);
    let (objects, silence) = (Objects::new(move || objects.state()), Silence::new(move || age.silence()));
    let (tenant_watches, tenant_store) = tenants(&client, &namespaces, logins::kinds(options));
    let shown = tenant_store.clone();
    let tenant_states = TenantStates::new(move || shown.state());
    let metrics = Arc::new(Metrics::new(options.concurrency, objects, tenant_states, silence, &rest));
    let operator_namespace = options.operator_namespace.clone().unwrap_or_else(|| config_namespace.clone());
    let fingerprints = Fingerprints::new(client.clone(), operator_namespace.clone());
    let secret_watches = if options.watch_secrets { secrets(&client, &namespaces) } else { Vec::new() };
    let tenants = logins::new(options, &client, tenant_store, operator_namespace, &metrics)?;
    let watchdog = Watchdog::new(options.stuck_after());
    let health = Arc::new(Health::new(watchdog.clone()));
    let mut background = servers::start(options, &client, &metrics, &health).await?;
    background.spawn(servers::await_served(client.clone(), namespaces.clone(), logins::kinds(options), health));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "entrain is running");

    let mut ended = pin!(terminated());
    let mut leadership = Leadership::new(&client, lease, metrics.clone());
    tokio::select! {
        () = leadership.acquire() => {}
        signal = &mut ended => return stopping(signal),
    }
    let (events, writing) = Events::new(client.clone(), &instance());
    background.spawn(writing);
    let (stop, shutdown) = watch::channel(false);
    let mut running = tokio::spawn(reconcile::run(Parts {
        client,
        tenants,
        namespaces,
        fingerprints,
        watches,
        tenant_watches,
        secret_watches,
        events,
        clock: Clock::system(),
        settings: options.settings(),
        fence: leadership.fence(),
        metrics: metrics.reconcile.clone(),
        watchdog,
        concurrency: options.concurrency,
        shutdown,
    }));
    let outcome = tokio::select! {
        _ = &mut running => return Err(RunError::Ended),
        () = leadership.keep() => Err(RunError::LeaseLost),
        signal = &mut ended => stopping(signal),
    };
    stop.send_replace(true);
    finish(running).await;
    leadership.release().await;
    outcome
}

fn stopping(signal: std::io::Result<&'static str>) -> Result<(), RunError> {
    tracing::info!(signal = signal.map_err(RunError::Signal)?, "stopping");
    Ok(())
}

async fn finish(mut running: JoinHandle<()>) {
    if tokio::time::timeout(SHUTDOWN_MAX, &mut running).await.is_err() {
        tracing::warn!("passes in flight did not end in time and were aborted");
        running.abort();
    }
}

async fn terminated() -> std::io::Result<&'static str> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
    }
}
