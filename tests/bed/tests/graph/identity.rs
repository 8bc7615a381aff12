//! What a job id is, what a second create does, and jobs that come after each other under one id (CONTRACT §4.1, §4.6).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{Answer, Bed, SP, TENANT, state};

const WIKI: &str = "6b5e1f3a-0000-4000-8000-000000000001";

fn tenant_hex() -> String {
    TENANT.replace('-', "")
}

async fn post(bed: &Bed, template: &str) -> Answer {
    bed.sync("POST", "jobs", Some(json!({"templateId": template}))).await
}

async fn delete(bed: &Bed, id: &str) -> u16 {
    bed.sync("DELETE", &format!("jobs/{id}"), None).await.status
}

async fn listed(bed: &Bed) -> Vec<Value> {
    bed.sync("GET", "jobs", None).await.json()["value"].as_array().unwrap().clone()
}

/// Whether reads by id and list show the job, and as which of the two: the one that was started or the new one.
async fn shown(bed: &Bed, id: &str) -> &'static str {
    let found = bed.sync("GET", &format!("jobs/{id}"), None).await;
    match found.status {
        404 => "none",
        _ if state(&found.json()).1 == "Active" => "old",
        _ => "new",
    }
}

#[tokio::test]
async fn an_id_is_made_of_template_tenant_and_application() {
    let bed = Bed::new().await;
    assert_eq!(bed.create("scim").await, format!("scim.{}.{WIKI}", tenant_hex()));
    assert_eq!(bed.create("BoxOutDelta").await, format!("BoxOutDelta.{}.{WIKI}", tenant_hex()));
}

#[tokio::test]
async fn the_form_of_an_id_is_what_the_switch_says() {
    let bed = Bed::with(json!({"jobIds": "twoSegments"})).await;
    assert_eq!(bed.create("scim").await, format!("scim.{}", tenant_hex()));
    for (form, head) in [("random", format!("scim.{}.", tenant_hex())), ("guid", String::new())] {
        let bed = Bed::with(json!({"jobIds": form})).await;
        let first = bed.create("scim").await;
        assert_eq!(first.strip_prefix(&head).map(str::len), Some(36), "{first}");
        assert!(!first.ends_with(WIKI), "{first}");
        assert_eq!(delete(&bed, &first).await, 204);
        assert_ne!(bed.create("scim").await, first);
    }
}

#[tokio::test]
async fn a_second_create_is_a_conflict_or_what_the_switch_says() {
    for (settings, status, jobs) in [
        (json!({}), 409, 1),
        (json!({"duplicateCreate": "returnExisting"}), 201, 1),
        (json!({"duplicateCreate": "replace"}), 201, 1),
        (json!({"duplicateCreate": "secondJob"}), 409, 1),
        (json!({"duplicateCreate": "secondJob", "jobIds": "twoSegments"}), 409, 1),
        (json!({"duplicateCreate": "secondJob", "jobIds": "random"}), 201, 2),
        (json!({"duplicateCreate": "secondJob", "jobIds": "guid"}), 201, 2),
    ] {
        let bed = Bed::with(settings.clone()).await;
        bed.create("scim").await;
        let again = post(&bed, "scim").await;
        assert_eq!((again.status, listed(&bed).await.len()), (status, jobs), "{settings}");
        if status == 409 {
            assert_eq!(again.code(), "Conflict");
        }
        assert_eq!(post(&bed, "BoxOutDelta").await.status, 201, "another template is no duplicate");
    }
}

#[tokio::test]
async fn an_existing_job_that_is_returned_keeps_its_life_and_a_replacement_has_none() {
    for (setting, code) in [("returnExisting", "Active"), ("replace", "Paused")] {
        let bed = Bed::with(json!({"duplicateCreate": setting})).await;
        let id = bed.running().await;
        let again = post(&bed, "scim").await.json();
        assert_eq!((&again["id"], &again["status"]["code"]), (&json!(id), &json!(code)));
        let job = bed.job(&id).await;
        assert_eq!(job["status"]["lastExecution"].is_null(), setting == "replace", "{setting}");
        let creates = bed.control.raw("GET", "ledger?operation=createJob", None).await.unwrap();
        let replaced = if setting == "replace" { json!({"replaced": id}) } else { Value::Null };
        assert_eq!(creates["value"].as_array().unwrap().last().unwrap()["detail"], replaced);
    }
}

#[tokio::test]
async fn a_job_that_is_made_again_has_the_same_id_and_no_history() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    assert_eq!(delete(&bed, &id).await, 204);
    assert_eq!(bed.create("scim").await, id);
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("Paused", "Disabled"));
    assert_eq!(job["status"]["steadyStateFirstAchievedTime"], "0001-01-01T00:00:00Z");
    let secrets = bed.sync("GET", "secrets", None).await.json();
    assert_eq!(secrets["value"].as_array().unwrap().len(), 2, "they belong to the service principal");
}

#[tokio::test]
async fn in_the_portal_a_job_is_deleted_and_set_up_again_under_its_id() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let jobs = format!("tenants/{TENANT}/servicePrincipals/{SP}/jobs");
    let body = json!({"templateId": "scim"});
    assert!(bed.control.raw("POST", &jobs, Some(&body)).await.unwrap_err().to_string().contains("Conflict"));
    bed.control.delete_job(TENANT, SP, &id).await.unwrap();
    assert_eq!(bed.control.raw("POST", &jobs, Some(&body)).await.unwrap()["id"], id);
    assert_eq!(state(&bed.job(&id).await), ("Paused", "Disabled"));
    let all = bed.control.raw("GET", &jobs, None).await.unwrap();
    assert_eq!(all["value"].as_array().unwrap().len(), 2, "the control API shows the deleted one too");
}

#[tokio::test]
async fn while_replicas_lag_one_id_shows_the_old_job_none_or_the_new_one() {
    let bed = Bed::with(json!({"replicationLagMillis": 30_000, "flapping": true})).await;
    let id = bed.create("scim").await;
    bed.advance(30).await;
    assert_eq!(bed.act(&id, "start").await, 204);
    bed.advance(30).await;
    assert_eq!(delete(&bed, &id).await, 204);
    bed.advance(10).await;
    assert_eq!(bed.create("scim").await, id);
    let looks = async || {
        let mut seen = BTreeSet::new();
        for _ in 0..4 {
            seen.insert(shown(&bed, &id).await);
            assert!(listed(&bed).await.len() <= 1, "no list holds an id twice");
            // A call in between, so that both kinds of read meet both replicas.
            bed.sync("GET", "jobs", None).await;
        }
        seen
    };
    assert_eq!(looks().await, BTreeSet::from(["new", "old"]));
    bed.advance(20).await;
    assert_eq!(looks().await, BTreeSet::from(["new", "none"]));
    bed.advance(10).await;
    assert_eq!(looks().await, BTreeSet::from(["new"]));
}

#[tokio::test]
async fn an_action_meets_the_living_job_of_an_id_although_its_replica_shows_the_old_one() {
    let bed = Bed::with(json!({"replicationLagMillis": 30_000})).await;
    let id = bed.create("scim").await;
    bed.advance(30).await;
    assert_eq!(delete(&bed, &id).await, 204);
    assert_eq!(bed.create("scim").await, id);
    assert_eq!(bed.act(&id, "start").await, 204);
    bed.advance(30).await;
    assert_eq!(state(&bed.job(&id).await), ("NotRun", "Active"));
}

#[tokio::test]
async fn a_delete_that_is_carried_out_late_kills_the_successor() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    bed.fault("deleteJob", json!({"lateCommit": {"millis": 200}})).await;
    let path = format!("servicePrincipals/{SP}/synchronization/jobs/{id}");
    assert!(bed.try_call("DELETE", &path, None).await.is_err());
    bed.control.delete_job(TENANT, SP, &id).await.unwrap();
    assert_eq!(bed.create("scim").await, id);
    while !listed(&bed).await.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(bed.ledger("deleteJob").await, 2);
}

#[tokio::test]
async fn a_ghost_cannot_be_deleted_and_blocks_its_template() {
    for listed_too in [true, false] {
        for setting in ["conflict", "replace", "returnExisting"] {
            let bed = Bed::with(json!({"duplicateCreate": setting})).await;
            let id = bed.create("scim").await;
            bed.control.ghost_job(TENANT, SP, &id, listed_too).await.unwrap();
            assert_eq!(delete(&bed, &id).await, 500);
            assert_eq!(post(&bed, "scim").await.status, 409, "{setting}");
            assert_eq!(listed(&bed).await.len(), usize::from(listed_too));
            assert_eq!(bed.sync("GET", &format!("jobs/{id}"), None).await.status, if listed_too { 200 } else { 404 });
            assert_eq!((bed.ledger("deleteJob").await, bed.ledger("createJob").await), (0, 1));
            let ghost = format!("tenants/{TENANT}/servicePrincipals/{SP}/jobs/{id}/ghost");
            bed.control.raw("POST", &ghost, Some(&json!({"status": 403}))).await.unwrap();
            assert_eq!(delete(&bed, &id).await, 403);
            bed.control.raw("DELETE", &ghost, None).await.unwrap();
            assert_eq!(delete(&bed, &id).await, 204);
        }
    }
}

#[tokio::test]
async fn a_create_can_succeed_and_stay_invisible() {
    let bed = Bed::with(json!({"createInvisible": true})).await;
    let id = bed.create("scim").await;
    bed.advance(3600).await;
    assert_eq!(listed(&bed).await, Vec::<Value>::new());
    assert_eq!((shown(&bed, &id).await, bed.act(&id, "start").await, delete(&bed, &id).await), ("none", 404, 404));
    assert_eq!(post(&bed, "scim").await.status, 409);
    bed.control.put_tenant(TENANT, &json!({"duplicateCreate": "replace"})).await.unwrap();
    assert_eq!(post(&bed, "scim").await.status, 201);
    assert_eq!(listed(&bed).await.len(), 1);
}
