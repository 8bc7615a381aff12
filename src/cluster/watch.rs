//! The watch: every SyncJob in a store, and a stream of those that changed in a way that matters.

use futures::{Stream, StreamExt};
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt, predicates, watcher};
use kube::{Api, Client, ResourceExt};

use crate::api::SyncJob;

/// How long one watch may last, in seconds. It bounds for how long a connection that delivers nothing goes unnoticed.
const WATCH_TIMEOUT_SECS: u32 = 120;

/// The store, and a stream of the objects whose spec, annotations or finalizers changed. Our own status writes are not
/// among them, so that a report does not wake its own reader.
pub fn sync_jobs(
    client: Client,
) -> (Store<SyncJob>, impl Stream<Item = Result<SyncJob, watcher::Error>> + Send + 'static) {
    use predicates::{annotations, finalizers, generation};
    let (reader, writer) = reflector::store();
    let config = watcher::Config::default().timeout(WATCH_TIMEOUT_SECS);
    let stream = watcher(Api::<SyncJob>::all(client), config)
        .default_backoff()
        .modify(|object| object.managed_fields_mut().clear())
        .reflect(writer)
        .applied_objects()
        .predicate_filter(
            kube::runtime::Predicate::combine(kube::runtime::Predicate::combine(generation, annotations), finalizers),
            kube::runtime::PredicateConfig::default(),
        )
        .inspect(|item| {
            if let Err(error) = item {
                tracing::warn!(error = %super::capped(&error.to_string()), "watching SyncJobs failed; trying again");
            }
        });
    (reader, stream)
}
