//! Calls to Graph and to the login service.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::exemplar::{self, Trace, TracedHistogram};
use super::table::{self, Computed};
use crate::graph::{LoginResult, Observer, Seen, Shut};

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

impl Login {
    fn of(result: LoginResult) -> Self {
        Self { tenant: OWN_TENANT, result: result.name() }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tenant {
    tenant: &'static str,
}

#[derive(Clone, Debug)]
pub struct GraphMetrics {
    requests: Family<Call, Counter>,
    seconds: Family<Operation, TracedHistogram>,
    logins: Family<Login, Counter>,
    /// Until when Graph asked to wait; a scrape tells how long that is from then.
    gate: Arc<Mutex<Option<Instant>>>,
}

impl GraphMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| TracedHistogram::new(SECONDS.into_iter())),
            logins: Family::default(),
            gate: Arc::default(),
        };
        table::GRAPH_REQUESTS.register(registry, metrics.requests.clone());
        table::GRAPH_SECONDS.register(registry, metrics.seconds.clone());
        let gate = metrics.gate.clone();
        let left = move || {
            let until = *gate.lock().unwrap_or_else(PoisonError::into_inner);
            until.map_or(0.0, |until| until.saturating_duration_since(Instant::now()).as_secs_f64())
        };
        let labels = Tenant { tenant: OWN_TENANT };
        registry.register_collector(Box::new(Computed { spec: table::GRAPH_THROTTLED, labels, value: left }));
        table::LOGIN_REQUESTS.register(registry, metrics.logins.clone());
        for result in LoginResult::ALL {
            let _at_zero = metrics.logins.get_or_create(&Login::of(result));
        }
        metrics
    }
}

impl Observer for GraphMetrics {
    fn call(&self, seen: &Seen) {
        let (tenant, operation) = (OWN_TENANT, seen.operation.name());
        let call = Call { tenant, operation, class: seen.class, code: seen.status.unwrap_or_default() };
        self.requests.get_or_create(&call).inc();
        exemplar::observe(&self.seconds.get_or_create(&Operation { tenant, operation }), seen.took, Trace::current());
    }

    fn login(&self, result: LoginResult) {
        self.logins.get_or_create(&Login::of(result)).inc();
    }

    fn shut(&self, until: Instant, why: Shut) {
        match why {
            Shut::Throttled => *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = Some(until),
            Shut::Unanswered => {}
        }
    }

    fn opened(&self) {}
}
