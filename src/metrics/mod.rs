//! What is counted and measured. Where the meaning is controller-runtime's or client-go's, so are the names; the rest is
//! `entrain_*`. The state of objects and of the queue is read at each scrape, so that what is deleted is gone at once.

mod controller;
mod exemplar;
mod graph;
mod objects;
mod queue;
mod reconcile;
mod rest;
mod table;
mod tenants;
mod watch;

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text, text};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use graph::GraphMetrics;
pub use objects::{Objects, SERIES_PER_OBJECT};
pub use queue::{QueueMetrics, QueueState};
pub use reconcile::{ReconcileMetrics, Timer};
pub use rest::RestMetrics;
pub use table::{METRICS, Spec};
pub use tenants::{NamedStatus, Tenants};
pub use watch::Silence;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Name {
    name: String,
}

/// An operator has at most this many series that belong to no object: what they are counted by are closed lists, of which
/// one process sees a part.
pub const SERIES_FIXED_MAX: usize = 600;

/// How a scrape is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0, with exemplars.
    OpenMetrics,
    /// Prometheus' own text format.
    Prometheus,
}

impl Format {
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
        }
    }
}

/// All metrics of this process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub graph: GraphMetrics,
    pub reconcile: ReconcileMetrics,
    leader: Family<Name, Gauge>,
}

impl Metrics {
    pub fn new(concurrency: u16, objects: Objects, tenants: Tenants, silence: Silence, rest: &RestMetrics) -> Self {
        let mut registry = Registry::default();
        table::BUILD.register(&mut registry, Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let graph = GraphMetrics::register(&mut registry);
        let reconcile = ReconcileMetrics::register(&mut registry, concurrency);
        registry.register_collector(Box::new(silence));
        rest.register(&mut registry);
        let leader = Family::default();
        table::LEADER.register(&mut registry, leader.clone());
        registry.register_collector(Box::new(objects));
        registry.register_collector(Box::new(tenants));
        Self { registry, graph, reconcile, leader }
    }

    /// Whether this process holds the lease.
    pub fn leads(&self, lease: &str, leads: bool) {
        self.leader.get_or_create(&Name { name: lease.to_owned() }).set(i64::from(leads));
    }

    /// Everything, as it is now.
    pub fn text(&self, format: Format) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        match format {
            Format::OpenMetrics => text::encode(&mut text, &self.registry)?,
            Format::Prometheus => prometheus_text::encode(&mut text, &self.registry)?,
        }
        Ok(text)
    }
}
