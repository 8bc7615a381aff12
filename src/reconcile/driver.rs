//! The loop: what the watches show goes into the queue, what the queue gives is worked on, and what a pass asks for goes
//! into the queue again. Of several things that have happened it takes the first in a fixed order, so that a run under a
//! clock that is moved by hand can be repeated.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::pass::{self, Ended};
use super::queue::{Class, Lane, Queue, Work};
use super::tenants::TenantKey;
use super::{Context, helpers};
use crate::api::SyncJob;
use crate::cluster::watch::{Seen, Watch};
use crate::metrics::QueueState;
use crate::plan::Wake;

/// How long an object whose reconcile panicked is left alone.
const PANIC_RETRY: Duration = Duration::from_secs(300);
/// After a start, objects that are settled have their first look spread over this long.
const FIRST_LOOKS_WITHIN: Duration = Duration::from_secs(5);

/// Names an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    SyncJob(Arc<ObjectRef<SyncJob>>),
}

/// How a pass ended, and what comes after it.
struct Done {
    failed: bool,
    after: Option<Duration>,
}

type Shared = Arc<Mutex<Queue<Key>>>;

struct Driver {
    context: Arc<Context>,
    queue: Shared,
    passes: JoinSet<Done>,
    keys: HashMap<task::Id, Key>,
}

/// What happened next.
enum Happened {
    Stop,
    PassEnded(Result<(task::Id, Done), JoinError>),
    Seen(Seen),
    HelperEnded(Result<(), JoinError>),
    TimeCame,
}

/// Works until `shutdown` turns true and the passes under way have ended.
pub(super) async fn run(
    watches: Vec<Watch>,
    context: Arc<Context>,
    concurrency: u16,
    mut shutdown: watch::Receiver<bool>,
) {
    let (mut seen, mut helpers) = helpers(watches, &context);
    let queue = Arc::new(Mutex::new(Queue::new(concurrency.into())));
    let shown = queue.clone();
    context.metrics.queue.show(move || state(&shown));
    let mut driver = Driver { context, queue, passes: JoinSet::new(), keys: HashMap::new() };
    loop {
        let wake = driver.start();
        match happened(&mut driver.passes, &mut seen, &mut helpers, &mut shutdown, wake).await {
            Happened::Stop => break,
            Happened::PassEnded(ended) => driver.ended(ended),
            Happened::Seen(seen) => driver.seen(seen),
            Happened::HelperEnded(ended) => {
                tracing::error!(?ended, "a watch ended; the operator cannot work without it");
                break;
            }
            Happened::TimeCame => {}
        }
    }
    while let Some(ended) = driver.passes.join_next_with_id().await {
        driver.ended(ended);
    }
}

async fn happened(
    passes: &mut JoinSet<Done>,
    seen: &mut UnboundedReceiver<Seen>,
    helpers: &mut JoinSet<()>,
    shutdown: &mut watch::Receiver<bool>,
    wake: Option<Instant>,
) -> Happened {
    let event = async {
        tokio::select! {
            biased;
            // An error means that the sender is gone, and with it whoever could ask for work.
            _ = shutdown.wait_for(|stop| *stop) => Happened::Stop,
            Some(ended) = passes.join_next_with_id() => Happened::PassEnded(ended),
            Some(seen) = seen.recv() => Happened::Seen(seen),
            Some(ended) = helpers.join_next() => Happened::HelperEnded(ended),
        }
    };
    match wake {
        None => event.await,
        Some(at) => timeout_at(at, event).await.unwrap_or(Happened::TimeCame),
    }
}

impl Driver {
    /// Lets every pass begin that may, and answers when there may be another one.
    fn start(&mut self) -> Option<Instant> {
        loop {
            let (now, tenants) = (Instant::now(), &self.context.tenants);
            let mut queue = self.queue.lock();
            let Some(Work { key, waited, .. }) = queue.next(now, &|tenant: &TenantKey| tenants.availability(tenant))
            else {
                return queue.wake_at();
            };
            let Key::SyncJob(name) = &key;
            // The object as it is now that there is a worker for it.
            let Some(object) = self.context.stores.get(name) else {
                queue.gone(&key);
                queue.finished(&key, None, now);
                continue;
            };
            drop(queue);
            self.context.metrics.queue.began(waited);
            let pass = self.passes.spawn(work_on(object, self.context.clone()));
            self.keys.insert(pass.id(), key);
        }
    }

    fn ended(&mut self, ended: Result<(task::Id, Done), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(key) = self.keys.remove(&id) else { return };
        let done = ended.map_or(Done { failed: true, after: Some(PANIC_RETRY) }, |(_, done)| done);
        let now = Instant::now();
        let Key::SyncJob(name) = &key;
        let class = self.context.stores.get(name).map_or(Class::Poll, |object| class_after(&object, done.failed));
        // What is later than any clock shows is never.
        let next = done.after.and_then(|after| now.checked_add(after)).map(|due| (due, class));
        if let Some((took, added)) = self.queue.lock().finished(&key, next, now) {
            self.context.metrics.queue.ended(took, added, done.failed && done.after.is_some());
        }
    }

    fn seen(&mut self, seen: Seen) {
        match seen {
            Seen::Listed(object) => {
                let class = class_at_first(&object);
                let spread = if class == Class::Poll { self.first_look(&object) } else { Duration::ZERO };
                self.offer(&object, class, Instant::now() + spread);
            }
            Seen::Created(object) if object.metadata.deletion_timestamp.is_none() => {
                self.offer(&object, Class::Created, Instant::now());
            }
            Seen::Created(object) | Seen::Changed(object) => self.offer(&object, Class::Change, Instant::now()),
            Seen::Gone(key) => self.queue.lock().gone(&Key::SyncJob(Arc::new(key))),
        }
    }

    fn offer(&self, object: &SyncJob, class: Class, due: Instant) {
        let namespace = object.namespace().unwrap_or_default().into();
        let lane = Lane { tenant: self.context.tenants.of(object), namespace };
        let key = Key::SyncJob(Arc::new(ObjectRef::from_obj(object)));
        if self.queue.lock().offer(key, class, lane, due) {
            self.context.metrics.queue.added();
        }
    }

    /// SyncJobs of one service principal are looked at together: one list serves them all.
    fn first_look(&self, object: &SyncJob) -> Duration {
        let seed = seed(object, &self.context.tenants.of(object));
        FIRST_LOOKS_WITHIN.mul_f64(f64::from(u16::try_from(seed % 1000).unwrap_or(0)) / 1000.0)
    }
}

/// What an object waits for that the first list shows.
fn class_at_first(object: &SyncJob) -> Class {
    let Some(status) = &object.status else { return Class::New };
    if object.metadata.deletion_timestamp.is_some() || status.report.observed_generation != object.metadata.generation {
        return Class::Change;
    }
    match (&status.identity.job_id, &status.identity.intent) {
        (Some(_), _) => Class::Poll,
        (None, Some(_)) => Class::UnknownOutcome,
        (None, None) => Class::New,
    }
}

/// What an object waits for after a pass.
fn class_after(object: &SyncJob, failed: bool) -> Class {
    let status = object.status.as_ref();
    let (bound, intends) =
        (status.and_then(|it| it.identity.job_id.as_ref()), status.and_then(|it| it.identity.intent.as_ref()));
    if object.metadata.deletion_timestamp.is_some() || bound.is_none() && intends.is_some() {
        Class::UnknownOutcome
    } else if failed && bound.is_none() {
        Class::New
    } else {
        Class::Poll
    }
}

/// One pass. A panic in it ends nothing but this pass.
async fn work_on(object: Arc<SyncJob>, context: Arc<Context>) -> Done {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let seed = seed(&object, &context.tenants.of(&object));
    let span = tracing::debug_span!("reconcile", namespace, name);
    let (timer, _beat) = (span.in_scope(|| context.metrics.begin()), context.pulse.begin());
    let outcome = AssertUnwindSafe(pass::run(object, &context)).catch_unwind().instrument(span).await;
    let after = outcome.as_ref().map_or(Wake::After(PANIC_RETRY), |ended| ended.wake).spread(seed);
    let Ok(Ended { failed, .. }) = outcome else {
        timer.panicked();
        tracing::error!(namespace, name, "a reconcile panicked; this SyncJob is left alone for a while");
        return Done { failed: true, after };
    };
    if failed {
        timer.failed();
    } else {
        timer.succeeded(after.is_some());
    }
    Done { failed, after }
}

/// The same number for all SyncJobs of a service principal, so that they look at the same time and one list serves them
/// all; different for different service principals and tenants, so that those do not wake together.
fn seed(object: &SyncJob, tenant: &TenantKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    (tenant, object.spec.service_principal_id.to_ascii_lowercase()).hash(&mut hasher);
    hasher.finish()
}

/// What metrics show of the queue.
fn state(queue: &Shared) -> QueueState {
    let (queue, now) = (queue.lock(), Instant::now());
    let ages = || queue.ages(now);
    QueueState { depth: queue.depth(now), unfinished: ages().sum(), longest: ages().max().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const INTENT: &str = r#"{"nonce": "n", "recordedTime": "2026-11-25T10:00:00Z", "baseline": []}"#;

    fn object(metadata: &Value, status: &Value) -> SyncJob {
        let mut object = json!({"metadata": {"name": "a", "namespace": "apps", "uid": "a", "generation": 2},
            "spec": {"servicePrincipalId": "2D6F", "templateId": "scim"}, "status": status});
        for (name, value) in metadata.as_object().unwrap() {
            object["metadata"][name] = value.clone();
        }
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn a_first_look_is_as_urgent_as_what_the_object_waits_for() {
        let at_first = |metadata: Value, status: Value| class_at_first(&object(&metadata, &status));
        let intent: Value = serde_json::from_str(INTENT).unwrap();
        assert_eq!(at_first(json!({}), Value::Null), Class::New);
        assert_eq!(at_first(json!({}), json!({"observedGeneration": 2})), Class::New);
        assert_eq!(at_first(json!({}), json!({"observedGeneration": 2, "jobId": "j"})), Class::Poll);
        assert_eq!(at_first(json!({}), json!({"observedGeneration": 2, "intent": intent})), Class::UnknownOutcome);
        assert_eq!(
            at_first(json!({}), json!({"observedGeneration": 1, "jobId": "j"})),
            Class::Change,
            "edited meanwhile"
        );
        let deleted = json!({"deletionTimestamp": "2026-11-25T10:00:00Z"});
        assert_eq!(at_first(deleted, json!({"observedGeneration": 2, "jobId": "j"})), Class::Change);
    }

    #[test]
    fn what_follows_a_pass_waits_as_a_poll_unless_something_is_open() {
        let after = |metadata: Value, status: Value, failed| class_after(&object(&metadata, &status), failed);
        let intent: Value = serde_json::from_str(INTENT).unwrap();
        let deleted = json!({"deletionTimestamp": "2026-11-25T10:00:00Z"});
        assert_eq!(after(json!({}), json!({"jobId": "j"}), true), Class::Poll);
        assert_eq!(after(json!({}), json!({}), false), Class::Poll, "what waits for a person does not go before polls");
        assert_eq!(after(json!({}), json!({}), true), Class::New);
        assert_eq!(after(json!({}), json!({"intent": intent}), false), Class::UnknownOutcome);
        assert_eq!(after(deleted, json!({"jobId": "j"}), false), Class::UnknownOutcome);
    }

    #[test]
    fn sync_jobs_of_one_service_principal_look_together_and_those_of_two_tenants_do_not() {
        let of = |id: &str, tenant: &str| {
            let mut object = object(&json!({}), &Value::Null);
            id.clone_into(&mut object.spec.service_principal_id);
            seed(&object, &TenantKey::new(tenant))
        };
        assert_eq!(of("2D6F", "a"), of("2d6f", "a"));
        assert_ne!(of("2d6f", "a"), of("2d6f", "b"));
        assert_ne!(of("2d6f", "a"), of("2d70", "a"));
    }
}
