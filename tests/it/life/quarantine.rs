//! Quarantine: a state that is shown, never answered by a restart of our own.

use serde_json::json;

use super::Rig;
use crate::stack::read::{condition, ready, says};

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantine_is_shown_with_reason_and_times_and_ends_when_the_service_lifts_it() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.service_principal());
    let body = json!({"reason": "TooManyDeletes", "seriesBegan": "2026-11-01T10:00:00Z"});
    rig.control.quarantine_job(&tenant, &sp, &id, &body).await.unwrap();
    rig.nudge("box").await;
    let object = rig.until("box", "is in quarantine", |object| ready(object, "False", "Quarantined")).await;
    assert!(says(&object, "Healthy", "False", "Quarantined") && says(&object, "Stalled", "True", "Quarantined"));
    let quarantine = &object["status"]["quarantine"];
    assert_eq!(quarantine["reason"], "TooManyDeletes");
    assert_eq!(quarantine["sinceTime"], "2026-11-01T10:00:00Z");
    assert_eq!(quarantine["disabledAfterTime"], "2026-11-29T10:00:00Z");
    assert!(quarantine["nextAttemptTime"].is_string(), "{quarantine:#}");
    let message = condition(&object, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("ForceDeletes"), "the remedy is named: {message}");
    rig.until_event("Quarantined").await;
    assert_eq!((rig.wrote("startJob").await, rig.wrote("restartJob").await), (1, 0));

    rig.put_job(&id, json!({"scheduleState": "Active", "code": "Active"})).await;
    rig.nudge("box").await;
    let object = rig.until("box", "is ready again", |object| ready(object, "True", "Running")).await;
    assert!(object["status"]["quarantine"].is_null() && says(&object, "Healthy", "True", "InService"), "{object:#}");
    rig.until_event("QuarantineLifted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_the_service_disabled_is_told_from_a_paused_one_and_a_requested_restart_brings_it_back() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let job = json!({"quarantine": {"reason": "EncounteredQuarantineException", "seriesBegan": "2026-10-01T00:00:00Z"},
        "scheduleState": "Disabled", "code": "Quarantine"});
    rig.put_job(&id, job).await;
    rig.nudge("box").await;
    rig.until("box", "is disabled", |object| ready(object, "False", "DisabledByService")).await;
    assert_eq!(rig.wrote("startJob").await, 1);
    rig.kubectl(&["annotate", "syncjob", "box", "entrain.dev/restart-requested-at=1 scope=QuarantineState"]).await;
    let object = rig.until("box", "runs", |object| ready(object, "True", "Running")).await;
    assert_eq!(object["status"]["lastHandledRestart"]["result"], "Accepted");
    assert_eq!((rig.wrote("startJob").await, rig.wrote("restartJob").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_in_quarantine_can_still_be_paused() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.service_principal());
    rig.control.quarantine_job(&tenant, &sp, &id, &json!({})).await.unwrap();
    rig.edit("box", &json!({"state": "Paused"})).await;
    rig.until("box", "is paused", |object| ready(object, "True", "Paused")).await;
    assert_eq!(rig.wrote("pauseJob").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cycles_did_is_in_status_and_the_default_filled_execution_is_not() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let object = rig.get("box").await;
    assert!(object["status"]["job"]["lastExecution"].is_null(), "{object:#}");
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.service_principal());
    rig.control.run_cycle(&tenant, &sp, &id, None).await.unwrap();
    rig.nudge("box").await;
    let object = rig
        .until("box", "tells of the cycle", |object| object["status"]["job"]["lastExecution"]["state"] == "Succeeded")
        .await;
    let job = &object["status"]["job"];
    assert!(job["lastSuccessTime"].is_string() && job["steadyStateSinceTime"].is_string(), "{job:#}");
    assert!(job["entries"][0]["type"].is_string() && job["entries"][0]["count"].is_i64(), "{job:#}");
}
