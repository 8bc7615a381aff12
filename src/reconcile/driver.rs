//! The loop: what the watches show goes into the queue, what the queue gives is worked on, and what a pass asks for goes
//! into the queue again. Of several things that have happened it takes the first in a fixed order, so that a run under a
//! clock that is moved by hand can be repeated.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::context::{Context, Watches};
use super::ended::Ended;
use super::helpers;
use super::queue::{Again, Class, Lane, Queue, Work};
use super::rotation::names_one_of;
use super::tenants::{TenantKey, may_name};
use super::urgency::{class_after, class_at_first, of_class, priority, waits_for_its_tenant};
use super::{sync_job, tenant};
use crate::api::SyncJob;
use crate::cluster::watch::Seen;
use crate::cluster::watch::secrets::SecretName;
use crate::cluster::watch::tenants::{TenantChange, TenantName};
use crate::graph;
use crate::metrics::{QueueState, Timer};
use crate::plan::Wake;

/// How long an object whose reconcile panicked is left alone.
const PANIC_RETRY: Duration = Duration::from_secs(300);
/// After a start, settled objects get their first pass with jitter of up to this long.
const FIRST_LOOKS_WITHIN: Duration = Duration::from_secs(5);
/// What failed because of its tenant is repeated when that changes, and not before this.
const BACKOFF_MIN: Duration = Duration::from_secs(1);

/// Names an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    SyncJob(Arc<ObjectRef<SyncJob>>),
    Tenant(Arc<TenantName>),
}

impl Key {
    fn of(object: &SyncJob) -> Self {
        Self::SyncJob(Arc::new(ObjectRef::from_obj(object)))
    }
}

/// How a pass ended, and what comes after it.
struct Done {
    failed: bool,
    after: Option<Duration>,
    /// The tenant whose SyncJobs need not wait any longer.
    freed: Option<TenantName>,
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
    TenantSeen(TenantChange),
    SecretsChanged(HashSet<SecretName>),
    HelperEnded(Result<(), JoinError>),
    TimeCame,
}

/// Works until `shutdown` turns true and the passes in flight have ended.
pub(super) async fn run(
    watches: Watches,
    context: Arc<Context>,
    concurrency: u16,
    mut shutdown: watch::Receiver<bool>,
) {
    let (mut seen, mut helpers) = helpers::start(watches, &context);
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
            Happened::TenantSeen(change) => driver.tenant_seen(&change),
            Happened::SecretsChanged(names) => driver.secrets_changed(&names),
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
    seen: &mut helpers::Shown,
    helpers: &mut JoinSet<()>,
    shutdown: &mut watch::Receiver<bool>,
    wake: Option<Instant>,
) -> Happened {
    let event = async {
        tokio::select! {
            biased;
            // An error means that the sender is gone, and nobody can stop the loop any more.
            _ = shutdown.wait_for(|stop| *stop) => Happened::Stop,
            Some(ended) = passes.join_next_with_id() => Happened::PassEnded(ended),
            Some(change) = seen.tenants.recv() => Happened::TenantSeen(change),
            Some(seen) = seen.sync_jobs.recv() => Happened::Seen(seen),
            Some(names) = seen.secrets.recv() => Happened::SecretsChanged(names),
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
            let Some(Work { key, waited, class }) =
                queue.next(now, &|tenant: &TenantKey, class| tenants.availability(tenant, of_class(class)))
            else {
                return queue.wake_at();
            };
            let context = self.context.clone();
            let pass = match &key {
                Key::Tenant(name) => {
                    drop(queue);
                    self.passes.spawn(work_on_tenant(name.clone(), context))
                }
                // The object as it is now that there is a worker for it.
                Key::SyncJob(name) => {
                    let Some(object) = context.stores.get(name) else {
                        queue.gone(&key);
                        queue.finished(&key, None, now);
                        continue;
                    };
                    drop(queue);
                    self.passes.spawn(work_on(object, class, context))
                }
            };
            self.context.metrics.queue.began(waited);
            self.keys.insert(pass.id(), key);
        }
    }

    fn ended(&mut self, ended: Result<(task::Id, Done), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(key) = self.keys.remove(&id) else { return };
        let panicked = || Done { failed: true, after: Some(PANIC_RETRY), freed: None };
        let done = ended.map_or_else(|_| panicked(), |(_, done)| done);
        let now = Instant::now();
        // What is later than any clock shows is never.
        let due = done.after.and_then(|after| now.checked_add(after));
        let next = due.map(|due| self.again(&key, done.failed, due, now));
        if let Some((took, added)) = self.queue.lock().finished(&key, next, now) {
            self.context.metrics.queue.ended(took, added, done.failed && done.after.is_some());
        }
        if let Some(name) = done.freed {
            self.wake_users(&TenantChange { name, at: now });
        }
    }

    /// What follows a pass.
    fn again(&self, key: &Key, failed: bool, due: Instant, now: Instant) -> Again {
        let Key::SyncJob(name) = key else { return Again { due, class: Class::Poll, rests_until: now } };
        let Some(object) = self.context.stores.get(name) else {
            return Again { due, class: Class::Poll, rests_until: now };
        };
        let class = class_after(&object, failed);
        let object = self.context.memories.freshest(object, self.context.clock.now());
        let rests_until = if waits_for_its_tenant(&object) { now + BACKOFF_MIN } else { due };
        Again { due, class, rests_until: if failed { rests_until } else { now } }
    }

    /// A tenant came, went or was edited: it is looked at, and so are the SyncJobs that name it.
    fn tenant_seen(&self, change: &TenantChange) {
        self.offer_tenant(&change.name);
        self.wake_users(change);
    }

    fn offer_tenant(&self, name: &TenantName) {
        let lane = Lane { tenant: TenantKey::from(name), namespace: name.namespace.as_str().into() };
        let key = Key::Tenant(Arc::new(name.clone()));
        if self.queue.lock().offer(key, Class::Change, lane, Instant::now()) {
            self.context.metrics.queue.added();
        }
    }

    /// Those that name a tenant get a pass each that begins after the change, with jitter.
    fn wake_users(&self, change: &TenantChange) {
        for object in self.context.stores.state() {
            if may_name(&object, &change.name) {
                let due = Instant::now() + self.first_look(&object);
                let (key, lane) = (Key::of(&object), self.lane(&object));
                if self.queue.lock().wake(key, Class::Poll, lane, due, change.at) {
                    self.context.metrics.queue.added();
                }
            }
        }
    }

    /// Those that name a Secret get a pass each: somebody rotated it, or it is there at last. Where a list shows many at
    /// once, as after a restore of the API server, they do not go before what people change meanwhile.
    fn secrets_changed(&self, names: &HashSet<SecretName>) {
        for object in self.context.stores.state() {
            if !names_one_of(&object, names) {
                continue;
            }
            match names.len() {
                1 => self.offer(&object, Class::Change, Instant::now()),
                _ => self.offer(&object, Class::Poll, Instant::now() + self.first_look(&object)),
            }
        }
    }

    fn seen(&mut self, seen: Seen) {
        match seen {
            Seen::Listed(object) => {
                let class = class_at_first(&object);
                let jitter = if class == Class::Poll { self.first_look(&object) } else { Duration::ZERO };
                self.offer(&object, class, Instant::now() + jitter);
            }
            Seen::Created(object) if object.metadata.deletion_timestamp.is_none() => {
                self.offer(&object, Class::Created, Instant::now());
            }
            Seen::Created(object) | Seen::Changed(object) => self.offer(&object, Class::Change, Instant::now()),
            Seen::Gone(key) => {
                self.queue.lock().gone(&Key::SyncJob(Arc::new(key)));
                self.context.tenants.leaving().iter().for_each(|name| self.offer_tenant(name));
            }
        }
    }

    fn offer(&self, object: &SyncJob, class: Class, due: Instant) {
        if let Some(name) = self.context.tenants.without_finalizer(object) {
            self.offer_tenant(&name);
        }
        let (key, lane) = (Key::of(object), self.lane(object));
        if self.queue.lock().offer(key, class, lane, due) {
            self.context.metrics.queue.added();
        }
    }

    fn lane(&self, object: &SyncJob) -> Lane {
        let namespace = object.namespace().unwrap_or_default().into();
        Lane { tenant: self.context.tenants.of(object), namespace }
    }

    /// SyncJobs of one service principal are looked at together: one list serves them all.
    fn first_look(&self, object: &SyncJob) -> Duration {
        let seed = seed(object, &self.context.tenants.of(object));
        FIRST_LOOKS_WITHIN.mul_f64(f64::from(u16::try_from(seed % 1000).unwrap_or(0)) / 1000.0)
    }
}

/// One pass. A panic in it ends nothing but this pass.
async fn work_on(object: Arc<SyncJob>, class: Class, context: Arc<Context>) -> Done {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let seed = seed(&object, &context.tenants.of(&object));
    let span = tracing::debug_span!("reconcile", namespace, name);
    let (timer, _in_flight) = (span.in_scope(|| context.metrics.begin()), context.watchdog.begin());
    let turn = turn(&object, class);
    let pass = sync_job::pass::run(object, turn, &context);
    let outcome = AssertUnwindSafe(pass).catch_unwind().instrument(span).await;
    if outcome.is_err() {
        tracing::error!(namespace, name, "a reconcile panicked; this SyncJob is left alone for a while");
    }
    done(outcome.ok(), seed, &timer)
}

/// The same over a tenant.
async fn work_on_tenant(name: Arc<TenantName>, context: Arc<Context>) -> Done {
    let span = tracing::debug_span!("reconcile", tenant = %name);
    let (timer, _in_flight) = (span.in_scope(|| context.metrics.begin()), context.watchdog.begin());
    let seed = hash(&*name);
    let outcome = AssertUnwindSafe(tenant::pass::run(&name, &context)).catch_unwind().instrument(span).await;
    if outcome.is_err() {
        tracing::error!(tenant = %name, "a reconcile panicked; this tenant is left alone for a while");
    }
    done(outcome.ok(), seed, &timer)
}

/// `None` for a pass that panicked.
fn done(ended: Option<Ended>, seed: u64, timer: &Timer) -> Done {
    let after = ended.as_ref().map_or(Wake::After(PANIC_RETRY), |ended| ended.wake).with_jitter(seed);
    match ended {
        None => timer.panicked(),
        Some(Ended { failed: true, .. }) => timer.failed(),
        Some(Ended { failed: false, .. }) => timer.succeeded(after.is_some()),
    }
    Done { failed: ended.as_ref().is_none_or(|ended| ended.failed), after, freed: ended.and_then(|ended| ended.freed) }
}

/// Calls for SyncJobs of one namespace share their turns in the budget, as their passes share workers.
fn turn(object: &SyncJob, class: Class) -> graph::Turn {
    graph::Turn { priority: priority(object, class), lane: hash(&object.namespace()) }
}

/// The same number for all SyncJobs of a service principal, so that they look at the same time and one list serves them
/// all; different for different service principals and tenants, so that those do not wake together.
fn seed(object: &SyncJob, tenant: &TenantKey) -> u64 {
    hash(&(tenant, object.spec.service_principal_id.to_ascii_lowercase()))
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
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
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_for_sync_jobs_of_one_namespace_share_their_turns() {
        let of = |name: &str, namespace: &str| {
            let object = json!({"metadata": {"name": name, "namespace": namespace},
                "spec": {"servicePrincipalId": "2D6F", "templateId": "scim"}});
            turn(&serde_json::from_value(object).unwrap(), Class::Change)
        };
        assert_eq!(of("a", "apps"), of("b", "apps"));
        assert_ne!(of("a", "apps"), of("a", "other"));
    }

    #[test]
    fn sync_jobs_of_one_service_principal_look_together_and_those_of_two_tenants_do_not() {
        let of = |id: &str, tenant: &str| {
            let mut object = serde_json::from_value::<SyncJob>(json!({"metadata": {"name": "a"},
                "spec": {"servicePrincipalId": "2D6F", "templateId": "scim"}}))
            .unwrap();
            id.clone_into(&mut object.spec.service_principal_id);
            seed(&object, &TenantKey::new(tenant))
        };
        assert_eq!(of("2D6F", "a"), of("2d6f", "a"));
        assert_ne!(of("2d6f", "a"), of("2d6f", "b"));
        assert_ne!(of("2d6f", "a"), of("2d70", "a"));
    }
}
