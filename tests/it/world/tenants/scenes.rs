//! The scenes of tenants: two of them, rotations, fences that close and open, and namespaces that die.

use serde_json::{Value, json};

use super::super::api::{Key, Kind};
use super::super::graph::TENANT;
use super::super::operator::OPERATOR_NAMESPACE;
use super::super::scene::{Act, PLAIN, PRINCIPAL, Scene, TEMPLATES};
use super::acts::Around;

/// A service principal of the other tenant, or of the same where both tenant objects are of one.
pub const OTHER: &str = "8e1c7f55-3b2a-4d6e-9c01-7a5b4d3c2f10";
/// One of the same tenant as `PRINCIPAL`.
pub const SECOND: &str = "91b3d0c4-6a7e-4f58-8d29-0e1f2a3b4c5d";
/// The other tenant.
pub const OTHER_TENANT: &str = "c2a96d1e-0b47-4f3c-8a65-1d2e3f4a5b6c";
/// Applications.
pub const ONE: &str = "11111111-0e2f-4a6b-b1d7-93c2f0e8a655";
pub const TWO: &str = "22222222-0e2f-4a6b-b1d7-93c2f0e8a655";
/// The label by which a grant selects namespaces.
pub const LABEL: &str = "team";

/// A secret begins like this, and the name of the tenant object that it was given to follows.
pub const SECRET_OF: &str = "canary-secret-";
const FIRST: &str = "canary-secret-one-1";
const NEXT: &str = "canary-secret-one-2";
const OF_TWO: &str = "canary-secret-two-1";

type Timed = (u64, u64, Act);

fn around(from: u64, to: u64, around: Around) -> Timed {
    (from, to, Act::Around(around))
}

fn credential(application: &str, secret: &str) -> Value {
    json!({"clientSecret": {"clientId": application, "secretRef": {"name": secret}}})
}

fn namespaced(namespace: &str, name: &str, tenant: &str, application: &str) -> Timed {
    let spec = json!({"tenantId": tenant, "credential": credential(application, name)});
    around(0, 0, Around::Create(Kind::EntraTenant, Key::new(namespace, name), spec))
}

fn cluster(grants: &Value) -> Timed {
    let spec = json!({"tenantId": TENANT, "credential": credential(ONE, "one"), "allowedNamespaces": grants});
    around(0, 0, Around::Create(Kind::ClusterEntraTenant, Key::new("", "one"), spec))
}

fn secret(from: u64, to: u64, namespace: &str, name: &str, value: Option<&'static str>) -> Timed {
    around(from, to, Around::Secret(Key::new(namespace, name), value))
}

fn accept(from: u64, to: u64, application: &'static str, secrets: &'static [&'static str]) -> Timed {
    around(from, to, Around::Accept(application, secrets))
}

/// A SyncJob of a namespaced tenant, or of the cluster-wide one.
fn job((namespace, name): (&str, &str), kind: Kind, tenant: &str, principal: &str, template: usize) -> Timed {
    let reference = json!({"kind": kind.name(), "name": tenant});
    let spec = json!({"servicePrincipalId": principal, "templateId": TEMPLATES[template], "tenantRef": reference});
    (0, 1, Act::Create(Key::new(namespace, name), spec))
}

fn edit(from: u64, to: u64, name: &str, member: &str, value: &str) -> Timed {
    (from, to, Act::Patch(Key::new("apps", name), json!({"spec": {member: value}})))
}

fn delete(from: u64, to: u64, name: &str) -> Timed {
    (from, to, Act::Delete(Key::new("apps", name)))
}

/// Two tenant objects with a SyncJob each.
fn two(applications: (&'static str, &'static str), tenants: (&str, &str), principal: &str) -> Vec<Timed> {
    vec![
        secret(0, 0, "apps", "one", Some(FIRST)),
        secret(0, 0, "more", "two", Some(OF_TWO)),
        namespaced("apps", "one", tenants.0, applications.0),
        namespaced("more", "two", tenants.1, applications.1),
        job(("apps", "a"), Kind::EntraTenant, "one", PRINCIPAL, 0),
        job(("more", "b"), Kind::EntraTenant, "two", principal, 0),
    ]
}

fn in_rotation() -> Vec<Timed> {
    vec![
        secret(0, 0, "apps", "one", Some(FIRST)),
        accept(0, 0, ONE, &[FIRST]),
        namespaced("apps", "one", TENANT, ONE),
        job(("apps", "a"), Kind::EntraTenant, "one", PRINCIPAL, 0),
        job(("apps", "b"), Kind::EntraTenant, "one", PRINCIPAL, 1),
        job(("apps", "c"), Kind::EntraTenant, "one", SECOND, 0),
    ]
}

fn in_fence(grants: &Value) -> Vec<Timed> {
    vec![
        secret(0, 0, OPERATOR_NAMESPACE, "one", Some(FIRST)),
        accept(0, 0, ONE, &[FIRST]),
        around(0, 0, Around::Label("apps", LABEL, Some("identity"))),
        cluster(grants),
        job(("apps", "a"), Kind::ClusterEntraTenant, "one", PRINCIPAL, 0),
    ]
}

fn grant() -> Value {
    json!([{"namespaces": ["apps"]}])
}

fn selector() -> Value {
    json!([{"namespaceSelector": {"matchLabels": {(LABEL): "identity"}}}])
}

/// The grant is for another namespace, or for ours.
fn granted(from: u64, to: u64, is: bool) -> Timed {
    let grants = if is { grant() } else { json!([{"namespaces": ["elsewhere"]}]) };
    let patch = json!({"spec": {"allowedNamespaces": grants}});
    around(from, to, Around::Patch(Kind::ClusterEntraTenant, Key::new("", "one"), patch))
}

fn labelled(from: u64, to: u64, is: bool) -> Timed {
    around(from, to, Around::Label("apps", LABEL, is.then_some("identity")))
}

/// The fence closes and opens while the SyncJob is created, changed and deleted.
fn fenced(grants: &Value, fence: fn(u64, u64, bool) -> Timed) -> Vec<Timed> {
    let mut acts = in_fence(grants);
    acts.extend([fence(0, 2, false), fence(3, 60, true)]);
    acts.extend([edit(120, 120, "a", "state", "Paused"), fence(120, 121, false), fence(122, 160, true)]);
    acts.extend([edit(240, 240, "a", "state", "Running"), fence(240, 241, false), fence(242, 280, true)]);
    acts.extend([delete(360, 360, "a"), fence(360, 362, false), fence(363, 420, true)]);
    acts
}

/// The Secret goes first, then tenant and SyncJob.
fn dying() -> Vec<Timed> {
    let one = Key::new("apps", "one");
    vec![
        secret(0, 0, "apps", "one", Some(FIRST)),
        accept(0, 0, ONE, &[FIRST]),
        namespaced("apps", "one", TENANT, ONE),
        job(("apps", "a"), Kind::EntraTenant, "one", PRINCIPAL, 0),
        job(("apps", "b"), Kind::EntraTenant, "one", PRINCIPAL, 1),
        around(10, 60, Around::Terminate("apps")),
        secret(61, 61, "apps", "one", None),
        around(61, 64, Around::Delete(Kind::EntraTenant, one)),
        delete(61, 64, "a"),
        delete(61, 64, "b"),
    ]
}

const TENANTS: Scene = Scene { tenants: true, ..PLAIN };

/// All scenes with tenants.
pub const TENANT_SCENES: [Scene; 10] = [
    Scene {
        name: "a throttled tenant",
        acts: || {
            let mut acts = two((ONE, TWO), (TENANT, OTHER_TENANT), OTHER);
            acts.extend([accept(0, 0, ONE, &[FIRST]), accept(0, 0, TWO, &[OF_TWO])]);
            acts.extend([around(0, 5, Around::Throttle(TWO, 90)), around(100, 160, Around::Throttle(TWO, 200))]);
            acts.extend([edit(170, 200, "a", "state", "Paused")]);
            acts
        },
        ..TENANTS
    },
    Scene {
        name: "a tenant without a login",
        acts: || {
            let mut acts = two((ONE, TWO), (TENANT, OTHER_TENANT), OTHER);
            acts.extend([accept(0, 0, ONE, &[FIRST]), accept(0, 0, TWO, &[]), accept(300, 900, TWO, &[OF_TWO])]);
            acts.extend([edit(60, 200, "a", "state", "Paused")]);
            acts
        },
        ..TENANTS
    },
    Scene {
        name: "one application of two tenants",
        acts: || {
            let mut acts = two((ONE, ONE), (TENANT, TENANT), SECOND);
            acts.push(accept(0, 0, ONE, &[FIRST, OF_TWO]));
            acts.extend([around(5, 60, Around::Withdraw(ONE)), accept(5, 60, ONE, &[OF_TWO])]);
            acts.extend([edit(61, 90, "a", "state", "Paused"), accept(120, 300, ONE, &[FIRST, OF_TWO])]);
            acts
        },
        ..TENANTS
    },
    Scene {
        name: "rotation",
        acts: || {
            let mut acts = in_rotation();
            acts.extend([accept(0, 60, ONE, &[NEXT]), secret(0, 60, "apps", "one", Some(NEXT))]);
            acts.extend([around(0, 60, Around::Withdraw(ONE)), edit(30, 90, "a", "state", "Paused")]);
            acts.extend([delete(90, 200, "b")]);
            acts
        },
        ..TENANTS
    },
    Scene {
        name: "rotation with an overlap",
        acts: || {
            let mut acts = in_rotation();
            acts.extend([accept(0, 20, ONE, &[FIRST, NEXT]), secret(21, 60, "apps", "one", Some(NEXT))]);
            acts.extend([accept(61, 90, ONE, &[NEXT]), around(61, 120, Around::Withdraw(ONE))]);
            acts.extend([edit(60, 120, "a", "state", "Paused"), delete(60, 120, "c")]);
            acts
        },
        ..TENANTS
    },
    Scene {
        name: "rotation too late",
        acts: || {
            let mut acts = in_rotation();
            acts.extend([accept(0, 60, ONE, &[NEXT]), around(0, 60, Around::Withdraw(ONE))]);
            acts.extend([edit(61, 300, "a", "state", "Paused"), delete(100, 300, "b")]);
            acts.extend([secret(700, 1500, "apps", "one", Some(NEXT))]);
            acts
        },
        ..TENANTS
    },
    Scene { name: "fence by spec", acts: || fenced(&grant(), granted), ..TENANTS },
    Scene { name: "fence by label", acts: || fenced(&selector(), labelled), ..TENANTS },
    Scene { name: "a namespace that dies", acts: dying, ..TENANTS },
    Scene {
        name: "a namespace that dies without a login",
        acts: || {
            let mut acts = dying();
            acts.extend([accept(10, 60, ONE, &[]), around(10, 63, Around::Withdraw(ONE))]);
            acts
        },
        ..TENANTS
    },
];
