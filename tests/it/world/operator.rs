//! One process of the operator: the real loop over the two ends in memory, with its own lease, which ends when the process
//! is killed, as a process ends: with everything that it does and remembers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use entrain::clock::Clock as Clocks;
use entrain::cluster::Namespaces;
use entrain::cluster::events::Events;
use entrain::cluster::fingerprint::{FingerprintKey, Fingerprints};
use entrain::cluster::lease::Fence;
use entrain::cluster::watch::secrets::secrets;
use entrain::cluster::watch::sync_jobs;
use entrain::cluster::watch::tenants::{TenantKinds, tenants};
use entrain::graph::{Client, Cloud, Credential, Endpoints, Options, Transport, TransportError};
use entrain::metrics::{Metrics, Objects, RestMetrics, Silence, Tenants as TenantStates};
use entrain::plan::Settings;
use entrain::reconcile::{self, Connections, Parts, Tenants, Watchdog};
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use url::Url;

use super::api::Api;
use super::clock::Clock;
use super::graph::{Graph, SECRET};
use super::scene::Scene;
use super::wire::Broke;

const LOGIN: &str = "https://login.example.test/";
const GRAPH: &str = "https://graph.example.test/";
/// Where the Secrets of cluster-wide tenants are.
pub const OPERATOR_NAMESPACE: &str = "entrain";
const STUCK_AFTER: Duration = Duration::from_secs(300);

/// The two ends and the time.
#[derive(Clone)]
pub struct Ends {
    pub api: Api,
    pub graph: Graph,
    pub clock: Clock,
}

/// A lease as its holder knows it: until when it is held. The other ends keep a record of every change.
#[derive(Clone)]
pub struct Lease {
    until: Arc<Mutex<Option<Instant>>>,
    /// What was known from when on.
    pub record: Vec<(Duration, Option<Duration>)>,
}

impl Lease {
    fn hold(&mut self, clock: Clock, until: Option<Duration>) {
        *self.until.lock() = until.map(|until| clock.instant(until));
        self.record.push((clock.now(), until));
    }
}

/// A running process.
pub struct Process {
    pub number: u8,
    pub lease: Option<Lease>,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
    events: JoinHandle<()>,
}

/// The line of one process to Graph.
struct Line {
    graph: Graph,
    operator: u8,
}

impl Transport for Line {
    fn exchange(
        &self,
        request: http::Request<Bytes>,
        _: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let answer = self.graph.exchange(self.operator, request);
        answer
            .map(|answer| {
                answer.map_err(|broke| match broke {
                    Broke::Unsent => TransportError::Unsent(broke.to_string()),
                    Broke::Sent => TransportError::NoAnswer(broke.to_string()),
                })
            })
            .boxed()
    }
}

impl Process {
    /// Starts a process. With a lease nothing is sent before it is held; with tenants it has no login of its own.
    pub fn start(number: u8, ends: &Ends, settings: Settings, scene: &Scene) -> Self {
        let (leased, with_tenants) = (scene.leased, scene.tenants);
        let client = ends.api.client(number);
        let namespaces = Namespaces::default();
        let watches = sync_jobs(&client, &namespaces);
        let rest = RestMetrics::new(&http::Uri::from_static("https://api.example.test"));
        let metrics =
            Metrics::new(4, Objects::new(Vec::new), TenantStates::new(Vec::new), Silence::new(|| None), &rest);
        let lease = leased.then(|| Lease { until: Arc::default(), record: Vec::new() });
        let fence = lease.as_ref().map_or_else(Fence::open, |lease| Fence::following(lease.until.clone()));
        let (events, writing) = Events::new(client.clone(), "entrain-0");
        let (stop, shutdown) = watch::channel(false);
        let kinds = TenantKinds { namespaced: with_tenants, cluster: with_tenants };
        let (tenant_watches, tenant_store) = tenants(&client, &namespaces, kinds);
        let tenants = if with_tenants {
            Tenants::new(None, kinds, tenant_store, &client, connections(ends.graph.clone(), number))
        } else {
            Tenants::of_operator("operator", graph_client(ends.graph.clone(), number))
        };
        let secret_watches = if scene.watches_secrets { secrets(&client, &namespaces) } else { Vec::new() };
        let fingerprints = Fingerprints::for_tests(client.clone(), FingerprintKey::for_tests([7; 32]));
        let running = tokio::spawn(reconcile::run(Parts {
            client,
            tenants,
            namespaces,
            fingerprints,
            watches,
            tenant_watches,
            secret_watches,
            events,
            clock: Clocks::following(ends.clock.date(ends.clock.now())),
            settings,
            fence,
            metrics: metrics.reconcile.clone(),
            watchdog: Watchdog::new(STUCK_AFTER),
            concurrency: 4,
            shutdown,
        }));
        Self { number, lease, stop, running, events: tokio::spawn(writing) }
    }

    /// The lease is held until this moment; `None`: it is lost.
    pub fn hold(&mut self, clock: Clock, until: Option<Duration>) {
        if let Some(lease) = &mut self.lease {
            lease.hold(clock, until);
        }
    }

    /// Begins nothing any more, as after a signal or the loss of the lease.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// The end of the process: what it was doing is not done.
    pub async fn kill(self) -> (u8, Option<Lease>) {
        for task in [self.running, self.events] {
            task.abort();
            drop(task.await);
        }
        (self.number, self.lease)
    }

    /// Whether the loop has ended although nobody stopped it.
    pub fn has_ended(&self) -> bool {
        self.running.is_finished() && !*self.stop.borrow()
    }
}

fn endpoints() -> Endpoints {
    let url = |text| Some(Url::parse(text).unwrap());
    Endpoints::new(Cloud::Global, url(GRAPH), url(LOGIN)).unwrap()
}

fn connections(graph: Graph, operator: u8) -> Connections {
    Connections {
        options: Box::new(|_, _| Options::new(endpoints())),
        transport: Arc::new(Line { graph, operator }),
        own: None,
        operator_namespace: OPERATOR_NAMESPACE.to_owned(),
    }
}

fn graph_client(graph: Graph, operator: u8) -> Client {
    let endpoints = endpoints();
    let credential = Credential::ClientSecret {
        tenant_id: super::graph::TENANT.to_owned(),
        client_id: "5b9a1c44-0e2f-4a6b-b1d7-93c2f0e8a655".to_owned(),
        secret: SECRET.to_owned().into(),
    };
    let tenant = credential.tenant().map(str::to_owned);
    let options = Options::new(endpoints);
    let limits = options.own_limits();
    Client::with_transport(options, Arc::new(credential), tenant, Arc::new(Line { graph, operator }), limits)
}
