//! What runs next to the passes: the watches, the reports on what cannot be read, and the clearing of what is remembered.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::context::{Context, Watches};
use super::sync_job::unreadable;
use crate::cluster::watch::Seen;
use crate::cluster::watch::secrets::SecretName;
use crate::cluster::watch::tenants::{TenantChange, TenantWatch};

/// How often what is remembered of objects that no longer exist is thrown away, and lists that are too old to serve.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

/// What the watches show.
pub(super) struct Shown {
    pub sync_jobs: UnboundedReceiver<Seen>,
    pub tenants: UnboundedReceiver<TenantChange>,
    pub secrets: UnboundedReceiver<HashSet<SecretName>>,
    /// Without a watch over tenants or Secrets, their ends stay open all the same.
    _open: (UnboundedSender<TenantChange>, UnboundedSender<HashSet<SecretName>>),
}

/// What runs next to the passes, and what the watches among it show. None of it ends before it is dropped. SyncJobs are not
/// asked for before all tenants are known: one that names a tenant must not be taken to name none.
pub(super) fn start(watches: Watches, context: &Arc<Context>) -> (Shown, JoinSet<()>) {
    let ((seen, sync_jobs), (unreadable, reported)) = (unbounded_channel(), unbounded_channel());
    let ((tenant_seen, tenants), (secrets_seen, secrets)) = (unbounded_channel(), unbounded_channel());
    let mut helpers = JoinSet::new();
    let listed: Vec<_> = watches.tenants.iter().map(TenantWatch::listed).collect();
    for watch in watches.tenants {
        helpers.spawn(watch.run(tenant_seen.clone()));
    }
    for watch in watches.secrets {
        helpers.spawn(watch.run(secrets_seen.clone()));
    }
    for watch in watches.sync_jobs {
        let (mut listed, seen, unreadable) = (listed.clone(), seen.clone(), unreadable.clone());
        helpers.spawn(async move {
            for tenants in &mut listed {
                // An error means that the watch over tenants has ended, and the operator with it.
                let _ = tenants.wait_for(|listed| *listed).await;
            }
            watch.run(seen, unreadable).await;
        });
    }
    helpers.spawn(unreadable::report_all(reported, context.clone()));
    helpers.spawn(forget_the_gone(context.clone()));
    (Shown { sync_jobs, tenants, secrets, _open: (tenant_seen, secrets_seen) }, helpers)
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
