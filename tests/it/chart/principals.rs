//! Which service principals a namespace may declare SyncJobs for: the policy that the chart makes, before a real API server.

use bed::test_support::eventually;
use serde_json::{Value, json};

use super::plane::{ChartPlane, shared};
use super::{objects, of_kind, only, repository, template};

const RELEASE: &str = "fence";
const OURS: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";
const FOREIGN: &str = "7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6";
const POLICY: &str = "ValidatingAdmissionPolicy";

fn spellings(id: &str) -> [String; 3] {
    [id.to_owned(), id.to_uppercase(), format!("/servicePrincipals/{id}")]
}

fn sync_job(namespace: &str, name: &str, service_principal: &str) -> String {
    json!({
        "apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob", "metadata": {"name": name, "namespace": namespace},
        "spec": {"servicePrincipalId": service_principal, "templateId": "BoxOutDelta"},
    })
    .to_string()
}

/// Somebody who may write SyncJobs in both namespaces, and nothing else.
fn as_bob(plane: &ChartPlane, arguments: &[&str], input: &str) -> Result<String, String> {
    plane.kubectl(&[&["--as=bob"], arguments].concat(), input)
}

fn dry_run(plane: &ChartPlane, namespace: &str, service_principal: &str) -> Result<String, String> {
    as_bob(plane, &["create", "--dry-run=server", "-f", "-"], &sync_job(namespace, "tried", service_principal))
}

fn install(plane: &ChartPlane, values: &Value) {
    let mut values = values.clone();
    values["crds"] = json!({"enabled": false});
    plane.kubectl(&["apply", "-f", "-"], &template(RELEASE, RELEASE, &[], &values, &[]).unwrap()).unwrap();
}

fn prepared() -> &'static ChartPlane {
    let plane = shared();
    plane.kubectl(&["apply", "--server-side", "-f", &repository().join("crds").display().to_string()], "").unwrap();
    plane.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/syncjobs.entrain.dev"], "").unwrap();
    for namespace in [RELEASE, "fence-a", "fence-b"] {
        plane.create_namespace(namespace, &json!({}));
    }
    install(plane, &json!({}));
    for namespace in ["fence-a", "fence-b"] {
        let role = format!("--clusterrole={RELEASE}:fence-entrain:edit");
        plane.kubectl(&["create", "rolebinding", "bob", &role, "--user=bob", "-n", namespace], "").unwrap();
    }
    plane
}

/// Everything of the release goes, so that no other test of this plane meets the policy.
fn removed(plane: &ChartPlane, values: &Value) {
    let text = template(RELEASE, RELEASE, &[], values, &[]).unwrap();
    plane.kubectl(&["delete", "--ignore-not-found", "--wait=false", "-f", "-"], &text).unwrap();
    let ours = ["delete", "namespace", "fence-a", "fence-b", RELEASE, "--wait=false"];
    plane.kubectl(&ours, "").unwrap();
}

#[test]
fn a_namespace_declares_sync_jobs_for_the_service_principals_that_it_was_given_and_for_no_others() {
    let _crds = shared().own_crds();
    let plane = prepared();
    // Without the policy bob may name any service principal.
    let older = sync_job("fence-a", "older", FOREIGN);
    eventually("a SyncJob from before", || as_bob(plane, &["create", "-f", "-"], &older).ok());
    let values = json!({"allowedServicePrincipals": {"fence-a": [OURS.to_uppercase()]}});
    install(plane, &values);
    eventually("the policy", || dry_run(plane, "fence-a", FOREIGN).err());

    for foreign in spellings(FOREIGN) {
        let message = dry_run(plane, "fence-a", &foreign).unwrap_err();
        let words = format!("the namespace 'fence-a' may not declare a SyncJob for the service principal '{FOREIGN}'");
        assert!(message.contains(&words) && message.contains("allowedServicePrincipals"), "{foreign}: {message}");
    }
    for ours in spellings(OURS) {
        dry_run(plane, "fence-a", &ours).unwrap();
        let message = dry_run(plane, "fence-b", &ours).unwrap_err();
        assert!(message.contains("the namespace 'fence-b'") && message.contains(OURS), "{ours}: {message}");
    }

    as_bob(plane, &["create", "-f", "-"], &sync_job("fence-a", "ours", OURS)).unwrap();
    let pause = r#"{"spec":{"state":"Paused"}}"#;
    let restart = r#"{"metadata":{"annotations":{"entrain.dev/restart-requested-at":"1"}}}"#;
    let patch =
        |name, change| as_bob(plane, &["patch", "syncjob", name, "-n", "fence-a", "--type=merge", "-p", change], "");
    for change in [pause, restart] {
        patch("ours", change).unwrap();
        let message = patch("older", change).unwrap_err();
        assert!(message.contains("'fence-a'") && message.contains(FOREIGN), "{message}");
    }
    // What the operator and the garbage collector write, and what people need to get rid of it.
    for change in [r#"{"metadata":{"finalizers":["entrain.dev/syncjob"]}}"#, r#"{"metadata":{"finalizers":null}}"#] {
        patch("older", change).unwrap();
    }
    as_bob(plane, &["delete", "syncjob", "older", "-n", "fence-a", "--timeout=60s"], "").unwrap();
    removed(plane, &values);
}

#[test]
fn a_release_for_some_namespaces_leaves_the_service_principals_of_the_others_alone() {
    let selector = |values: &Value| {
        let mut values = values.clone();
        values["allowedServicePrincipals"] = json!({"team-a": [OURS]});
        only(&objects(&[], &values).unwrap(), POLICY)["spec"]["matchConstraints"]["namespaceSelector"].clone()
    };
    assert_eq!(selector(&json!({})), Value::Null);
    let some = selector(&json!({"watchNamespaces": ["team-a", "team-b"]}));
    let wanted = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["team-a", "team-b"]});
    assert_eq!(some["matchExpressions"], json!([wanted]));
}

#[test]
fn there_is_a_policy_only_where_it_is_asked_for_and_it_fails_closed() {
    assert!(of_kind(&objects(&[], &json!({})).unwrap(), POLICY).is_empty());
    let rendered = objects(&[], &json!({"allowedServicePrincipals": {"team-a": []}})).unwrap();
    let policy = only(&rendered, POLICY);
    assert_eq!(policy["spec"]["failurePolicy"], "Fail");
    let binding = &only(&rendered, "ValidatingAdmissionPolicyBinding")["spec"];
    assert_eq!(*binding, json!({"policyName": policy["metadata"]["name"], "validationActions": ["Deny"]}));
}
