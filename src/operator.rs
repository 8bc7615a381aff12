//! Wires the layers together and runs the controller until a signal ends it.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::client::ClientBuilder;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::args::{Election, MetricsServer, Operator, RECREATE_AFTER_SECONDS_MIN, SETTLE_WINDOW_SECONDS_MIN};
use crate::cluster::lease::{self, Elector, Fence};
use crate::cluster::watch::{Stores, sync_jobs};
use crate::cluster::{Namespaces, events::Events, proxy, read};
use crate::connect::{self, ConnectError};
use crate::metrics::{Metrics, Objects, RestMetrics, Silence};
use crate::reconcile::{self, Parts, Pulse, Tenants};
use crate::{graph, serve};

/// How long passes under way may take to end after a signal. A request to Graph that is cut off leaves an outcome that
/// is unknown for the whole settle window; the chart grants 30 s (`terminationGracePeriodSeconds`), of which the rest is
/// for giving back the lease.
const SHUTDOWN_MAX: Duration = Duration::from_secs(25);
/// After this long without a byte a connection to the API server is given up: longer than the server keeps a watch open.
const READ_TIMEOUT: Duration = Duration::from_secs(150);
/// The name that metrics show for the operator's own login.
const OWN_TENANT: &str = "operator";
/// How often it is asked whether the API server answers, until it does.
const SERVED_INTERVAL: Duration = Duration::from_secs(1);

/// Why the operator could not start, or had to end. The text names what to mend.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the cluster cannot be reached: {0}")]
    Kubeconfig(#[from] kube::config::InferConfigError),
    #[error("the Kubernetes client cannot be made: {0}")]
    Client(#[from] kube::Error),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("signals cannot be received: {0}")]
    Signal(std::io::Error),
    #[error("the address {address} cannot be listened on: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("metrics cannot be served over HTTPS: {0}")]
    Certificate(#[from] serve::CertificateError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("the lease is lost; another operator may be at work by now")]
    LeaseLost,
    #[error("the controller ended by itself")]
    Ended,
}

/// Settings that do not go together, or that would make creation unsafe.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error(
        "--settle-window-seconds is {given}, but must be at least {SETTLE_WINDOW_SECONDS_MIN}: a create request may be under way for nearly as long, and would be sent a second time"
    )]
    SettleWindow { given: u64 },
    #[error(
        "--recreate-after-seconds is {given}, but must be at least {RECREATE_AFTER_SECONDS_MIN}: the jobs of a restored service principal take a day to return"
    )]
    RecreateAfter { given: u64 },
    #[error(
        "--lease-retry-seconds is {retry}, but must be less than --lease-renew-deadline-seconds, which is {deadline}"
    )]
    LeaseRetry { retry: u64, deadline: u64 },
    #[error(
        "--lease-renew-deadline-seconds is {deadline}, but must be shorter than --lease-duration-seconds, which is {duration}, by at least {margin} seconds"
    )]
    LeaseRenewDeadline { deadline: u64, duration: u64, margin: u64 },
}

/// Refuses settings under which two operators could be at work at the same time, or one create twice.
fn check(options: &Operator) -> Result<(), SettingsError> {
    let (election, lenient) = (&options.election, options.unsafe_short_windows);
    let given = options.settle_window_seconds;
    if given < SETTLE_WINDOW_SECONDS_MIN && !lenient {
        return Err(SettingsError::SettleWindow { given });
    }
    let given = options.recreate_after_seconds;
    if given < RECREATE_AFTER_SECONDS_MIN && !lenient {
        return Err(SettingsError::RecreateAfter { given });
    }
    let (duration, deadline) = (election.lease_duration_seconds, election.lease_renew_deadline_seconds);
    let retry = election.lease_retry_seconds;
    if retry >= deadline {
        return Err(SettingsError::LeaseRetry { retry, deadline });
    }
    // No write begins in the margin: a holder that still tries to renew in it would hold a lease with which it does nothing.
    let margin = if lenient { 1 } else { lease::MARGIN.as_secs() };
    if deadline + margin > duration {
        return Err(SettingsError::LeaseRenewDeadline { deadline, duration, margin });
    }
    Ok(())
}

/// What the probes see.
struct Health {
    served: AtomicBool,
    pulse: Pulse,
}

impl serve::Health for Health {
    fn live(&self) -> Vec<serve::Check> {
        vec![serve::Check { name: "passes-end", passed: !self.pulse.is_stuck() }]
    }

    fn ready(&self) -> Vec<serve::Check> {
        vec![serve::Check { name: "syncjobs-served", passed: self.served.load(Ordering::Relaxed) }]
    }
}

/// Runs until SIGTERM or SIGINT; what is under way is finished first, within seconds.
pub async fn run(options: &Operator) -> Result<(), RunError> {
    check(options)?;
    let mut config = kube::Config::infer().await?;
    // The client's own retries repeat writes behind our back: a lost answer would come back as a conflict with ourselves.
    config.default_retry = false;
    config.read_timeout = Some(READ_TIMEOUT);
    proxy::heed_no_proxy(&mut config, |name| std::env::var(name).ok());
    let lease = options.election.leader_elect.then(|| lease_config(&options.election, &config));
    let rest = RestMetrics::new(&config.cluster_url);
    let client = ClientBuilder::try_from(config)?.with_layer(&rest).build();
    let namespaces = Namespaces::new(&options.watch_namespaces);
    let watches = sync_jobs(&client, &namespaces);
    let stores = Stores::of(&watches);
    let (objects, age) = (stores.clone(), stores);
    let (objects, silence) = (Objects::new(move || objects.state()), Silence::new(move || age.silence()));
    let metrics = Arc::new(Metrics::new(options.concurrency, objects, silence, &rest));
    let tenants = Tenants::of_operator(OWN_TENANT, graph_client(options, &metrics)?);
    let health = Arc::new(Health { served: AtomicBool::new(false), pulse: Pulse::new(options.stuck_after()) });
    let mut beside = serve_beside(options, &client, &metrics, &health).await?;
    beside.spawn(await_served(client.clone(), namespaces.clone(), health.clone()));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "entrain is running");

    let mut ended = pin!(terminated());
    let mut leadership = Leadership::new(&client, lease, metrics.clone());
    tokio::select! {
        () = leadership.acquire() => {}
        signal = &mut ended => return stopping(signal),
    }
    let (events, writing) = Events::new(client.clone(), &instance());
    beside.spawn(writing);
    let (stop, shutdown) = watch::channel(false);
    let mut running = tokio::spawn(reconcile::run(Parts {
        client,
        tenants,
        namespaces,
        watches,
        events,
        settings: options.settings(),
        fence: leadership.fence(),
        metrics: metrics.reconcile.clone(),
        pulse: health.pulse.clone(),
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
        tracing::warn!("work under way did not end in time");
        running.abort();
    }
}

/// A lease, or none if the operator runs alone.
struct Leadership {
    elector: Option<(Elector, String)>,
    metrics: Arc<Metrics>,
}

impl Leadership {
    fn new(client: &kube::Client, config: Option<lease::Config>, metrics: Arc<Metrics>) -> Self {
        let elector = config.map(|config| {
            metrics.leads(&config.name, false);
            let name = config.name.clone();
            (Elector::new(client.clone(), config), name)
        });
        Self { elector, metrics }
    }

    fn fence(&self) -> Fence {
        self.elector.as_ref().map_or_else(Fence::open, |(elector, _)| elector.fence())
    }

    async fn acquire(&mut self) {
        if let Some((elector, name)) = &mut self.elector {
            tracing::info!(lease = name.as_str(), "waiting for the lease");
            elector.acquire().await;
            self.metrics.leads(name, true);
            tracing::info!(lease = name.as_str(), "the lease is held");
        }
    }

    /// Returns when the lease is lost.
    async fn keep(&mut self) {
        match &mut self.elector {
            Some((elector, name)) => {
                elector.keep().await;
                self.metrics.leads(name, false);
            }
            None => std::future::pending().await,
        }
    }

    async fn release(&mut self) {
        if let Some((elector, name)) = &mut self.elector {
            elector.release().await;
            self.metrics.leads(name, false);
        }
    }
}

fn lease_config(election: &Election, config: &kube::Config) -> lease::Config {
    lease::Config {
        namespace: election.leader_election_namespace.clone().unwrap_or_else(|| config.default_namespace.clone()),
        name: election.leader_election_id.clone(),
        identity: format!("{}_{}", instance(), uuid::Uuid::new_v4()),
        duration: Duration::from_secs(election.lease_duration_seconds),
        renew_deadline: Duration::from_secs(election.lease_renew_deadline_seconds),
        retry: Duration::from_secs(election.lease_retry_seconds),
    }
}

/// The pod's name, which is its host name.
fn instance() -> String {
    std::env::var("HOSTNAME").unwrap_or_else(|_| "entrain".to_owned())
}

/// Starts the servers that were asked for; they end when the answer is dropped.
async fn serve_beside(
    options: &Operator,
    client: &kube::Client,
    metrics: &Arc<Metrics>,
    health: &Arc<Health>,
) -> Result<JoinSet<()>, RunError> {
    let mut beside = JoinSet::new();
    if let Some(address) = options.health_bind_address {
        let server = serve::probes(listen(address).await?, health.clone());
        beside.spawn(async move { say_end(server.await) });
    }
    if let Some(address) = options.metrics.metrics_bind_address {
        let (listener, metrics) = (listen(address).await?, metrics.clone());
        if options.metrics.metrics_secure {
            let certificate = certificate(&options.metrics).await?;
            let server = serve::secure::metrics(listener, metrics, certificate, client.clone());
            beside.spawn(async move { say_end(server.await) });
        } else {
            beside.spawn(async move { say_end(serve::metrics(listener, metrics).await) });
        }
    }
    Ok(beside)
}

async fn certificate(options: &MetricsServer) -> Result<serve::Certificate, serve::CertificateError> {
    let names = vec!["localhost".to_owned(), instance()];
    match &options.metrics_cert_path {
        None => serve::Certificate::self_signed(names),
        Some(directory) => {
            let [certificate, key] =
                [&options.metrics_cert_name, &options.metrics_cert_key].map(|name| directory.join(name));
            serve::Certificate::from_files(serve::Files { certificate, key }, names).await
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|error| RunError::Listen { address, error })
}

fn say_end(outcome: std::io::Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(%error, "a server for probes or metrics ended");
    }
}

/// Ready means that the API server has answered for SyncJobs once; afterwards it may be away for a while.
async fn await_served(client: kube::Client, namespaces: Namespaces, health: Arc<Health>) {
    let mut ticks = tokio::time::interval(SERVED_INTERVAL);
    loop {
        ticks.tick().await;
        match read::served(&client, &namespaces).await {
            Ok(()) => return health.served.store(true, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "the API server does not answer for SyncJobs yet"),
        }
    }
}

fn graph_client(options: &Operator, metrics: &Metrics) -> Result<graph::Client, ConnectError> {
    let credential = graph::Credential::from_environment(|name| std::env::var(name).ok())?;
    let options = graph::Options {
        in_flight_max: usize::from(options.graph_in_flight_max),
        login_retry: Duration::from_secs(options.slow_retry_seconds),
        observer: Arc::new(metrics.graph.clone()),
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn checked(flags: &[&str]) -> Result<(), SettingsError> {
        let line = ["entrain", "operator"].into_iter().chain(flags.iter().copied());
        let Command::Operator(options) = Cli::try_parse_from(line).unwrap().command else { panic!("another command") };
        check(&options)
    }

    #[test]
    fn the_defaults_go_together() {
        assert_eq!(checked(&[]), Ok(()));
    }

    #[test]
    fn a_settle_window_that_a_request_may_outlast_is_refused_unless_a_test_asks_for_it() {
        assert_eq!(checked(&["--settle-window-seconds=119"]), Err(SettingsError::SettleWindow { given: 119 }));
        assert_eq!(checked(&["--settle-window-seconds=120"]), Ok(()));
        assert_eq!(checked(&["--recreate-after-seconds=60"]), Err(SettingsError::RecreateAfter { given: 60 }));
        assert_eq!(checked(&["--settle-window-seconds=0", "--unsafe-short-windows"]), Ok(()));
    }

    #[test]
    fn the_times_of_the_lease_leave_room_for_a_renewal_and_for_the_margin() {
        let lease = |duration, deadline, retry| {
            let flags = [("duration", duration), ("renew-deadline", deadline), ("retry", retry)];
            let flags = flags.map(|(name, seconds): (&str, u64)| format!("--lease-{name}-seconds={seconds}"));
            checked(&flags.each_ref().map(String::as_str))
        };
        assert_eq!(lease(30, 20, 19), Ok(()));
        assert_eq!(lease(30, 20, 20), Err(SettingsError::LeaseRetry { retry: 20, deadline: 20 }));
        let refused = SettingsError::LeaseRenewDeadline { deadline: 21, duration: 30, margin: 10 };
        assert_eq!(lease(30, 21, 5), Err(refused));
        assert!(checked(&["--lease-duration-seconds=15"]).is_err());
        let short = ["--unsafe-short-windows", "--lease-duration-seconds=15", "--lease-renew-deadline-seconds=15"];
        assert!(checked(&short).is_err(), "even a test needs a deadline before the end");
    }
}
