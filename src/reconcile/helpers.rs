//! What runs next to the passes: the watches, the reports on what cannot be read, and the clearing of what is remembered.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use super::context::Context;
use super::sync_job::unreadable;
use crate::cluster::watch::{Seen, Watch};

/// How often what is remembered of objects that no longer exist is thrown away, and lists that are too old to serve.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

/// What runs next to the passes, and what the watches among it show. None of it ends before it is dropped.
pub(super) fn start(watches: Vec<Watch>, context: &Arc<Context>) -> (UnboundedReceiver<Seen>, JoinSet<()>) {
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
