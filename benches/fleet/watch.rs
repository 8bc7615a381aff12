//! What a bare watch over the SyncJobs shows: how many there are and how many are ready.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use kube::api::{ApiResource, GroupVersionKind, Object};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::watch::{self, Receiver};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use super::fleet::NAMESPACE;
use super::process::{Operator, epoch};

/// The little of a SyncJob that counts here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    observed_generation: Option<i64>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

type Seen = Object<IgnoredAny, Status>;

/// How many there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub known: usize,
    pub ready: usize,
    /// Events since the start, the initial list aside.
    pub events: usize,
}

/// When each generation of each SyncJob was first seen, in seconds since the epoch.
pub type Generations = HashMap<(String, i64), f64>;

pub struct Watch {
    counts: Receiver<Counts>,
    generations: Arc<Mutex<Generations>>,
    task: JoinHandle<()>,
}

/// Nothing may stand still for longer.
const PATIENCE: Duration = Duration::from_secs(180);

impl Watch {
    pub fn start(client: Client) -> Self {
        let (send, counts) = watch::channel(Counts::default());
        let generations = Arc::<Mutex<Generations>>::default();
        let marks = generations.clone();
        let task = tokio::spawn(async move {
            let api: Api<Seen> = Api::namespaced_with(client, NAMESPACE, &resource());
            let mut events = watcher(api, watcher::Config::default()).boxed();
            let (mut known, mut seen) = (HashMap::<String, bool>::new(), Counts::default());
            while let Some(event) = events.next().await {
                match event {
                    Ok(Event::Init) => known.clear(),
                    Ok(Event::InitApply(object)) => drop(known.insert(name(&object), is_ready(&object))),
                    Ok(Event::InitDone) => seen.ready = known.values().filter(|ready| **ready).count(),
                    Ok(Event::Apply(object)) => {
                        let version = (name(&object), object.metadata.generation.unwrap_or_default());
                        marks.lock().entry(version).or_insert_with(epoch);
                        let ready = is_ready(&object);
                        let before = known.insert(name(&object), ready).unwrap_or_default();
                        seen.ready = seen.ready + usize::from(ready) - usize::from(before);
                        seen.events += 1;
                    }
                    Ok(Event::Delete(object)) => {
                        let before = known.remove(&name(&object)).unwrap_or_default();
                        seen.ready -= usize::from(before);
                        seen.events += 1;
                    }
                    Err(error) => eprintln!("  the bench's own watch: {error}"),
                }
                seen.known = known.len();
                send.send_replace(seen);
            }
        });
        Self { counts, generations, task }
    }

    pub fn seen(&self, name: &str, generation: i64) -> Option<f64> {
        self.generations.lock().get(&(name.to_owned(), generation)).copied()
    }

    pub fn now(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Waits until something is so of the numbers, shows how far it is, and returns when it was seen.
    pub async fn until(&mut self, what: &str, operator: &mut Operator, is: impl Fn(&Counts) -> bool) -> Instant {
        let (began, mut last, mut moved) = (Instant::now(), 0, Instant::now());
        loop {
            let tick = tokio::time::timeout(Duration::from_secs(10), self.counts.wait_for(&is)).await.is_ok();
            if tick {
                return Instant::now();
            }
            let now = self.now();
            operator.lives();
            eprintln!("  {what}: {} of {} ready after {:.0} s", now.ready, now.known, began.elapsed().as_secs_f64());
            if now.events != last {
                (last, moved) = (now.events, Instant::now());
            }
            assert!(moved.elapsed() < PATIENCE, "{what}: {now:?} and no change\n{}", operator.log_tail());
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn resource() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("entrain.dev", "v1alpha1", "SyncJob"), "syncjobs")
}

fn name(object: &Seen) -> String {
    object.metadata.name.clone().unwrap_or_default()
}

fn is_ready(object: &Seen) -> bool {
    let Some(status) = &object.status else { return false };
    status.observed_generation == object.metadata.generation
        && status.conditions.iter().any(|condition| condition.kind == "Ready" && condition.status == "True")
}
