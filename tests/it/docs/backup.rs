//! What the page on backups says of a SyncJob that comes back without its status.

use serde_json::{Value, json};

use crate::stack::read::{condition, is_ready, ready};
use crate::stack::rig::Rig;

/// Spec and name of an object, as a backup without status or Git would have them.
fn without_status(object: &Value, adoption: Option<&str>) -> String {
    let mut spec = object["spec"].clone();
    if let Some(policy) = adoption {
        spec["adoption"] = json!({"policy": policy});
    }
    let metadata = json!({"name": object["metadata"]["name"]});
    json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": metadata, "spec": spec}).to_string()
}

/// A running job whose SyncJob is lost with its cluster: nobody was asked, so the job runs on.
async fn lost() -> (Rig, String, Value) {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let object = rig.get("box").await;
    assert_eq!(
        (&object["status"]["jobOrigin"], &object["status"]["deletionPolicy"]),
        (&json!("Created"), &json!("Delete"))
    );
    rig.stop_operator(std::time::Duration::from_secs(10)).await;
    rig.delete("box").await;
    rig.kubectl(&["patch", "syncjob", "box", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]).await;
    rig.start_operator();
    (rig, id, object)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_job_that_was_restored_without_its_status_reports_its_own_job_as_foreign() {
    let (mut rig, id, object) = lost().await;
    rig.apply(&without_status(&object, None)).await;
    let restored = rig.until("box", "finds the job", |object| ready(object, "False", "AlreadyExists")).await;
    assert!(condition(&restored, "Ready")["message"].as_str().unwrap().contains(&id));
    assert!(restored["status"]["jobId"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_job_that_was_restored_with_adoption_has_its_job_again_and_keeps_it_by_default() {
    let (mut rig, id, object) = lost().await;
    rig.apply(&without_status(&object, Some("IfExists"))).await;
    let restored = rig.until("box", "is ready", is_ready).await;
    let status = &restored["status"];
    assert_eq!((&status["jobId"], &status["jobOrigin"]), (&json!(id), &json!("Adopted")));
    assert_eq!(status["deletionPolicy"], "Retain", "the policy in force changes although nobody changed the spec");
    assert_eq!(rig.wrote("createJob").await, 1);
    // What the page recommends: written out, the policy is the same before and after.
    rig.edit("box", &json!({"deletionPolicy": "Delete"})).await;
    rig.until("box", "deletes again", |object| object["status"]["deletionPolicy"] == "Delete").await;
}
