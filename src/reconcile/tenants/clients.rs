//! One Graph client for each tenant object, made when it is first needed. Clients of two tenant objects never share a token,
//! even with the same application: one team could not have obtained the other's. What they do share is how much they may
//! send, because Graph counts by application and tenant.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::key::TenantKey;
use super::source::TenantSource;
use crate::api::tenant::{Cloud, RateLimit};
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
    /// What the operator itself logs in with.
    pub own: Option<Arc<dyn Source>>,
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
    limits: (LimitsKey, graph::Limits),
    rates: graph::Rates,
}

/// All that calls of one application in one tenant of one cloud are counted under.
type LimitsKey = (Cloud, String, String);

pub(super) struct Clients {
    kube: kube::Client,
    connections: Connections,
    made: Mutex<HashMap<TenantKey, Made>>,
    limits: Mutex<HashMap<LimitsKey, graph::Limits>>,
    applications: Mutex<HashMap<(Cloud, String), graph::ApplicationLimits>>,
}

impl Clients {
    pub fn new(kube: kube::Client, connections: Connections) -> Self {
        let (made, limits, applications) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { kube, connections, made, limits, applications }
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
            let known = Made { client: known.client.clone(), limits: known.limits.clone(), purpose, rates };
            return put(&mut made, key, known);
        }
        let known = self.make(name, &key, wish, purpose, rates);
        put(&mut made, key, known)
    }

    /// The client of a tenant, if there is one already.
    pub fn known(&self, key: &TenantKey) -> Option<graph::Client> {
        self.made.lock().get(key).map(|made| made.client.clone())
    }

    /// Forgets the client of a tenant that is gone, and its token with it.
    pub fn forget(&self, name: &TenantName) {
        self.made.lock().remove(&TenantKey::from(name));
    }

    fn make(&self, name: &TenantName, key: &TenantKey, wish: &Wish, purpose: MadeFor, rates: graph::Rates) -> Made {
        let options = (self.connections.options)(wish.cloud, key.as_str());
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
            own: self.connections.own.clone(),
        });
        let limits = self.limits(key, wish, &options);
        // The token of a managed identity is for the tenant of the machine, which is to be learnt and compared.
        let tenant = match wish.login {
            LogInWith::ManagedIdentity { .. } => None,
            LogInWith::WorkloadIdentity { .. }
            | LogInWith::ClientSecret { .. }
            | LogInWith::Certificate { .. }
            | LogInWith::OperatorIdentity => Some(wish.tenant_id.clone()),
        };
        let transport = self.connections.transport.clone();
        let client = graph::Client::with_transport(options, source, tenant, transport, limits.1.clone());
        Made { purpose, client, limits, rates }
    }

    /// Shared by all tenant objects of the same application. One whose application only its ServiceAccount names counts for
    /// itself.
    fn limits(&self, key: &TenantKey, wish: &Wish, options: &graph::Options) -> (LimitsKey, graph::Limits) {
        let application = wish.login.client_id().map_or_else(|| key.to_string(), str::to_ascii_lowercase);
        let wide = self.applications.lock().entry((wish.cloud, application.clone())).or_default().clone();
        let limits_key = (wish.cloud, wish.tenant_id.clone(), application);
        let mut limits = self.limits.lock();
        let limits = limits.entry(limits_key.clone()).or_insert_with(|| {
            let (in_flight_max, rates) = (options.in_flight_max, graph::Rates::documented());
            graph::Limits::new(graph::LimitSettings { in_flight_max, rates }, wide, options.observer.clone())
        });
        (limits_key, limits.clone())
    }
}

/// Keeps a client. Of several tenant objects that share limits, the lowest ceiling holds.
fn put(made: &mut HashMap<TenantKey, Made>, key: TenantKey, new: Made) -> graph::Client {
    let (client, limits) = (new.client.clone(), new.limits.clone());
    made.insert(key, new);
    let sharing = made.values().filter(|made| made.limits.0 == limits.0).map(|made| made.rates);
    if let Some(lowest) = sharing.reduce(lower) {
        limits.1.set_rates(lowest);
    }
    client
}

fn lower(one: graph::Rates, other: graph::Rates) -> graph::Rates {
    graph::Rates {
        units_per_second: one.units_per_second.min(other.units_per_second),
        writes_per_minute: one.writes_per_minute.min(other.writes_per_minute),
    }
}

/// The ceilings of a tenant: what Graph documents, or less where the spec says so.
fn rates(wanted: Option<&RateLimit>) -> graph::Rates {
    let documented = graph::Rates::documented();
    let lower = |limit: f64, wanted: Option<i32>| wanted.map_or(limit, |wanted| limit.min(f64::from(wanted.max(1))));
    let Some(wanted) = wanted else { return documented };
    graph::Rates {
        units_per_second: lower(documented.units_per_second, wanted.requests_per_second),
        writes_per_minute: lower(documented.writes_per_minute, wanted.writes_per_minute),
    }
}
