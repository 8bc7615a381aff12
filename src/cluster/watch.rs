//! The watch: every SyncJob in a store, and a stream of those that changed in a way that matters.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{WatchStreamExt, predicates, watcher};
use kube::{Api, Client, ResourceExt};

use super::Namespaces;
use crate::api::SyncJob;

/// How long one watch may last, in seconds. It bounds for how long a connection that delivers nothing goes unnoticed.
const WATCH_TIMEOUT_SECS: u32 = 120;

/// What the watch shows of all watched namespaces.
#[derive(Clone)]
pub struct Stores(Vec<Store<SyncJob>>);

impl Stores {
    pub fn of(watches: &[Watch]) -> Self {
        Self(watches.iter().map(|(store, _)| store.clone()).collect())
    }

    pub fn get(&self, key: &ObjectRef<SyncJob>) -> Option<Arc<SyncJob>> {
        self.0.iter().find_map(|store| store.get(key))
    }

    pub fn state(&self) -> Vec<Arc<SyncJob>> {
        self.0.iter().flat_map(Store::state).collect()
    }
}

/// A store, and a stream of the objects whose spec, annotations or finalizers changed. Our own status writes are not among
/// them, so that a report does not wake its own reader. Nothing is asked before the stream is read.
pub type Watch = (Store<SyncJob>, BoxStream<'static, Result<SyncJob, watcher::Error>>);

pub fn sync_jobs(client: &Client, namespaces: &Namespaces) -> Vec<Watch> {
    namespaces.apis(client).into_iter().map(watch).collect()
}

fn watch(api: Api<SyncJob>) -> Watch {
    use predicates::{annotations, finalizers, generation};
    let (reader, writer) = reflector::store();
    let config = watcher::Config::default().timeout(WATCH_TIMEOUT_SECS);
    let stream = watcher(api, config)
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
    (reader, stream.boxed())
}
