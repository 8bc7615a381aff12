//! What happens to jobs and service principals behind our back.

use serde_json::json;

use super::{FOREIGN, Rig};
use crate::stack::read::{calls, condition, is_ready, job_id, ready, says};

impl Rig {
    async fn delete_in_portal(&self, id: &str) {
        self.control.delete_job(&self.demo.tenant_id, &self.demo.service_principal_id, id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_deleted_in_the_portal_is_missed_after_several_answers_and_not_replaced() {
    let mut rig = Rig::start_with(&["--missing-grace-seconds=0"]).await;
    let id = rig.running(&[]).await;
    rig.delete_in_portal(&id).await;
    let before = calls(&rig.control, "listJobs").await.len();
    rig.nudge("box").await;
    let object = rig.until("box", "is missed", |object| ready(object, "False", "JobMissing")).await;
    assert!(says(&object, "Stalled", "True", "JobMissing") && job_id(&object) == Some(&id), "{object:#}");
    assert!(calls(&rig.control, "listJobs").await.len() >= before + 3, "one answer is not enough");
    assert_eq!(rig.wrote("createJob").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_deleted_in_the_portal_is_recreated_by_policy_once() {
    let mut rig = Rig::start_with(&["--missing-grace-seconds=0"]).await;
    let id = rig.running(&["missingJobPolicy: Recreate"]).await;
    rig.delete_in_portal(&id).await;
    rig.nudge("box").await;
    let object = rig.until("box", "is missed", |object| ready(object, "False", "JobMissing")).await;
    assert!(object["status"]["jobMissingSinceTime"].is_string(), "{object:#}");
    assert!(condition(&object, "Ready")["message"].as_str().unwrap().contains("missing for a day"), "{object:#}");
    assert_eq!(rig.wrote("createJob").await, 1, "not on the word of three lists");
    // The time is persisted: another operator does not begin it again, and needs its own looks.
    rig.stop_operator(std::time::Duration::from_secs(10)).await;
    let looks = calls(&rig.control, "listJobs").await.len();
    rig.start_operator_with(&["--missing-grace-seconds=0", "--recreate-after-seconds=1"]);
    rig.until_event("JobGivenUp").await;
    let object = rig.until("box", "has a new job", is_ready).await;
    assert_eq!((rig.wrote("createJob").await, job_id(&object)), (2, Some(id.as_str())));
    assert!(calls(&rig.control, "listJobs").await.len() >= looks + 3);
    assert!(object["status"]["jobMissingSinceTime"].is_null(), "{object:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_principal_that_is_deleted_and_restored_costs_no_job() {
    let mut rig = Rig::start_with(&["--missing-grace-seconds=0"]).await;
    let id = rig.running(&["missingJobPolicy: Recreate"]).await;
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.service_principal());
    rig.control.delete_service_principal(&tenant, &sp).await.unwrap();
    rig.nudge("box").await;
    let object = rig
        .until("box", "misses its service principal", |object| ready(object, "False", "ServicePrincipalNotFound"))
        .await;
    assert!(object["status"]["servicePrincipalLostTime"].is_string() && job_id(&object) == Some(&id), "{object:#}");

    // Its provisioning data returns later than the service principal itself.
    rig.delete_in_portal(&id).await;
    rig.control.restore_service_principal(&tenant, &sp).await.unwrap();
    rig.nudge("box").await;
    let object = rig.until("box", "waits for its job", |object| ready(object, "False", "JobMissing")).await;
    let message = condition(&object, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("restored"), "{message}");
    assert_eq!(rig.wrote("createJob").await, 1, "Recreate does not apply to a job that returns by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_job_of_the_template_is_told_of_and_left_alone() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    rig.put_foreign_job(FOREIGN).await;
    rig.nudge("box").await;
    let object = rig.until("box", "tells of it", |object| says(object, "Healthy", "False", "SecondJobPresent")).await;
    assert!(is_ready(&object) && condition(&object, "Healthy")["message"].as_str().unwrap().contains(FOREIGN));
    rig.until_event("SecondJobPresent").await;
    rig.control.delete_job(&rig.demo.tenant_id, &rig.demo.service_principal_id, FOREIGN).await.unwrap();
    rig.nudge("box").await;
    rig.until("box", "is alone again", |object| says(object, "Healthy", "True", "InService")).await;
    let touched = rig.wrote_anything().await;
    assert!(touched.iter().all(|entry| entry["jobId"] == json!(id)), "{touched:#?}");
}
