//! The loop, under controller-runtime's names.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

const CONTROLLER: &str = "syncjob";
/// From controller-runtime's buckets, those that differ for this controller.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Controller {
    controller: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    controller: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug)]
pub struct ReconcileMetrics {
    total: Family<Outcome, Counter>,
    errors: Family<Controller, Counter>,
    panics: Family<Controller, Counter>,
    seconds: Family<Controller, Histogram>,
    active: Family<Controller, Gauge>,
}

impl ReconcileMetrics {
    pub(super) fn register(registry: &mut Registry, concurrency: u16) -> Self {
        let metrics = Self {
            total: Family::default(),
            errors: Family::default(),
            panics: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            active: Family::default(),
        };
        let limit = Family::<Controller, Gauge>::default();
        limit.get_or_create(&SYNC_JOB).set(i64::from(concurrency));
        registry.register(
            "controller_runtime_reconcile",
            "Passes, by result: success, error, or requeue_after",
            metrics.total.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_errors",
            "Passes that ended in trouble",
            metrics.errors.clone(),
        );
        registry.register("controller_runtime_reconcile_panics", "Passes that panicked", metrics.panics.clone());
        registry.register("controller_runtime_reconcile_time_seconds", "How long passes took", metrics.seconds.clone());
        registry.register("controller_runtime_active_workers", "Passes under way", metrics.active.clone());
        registry.register("controller_runtime_max_concurrent_reconciles", "How many passes may be under way", limit);
        metrics
    }

    /// A pass begins.
    pub fn begin(&self) -> Timer {
        self.active.get_or_create(&SYNC_JOB).inc();
        Timer { metrics: self.clone(), began: Instant::now() }
    }
}

const SYNC_JOB: Controller = Controller { controller: CONTROLLER };

/// A pass under way; it counts as ended when dropped.
pub struct Timer {
    metrics: ReconcileMetrics,
    began: Instant,
}

impl Timer {
    pub fn succeeded(&self, requeued: bool) {
        self.count(if requeued { "requeue_after" } else { "success" });
    }

    pub fn failed(&self) {
        self.count("error");
        self.metrics.errors.get_or_create(&SYNC_JOB).inc();
    }

    pub fn panicked(&self) {
        self.failed();
        self.metrics.panics.get_or_create(&SYNC_JOB).inc();
    }

    fn count(&self, result: &'static str) {
        self.metrics.total.get_or_create(&Outcome { controller: CONTROLLER, result }).inc();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.metrics.active.get_or_create(&SYNC_JOB).dec();
        self.metrics.seconds.get_or_create(&SYNC_JOB).observe(self.began.elapsed().as_secs_f64());
    }
}
