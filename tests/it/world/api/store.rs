//! What the API server holds: objects by version, the log that watches read, and a history that nobody can rewrite.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::super::By;
use super::super::clock::Clock;
use super::ownership::Manager;

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub namespace: String,
    pub name: String,
}

impl Key {
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// An object at one version. It never changes.
#[derive(Debug)]
pub struct Version {
    pub key: Key,
    pub uid: String,
    pub number: u64,
    /// Without `managedFields`.
    pub value: Value,
    pub managers: Vec<Manager>,
    /// As it is served.
    pub json: Bytes,
}

impl Version {
    pub fn is_deleting(&self) -> bool {
        self.value["metadata"].get("deletionTimestamp").is_some()
    }

    pub fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.value["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    pub fn generation(&self) -> i64 {
        self.value["metadata"]["generation"].as_i64().unwrap_or_default()
    }

    /// A text of the status, such as `jobId`.
    pub fn status(&self, member: &str) -> Option<&str> {
        self.value["status"][member].as_str()
    }

    /// A text of the spec.
    pub fn spec(&self, member: &str) -> Option<&str> {
        self.value["spec"][member].as_str()
    }
}

/// A kind of resource. Each has a store of its own, with versions that are compared within it only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    SyncJob,
    EntraTenant,
    ClusterEntraTenant,
    /// The metadata of Secrets.
    Secret,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::SyncJob => "SyncJob",
            Self::EntraTenant => "EntraTenant",
            Self::ClusterEntraTenant => "ClusterEntraTenant",
            Self::Secret => "PartialObjectMetadata",
        }
    }

    /// As paths have it.
    pub fn of_path(plural: &str) -> Option<Self> {
        match plural {
            "syncjobs" => Some(Self::SyncJob),
            "entratenants" => Some(Self::EntraTenant),
            "clusterentratenants" => Some(Self::ClusterEntraTenant),
            "secrets" => Some(Self::Secret),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Added,
    Modified,
    Deleted,
}

/// One change, as watches see it.
#[derive(Clone, Debug)]
pub struct Logged {
    pub number: u64,
    pub at: Duration,
    pub change: Change,
    pub object: Arc<Version>,
}

/// One change, as it is judged later.
#[derive(Clone, Debug)]
pub struct Write {
    pub at: Duration,
    pub by: By,
    pub change: Change,
    pub before: Option<Arc<Version>>,
    /// For a deletion, the object as it was last.
    pub after: Arc<Version>,
}

/// One request, as it is judged later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub at: Duration,
    pub by: By,
    pub verb: Verb,
    pub key: Option<Key>,
    /// What the server answered; 0 for a watch that began.
    pub status: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    List,
    Watch,
    Get,
    Create,
    /// Of the object itself.
    Patch,
    /// Of its status.
    PatchStatus,
    Delete,
    Event,
    Definition,
    Lease,
    /// A Secret.
    Secret,
    /// The metadata of a namespace.
    Namespace,
    /// A ControllerRevision, or some.
    ReadRevision,
    WriteRevision,
    Unknown,
}

impl Verb {
    /// Whether it changes a SyncJob, or what belongs to one.
    pub fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Patch | Self::PatchStatus | Self::Delete | Self::WriteRevision)
    }
}

/// What becomes of a watch that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The connection breaks.
    Lost,
    /// Nothing comes any more, not even the end.
    Silent,
    /// The server says that the version is too old.
    Gone,
}

/// A watch that is open.
#[derive(Default)]
pub struct Watcher {
    pub by: Option<By>,
    pub waker: Option<Waker>,
    pub interruption: Option<Interruption>,
}

/// A backup of what was stored.
pub struct Snapshot {
    objects: BTreeMap<Key, Arc<Version>>,
    number: u64,
}

/// What an operator was shown: the version of an object, by a watch or by a list.
#[derive(Clone, Debug)]
pub struct Shown {
    pub at: Duration,
    pub by: By,
    pub object: Arc<Version>,
    /// By a list, whose answer may be under way for a while.
    pub listed: bool,
}

pub struct Store {
    pub kind: Kind,
    pub clock: Clock,
    pub objects: BTreeMap<Key, Arc<Version>>,
    /// The version of the newest write.
    pub number: u64,
    /// Versions before this one are forgotten.
    pub compacted: u64,
    pub log: Vec<Logged>,
    pub watchers: BTreeMap<u64, Watcher>,
    watches: u64,
    uids: u64,
    /// Everything that was ever written.
    pub history: Vec<Write>,
    pub requests: Vec<Request>,
    /// What operators were shown of tenants.
    pub shown: Vec<Shown>,
    /// The events that arrived, with their sender.
    pub events: Vec<(Duration, By, Value)>,
    pub leases: BTreeMap<Key, (u64, Value)>,
    pub definition_going: bool,
    /// Writes are carried out whatever version they were decided on.
    pub blind: bool,
}

impl Store {
    pub fn new(clock: Clock, kind: Kind) -> Self {
        Self {
            kind,
            clock,
            objects: BTreeMap::new(),
            number: 100,
            compacted: 0,
            log: Vec::new(),
            watchers: BTreeMap::new(),
            watches: 0,
            uids: 0,
            history: Vec::new(),
            requests: Vec::new(),
            shown: Vec::new(),
            events: Vec::new(),
            leases: BTreeMap::new(),
            definition_going: false,
            blind: false,
        }
    }

    pub fn new_uid(&mut self) -> String {
        self.uids += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", self.kind as u8, self.uids)
    }

    pub fn date(&self) -> String {
        self.clock.date(self.clock.now()).to_string()
    }

    pub fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Stores an object under the next version.
    pub fn put(&mut self, mut value: Value, managers: Vec<Manager>, by: By) -> Arc<Version> {
        let number = self.next_number();
        value["metadata"]["resourceVersion"] = Value::from(number.to_string());
        let object = Arc::new(version(value, managers, number));
        let before = self.objects.insert(object.key.clone(), object.clone());
        let change = if before.is_some() { Change::Modified } else { Change::Added };
        self.note(change, before, object.clone(), by);
        object
    }

    /// Takes an object out; what watches see of it has a version of its own.
    pub fn take_out(&mut self, mut value: Value, managers: Vec<Manager>, by: By) -> Arc<Version> {
        let number = self.next_number();
        value["metadata"]["resourceVersion"] = Value::from(number.to_string());
        let object = Arc::new(version(value, managers, number));
        let before = self.objects.remove(&object.key);
        self.note(Change::Deleted, before, object.clone(), by);
        object
    }

    fn note(&mut self, change: Change, before: Option<Arc<Version>>, object: Arc<Version>, by: By) {
        let (at, number) = (self.clock.now(), object.number);
        self.log.push(Logged { number, at, change, object: object.clone() });
        self.history.push(Write { at: self.clock.stamp(), by, change, before, after: object });
        self.wake();
    }

    /// Takes note of what an operator is shown.
    pub fn show(&mut self, by: By, object: &Arc<Version>, listed: bool) {
        if self.kind != Kind::SyncJob {
            self.shown.push(Shown { at: self.clock.stamp(), by, object: object.clone(), listed });
        }
    }

    fn wake(&mut self) {
        self.watchers.values_mut().filter_map(|watcher| watcher.waker.take()).for_each(Waker::wake);
    }

    pub fn open_watch(&mut self, by: By) -> u64 {
        self.watches += 1;
        self.watchers.insert(self.watches, Watcher { by: Some(by), ..Watcher::default() });
        self.watches
    }

    /// Interrupts the open watches of an operator, or all.
    pub fn interrupt(&mut self, of: Option<By>, how: Interruption) {
        let chosen = self.watchers.values_mut().filter(|watcher| of.is_none() || watcher.by == of);
        chosen.for_each(|watcher| watcher.interruption = Some(how));
        self.wake();
    }

    /// Forgets how the objects came to be what they are: every watch that begins at an older version is refused.
    pub fn compact(&mut self) {
        self.compacted = self.number;
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot { objects: self.objects.clone(), number: self.number }
    }

    /// Goes back to a backup: objects, and the count of versions, are those of then. The server begins again, so that
    /// every watch breaks.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        let at = self.clock.stamp();
        let lost: Vec<Arc<Version>> = self.objects.values().cloned().collect();
        self.objects.clone_from(&snapshot.objects);
        self.number = snapshot.number;
        self.compacted = self.compacted.min(snapshot.number);
        self.log.retain(|logged| logged.number <= snapshot.number);
        for gone in lost.iter().filter(|object| !self.objects.contains_key(&object.key)) {
            let after = gone.clone();
            self.history.push(Write { at, by: By::Person, change: Change::Deleted, before: Some(gone.clone()), after });
        }
        for back in self.objects.values() {
            let before = lost.iter().find(|object| object.key == back.key).cloned();
            if before.as_ref().is_none_or(|before| before.number != back.number) {
                let change = if before.is_some() { Change::Modified } else { Change::Added };
                self.history.push(Write { at, by: By::Person, change, before, after: back.clone() });
            }
        }
        self.interrupt(None, Interruption::Lost);
    }
}

fn version(mut value: Value, managers: Vec<Manager>, number: u64) -> Version {
    let text = |member: &str| value["metadata"][member].as_str().unwrap_or_default();
    let (key, uid) = (Key::new(text("namespace"), text("name")), text("uid").to_owned());
    value["metadata"]["managedFields"] = managers.iter().map(Manager::rendered).collect();
    let json = Bytes::from(value.to_string());
    drop(value["metadata"].as_object_mut().and_then(|metadata| metadata.remove("managedFields")));
    Version { key, uid, number, value, managers, json }
}
