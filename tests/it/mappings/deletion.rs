//! What becomes of mappings when a SyncJob is deleted.

use serde_json::{Value, json};

use super::stand::{CROSS_TENANT, Job, SALESFORCE, Stand, applies, attribute, source, users};
use crate::stack::read::{effects, is_ready, job_id};

fn alias(more: &[(&str, Value)]) -> Value {
    let mut mappings = users(
        "User",
        &json!([
            {"targetAttributeName": "Alias", "expression": "[mailNickname]"},
            {"targetAttributeName": "City", "expression": "[city]"},
        ]),
    );
    for (name, value) in more {
        mappings[*name] = value.clone();
    }
    mappings
}

impl Stand {
    async fn deleted(&mut self, job: &Job) {
        self.rig.delete(&job.name).await;
        self.until(job, "is gone", Value::is_null).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_job_gets_back_what_it_had_unless_keep_is_declared() {
    let mut stand = Stand::begin().await;
    let (restored, kept) = (stand.job("restored", SALESFORCE).await, stand.job("kept", SALESFORCE).await);
    stand.apply(&restored, &alias(&[]), &[]).await;
    stand.apply(&kept, &alias(&[("onRelease", json!("Keep"))]), &[]).await;
    stand.applied(&restored).await;
    stand.applied(&kept).await;
    assert_eq!(stand.changes(&restored).await.len(), 2);
    stand.deleted(&restored).await;
    assert_eq!((stand.changes(&restored).await, stand.puts(&restored).await), (Vec::new(), 2));
    let note = stand.rig.until_event("MappingsRestored").await;
    assert!(note.contains("Alias: [mailNickname] → Mid([userPrincipalName], 1, 8)") && note.contains("City"), "{note}");
    stand.deleted(&kept).await;
    assert_eq!((stand.changes(&kept).await.len(), stand.puts(&kept).await), (2, 1));
    assert_eq!(effects(&stand.rig.control, "deleteJob").await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_changed_and_what_can_deprovision_people_is_not_given_back() {
    let mut stand = Stand::begin().await;
    let theirs = stand.job("theirs", SALESFORCE).await;
    stand.apply(&theirs, &alias(&[]), &[]).await;
    stand.applied(&theirs).await;
    stand.person(&theirs, |schema| attribute(schema, "User", "Alias")["source"] = source("mail")).await;
    let risky = stand.job("risky", CROSS_TENANT).await;
    let never = json!({"objectMappings": [{"sourceObjectName": "User", "targetObjectName": "User", "flowTypes": ["Add", "Update"]}]});
    stand.apply(&risky, &never, &[]).await;
    stand.applied(&risky).await;
    let ours = stand.changes(&risky).await;
    stand.deleted(&theirs).await;
    let place = "USER_OUTBOUND_USER / User → User / Alias / source";
    assert_eq!(stand.changes(&theirs).await, [format!("{place}: Mid([userPrincipalName], 1, 8) → [mail]")]);
    stand.deleted(&risky).await;
    assert_eq!((stand.changes(&risky).await, stand.puts(&risky).await), (ours, 1));
    let note = stand.rig.until_event("MappingsNotRestored").await;
    assert!(note.contains("may delete in the target"), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_goes_with_its_sync_job_is_not_changed_first() {
    let mut stand = Stand::begin().await;
    let job = stand.unborn("created", SALESFORCE).await;
    stand.apply(&job, &alias(&[]), &[]).await;
    let object = stand.until(&job, "runs", |it| is_ready(it) && applies(it, "True", "MappingsInPlace")).await;
    let ledger = stand.rig.control.ledger().await.unwrap();
    let order: Vec<&str> =
        ledger["value"].as_array().unwrap().iter().filter_map(|entry| entry["operation"].as_str()).collect();
    let order: Vec<&str> =
        order.into_iter().filter(|name| ["createJob", "putSchema", "startJob"].contains(name)).collect();
    assert_eq!(order, ["createJob", "putSchema", "startJob"], "a job does not begin before its mappings are right");
    assert!(job_id(&object).is_some());
    stand.deleted(&job).await;
    assert_eq!(effects(&stand.rig.control, "deleteJob").await.len(), 1);
    assert_eq!(stand.puts(&job).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_ends_although_graph_is_down() {
    let mut stand = Stand::begin().await;
    let job = stand.job("outage", SALESFORCE).await;
    stand.apply(&job, &alias(&[]), &[]).await;
    stand.applied(&job).await;
    let ours = stand.changes(&job).await;
    stand
        .fault(
            &job,
            "getSchema",
            1000,
            json!({"respond": {"status": 503, "code": "ServiceUnavailable", "message": "Down."}}),
        )
        .await;
    stand.rig.delete(&job.name).await;
    // Passes wait longer and longer; somebody who looks makes them come sooner.
    let mut looks = 0;
    while !stand.rig.get(&job.name).await.is_null() {
        looks += 1;
        assert!(looks < 60, "{:#}", stand.rig.get(&job.name).await);
        let annotation = format!("entrain.dev/reconcile-requested-at=look-{looks}");
        let arguments = ["-n", &stand.rig.namespace, "annotate", "--overwrite", "syncjob", &job.name, &annotation];
        // It may be gone by now.
        let _ = stand.rig.plane.try_kubectl(&arguments);
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    assert!(looks > 4, "one failure is no reason to give up: {looks}");
    stand.rig.until_event("MappingsNotRestored").await;
    assert_eq!((stand.changes(&job).await, stand.puts(&job).await), (ours, 1));
}
