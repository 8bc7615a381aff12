//! What clients of tenants share, and what they never do.

use std::time::Duration;

use kube::client::Body;
use tokio::time::Instant;

use super::*;
use crate::api::tenant::{RateLimit, TenantKind};
use crate::graph::tests::fake::{Fake, Reply, options};
use crate::graph::{Availability, Credential, LoginResult, Observer, Rates, Seen, Shortage, Shut};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const OTHER: &str = "66666666-7777-8888-9999-000000000000";

/// The last rate of writes, in a minute.
#[derive(Debug, Default)]
struct Writes(Mutex<f64>);

impl Observer for Writes {
    fn call(&self, _: &Seen) {}
    fn login(&self, _: LoginResult) {}
    fn shut(&self, _: Instant, _: Shut) {}
    fn opened(&self) {}
    fn waited(&self, _: Shortage, _: Duration) {}
    fn rates(&self, _: f64, writes: f64) {
        *self.0.lock() = writes * 60.0;
    }
}

fn account(tenant: &str) -> Account {
    Account { cloud: Cloud::Global, tenant: tenant.to_owned(), client_id: TENANT.to_owned() }
}

fn clients(fake: &Arc<Fake>) -> (Clients, Share, Arc<Writes>) {
    let nowhere = tower::service_fn(|_: http::Request<Body>| async {
        Err::<http::Response<Body>, _>(std::io::Error::other("there is no API server"))
    });
    let (tenant_id, client_id) = (TENANT.to_owned(), TENANT.to_owned());
    let credential = Credential::ClientSecret { tenant_id, client_id, secret: String::from("canary").into() };
    let writes = Arc::new(Writes::default());
    let own = graph::Options { observer: writes.clone(), ..options() };
    let own = Share::of(account(TENANT), &[], &own);
    let connections = Connections {
        options: Box::new(|_, _| options()),
        transport: fake.clone(),
        own: Some((Arc::new(credential), own.clone())),
        operator_namespace: "entrain-system".to_owned(),
    };
    (Clients::new(kube::Client::new(nowhere, "default"), connections), own, writes)
}

fn name(name: &str) -> TenantName {
    TenantName { kind: TenantKind::ClusterEntraTenant, namespace: String::new(), name: name.to_owned() }
}

fn wish(tenant: &str, writes: Option<i32>) -> Wish {
    Wish {
        tenant_id: tenant.to_owned(),
        cloud: Cloud::Global,
        login: LogInWith::OperatorIdentity,
        grants: None,
        rate_limit: writes.map(|writes| RateLimit { requests_per_second: None, writes_per_minute: Some(writes) }),
        suspended: false,
    }
}

#[tokio::test(start_paused = true)]
async fn two_tenant_objects_of_one_application_share_the_gate_and_no_token() {
    let fake = Fake::new();
    let (clients, own, _) = clients(&fake);
    let (one, two) =
        (clients.of(&name("one"), "1", &wish(TENANT, None)), clients.of(&name("two"), "2", &wish(TENANT, None)));
    let elsewhere = clients.of(&name("three"), "3", &wish(OTHER, None));
    for client in [&one, &two] {
        client.list_jobs("sp").await.unwrap();
    }
    assert_eq!(fake.logins(), 2, "each has a login of its own");
    fake.graph(Reply::with(429, "retry-after", "60"));
    one.list_jobs("sp").await.unwrap_err();
    assert!(matches!(two.availability(), Availability::Shut { .. }), "Graph counts both as one");
    assert!(matches!(own.limits.availability(), Availability::Shut { .. }), "and the operator's own login as well");
    assert_eq!(elsewhere.availability(), Availability::Open, "another tenant is counted apart");
}

#[tokio::test(start_paused = true)]
async fn a_client_lasts_as_long_as_what_it_was_made_for() {
    let (clients, ..) = clients(&Fake::new());
    let of = |uid: &str, tenant: &str, writes| clients.of(&name("one"), uid, &wish(tenant, writes));
    let first = of("1", TENANT, None);
    assert!(first.is(&of("1", TENANT, Some(60))), "a ceiling is no reason for another login");
    assert!(!first.is(&of("2", TENANT, None)), "another object under the same name");
    let second = of("2", TENANT, None);
    assert!(!second.is(&of("2", OTHER, None)), "another tenant");
    clients.forget(&name("one"));
    assert!(clients.known(&TenantKey::from(&name("one"))).is_none());
}

#[tokio::test(start_paused = true)]
async fn the_lowest_ceiling_of_those_who_share_holds_as_long_as_its_tenant_does() {
    let (clients, _, noted) = clients(&Fake::new());
    let writes = || *noted.0.lock();
    let documented = Rates::documented().writes_per_minute;
    clients.of(&name("one"), "1", &wish(TENANT, Some(60)));
    let two = clients.of(&name("two"), "2", &wish(TENANT, Some(120)));
    assert!(writes() > 0.0 && writes() <= 60.0, "{}", writes());
    // A rate grows by and by.
    let later = async || {
        tokio::time::advance(Duration::from_secs(120)).await;
        two.list_jobs("sp").await.unwrap();
        writes()
    };
    clients.forget(&name("one"));
    let alone = later().await;
    assert!(alone > 60.0 && alone <= 120.0, "{alone}");
    clients.of(&name("two"), "2", &wish(TENANT, None));
    let free = later().await;
    assert!(free > 120.0 && free <= documented, "{free}");
}
