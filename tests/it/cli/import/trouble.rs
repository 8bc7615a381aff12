//! What goes wrong while a tenant is read.

use serde_json::{Value, json};

use super::super::Review;
use super::{BOX_JOB, documents, principal_id};

async fn with_apps(count: usize) -> Review {
    let review = Review::begin().await;
    for number in 0..count {
        let jobs = json!({format!("scim.7f0c.{number}"): {"scheduleState": "Active"}});
        review.principal(number, &json!({"jobs": jobs})).await;
    }
    review
}

impl Review {
    /// Graph answers so for one service principal.
    async fn refuse(&self, operation: &str, number: usize, status: u16, times: Option<u32>) {
        let action = json!({"respond": {"status": status, "code": "Authorization_RequestDenied", "message": "No."}});
        let mut fault = json!({"operation": operation, "servicePrincipalId": principal_id(number), "action": action});
        if let Some(times) = times {
            fault["times"] = times.into();
        }
        self.control.put_fault(&fault).await.unwrap();
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_refused_before_anybody_is_asked() {
    let review = Review::begin().await;
    let run = review.import(&["--service-principal", "Box"]).await;
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("object id of the service principal"), "{}", run.err);
    assert_eq!(review.control.calls().await.unwrap()["value"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_service_principal_that_is_not_there_is_named_and_the_others_are_written() {
    let review = with_apps(1).await;
    let (there, missing) = (principal_id(0), "11111111-2222-4333-8444-555555555555");
    let alone = review.import(&["--service-principal", missing]).await;
    assert_eq!((alone.code, alone.out.as_str()), (1, ""));
    assert!(alone.err.contains(missing) && alone.err.contains("not the client id"), "{}", alone.err);
    let both = review.import(&["--service-principal", missing, "--service-principal", &there]).await;
    assert_eq!((both.code, documents(&both.out).len()), (2, 1), "{}", both.err);
    assert!(both.err.contains(missing), "{}", both.err);
}

#[tokio::test]
async fn one_that_refuses_is_a_remark_and_one_without_provisioning_is_none() {
    let review = with_apps(4).await;
    review.refuse("listJobs", 1, 403, None).await;
    review.refuse("listJobs", 2, 404, None).await;
    let run = review.import(&[]).await;
    assert_eq!((run.code, documents(&run.out).len()), (2, 2), "{}", run.err);
    let remarks: Vec<&str> = run.err.lines().filter(|line| line.starts_with("entrain:")).collect();
    assert_eq!(remarks.len(), 1, "{}", run.err);
    assert!(remarks[0].contains("'App 1'") && remarks[0].contains("Graph answered 403"), "{}", run.err);
    assert!(remarks[0].contains("Grant the application Synchronization.Read.All"), "{}", run.err);
}

#[tokio::test]
async fn settings_that_may_not_be_read_are_left_out_and_the_jobs_are_written() {
    let review = with_apps(7).await;
    review.grant(&["Synchronization.Read.All", "Application.Read.All"]).await;
    review.control.put_tenant(&review.demo.tenant_id, &json!({"readSecrets": "asWrite"})).await.unwrap();
    let run = review.import(&["--output-dir", "jobs"]).await;
    assert_eq!((run.code, review.files("jobs").len()), (2, 7), "{}", run.err);
    assert!(
        review.read("jobs/app-3.yaml").contains("# Settings and credentials are left out: they could not be read.")
    );
    assert!(run.err.contains("and 2 more: Reading the credentials and settings failed"), "{}", run.err);
    assert_eq!(run.err.lines().filter(|line| line.starts_with("entrain:")).count(), 1, "{}", run.err);
    review.nothing_would_change("jobs", 7).await;
}

#[tokio::test]
async fn without_the_permission_to_list_the_tenant_the_remedy_names_the_other_way_and_that_way_works() {
    let review = with_apps(1).await;
    review.grant(&["Synchronization.ReadWrite.All"]).await;
    let run = review.import(&[]).await;
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    for words in
        ["Listing the service principals failed: Graph answered 403", "Application.Read.All", "--service-principal"]
    {
        assert!(run.err.contains(words), "{}", run.err);
    }
    let named = review.import(&["--service-principal", &principal_id(0)]).await;
    let objects = documents(&named.out);
    assert_eq!((named.code, &objects[0]["metadata"]["name"]), (0, &"scim".into()), "{}", named.err);
    assert!(named.out.contains("# (the display name could not be read)"), "{}", named.out);
}

#[tokio::test]
async fn without_any_permission_nothing_is_written_and_the_permission_is_named() {
    let review = with_apps(3).await;
    review.grant(&["Application.Read.All"]).await;
    let run = review.import(&["--output-dir", "jobs"]).await;
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("Grant the application Synchronization.Read.All"), "{}", run.err);
    assert!(!review.dir.path().join("jobs").exists());
}

#[tokio::test]
async fn who_owns_one_service_principal_gets_its_jobs() {
    let review = with_apps(3).await;
    review.grant(&["Application.ReadWrite.OwnedBy"]).await;
    let me = "5f0e7a10-6d0a-4f0e-9f52-8a4f3f1f7a11";
    let itself = json!({"appId": review.demo.client_id, "displayName": "entrain"});
    review.control.put_service_principal(&review.demo.tenant_id, me, &itself).await.unwrap();
    let owners = format!("tenants/{}/servicePrincipals/{}/owners", review.demo.tenant_id, principal_id(1));
    review.control.raw("PUT", &owners, Some(&json!({"value": [me]}))).await.unwrap();
    let run = review.import(&[]).await;
    assert_eq!((run.code, documents(&run.out).len()), (2, 1), "{}", run.err);
    assert!(documents(&run.out)[0]["metadata"]["name"] == "app-1" && run.err.contains("ownership"), "{}", run.err);
}

/// Eight are read at once, so that sixty refusals are more than the few tries that other failures have.
#[tokio::test]
async fn requests_to_slow_down_are_followed_as_often_as_it_takes() {
    let review = with_apps(12).await;
    let slow = json!({"respond": {"status": 429, "headers": {"Retry-After": "1"}}});
    review
        .control
        .put_fault(&json!({"operation": "listJobs", "times": 6, "servicePrincipalId": principal_id(3), "action": slow}))
        .await
        .unwrap();
    let run = review.import(&[]).await;
    assert_eq!((run.code, documents(&run.out).len()), (0, 12), "{}", run.err);
}

#[tokio::test]
async fn a_failure_that_passes_is_retried_and_one_that_lasts_is_a_remark() {
    let review = with_apps(2).await;
    review.refuse("listJobs", 0, 503, Some(1)).await;
    let run = review.import(&[]).await;
    assert_eq!((run.code, documents(&run.out).len()), (0, 2), "{}", run.err);
    review.refuse("listSecrets", 1, 500, None).await;
    let run = review.import(&[]).await;
    assert_eq!((run.code, documents(&run.out).len()), (2, 2), "{}", run.err);
    assert!(run.err.contains("'App 1'") && run.err.contains("Graph answered 500"), "{}", run.err);
}

#[tokio::test]
async fn a_revoked_secret_ends_the_import() {
    let review = with_apps(1).await;
    review.control.revoke_secrets(&review.demo.tenant_id, &review.demo.client_id).await.unwrap();
    let run = review.import(&[]).await;
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("AADSTS7000215") && run.err.contains("AZURE_CLIENT_SECRET"), "{}", run.err);
    assert!(!run.err.contains(&review.demo.client_secret));
}

#[tokio::test]
async fn a_job_that_no_sync_job_can_hold_is_left_out_and_named() {
    let review = with_apps(1).await;
    review.job(&review.demo.service_principal_id, BOX_JOB, "Active").await;
    let jobs = json!({"scim.7f0c.9": {"scheduleState": "Active"}, "odd id..": {"scheduleState": "Active", "templateId": "scim"}});
    review.principal(5, &json!({"jobs": jobs})).await;
    let run = review.import(&[]).await;
    assert_eq!((run.code, documents(&run.out).len()), (2, 3), "{}", run.err);
    assert!(run.err.contains("'App 5'") && run.err.contains("is in no form"), "{}", run.err);
    assert_eq!(review.written().await, Vec::<Value>::new());
}
