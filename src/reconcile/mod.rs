//! The loop, and the only module that knows both sides: look, decide, act, tell.

mod act;
mod identity;
mod listings;
mod memory;
mod observe;
mod pass;
mod pulse;
pub mod queue;
mod restart;
pub mod tenants;
mod translate;
mod unreadable;

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, pending, ready};
use futures::{FutureExt, StreamExt, TryStreamExt};
use kube::ResourceExt;
use kube::runtime::controller::{Action, Config, Controller, Error as ControllerError};
use tokio::sync::{Semaphore, watch};
use tracing::Instrument;

use crate::api::SyncJob;
use crate::cluster::watch::{Stores, Watch};
use crate::cluster::{Namespaces, events::Events, lease::Fence};
use crate::graph;
use crate::metrics::{Key, ReconcileMetrics};
use crate::plan::{Desired, Settings, Wake, World};
use listings::Listings;
use memory::{Entry, Memory};
use pass::Ended;

pub use pulse::Pulse;

pub(crate) use act::found;
pub(crate) use translate::observed;

/// How long an object whose reconcile panicked is left alone.
const PANIC_RETRY: Duration = Duration::from_secs(300);
/// How often what is remembered of objects that no longer exist is thrown away.
const FORGET_INTERVAL: Duration = Duration::from_secs(600);

/// What a pass works with.
pub struct Context {
    client: kube::Client,
    graph: graph::Client,
    namespaces: Namespaces,
    stores: Stores,
    /// One for each SyncJob that may be worked on at the same time, in whatever namespace.
    slots: Semaphore,
    events: Events,
    memory: Memory,
    listings: Listings,
    settings: Settings,
    fence: Fence,
    metrics: ReconcileMetrics,
    pulse: Pulse,
    shutdown: watch::Receiver<bool>,
}

impl Context {
    /// Whether a write to Graph may leave at this instant.
    fn may_send(&self) -> bool {
        self.fence.is_open()
    }
}

/// What the loop is given.
pub struct Parts {
    pub client: kube::Client,
    pub graph: graph::Client,
    /// Where SyncJobs are worked on.
    pub namespaces: Namespaces,
    /// What is watched there, and where it is kept.
    pub watches: Vec<Watch>,
    pub events: Events,
    pub settings: Settings,
    /// Whether a write to Graph may begin.
    pub fence: Fence,
    pub metrics: ReconcileMetrics,
    pub pulse: Pulse,
    /// How many SyncJobs are worked on at the same time.
    pub concurrency: u16,
    /// Turns true once, when no new work may begin.
    pub shutdown: watch::Receiver<bool>,
}

/// What an object says by itself, to somebody who remembers nothing and sees no other object.
pub(crate) fn recorded(object: &SyncJob, desired: &Desired, tenant: Option<&str>) -> World {
    let no_others = Stores::of(&[]);
    observe::world(object, Some(desired), tenant, &mut Entry::default(), &no_others)
}

/// Runs until `shutdown` turns true and the passes under way have ended.
pub async fn run(parts: Parts) {
    let Parts { client, graph, namespaces, watches, events, settings, fence, metrics, pulse, concurrency, shutdown } =
        parts;
    let context = Arc::new(Context {
        client,
        graph,
        namespaces,
        stores: Stores::of(&watches),
        slots: Semaphore::new(concurrency.into()),
        events,
        memory: Memory::default(),
        listings: Listings::default(),
        settings,
        fence,
        metrics,
        pulse,
        shutdown: shutdown.clone(),
    });
    let forget = forget_the_gone(context.clone());
    let works = watches.into_iter().map(|watch| work_on(watch, context.clone(), concurrency, shutdown.clone()));
    tokio::select! {
        _ = join_all(works) => {}
        () = forget => {}
    }
}

/// Works on what one watch shows, until `shutdown` turns true and the passes under way have ended.
async fn work_on(watch: Watch, context: Arc<Context>, concurrency: u16, shutdown: watch::Receiver<bool>) {
    let Watch { store, stream, unreadable: told, .. } = watch;
    let (incoming, queue) = (context.metrics.queue.clone(), context.metrics.queue.clone());
    let stream = stream.inspect_ok(move |object| incoming.changed(Key::from_obj(object)));
    let passes = Controller::for_stream(stream, store)
        .with_config(Config::default().concurrency(concurrency))
        .graceful_shutdown_on(until_true(shutdown))
        .run(reconcile, |_, never: &Infallible, _| match *never {}, context.clone())
        .for_each(move |result| {
            match result {
                // A failed watch was logged where it is made.
                Ok(_) | Err(ControllerError::QueueError(_)) => {}
                Err(ControllerError::ObjectNotFound(object)) => queue.gone(&object.into_kind_unchecked(())),
                Err(error) => tracing::warn!(%error, "the controller reported an error"),
            }
            ready(())
        });
    tokio::select! {
        () = passes => {}
        () = unreadable::report_all(told, context).then(|()| pending()) => {}
    }
}

async fn reconcile(object: Arc<SyncJob>, context: Arc<Context>) -> Result<Action, Infallible> {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let seed = seed(&object);
    // Never closed, so there is always one to wait for.
    let _slot = context.slots.acquire().await;
    // One panic inside the controller would end all reconciling, so it ends here.
    let span = tracing::debug_span!("reconcile", namespace, name);
    let (timer, _beat) = (span.in_scope(|| context.metrics.begin(Key::from_obj(&*object))), context.pulse.begin());
    let outcome = AssertUnwindSafe(pass::run(object, &context)).catch_unwind().instrument(span).await;
    let after = outcome.as_ref().map_or(Wake::After(PANIC_RETRY), |ended| ended.wake).spread(seed);
    match outcome {
        Ok(Ended { failed: true, .. }) => timer.failed(after),
        Ok(Ended { failed: false, .. }) => timer.succeeded(after),
        Err(_) => {
            timer.panicked(after);
            tracing::error!(namespace, name, "a reconcile panicked; this SyncJob is left alone for a while");
        }
    }
    Ok(after.map_or_else(Action::await_change, Action::requeue))
}

/// The same number for all SyncJobs of a service principal, so that they look at the same time and one list serves them
/// all; different for different service principals, so that those do not wake together.
fn seed(object: &SyncJob) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.spec.service_principal_id.to_ascii_lowercase().hash(&mut hasher);
    hasher.finish()
}

async fn until_true(mut receiver: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it whoever could ask for work.
    let _ = receiver.wait_for(|value| *value).await;
}

async fn forget_the_gone(context: Arc<Context>) {
    let mut ticks = tokio::time::interval(FORGET_INTERVAL);
    loop {
        ticks.tick().await;
        let alive: std::collections::HashSet<String> =
            context.stores.state().iter().filter_map(|object| object.uid()).collect();
        context.memory.retain(|uid| alive.contains(uid));
        context.listings.prune(context.settings.settle_window);
    }
}
