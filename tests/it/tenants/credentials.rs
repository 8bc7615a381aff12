//! Each kind of credential: right, wrong, expired, and not known to Entra ID yet; each has a reason of its own.

use serde_json::{Value, json};

use super::material::{AUDIENCE, federated, service_account, subject};
use super::stand::{CLIENT, SECRET, Stand, client_secret};
use crate::stack::read::{condition, ready};

fn message(tenant: &Value) -> &str {
    condition(tenant, "Ready")["message"].as_str().unwrap_or_default()
}

fn workload_identity() -> Value {
    json!({"workloadIdentity": {"clientId": CLIENT}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_logs_in_and_each_way_to_be_wrong_has_its_reason() {
    let mut stand = Stand::namespaced().await;
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    stand.tenant("contoso", &client_secret()).await;
    stand.sync_job("{name: contoso}").await;
    let tenant = stand.until_tenant("contoso", "misses its Secret", |it| ready(it, "False", "SecretNotFound")).await;
    assert!(message(&tenant).contains("no Secret 'login' in namespace"), "{tenant:#}");
    let namespace = stand.rig.namespace.clone();
    stand.secret(&namespace, "login", "password", SECRET).await;
    stand.until_tenant("contoso", "misses the key", |it| ready(it, "False", "SecretKeyMissing")).await;
    stand.secret(&namespace, "login", "clientSecret", "a\nb").await;
    stand.until_tenant("contoso", "is two lines", |it| ready(it, "False", "SecretInvalid")).await;
    stand.secret(&namespace, "login", "clientSecret", "wrong").await;
    let tenant =
        stand.until_tenant("contoso", "has the wrong secret", |it| ready(it, "False", "ClientSecretWrong")).await;
    assert!(message(&tenant).contains("AADSTS7000215"), "{tenant:#}");
    let object = stand.rig.until("box", "waits", |object| ready(object, "False", "CredentialsRejected")).await;
    let names = "at the login of EntraTenant 'contoso': ";
    assert!(message(&object).contains(names), "{object:#}");
    let events = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
    let by_tenants = |events: &Value| {
        let of = |event: &Value| {
            event["reason"] == "ClientSecretWrong" && event["reportingController"] == "entrain.dev/tenant"
        };
        events["items"].as_array().into_iter().flatten().any(of)
    };
    stand.until(&events, "has the Event of the tenant", by_tenants).await;
    stand.secret(&namespace, "login", "clientSecret", &format!(" {SECRET}\n")).await;
    let tenant = stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    assert_eq!(tenant["status"]["login"]["kind"], "ClientSecret");
    assert_eq!(tenant["status"]["login"]["clientId"], CLIENT);
    assert_eq!(condition(&tenant, "PermissionsGranted")["reason"], "RolesGranted");
    assert_eq!(tenant["status"]["permissions"]["granted"][1], "Synchronization.ReadWrite.All");
    stand.runs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_secret_and_an_unknown_application_are_told_apart() {
    let mut stand = Stand::namespaced().await;
    let namespace = stand.rig.namespace.clone();
    stand.secret(&namespace, "login", "clientSecret", SECRET).await;
    stand.tenant("contoso", &client_secret()).await;
    stand.until_tenant("contoso", "is unknown", |it| ready(it, "False", "ApplicationNotFound")).await;
    stand.application(&json!({"secrets": [{"value": SECRET, "expired": true}]})).await;
    stand.until_tenant("contoso", "has expired", |it| ready(it, "False", "ClientSecretExpired")).await;
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_identity_logs_in_with_a_token_of_the_api_server() {
    let mut stand = Stand::namespaced().await;
    let subject = subject(&stand, "entrain-workload");
    federated(&stand, "system:serviceaccount:other:entrain-workload", AUDIENCE).await;
    stand.tenant("contoso", &workload_identity()).await;
    stand.sync_job("{name: contoso}").await;
    stand.until_tenant("contoso", "has no account", |it| ready(it, "False", "ServiceAccountNotFound")).await;
    service_account(&stand, "entrain-workload", &json!({"azure.workload.identity/client-id": "another"})).await;
    stand.until_tenant("contoso", "names another", |it| ready(it, "False", "ClientIdMismatch")).await;
    service_account(&stand, "entrain-workload", &json!({"azure.workload.identity/client-id": CLIENT})).await;
    let tenant =
        stand.until_tenant("contoso", "is not trusted", |it| ready(it, "False", "FederatedCredentialMissing")).await;
    for part in ["az ad app federated-credential create", &subject, CLIENT, AUDIENCE] {
        assert!(message(&tenant).contains(part), "{part}: {tenant:#}");
    }
    federated(&stand, &subject, "api://another").await;
    stand.until_tenant("contoso", "has an audience", |it| ready(it, "False", "FederatedAudienceMismatch")).await;
    federated(&stand, &subject, AUDIENCE).await;
    let tenant = stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    let login = &tenant["status"]["login"];
    assert_eq!((&login["subject"], &login["audience"]), (&json!(subject), &json!(AUDIENCE)), "{tenant:#}");
    stand.runs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_service_account_takes_a_role_that_the_message_names() {
    let mut stand = Stand::namespaced().await;
    service_account(&stand, "of-the-team", &json!({})).await;
    let credential = json!({"workloadIdentity": {"clientId": CLIENT, "serviceAccountRef": {"name": "of-the-team"}}});
    stand.tenant("contoso", &credential).await;
    let tenant = stand.until_tenant("contoso", "may not", |it| ready(it, "False", "TokenRequestForbidden")).await;
    assert!(message(&tenant).contains("--resource-name=of-the-team"), "{tenant:#}");
}
