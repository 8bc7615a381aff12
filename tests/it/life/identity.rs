//! An id names a slot, not a job: what was there before, what is set up once more, and the same application in another
//! tenant are told apart.

use serde_json::{Value, json};

use super::{BOX, Rig};
use crate::stack::read::{calls, condition, effects, is_ready, job_id, manifest, ready, says};

/// A tenant that the operator's application can log in to as well.
const ELSEWHERE: &str = "99999999-5c1d-4d0a-9a53-0d6f4b8a2e11";
const FIVE: &[&str] = &["--missing-grace-seconds=0"];

impl Rig {
    pub async fn set(&self, settings: &Value) {
        self.control.put_tenant(&self.demo.tenant_id, settings).await.unwrap();
    }

    fn jobs_path(&self) -> String {
        format!("tenants/{}/servicePrincipals/{}/jobs", self.demo.tenant_id, self.demo.service_principal_id)
    }

    /// Somebody creates a job of the demo's template in the portal.
    async fn create_in_portal(&self) -> String {
        let body = json!({"templateId": BOX});
        let made = self.control.raw("POST", &self.jobs_path(), Some(&body)).await.unwrap();
        made["id"].as_str().unwrap().to_owned()
    }

    /// The operator logs in to another tenant from its next start on.
    async fn move_elsewhere(&mut self) {
        let settings = json!({"applications": {}});
        self.control.put_tenant(ELSEWHERE, &settings).await.unwrap();
        let application = json!({"displayName": "entrain", "secrets": [{"value": self.demo.client_secret}],
            "roles": ["Synchronization.ReadWrite.All", "Application.Read.All"]});
        self.control.put_application(ELSEWHERE, &self.demo.client_id, &application).await.unwrap();
        self.more_env = vec![("AZURE_TENANT_ID".to_owned(), ELSEWHERE.to_owned())];
    }

    /// A running SyncJob whose job has a history, and then is set up once more in the portal under the same id.
    async fn set_up_once_more(&mut self, more: &[&str]) -> String {
        let id = self.running(more).await;
        let (tenant, sp) = (self.demo.tenant_id.clone(), self.service_principal());
        self.control.run_cycle(&tenant, &sp, &id, None).await.unwrap();
        self.nudge("box").await;
        self.until("box", "has a history", |object| object["status"]["jobLivedTime"].is_string()).await;
        self.control.delete_job(&tenant, &sp, &id).await.unwrap();
        assert_eq!(self.create_in_portal().await, id, "the same slot");
        self.nudge("box").await;
        id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_service_principal_and_job_are_recorded_together_and_can_be_selected() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let status = rig.get("box").await["status"].clone();
    assert_eq!(status["tenantId"], json!(rig.demo.tenant_id), "{status:#}");
    assert_eq!(status["servicePrincipalId"], json!(rig.service_principal()));
    for (field, value) in [("tenantId", rig.demo.tenant_id.clone()), ("jobId", id)] {
        let selector = format!("--field-selector=status.{field}={value}");
        assert_eq!(rig.kubectl(&["get", "syncjobs", &selector, "-o", "name"]).await.lines().count(), 1, "{field}");
        let none = format!("--field-selector=status.{field}=none");
        assert_eq!(rig.kubectl(&["get", "syncjobs", &none, "-o", "name"]).await.lines().count(), 0, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_record_of_another_tenant_nothing_is_asked_sent_or_released_until_retain_lets_go() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    rig.stop_operator(std::time::Duration::from_secs(10)).await;
    rig.move_elsewhere().await;
    rig.control.raw("DELETE", "calls", None).await.unwrap();
    rig.start_operator();
    let object = rig.until("box", "says so", |object| ready(object, "False", "TenantMismatch")).await;
    let message = condition(&object, "Ready")["message"].as_str().unwrap().to_owned();
    assert!(message.contains(ELSEWHERE) && message.contains(&rig.demo.tenant_id), "{message}");
    rig.delete("box").await;
    rig.until("box", "says so in deletion", |object| {
        object["metadata"]["deletionTimestamp"].is_string() && ready(object, "False", "TenantMismatch")
    })
    .await;
    for operation in ["listJobs", "deleteJob", "getServicePrincipal"] {
        assert_eq!(calls(&rig.control, operation).await, Vec::<Value>::new(), "{operation}");
    }
    rig.edit("box", &json!({"deletionPolicy": "Retain"})).await;
    rig.until("box", "is gone", Value::is_null).await;
    assert!(rig.until_event("JobRetained").await.contains(&id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_without_a_tenant_gets_it_at_the_first_look_that_shows_its_job() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    rig.stop_operator(std::time::Duration::from_secs(10)).await;
    // As a version wrote it that did not know of tenants.
    let patch = r#"[{"op": "remove", "path": "/status/tenantId"}, {"op": "remove", "path": "/status/jobSeenTime"}]"#;
    rig.kubectl(&["patch", "syncjob", "box", "--subresource=status", "--type=json", "-p", patch]).await;
    rig.start_operator();
    let tenant = rig.demo.tenant_id.clone();
    let object = rig.until("box", "has its tenant", |object| object["status"]["tenantId"] == tenant.as_str()).await;
    assert_eq!(rig.wrote_anything().await.len(), 2, "created and started, long ago: {object:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_named_by_a_domain_is_recorded_by_its_id() {
    let mut rig = Rig::idle().await;
    rig.set(&json!({"domains": ["contoso.example"]})).await;
    rig.more_env = vec![("AZURE_TENANT_ID".to_owned(), "contoso.example".to_owned())];
    rig.start_operator();
    rig.running(&[]).await;
    assert_eq!(rig.get("box").await["status"]["tenantId"], json!(rig.demo.tenant_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_set_up_once_more_is_reported_not_started_and_survives_its_sync_job() {
    let mut rig = Rig::start().await;
    let id = rig.set_up_once_more(&["outOfBandPolicy: Correct"]).await;
    let object = rig.until("box", "is another job", |object| ready(object, "False", "JobReplaced")).await;
    assert!(says(&object, "Stalled", "True", "JobReplaced") && job_id(&object) == Some(&id), "{object:#}");
    assert_eq!(
        (&object["status"]["jobOrigin"], &object["status"]["deletionPolicy"]),
        (&json!("Replaced"), &json!("Retain"))
    );
    rig.until_event("JobReplaced").await;
    rig.nudge("box").await;
    assert_eq!(rig.wrote("startJob").await, 1, "the one of the first job");
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    assert_eq!(rig.wrote("deleteJob").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_set_up_once_more_is_gone_on_with_where_adoption_is_allowed() {
    let mut rig = Rig::start().await;
    rig.set_up_once_more(&[]).await;
    rig.until("box", "is another job", |object| ready(object, "False", "JobReplaced")).await;
    rig.edit("box", &json!({"adoption": {"policy": "IfExists"}})).await;
    let object = rig.until("box", "runs", is_ready).await;
    assert_eq!((&object["status"]["jobOrigin"], rig.wrote("startJob").await), (&json!("Adopted"), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_no_list_shows_yet_is_somebodys_whether_graph_refuses_or_returns_it() {
    for duplicate in ["conflict", "returnExisting"] {
        let mut rig = Rig::start().await;
        let id = rig.create_in_portal().await;
        let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.service_principal());
        rig.control.raw("POST", &format!("{}/{id}/start", rig.jobs_path()), None).await.unwrap();
        rig.control.run_cycle(&tenant, &sp, &id, None).await.unwrap();
        // Every list lags: the looks before the request show nothing.
        let hidden = json!({"operation": "listJobs", "times": 2,
            "action": {"respond": {"status": 200, "body": "{\"value\":[]}"}}});
        rig.control.put_fault(&hidden).await.unwrap();
        rig.set(&json!({"duplicateCreate": duplicate})).await;
        rig.apply_sync_job("box", &[]).await;
        let object = rig.until("box", "finds it", |object| ready(object, "False", "AlreadyExists")).await;
        assert!(job_id(&object).is_none() && object["status"]["intent"].is_null(), "{duplicate}: {object:#}");
        assert_eq!(rig.wrote_anything().await, Vec::<Value>::new(), "{duplicate}");
        rig.edit("box", &json!({"adoption": {"policy": "IfExists"}})).await;
        let object = rig.until("box", "has adopted it", is_ready).await;
        assert_eq!((job_id(&object), &object["status"]["jobOrigin"]), (Some(id.as_str()), &json!("Adopted")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_blocks_its_slot_unseen_is_reported_and_the_request_is_not_repeated_in_a_loop() {
    let mut rig = Rig::start_with(&["--slow-retry-seconds=30"]).await;
    let id = rig.create_in_portal().await;
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.service_principal());
    rig.control.ghost_job(&tenant, &sp, &id, false).await.unwrap();
    rig.apply_sync_job("box", &[]).await;
    let object = rig.until("box", "is refused", |object| ready(object, "False", "AlreadyExists")).await;
    let message = condition(&object, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("no list shows it"), "{message}");
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(calls(&rig.control, "createJob").await.len() <= 4, "it backs off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_never_appears_after_its_creation_is_not_replaced_and_not_called_healthy() {
    let mut rig = Rig::start_with(FIVE).await;
    rig.set(&json!({"createInvisible": true})).await;
    rig.apply_sync_job("box", &["missingJobPolicy: Recreate"]).await;
    let object = rig.until("box", "is stalled", |object| says(object, "Stalled", "True", "JobNotVisible")).await;
    assert!(condition(&object, "Healthy").is_null(), "{object:#}");
    assert_eq!(calls(&rig.control, "createJob").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_effect_is_not_explained_by_the_job_of_a_sibling() {
    let mut rig = Rig::start().await;
    let sp = "b1000000-0000-4000-8000-000000000007";
    let principal =
        json!({"appId": "b2000000-0000-4000-8000-000000000007", "displayName": "Two", "templates": [BOX, "scim"]});
    rig.control.put_service_principal(&rig.demo.tenant_id, sp, &principal).await.unwrap();
    let lost = json!({"operation": "createJob", "times": 1, "action": {"respond": {"status": 503, "code": "x"}}});
    rig.control.put_fault(&lost).await.unwrap();
    rig.apply(&manifest("first", sp, BOX, &[])).await;
    rig.until("first", "is unsure", |object| object["status"]["intent"].is_object()).await;
    rig.apply(&manifest("second", sp, "scim", &[])).await;
    rig.until("second", "has its job", is_ready).await;
    rig.until("first", "has its job", is_ready).await;
    assert_eq!(effects(&rig.control, "createJob").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_job_that_is_applied_again_at_once_sees_its_job_although_its_id_was_just_deleted() {
    let mut rig = Rig::start_with(&["--settle-window-seconds=150"]).await;
    let first = rig.running(&[]).await;
    rig.kubectl(&["delete", "syncjob", "box"]).await;
    // Far sooner than the tombstone of the id would be forgotten.
    assert_eq!(rig.running(&[]).await, first);
    assert_eq!((rig.wrote("createJob").await, rig.wrote("deleteJob").await), (2, 1));
}
