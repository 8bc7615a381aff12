//! What goes wrong between the plan and the tenant.

use serde_json::{Value, json};

use super::{Review, WIKI, run, sync_job};

/// A review of one SyncJob that would be created.
async fn review() -> Review {
    let review = Review::begin().await;
    review.write("box.yaml", &sync_job("box", &review.demo.service_principal_id, "BoxOutDelta", ""));
    review
}

#[tokio::test]
async fn a_revoked_secret_is_told_by_its_code_once_and_is_not_printed() {
    let review = review().await;
    review.write("wiki.yaml", &sync_job("wiki", WIKI, "scim", ""));
    review.control.revoke_secrets(&review.demo.tenant_id, &review.demo.client_id).await.unwrap();
    let run = review.plan(&["-f", "."]).await;
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert_eq!(run.err.matches("AADSTS7000215").count(), 1, "{}", run.err);
    assert!(run.err.contains("AZURE_CLIENT_SECRET"), "{}", run.err);
    assert!(!run.err.contains(&review.demo.client_secret));
}

#[tokio::test]
async fn an_application_without_permission_is_told_what_it_needs() {
    let review = review().await;
    review.fault("listJobs", json!({"respond": {"status": 401, "code": "UnknownError", "message": ""}})).await;
    let (code, document) = review.plan_json().await;
    let blocked = &document["items"][0]["blocked"];
    assert_eq!((code, &blocked["reason"]), (1, &Value::from("PermissionMissing")));
    let said = blocked["message"].as_str().unwrap();
    assert!(said.contains("Grant the application Synchronization.Read.All"), "{said}");
}

#[tokio::test]
async fn a_service_principal_that_does_not_exist_is_not_an_empty_one() {
    let review = Review::begin().await;
    review.write("box.yaml", &sync_job("box", "11111111-2222-4333-8444-555555555555", "BoxOutDelta", ""));
    let (code, document) = review.plan_json().await;
    assert_eq!((code, &document["items"][0]["blocked"]["reason"]), (1, &Value::from("ServicePrincipalNotFound")));
    assert_eq!(document["items"][0]["changes"], json!([]));
}

#[tokio::test]
async fn a_request_to_slow_down_is_followed_and_the_plan_made() {
    let review = review().await;
    let slow = json!({"respond": {"status": 429, "headers": {"Retry-After": "1"}}});
    review.control.put_fault(&json!({"operation": "listJobs", "times": 1, "action": slow})).await.unwrap();
    let run = review.plan(&["-f", "."]).await;
    assert_eq!((run.code, review.arrived("listJobs").await), (2, 2), "{}{}", run.out, run.err);
}

#[tokio::test]
async fn what_is_missing_of_an_application_is_named() {
    let review = review().await;
    let mut command = review.command(&["-f", ".", "--as", "application"]);
    command.env("AZURE_TENANT_ID", &review.demo.tenant_id);
    let run = run(command).await;
    assert_eq!(run.code, 1);
    assert!(run.err.contains("AZURE_CLIENT_ID is not set"), "{}", run.err);
}
