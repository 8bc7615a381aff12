//! The handle of one object, the only place that writes it: each write carries the resourceVersion that was decided on, so
//! that it is a compare-and-swap, and its answer is what the next write is decided on.

use std::fmt::Debug;
use std::sync::Arc;

use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::stored::Stored;
use super::{Error, bounded};
use crate::api::tenant::{ClusterEntraTenant, EntraTenant};
use crate::api::{MANAGER_IDENTITY, SyncJob};

/// A custom resource of ours.
pub trait Kind: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync {
    /// Where the objects of a namespace are; for a cluster-scoped kind, where all are.
    fn api(client: Client, namespace: &str) -> Api<Self>;
}

macro_rules! namespaced {
    ($($kind:ty),+) => {
        $(impl Kind for $kind {
            fn api(client: Client, namespace: &str) -> Api<Self> {
                Api::namespaced(client, namespace)
            }
        })+
    };
}

namespaced!(SyncJob, Stored, EntraTenant);

impl Kind for ClusterEntraTenant {
    fn api(client: Client, _: &str) -> Api<Self> {
        Api::all(client)
    }
}

/// An object as it was read, or as our last write left it.
#[derive(Clone)]
pub struct Handle<K> {
    client: Client,
    object: Arc<K>,
}

impl<K: Kind> Handle<K> {
    pub fn new(client: Client, object: Arc<K>) -> Self {
        Self { client, object }
    }

    pub fn object(&self) -> &Arc<K> {
        &self.object
    }

    /// Writes a part of status, whole, as the field manager that owns it.
    pub async fn apply_status(&mut self, manager: &str, part: &impl Serialize) -> Result<(), Error> {
        let written = apply_status::<K, K>(&self.client, &self.object, manager, part).await?;
        self.wrote(written);
        Ok(())
    }

    /// The same for a part that only describes: if the object changed under it and is still of this generation, the part is
    /// written once more on the newer version.
    pub async fn describe(&mut self, manager: &str, part: &impl Serialize) -> Result<(), Error> {
        match self.apply_status(manager, part).await {
            Err(Error::Changed) => {}
            other => return other,
        }
        let decided_on = |object: &K| (object.meta().generation, object.meta().deletion_timestamp.is_some());
        let before = decided_on(&self.object);
        self.reread().await?;
        if decided_on(&self.object) == before { self.apply_status(manager, part).await } else { Err(Error::Changed) }
    }

    /// Adds a finalizer, leaving all others in place.
    pub async fn add_finalizer(&mut self, finalizer: &str) -> Result<(), Error> {
        let finalizers = others(&*self.object, finalizer).chain([finalizer.to_owned()]).collect();
        let written = set_finalizers::<K, K>(&self.client, &self.object, finalizers).await?;
        self.wrote(written);
        Ok(())
    }

    /// Removes a finalizer. An object that is gone counts as done.
    pub async fn remove_finalizer(&self, finalizer: &str) -> Result<(), Error> {
        release::<K, K>(&self.client, &self.object, finalizer).await
    }

    /// Reads the object as the API server has it now, uncached. `Gone` if it does not exist, or another one has its name.
    pub async fn reread(&mut self) -> Result<(), Error> {
        let api = api::<K>(&self.client, &*self.object);
        let current = bounded(api.get_opt(&self.object.name_any())).await?;
        let current = current.filter(|current| current.uid() == self.object.uid()).ok_or(Error::Gone)?;
        self.wrote(current);
        Ok(())
    }

    /// Field managers are never looked at, and take more room than the rest of an object.
    fn wrote(&mut self, mut object: K) {
        object.managed_fields_mut().clear();
        self.object = Arc::new(object);
    }
}

/// Writes a part of the status of an object that cannot be read as `K`, and is answered as `A`. What it is named by, and its
/// version, are those of the stand-in.
pub async fn apply_unread<K: Kind, A: Kind>(
    client: &Client,
    stand_in: &K,
    manager: &str,
    part: &impl Serialize,
) -> Result<(), Error> {
    apply_status::<K, A>(client, stand_in, manager, part).await.map(drop)
}

/// Removes a finalizer from an object that cannot be read as `K`.
pub async fn release_unread<K: Kind, A: Kind>(client: &Client, stand_in: &K, finalizer: &str) -> Result<(), Error> {
    release::<K, A>(client, stand_in, finalizer).await
}

async fn release<K: Kind, A: Kind>(client: &Client, object: &K, finalizer: &str) -> Result<(), Error> {
    match set_finalizers::<K, A>(client, object, others(object, finalizer).collect()).await {
        Ok(_) | Err(Error::Gone) => Ok(()),
        Err(error) => Err(error),
    }
}

fn others<'a>(object: &'a impl ResourceExt, finalizer: &'a str) -> impl Iterator<Item = String> + 'a {
    object.finalizers().iter().filter(move |other| *other != finalizer).cloned()
}

async fn set_finalizers<K: Kind, A: Kind>(client: &Client, object: &K, finalizers: Vec<String>) -> Result<A, Error> {
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "uid": object.uid(), "finalizers": finalizers}});
    let params = PatchParams { field_manager: Some(MANAGER_IDENTITY.to_owned()), ..PatchParams::default() };
    bounded(api::<A>(client, object).patch(&object.name_any(), &params, &Patch::Merge(&patch))).await
}

async fn apply_status<K: Kind, A: Kind>(
    client: &Client,
    object: &K,
    manager: &str,
    part: &impl Serialize,
) -> Result<A, Error> {
    let status: Value = serde_json::to_value(part).map_err(|error| Error::Unavailable(error.to_string()))?;
    let mut patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": object.name_any(), "resourceVersion": object.resource_version()},
        "status": status,
    });
    if let Some(namespace) = object.namespace() {
        patch["metadata"]["namespace"] = namespace.into();
    }
    let params = PatchParams::apply(manager).force();
    bounded(api::<A>(client, object).patch_status(&object.name_any(), &params, &Patch::Apply(&patch))).await
}

fn api<A: Kind>(client: &Client, object: &impl ResourceExt) -> Api<A> {
    A::api(client.clone(), &object.namespace().unwrap_or_default())
}
