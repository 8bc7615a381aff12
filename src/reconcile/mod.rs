//! The only module that knows both sides: look, decide, act, report.

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod change;
mod driver;
mod effect;
mod listings;
mod look;
mod memory;
mod observe;
mod pass;
mod publish;
mod pulse;
mod queue;
mod record;
mod restart;
mod tenants;
mod translate;
mod unreadable;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api::SyncJob;
use crate::clock::Clock;
use crate::cluster::watch::{Seen, Stores, Watch};
use crate::cluster::{Namespaces, events::Events, lease::Fence};
use crate::graph;
use crate::metrics::ReconcileMetrics;
use crate::plan::{Desired, Guard, Memory, Settings, World};
use listings::Listings;
use memory::Memories;

pub use pulse::Pulse;
pub use tenants::{TenantKey, Tenants};

pub(crate) use look::found;
pub(crate) use translate::observed;

/// How often what is remembered of objects that no longer exist is thrown away, and lists that are too old to serve.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

/// What a pass works with.
pub struct Context {
    client: kube::Client,
    tenants: Tenants,
    namespaces: Namespaces,
    stores: Stores,
    events: Events,
    memories: Memories,
    listings: Listings,
    clock: Clock,
    settings: Settings,
    fence: Fence,
    metrics: ReconcileMetrics,
    pulse: Pulse,
    shutdown: watch::Receiver<bool>,
}

impl Context {
    /// Whether a write to Graph may leave at this instant.
    fn may_send(&self) -> bool {
        self.fence.is_open() || self.settings.without.lacks(Guard::Fence)
    }

    /// The client of the operator's own login.
    fn graph(&self) -> &graph::Client {
        self.tenants.client(self.tenants.own())
    }
}

/// What the loop is given.
pub struct Parts {
    pub client: kube::Client,
    /// With whose login objects are worked on.
    pub tenants: Tenants,
    /// Where SyncJobs are worked on.
    pub namespaces: Namespaces,
    /// What is watched there, and where it is kept.
    pub watches: Vec<Watch>,
    pub events: Events,
    pub clock: Clock,
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
    let now = Clock::system().now();
    observe::world(object, Some(desired), tenant, &mut Memory::default(), &no_others, now)
}

/// Runs until `shutdown` turns true and the passes under way have ended.
pub async fn run(parts: Parts) {
    let Parts {
        client,
        tenants,
        namespaces,
        watches,
        events,
        clock,
        settings,
        fence,
        metrics,
        pulse,
        concurrency,
        shutdown,
    } = parts;
    let context = Arc::new(Context {
        client,
        tenants,
        namespaces,
        stores: Stores::of(&watches),
        events,
        memories: Memories::default(),
        clock,
        listings: Listings::default(),
        settings,
        fence,
        metrics,
        pulse,
        shutdown: shutdown.clone(),
    });
    driver::run(watches, context, concurrency, shutdown).await;
}

/// What runs next to the passes, and what the watches among it show. None of it ends before it is dropped.
fn helpers(watches: Vec<Watch>, context: &Arc<Context>) -> (UnboundedReceiver<Seen>, JoinSet<()>) {
    let ((seen, shown), (unreadable, reported)) = (unbounded_channel(), unbounded_channel());
    let mut helpers = JoinSet::new();
    for watch in watches {
        helpers.spawn(watch.run(seen.clone(), unreadable.clone()));
    }
    helpers.spawn(unreadable::report_all(reported, context.clone()));
    helpers.spawn(forget_the_gone(context.clone()));
    (shown, helpers)
}

async fn forget_the_gone(context: Arc<Context>) {
    let mut ticks = tokio::time::interval(FORGET_INTERVAL);
    loop {
        ticks.tick().await;
        let alive: HashSet<String> = context.stores.state().iter().filter_map(|object| object.uid()).collect();
        context.memories.retain(|uid| alive.contains(uid));
        context.listings.prune(context.settings.settle_window);
    }
}
