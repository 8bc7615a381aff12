//! Calls to Graph and to the login service, apart for each tenant.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::exemplar::{self, Trace, TracedHistogram};
use super::table::{self, Spec};
use crate::graph::{LoginResult, Observer, Seen, Shortage, Shut};

const SECONDS: [f64; 10] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    tenant: String,
    operation: &'static str,
    /// `success`, or the kind of failure.
    class: &'static str,
    /// The HTTP status, 0 where there was no answer or nothing was sent.
    code: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Operation {
    tenant: String,
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Login {
    tenant: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Wait {
    tenant: String,
    shortage: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Rate {
    tenant: String,
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tenant {
    tenant: String,
}

/// What all tenants share: the families, in which each tenant has series of its own.
#[derive(Clone, Debug)]
pub struct GraphMetrics {
    requests: Family<Call, Counter>,
    seconds: Family<Operation, TracedHistogram>,
    logins: Family<Login, Counter>,
    waits: Family<Wait, Counter>,
    wait_seconds: Family<Wait, Counter<f64, AtomicU64>>,
    gates: Gates,
}

impl GraphMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| TracedHistogram::new(SECONDS.into_iter())),
            logins: Family::default(),
            waits: Family::default(),
            wait_seconds: Family::default(),
            gates: Gates::default(),
        };
        table::GRAPH_REQUESTS.register(registry, metrics.requests.clone());
        table::GRAPH_SECONDS.register(registry, metrics.seconds.clone());
        table::GRAPH_BUDGET_WAITS.register(registry, metrics.waits.clone());
        table::GRAPH_BUDGET_WAIT_SECONDS.register(registry, metrics.wait_seconds.clone());
        table::LOGIN_REQUESTS.register(registry, metrics.logins.clone());
        registry.register_collector(Box::new(metrics.gates.clone()));
        metrics
    }

    /// What observes the client of one tenant. Its gauges go when the client does.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Arc<dyn Observer> {
        for result in LoginResult::ALL {
            let _at_zero = self.logins.get_or_create(&Login { tenant: name.to_owned(), result: result.name() });
        }
        for shortage in Shortage::ALL {
            let labels = Wait { tenant: name.to_owned(), shortage: shortage.name() };
            self.waits.get_or_create(&labels).inc_by(0);
            self.wait_seconds.get_or_create(&labels).inc_by(0.0);
        }
        let gate = Arc::default();
        self.gates.0.lock().insert(name.to_owned(), Arc::downgrade(&gate));
        Arc::new(TenantMetrics { tenant: name.to_owned(), all: self.clone(), gate })
    }
}

/// Why and until when the client of a tenant sends nothing.
#[derive(Debug, Default)]
struct Gate {
    throttled_until: Option<Instant>,
    unanswered: bool,
    /// Resource units and writes in a second, once a call has ended.
    rates: Option<(f64, f64)>,
}

impl Gate {
    fn throttled_seconds(&self) -> f64 {
        self.throttled_until.map_or(0.0, |until| until.saturating_duration_since(Instant::now()).as_secs_f64())
    }

    fn unanswered(&self) -> f64 {
        f64::from(u8::from(self.unanswered))
    }
}

type Measure = fn(&Gate) -> f64;

const GATE_GAUGES: [(Spec, Measure); 2] =
    [(table::GRAPH_THROTTLED, Gate::throttled_seconds), (table::GRAPH_UNANSWERED, Gate::unanswered)];

/// The gates of all tenants, read at each scrape.
#[derive(Clone, Debug, Default)]
struct Gates(Arc<Mutex<BTreeMap<String, Weak<Mutex<Gate>>>>>);

impl Collector for Gates {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let mut tenants = self.0.lock();
        tenants.retain(|_, gate| gate.strong_count() > 0);
        for (spec, value) in GATE_GAUGES {
            let mut family = spec.describe(&mut encoder)?;
            for (tenant, gate) in tenants.iter().filter_map(|(tenant, gate)| Some((tenant, gate.upgrade()?))) {
                let labels = Tenant { tenant: tenant.clone() };
                ConstGauge::new(value(&gate.lock())).encode(family.encode_family(&labels)?)?;
            }
        }
        let mut family = table::GRAPH_BUDGET_RATE.describe(&mut encoder)?;
        for (tenant, gate) in tenants.iter().filter_map(|(tenant, gate)| Some((tenant, gate.upgrade()?))) {
            let Some((units, writes)) = gate.lock().rates else { continue };
            for (kind, rate) in [(Shortage::Units.name(), units), (Shortage::Writes.name(), writes)] {
                let labels = Rate { tenant: tenant.clone(), kind };
                ConstGauge::new(rate).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

/// The observer of one tenant's client.
#[derive(Debug)]
struct TenantMetrics {
    tenant: String,
    all: GraphMetrics,
    gate: Arc<Mutex<Gate>>,
}

impl Observer for TenantMetrics {
    fn call(&self, seen: &Seen) {
        let (tenant, operation) = (self.tenant.clone(), seen.operation.name());
        let call = Call { tenant, operation, class: seen.class, code: seen.status.unwrap_or_default() };
        self.all.requests.get_or_create(&call).inc();
        let labels = Operation { tenant: call.tenant, operation };
        exemplar::observe(&self.all.seconds.get_or_create(&labels), seen.took, Trace::current());
    }

    fn login(&self, result: LoginResult) {
        self.all.logins.get_or_create(&Login { tenant: self.tenant.clone(), result: result.name() }).inc();
    }

    fn shut(&self, until: Instant, why: Shut) {
        let mut gate = self.gate.lock();
        match why {
            Shut::Throttled => gate.throttled_until = Some(until),
            Shut::Unanswered => gate.unanswered = true,
        }
    }

    fn opened(&self) {
        self.gate.lock().unanswered = false;
    }

    fn waited(&self, shortage: Shortage, took: Duration) {
        let labels = Wait { tenant: self.tenant.clone(), shortage: shortage.name() };
        self.all.waits.get_or_create(&labels).inc();
        self.all.wait_seconds.get_or_create(&labels).inc_by(took.as_secs_f64());
    }

    fn rates(&self, units: f64, writes: f64) {
        self.gate.lock().rates = Some((units, writes));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn scraped(registry: &Registry, metric: &str) -> Vec<String> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
        text.lines().filter(|line| line.starts_with(metric)).map(str::to_owned).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn each_tenant_has_gauges_of_its_own_which_go_with_its_client() {
        let mut registry = Registry::default();
        let metrics = GraphMetrics::register(&mut registry);
        let (own, other) = (metrics.tenant("operator"), metrics.tenant("team-a/contoso"));
        own.shut(Instant::now() + Duration::from_secs(60), Shut::Throttled);
        other.shut(Instant::now() + Duration::from_secs(9), Shut::Unanswered);
        assert_eq!(
            scraped(&registry, "entrain_graph_throttled_seconds"),
            [
                "entrain_graph_throttled_seconds{tenant=\"operator\"} 60.0",
                "entrain_graph_throttled_seconds{tenant=\"team-a/contoso\"} 0.0"
            ]
        );
        assert_eq!(
            scraped(&registry, "entrain_graph_breaker_open"),
            [
                "entrain_graph_breaker_open{tenant=\"operator\"} 0.0",
                "entrain_graph_breaker_open{tenant=\"team-a/contoso\"} 1.0"
            ]
        );
        other.opened();
        assert!(scraped(&registry, "entrain_graph_breaker_open").iter().all(|line| line.ends_with(" 0.0")));
        other.login(LoginResult::Refused);
        own.rates(344.75, 5.0);
        other.rates(344.75, 19.7);
        assert_eq!(scraped(&registry, "entrain_graph_budget_rate").len(), 4);
        drop(other);
        assert_eq!(
            scraped(&registry, "entrain_graph_budget_rate"),
            [
                "entrain_graph_budget_rate{tenant=\"operator\",kind=\"units\"} 344.75",
                "entrain_graph_budget_rate{tenant=\"operator\",kind=\"writes\"} 5.0"
            ]
        );
        own.waited(Shortage::Writes, Duration::from_millis(1500));
        own.waited(Shortage::Writes, Duration::from_millis(500));
        for (metric, value) in [("waits_total", "2"), ("wait_seconds_total", "2.0")] {
            let name = format!("entrain_graph_budget_{metric}");
            let line = format!("{name}{{tenant=\"operator\",shortage=\"writes\"}} {value}");
            assert!(scraped(&registry, &name).contains(&line), "{line}");
        }
        assert_eq!(scraped(&registry, "entrain_graph_breaker_open").len(), 1);
        let refused: Vec<String> = scraped(&registry, "entrain_login_requests_total")
            .into_iter()
            .filter(|line| line.contains("refused"))
            .collect();
        assert_eq!(refused.iter().filter(|line| line.ends_with(" 1")).count(), 1, "{refused:?}");
        assert_eq!(refused.len(), 2);
    }
}
