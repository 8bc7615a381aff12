//! The logins of the operator: that of its own environment, and those of tenants.

use std::sync::Arc;
use std::time::Duration;

use crate::api::tenant::Cloud;
use crate::args::{CloudName, Operator, TenantScope};
use crate::cluster::watch::tenants::{TenantKinds, TenantStore};
use crate::connect::{self, ConnectError};
use crate::graph::{self, Source};
use crate::metrics::Metrics;
use crate::reconcile::{Account, Connections, Own, Share, TenantKey, Tenants};

/// The name that metrics show for the operator's own login.
const OWN_TENANT: &str = "operator";

/// The kinds of tenants that the options enable.
pub(super) fn kinds(options: &Operator) -> TenantKinds {
    let given = |scope| options.tenants.contains(&scope);
    TenantKinds { namespaced: given(TenantScope::Namespaced), cluster: given(TenantScope::Cluster) }
}

/// The logins that the options enable.
pub(super) fn new(
    options: &Operator,
    client: &kube::Client,
    store: TenantStore,
    operator_namespace: String,
    metrics: &Arc<Metrics>,
) -> Result<Tenants, ConnectError> {
    let credential = match graph::Credential::from_environment(|name| std::env::var(name).ok()) {
        Ok(credential) => Some(credential),
        Err(error) if options.operator_login => return Err(error.into()),
        Err(_) => None,
    };
    let usual = graph::Options {
        in_flight_max: usize::from(options.graph_in_flight_max),
        login_retry: Duration::from_secs(options.slow_retry_seconds),
        ..connect::options(&options.connection)?
    };
    let transport = usual.https()?;
    let own_options = graph::Options { observer: metrics.graph.tenant(OWN_TENANT), ..usual.clone() };
    let identity = credential.map(|credential| {
        let account = Account {
            cloud: own_cloud(options.connection.cloud),
            tenant: credential.tenant().unwrap_or_default().to_ascii_lowercase(),
            client_id: credential.client_id().unwrap_or_default().to_ascii_lowercase(),
        };
        (Arc::new(credential) as Arc<dyn Source>, Share::of(account, &[], &own_options))
    });
    let own = identity.clone().filter(|_| options.operator_login).map(|(source, Share { account, limits, .. })| {
        let (tenant, transport) = (Some(account.tenant), transport.clone());
        Own {
            key: TenantKey::new(OWN_TENANT),
            client: graph::Client::with_transport(own_options, source, tenant, transport, limits),
            namespaces: options.operator_login_namespaces.clone(),
        }
    });
    let connections = Connections {
        options: Box::new(of_tenants(options, usual, metrics.clone())?),
        transport,
        own: identity,
        operator_namespace,
    };
    Ok(Tenants::new(own, kinds(options), store, client, connections))
}

fn own_cloud(name: CloudName) -> Cloud {
    match name {
        CloudName::Global => Cloud::Global,
        CloudName::UsGov => Cloud::USGov,
        CloudName::UsGovDod => Cloud::USGovDoD,
        CloudName::China => Cloud::China,
    }
}

/// How the clients of tenants call, by cloud and by the name that metrics show.
fn of_tenants(
    options: &Operator,
    usual: graph::Options,
    metrics: Arc<Metrics>,
) -> Result<impl Fn(Cloud, &str) -> graph::Options + Send + Sync + use<>, ConnectError> {
    let at = |cloud| connect::endpoints(&options.connection, cloud);
    let (global, gov) = (at(CloudName::Global)?, at(CloudName::UsGov)?);
    let (dod, china) = (at(CloudName::UsGovDod)?, at(CloudName::China)?);
    Ok(move |cloud, name: &str| {
        let endpoints = match cloud {
            Cloud::Global => &global,
            Cloud::USGov => &gov,
            Cloud::USGovDoD => &dod,
            Cloud::China => &china,
        };
        graph::Options { endpoints: endpoints.clone(), observer: metrics.graph.tenant(name), ..usual.clone() }
    })
}
