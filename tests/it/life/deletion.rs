//! The ways out.

use serde_json::{Value, json};

use super::Rig;
use crate::stack::read::{condition, ready};

#[tokio::test(flavor = "multi_thread")]
async fn with_credentials_revoked_a_deletion_waits_says_why_and_is_released_by_retain() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let (tenant, client) = (rig.demo.tenant_id.clone(), rig.demo.client_id.clone());
    rig.control.revoke_secrets(&tenant, &client).await.unwrap();
    rig.control.revoke_tokens().await.unwrap();
    rig.delete("box").await;
    let object = rig
        .until("box", "says why it stays", |object| condition(object, "Ready")["reason"] == "CredentialsRejected")
        .await;
    let message = condition(&object, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("AADSTS7000215") && message.contains("Retain"), "{message}");
    rig.edit("box", &json!({"deletionPolicy": "Retain"})).await;
    rig.until("box", "is gone", Value::is_null).await;
    assert!(rig.until_event("JobRetained").await.contains(&id));
    assert_eq!(rig.wrote("deleteJob").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_principal_that_is_gone_took_the_job_with_it() {
    let mut rig = Rig::start_with(&["--missing-grace-seconds=0"]).await;
    rig.running(&[]).await;
    rig.control.delete_service_principal(&rig.demo.tenant_id, &rig.demo.service_principal_id).await.unwrap();
    rig.kubectl(&["delete", "syncjob", "box", "--timeout=30s"]).await;
    assert_eq!(rig.wrote("deleteJob").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_goes_with_everything_in_it() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let wiki = "7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6";
    rig.apply(&crate::stack::read::manifest("kept", wiki, "scim", &["deletionPolicy: Retain"])).await;
    rig.until("kept", "is ready", |object| ready(object, "True", "Running")).await;
    let namespace = rig.namespace.clone();
    rig.kubectl(&["delete", "namespace", &namespace, "--timeout=60s"]).await;
    let deleted = crate::stack::read::effects(&rig.control, "deleteJob").await;
    assert_eq!(deleted.len(), 1, "{deleted:#?}");
    assert_eq!(deleted[0]["jobId"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_operator_the_finalizer_waits_and_can_be_removed_by_hand() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    rig.stop_operator(std::time::Duration::from_secs(10)).await;
    rig.delete("box").await;
    assert!(rig.get("box").await["metadata"]["deletionTimestamp"].is_string());
    rig.kubectl(&[
        "patch",
        "syncjob",
        "box",
        "--type=json",
        "-p",
        r#"[{"op": "remove", "path": "/metadata/finalizers"}]"#,
    ])
    .await;
    assert!(rig.get("box").await.is_null());
    // The job stays, and the same manifest applied again finds it instead of making a second one.
    rig.start_operator();
    rig.apply_sync_job("box", &[]).await;
    rig.until("box", "finds the job", |object| ready(object, "False", "AlreadyExists")).await;
    assert_eq!(rig.wrote("createJob").await, 1);
}
