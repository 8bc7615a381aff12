//! What this process remembers, object by object. Losing it is safe.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use parking_lot::Mutex;

use super::sync_job::{Desk, Vault};
use crate::api::SyncJob;
use crate::plan::{Memory, Now};

/// A watch that is farther behind a write of ours than this has lost something; a cluster that was restored from a snapshot
/// counts its versions from the past again.
const WRITTEN_FOR: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
pub(super) struct Entry {
    pub memory: Memory,
    /// The object as our last write left it, and when; the watch may still be behind it.
    pub written: Option<(Arc<SyncJob>, Duration)>,
    pub vault: Arc<Vault>,
    pub desk: Arc<Desk>,
}

impl Entry {
    /// The newer of what the watch shows and what our own last write answered.
    pub fn freshest(&mut self, object: Arc<SyncJob>, now: Now) -> Arc<SyncJob> {
        let version = |object: &SyncJob| object.resource_version().and_then(|version| version.parse::<u64>().ok());
        let needed = |(written, at): &(Arc<SyncJob>, Duration)| {
            let behind = written.uid() == object.uid() && version(written) > version(&object);
            behind && now.since(*at) <= WRITTEN_FOR
        };
        self.written = self.written.take().filter(needed);
        self.written.as_ref().map_or(object, |(written, _)| written.clone())
    }
}

#[derive(Default)]
pub(super) struct Memories(Mutex<HashMap<String, Entry>>);

impl Memories {
    /// Takes the entry out; a pass that does not come back leaves nothing behind that could mislead.
    pub fn take(&self, uid: &str) -> Entry {
        self.0.lock().remove(uid).unwrap_or_default()
    }

    pub fn put(&self, uid: &str, entry: Entry) {
        self.0.lock().insert(uid.to_owned(), entry);
    }

    /// The newer of what the watch shows and what our own last write answered.
    pub fn freshest(&self, object: Arc<SyncJob>, now: Now) -> Arc<SyncJob> {
        let mut entries = self.0.lock();
        match object.uid().and_then(|uid| entries.get_mut(&uid)) {
            Some(entry) => entry.freshest(object, now),
            None => object,
        }
    }

    pub fn retain(&self, keep: impl Fn(&str) -> bool) {
        self.0.lock().retain(|uid, _| keep(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(version: &str) -> Arc<SyncJob> {
        let metadata = json!({"name": "a", "namespace": "apps", "uid": "u", "resourceVersion": version});
        let spec = json!({"servicePrincipalId": "x", "templateId": "scim"});
        Arc::new(serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap())
    }

    fn at(second: u64) -> Now {
        Now { wall: jiff::Timestamp::UNIX_EPOCH, monotonic: Duration::from_secs(second) }
    }

    #[test]
    fn our_own_write_wins_while_the_watch_is_behind_and_not_for_ever() {
        let version = |object: Arc<SyncJob>| object.resource_version().unwrap();
        let wrote = || Entry { written: Some((object("10"), Duration::ZERO)), ..Entry::default() };
        assert_eq!(version(wrote().freshest(object("9"), at(1))), "10");
        let mut caught_up = wrote();
        assert_eq!(version(caught_up.freshest(object("11"), at(1))), "11");
        assert!(caught_up.written.is_none(), "it is kept no longer than it is needed");
        let mut restored = wrote();
        assert_eq!(version(restored.freshest(object("9"), at(61))), "9", "a snapshot counts from the past again");
        assert!(restored.written.is_none());
    }
}
