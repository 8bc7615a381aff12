//! The queue, under client-go's names. What waits and what is worked on is read off the queue at each scrape.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::reconcile::{CONTROLLER, SECONDS};
use super::table::{self, Computed, Spec};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    name: &'static str,
    controller: &'static str,
}

const LABELS: Labels = Labels { name: CONTROLLER, controller: CONTROLLER };

/// A queue at one instant.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueueState {
    /// How many objects are due and wait.
    pub depth: usize,
    /// The ages of all passes under way, added up.
    pub unfinished: Duration,
    /// The age of the oldest pass under way.
    pub longest: Duration,
}

type Source = dyn Fn() -> QueueState + Send + Sync;

/// Clones share it.
#[derive(Clone)]
pub struct QueueMetrics {
    source: Arc<OnceLock<Box<Source>>>,
    adds: Counter,
    retries: Counter,
    waited: Histogram,
    worked: Histogram,
}

impl fmt::Debug for QueueMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueueMetrics")
    }
}

impl QueueMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let counter = |spec: Spec, registry: &mut Registry| spec.register_one(registry, &Family::default(), &LABELS);
        let histogram = |spec: Spec, registry: &mut Registry| {
            let family = Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
            spec.register_one(registry, &family, &LABELS)
        };
        let source = Arc::<OnceLock<Box<Source>>>::default();
        for (spec, measure) in STATE_GAUGES {
            let source = source.clone();
            let value = move || measure(&source.get().map(|source| source()).unwrap_or_default());
            registry.register_collector(Box::new(Computed { spec, labels: LABELS, value }));
        }
        Self {
            source,
            adds: counter(table::QUEUE_ADDS, registry),
            retries: counter(table::QUEUE_RETRIES, registry),
            waited: histogram(table::QUEUE_SECONDS, registry),
            worked: histogram(table::QUEUE_WORK_SECONDS, registry),
        }
    }

    /// Where the state of the queue is found. Only the first queue that is shown is.
    pub fn show(&self, source: impl Fn() -> QueueState + Send + Sync + 'static) {
        let _ = self.source.set(Box::new(source));
    }

    /// A change put an object into the queue, or brought it forward.
    pub fn added(&self) {
        self.adds.inc();
    }

    /// A pass began over an object that had been due for this long.
    pub fn began(&self, waited: Duration) {
        self.waited.observe(waited.as_secs_f64());
    }

    /// A pass ended. `again` if it put its object into the queue for later, `retry` if it did so because it failed.
    pub fn ended(&self, took: Duration, again: bool, retry: bool) {
        self.worked.observe(took.as_secs_f64());
        if again {
            self.adds.inc();
        }
        if retry {
            self.retries.inc();
        }
    }
}

type Measure = fn(&QueueState) -> f64;

const STATE_GAUGES: [(Spec, Measure); 3] = [
    (table::QUEUE_DEPTH, |state| u32::try_from(state.depth).map_or(f64::INFINITY, f64::from)),
    (table::QUEUE_UNFINISHED, |state| state.unfinished.as_secs_f64()),
    (table::QUEUE_LONGEST, |state| state.longest.as_secs_f64()),
];

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn what_the_queue_shows_and_what_is_counted_is_what_a_scrape_reads() {
        let mut registry = Registry::default();
        let queue = QueueMetrics::register(&mut registry);
        let values = || {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            let samples = text.lines().filter_map(|line| line.split_once("{name=\"syncjob\",controller=\"syncjob\"} "));
            let mut samples: Vec<String> =
                samples.map(|(name, value)| format!("{} {value}", name.trim_start_matches("workqueue_"))).collect();
            samples.sort();
            samples
        };
        assert!(values().iter().all(|sample| sample.ends_with(" 0") || sample.ends_with(" 0.0")), "{:?}", values());
        let second = Duration::from_secs(1);
        queue.show(|| QueueState { depth: 3, unfinished: Duration::from_secs(6), longest: Duration::from_secs(4) });
        queue.show(QueueState::default);
        queue.added();
        queue.began(2 * second);
        queue.ended(5 * second, true, false);
        queue.ended(5 * second, true, true);
        queue.ended(5 * second, false, false);
        assert_eq!(
            values(),
            [
                "adds_total 3",
                "depth 3.0",
                "longest_running_processor_seconds 4.0",
                "queue_duration_seconds_count 1",
                "queue_duration_seconds_sum 2.0",
                "retries_total 1",
                "unfinished_work_seconds 6.0",
                "work_duration_seconds_count 3",
                "work_duration_seconds_sum 15.0",
            ]
        );
    }
}
