//! The watches over tenants: all of them in one store, and the name of each that changed in a way that matters.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::watcher::Event;
use kube::{Api, Client, Resource, ResourceExt};
use parking_lot::RwLock;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::Instant;

use super::follow::{Heard, follow};
use super::tolerant::Tolerant;
use crate::api::tenant::{ClusterEntraTenant, EntraTenant, TenantKind, TenantStatus};
use crate::cluster::Namespaces;

/// Names a tenant of either kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantName {
    pub kind: TenantKind,
    /// Empty for a cluster-wide one.
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TenantKind::EntraTenant => write!(f, "EntraTenant/{}/{}", self.namespace, self.name),
            TenantKind::ClusterEntraTenant => write!(f, "ClusterEntraTenant/{}", self.name),
        }
    }
}

/// A tenant came, went, or changed in a way that matters; its users get a pass that begins after that.
#[derive(Clone, Debug)]
pub struct TenantChange {
    pub name: TenantName,
    pub at: Instant,
}

/// A tenant as it is stored.
#[derive(Clone, Debug)]
pub enum StoredTenant {
    Namespaced(Arc<EntraTenant>),
    Cluster(Arc<ClusterEntraTenant>),
    /// One that this version cannot read, and what could not be read.
    Unreadable {
        metadata: Box<ObjectMeta>,
        fault: String,
    },
}

impl StoredTenant {
    pub fn status(&self) -> Option<&TenantStatus> {
        match self {
            Self::Namespaced(tenant) => tenant.status.as_ref(),
            Self::Cluster(tenant) => tenant.status.as_ref(),
            Self::Unreadable { .. } => None,
        }
    }

    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::Namespaced(tenant) => &tenant.metadata,
            Self::Cluster(tenant) => &tenant.metadata,
            Self::Unreadable { metadata, .. } => metadata,
        }
    }
}

/// All tenants that the watches show. Clones share it.
#[derive(Clone, Default)]
pub struct TenantStore(Arc<RwLock<BTreeMap<TenantName, StoredTenant>>>);

impl TenantStore {
    pub fn get(&self, name: &TenantName) -> Option<StoredTenant> {
        self.0.read().get(name).cloned()
    }

    /// All of them, with their status where they can be read.
    pub fn state(&self) -> Vec<(String, Option<TenantStatus>)> {
        self.0.read().iter().map(|(name, tenant)| (name.to_string(), tenant.status().cloned())).collect()
    }

    pub fn names(&self) -> Vec<TenantName> {
        self.0.read().keys().cloned().collect()
    }
}

/// Which kinds are watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantKinds {
    pub namespaced: bool,
    pub cluster: bool,
}

impl TenantKinds {
    pub fn watches(self, kind: TenantKind) -> bool {
        match kind {
            TenantKind::EntraTenant => self.namespaced,
            TenantKind::ClusterEntraTenant => self.cluster,
        }
    }
}

/// One watch. Nothing is asked before it runs.
pub struct TenantWatch {
    api: AnyApi,
    store: TenantStore,
    listed: watch::Sender<bool>,
}

enum AnyApi {
    Namespaced(Api<Tolerant<EntraTenant>>),
    Cluster(Api<Tolerant<ClusterEntraTenant>>),
}

/// The watches over the tenants of the watched namespaces and of the cluster, and the store that they fill.
pub fn tenants(client: &Client, namespaces: &Namespaces, kinds: TenantKinds) -> (Vec<TenantWatch>, TenantStore) {
    let (store, mut apis) = (TenantStore::default(), Vec::new());
    if kinds.namespaced {
        apis.extend(namespaces.apis(client).into_iter().map(AnyApi::Namespaced));
    }
    if kinds.cluster {
        apis.push(AnyApi::Cluster(Api::all(client.clone())));
    }
    let watch = |api| TenantWatch { api, store: store.clone(), listed: watch::Sender::new(false) };
    (apis.into_iter().map(watch).collect(), store)
}

impl TenantWatch {
    /// Turns true when the first list is in the store.
    pub fn listed(&self) -> watch::Receiver<bool> {
        self.listed.subscribe()
    }

    /// Watches for ever, and sends every change of a tenant that matters.
    pub async fn run(self, seen: UnboundedSender<TenantChange>) {
        let (store, listed) = (self.store, self.listed);
        match self.api {
            AnyApi::Namespaced(api) => {
                let keeper = Keeper { kind: TenantKind::EntraTenant, store, listed, seen, present: HashSet::new() };
                keeper.follow(api, |tenant| StoredTenant::Namespaced(Arc::new(tenant))).await;
            }
            AnyApi::Cluster(api) => {
                let kind = TenantKind::ClusterEntraTenant;
                let keeper = Keeper { kind, store, listed, seen, present: HashSet::new() };
                keeper.follow(api, |tenant| StoredTenant::Cluster(Arc::new(tenant))).await;
            }
        }
    }
}

/// Keeps what one watch shows in the store.
struct Keeper {
    kind: TenantKind,
    store: TenantStore,
    listed: watch::Sender<bool>,
    seen: UnboundedSender<TenantChange>,
    /// What this watch has in the store.
    present: HashSet<TenantName>,
}

impl Keeper {
    async fn follow<K>(mut self, api: Api<Tolerant<K>>, readable: impl Fn(K) -> StoredTenant + Send)
    where
        K: Resource<DynamicType = ()> + Clone + serde::de::DeserializeOwned + fmt::Debug + Send + Sync + 'static,
    {
        let mut listing: Option<HashSet<TenantName>> = None;
        follow(api, Heard::default(), move |event| match event {
            Event::Init => listing = Some(HashSet::new()),
            Event::InitApply(object) => {
                let name = self.shown(object, &readable);
                if let Some(listing) = &mut listing {
                    listing.insert(name);
                }
            }
            Event::InitDone => {
                let listing = listing.take().unwrap_or_default();
                let gone: Vec<TenantName> = self.present.difference(&listing).cloned().collect();
                for name in gone {
                    self.gone(name);
                }
                self.listed.send_replace(true);
            }
            Event::Apply(object) => {
                self.shown(object, &readable);
            }
            Event::Delete(object) => {
                let name = self.name(&object);
                self.gone(name);
            }
        })
        .await;
    }

    fn shown<K>(&mut self, mut object: Tolerant<K>, readable: impl Fn(K) -> StoredTenant) -> TenantName
    where
        K: Resource<DynamicType = ()>,
    {
        object.managed_fields_mut().clear();
        let name = self.name(&object);
        let metadata = object.metadata.clone();
        let new = match object.object {
            Ok(mut readable_object) => {
                readable_object.meta_mut().managed_fields = None;
                readable(*readable_object)
            }
            Err(fault) => StoredTenant::Unreadable { metadata: Box::new(metadata), fault },
        };
        let old = self.store.0.write().insert(name.clone(), new.clone());
        self.present.insert(name.clone());
        if old.is_none_or(|old| matters(&old) != matters(&new)) {
            self.announce(name.clone());
        }
        name
    }

    fn gone(&mut self, name: TenantName) {
        self.present.remove(&name);
        self.store.0.write().remove(&name);
        self.announce(name);
    }

    fn name<K: Resource<DynamicType = ()>>(&self, object: &Tolerant<K>) -> TenantName {
        TenantName { kind: self.kind, namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
    }

    fn announce(&self, name: TenantName) {
        // An error means that the loop has ended.
        let _ = self.seen.send(TenantChange { name, at: Instant::now() });
    }
}

/// What others write of a tenant; our own status writes wake nobody.
fn matters(tenant: &StoredTenant) -> impl PartialEq + use<> {
    let metadata = tenant.metadata();
    let annotations = metadata.annotations.clone();
    (metadata.uid.clone(), metadata.generation, metadata.deletion_timestamp.clone(), annotations)
}
