//! Which login an object may use, and whether anything can be sent with it. The fence of a cluster-wide tenant is asked here
//! and nowhere else, at each pass and again before each write.

mod clients;
mod key;
mod namespaces;
mod share;
mod source;

use kube::ResourceExt;

pub use clients::Connections;
pub use key::TenantKey;
pub(super) use namespaces::Age;
pub use share::{Account, Share};

use self::clients::Clients;
use self::namespaces::NamespaceCache;
use super::trouble::{cluster_trouble, graph_trouble};
use crate::api::tenant::{NamespaceGrant, TenantKind, TenantRef};
use crate::api::{SyncJob, TENANT_FINALIZER};
use crate::cluster::read::NamespaceFacts;
use crate::cluster::watch::tenants::{StoredTenant, TenantKinds, TenantName, TenantStore};
use crate::graph::{self, Availability};
use crate::plan::ids::ServicePrincipalId;
use crate::plan::tenant::fence::{self, Asked, Barred};
use crate::plan::tenant::{LogInWith, Wish};
use crate::plan::{Barrier, Trouble, TroubleKind};

/// The cluster-wide tenant of a SyncJob that names none.
const DEFAULT: &str = "default";

/// What an object is worked on with.
#[derive(Clone)]
pub(super) struct Login {
    pub tenant: TenantKey,
    pub client: graph::Client,
}

impl Login {
    /// The same login for calls that wait like this for their turn.
    pub fn for_call_of(self, turn: graph::Turn) -> Self {
        Self { client: self.client.with_turn(turn), ..self }
    }
}

/// The operator's own login, for SyncJobs that name no tenant.
pub struct Own {
    pub key: TenantKey,
    pub client: graph::Client,
    /// Which namespaces may use it; all if there is none.
    pub namespaces: Vec<String>,
}

/// All tenants.
pub struct Tenants {
    own: Option<Own>,
    kinds: TenantKinds,
    store: TenantStore,
    /// `None` while no kind of tenant is worked on.
    made: Option<Made>,
}

struct Made {
    clients: Clients,
    namespaces: NamespaceCache,
}

/// A tenant and its wish.
pub(super) struct Known {
    pub stored: StoredTenant,
    /// Or why the spec cannot be acted on.
    pub wish: Result<Wish, String>,
}

impl Tenants {
    /// The operator's own login only, under the name that metrics show for it.
    pub fn of_operator(name: &str, client: graph::Client) -> Self {
        let own = Own { key: TenantKey::new(name), client, namespaces: Vec::new() };
        Self { own: Some(own), kinds: TenantKinds::default(), store: TenantStore::default(), made: None }
    }

    /// Tenants as resources, and the operator's own login if it has one.
    pub fn new(
        own: Option<Own>,
        kinds: TenantKinds,
        store: TenantStore,
        client: &kube::Client,
        connections: Connections,
    ) -> Self {
        let made = Made {
            clients: Clients::new(client.clone(), connections),
            namespaces: NamespaceCache::new(client.clone()),
        };
        Self { own, kinds, store, made: Some(made) }
    }

    /// The tenant of an object, whether it exists or not; `None` for the operator's own login.
    pub(super) fn name_of(&self, object: &SyncJob) -> Option<TenantName> {
        if let Some(reference) = &object.spec.tenant_ref {
            return Some(named(reference, object));
        }
        self.store.get(&default()).map(|_| default())
    }

    /// The tenant of an object, if it lacks our finalizer and can have it.
    pub(super) fn without_finalizer(&self, object: &SyncJob) -> Option<TenantName> {
        let name = self.name_of(object)?;
        let stored = self.store.get(&name)?;
        let metadata = stored.metadata();
        let held = metadata.finalizers.iter().flatten().any(|finalizer| finalizer == TENANT_FINALIZER);
        (!held && metadata.deletion_timestamp.is_none()).then_some(name)
    }

    /// The tenants that are being deleted.
    pub(super) fn leaving(&self) -> Vec<TenantName> {
        let leaves = |name: &TenantName| {
            self.store.get(name).is_some_and(|stored| stored.metadata().deletion_timestamp.is_some())
        };
        self.store.names().into_iter().filter(leaves).collect()
    }

    /// The tenant under which the work on an object is counted.
    pub(super) fn of(&self, object: &SyncJob) -> TenantKey {
        match (self.name_of(object), &self.own) {
            (Some(name), _) => TenantKey::from(&name),
            (None, Some(own)) => own.key.clone(),
            (None, None) => TenantKey::new(""),
        }
    }

    /// Whether calls of this urgency would be sent for a tenant now.
    pub(super) fn availability(&self, tenant: &TenantKey, urgency: graph::Priority) -> Availability {
        let own = self.own.as_ref().filter(|own| own.key == *tenant).map(|own| own.client.clone());
        let client = own.or_else(|| self.made.as_ref()?.clients.known(tenant));
        client.map_or(Availability::Open, |client| client.with_priority(urgency).availability())
    }

    pub(super) fn known(&self, name: &TenantName) -> Option<Known> {
        let stored = self.store.get(name)?;
        let wish = match &stored {
            StoredTenant::Namespaced(tenant) => Wish::of_namespaced(&tenant.spec),
            StoredTenant::Cluster(tenant) => Wish::of_cluster(&tenant.spec),
            StoredTenant::Unreadable { fault, .. } => {
                Err(format!("this version of the operator cannot read the tenant: {fault}"))
            }
        };
        Some(Known { stored, wish })
    }

    /// The client of a tenant whose spec can be acted on.
    pub(super) fn client(&self, name: &TenantName, known: &Known) -> Option<graph::Client> {
        let (wish, made) = (known.wish.as_ref().ok()?, self.made.as_ref()?);
        let uid = known.stored.metadata().uid.clone().unwrap_or_default();
        Some(made.clients.of(name, &uid, wish))
    }

    pub(super) fn forget(&self, name: &TenantName) {
        if let Some(made) = &self.made {
            made.clients.forget(name);
        }
    }

    /// The login that an object may use; or why it has none. Nothing is sent to Graph.
    pub(super) async fn login(&self, object: &SyncJob, age: Age) -> Result<Login, Trouble> {
        let Some(name) = self.name_of(object) else { return self.own_login(object) };
        let tenant = TenantKey::from(&name);
        if !self.kinds.watches(name.kind) {
            let what = name.kind.name();
            return Err(barred(
                Barrier::NotFound,
                format!("The operator does not work on resources of kind {what}: they are not enabled in its chart."),
            ));
        }
        let Some(known) = self.known(&name) else {
            return Err(barred(Barrier::NotFound, format!("There is no {}.", in_words(&name))));
        };
        let wish = known.wish.as_ref().map_err(|fault| {
            barred(Barrier::NotReady, format!("The spec of {} cannot be acted on: {fault}.", in_words(&name)))
        })?;
        if let Some(grants) = &wish.grants {
            self.allowed(object, &name, grants, age).await?;
        }
        if wish.suspended {
            return Err(barred(Barrier::Suspended, format!("The mode of {} is Suspended.", in_words(&name))));
        }
        let client = self.client(&name, &known).ok_or_else(|| not_made(&name))?;
        if let LogInWith::ManagedIdentity { .. } = wish.login {
            let belongs_to = client.tenant().await.map_err(|error| graph_trouble(&error))?;
            if belongs_to != wish.tenant_id {
                let message = format!("The managed identity of {} belongs to tenant '{belongs_to}'.", in_words(&name));
                return Err(barred(Barrier::NotReady, message));
            }
        }
        Ok(Login { tenant, client })
    }

    /// Whether an object may still use the login that its pass began with.
    pub(super) async fn still_permits(&self, object: &SyncJob, login: &Login) -> bool {
        self.login(object, Age::Now).await.is_ok_and(|now| now.tenant == login.tenant && now.client.is(&login.client))
    }

    /// The same at this instant, by what is known by now: nothing is asked.
    pub(super) fn permits(&self, object: &SyncJob, login: &Login) -> bool {
        let Some(name) = self.name_of(object) else {
            return self.own_login(object).is_ok_and(|now| now.tenant == login.tenant);
        };
        let Some(known) = self.known(&name) else { return false };
        let Ok(wish) = &known.wish else { return false };
        let namespace = object.namespace().unwrap_or_default();
        let facts = self.made.as_ref().and_then(|made| made.namespaces.known(&namespace));
        let granted = wish.grants.as_ref().is_none_or(|grants| granted(object, grants, facts.as_ref()).is_ok());
        let same = || self.client(&name, &known).is_some_and(|client| client.is(&login.client));
        granted && !wish.suspended && TenantKey::from(&name) == login.tenant && same()
    }

    fn own_login(&self, object: &SyncJob) -> Result<Login, Trouble> {
        let Some(own) = &self.own else {
            let message = "`spec.tenantRef` names no tenant, there is no ClusterEntraTenant 'default', and the operator has no login of its own.";
            return Err(barred(Barrier::NotFound, message.to_owned()));
        };
        let namespace = object.namespace().unwrap_or_default();
        if !own.namespaces.is_empty() && !own.namespaces.contains(&namespace) {
            let message = format!(
                "`spec.tenantRef` names no tenant, and the operator's own login is not for namespace '{namespace}'."
            );
            return Err(barred(Barrier::NotAllowed, message));
        }
        Ok(Login { tenant: own.key.clone(), client: own.client.clone() })
    }

    async fn allowed(
        &self,
        object: &SyncJob,
        name: &TenantName,
        grants: &[NamespaceGrant],
        age: Age,
    ) -> Result<(), Trouble> {
        let namespace = object.namespace().unwrap_or_default();
        let facts = if fence::needs_labels(grants) { self.facts(&namespace, age).await? } else { None };
        granted(object, grants, facts.as_ref()).map_err(|why| {
            let what = match why {
                Barred::Namespace => format!("is not for namespace '{namespace}'"),
                Barred::ServicePrincipal => {
                    format!("is not for this service principal in namespace '{namespace}'")
                }
                Barred::Mode => format!("does not allow this mode in namespace '{namespace}'"),
            };
            barred(Barrier::NotAllowed, format!("{} {what}.", in_words(name)))
        })
    }

    async fn facts(&self, namespace: &str, age: Age) -> Result<Option<NamespaceFacts>, Trouble> {
        let Some(made) = &self.made else { return Ok(None) };
        let facts = made.namespaces.get(namespace, age).await;
        facts.map_err(|error| cluster_trouble(&error, "reading the labels of the namespace"))
    }
}

/// Whether an object names a tenant, or would if the tenant existed.
pub(super) fn may_name(object: &SyncJob, name: &TenantName) -> bool {
    match &object.spec.tenant_ref {
        Some(reference) => named(reference, object) == *name,
        None => *name == default(),
    }
}

/// Whether the grants of a cluster-wide tenant are for an object in a namespace of which this is known.
fn granted(object: &SyncJob, grants: &[NamespaceGrant], facts: Option<&NamespaceFacts>) -> Result<(), Barred> {
    let principal = ServicePrincipalId::parse(&object.spec.service_principal_id);
    let asked = Asked {
        namespace: &object.namespace().unwrap_or_default(),
        labels: facts.map(|facts| &facts.labels),
        service_principal: principal.as_ref().map_or("", |id| id.as_str()),
        mode: object.spec.mode(),
    };
    fence::check(grants, asked)
}

fn default() -> TenantName {
    TenantName { kind: TenantKind::ClusterEntraTenant, namespace: String::new(), name: DEFAULT.to_owned() }
}

fn named(reference: &TenantRef, object: &SyncJob) -> TenantName {
    let namespace = match reference.kind() {
        TenantKind::EntraTenant => object.namespace().unwrap_or_default(),
        TenantKind::ClusterEntraTenant => String::new(),
    };
    TenantName { kind: reference.kind(), namespace, name: reference.name.clone() }
}

fn in_words(name: &TenantName) -> String {
    match name.kind {
        TenantKind::EntraTenant => format!("EntraTenant '{}' in namespace '{}'", name.name, name.namespace),
        TenantKind::ClusterEntraTenant => format!("ClusterEntraTenant '{}'", name.name),
    }
}

fn barred(barrier: Barrier, detail: String) -> Trouble {
    Trouble { kind: TroubleKind::Barred(barrier), detail, trace: None, retry_after: None }
}

fn not_made(name: &TenantName) -> Trouble {
    barred(Barrier::NotReady, format!("There is no client for {}.", in_words(name)))
}
