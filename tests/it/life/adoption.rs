//! Jobs that were there before.

use serde_json::{Value, json};

use super::{BOX, FOREIGN, FOREIGN_TOO, Rig};
use crate::stack::read::{condition, is_ready, job_id, ready};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_there_before_is_left_alone_until_adoption_is_allowed() {
    let mut rig = Rig::start().await;
    rig.put_foreign_job(FOREIGN).await;
    rig.apply_sync_job("box", &[]).await;
    let object = rig.until("box", "is told", |object| ready(object, "False", "AlreadyExists")).await;
    let message = condition(&object, "Ready")["message"].as_str().unwrap();
    assert!(message.contains(FOREIGN) && message.contains("adoption.policy"), "{message}");
    assert_eq!(rig.wrote_anything().await, Vec::<Value>::new());

    rig.edit("box", &json!({"adoption": {"policy": "IfExists"}})).await;
    let object = rig.until("box", "has adopted it", is_ready).await;
    assert_eq!((job_id(&object), object["status"]["jobOrigin"].as_str()), (Some(FOREIGN), Some("Adopted")));
    assert_eq!(object["status"]["deletionPolicy"], "Retain");
    assert_eq!((rig.wrote("createJob").await, rig.wrote("startJob").await), (0, 1));
    rig.until_event("JobAdopted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_job_survives_deletion_unless_delete_is_written_out() {
    let mut rig = Rig::start().await;
    rig.put_foreign_job(FOREIGN).await;
    for (more, deletions) in
        [(vec!["adoption: {policy: Only}"], 0), (vec!["adoption: {policy: Only}", "deletionPolicy: Delete"], 1)]
    {
        rig.apply_sync_job("box", &more).await;
        rig.until("box", "has adopted it", |object| is_ready(object) && job_id(object) == Some(FOREIGN)).await;
        rig.delete("box").await;
        rig.until("box", "is gone", Value::is_null).await;
        assert_eq!(rig.wrote("deleteJob").await, deletions, "{more:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_if_exists_a_job_is_created_where_there_is_none_and_with_only_never() {
    let mut rig = Rig::start().await;
    rig.apply_sync_job("box", &["adoption: {policy: Only}"]).await;
    rig.until("box", "waits for a job", |object| ready(object, "False", "NothingToAdopt")).await;
    assert_eq!(rig.wrote_anything().await, Vec::<Value>::new());
    rig.edit("box", &json!({"adoption": {"policy": "IfExists"}})).await;
    let object = rig.until("box", "has a job", is_ready).await;
    assert_eq!(object["status"]["jobOrigin"], "Created");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_jobs_are_ambiguous_until_one_is_named() {
    let mut rig = Rig::start().await;
    rig.put_foreign_job(FOREIGN).await;
    rig.put_foreign_job(FOREIGN_TOO).await;
    rig.apply_sync_job("box", &["adoption: {policy: IfExists}"]).await;
    let object = rig.until("box", "does not guess", |object| ready(object, "False", "Ambiguous")).await;
    let message = condition(&object, "Ready")["message"].as_str().unwrap();
    assert!(message.contains(FOREIGN) && message.contains(FOREIGN_TOO), "{message}");
    assert_eq!(rig.wrote_anything().await, Vec::<Value>::new());

    rig.edit("box", &json!({"adoption": {"policy": "IfExists", "jobId": FOREIGN_TOO}})).await;
    let object = rig.until("box", "has adopted the one", is_ready).await;
    assert_eq!(job_id(&object), Some(FOREIGN_TOO));
    // The other one runs beside it, is not touched, and is told of.
    assert_eq!(condition(&object, "Healthy")["reason"], "SecondJobPresent", "{object:#}");
    let touched = rig.wrote_anything().await;
    assert!(touched.iter().all(|entry| entry["jobId"] == FOREIGN_TOO), "{touched:#?}");

    let patch = json!({"spec": {"adoption": {"policy": "IfExists", "jobId": FOREIGN}}}).to_string();
    let arguments = ["-n", &rig.namespace, "patch", "syncjob", "box", "--type=merge", "-p", &patch];
    let refused = rig.plane.try_kubectl(&arguments).unwrap_err();
    assert!(refused.contains("must name the job that this SyncJob holds already"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_named_and_not_there_is_not_replaced_by_a_new_one() {
    let mut rig = Rig::start().await;
    rig.apply_sync_job("box", &[&format!("adoption: {{policy: IfExists, jobId: {FOREIGN}}}")]).await;
    rig.until("box", "waits for the job", |object| ready(object, "False", "NothingToAdopt")).await;
    rig.put_foreign_job(FOREIGN_TOO).await;
    rig.put_foreign_job(FOREIGN).await;
    let object = rig.until("box", "has adopted it", is_ready).await;
    assert_eq!((job_id(&object), rig.wrote("createJob").await), (Some(FOREIGN), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_under_an_alias_of_the_template_is_the_same_job() {
    let mut rig = Rig::start().await;
    let (tenant, sp) = (rig.demo.tenant_id.clone(), "b1000000-0000-4000-8000-000000000001");
    let principal = json!({"appId": "b2000000-0000-4000-8000-000000000001", "displayName": "Cloud Sync", "templates": ["AD2AADProvisioning"]});
    rig.control.put_service_principal(&tenant, sp, &principal).await.unwrap();
    let job = json!({"templateId": "ADDCInPassthrough", "scheduleState": "Active", "code": "Active"});
    rig.control.put_job(&tenant, sp, "ADDCInPassthrough.1", &job).await.unwrap();
    let manifest = crate::stack::read::manifest("cloud", sp, "AD2AADProvisioning", &["adoption: {policy: IfExists}"]);
    rig.apply(&manifest).await;
    let object = rig.until("cloud", "has adopted it", is_ready).await;
    assert_eq!((job_id(&object), rig.wrote("startJob").await), (Some("ADDCInPassthrough.1"), 0));
    assert!(BOX != "AD2AADProvisioning" && rig.wrote("createJob").await == 0);
}
