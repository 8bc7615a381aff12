//! Refusals: each has its own reason, says what to do, and ends by itself once that is done.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::read::{calls, condition, effects, is_ready, job_id, manifest, ready, says, time};
use super::rig::Rig;

impl Rig {
    /// What the operator's application may do from now on; tokens carry it from their issue on.
    async fn grant(&self, roles: &[&str]) {
        let application =
            json!({"displayName": "entrain", "secrets": [{"value": self.demo.client_secret}], "roles": roles});
        self.control.put_application(&self.demo.tenant_id, &self.demo.client_id, &application).await.unwrap();
        self.control.revoke_tokens().await.unwrap();
    }

    async fn refuse(&self, operation: &str, status: u16, code: &str) {
        let action = json!({"respond": {"status": status, "code": code, "message": "no"}});
        self.control.put_fault(&json!({"operation": operation, "action": action})).await.unwrap();
    }
}

fn message<'a>(object: &'a Value, kind: &str) -> &'a str {
    condition(object, kind)["message"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_names_its_remedy_stalls_after_the_grace_and_recovers_by_itself() {
    let mut rig = Rig::idle().await;
    rig.grant(&["Application.Read.All"]).await;
    rig.start_operator();
    rig.apply_box().await;
    let early = rig.until("box", "names the permission", |object| ready(object, "False", "PermissionMissing")).await;
    assert!(message(&early, "Ready").contains("Synchronization.ReadWrite.All"), "{early:#}");
    assert_eq!(condition(&early, "Reconciling")["status"], "True", "a role may be on its way");
    let late = rig.until("box", "is stalled", |object| says(object, "Stalled", "True", "PermissionMissing")).await;
    assert!(condition(&late, "Reconciling").is_null(), "{late:#}");
    assert_eq!(condition(&late, "Ready")["lastTransitionTime"], condition(&early, "Ready")["lastTransitionTime"]);
    rig.grant(&["Synchronization.ReadWrite.All", "Application.Read.All"]).await;
    rig.becomes_ready_with_one_job().await;
    assert!(condition(&rig.get("box").await, "Stalled").is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_to_read_alone_is_refused_at_the_create_and_leaves_no_intent() {
    let mut rig = Rig::idle().await;
    let mode = json!({"missingPermission": "denied403"});
    rig.control.put_tenant(&rig.demo.tenant_id, &mode).await.unwrap();
    rig.grant(&["Synchronization.Read.All", "Application.Read.All"]).await;
    rig.start_operator();
    rig.apply_box().await;
    let object = rig.until("box", "names the permission", |object| ready(object, "False", "PermissionMissing")).await;
    assert!(message(&object, "Ready").contains("403 Authorization_RequestDenied"), "{object:#}");
    rig.until("box", "has no intent left", |object| object["status"]["intent"].is_null()).await;
    rig.grant(&["Synchronization.ReadWrite.All", "Application.Read.All"]).await;
    rig.becomes_ready_with_one_job().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_not_offered_is_answered_with_those_that_are_and_nothing_is_sent() {
    let mut rig = Rig::start().await;
    let sp = rig.demo.service_principal_id.clone();
    rig.apply(&manifest("box", &sp, "SlackOutDelta", &[])).await;
    let object = rig.until("box", "is stalled", |object| says(object, "Stalled", "True", "TemplateNotOffered")).await;
    let text = message(&object, "Ready");
    assert!(text.contains("'BoxOutDelta'") && text.contains("'scim'") && text.contains("'SlackOutDelta'"), "{text}");
    assert!(object["status"]["intent"].is_null() && job_id(&object).is_none(), "{object:#}");
    assert_eq!(calls(&rig.control, "createJob").await, Vec::<Value>::new());
    let table = rig.kubectl(&["get", "syncjobs"]).await;
    assert!(table.contains("TemplateNotOffered") && table.lines().all(|line| line.len() <= 120), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_secret_is_named_and_the_sync_job_recovers_when_it_is_restored() {
    let mut rig = Rig::start().await;
    rig.apply_box().await;
    let before = rig.until("box", "is ready", is_ready).await;
    rig.control.revoke_secrets(&rig.demo.tenant_id, &rig.demo.client_id).await.unwrap();
    rig.control.revoke_tokens().await.unwrap();
    rig.nudge("box").await;
    let refused = rig.until("box", "names the secret", |object| ready(object, "False", "CredentialsRejected")).await;
    assert!(message(&refused, "Ready").contains("AADSTS7000215"), "{refused:#}");
    assert!(message(&refused, "Ready").contains("client secret"), "{refused:#}");
    rig.until("box", "is stalled", |object| says(object, "Stalled", "True", "CredentialsRejected")).await;
    rig.control.restore_secrets(&rig.demo.tenant_id, &rig.demo.client_id).await.unwrap();
    let after = rig.until("box", "is ready again", is_ready).await;
    assert_eq!(job_id(&before), job_id(&after));
    let logins: Vec<_> = calls(&rig.control, "token").await.iter().map(time).collect();
    for pair in logins.windows(2).skip(1) {
        let apart = pair[1].duration_since(pair[0]);
        assert!(apart >= SignedDuration::from_millis(900), "refused logins are spaced: {logins:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_principal_that_does_not_exist_is_named_and_awaited() {
    let mut rig = Rig::start().await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    rig.apply(&manifest("box", nobody, "BoxOutDelta", &[])).await;
    let object = rig.until("box", "names it", |object| ready(object, "False", "ServicePrincipalNotFound")).await;
    assert!(message(&object, "Ready").contains(nobody), "{object:#}");
    let offered =
        json!({"appId": "11111111-1111-4111-8111-111111111111", "displayName": "x", "templates": ["BoxOutDelta"]});
    rig.control.put_service_principal(&rig.demo.tenant_id, nobody, &offered).await.unwrap();
    rig.becomes_ready_with_one_job().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_404_for_the_jobs_of_a_service_principal_that_exists_is_no_empty_list() {
    let mut rig = Rig::start().await;
    rig.refuse("listJobs", 404, "ResourceNotFound").await;
    rig.apply_box().await;
    rig.until("box", "says so", |object| ready(object, "False", "ProvisioningNotReady")).await;
    assert_eq!(calls(&rig.control, "createJob").await, Vec::<Value>::new());
    rig.control.clear_faults().await.unwrap();
    rig.becomes_ready_with_one_job().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_no_list_has_ever_shown_is_awaited_and_then_reported_but_never_replaced() {
    let mut rig = Rig::start().await;
    let lagging = json!({"replicationLagMillis": 600_000});
    rig.control.put_tenant(&rig.demo.tenant_id, &lagging).await.unwrap();
    rig.apply(&manifest("box", &rig.demo.service_principal_id, "BoxOutDelta", &["missingJobPolicy: Recreate"])).await;
    let young = rig.until("box", "is awaited", |object| says(object, "Reconciling", "True", "JobNotVisible")).await;
    let id = job_id(&young).unwrap().to_owned();
    let old = rig.until("box", "is reported", |object| says(object, "Stalled", "True", "JobNotVisible")).await;
    assert!(message(&old, "Ready").contains(&id) && job_id(&old) == Some(id.as_str()), "{old:#}");
    assert!(condition(&old, "Healthy").is_null(), "nobody knows how a job is that no list shows: {old:#}");
    assert_eq!(effects(&rig.control, "createJob").await.len(), 1, "nothing is created in its place");

    rig.control.put_tenant(&rig.demo.tenant_id, &json!({})).await.unwrap();
    rig.nudge("box").await;
    rig.becomes_ready_with_one_job().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_create_leaves_no_intent_and_is_repeated_slowly() {
    let mut rig = Rig::start().await;
    rig.refuse("createJob", 400, "BadRequest").await;
    rig.apply_box().await;
    let object = rig.until("box", "says so", |object| ready(object, "False", "CreateRefused")).await;
    assert!(message(&object, "Ready").contains("400 BadRequest"), "{object:#}");
    rig.until("box", "has no intent left", |object| object["status"]["intent"].is_null()).await;
    rig.control.clear_faults().await.unwrap();
    rig.becomes_ready_with_one_job().await;
}
