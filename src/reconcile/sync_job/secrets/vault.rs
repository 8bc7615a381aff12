//! What a pass holds of values: the set as Graph showed it, for one pass, and the tags of the values in Secrets, as long as
//! their version stays the same.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::cluster::secrets::SecretVersion;
use crate::graph::SecretPair;
use crate::plan::secrets::WantedValue;

/// A Secret: namespace and name.
pub(super) type Name = (String, String);
/// What is taken from a Secret: its key, and the key in Graph.
pub(super) type Taken = (String, String);

/// What one version of a Secret holds.
type Known = (SecretVersion, HashMap<Taken, WantedValue>);

/// Of one SyncJob. Values leave it only into a request to Graph.
#[derive(Default)]
pub(in crate::reconcile) struct Vault {
    live: Mutex<Vec<SecretPair>>,
    tags: Mutex<HashMap<Name, Known>>,
}

impl Vault {
    /// Forgets the values of a pass.
    pub fn close(&self) {
        self.live.lock().clear();
    }

    pub(super) fn keep_live(&self, set: Vec<SecretPair>) {
        *self.live.lock() = set;
    }

    pub(super) fn live(&self) -> Vec<SecretPair> {
        self.live.lock().clone()
    }

    /// What this version of a Secret is known to hold.
    pub(super) fn known(&self, name: &Name, version: &SecretVersion, taken: &Taken) -> Option<WantedValue> {
        let tags = self.tags.lock();
        let (_, known) = tags.get(name).filter(|(known, _)| known == version)?;
        known.get(taken).cloned()
    }

    /// Keeps what this version holds, and nothing of versions before it.
    pub(super) fn keep(&self, name: Name, version: SecretVersion, taken: Taken, value: WantedValue) {
        let mut tags = self.tags.lock();
        let known = tags.entry(name).or_insert_with(|| (version.clone(), HashMap::new()));
        if known.0 != version {
            *known = (version, HashMap::new());
        }
        known.1.insert(taken, value);
    }
}
