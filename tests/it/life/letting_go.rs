//! Letting go cannot be undone: one negative answer is not enough for it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Rig;
use crate::stack::audit;
use crate::stack::plane::SharedPlane;
use crate::stack::read::{calls, condition, effects, is_ready, job_id, ready};

impl Rig {
    /// Whether Graph really has a live job of this id.
    async fn has_job(&self, id: &str) -> bool {
        let path = format!("tenants/{}/servicePrincipals/{}/jobs", self.demo.tenant_id, self.demo.service_principal_id);
        let jobs = self.control.raw("GET", &path, None).await.unwrap();
        jobs["value"].as_array().unwrap().iter().any(|job| job["id"] == id && job["deleted"].is_null())
    }

    async fn fault_once(&self, operation: &str, action: Value) {
        self.control.put_fault(&json!({"operation": operation, "times": 1, "action": action})).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_404_for_a_deletion_releases_nothing() {
    // The job is older than the grace in which a 404 is expected.
    let mut rig = Rig::start_with(&["--missing-grace-seconds=0"]).await;
    let id = rig.running(&[]).await;
    rig.fault_once("deleteJob", json!({"respond": {"status": 404, "code": "UnknownError"}})).await;
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    assert!(!rig.has_job(&id).await, "it went with its job");
    assert_eq!((calls(&rig.control, "deleteJob").await.len(), rig.wrote("deleteJob").await), (2, 1));
    rig.until_event("JobDeleted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_empty_list_releases_nothing() {
    let mut rig = Rig::start_with(&["--missing-grace-seconds=0"]).await;
    let id = rig.running(&[]).await;
    rig.fault_once("listJobs", json!({"respond": {"status": 200, "body": "{\"value\":[]}"}})).await;
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    assert!(!rig.has_job(&id).await && rig.wrote("deleteJob").await == 1, "it went with its job");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_gone_already_is_believed_after_several_looks_and_said_so() {
    let mut rig = Rig::start_with(&["--missing-grace-seconds=0"]).await;
    let id = rig.running(&[]).await;
    rig.control.delete_job(&rig.demo.tenant_id, &rig.demo.service_principal_id, &id).await.unwrap();
    let looks = calls(&rig.control, "listJobs").await.len();
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    assert!(calls(&rig.control, "listJobs").await.len() >= looks + 3);
    assert!(rig.until_event("JobGone").await.contains(&id));
    assert_eq!(calls(&rig.control, "deleteJob").await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_goes_with_its_service_principal_is_named_as_left_behind() {
    let mut rig = Rig::start_with(&["--missing-grace-seconds=0"]).await;
    let id = rig.running(&[]).await;
    rig.control.delete_service_principal(&rig.demo.tenant_id, &rig.demo.service_principal_id).await.unwrap();
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    let note = rig.until_event("JobLeftBehind").await;
    assert!(note.contains(&id) && note.contains(&rig.service_principal()), "{note}");
    rig.until_logged("JobLeftBehind").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_waits_for_the_job_of_a_restored_service_principal() {
    let mut rig = Rig::start_with(&["--missing-grace-seconds=0"]).await;
    let id = rig.running(&["pollIntervalSeconds: 60"]).await;
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.service_principal());
    rig.control.delete_service_principal(&tenant, &sp).await.unwrap();
    rig.nudge("box").await;
    rig.until("box", "misses its service principal", |object| ready(object, "False", "ServicePrincipalNotFound")).await;
    rig.set(&json!({"restoreDelaySeconds": 3600})).await;
    rig.control.restore_service_principal(&tenant, &sp).await.unwrap();
    rig.delete("box").await;
    let waits = |object: &Value| {
        let message = condition(object, "Reconciling")["message"].as_str().unwrap_or_default();
        message.contains("returns with its provisioning data within a day")
    };
    rig.until("box", "waits", waits).await;
    assert_eq!(rig.wrote("deleteJob").await, 0);
    rig.control.advance_clock(3700).await.unwrap();
    rig.nudge("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    assert!(!rig.has_job(&id).await && rig.wrote("deleteJob").await == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_is_carried_out_late_hits_no_successor() {
    let mut rig = Rig::start_with(&["--missing-grace-seconds=0"]).await;
    let id = rig.running(&[]).await;
    rig.fault_once("deleteJob", json!({"lateCommit": {"millis": 2500}})).await;
    rig.delete("box").await;
    rig.apply_sync_job("twin", &[]).await;
    rig.until("box", "is gone", Value::is_null).await;
    let object = rig.until("twin", "has the job", is_ready).await;
    assert_eq!(job_id(&object), Some(id.as_str()), "the same id");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(rig.has_job(&id).await, "the job of the twin is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_be_deleted_holds_its_sync_job_until_retain_lets_go() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.service_principal());
    rig.control.ghost_job(&tenant, &sp, &id, true).await.unwrap();
    rig.delete("box").await;
    let says = |object: &Value| {
        let message = condition(object, "Reconciling")["message"].as_str().unwrap_or_default();
        message.contains("Retain") && message.contains(&id)
    };
    rig.until("box", "says why it stays", says).await;
    rig.edit("box", &json!({"deletionPolicy": "Retain"})).await;
    rig.until("box", "is gone", Value::is_null).await;
    assert!(rig.has_job(&id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_deletes_the_crd_deletes_no_job() {
    let plane = tokio::task::spawn_blocking(|| Arc::new(SharedPlane::start())).await.unwrap();
    let mut rig = Rig::idle_on(plane).await;
    rig.start_operator();
    let id = rig.running(&[]).await;
    rig.kubectl(&["delete", "crd", "syncjobs.entrain.dev", "--timeout=60s"]).await;
    assert!(rig.has_job(&id).await && rig.wrote("deleteJob").await == 0);
    assert_eq!(effects(&rig.control, "pauseJob").await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finalizer_that_may_not_be_removed_is_tried_with_back_off() {
    let mut rig = Rig::start().await;
    rig.running(&["deletionPolicy: Retain"]).await;
    let kept = "!has(object.metadata.deletionTimestamp) || (has(object.metadata.finalizers) && object.metadata.finalizers.exists(name, name == 'entrain.dev/syncjob'))";
    let name = format!("kept-{}", rig.namespace);
    let rules = json!([{"apiGroups": ["entrain.dev"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["syncjobs"]}]);
    rig.put_policy(&name, &rules, &format!("({kept}) && !has(object.metadata.labels)")).await;
    let labelled = async |rig: &Rig| {
        let (plane, namespace) = (rig.plane.clone(), rig.namespace.clone());
        let label =
            move || plane.try_kubectl(&["-n", &namespace, "label", "syncjob", "box", "a=b", "--dry-run=server"]);
        tokio::task::spawn_blocking(label).await.unwrap().is_ok()
    };
    while labelled(&rig).await {}
    rig.delete("box").await;
    let refused = |object: &Value| {
        let message = condition(object, "Ready")["message"].as_str().unwrap_or_default();
        message.contains("removing the finalizer") && object["metadata"]["deletionTimestamp"].is_string()
    };
    let object = rig.until("box", "says so", refused).await;
    assert_eq!(condition(&object, "Ready")["reason"], "ClusterUnavailable", "{object:#}");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let tries = audit::writes(&rig.namespace).iter().filter(|write| write.code == 422 || write.code == 403).count();
    assert!((1..=6).contains(&tries), "{tries} tries in five seconds");
    rig.drop_policy(&name).await;
    rig.until("box", "is gone", Value::is_null).await;
}
