//! The watch: every SyncJob in a store, and a stream of those that changed in a way that matters. Objects that cannot be
//! read stand on a shelf of their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::ready;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, predicates, watcher};
use kube::{Api, Client, ResourceExt};

use super::Namespaces;
use super::stored::{Stored, Unreadable};
use crate::api::SyncJob;

/// How long one watch may last, in seconds. It bounds for how long a connection that delivers nothing goes unnoticed.
const WATCH_TIMEOUT_SECS: u32 = 120;

/// What the watch shows of all watched namespaces.
#[derive(Clone)]
pub struct Stores(Vec<(Store<SyncJob>, Shelf)>);

impl Stores {
    pub fn of(watches: &[Watch]) -> Self {
        Self(watches.iter().map(|watch| (watch.store.clone(), watch.shelf.clone())).collect())
    }

    /// The object, if it is there and can be read.
    pub fn get(&self, key: &ObjectRef<SyncJob>) -> Option<Arc<SyncJob>> {
        self.0.iter().find_map(|(store, _)| store.get(key))
    }

    /// All objects. Of those that cannot be read it holds what can be read of them.
    pub fn state(&self) -> Vec<Arc<SyncJob>> {
        self.0.iter().flat_map(|(store, shelf)| store.state().into_iter().chain(shelf.state())).collect()
    }
}

/// What one watch shows. Nothing is asked before the stream is read.
pub struct Watch {
    /// The objects that can be read.
    pub store: Store<SyncJob>,
    shelf: Shelf,
    /// The objects whose spec, annotations or finalizers changed, and those that can be read again. Our own status writes
    /// are not among them, so that a report does not wake its own reader.
    pub stream: BoxStream<'static, Result<SyncJob, watcher::Error>>,
    /// Every change of an object that cannot be read.
    pub unreadable: UnboundedReceiver<Unreadable>,
}

/// Stand-ins for the objects that cannot be read.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<HashMap<ObjectRef<SyncJob>, Arc<SyncJob>>>>);

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectRef<SyncJob>, Arc<SyncJob>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Vec<Arc<SyncJob>> {
        self.lock().values().cloned().collect()
    }
}

pub fn sync_jobs(client: &Client, namespaces: &Namespaces) -> Vec<Watch> {
    namespaces.apis(client).into_iter().map(watch).collect()
}

fn watch(api: Api<Stored>) -> Watch {
    use predicates::{annotations, finalizers, generation};
    let (store, writer) = reflector::store();
    let shelf = Shelf::default();
    let (mut sorter, unreadable, readable_again) = Sorter::new(shelf.clone());
    let config = watcher::Config::default().timeout(WATCH_TIMEOUT_SECS);
    let stream = watcher(api, config)
        .default_backoff()
        .try_filter_map(move |event| ready(Ok(sorter.sort(event))))
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
    // Not filtered: what the filter remembers of such an object is of the time before it could not be read.
    let stream = stream::select(stream, readable_again.map(Ok));
    Watch { store, shelf, stream: stream.boxed(), unreadable }
}

/// Takes the objects that cannot be read out of what the store is shown.
struct Sorter {
    shelf: Shelf,
    /// The shelf as it will be when the list under way is complete.
    listed: HashMap<ObjectRef<SyncJob>, Arc<SyncJob>>,
    /// Objects of the list under way that can be read again.
    again: Vec<SyncJob>,
    unreadable: UnboundedSender<Unreadable>,
    readable_again: UnboundedSender<SyncJob>,
}

impl Sorter {
    fn new(shelf: Shelf) -> (Self, UnboundedReceiver<Unreadable>, UnboundedReceiver<SyncJob>) {
        let ((unreadable, told), (readable_again, returned)) = (unbounded(), unbounded());
        let (listed, again) = (HashMap::new(), Vec::new());
        (Self { shelf, listed, again, unreadable, readable_again }, told, returned)
    }

    fn sort(&mut self, event: Event<Stored>) -> Option<Event<SyncJob>> {
        Some(match event {
            Event::Apply(Stored::Readable(object)) => {
                if self.shelf.lock().remove(&ObjectRef::from_obj(&*object)).is_some() {
                    self.send_again((*object).clone());
                }
                Event::Apply(*object)
            }
            Event::Apply(Stored::Unreadable(unreadable)) => {
                let (key, stand_in) = self.tell(*unreadable);
                self.shelf.lock().insert(key, stand_in.clone());
                // What the store holds of it is out of date.
                Event::Delete((*stand_in).clone())
            }
            Event::Delete(object) => {
                let object = object.into_sync_job();
                self.shelf.lock().remove(&ObjectRef::from_obj(&object));
                Event::Delete(object)
            }
            Event::Init => {
                (self.listed, self.again) = (HashMap::new(), Vec::new());
                Event::Init
            }
            Event::InitApply(Stored::Readable(object)) => {
                if self.shelf.lock().contains_key(&ObjectRef::from_obj(&*object)) {
                    self.again.push((*object).clone());
                }
                Event::InitApply(*object)
            }
            Event::InitApply(Stored::Unreadable(unreadable)) => {
                let (key, stand_in) = self.tell(*unreadable);
                self.listed.insert(key, stand_in);
                return None;
            }
            Event::InitDone => {
                *self.shelf.lock() = std::mem::take(&mut self.listed);
                for object in std::mem::take(&mut self.again) {
                    self.send_again(object);
                }
                Event::InitDone
            }
        })
    }

    fn tell(&self, unreadable: Unreadable) -> (ObjectRef<SyncJob>, Arc<SyncJob>) {
        let mut stand_in = unreadable.stand_in();
        stand_in.managed_fields_mut().clear();
        // An error means that nobody listens any more, and nobody works either.
        let _ = self.unreadable.unbounded_send(unreadable);
        (ObjectRef::from_obj(&stand_in), Arc::new(stand_in))
    }

    fn send_again(&self, object: SyncJob) {
        let _ = self.readable_again.unbounded_send(object);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stored(name: &str, mode: &str) -> Stored {
        let spec = json!({"servicePrincipalId": "x", "templateId": "scim", "mode": mode});
        let object = json!({"metadata": {"name": name, "namespace": "apps", "uid": name}, "spec": spec});
        serde_json::from_value(object).unwrap()
    }

    fn names(shelf: &Shelf) -> Vec<String> {
        let mut names: Vec<String> = shelf.state().iter().map(|object| object.name_any()).collect();
        names.sort();
        names
    }

    #[test]
    fn an_unreadable_object_leaves_the_store_is_told_of_and_comes_back_once_it_can_be_read() {
        let shelf = Shelf::default();
        let (mut sorter, mut told, mut returned) = Sorter::new(shelf.clone());
        assert!(matches!(sorter.sort(Event::Apply(stored("a", "Plan"))), Some(Event::Apply(_))));
        assert!(matches!(sorter.sort(Event::Apply(stored("a", "Freeze"))), Some(Event::Delete(_))));
        assert_eq!(names(&shelf), ["a"]);
        assert!(told.try_recv().unwrap().fault.contains("spec.mode") && returned.try_recv().is_err());
        assert!(matches!(sorter.sort(Event::Apply(stored("a", "Plan"))), Some(Event::Apply(_))));
        assert_eq!((names(&shelf), returned.try_recv().unwrap().name_any()), (Vec::new(), "a".to_owned()));
    }

    #[test]
    fn a_list_replaces_the_shelf_when_it_is_complete() {
        let shelf = Shelf::default();
        let (mut sorter, _told, mut returned) = Sorter::new(shelf.clone());
        for name in ["gone", "cured", "still"] {
            sorter.sort(Event::Apply(stored(name, "Freeze")));
        }
        sorter.sort(Event::Init);
        assert!(sorter.sort(Event::InitApply(stored("still", "Freeze"))).is_none());
        assert!(sorter.sort(Event::InitApply(stored("cured", "Plan"))).is_some());
        assert_eq!(names(&shelf), ["cured", "gone", "still"]);
        assert!(returned.try_recv().is_err(), "not before the store has it");
        sorter.sort(Event::InitDone);
        assert_eq!(
            (names(&shelf), returned.try_recv().unwrap().name_any()),
            (vec!["still".to_owned()], "cured".to_owned())
        );
        sorter.sort(Event::Delete(stored("still", "Freeze")));
        assert_eq!(names(&shelf), Vec::<String>::new());
    }
}
