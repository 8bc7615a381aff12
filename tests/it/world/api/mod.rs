//! An API server in memory: SyncJobs with versions, finalizers and server-side apply, watches as streams, events, leases and
//! the definition of the resource. What people and other controllers do is a method; what an operator does is a request.

mod answer;
mod ownership;
mod revisions;
mod route;
mod store;
mod surroundings;
#[cfg(test)]
mod tests;
mod watch;
#[cfg(test)]
mod watch_tests;
mod writes;

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};

pub use revisions::Revisions;
pub use store::{Change, Interruption, Key, Kind, Request, Shown, Snapshot, Store, Verb, Version, Write};
pub use surroundings::{Content, Read, Surroundings};

use super::By;
use super::clock::Clock;
use super::schedule::Schedule;

/// The manager under which people write.
const PERSON: &str = "kubectl";

/// The API server. Clones are the same one.
#[derive(Clone)]
pub struct Api {
    store: Arc<Mutex<Store>>,
    tenants: Arc<Mutex<Store>>,
    cluster_tenants: Arc<Mutex<Store>>,
    secrets: Arc<Mutex<Store>>,
    surroundings: Arc<Mutex<Surroundings>>,
    revisions: Arc<Mutex<Revisions>>,
    schedule: Schedule,
    /// The operators that the server cannot be reached by.
    cut_off: Arc<Mutex<BTreeSet<u8>>>,
}

impl Api {
    pub fn new(clock: Clock, schedule: Schedule) -> Self {
        let store = |kind| Arc::new(Mutex::new(Store::new(clock, kind)));
        Self {
            store: store(Kind::SyncJob),
            tenants: store(Kind::EntraTenant),
            cluster_tenants: store(Kind::ClusterEntraTenant),
            secrets: store(Kind::Secret),
            surroundings: Arc::new(Mutex::new(Surroundings::new(clock))),
            revisions: Arc::new(Mutex::new(Revisions::new(clock))),
            schedule,
            cut_off: Arc::default(),
        }
    }

    /// A client of one operator. Needs tokio.
    pub fn client(&self, operator: u8) -> kube::Client {
        kube::Client::new(route::Line { api: self.clone(), by: By::Operator(operator) }, "default")
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock()
    }

    fn shared(&self, kind: Kind) -> &Arc<Mutex<Store>> {
        match kind {
            Kind::SyncJob => &self.store,
            Kind::EntraTenant => &self.tenants,
            Kind::ClusterEntraTenant => &self.cluster_tenants,
            Kind::Secret => &self.secrets,
        }
    }

    /// The objects of one kind.
    pub fn of(&self, kind: Kind) -> MutexGuard<'_, Store> {
        self.shared(kind).lock()
    }

    /// Secrets and namespaces.
    pub fn surroundings(&self) -> MutexGuard<'_, Surroundings> {
        self.surroundings.lock()
    }

    /// Somebody writes a Secret, or takes it away; watches see its metadata.
    pub fn write_secret(&self, key: &Key, content: Option<Content>) {
        self.surroundings().write(key, content);
        self.show_secret(key);
    }

    /// Somebody writes what was prepared.
    pub fn rotate_secret(&self, key: &Key) {
        self.surroundings().rotate(key);
        self.show_secret(key);
    }

    fn show_secret(&self, key: &Key) {
        let uid = self.surroundings().uid(key);
        let store = &mut *self.of(Kind::Secret);
        let known = store.objects.get(key).cloned();
        let object = |uid: &str| {
            let metadata = json!({"namespace": key.namespace, "name": key.name, "uid": uid});
            json!({"apiVersion": "meta.k8s.io/v1", "kind": Kind::Secret.name(), "metadata": metadata})
        };
        match (known, uid) {
            (Some(known), None) => drop(store.take_out(known.value.clone(), Vec::new(), By::Person)),
            (_, Some(uid)) => drop(store.put(object(&uid), Vec::new(), By::Person)),
            (None, None) => {}
        }
    }

    /// ControllerRevisions.
    pub fn revisions(&self) -> MutexGuard<'_, Revisions> {
        self.revisions.lock()
    }

    /// Does the same to the objects of every kind.
    pub fn each(&self, does: impl Fn(&mut Store)) {
        for kind in [Kind::SyncJob, Kind::EntraTenant, Kind::ClusterEntraTenant, Kind::Secret] {
            does(&mut self.of(kind));
        }
    }

    pub fn get(&self, key: &Key) -> Option<Arc<Version>> {
        self.store().objects.get(key).cloned()
    }

    /// Somebody creates a SyncJob.
    pub fn create(&self, key: &Key, spec: &Value) -> Arc<Version> {
        let object = json!({"metadata": {"name": key.name}, "spec": spec});
        self.store().create(&key.namespace, object, PERSON, By::Person).unwrap()
    }

    /// Somebody changes a SyncJob; `None` if it is gone.
    pub fn patch(&self, key: &Key, patch: &Value) -> Option<Arc<Version>> {
        self.store().merge_patch(key, patch, PERSON, By::Person).ok()
    }

    /// Somebody writes a label, so that the object has another version.
    pub fn touch(&self, key: &Key) {
        self.touch_of(Kind::SyncJob, key);
    }

    /// The same to an object of any kind.
    pub fn touch_of(&self, kind: Kind, key: &Key) {
        let store = &mut *self.of(kind);
        let patch = json!({"metadata": {"labels": {"touched": store.number.to_string()}}});
        let _ = store.merge_patch(key, &patch, PERSON, By::Person);
    }

    /// Somebody deletes a SyncJob.
    pub fn delete(&self, key: &Key) {
        drop(self.store().delete(key, By::Person));
    }

    /// Somebody deletes a namespace, and with it all that is in it.
    pub fn delete_namespace(&self, namespace: &str) {
        let store = &mut *self.store();
        let keys: Vec<Key> = store.objects.keys().filter(|key| key.namespace == namespace).cloned().collect();
        for key in &keys {
            let _ = store.delete(key, By::Person);
        }
    }

    /// A restore, or a person, takes the status away.
    pub fn remove_status(&self, key: &Key) {
        drop(self.store().replace_status(key, json!({}), "velero", By::Person));
    }

    /// Whether requests of an operator and their answers are lost from now on. Its watches are silent.
    pub fn cut_off(&self, operator: u8, is: bool) {
        if is {
            self.cut_off.lock().insert(operator);
            self.each(|store| store.interrupt(Some(By::Operator(operator)), Interruption::Silent));
        } else {
            self.cut_off.lock().remove(&operator);
        }
    }

    fn is_cut_off(&self, by: By) -> bool {
        matches!(by, By::Operator(operator) if self.cut_off.lock().contains(&operator))
    }
}
