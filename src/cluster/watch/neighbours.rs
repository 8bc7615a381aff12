//! The SyncJobs of each service principal, as one watch shows them, so that those of one are found without a walk over all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use parking_lot::RwLock;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::api::SyncJob;

/// Shared by the watch, which writes it, and by those who ask. It changes after the store does, one event at a time, in the
/// order of the writes: what shows a write shows every earlier one.
#[derive(Clone, Default)]
pub(super) struct Neighbours(Arc<Shared>);

#[derive(Default)]
struct Shared {
    shown: RwLock<Shown>,
    changed: Notify,
}

#[derive(Default)]
struct Shown {
    by_principal: HashMap<String, Vec<Arc<SyncJob>>>,
    /// The newest version of all objects.
    newest: u128,
    /// The API server has answered with an older version since the last list: after a restore of its storage a watch shows
    /// nothing until the versions have caught up, and never what was written until then.
    went_back: bool,
}

impl Neighbours {
    /// The SyncJobs of a service principal.
    pub fn of(&self, principal: &str) -> Vec<Arc<SyncJob>> {
        self.0.shown.read().of(principal)
    }

    /// The same at a moment when one of them is as wished; `None` if that takes too long, or if what is shown may have gaps.
    pub async fn once(
        &self,
        principal: &str,
        wished: impl Fn(&SyncJob) -> bool,
        within: Duration,
    ) -> Option<Vec<Arc<SyncJob>>> {
        let seen = async {
            loop {
                let changed = self.0.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                let found = {
                    let shown = self.0.shown.read();
                    if shown.went_back {
                        return None;
                    }
                    shown.of(principal)
                };
                if found.iter().any(|object| wished(object)) {
                    return Some(found);
                }
                changed.await;
            }
        };
        timeout(within, seen).await.ok().flatten()
    }

    pub fn newest(&self) -> u128 {
        self.0.shown.read().newest
    }

    pub fn goes_back(&self) {
        self.0.shown.write().went_back = true;
        self.0.changed.notify_waiters();
    }

    /// An object is another one than before, or is there no longer.
    pub fn replace(&self, old: Option<&SyncJob>, new: Option<Arc<SyncJob>>) {
        {
            let shown = &mut *self.0.shown.write();
            if let Some(old) = old {
                shown.remove(old);
            }
            if let Some(new) = new {
                shown.add(new);
            }
        }
        self.0.changed.notify_waiters();
    }

    /// A list is complete.
    pub fn reset(&self, objects: Vec<Arc<SyncJob>>) {
        {
            let mut shown = Shown::default();
            for object in objects {
                shown.add(object);
            }
            *self.0.shown.write() = shown;
        }
        self.0.changed.notify_waiters();
    }
}

impl Shown {
    fn of(&self, principal: &str) -> Vec<Arc<SyncJob>> {
        self.by_principal.get(&key(principal)).cloned().unwrap_or_default()
    }

    fn add(&mut self, object: Arc<SyncJob>) {
        self.newest = self.newest.max(version(&object).unwrap_or_default());
        self.by_principal.entry(key(&object.spec.service_principal_id)).or_default().push(object);
    }

    fn remove(&mut self, object: &SyncJob) {
        let key = key(&object.spec.service_principal_id);
        let Some(neighbours) = self.by_principal.get_mut(&key) else { return };
        let same = |other: &Arc<SyncJob>| {
            other.metadata.name == object.metadata.name && other.metadata.namespace == object.metadata.namespace
        };
        if let Some(index) = neighbours.iter().position(same) {
            neighbours.swap_remove(index);
        }
        if neighbours.is_empty() {
            self.by_principal.remove(&key);
        }
    }
}

/// `None` where the API server's versions are not numbers.
pub(super) fn version(object: &SyncJob) -> Option<u128> {
    object.resource_version()?.parse().ok()
}

/// An id may be written in any case, and with the path in front.
fn key(principal: &str) -> String {
    principal.strip_prefix("/servicePrincipals/").unwrap_or(principal).to_ascii_lowercase()
}
