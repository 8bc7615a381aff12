//! Graph asks to wait, or is in trouble: nothing leaves before the instant that it named, and what was true stays true.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::read::{calls, condition, effects, graph_calls, is_ready, job_id, manifest, ready, says, time};
use super::rig::Rig;

const RETRY_AFTER: &str = "retry-after";

/// When a call of an operation arrived, and when the next call to Graph did.
async fn call_and_next(rig: &Rig, operation: &str, nth: usize) -> (Timestamp, Timestamp) {
    let at = time(&calls(&rig.control, operation).await[nth]);
    let next = graph_calls(&rig.control).await.iter().map(time).filter(|other| *other > at).min().unwrap();
    (at, next)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_create_is_sent_again_at_the_time_that_graph_named_and_makes_one_job() {
    let mut rig = Rig::start().await;
    let action = json!({"respond": {"status": 429, "code": "TooManyRequests", "headers": {RETRY_AFTER: "3"}}});
    rig.control.put_fault(&json!({"operation": "createJob", "times": 2, "action": action})).await.unwrap();
    rig.apply_box().await;
    let waiting = rig.until("box", "says Throttled", |object| says(object, "Reconciling", "True", "Throttled")).await;
    assert_eq!(condition(&waiting, "Ready")["status"], "Unknown", "{waiting:#}");
    assert!(condition(&waiting, "Stalled").is_null() && waiting["status"]["intent"].is_null(), "{waiting:#}");
    rig.becomes_ready_with_one_job().await;
    for nth in [0, 1] {
        let (refused, next) = call_and_next(&rig, "createJob", nth).await;
        let waited = next.duration_since(refused);
        assert!(waited >= SignedDuration::from_secs(3), "{waited}");
        assert!(waited <= SignedDuration::from_secs(9), "the wait is the one named, and a little spread: {waited}");
    }
    assert_eq!(calls(&rig.control, "createJob").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ready_sync_job_stays_ready_while_graph_throttles_until_a_date() {
    let mut rig = Rig::start().await;
    rig.apply_box().await;
    let before = rig.until("box", "is ready", is_ready).await;
    let date = SystemTime::now() + Duration::from_secs(5);
    let header = httpdate::fmt_http_date(date);
    let action = json!({"respond": {"status": 429, "code": "TooManyRequests", "headers": {RETRY_AFTER: header}}});
    rig.control.put_fault(&json!({"operation": "listJobs", "times": 1, "action": action})).await.unwrap();
    let lists = calls(&rig.control, "listJobs").await.len();
    rig.nudge("box").await;
    let waiting = rig.until("box", "says Throttled", |object| says(object, "Reconciling", "True", "Throttled")).await;
    assert_eq!(condition(&waiting, "Ready"), condition(&before, "Ready"), "a job does not stop because nobody can ask");
    let after = rig.until("box", "is at rest again", |object| condition(object, "Reconciling").is_null()).await;
    assert!(ready(&after, "True", "Running") && job_id(&after) == job_id(&before), "{after:#}");
    assert_eq!(condition(&after, "Ready")["lastTransitionTime"], condition(&before, "Ready")["lastTransitionTime"]);
    let (_, next) = call_and_next(&rig, "listJobs", lists).await;
    let named: Timestamp =
        Timestamp::from_second(date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().cast_signed()).unwrap();
    assert!(next >= named, "{next} is before {named}");
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_without_a_word_is_answered_with_growing_waits_and_one_job() {
    let mut rig = Rig::start().await;
    let action = json!({"respond": {"status": 429, "code": "TooManyRequests"}});
    rig.control.put_fault(&json!({"operation": "createJob", "times": 3, "action": action})).await.unwrap();
    rig.apply_box().await;
    rig.becomes_ready_with_one_job().await;
    let sent: Vec<Timestamp> = calls(&rig.control, "createJob").await.iter().map(time).collect();
    assert_eq!(sent.len(), 4);
    for pair in sent.windows(2) {
        assert!(pair[1].duration_since(pair[0]) >= SignedDuration::from_millis(900), "{sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_429s_over_many_sync_jobs_makes_one_job_each() {
    let mut rig = Rig::start().await;
    let action = json!({"respond": {"status": 429, "code": "TooManyRequests", "headers": {RETRY_AFTER: "1"}}});
    rig.control.put_fault(&json!({"operation": "createJob", "times": 6, "action": action})).await.unwrap();
    let offered =
        json!({"appId": "11111111-1111-4111-8111-111111111111", "displayName": "x", "templates": ["BoxOutDelta"]});
    let mut manifests = Vec::new();
    for number in 0..8 {
        let id = format!("00000000-0000-4000-8000-0000000000{number:02}");
        rig.control.put_service_principal(&rig.demo.tenant_id, &id, &offered).await.unwrap();
        manifests.push(manifest(&format!("job-{number}"), &id, "BoxOutDelta", &[]));
    }
    rig.apply(&manifests.join("\n---\n")).await;
    for number in 0..8 {
        rig.until(&format!("job-{number}"), "is ready", is_ready).await;
    }
    let (created, sent) = (effects(&rig.control, "createJob").await, calls(&rig.control, "createJob").await);
    assert_eq!((created.len(), sent.len()), (8, 14), "each refusal costs one request and nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_graph_is_waited_for_as_it_asks_and_ready_stays() {
    let mut rig = Rig::start().await;
    rig.apply_box().await;
    rig.until("box", "is ready", is_ready).await;
    let lists = calls(&rig.control, "listJobs").await.len();
    let action = json!({"respond": {"status": 503, "code": "ServiceUnavailable", "headers": {RETRY_AFTER: "3"}}});
    rig.control.put_fault(&json!({"operation": "listJobs", "times": 1, "action": action})).await.unwrap();
    rig.nudge("box").await;
    let waiting = rig.until("box", "says so", |object| says(object, "Reconciling", "True", "GraphUnavailable")).await;
    assert!(ready(&waiting, "True", "Running"), "{waiting:#}");
    assert!(condition(&waiting, "Reconciling")["message"].as_str().unwrap().contains("503 ServiceUnavailable"));
    rig.until("box", "is at rest again", |object| condition(object, "Reconciling").is_null()).await;
    let (refused, next) = call_and_next(&rig, "listJobs", lists).await;
    assert!(next.duration_since(refused) >= SignedDuration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_graph_before_there_is_a_job_is_unknown_and_passes() {
    let mut rig = Rig::start().await;
    let action = json!({"respond": {"status": 503, "code": "ServiceUnavailable"}});
    rig.control.put_fault(&json!({"operation": "*", "times": 8, "action": action})).await.unwrap();
    rig.apply_box().await;
    rig.until("box", "says that something is unavailable", |object| {
        let reason = &condition(object, "Reconciling")["reason"];
        condition(object, "Ready")["status"] == "Unknown"
            && (reason == "GraphUnavailable" || reason == "LoginUnavailable")
    })
    .await;
    rig.control.clear_faults().await.unwrap();
    rig.becomes_ready_with_one_job().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_replaced_without_a_word() {
    let mut rig = Rig::start().await;
    rig.apply_box().await;
    let before = rig.until("box", "is ready", is_ready).await;
    let logins = calls(&rig.control, "token").await.len();
    rig.control.revoke_tokens().await.unwrap();
    rig.edit("box", &json!({"state": "Paused"})).await;
    let after = rig.until("box", "is paused", |object| ready(object, "True", "Paused")).await;
    assert_eq!(calls(&rig.control, "token").await.len() - logins, 1);
    assert_eq!(job_id(&before), job_id(&after));
    assert!(!rig.operator_log().contains("TokenRejected"));
}
