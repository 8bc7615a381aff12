//! Creation under faults: whatever happens to the one request, its answer or the operator, there is one job.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::read::{calls, condition, effects, entries, is_ready, job_id, manifest, time};
use super::rig::Rig;

impl Rig {
    async fn fault(&self, operation: &str, times: u32, action: Value) {
        let fault = json!({"operation": operation, "times": times, "action": action});
        self.control.put_fault(&fault).await.unwrap();
    }

    pub async fn apply_box(&self) {
        self.apply(&manifest("box", &self.demo.service_principal_id, "BoxOutDelta", &[])).await;
    }

    /// Waits for the SyncJob and holds that its job is the only one there ever was.
    pub async fn becomes_ready_with_one_job(&mut self) {
        let object = self.until("box", "is ready", is_ready).await;
        let created = effects(&self.control, "createJob").await;
        assert_eq!(created.len(), 1, "{created:#?}");
        assert_eq!(created[0]["jobId"], job_id(&object).unwrap());
        let started = effects(&self.control, "startJob").await;
        assert_eq!(started.len(), 1, "{started:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_lost_after_the_commit_leaves_one_job() {
    let mut rig = Rig::start().await;
    rig.fault("createJob", 1, json!({"drop": {"commit": true}})).await;
    rig.apply_box().await;
    rig.becomes_ready_with_one_job().await;
    assert_eq!(calls(&rig.control, "createJob").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_after_the_commit_leaves_one_job() {
    let mut rig = Rig::start().await;
    rig.fault("createJob", 1, json!({"respond": {"status": 504, "commit": true}})).await;
    rig.apply_box().await;
    rig.becomes_ready_with_one_job().await;
    assert_eq!(calls(&rig.control, "createJob").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_later_than_the_client_waits_leaves_one_job() {
    // By the time of the commit the list has been empty more often than absence needs: only the window holds back.
    let mut rig = Rig::start_with(&["--settle-window-seconds=13"]).await;
    rig.fault("createJob", 1, json!({"lateCommit": {"millis": 9000}})).await;
    rig.apply_box().await;
    rig.until("box", "says that the outcome is unknown", |object| {
        condition(object, "Reconciling")["reason"] == "CreateOutcomeUnknown"
    })
    .await;
    rig.becomes_ready_with_one_job().await;
    assert_eq!(calls(&rig.control, "createJob").await.len(), 1, "no second request within the window");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_lost_without_effect_is_sent_again_only_after_the_settle_window() {
    let mut rig = Rig::start_with(&["--settle-window-seconds=10"]).await;
    rig.fault("createJob", 1, json!({"drop": {}})).await;
    rig.apply_box().await;
    rig.becomes_ready_with_one_job().await;
    let sent = calls(&rig.control, "createJob").await;
    assert_eq!(sent.len(), 2, "{sent:#?}");
    let waited = time(&sent[1]).duration_since(time(&sent[0]));
    assert!(waited.as_secs() >= 10, "{waited}");
    assert_ne!(sent[0]["clientRequestId"], sent[1]["clientRequestId"], "a new attempt has a new nonce");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_killed_while_its_request_is_carried_out_leaves_one_job() {
    let mut rig = Rig::start().await;
    rig.fault("createJob", 1, json!({"hang": {"commit": true}})).await;
    rig.apply_box().await;
    rig.until_graph("the job is created", async |control| !effects(control, "createJob").await.is_empty()).await;
    rig.kill_operator();
    let left = rig.get("box").await;
    assert!(left["status"]["intent"]["nonce"].is_string() && job_id(&left).is_none(), "{left:#}");
    rig.start_operator();
    rig.becomes_ready_with_one_job().await;
    assert_eq!(calls(&rig.control, "createJob").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_commit_after_the_operator_was_killed_leaves_one_job() {
    let mut rig = Rig::start().await;
    rig.fault("createJob", 1, json!({"lateCommit": {"millis": 2500}})).await;
    rig.apply_box().await;
    rig.until_graph("the request is sent", async |control| !calls(control, "createJob").await.is_empty()).await;
    rig.kill_operator();
    rig.start_operator();
    rig.becomes_ready_with_one_job().await;
    assert_eq!(calls(&rig.control, "createJob").await.len(), 1);
}

/// Makes the API server refuse to record a job id in this test's namespace. The path that it answers with is that of the
/// object to delete for the refusal to end.
async fn refuse_job_ids(rig: &mut Rig) -> String {
    let name = format!("no-job-id-{}", rig.namespace);
    let rules = json!([{"apiGroups": ["entrain.dev"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["syncjobs/status"]}]);
    let here = json!({"matchLabels": {"kubernetes.io/metadata.name": rig.namespace}});
    let validations = json!([{"expression": "!has(object.status.jobId)", "message": "not now"}]);
    let policy =
        json!({"matchConstraints": {"resourceRules": rules, "namespaceSelector": here}, "validations": validations});
    let binding = json!({"policyName": name, "validationActions": ["Deny"]});
    let root = "/apis/admissionregistration.k8s.io/v1";
    for (kind, plural, spec) in [
        ("ValidatingAdmissionPolicy", "validatingadmissionpolicies", policy),
        ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", binding),
    ] {
        let body = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
        let (status, answer) = rig.admin.send(Method::POST, &format!("{root}/{plural}"), Some(&body)).await.unwrap();
        assert!(status.is_success(), "{answer}");
    }
    // A policy is in force some time after it was accepted.
    rig.apply(&manifest("probe", "a4d1c0de-1f2e-4a3b-9c4d-5e6f70818293", "scim", &[])).await;
    let mut probe = rig.get("probe").await;
    probe["status"] = json!({"jobId": "x"});
    let path = format!("/apis/entrain.dev/v1alpha1/namespaces/{}/syncjobs/probe/status?dryRun=All", rig.namespace);
    let admin = rig.admin.clone();
    rig.until_graph("the API server refuses job ids", async |_| {
        !admin.send(Method::PUT, &path, Some(&probe)).await.unwrap().0.is_success()
    })
    .await;
    rig.kubectl(&["delete", "syncjob", "probe"]).await;
    format!("{root}/validatingadmissionpolicybindings/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_killed_between_the_answer_and_the_record_of_the_id_leaves_one_job() {
    let mut rig = Rig::idle().await;
    let lock = refuse_job_ids(&mut rig).await;
    rig.start_operator();
    rig.apply_box().await;
    rig.until("box", "says that the id cannot be recorded", |object| {
        condition(object, "Reconciling")["reason"] == "ClusterUnavailable"
    })
    .await;
    assert_eq!(effects(&rig.control, "createJob").await.len(), 1);
    assert_eq!(effects(&rig.control, "startJob").await.len(), 0, "a job is not started before its id is recorded");
    rig.kill_operator();
    rig.admin.send(Method::DELETE, &lock, None).await.unwrap();
    rig.start_operator();
    rig.becomes_ready_with_one_job().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_could_not_be_recorded_is_recorded_as_soon_as_it_can() {
    let mut rig = Rig::idle().await;
    let lock = refuse_job_ids(&mut rig).await;
    rig.start_operator_with(&["--settle-window-seconds=600"]);
    rig.apply_box().await;
    rig.until("box", "says that the id cannot be recorded", |object| {
        condition(object, "Reconciling")["reason"] == "ClusterUnavailable"
    })
    .await;
    rig.admin.send(Method::DELETE, &lock, None).await.unwrap();
    rig.becomes_ready_with_one_job().await;
    assert_eq!(calls(&rig.control, "createJob").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_job_deleted_while_the_outcome_is_unknown_leaves_no_job() {
    let mut rig = Rig::start().await;
    rig.fault("createJob", 1, json!({"lateCommit": {"millis": 2000}})).await;
    rig.apply_box().await;
    rig.until_graph("the request is sent", async |control| !calls(control, "createJob").await.is_empty()).await;
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    let ledger = rig.control.ledger().await.unwrap();
    let operations: Vec<Value> = entries(&ledger, &["createJob", "startJob", "deleteJob"])
        .iter()
        .map(|entry| entry["operation"].clone())
        .collect();
    assert_eq!(operations, ["createJob", "deleteJob"], "{ledger:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lag_and_flap_behind_a_lost_reply_leave_one_job() {
    let mut rig = Rig::start().await;
    let lagging = json!({"replicationLagMillis": 2000, "flapping": true});
    rig.control.put_tenant(&rig.demo.tenant_id, &lagging).await.unwrap();
    rig.fault("createJob", 1, json!({"drop": {"commit": true}})).await;
    rig.apply_box().await;
    rig.becomes_ready_with_one_job().await;
    assert_eq!(calls(&rig.control, "createJob").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_shows_late_is_started_late() {
    let mut rig = Rig::start_with(&["--missing-grace-seconds=60"]).await;
    let lagging = json!({"replicationLagMillis": 3000});
    rig.control.put_tenant(&rig.demo.tenant_id, &lagging).await.unwrap();
    rig.apply_box().await;
    rig.becomes_ready_with_one_job().await;
    let (created, started) = (effects(&rig.control, "createJob").await, effects(&rig.control, "startJob").await);
    assert!(time(&started[0]).duration_since(time(&created[0])) < jiff::SignedDuration::from_secs(30));
    assert_eq!(rig.stop_operator(Duration::from_secs(10)).await, Some(0));
}
