//! The servers for probes and metrics, and what the probes see.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::instance::instance;
use crate::args::{MetricsServer, Operator};
use crate::cluster::watch::tenants::TenantKinds;
use crate::cluster::{Namespaces, read};
use crate::metrics::Metrics;
use crate::reconcile::Watchdog;
use crate::serve;

/// How often the API server is asked for SyncJobs until it answers.
const SERVED_INTERVAL: Duration = Duration::from_secs(1);

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("cannot serve metrics over HTTPS: {0}")]
    Certificate(#[from] serve::CertificateError),
}

/// What the probes see.
pub(super) struct Health {
    served: AtomicBool,
    watchdog: Watchdog,
}

impl Health {
    pub(super) fn new(watchdog: Watchdog) -> Self {
        Self { served: AtomicBool::new(false), watchdog }
    }
}

impl serve::Health for Health {
    fn live(&self) -> Vec<serve::Check> {
        vec![serve::Check { name: "passes-end", passed: !self.watchdog.is_stuck() }]
    }

    fn ready(&self) -> Vec<serve::Check> {
        vec![serve::Check { name: "syncjobs-served", passed: self.served.load(Ordering::Relaxed) }]
    }
}

/// Starts the servers that the options enable; they stop when the returned set is dropped.
pub(super) async fn start(
    options: &Operator,
    client: &kube::Client,
    metrics: &Arc<Metrics>,
    health: &Arc<Health>,
) -> Result<JoinSet<()>, ServeError> {
    let mut servers = JoinSet::new();
    if let Some(address) = options.health_bind_address {
        let server = serve::probes(listen(address).await?, health.clone());
        servers.spawn(async move { log_end(server.await) });
    }
    if let Some(address) = options.metrics.metrics_bind_address {
        let (listener, metrics) = (listen(address).await?, metrics.clone());
        if options.metrics.metrics_secure {
            let certificate = certificate(&options.metrics).await?;
            let server = serve::secure::metrics(listener, metrics, certificate, client.clone());
            servers.spawn(async move { log_end(server.await) });
        } else {
            servers.spawn(async move { log_end(serve::metrics(listener, metrics).await) });
        }
    }
    Ok(servers)
}

async fn certificate(options: &MetricsServer) -> Result<serve::Certificate, serve::CertificateError> {
    let names = vec!["localhost".to_owned(), instance()];
    match &options.metrics_cert_path {
        None => serve::Certificate::self_signed(names).await,
        Some(directory) => {
            let [certificate, key] =
                [&options.metrics_cert_name, &options.metrics_cert_key].map(|name| directory.join(name));
            serve::Certificate::from_files(serve::Files { certificate, key }, names).await
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen { address, error })
}

fn log_end(outcome: std::io::Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(%error, "a server for probes or metrics stopped");
    }
}

/// Ready means that the API server has answered for SyncJobs and tenants once; a later outage does not change that.
pub(super) async fn await_served(
    client: kube::Client,
    namespaces: Namespaces,
    kinds: TenantKinds,
    health: Arc<Health>,
) {
    let mut ticks = tokio::time::interval(SERVED_INTERVAL);
    loop {
        ticks.tick().await;
        let served = match read::tenants_served(&client, &namespaces, kinds).await {
            Ok(()) => read::served(&client, &namespaces).await,
            unserved => unserved,
        };
        match served {
            Ok(()) => return health.served.store(true, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "the API server does not serve SyncJobs and tenants yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::client::Body;
    use serde_json::json;

    use super::*;
    use crate::serve::Health as _;

    /// An API server whose lists are empty; while tenants are not served, it refuses theirs.
    fn api(tenants: Arc<AtomicBool>) -> kube::Client {
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let refused = request.uri().path().ends_with("entratenants") && !tenants.load(Ordering::Relaxed);
            let body = if refused {
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403})
            } else {
                json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "items": []})
            };
            let answer = http::Response::builder().status(if refused { 403 } else { 200 });
            async move { answer.body(Body::from(body.to_string().into_bytes())) }
        });
        kube::Client::new(service, "default")
    }

    #[tokio::test(start_paused = true)]
    async fn readiness_waits_until_the_kinds_of_tenants_that_are_worked_on_are_served() {
        for (namespaced, cluster) in [(true, false), (false, true), (true, true)] {
            let (served, kinds) = (Arc::new(AtomicBool::new(false)), TenantKinds { namespaced, cluster });
            let health = Arc::new(Health::new(Watchdog::new(Duration::from_secs(60))));
            let namespaces = Namespaces::new(&["apps".to_owned()]);
            let waiting = tokio::spawn(await_served(api(served.clone()), namespaces, kinds, health.clone()));
            tokio::time::sleep(SERVED_INTERVAL * 5).await;
            assert!(!health.ready()[0].passed, "{kinds:?}");
            served.store(true, Ordering::Relaxed);
            waiting.await.unwrap();
            assert!(health.ready()[0].passed, "{kinds:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn readiness_asks_for_no_kind_of_tenants_that_is_not_worked_on() {
        let health = Arc::new(Health::new(Watchdog::new(Duration::from_secs(60))));
        let client = api(Arc::new(AtomicBool::new(false)));
        await_served(client, Namespaces::new(&[]), TenantKinds::default(), health.clone()).await;
        assert!(health.ready()[0].passed);
    }
}
