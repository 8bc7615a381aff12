//! Calls to Graph and to the login service.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use crate::graph::{Observer, Seen};

/// The application and tenant that the operator itself was given; others have the names of their resources.
const OWN_TENANT: &str = "operator";
const SECONDS: [f64; 10] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    tenant: &'static str,
    operation: &'static str,
    /// `success`, or the kind of failure.
    class: &'static str,
    /// The HTTP status, 0 where there was no answer or nothing was sent.
    code: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Operation {
    tenant: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Login {
    tenant: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug)]
pub struct GraphMetrics {
    requests: Family<Call, Counter>,
    seconds: Family<Operation, Histogram>,
    logins: Family<Login, Counter>,
    gate: Gate,
}

/// Until when Graph asked to wait; a scrape tells how long that is from then.
#[derive(Clone, Debug, Default)]
struct Gate(Arc<Mutex<Option<Instant>>>);

impl GraphMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            logins: Family::default(),
            gate: Gate::default(),
        };
        registry.register(
            "entrain_graph_requests",
            "Calls to Microsoft Graph, those that were held back included, by what came of them",
            metrics.requests.clone(),
        );
        registry.register(
            "entrain_graph_request_duration_seconds",
            "How long calls to Microsoft Graph took, waiting for a free slot and for a token included",
            metrics.seconds.clone(),
        );
        registry.register("entrain_login_requests", "Logins, by result", metrics.logins.clone());
        registry.register_collector(Box::new(metrics.gate.clone()));
        metrics
    }
}

impl Observer for GraphMetrics {
    fn call(&self, seen: &Seen) {
        let (tenant, operation) = (OWN_TENANT, seen.operation.name());
        let call = Call { tenant, operation, class: seen.class, code: seen.status.unwrap_or_default() };
        self.requests.get_or_create(&call).inc();
        self.seconds.get_or_create(&Operation { tenant, operation }).observe(seen.took.as_secs_f64());
    }

    fn login(&self, result: &'static str) {
        self.logins.get_or_create(&Login { tenant: OWN_TENANT, result }).inc();
    }

    fn gate_closed(&self, until: Instant) {
        *self.gate.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}

impl Collector for Gate {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.map_or(0.0, |until| until.saturating_duration_since(Instant::now()).as_secs_f64());
        let mut family = encoder.encode_descriptor(
            "entrain_graph_throttled_seconds",
            "For how much longer no call is sent, because Microsoft Graph asked to wait; 0 if it did not",
            None,
            prometheus_client::metrics::MetricType::Gauge,
        )?;
        ConstGauge::new(left).encode(family.encode_family(&[("tenant", OWN_TENANT)])?)
    }
}
