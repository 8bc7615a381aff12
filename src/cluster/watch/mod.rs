//! The watch: every SyncJob in a store, and what changed in a way that matters. Objects that cannot be read stand on a shelf
//! of their own.

mod follow;
mod neighbours;
#[cfg(test)]
mod neighbours_tests;
pub mod secrets;
mod sorter;
pub mod tenants;
#[cfg(test)]
mod tests;
mod tolerant;

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::reflector::{self, ObjectRef, Store, store::Writer};
use kube::runtime::watcher::Event;
use kube::{Api, Client, ResourceExt};
use tokio::sync::mpsc::UnboundedSender;

use super::Namespaces;
use super::stored::{Stored, Unreadable};
use crate::api::{FINALIZER, SyncJob};
use follow::{Heard, follow};
use neighbours::{Neighbours, version};
use sorter::{Shelf, Sorter};

/// What the watch shows of all watched namespaces.
#[derive(Clone)]
pub struct Stores(Vec<Shown>);

#[derive(Clone)]
struct Shown {
    store: Store<SyncJob>,
    shelf: Shelf,
    neighbours: Neighbours,
    heard: Heard,
}

impl Shown {
    fn get(&self, key: &ObjectRef<SyncJob>) -> Option<Arc<SyncJob>> {
        self.store.get(key).or_else(|| self.shelf.get(key))
    }

    fn state(&self) -> impl Iterator<Item = Arc<SyncJob>> {
        self.store.state().into_iter().chain(self.shelf.state())
    }
}

impl Stores {
    pub fn of(watches: &[Watch]) -> Self {
        Self(watches.iter().map(|watch| watch.shown.clone()).collect())
    }

    /// The object, if it is there and can be read.
    pub fn get(&self, key: &ObjectRef<SyncJob>) -> Option<Arc<SyncJob>> {
        self.0.iter().find_map(|shown| shown.store.get(key))
    }

    /// All objects. Of those that cannot be read it holds what can be read of them.
    pub fn state(&self) -> Vec<Arc<SyncJob>> {
        self.0.iter().flat_map(Shown::state).collect()
    }

    /// All objects of a service principal, as [`Stores::state`] has them.
    pub fn of_service_principal(&self, id: &str) -> Vec<Arc<SyncJob>> {
        self.0.iter().flat_map(|shown| shown.neighbours.of(id)).collect()
    }

    /// The same once one of them is as wished by a write, together with every earlier write; `None` if the watch does not show
    /// that write within this time, or may miss earlier ones. Several watches are not in step with each other.
    pub async fn of_service_principal_once(
        &self,
        id: &str,
        wished: impl Fn(&SyncJob) -> bool,
        within: Duration,
    ) -> Option<Vec<Arc<SyncJob>>> {
        match self.0.as_slice() {
            [only] => only.neighbours.once(id, wished, within).await,
            _ => None,
        }
    }

    /// The newest version that is shown. To be taken before a write, and compared by [`Stores::answered`] with its answer.
    pub fn newest(&self) -> u128 {
        self.0.iter().map(|shown| shown.neighbours.newest()).max().unwrap_or_default()
    }

    /// A write was answered with this object. One that is older than what was shown before means that the storage of the API
    /// server was restored, and that the watch misses what was written since.
    pub fn answered(&self, newest: u128, object: &SyncJob) {
        if version(object).is_some_and(|version| version < newest) {
            self.0.iter().for_each(|shown| shown.neighbours.goes_back());
        }
    }

    /// For how long the quietest of the watches has shown nothing, not even a bookmark; `None` while one of them has not
    /// shown its first list.
    pub fn silence(&self) -> Option<Duration> {
        self.0.iter().map(|shown| shown.heard.silence()).collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

/// What a watch shows of one object. The store holds it already.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The first list shows it.
    Listed(Arc<SyncJob>),
    /// It was not there before.
    Created(Arc<SyncJob>),
    /// Its spec, its annotations or its finalizers changed, or its deletion was requested, or it can be read again. Our own
    /// status writes are not among this, so that a report does not wake its own reader.
    Changed(Arc<SyncJob>),
    /// It is gone, or cannot be read any more.
    Gone(ObjectRef<SyncJob>),
}

/// One watch. Nothing is asked before it runs.
pub struct Watch {
    api: Api<Stored>,
    writer: Writer<SyncJob>,
    shown: Shown,
}

/// The watches over all watched namespaces.
pub fn sync_jobs(client: &Client, namespaces: &Namespaces) -> Vec<Watch> {
    namespaces.apis(client).into_iter().map(Watch::new).collect()
}

impl Watch {
    fn new(api: Api<Stored>) -> Self {
        let (store, writer) = reflector::store();
        Self {
            api,
            writer,
            shown: Shown { store, shelf: Shelf::default(), neighbours: Neighbours::default(), heard: Heard::default() },
        }
    }

    /// Watches for ever, and sends every change that matters, and every object that cannot be read.
    pub async fn run(self, seen: UnboundedSender<Seen>, unreadable: UnboundedSender<Unreadable>) {
        let Self { api, writer, shown } = self;
        let heard = shown.heard.clone();
        let sorter = Sorter::new(shown.shelf.clone(), unreadable);
        let mut keeper = Keeper { writer, sorter, shown, listing: Vec::new(), complete: false, seen };
        follow(api, heard, move |event| keeper.show(event)).await;
    }
}

/// How an object differs from what was known of it.
#[derive(Clone, Copy)]
enum Difference {
    Unknown,
    Changed,
}

/// Keeps the store, and says what changed in it.
struct Keeper {
    writer: Writer<SyncJob>,
    sorter: Sorter,
    shown: Shown,
    /// What the list in progress shows and is to be sent once the store holds it.
    listing: Vec<(ObjectRef<SyncJob>, Difference)>,
    /// Whether there was a list before.
    complete: bool,
    seen: UnboundedSender<Seen>,
}

impl Keeper {
    fn show(&mut self, event: Event<Stored>) {
        let difference = match &event {
            Event::Apply(Stored::Readable(object)) | Event::InitApply(Stored::Readable(object)) => {
                self.difference(object)
            }
            Event::Apply(Stored::Unreadable(_))
            | Event::InitApply(Stored::Unreadable(_))
            | Event::Delete(_)
            | Event::Init
            | Event::InitDone => None,
        };
        let changed = match &event {
            Event::Apply(object) | Event::Delete(object) => {
                Some(ObjectRef::from_obj(object).into_kind_unchecked::<SyncJob>(()))
            }
            Event::Init | Event::InitApply(_) | Event::InitDone => None,
        };
        let old = changed.as_ref().and_then(|key| self.shown.get(key));
        let Some(mut event) = self.sorter.sort(event) else { return };
        match &mut event {
            Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => {
                object.managed_fields_mut().clear();
            }
            Event::Init | Event::InitDone => {}
        }
        self.writer.apply_watcher_event(&event);
        if let Some(key) = changed {
            self.shown.neighbours.replace(old.as_deref(), self.shown.get(&key));
        }
        match event {
            Event::Apply(object) => self.send(&ObjectRef::from_obj(&object), difference),
            Event::Delete(object) => self.announce(Seen::Gone(ObjectRef::from_obj(&object))),
            Event::Init => self.listing = Vec::new(),
            Event::InitApply(object) => {
                self.listing.extend(difference.map(|difference| (ObjectRef::from_obj(&object), difference)));
            }
            Event::InitDone => {
                self.shown.neighbours.reset(self.shown.state().collect());
                for (key, difference) in std::mem::take(&mut self.listing) {
                    self.send(&key, Some(difference));
                }
                self.complete = true;
            }
        }
    }

    /// Against what the store held before; `None` if nothing is different that matters.
    fn difference(&self, new: &SyncJob) -> Option<Difference> {
        let key = ObjectRef::from_obj(new);
        match self.shown.store.get(&key) {
            None if self.shown.shelf.holds(&key) => Some(Difference::Changed),
            None => Some(Difference::Unknown),
            Some(old) => matters(&old, new).then_some(Difference::Changed),
        }
    }

    fn send(&self, key: &ObjectRef<SyncJob>, difference: Option<Difference>) {
        let (Some(object), Some(difference)) = (self.shown.store.get(key), difference) else { return };
        self.announce(match difference {
            Difference::Unknown if self.complete => Seen::Created(object),
            Difference::Unknown => Seen::Listed(object),
            Difference::Changed => Seen::Changed(object),
        });
    }

    fn announce(&self, seen: Seen) {
        // An error means that the loop has ended.
        let _ = self.seen.send(seen);
    }
}

fn matters(old: &SyncJob, new: &SyncJob) -> bool {
    goes_back(old, new) || is_let_go(old, new) || wish(old).ne(&wish(new))
}

/// Whether an older version took the place of a newer one, as after a restore of the API server's storage: then what we
/// wrote may be missing as well.
fn goes_back(old: &SyncJob, new: &SyncJob) -> bool {
    version(new).zip(version(old)).is_some_and(|(new, old)| new < old)
}

/// What others write of an object. Our own finalizer counts where it went: adding it is ours, and what follows from that is
/// the rest of the pass that added it.
fn wish(object: &SyncJob) -> impl PartialEq + '_ {
    let metadata = &object.metadata;
    let others: Vec<&String> = object.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER).collect();
    ((&metadata.uid, metadata.generation, &metadata.deletion_timestamp), &metadata.annotations, others)
}

/// Whether our finalizer was taken away.
fn is_let_go(old: &SyncJob, new: &SyncJob) -> bool {
    let holds = |object: &SyncJob| object.finalizers().iter().any(|finalizer| finalizer == FINALIZER);
    holds(old) && !holds(new)
}
