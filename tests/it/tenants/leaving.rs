//! What goes: a suspended tenant, a tenant that is still used, a namespace with all that is in it.

use reqwest::Method;
use serde_json::json;

use super::stand::{SECRET, Stand, client_secret};
use crate::stack::read::{calls, condition, effects, ready};

async fn begin() -> Stand {
    let mut stand = Stand::namespaced().await;
    let namespace = stand.rig.namespace.clone();
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    stand.secret(&namespace, "login", "clientSecret", SECRET).await;
    stand.tenant("contoso", &client_secret()).await;
    stand.sync_job("{name: contoso}").await;
    stand.runs().await;
    stand
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenant_is_sent_nothing_until_it_is_suspended_no_more() {
    let mut stand = begin().await;
    let suspend = |mode: &str| json!({"spec": {"mode": mode}}).to_string();
    stand.rig.kubectl(&["patch", "entratenant", "contoso", "--type=merge", "-p", &suspend("Suspended")]).await;
    stand
        .rig
        .until("box", "is suspended", |object| condition(object, "Suspended")["reason"] == "TenantSuspended")
        .await;
    stand.until_tenant("contoso", "says so", |it| condition(it, "Suspended")["status"] == "True").await;
    let before = calls(&stand.rig.control, "pauseJob").await.len();
    stand.rig.edit("box", &json!({"state": "Paused"})).await;
    stand.rig.nudge("box").await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(calls(&stand.rig.control, "pauseJob").await.len(), before);
    stand.rig.kubectl(&["patch", "entratenant", "contoso", "--type=merge", "-p", &suspend("Manage")]).await;
    stand.rig.until("box", "goes on", |object| ready(object, "True", "Paused")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_stays_while_sync_jobs_name_it_so_that_their_jobs_can_be_deleted() {
    let mut stand = begin().await;
    stand.until_tenant("contoso", "is held", |it| it["metadata"]["finalizers"] == json!(["entrain.dev/tenant"])).await;
    stand.rig.kubectl(&["delete", "entratenant", "contoso", "--wait=false"]).await;
    let tenant =
        stand.until_tenant("contoso", "waits", |it| condition(it, "Reconciling")["reason"] == "Deleting").await;
    assert!(condition(&tenant, "Reconciling")["message"].as_str().unwrap().contains("1 SyncJob names"), "{tenant:#}");
    stand.rig.delete("box").await;
    stand.until_tenant("contoso", "is gone", serde_json::Value::is_null).await;
    assert_eq!(effects(&stand.rig.control, "deleteJob").await.len(), 1);
}

/// The namespace takes the Secret first; the token in memory outlives it, and deletes the job.
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_goes_takes_its_jobs_with_it_by_the_token_that_is_left() {
    let mut stand = begin().await;
    let namespace = stand.rig.namespace.clone();
    stand.rig.kubectl(&["delete", "secret", "login"]).await;
    stand.rig.kubectl(&["delete", "namespace", &namespace, "--wait=false"]).await;
    stand.until(&format!("/api/v1/namespaces/{namespace}"), "is gone", serde_json::Value::is_null).await;
    assert_eq!(effects(&stand.rig.control, "deleteJob").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_whose_login_is_gone_does_not_hang_and_the_job_that_stays_is_reported() {
    let mut stand = begin().await;
    let namespace = stand.rig.namespace.clone();
    stand.application(&json!({"secrets": []})).await;
    stand.rig.control.revoke_tokens().await.unwrap();
    let path = format!("/api/v1/namespaces/{namespace}");
    stand.rig.admin.send(Method::DELETE, &path, None).await.unwrap();
    stand.until(&path, "is gone", serde_json::Value::is_null).await;
    assert!(effects(&stand.rig.control, "deleteJob").await.is_empty());
    // No Event can be written in a namespace that goes: it is about the namespace, where those of the cluster are.
    let about = format!("/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=regarding.name%3D{namespace}");
    let reported = |events: &serde_json::Value| {
        events["items"].as_array().into_iter().flatten().any(|event| {
            event["reason"] == "JobLeftBehind"
                && event["note"].as_str().is_some_and(|note| note.contains("BoxOutDelta."))
        })
    };
    stand.until(&about, "has the Event", reported).await;
    let log = stand.rig.operator_log();
    assert!(log.contains("JobLeftBehind") && log.contains(&stand.rig.demo.service_principal_id), "{log}");
}
