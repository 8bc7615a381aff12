//! Health of tenants: each state with what kstatus and Argo CD make of it. Both kinds have one script, and the objects are the
//! test data of Argo CD's own form.

use entrain::api::{ClusterEntraTenant, ConditionType, EntraTenant, Reason};
use serde_json::{Value, json};

use super::files;
use super::vm;
use crate::conditions::kstatus;

pub const KINDS: [&str; 2] = ["EntraTenant", "ClusterEntraTenant"];

fn home(kind: &str) -> String {
    format!("argocd/resource_customizations/entrain.dev/{kind}")
}

pub fn script(kind: &str) -> String {
    files::text(&format!("{}/health.lua", home(kind)))
}

type Condition = (ConditionType, &'static str, Reason, &'static str);

/// A state, and what machines make of it.
struct State {
    name: &'static str,
    /// Generation, and the one that was observed.
    seen: (i64, i64),
    mode: Option<&'static str>,
    deleting: bool,
    conditions: Vec<Condition>,
    kstatus: &'static str,
    argo: &'static str,
    message: &'static str,
}

const PLAIN: State = State {
    name: "",
    seen: (1, 1),
    mode: None,
    deleting: false,
    conditions: Vec::new(),
    kstatus: "Current",
    argo: "Healthy",
    message: "",
};

const WORKS: Condition = (ConditionType::Ready, "True", Reason::LoggedIn, "The operator can log in.");
const GRANTED: Condition = (
    ConditionType::PermissionsGranted,
    "True",
    Reason::RolesGranted,
    "The application has Synchronization.ReadWrite.All.",
);
const NO_SECRET: &str = "There is no Secret 'graph-login' in the namespace 'identity'.";
const NO_NETWORK: &str = "The login service could not be reached.";

fn working() -> Vec<State> {
    const LACKING: &str = "The application lacks Application.Read.All.";
    const EXPIRING: &str = "The certificate expires on 2026-12-01.";
    let unsaid = (ConditionType::PermissionsGranted, "Unknown", Reason::RolesUnknown, "The login does not say.");
    let lacking = (ConditionType::PermissionsGranted, "False", Reason::RolesMissing, LACKING);
    let expiring = (ConditionType::Ready, "True", Reason::CertificateExpiring, EXPIRING);
    vec![
        State { name: "logged-in", conditions: vec![WORKS, GRANTED], message: WORKS.3, ..PLAIN },
        State { name: "roles-unknown", conditions: vec![WORKS, unsaid], message: WORKS.3, ..PLAIN },
        State {
            name: "roles-missing",
            conditions: vec![WORKS, lacking],
            message: "RolesMissing: The application lacks Application.Read.All.",
            ..PLAIN
        },
        State {
            name: "certificate-expiring",
            conditions: vec![expiring, GRANTED],
            message: "CertificateExpiring: The certificate expires on 2026-12-01.",
            ..PLAIN
        },
        State {
            name: "suspended",
            mode: Some("Suspended"),
            conditions: vec![WORKS, GRANTED, (ConditionType::Suspended, "True", Reason::Suspended, "As declared.")],
            argo: "Suspended",
            message: "Nothing is changed in this tenant, as declared (mode Suspended).",
            ..PLAIN
        },
    ]
}

fn waiting() -> Vec<State> {
    let refused = |kind, status| (kind, status, Reason::SecretNotFound, NO_SECRET);
    let passing = (ConditionType::Reconciling, "True", Reason::LoginUnavailable, NO_NETWORK);
    let deleting = "SyncJobs name this tenant: identity/box.";
    vec![
        State {
            name: "never-seen",
            seen: (1, -1),
            message: "Waiting for the operator to act on this version of the spec.",
            kstatus: "InProgress",
            argo: "Progressing",
            ..PLAIN
        },
        State {
            name: "edited",
            seen: (2, 1),
            conditions: vec![WORKS, GRANTED],
            message: "Waiting for the operator to act on this version of the spec.",
            kstatus: "InProgress",
            argo: "Progressing",
            ..PLAIN
        },
        State {
            name: "secret-not-found",
            conditions: vec![refused(ConditionType::Ready, "False"), refused(ConditionType::Reconciling, "True")],
            message: "SecretNotFound: There is no Secret 'graph-login' in the namespace 'identity'.",
            kstatus: "InProgress",
            argo: "Progressing",
            ..PLAIN
        },
        State {
            name: "secret-not-found-for-long",
            conditions: vec![refused(ConditionType::Ready, "False"), refused(ConditionType::Stalled, "True")],
            message: "SecretNotFound: There is no Secret 'graph-login' in the namespace 'identity'.",
            kstatus: "Failed",
            argo: "Degraded",
            ..PLAIN
        },
        State {
            name: "login-unavailable",
            conditions: vec![WORKS, passing],
            message: "LoginUnavailable: The login service could not be reached.",
            kstatus: "InProgress",
            argo: "Progressing",
            ..PLAIN
        },
        State {
            name: "deleting",
            seen: (2, 2),
            deleting: true,
            conditions: vec![
                (ConditionType::Ready, "False", Reason::Deleting, deleting),
                (ConditionType::Reconciling, "True", Reason::Deleting, deleting),
            ],
            message: "Pending deletion: Deleting: SyncJobs name this tenant: identity/box.",
            kstatus: "Terminating",
            argo: "Progressing",
            ..PLAIN
        },
    ]
}

impl State {
    fn manifest(&self, kind: &str) -> Value {
        let (generation, observed) = self.seen;
        let condition = |(kind, status, reason, message): &Condition| {
            json!({
                "type": kind.name(), "status": status, "reason": reason.name(), "message": message,
                "lastTransitionTime": "2026-11-24T09:00:00Z", "observedGeneration": observed,
            })
        };
        let mut object = json!({
            "apiVersion": "entrain.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": self.name, "generation": generation},
            "spec": {
                "tenantId": "11111111-2222-3333-4444-555555555555",
                "credential": {"clientSecret": {
                    "clientId": "66666666-7777-8888-9999-000000000000", "secretRef": {"name": "graph-login"},
                }},
            },
            "status": {"observedGeneration": observed},
        });
        if !self.conditions.is_empty() {
            object["status"]["conditions"] = self.conditions.iter().map(condition).collect();
        }
        if kind == "EntraTenant" {
            object["metadata"]["namespace"] = json!("identity");
        }
        if let Some(mode) = self.mode {
            object["spec"]["mode"] = json!(mode);
        }
        if self.deleting {
            object["metadata"]["deletionTimestamp"] = json!("2026-11-24T10:00:00Z");
        }
        object
    }
}

#[test]
fn kstatus_and_argo_cd_agree_on_each_state_of_a_tenant() {
    for kind in KINDS {
        let states: Vec<State> = working().into_iter().chain(waiting()).collect();
        let manifests: Vec<Value> = states.iter().map(|state| state.manifest(kind)).collect();
        let (mut stale, mut cases, mut paths) = (Vec::new(), Vec::new(), Vec::new());
        for ((state, manifest), kstatus) in states.iter().zip(&manifests).zip(kstatus::verdicts(&manifests)) {
            let is_one = match kind {
                "EntraTenant" => serde_json::from_value::<EntraTenant>(manifest.clone()).is_ok(),
                _ => serde_json::from_value::<ClusterEntraTenant>(manifest.clone()).is_ok(),
            };
            assert!(is_one, "{kind} {}", state.name);
            let argo = vm::health(&script(kind), manifest).unwrap();
            let found = (kstatus.as_str(), argo.status.as_str(), argo.message.as_str());
            assert_eq!(found, (state.kstatus, state.argo, state.message), "{kind} {}", state.name);
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

#[test]
fn both_kinds_have_one_script() {
    assert_eq!(script("EntraTenant"), script("ClusterEntraTenant"));
}
