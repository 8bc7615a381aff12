//! Who may use a cluster-wide tenant, and that nothing of another namespace is ever reached.

use serde_json::{Value, json};

use super::stand::{CLIENT, SECRET, Stand, client_secret};
use crate::stack::read::{calls, condition, graph_calls, job_id, ready};

const REFERENCE: &str = "{kind: ClusterEntraTenant, name: shared}";

async fn shared(stand: &mut Stand, grants: &Value) {
    stand.cluster_tenant("shared", &client_secret(), &json!({"allowedNamespaces": grants})).await;
}

async fn begin() -> Stand {
    let mut stand = Stand::both(&[]).await;
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    let home = stand.home.clone();
    stand.secret(&home, "login", "clientSecret", SECRET).await;
    shared(&mut stand, &json!([])).await;
    stand
}

async fn not_allowed(stand: &mut Stand) -> String {
    let object = stand.rig.until("box", "is not allowed", |object| ready(object, "False", "TenantNotAllowed")).await;
    condition(&object, "Ready")["message"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_may_use_a_tenant_that_names_nobody_and_a_grant_that_goes_stops_the_next_pass() {
    let mut stand = begin().await;
    stand.sync_job(REFERENCE).await;
    assert!(not_allowed(&mut stand).await.contains("is not for namespace"));
    assert!(graph_calls(&stand.rig.control).await.is_empty(), "nothing was asked for it");
    let names = json!([{"namespaces": ["another", stand.rig.namespace]}]);
    shared(&mut stand, &names).await;
    stand.runs().await;
    shared(&mut stand, &json!([{"namespaces": ["another"]}])).await;
    not_allowed(&mut stand).await;
    let before = graph_calls(&stand.rig.control).await.len();
    stand.rig.edit("box", &json!({"state": "Paused"})).await;
    let object = stand.rig.until("box", "has seen the edit", |object| {
        object["status"]["observedGeneration"] == 2 && ready(object, "False", "TenantNotAllowed")
    });
    assert!(job_id(&object.await).is_some(), "the job is kept");
    assert_eq!(graph_calls(&stand.rig.control).await.len(), before, "and nothing is asked or sent for it");
    shared(&mut stand, &names).await;
    stand.rig.until("box", "goes on", |object| ready(object, "True", "Paused")).await;
    stand.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_can_be_for_some_service_principals_and_some_modes_only() {
    let mut stand = begin().await;
    stand.sync_job(REFERENCE).await;
    let namespace = stand.rig.namespace.clone();
    let other = "99999999-0000-4000-8000-000000000001";
    shared(&mut stand, &json!([{"namespaces": [namespace], "servicePrincipalIds": [other]}])).await;
    stand
        .rig
        .until("box", "is refused its application", |object| {
            condition(object, "Ready")["message"]
                .as_str()
                .is_some_and(|message| message.contains("this service principal"))
        })
        .await;
    shared(&mut stand, &json!([{"namespaces": [namespace], "modes": ["Observe", "Plan"]}])).await;
    stand
        .rig
        .until("box", "is refused its mode", |object| {
            condition(object, "Ready")["message"].as_str().is_some_and(|message| message.contains("this mode"))
        })
        .await;
    stand.rig.edit("box", &json!({"mode": "Plan"})).await;
    stand.rig.until("box", "is planned", |object| ready(object, "True", "ChangesPlanned")).await;
    assert!(calls(&stand.rig.control, "createJob").await.is_empty());
    stand.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_goes_by_the_labels_that_the_namespace_has_now() {
    let mut stand = begin().await;
    let namespace = stand.rig.namespace.clone();
    let labels = json!({"matchLabels": {"team": "identity"}});
    shared(&mut stand, &json!([{"namespaceSelector": labels}])).await;
    stand.sync_job(REFERENCE).await;
    not_allowed(&mut stand).await;
    stand.rig.kubectl(&["label", "namespace", &namespace, "team=identity"]).await;
    // What was known of the namespace serves for half a minute; an edit of the tenant does not change that.
    stand.runs().await;
    stand.rig.kubectl(&["label", "namespace", &namespace, "team-"]).await;
    let before = calls(&stand.rig.control, "pauseJob").await.len();
    stand.rig.edit("box", &json!({"state": "Paused"})).await;
    stand.rig.until("box", "is not allowed", |object| ready(object, "False", "TenantNotAllowed")).await;
    assert_eq!(calls(&stand.rig.control, "pauseJob").await.len(), before, "the labels are read again before a write");
    stand.leave().await;
}

/// The same names in another namespace, with working credentials: none of them is ever used.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_same_name_in_another_namespace_is_reached() {
    let mut stand = Stand::both(&["--operator-login=false"]).await;
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    let other = stand.rig.new_namespace().await;
    for name in ["login", "login-tls"] {
        stand.secret(&other, name, "clientSecret", SECRET).await;
    }
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "entrain-workload",
        "annotations": {"azure.workload.identity/client-id": CLIENT}}});
    stand.rig.apply_in(&other, &account.to_string()).await;
    let tenant = json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "EntraTenant", "metadata": {"name": "planted"},
        "spec": {"tenantId": stand.rig.demo.tenant_id, "credential": client_secret()}});
    stand.rig.apply_in(&other, &tenant.to_string()).await;
    stand.sync_job("{name: planted}").await;
    stand.rig.until("box", "has no tenant", |object| ready(object, "False", "TenantNotFound")).await;
    let certificate = json!({"certificate": {"clientId": CLIENT, "secretName": "login-tls"}});
    let identity = json!({"workloadIdentity": {}});
    for (name, credential, reason) in [
        ("by-secret", client_secret(), "SecretNotFound"),
        ("by-certificate", certificate, "SecretNotFound"),
        ("by-identity", identity, "ServiceAccountNotFound"),
    ] {
        stand.tenant(name, &credential).await;
        stand.until_tenant(name, reason, |it| ready(it, "False", reason)).await;
        stand.cluster_tenant(name, &credential, &json!({})).await;
        stand.until_cluster_tenant(name, reason, |it| ready(it, "False", reason)).await;
    }
    assert!(calls(&stand.rig.control, "token").await.is_empty(), "no login was ever tried");
    stand.leave().await;
}
