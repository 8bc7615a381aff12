//! Running or Paused, and somebody else's hand on it.

use serde_json::json;

use super::Rig;
use crate::stack::read::{condition, ready, says};

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_in_the_portal_is_respected_and_shown() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    rig.pause_in_portal(&id).await;
    rig.nudge("box").await;
    let object = rig.until("box", "tells of the pause", |object| ready(object, "False", "PausedOutOfBand")).await;
    assert!(says(&object, "Stalled", "True", "PausedOutOfBand"), "{object:#}");
    assert_eq!(object["status"]["job"]["scheduleState"], "Paused");

    rig.nudge("box").await;
    rig.until("box", "has looked again", |object| {
        object["status"]["lastHandledReconcile"]
            == object["metadata"]["annotations"]["entrain.dev/reconcile-requested-at"]
    })
    .await;
    assert_eq!(rig.wrote("startJob").await, 1, "the start after the creation, and none against the person");

    rig.start_in_portal(&id).await;
    rig.nudge("box").await;
    rig.until("box", "is ready again without an edit", |object| ready(object, "True", "Running")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_declared_afterwards_and_taken_back_starts_the_job() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    rig.pause_in_portal(&id).await;
    rig.nudge("box").await;
    rig.until("box", "tells of the pause", |object| ready(object, "False", "PausedOutOfBand")).await;
    rig.edit("box", &json!({"state": "Paused"})).await;
    rig.until("box", "is as declared", |object| ready(object, "True", "Paused")).await;
    assert_eq!(rig.wrote("pauseJob").await, 0, "it was paused already");
    rig.edit("box", &json!({"state": "Running"})).await;
    rig.until("box", "runs", |object| ready(object, "True", "Running")).await;
    assert_eq!(rig.wrote("startJob").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_in_the_portal_is_corrected_by_policy_once_and_never_fought_over() {
    let mut rig = Rig::start().await;
    let id = rig.running(&["outOfBandPolicy: Correct"]).await;
    // The start after the creation counts: the first correction within the hour is already the second start.
    rig.pause_in_portal(&id).await;
    rig.nudge("box").await;
    let object = rig.until("box", "leaves it for now", |object| ready(object, "False", "PausedOutOfBand")).await;
    let message = condition(&object, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("at most once an hour"), "{message}");
    assert_eq!(rig.wrote("startJob").await, 1);

    // An hour later, as status tells it.
    rig.stop_operator(std::time::Duration::from_secs(10)).await;
    let status = json!({"status": {"run": {"requestedTime": "2026-01-01T00:00:00Z"}}}).to_string();
    rig.kubectl(&["patch", "syncjob", "box", "--subresource=status", "--type=merge", "-p", &status]).await;
    rig.start_operator();
    rig.until("box", "is brought back", |object| ready(object, "True", "Running")).await;
    assert_eq!(rig.wrote("startJob").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_in_the_portal_is_respected_and_shown() {
    let mut rig = Rig::start().await;
    rig.apply_sync_job("box", &["state: Paused"]).await;
    let object = rig.until("box", "is paused", |object| ready(object, "True", "Paused")).await;
    let id = object["status"]["jobId"].as_str().unwrap().to_owned();
    rig.start_in_portal(&id).await;
    rig.nudge("box").await;
    rig.until("box", "tells of the start", |object| ready(object, "False", "StartedOutOfBand")).await;
    assert_eq!((rig.wrote("startJob").await, rig.wrote("pauseJob").await), (0, 0));
}
