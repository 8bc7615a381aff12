//! Health of tenants: each state with what kstatus and Argo CD make of it. Both kinds have one script, and the objects are the
//! test data of Argo CD's own form.

use entrain::api::tenant::{CredentialKind, EntraTenant, TenantStatus};
use entrain::plan::tenant::{End, Outcome, Presented};
use entrain::plan::tenant::{Wish, report};
use entrain::plan::{Trouble, TroubleKind};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::files;
use super::vm::{self, NOW};
use crate::conditions::kstatus;

pub const KINDS: [&str; 2] = ["EntraTenant", "ClusterEntraTenant"];
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT: &str = "66666666-7777-8888-9999-000000000000";

fn home(kind: &str) -> String {
    format!("argocd/resource_customizations/entrain.dev/{kind}")
}

pub fn script(kind: &str) -> String {
    files::text(&format!("{}/health.lua", home(kind)))
}

/// What a login came to, one after the other, and what machines make of the last status.
struct State {
    name: &'static str,
    outcomes: Vec<Outcome>,
    /// What is different in the last pass.
    last: Last,
    kstatus: &'static str,
    argo: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Plain,
    Expiring,
    Suspended,
    Deleting,
    /// After it, somebody edited the spec.
    Edited,
    /// The spec has a form that admission would refuse.
    Broken,
}

fn logged_in(tenant: &str, roles: &[&str]) -> Outcome {
    let roles = roles.iter().map(|&role| role.to_owned()).collect();
    Outcome::LoggedIn { tenant: Some(tenant.to_owned()), roles, obtained: NOW.parse().unwrap() }
}

fn failed(kind: TroubleKind, code: &str, detail: &str) -> Outcome {
    let trouble = Trouble { kind, detail: detail.to_owned(), trace: None, retry_after: None };
    Outcome::Failed { trouble, code: code.to_owned() }
}

fn refused(code: &str, detail: &str) -> Outcome {
    failed(TroubleKind::LoginRefused, code, detail)
}

fn well() -> Outcome {
    logged_in(TENANT, &["Application.Read.All", "Synchronization.ReadWrite.All"])
}

fn unreachable() -> Outcome {
    failed(TroubleKind::LoginUnavailable, "", "The login service did not answer within 10 s.")
}

fn states() -> Vec<State> {
    use Last::{Broken, Deleting, Edited, Expiring, Plain, Suspended};
    let state = |name, outcomes, last, kstatus, argo| State { name, outcomes, last, kstatus, argo };
    let secret = || refused("SecretNotFound", "There is no Secret 'graph-login' in the namespace 'identity'.");
    let expired = || refused("AADSTS7000222", "The login was refused with AADSTS7000222.");
    let federated = || refused("AADSTS700213", "The login was refused with AADSTS700213.");
    let some = || logged_in(TENANT, &["Synchronization.ReadWrite.All"]);
    let elsewhere = || logged_in("22222222-3333-4444-5555-666666666666", &["Synchronization.ReadWrite.All"]);
    vec![
        state("never-seen", vec![], Plain, "InProgress", "Progressing"),
        state("logged-in", vec![well()], Plain, "Current", "Healthy"),
        state("roles-missing", vec![some()], Plain, "Current", "Healthy"),
        state("certificate-expiring", vec![well()], Expiring, "Current", "Healthy"),
        state("edited", vec![well()], Edited, "InProgress", "Progressing"),
        state("suspended", vec![well(), Outcome::NotAsked], Suspended, "Current", "Suspended"),
        state("suspended-from-the-start", vec![Outcome::NotAsked], Suspended, "InProgress", "Suspended"),
        state("unreachable-after-ready", vec![well(), unreachable()], Plain, "InProgress", "Progressing"),
        state("unreachable-before-ready", vec![unreachable()], Plain, "InProgress", "Progressing"),
        state("federated-credential-missing", vec![federated()], Plain, "InProgress", "Progressing"),
        state("secret-not-found", vec![secret()], Plain, "Failed", "Degraded"),
        state("client-secret-expired", vec![well(), expired()], Plain, "Failed", "Degraded"),
        state("recovered", vec![secret(), well()], Plain, "Current", "Healthy"),
        state("tenant-mismatch", vec![elsewhere()], Plain, "Failed", "Degraded"),
        state("invalid-spec", vec![Outcome::NotAsked], Broken, "Failed", "Degraded"),
        state("deleting", vec![well(), well()], Deleting, "Terminating", "Progressing"),
    ]
}

impl State {
    fn manifest(&self, kind: &str) -> Value {
        let mut spec = json!({
            "tenantId": TENANT,
            "credential": {"clientSecret": {"clientId": CLIENT, "secretRef": {"name": "graph-login"}}},
        });
        let mut metadata = json!({"name": self.name, "generation": 1 + i64::from(self.last != Last::Plain)});
        if kind == "EntraTenant" {
            metadata["namespace"] = json!("identity");
        }
        match self.last {
            Last::Suspended => spec["mode"] = json!("Suspended"),
            Last::Deleting => metadata["deletionTimestamp"] = json!("2026-11-24T10:00:00Z"),
            Last::Broken => spec["credential"] = json!({}),
            Last::Expiring => {
                spec["credential"] = json!({"certificate": {"clientId": CLIENT, "secretName": "graph-login-tls"}});
            }
            Last::Plain | Last::Edited => {}
        }
        let mut object = json!({
            "apiVersion": "entrain.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec,
            "status": {"observedGeneration": -1},
        });
        if let Some(status) = self.status(&object) {
            object["status"] = serde_json::to_value(status).unwrap();
        }
        object
    }

    /// What the operator writes, pass by pass.
    fn status(&self, object: &Value) -> Option<TenantStatus> {
        let (now, generation): (Timestamp, _) =
            (NOW.parse().unwrap(), object["metadata"]["generation"].as_i64().unwrap());
        let mut spec = object["spec"].clone();
        spec["mode"] = Value::Null;
        // For both kinds, the wish of what these credentials say is the same.
        let wish = |spec: &Value| Wish::of_namespaced(&serde_json::from_value(spec.clone()).unwrap());
        let (wish_before, wish_last) = (wish(&spec), wish(&object["spec"]));
        let mut status = None;
        for (pass, outcome) in self.outcomes.iter().enumerate() {
            let last = pass + 1 == self.outcomes.len();
            let wish = if last { &wish_last } else { &wish_before };
            let not_after = (self.last == Last::Expiring).then(|| now + SignedDuration::from_hours(7 * 24));
            let kind = if not_after.is_some() { CredentialKind::Certificate } else { CredentialKind::ClientSecret };
            let presented =
                Presented { kind: Some(kind), client_id: Some(CLIENT.to_owned()), not_after, ..Presented::default() };
            let end = End {
                wish: wish.as_ref().map_err(String::as_str),
                generation: if last && self.last != Last::Edited { generation } else { 1 },
                deletion_requested: last && self.last == Last::Deleting,
                users: 1,
                outcome,
                presented: (!matches!(outcome, Outcome::NotAsked)).then_some(&presented),
            };
            status = Some(report(&status.unwrap_or_default(), &end, now));
        }
        status
    }
}

#[test]
fn kstatus_and_argo_cd_judge_each_state_of_a_tenant() {
    for kind in KINDS {
        let states = states();
        let manifests: Vec<Value> = states.iter().map(|state| state.manifest(kind)).collect();
        let (mut stale, mut cases, mut paths) = (Vec::new(), Vec::new(), Vec::new());
        for ((state, manifest), kstatus) in states.iter().zip(&manifests).zip(kstatus::verdicts(&manifests)) {
            let read = serde_json::from_value::<EntraTenant>(manifest.clone()).and_then(serde_json::to_value);
            assert_eq!(read.unwrap()["status"], manifest["status"], "{kind} {}", state.name);
            let argo = vm::health(&script(kind), manifest).unwrap();
            let found = (kstatus.as_str(), argo.status.as_str());
            assert_eq!(found, (state.kstatus, state.argo), "{kind} {}: {manifest:#}", state.name);
            let path = format!("{}.yaml", state.name);
            let text = serde_saphyr::to_string(manifest).unwrap();
            stale.extend(files::stale(&format!("{}/testdata/{path}", home(kind)), &text));
            cases.push(json!({
                "healthStatus": {"status": argo.status, "message": argo.message}, "inputPath": format!("testdata/{path}"),
            }));
            paths.push(path);
        }
        let text = serde_saphyr::to_string(&json!({"tests": cases})).unwrap();
        stale.extend(files::stale(&format!("{}/health_test.yaml", home(kind)), &text));
        stale.extend(files::left_over(&format!("{}/testdata", home(kind)), &paths));
        files::assert_current(&stale);
    }
}

/// What people read of a tenant that works but for something.
#[test]
fn what_a_login_that_works_lacks_is_shown() {
    let message = |name: &str| {
        let state = states().into_iter().find(|state| state.name == name).unwrap();
        vm::health(&script("EntraTenant"), &state.manifest("EntraTenant")).unwrap().message
    };
    assert_eq!(message("logged-in"), "The login succeeded.");
    assert!(message("roles-missing").starts_with("RolesMissing: The token lacks Application.Read.All."));
    assert!(
        message("certificate-expiring")
            .starts_with("CertificateExpiring: The login succeeded; the certificate expires")
    );
    assert!(message("deleting").starts_with("Pending deletion: Deleting: 1 SyncJob names this tenant."));
}

#[test]
fn both_kinds_have_one_script() {
    assert_eq!(script("EntraTenant"), script("ClusterEntraTenant"));
}
