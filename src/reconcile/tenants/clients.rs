//! One Graph client for each tenant object, made when it is first needed. Clients of two tenant objects never share a token,
//! even with the same application: one team could not have obtained the other's. What they do share is how much they may
//! send, because Graph counts by application and tenant.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::key::TenantKey;
use super::share::{Account, Share, lower, rates};
use super::source::TenantSource;
use crate::api::tenant::Cloud;
use crate::cluster::watch::tenants::TenantName;
use crate::graph::{self, Source, Transport};
use crate::plan::tenant::{LogInWith, Wish};

type OptionsOf = dyn Fn(Cloud, &str) -> graph::Options + Send + Sync;

/// How clients are made. Nothing in it comes from a resource.
pub struct Connections {
    /// How a client calls a cloud; the observer is that of the tenant of this name.
    pub options: Box<OptionsOf>,
    /// Carries the requests of all clients.
    pub transport: Arc<dyn Transport>,
    /// What the operator itself logs in with, and what it shares with tenants that have the same application.
    pub own: Option<(Arc<dyn Source>, Share)>,
    /// Where the Secrets and ServiceAccounts of cluster-wide tenants are.
    pub operator_namespace: String,
}

/// What a client was made for. A client of which any of this changed is made again, with a login of its own.
#[derive(Clone, PartialEq, Eq)]
struct MadeFor {
    uid: String,
    tenant_id: String,
    cloud: Cloud,
    login: LogInWith,
}

struct Made {
    purpose: MadeFor,
    client: graph::Client,
    share: Share,
    rates: graph::Rates,
}

type AllMade = HashMap<TenantKey, Made>;

pub(super) struct Clients {
    kube: kube::Client,
    connections: Connections,
    made: Mutex<AllMade>,
}

impl Clients {
    pub fn new(kube: kube::Client, connections: Connections) -> Self {
        Self { kube, connections, made: Mutex::default() }
    }

    /// The client of a tenant as it is now.
    pub fn of(&self, name: &TenantName, uid: &str, wish: &Wish) -> graph::Client {
        let key = TenantKey::from(name);
        let purpose = MadeFor {
            uid: uid.to_owned(),
            tenant_id: wish.tenant_id.clone(),
            cloud: wish.cloud,
            login: wish.login.clone(),
        };
        let mut made = self.made.lock();
        let rates = rates(wish.rate_limit.as_ref());
        if let Some(known) = made.get(&key).filter(|made| made.purpose == purpose) {
            if known.rates == rates {
                return known.client.clone();
            }
            let known = Made { client: known.client.clone(), share: known.share.clone(), purpose, rates };
            return put(&mut made, key, known);
        }
        let login_of = Some(format!("{} '{}'", name.kind.name(), name.name).into());
        let options = graph::Options { login_of, ..(self.connections.options)(wish.cloud, key.as_str()) };
        let share = self.share(&made, &key, wish, &options);
        let client = self.make(name, wish, options, share.limits.clone());
        put(&mut made, key, Made { purpose, client, share, rates })
    }

    /// The client of a tenant, if there is one already.
    pub fn known(&self, key: &TenantKey) -> Option<graph::Client> {
        self.made.lock().get(key).map(|made| made.client.clone())
    }

    /// Forgets the client of a tenant that is gone, and its token with it.
    pub fn forget(&self, name: &TenantName) {
        let mut made = self.made.lock();
        if let Some(gone) = made.remove(&TenantKey::from(name)) {
            set_rates(&made, &gone.share);
        }
    }

    fn make(&self, name: &TenantName, wish: &Wish, options: graph::Options, limits: graph::Limits) -> graph::Client {
        let namespace = if name.namespace.is_empty() {
            self.connections.operator_namespace.clone()
        } else {
            name.namespace.clone()
        };
        let source = Arc::new(TenantSource {
            client: self.kube.clone(),
            namespace,
            login: wish.login.clone(),
            audience: options.endpoints.federation_audience.clone(),
            own: self.connections.own.as_ref().map(|(source, _)| source.clone()),
        });
        // The token of a managed identity is for the tenant of the machine, which is to be learnt and compared.
        let tenant = match wish.login {
            LogInWith::ManagedIdentity { .. } => None,
            LogInWith::WorkloadIdentity { .. }
            | LogInWith::ClientSecret { .. }
            | LogInWith::Certificate { .. }
            | LogInWith::OperatorIdentity => Some(wish.tenant_id.clone()),
        };
        let transport = self.connections.transport.clone();
        graph::Client::with_transport(options, source, tenant, transport, limits)
    }

    /// One whose application only its ServiceAccount or the machine names counts for itself.
    fn share(&self, made: &AllMade, key: &TenantKey, wish: &Wish, options: &graph::Options) -> Share {
        let own = self.connections.own.as_ref().map(|(_, share)| share);
        let named = match wish.login {
            LogInWith::OperatorIdentity => own.map(|own| own.account.client_id.as_str()),
            LogInWith::WorkloadIdentity { .. }
            | LogInWith::ClientSecret { .. }
            | LogInWith::Certificate { .. }
            | LogInWith::ManagedIdentity { .. } => wish.login.client_id(),
        };
        let client_id = named.map_or_else(|| key.to_string(), str::to_ascii_lowercase);
        let account = Account { cloud: wish.cloud, tenant: wish.tenant_id.clone(), client_id };
        let others: Vec<&Share> = made.values().map(|made| &made.share).chain(own).collect();
        Share::of(account, &others, options)
    }
}

fn put(made: &mut AllMade, key: TenantKey, new: Made) -> graph::Client {
    let (client, share) = (new.client.clone(), new.share.clone());
    let old = made.insert(key, new);
    set_rates(made, &share);
    if let Some(old) = old.filter(|old| old.share.account != share.account) {
        set_rates(made, &old.share);
    }
    client
}

/// Of several tenant objects that share limits, the lowest ceiling holds.
fn set_rates(made: &AllMade, share: &Share) {
    let sharing = made.values().filter(|made| made.share.account == share.account).map(|made| made.rates);
    share.limits.set_rates(sharing.fold(graph::Rates::documented(), lower));
}

#[cfg(test)]
mod tests;
