//! The queue of the controller, under client-go's names. kube's controller does not show its queue, so a copy of it is kept
//! from what goes in and what comes out: the changes that the watch passes on, the answers of passes, their begin.

use std::collections::HashMap;
use std::ops::Add;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::runtime::reflector::ObjectRef;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::reconcile::{CONTROLLER, SECONDS};
use super::table::{self, Computed, Spec};
use crate::api::SyncJob;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    name: &'static str,
    controller: &'static str,
}

const LABELS: Labels = Labels { name: CONTROLLER, controller: CONTROLLER };

/// Which object.
pub type Key = ObjectRef<SyncJob>;

/// What waits and what is worked on. Clones share it.
#[derive(Clone, Debug)]
pub struct Queue {
    state: Arc<Mutex<State>>,
    adds: Counter,
    retries: Counter,
    waited: Histogram,
    worked: Histogram,
}

#[derive(Debug, Default)]
struct State {
    /// By when each is due.
    waiting: HashMap<Key, Instant>,
    /// By when its pass began.
    running: HashMap<Key, Instant>,
}

impl Queue {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let counter = |spec: Spec, registry: &mut Registry| spec.register_one(registry, &Family::default(), &LABELS);
        let histogram = |spec: Spec, registry: &mut Registry| {
            let family = Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
            spec.register_one(registry, &family, &LABELS)
        };
        let state = Arc::<Mutex<State>>::default();
        for (spec, measure) in STATE_GAUGES {
            let state = state.clone();
            let value = move || measure(&lock(&state), Instant::now());
            registry.register_collector(Box::new(Computed { spec, labels: LABELS, value }));
        }
        Self {
            adds: counter(table::QUEUE_ADDS, registry),
            retries: counter(table::QUEUE_RETRIES, registry),
            waited: histogram(table::QUEUE_SECONDS, registry),
            worked: histogram(table::QUEUE_WORK_SECONDS, registry),
            state,
        }
    }

    /// The watch passed a change on.
    pub fn changed(&self, key: Key) {
        self.add(key, Instant::now());
    }

    /// The object turned out not to exist any more when its time had come.
    pub fn gone(&self, key: &Key) {
        lock(&self.state).waiting.remove(key);
    }

    pub(super) fn begin(&self, key: Key) {
        let now = Instant::now();
        let mut state = lock(&self.state);
        // What came while this very pass waited for a free slot is worked on right after it.
        let due = state.waiting.remove(&key).unwrap_or(now);
        state.running.insert(key, now);
        self.waited.observe(now.saturating_duration_since(due).as_secs_f64());
    }

    /// A pass asked for another one.
    pub(super) fn requeue(&self, key: Key, after: Duration, trouble: bool) {
        if trouble {
            self.retries.inc();
        }
        // Later than any clock tells is never.
        if let Some(due) = Instant::now().checked_add(after) {
            self.add(key, due);
        }
    }

    pub(super) fn end(&self, key: &Key) {
        if let Some(began) = lock(&self.state).running.remove(key) {
            self.worked.observe(began.elapsed().as_secs_f64());
        }
    }

    /// The earlier time wins, as it does in the queue itself.
    fn add(&self, key: Key, due: Instant) {
        let mut state = lock(&self.state);
        let old = state.waiting.get(&key).copied();
        if old.is_some_and(|old| old <= due) {
            return;
        }
        state.waiting.insert(key, due);
        self.adds.inc();
    }
}

type Measure = fn(&State, Instant) -> f64;

const STATE_GAUGES: [(Spec, Measure); 3] = [
    (table::QUEUE_DEPTH, |state, now| {
        let due = state.waiting.values().filter(|due| **due <= now).count();
        u32::try_from(due).map_or(f64::INFINITY, f64::from)
    }),
    (table::QUEUE_UNFINISHED, |state, now| ages(state, now).fold(0.0, f64::add)),
    (table::QUEUE_LONGEST, |state, now| ages(state, now).fold(0.0, f64::max)),
];

fn ages(state: &State, now: Instant) -> impl Iterator<Item = f64> {
    state.running.values().map(move |began| now.saturating_duration_since(*began).as_secs_f64())
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    const A_SECOND: Duration = Duration::from_secs(1);

    fn key() -> Key {
        Key::new("box").within("default")
    }

    /// Of whole seconds, without the fraction that says nothing.
    fn values<const N: usize>(registry: &Registry, names: [&str; N]) -> [String; N] {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        names.map(|name| {
            let start = format!("workqueue_{name}{{name=\"syncjob\",controller=\"syncjob\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&start)).unwrap().trim_end_matches(".0").to_owned()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn what_changed_waits_until_its_pass_begins_and_is_worked_on_until_it_ends() {
        let mut registry = Registry::default();
        let queue = Queue::register(&mut registry);
        let waits = ["depth", "adds_total", "queue_duration_seconds_count", "queue_duration_seconds_sum"];
        let works =
            ["unfinished_work_seconds", "longest_running_processor_seconds", "work_duration_seconds_sum", "depth"];
        assert_eq!(values(&registry, waits), ["0"; 4]);
        queue.changed(key());
        tokio::time::advance(A_SECOND).await;
        queue.changed(key());
        assert_eq!(values(&registry, waits), ["1", "1", "0", "0"], "one object waits once");
        tokio::time::advance(A_SECOND).await;
        queue.begin(key());
        assert_eq!(values(&registry, waits), ["0", "1", "1", "2"], "since the first change");
        queue.begin(Key::new("box"));
        tokio::time::advance(3 * A_SECOND).await;
        assert_eq!(values(&registry, works), ["6", "3", "0", "0"], "two passes of three seconds");
        queue.changed(key());
        queue.end(&key());
        assert_eq!(values(&registry, works), ["3", "3", "3", "1"], "what changes during a pass waits for the next");
        assert_eq!(values(&registry, ["adds_total"]), ["2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_for_later_is_not_in_the_depth_before_its_time_and_the_earlier_time_wins() {
        let mut registry = Registry::default();
        let queue = Queue::register(&mut registry);
        let names = ["depth", "adds_total", "retries_total"];
        queue.requeue(key(), 10 * A_SECOND, true);
        queue.requeue(key(), 20 * A_SECOND, false);
        assert_eq!(values(&registry, names), ["0", "1", "1"]);
        tokio::time::advance(10 * A_SECOND).await;
        assert_eq!(values(&registry, names), ["1", "1", "1"]);
        queue.begin(key());
        assert_eq!(values(&registry, ["queue_duration_seconds_sum"]), ["0"], "it was not late");
        queue.requeue(key(), 10 * A_SECOND, false);
        queue.changed(key());
        assert_eq!(values(&registry, names), ["1", "3", "1"], "a change does not wait for the time that was set");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_kept_of_what_is_gone() {
        let mut registry = Registry::default();
        let queue = Queue::register(&mut registry);
        queue.changed(key());
        queue.begin(key());
        queue.end(&key());
        queue.changed(key());
        queue.gone(&key());
        assert_eq!(values(&registry, ["depth", "unfinished_work_seconds"]), ["0", "0"]);
        let state = lock(&queue.state);
        assert!(state.waiting.is_empty() && state.running.is_empty(), "{state:?}");
    }
}
