//! The grants that the page of permissions names, tried with the whole stack.

use serde_json::json;

use crate::stack::read::{condition, is_ready, manifest, ready};
use crate::stack::rig::Rig;

/// The object id of the operator's own service principal in the tenant.
const OPERATOR: &str = "5f0e7a10-6d0a-4f0e-9f52-8a4f3f1f7a11";

async fn granted(roles: &[&str]) -> Rig {
    let rig = Rig::idle().await;
    let (tenant, client) = (&rig.demo.tenant_id, &rig.demo.client_id);
    let secrets = json!([{"value": rig.demo.client_secret}]);
    let application = json!({"displayName": "entrain", "secrets": secrets, "roles": roles});
    rig.control.put_application(tenant, client, &application).await.unwrap();
    let principal = json!({"appId": client, "displayName": "entrain"});
    rig.control.put_service_principal(tenant, OPERATOR, &principal).await.unwrap();
    rig
}

/// Where the roles of these tests let the operator keep its key of fingerprints.
const HOME: &str = "--operator-namespace=entrain-system";
/// Credentials, one of them from a Secret, and a setting.
const CONTENT: [&str; 2] = [
    "credentials: [{key: BaseAddress, value: \"https://scim.example.test/v2\"}, {key: SecretToken, valueFrom: {secretKeyRef: {name: wiki-scim, key: token}}}]",
    "scope: Assigned",
];

/// Makes a SyncJob with credentials and settings, and with more of its spec.
async fn apply_wiki(rig: &Rig, more: &[&str]) {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "wiki-scim"},
        "stringData": {"token": "t0ken"}});
    rig.apply(&secret.to_string()).await;
    rig.apply(&manifest("wiki", &rig.demo.service_principal_id, "scim", &[&CONTENT[..], more].concat())).await;
}

/// Credentials and settings are read, tested and saved, and the job is started.
async fn has_its_credentials(rig: &mut Rig) {
    let tested = |object: &serde_json::Value| condition(object, "CredentialsValid")["status"] == "True";
    rig.until("wiki", "has its credentials", |object| is_ready(object) && tested(object)).await;
}

/// What Graph asks of those who read the set is not documented.
async fn reading_asks_for(rig: &Rig, what: &str) {
    rig.control.put_tenant(&rig.demo.tenant_id, &json!({"readSecrets": what})).await.unwrap();
}

/// A whole life: created, started, paused, restarted, deleted.
async fn lives(rig: &mut Rig) {
    rig.until("box", "is ready", is_ready).await;
    rig.kubectl(&["annotate", "syncjob", "box", "entrain.dev/restart-requested-at=1"]).await;
    let restarted = "is restarted";
    rig.until("box", restarted, |object| object["status"]["lastHandledRestart"]["result"] == "Accepted").await;
    rig.until("box", "is ready again", is_ready).await;
    rig.edit("box", &json!({"state": "Paused"})).await;
    rig.until("box", "is paused", |object| ready(object, "True", "Paused")).await;
    rig.delete("box").await;
    rig.until("box", "is gone", serde_json::Value::is_null).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_write_synchronization_is_enough_for_a_whole_life() {
    let mut rig = granted(&["Synchronization.ReadWrite.All"]).await;
    rig.start_operator();
    rig.apply_box().await;
    lives(&mut rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owned_by_is_enough_for_an_owner_of_the_service_principal_and_for_nobody_else() {
    let mut rig = granted(&["Application.ReadWrite.OwnedBy"]).await;
    rig.start_operator();
    rig.apply_box().await;
    rig.until("box", "names the permission", |object| ready(object, "False", "PermissionMissing")).await;
    let owners = format!("tenants/{}/servicePrincipals/{}/owners", rig.demo.tenant_id, rig.demo.service_principal_id);
    rig.control.raw("PUT", &owners, Some(&json!({"value": [OPERATOR]}))).await.unwrap();
    lives(&mut rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_write_synchronization_is_enough_for_credentials_and_settings() {
    for reading in ["asRead", "asWrite"] {
        let mut rig = granted(&["Synchronization.ReadWrite.All"]).await;
        reading_asks_for(&rig, reading).await;
        rig.start_operator_with(&[HOME]);
        apply_wiki(&rig, &["credentialValidation: Require"]).await;
        has_its_credentials(&mut rig).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn owned_by_is_enough_for_credentials_and_settings_of_what_is_owned() {
    let mut rig = granted(&["Application.ReadWrite.OwnedBy"]).await;
    let owners = format!("tenants/{}/servicePrincipals/{}/owners", rig.demo.tenant_id, rig.demo.service_principal_id);
    rig.control.raw("PUT", &owners, Some(&json!({"value": [OPERATOR]}))).await.unwrap();
    rig.start_operator_with(&[HOME]);
    apply_wiki(&rig, &["credentialValidation: Require"]).await;
    has_its_credentials(&mut rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_read_synchronization_plans_credentials_unless_graph_asks_for_more() {
    for (reading, status, reason) in [("asRead", "True", "ChangesPlanned"), ("asWrite", "False", "PermissionMissing")] {
        let mut rig = granted(&["Synchronization.Read.All", "Application.Read.All"]).await;
        reading_asks_for(&rig, reading).await;
        rig.start_operator_with(&[HOME]);
        apply_wiki(&rig, &["mode: Plan"]).await;
        rig.until("wiki", reason, |object| ready(object, status, reason)).await;
    }
}
