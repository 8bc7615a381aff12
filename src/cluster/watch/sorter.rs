//! Takes the objects that cannot be read out of what the store is shown, and keeps stand-ins for them.

use std::collections::HashMap;
use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedSender;

use crate::api::SyncJob;
use crate::cluster::stored::{Stored, Unreadable};

/// Stand-ins for the objects that cannot be read.
#[derive(Clone, Default)]
pub(super) struct Shelf(Arc<Mutex<HashMap<ObjectRef<SyncJob>, Arc<SyncJob>>>>);

impl Shelf {
    pub fn state(&self) -> Vec<Arc<SyncJob>> {
        self.0.lock().values().cloned().collect()
    }

    pub fn get(&self, key: &ObjectRef<SyncJob>) -> Option<Arc<SyncJob>> {
        self.0.lock().get(key).cloned()
    }

    pub fn holds(&self, key: &ObjectRef<SyncJob>) -> bool {
        self.0.lock().contains_key(key)
    }
}

pub(super) struct Sorter {
    shelf: Shelf,
    /// The shelf as it will be when the list in progress is complete.
    listed: HashMap<ObjectRef<SyncJob>, Arc<SyncJob>>,
    unreadable: UnboundedSender<Unreadable>,
}

impl Sorter {
    pub fn new(shelf: Shelf, unreadable: UnboundedSender<Unreadable>) -> Self {
        Self { shelf, listed: HashMap::new(), unreadable }
    }

    /// What the store is to be shown. The shelf changes with it, so ask what an object was before first.
    pub fn sort(&mut self, event: Event<Stored>) -> Option<Event<SyncJob>> {
        Some(match event {
            Event::Apply(Stored::Readable(object)) => {
                self.shelf.0.lock().remove(&ObjectRef::from_obj(&*object));
                Event::Apply(*object)
            }
            Event::Apply(Stored::Unreadable(unreadable)) => {
                let (key, stand_in) = self.report(*unreadable);
                self.shelf.0.lock().insert(key, stand_in.clone());
                // What the store holds of it is out of date.
                Event::Delete((*stand_in).clone())
            }
            Event::Delete(object) => {
                let object = object.into_sync_job();
                self.shelf.0.lock().remove(&ObjectRef::from_obj(&object));
                Event::Delete(object)
            }
            Event::Init => {
                self.listed = HashMap::new();
                Event::Init
            }
            Event::InitApply(Stored::Readable(object)) => Event::InitApply(*object),
            Event::InitApply(Stored::Unreadable(unreadable)) => {
                let (key, stand_in) = self.report(*unreadable);
                self.listed.insert(key, stand_in);
                return None;
            }
            Event::InitDone => {
                *self.shelf.0.lock() = std::mem::take(&mut self.listed);
                Event::InitDone
            }
        })
    }

    fn report(&self, unreadable: Unreadable) -> (ObjectRef<SyncJob>, Arc<SyncJob>) {
        let mut stand_in = unreadable.stand_in();
        stand_in.managed_fields_mut().clear();
        // An error means that nobody listens any more, and nobody works either.
        let _ = self.unreadable.send(unreadable);
        (ObjectRef::from_obj(&stand_in), Arc::new(stand_in))
    }
}
