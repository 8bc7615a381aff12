//! One job and more than one who wants it: another SyncJob, or somebody outside of the cluster.

use serde_json::{Value, json};

use super::read::{calls, condition, effects, is_ready, job_id, manifest, says};
use super::rig::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn two_sync_jobs_for_one_job_make_one_and_the_loser_names_the_winner() {
    let mut rig = Rig::idle().await;
    let other = rig.new_namespace().await;
    rig.others.push(other.clone());
    rig.start_operator();
    let sp = rig.demo.service_principal_id.clone();
    let (plain, loud) =
        (manifest("mine", &sp, "BoxOutDelta", &[]), manifest("yours", &sp.to_uppercase(), "boxoutdelta", &[]));
    let namespace = rig.namespace.clone();
    tokio::join!(rig.apply_in(&namespace, &plain), rig.apply_in(&other, &loud));

    let decided = |object: &Value| is_ready(object) || says(object, "Stalled", "True", "Conflict");
    let mine = rig.until("mine", "is decided", decided).await;
    let yours = rig.until_in(&other, "yours", "is decided", decided).await;
    let (winner, loser, name) = if is_ready(&mine) {
        (&mine, &yours, format!("{namespace}/mine"))
    } else {
        (&yours, &mine, format!("{other}/yours"))
    };
    assert!(is_ready(winner) && says(loser, "Stalled", "True", "Conflict"), "{mine:#}\n{yours:#}");
    assert!(job_id(loser).is_none() && loser["status"]["intent"].is_null(), "{loser:#}");
    let message = condition(loser, "Ready")["message"].as_str().unwrap();
    assert!(message.contains(&name), "'{name}' is not in '{message}'");
    assert_eq!(effects(&rig.control, "createJob").await.len(), 1);

    let place = |of_winner: bool| {
        if of_winner == is_ready(&mine) { (namespace.clone(), "mine") } else { (other.clone(), "yours") }
    };
    let ((winner_in, winner), (loser_in, loser)) = (place(true), place(false));
    rig.kubectl_in(&winner_in, &["delete", "syncjob", winner]).await;
    rig.until_in(&loser_in, loser, "takes over", is_ready).await;
    let (created, deleted) = (effects(&rig.control, "createJob").await, effects(&rig.control, "deleteJob").await);
    assert_eq!((created.len(), deleted.len()), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_on_one_sync_job_make_one_job() {
    let mut rig = Rig::start().await;
    let first = rig.detach_operator();
    rig.start_operator();
    rig.control
        .put_fault(&json!({"operation": "createJob", "times": 1, "action": {"delay": {"millis": 300}}}))
        .await
        .unwrap();
    rig.apply_box().await;
    rig.becomes_ready_with_one_job().await;
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_there_before_is_reported_and_left_alone() {
    let mut rig = Rig::start().await;
    let foreign = json!({"templateId": "BoxOutDelta", "scheduleState": "Active"});
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.demo.service_principal_id.clone());
    rig.control.put_job(&tenant, &sp, "BoxOutDelta.somebody.else", &foreign).await.unwrap();
    rig.apply_box().await;
    let object = rig.until("box", "is stalled", |object| says(object, "Stalled", "True", "AlreadyExists")).await;
    assert!(
        condition(&object, "Ready")["message"].as_str().unwrap().contains("BoxOutDelta.somebody.else"),
        "{object:#}"
    );
    assert_eq!(calls(&rig.control, "createJob").await, Vec::<Value>::new());
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    assert_eq!(effects(&rig.control, "deleteJob").await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_jobs_of_a_service_principal_do_not_matter() {
    let mut rig = Rig::start().await;
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.demo.service_principal_id.clone());
    rig.control.put_job(&tenant, &sp, "scim.somebody.else", &json!({"templateId": "scim"})).await.unwrap();
    rig.control
        .put_fault(&json!({"operation": "createJob", "times": 1, "action": {"drop": {"commit": true}}}))
        .await
        .unwrap();
    rig.apply_box().await;
    rig.becomes_ready_with_one_job().await;
    assert_eq!(calls(&rig.control, "createJob").await.len(), 1);
}
