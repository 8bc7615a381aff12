//! The operator as a process: how it ends, and that it never says its secret.

use std::time::Duration;

use serde_json::{Value, json};

use super::read::{calls, condition, effects, is_ready, job_id, ready};
use super::rig::Rig;
use crate::life::BOX;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_end_is_followed_within_what_the_chart_grants_even_while_graph_hangs() {
    let mut rig = Rig::start().await;
    rig.control
        .put_fault(&json!({"operation": "createJob", "times": 1, "action": {"hang": {"commit": true}}}))
        .await
        .unwrap();
    rig.apply_box().await;
    rig.until_graph("the request is sent", async |control| !calls(control, "createJob").await.is_empty()).await;
    assert_eq!(rig.stop_operator(Duration::from_secs(30)).await, Some(0), "{}", rig.operator_log());
    rig.start_operator();
    rig.becomes_ready_with_one_job().await;
    assert_eq!(rig.stop_operator(Duration::from_secs(10)).await, Some(0));
}

/// Asked to end in the midst of many creations, where some have recorded their intent and not yet sent their request.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_on_its_way_out_leaves_no_intent_behind_that_others_have_to_wait_for() {
    const SYNC_JOBS: usize = 160;
    const ROUNDS: usize = 4;
    let mut rig = Rig::idle().await;
    rig.create_crowd(SYNC_JOBS, &[BOX], &[]).await;
    for round in 1..=ROUNDS {
        let before = effects(&rig.control, "createJob").await.len();
        rig.start_operator_with(&["--settle-window-seconds=600", "--concurrency=32"]);
        rig.until_graph("more jobs are created", async |control| effects(control, "createJob").await.len() > before)
            .await;
        assert_eq!(rig.stop_operator(Duration::from_secs(10)).await, Some(0), "{}", rig.operator_log());

        let created = effects(&rig.control, "createJob").await.len();
        let objects = rig.list().await;
        let intents = objects.iter().map(|object| &object["status"]["intent"]);
        let waiting: Vec<&Value> = intents.filter(|intent| !intent.is_null()).collect();
        assert!(waiting.is_empty(), "{} of {created}: {waiting:#?}", waiting.len());
        assert_eq!(objects.iter().filter_map(job_id).count(), created);
        assert!(round > 1 || created < SYNC_JOBS, "it was asked to end too late to prove anything");
        if created == SYNC_JOBS {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_secret_is_in_no_log_no_event_and_no_status() {
    let mut rig = Rig::start().await;
    let secret = rig.demo.client_secret.clone();
    // A login service that repeats what it was sent, in its error and in a page.
    for body in [
        json!({"error": "invalid_client", "error_codes": [7_000_215], "error_description": "AADSTS7000215: Invalid client secret."}).to_string(),
        format!("<html>client_secret={secret}</html>"),
    ] {
        let action = json!({"respond": {"status": 401, "body": body}});
        rig.control.put_fault(&json!({"operation": "token", "times": 1, "action": action})).await.unwrap();
    }
    rig.apply_box().await;
    rig.until("box", "is refused", |object| ready(object, "False", "CredentialsRejected")).await;
    let object = rig.until("box", "is ready", is_ready).await;
    let events = rig.kubectl(&["get", "events", "-o", "yaml"]).await;
    let described = rig.kubectl(&["describe", "syncjob", "box"]).await;
    let log = rig.operator_log();
    assert!(log.contains("CredentialsRejected") && events.contains("SyncJob"), "there is something to search\n{log}");
    for (place, text) in [("log", log), ("events", events), ("describe", described), ("object", object.to_string())] {
        assert!(!text.contains(&secret), "the secret is in the {place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_everything_in_place_writes_nothing() {
    let mut rig = Rig::start().await;
    rig.apply_box().await;
    let before = rig.until("box", "is ready", is_ready).await;
    assert_eq!(rig.stop_operator(Duration::from_secs(10)).await, Some(0));
    let (lists, writes) = (calls(&rig.control, "listJobs").await.len(), super::audit::writes(&rig.namespace).len());
    rig.start_operator();
    rig.until_graph("the job is looked at", async |control| calls(control, "listJobs").await.len() > lists).await;
    rig.edit("box", &json!({"pollIntervalSeconds": 900})).await;
    rig.until("box", "has seen the edit", |object| object["status"]["observedGeneration"] == 2 && is_ready(object))
        .await;
    let after = rig.get("box").await;
    assert_eq!(super::audit::writes(&rig.namespace).len() - writes, 1, "the new generation, and nothing else");
    assert_eq!(condition(&after, "Ready")["lastTransitionTime"], condition(&before, "Ready")["lastTransitionTime"]);
    assert_eq!(calls(&rig.control, "createJob").await.len(), 1);
    assert_eq!(before["metadata"]["finalizers"], Value::from(vec!["entrain.dev/syncjob"]));
}
