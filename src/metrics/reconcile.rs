//! The loop, under controller-runtime's names.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::exemplar::{self, Trace, TracedHistogram};
use super::queue::QueueMetrics;
use super::table;

pub(super) const CONTROLLER: &str = "syncjob";
/// Seconds; from controller-runtime's buckets, those that differ for this controller.
pub(super) const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Controller {
    controller: &'static str,
}

fn buckets() -> TracedHistogram {
    TracedHistogram::new(SECONDS.into_iter())
}

const LABELS: Controller = Controller { controller: CONTROLLER };

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    controller: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug)]
pub struct ReconcileMetrics {
    pub queue: QueueMetrics,
    success: Counter,
    requeue_after: Counter,
    error: Counter,
    errors: Counter,
    panics: Counter,
    left_behind: Counter,
    seconds: TracedHistogram,
    active: Gauge,
}

impl ReconcileMetrics {
    pub(super) fn register(registry: &mut Registry, concurrency: u16) -> Self {
        let total = Family::<Outcome, Counter>::default();
        table::RECONCILE_TOTAL.register(registry, total.clone());
        let result = |result| total.get_or_create_owned(&Outcome { controller: CONTROLLER, result });
        let limit: Gauge = table::CONCURRENCY.register_one(registry, &Family::default(), &LABELS);
        limit.set(concurrency.into());
        let left_behind = Counter::default();
        table::LEFT_BEHIND.register(registry, left_behind.clone());
        Self {
            queue: QueueMetrics::register(registry),
            success: result("success"),
            requeue_after: result("requeue_after"),
            error: result("error"),
            errors: table::RECONCILE_ERRORS.register_one(registry, &Family::default(), &LABELS),
            panics: table::RECONCILE_PANICS.register_one(registry, &Family::default(), &LABELS),
            left_behind,
            seconds: table::RECONCILE_SECONDS.register_one(registry, &Family::new_with_constructor(buckets), &LABELS),
            active: table::ACTIVE_WORKERS.register_one(registry, &Family::default(), &LABELS),
        }
    }

    /// A finalizer went although the job may remain.
    pub fn left_behind(&self) {
        self.left_behind.inc();
    }

    /// A pass begins, within the span that traces it.
    pub fn begin(&self) -> Timer {
        self.active.inc();
        Timer { metrics: self.clone(), began: Instant::now(), trace: Trace::current() }
    }
}

/// A pass under way; it counts as ended when dropped.
pub struct Timer {
    metrics: ReconcileMetrics,
    began: Instant,
    trace: Option<Trace>,
}

impl Timer {
    /// `again` if there will be another pass without a change.
    pub fn succeeded(&self, again: bool) {
        if again { &self.metrics.requeue_after } else { &self.metrics.success }.inc();
    }

    pub fn failed(&self) {
        self.metrics.error.inc();
        self.metrics.errors.inc();
    }

    pub fn panicked(&self) {
        self.metrics.panics.inc();
        self.failed();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.metrics.active.dec();
        exemplar::observe(&self.metrics.seconds, self.began.elapsed(), self.trace.take());
    }
}
