//! A federated credential that Entra ID does not know everywhere yet: refused, and then accepted by every other replica.

use serde_json::json;

use super::material::{AUDIENCE, service_account, subject, trust};
use super::stand::{CLIENT, Stand};
use crate::stack::read::{calls, condition, is_ready, ready};

async fn new_ones_are(stand: &Stand, how: &str) {
    let settings = json!({"newFederatedCredential": how, "newFederatedCredentialSeconds": 3600});
    stand.rig.control.put_tenant(&stand.rig.demo.tenant_id, &settings).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_federated_credential_is_awaited_and_its_flapping_survived_without_an_edit() {
    let mut stand = Stand::namespaced().await;
    new_ones_are(&stand, "refused").await;
    service_account(&stand, "entrain-workload", &json!({})).await;
    let subject = subject(&stand, "entrain-workload");
    let mut known = trust(&stand, &subject, AUDIENCE).await;
    known["created"] = json!(jiff::Timestamp::now());
    stand.application(&json!({"federatedCredentials": [known]})).await;
    stand.tenant("contoso", &json!({"workloadIdentity": {"clientId": CLIENT}})).await;
    stand.sync_job("{name: contoso}").await;
    let missing = |it: &serde_json::Value| ready(it, "False", "FederatedCredentialMissing");
    let tenant = stand.until_tenant("contoso", "is not known yet", missing).await;
    let message = condition(&tenant, "Ready")["message"].as_str().unwrap();
    for part in ["AADSTS70021:", "ten minutes", "az ad app federated-credential create", &subject] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(condition(&tenant, "Reconciling")["status"], "True", "it is awaited: {tenant:#}");
    assert!(condition(&tenant, "Stalled").is_null(), "{tenant:#}");
    stand.rig.until("box", "waits", |object| ready(object, "False", "CredentialsRejected")).await;

    new_ones_are(&stand, "flapping").await;
    let tenant = stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    assert_eq!(tenant["metadata"]["generation"], 1, "nobody edited it");
    stand.runs().await;
    // The replica that accepted was followed by one that refuses, which the next login meets.
    let before = calls(&stand.rig.control, "token").await.len();
    stand.rig.control.revoke_tokens().await.unwrap();
    stand.rig.nudge("box").await;
    let again = async |control: &bed::graph::Control| {
        let logins = calls(control, "token").await.split_off(before);
        logins.iter().map(|login| login["status"].clone()).collect::<Vec<_>>() == [401, 200]
    };
    stand.rig.until_graph("a refused login is followed by one that is accepted", again).await;
    stand.rig.until("box", "runs again", is_ready).await;
    stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
}
