//! Credentials change while a hundred SyncJobs run, and nobody restarts anything.

use serde_json::{Value, json};

use super::material::{AUDIENCE, Pair, certificate, federated, register, service_account, subject};
use super::stand::{CLIENT, SECRET, Stand, client_secret};
use crate::life::BOX;
use crate::stack::read::{calls, condition, is_ready, ready};
use crate::stack::rig::CROWDED;

const MANY: usize = 100;
const NEXT: &str = "canary-of-the-rotation~7R";

/// A hundred SyncJobs run on one login of the tenant `contoso`.
async fn crowd(stand: &mut Stand) {
    stand.rig.create_crowd(MANY, &[BOX], &["tenantRef: {name: contoso}", "pollIntervalSeconds: 60"]).await;
    stand.rig.until_all("are ready", MANY, is_ready).await;
    assert_eq!(calls(&stand.rig.control, "token").await.len(), 1, "one login serves all");
}

/// All SyncJobs are looked at now.
async fn nudge_all(stand: &Stand) {
    let requested = format!("entrain.dev/reconcile-requested-at={}", uuid::Uuid::new_v4());
    stand.rig.kubectl(&["annotate", "--overwrite", "syncjob", "--all", &requested]).await;
}

/// The credential is worth nothing from now on, nor are the tokens that it obtained: all SyncJobs report it, and the login
/// is asked far less often than once for each.
async fn all_are_refused(stand: &mut Stand, reason: &str) {
    stand.rig.control.revoke_tokens().await.unwrap();
    stand.rig.nudge("boxoutdelta-0").await;
    stand.rig.until("boxoutdelta-0", "is refused", |object| ready(object, "False", "CredentialsRejected")).await;
    let refused = calls(&stand.rig.control, "token").await.len();
    nudge_all(stand).await;
    stand.rig.until_all("are refused", MANY, |object| ready(object, "False", "CredentialsRejected")).await;
    let more = calls(&stand.rig.control, "token").await.len() - refused;
    assert!(more < MANY / 4, "a hundred SyncJobs share the refusal: {more} more logins");
    // Nothing of ours watches credentials: the tenant finds out at its next look.
    stand.rig.kubectl(&["annotate", "--overwrite", "entratenant", "contoso", "look=now"]).await;
    stand.until_tenant("contoso", reason, |it| ready(it, "False", reason)).await;
}

async fn all_run_again(stand: &mut Stand) {
    stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    stand.rig.until_all("run again", MANY, is_ready).await;
    assert_eq!(calls(&stand.rig.control, "createJob").await.len(), MANY, "and nothing was created twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_secret_costs_few_logins_and_its_successor_is_found_without_a_restart() {
    let _crowded = CROWDED.lock().await;
    let mut stand = Stand::namespaced().await;
    let namespace = stand.rig.namespace.clone();
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    stand.secret(&namespace, "login", "clientSecret", SECRET).await;
    stand.tenant("contoso", &client_secret()).await;
    crowd(&mut stand).await;
    stand.application(&json!({"secrets": [{"value": NEXT}]})).await;
    all_are_refused(&mut stand, "ClientSecretWrong").await;
    stand.secret(&namespace, "login", "clientSecret", NEXT).await;
    all_run_again(&mut stand).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_federated_credential_for_another_service_account_is_used_once_the_tenant_names_it() {
    let _crowded = CROWDED.lock().await;
    let mut stand = Stand::namespaced().await;
    for name in ["entrain-workload", "of-the-team"] {
        service_account(&stand, name, &json!({})).await;
    }
    let role = ["create", "role", "token", "--verb=create", "--resource=serviceaccounts/token"];
    stand.rig.kubectl(&[&role[..], &["--resource-name=of-the-team"]].concat()).await;
    let binding = ["create", "rolebinding", "token", "--role=token", "--serviceaccount=entrain-system:entrain"];
    stand.rig.kubectl(&binding).await;
    federated(&stand, &subject(&stand, "entrain-workload"), AUDIENCE).await;
    stand.tenant("contoso", &json!({"workloadIdentity": {"clientId": CLIENT}})).await;
    crowd(&mut stand).await;
    let next = subject(&stand, "of-the-team");
    federated(&stand, &next, AUDIENCE).await;
    all_are_refused(&mut stand, "FederatedCredentialMissing").await;
    let named = json!({"workloadIdentity": {"clientId": CLIENT, "serviceAccountRef": {"name": "of-the-team"}}});
    stand.tenant("contoso", &named).await;
    all_run_again(&mut stand).await;
    let tenant = stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    assert_eq!(tenant["status"]["login"]["subject"], next);
}

/// When `Ready` last changed, SyncJob by SyncJob.
async fn since(stand: &Stand) -> Vec<Value> {
    let objects = stand.rig.list().await;
    objects.iter().map(|object| condition(object, "Ready")["lastTransitionTime"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_unnoticed_while_both_are_registered_and_found_when_it_comes_late() {
    let _crowded = CROWDED.lock().await;
    let mut stand = Stand::namespaced().await;
    let namespace = stand.rig.namespace.clone();
    let (old, new, late) = (Pair::of(2020, 2080), Pair::of(2020, 2081), Pair::of(2020, 2082));
    register(&stand, &[&old]).await;
    old.store(&stand, &namespace).await;
    stand.tenant("contoso", &certificate()).await;
    crowd(&mut stand).await;
    let before = since(&stand).await;

    register(&stand, &[&old, &new]).await;
    new.store(&stand, &namespace).await;
    register(&stand, &[&new]).await;
    stand.rig.control.revoke_tokens().await.unwrap();
    let listed = calls(&stand.rig.control, "listJobs").await.len();
    nudge_all(&stand).await;
    let all_listed = async |control: &bed::graph::Control| calls(control, "listJobs").await.len() >= listed + MANY;
    stand.rig.until_graph("all are looked at", all_listed).await;
    stand.rig.until_all("still run", MANY, is_ready).await;
    assert_eq!(since(&stand).await, before, "nobody was ever without a login");
    let logins = calls(&stand.rig.control, "token").await;
    assert!(logins.len() == 2 && logins.iter().all(|login| login["status"] == 200), "{logins:#?}");

    register(&stand, &[&late]).await;
    all_are_refused(&mut stand, "CertificateNotRegistered").await;
    late.store(&stand, &namespace).await;
    all_run_again(&mut stand).await;
    let tenant = stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    assert_eq!(tenant["status"]["login"]["notAfterTime"], "2082-01-01T00:00:00Z");
}
