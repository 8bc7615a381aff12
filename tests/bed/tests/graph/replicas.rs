//! Read after write: what lagging and flapping replicas show (CONTRACT §4.7), and service principals that come and go.

use serde_json::json;

use super::support::{Bed, SP, TENANT, state};

#[tokio::test]
async fn a_new_job_is_unseen_while_replicas_lag() {
    let bed = Bed::with(json!({"replicationLagMillis": 30_000})).await;
    let id = bed.create("scim").await;
    assert_eq!(bed.sync("GET", &format!("jobs/{id}"), None).await.status, 404);
    assert_eq!(bed.sync("GET", "jobs", None).await.json()["value"], json!([]));
    assert_eq!(bed.act(&id, "start").await, 404);
    bed.advance(30).await;
    assert_eq!(bed.act(&id, "start").await, 204);
    bed.advance(30).await;
    assert_eq!(bed.sync("DELETE", &format!("jobs/{id}"), None).await.status, 204);
    assert_eq!(bed.sync("GET", &format!("jobs/{id}"), None).await.status, 200, "still there for this replica");
    bed.advance(30).await;
    assert_eq!(bed.sync("GET", &format!("jobs/{id}"), None).await.status, 404);
}

#[tokio::test]
async fn answers_flap_between_two_replicas() {
    let bed = Bed::with(json!({"replicationLagMillis": 30_000, "flapping": true})).await;
    let id = bed.create("scim").await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(bed.sync("GET", &format!("jobs/{id}"), None).await.status);
    }
    seen.dedup();
    assert_eq!(seen.len(), 4, "every answer differs from the one before: {seen:?}");
}

#[tokio::test]
async fn the_state_of_a_job_lags_after_a_start_and_a_pause() {
    let bed = Bed::with(json!({"statusLagMillis": 60_000})).await;
    let id = bed.create("scim").await;
    bed.act(&id, "start").await;
    assert_eq!(state(&bed.job(&id).await), ("Paused", "Disabled"));
    bed.advance(60).await;
    assert_eq!(state(&bed.job(&id).await), ("NotRun", "Active"));
    bed.act(&id, "pause").await;
    assert_eq!(state(&bed.job(&id).await), ("NotRun", "Active"));
    bed.advance(60).await;
    assert_eq!(state(&bed.job(&id).await), ("Paused", "Paused"));
}

#[tokio::test]
async fn a_new_service_principal_lists_no_templates_for_a_while() {
    let bed = Bed::with(json!({"templatesEmptySeconds": 120})).await;
    let now = bed.control.raw("GET", "clock", None).await.unwrap()["now"].clone();
    bed.put_sp(json!({"created": now})).await;
    assert_eq!(bed.sync("GET", "templates", None).await.json()["value"], json!([]));
    bed.advance(120).await;
    assert_eq!(bed.sync("GET", "templates", None).await.json()["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_new_service_principal_answers_as_the_switch_says() {
    for (setting, status) in [("notFound", 404), ("unauthorized", 401), ("forbidden", 403)] {
        let bed = Bed::with(json!({"newServicePrincipal": setting, "newServicePrincipalSeconds": 60})).await;
        let now = bed.control.raw("GET", "clock", None).await.unwrap()["now"].clone();
        bed.put_sp(json!({"created": now})).await;
        assert_eq!(bed.sync("GET", "jobs", None).await.status, status, "{setting}");
        bed.advance(60).await;
        assert_eq!(bed.sync("GET", "jobs", None).await.status, 200);
    }
}

#[tokio::test]
async fn a_deleted_service_principal_hides_its_jobs_and_a_restore_brings_them_back_late() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    assert_eq!(bed.call("DELETE", &format!("servicePrincipals/{SP}"), None).await.status, 204);
    let gone = bed.sync("GET", "jobs", None).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "Request_ResourceNotFound"));
    assert_eq!(bed.call("GET", &format!("servicePrincipals/{SP}"), None).await.status, 404);
    let deleted = bed.call("GET", "directory/deletedItems/microsoft.graph.servicePrincipal", None).await.json();
    assert_eq!(deleted["value"][0]["id"], SP);
    assert_eq!(bed.call("POST", &format!("directory/deletedItems/{SP}/restore"), None).await.status, 200);
    assert_eq!(bed.sync("GET", "jobs", None).await.json()["value"], json!([]));
    bed.advance(40 * 60).await;
    assert_eq!(bed.job(&id).await["id"], id);
}

#[tokio::test]
async fn a_restart_brings_the_job_of_a_restored_service_principal_back_at_once() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    bed.control.delete_service_principal(TENANT, SP).await.unwrap();
    bed.control.restore_service_principal(TENANT, SP).await.unwrap();
    assert_eq!(bed.sync("GET", &format!("jobs/{id}"), None).await.status, 404);
    assert_eq!(bed.act(&id, "restart").await, 204);
    assert_eq!(state(&bed.job(&id).await), ("NotRun", "Active"));
}

#[tokio::test]
async fn after_thirty_days_a_deleted_service_principal_is_purged() {
    let bed = Bed::with(json!({"servicePrincipalDeleted": "unknownError"})).await;
    bed.call("DELETE", &format!("servicePrincipals/{SP}"), None).await;
    assert_eq!(bed.sync("GET", "jobs", None).await.code(), "UnknownError");
    bed.advance(30 * 24 * 3600).await;
    assert_eq!(bed.call("POST", &format!("directory/deletedItems/{SP}/restore"), None).await.status, 404);
}
