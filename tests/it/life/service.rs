//! What the service shows of a job in forms that invite a wrong reading, and what it does to a job of its own accord.

use std::time::Duration;

use serde_json::{Value, json};

use super::Rig;
use crate::stack::read::{condition, is_ready, manifest, ready, says};

const NEVER: &str = "0001-01-01T00:00:00Z";
/// Of the neighbour's template.
const NEIGHBOUR: &str = "scim.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.d8ed35a7-563a-5165-aed7-bf6c1c8184b2";

impl Rig {
    async fn run_cycle(&self, id: &str, result: Option<&Value>) {
        let (tenant, sp) = (&self.demo.tenant_id, &self.demo.service_principal_id);
        self.control.run_cycle(tenant, sp, id, result).await.unwrap();
    }

    /// The status of a job as Graph shows it now.
    async fn status_in_graph(&self, id: &str) -> Value {
        let (tenant, sp) = (&self.demo.tenant_id, &self.demo.service_principal_id);
        let path = format!("tenants/{tenant}/servicePrincipals/{sp}/jobs");
        let jobs = self.control.raw("GET", &path, None).await.unwrap();
        jobs["value"].as_array().unwrap().iter().find(|job| job["id"] == id).unwrap()["status"].clone()
    }

    /// The last start is so long ago that the next one may be sent.
    async fn correction_is_due(&mut self) {
        self.stop_operator(Duration::from_secs(10)).await;
        let status = json!({"status": {"run": {"requestedTime": "2026-01-01T00:00:00Z"}}}).to_string();
        self.kubectl(&["patch", "syncjob", "box", "--subresource=status", "--type=merge", "-p", &status]).await;
        self.start_operator();
    }

    async fn starts_and_pauses(&self) -> (usize, usize) {
        (self.wrote("startJob").await, self.wrote("pauseJob").await)
    }
}

/// A time of Graph as status shows it.
fn to_the_second(time: &Value) -> String {
    format!("{}Z", &time.as_str().unwrap()[..19])
}

fn message<'a>(object: &'a Value, kind: &str) -> &'a str {
    condition(object, kind)["message"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_in_flight_shows_neither_a_failure_nor_an_end_before_its_begin() {
    let mut rig = Rig::idle().await;
    let tenant = rig.demo.tenant_id.clone();
    let settings = |state: &str, end: &str| json!({"tokenLifetimeSeconds": 14 * 86400, "incrementalCycleSeconds": 20 * 60, "runningCycle": state, "runningCycleEnd": end});
    rig.control.put_tenant(&tenant, &settings("hidden", "never")).await.unwrap();
    rig.control.freeze_clock().await.unwrap();
    rig.start_operator();
    let id = rig.running(&[]).await;
    // Between the initial cycle and the one after it.
    rig.control.advance_clock(30 * 60).await.unwrap();
    for (state, word) in [("failed", "Failed"), ("succeeded", "Succeeded")] {
        for end in ["never", "previous"] {
            rig.control.put_tenant(&tenant, &settings(state, end)).await.unwrap();
            let finished = rig.shown().await["status"]["job"]["lastExecution"].clone();
            let ended = to_the_second(&rig.status_in_graph(&id).await["lastExecution"]["timeEnded"]);
            assert_eq!((&finished["state"], &finished["endedTime"]), (&json!("Succeeded"), &json!(ended)));

            rig.control.advance_clock(20 * 60).await.unwrap();
            // Something to show, so that status is made from what Graph shows now.
            let url = format!("https://example.test/{state}/{end}");
            rig.put_job(&id, json!({"status": {"troubleshootingUrl": url}})).await;
            let in_flight = rig.status_in_graph(&id).await["lastExecution"].clone();
            assert_eq!(in_flight["state"], word);
            assert!(in_flight["timeEnded"].as_str() < in_flight["timeBegan"].as_str(), "{in_flight:#}");
            let object = rig.shown().await;
            let job = &object["status"]["job"];
            assert_eq!((&job["troubleshootingUrl"], &job["lastExecution"]), (&json!(url), &finished));
            assert!(job["successiveFailureCount"].is_null(), "{job:#}");
            assert!(ready(&object, "True", "Running") && says(&object, "Healthy", "True", "InService"), "{object:#}");
            // To the same place between two cycles, after more hours than what is shown may be old.
            rig.control.advance_clock(460 * 60).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_success_without_a_begin_gives_the_time_of_the_last_success() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    rig.run_cycle(&id, None).await;
    let success = rig.status_in_graph(&id).await["lastSuccessfulExecution"].clone();
    assert_eq!(success["timeBegan"], NEVER);
    let time = to_the_second(&success["timeEnded"]);
    assert_eq!(rig.shown().await["status"]["job"]["lastSuccessTime"], time);
    rig.run_cycle(&id, Some(&json!({"state": "Failed"}))).await;
    let object = rig.shown().await;
    let job = &object["status"]["job"];
    assert_eq!((&job["lastExecution"]["state"], &job["lastSuccessTime"]), (&json!("Failed"), &json!(time)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_succeeded_with_escrows_is_no_failure_and_shows_how_many() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let counts = json!({"entitled": 20, "escrowed": 15, "escrowedRaw": 11, "exported": 5, "imported": 5});
    rig.run_cycle(&id, Some(&json!({"state": "Succeeded", "counts": counts}))).await;
    let object = rig.shown().await;
    let last = &object["status"]["job"]["lastExecution"];
    assert_eq!((&last["state"], &last["escrowedCount"]), (&json!("Succeeded"), &json!(15)));
    assert!(last["error"].is_null() && object["status"]["job"]["successiveFailureCount"].is_null(), "{object:#}");
    assert!(ready(&object, "True", "Running") && says(&object, "Healthy", "True", "InService"), "{object:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_the_service_paused_over_pruned_escrows_is_not_started_before_a_requested_restart() {
    let mut rig = Rig::start().await;
    let id = rig.running(&["outOfBandPolicy: Correct"]).await;
    rig.correction_is_due().await;
    rig.run_cycle(&id, Some(&json!({"escrowsPruned": true}))).await;
    let object = rig.shown().await;
    assert!(
        says(&object, "Stalled", "True", "EscrowsPruned") && ready(&object, "False", "EscrowsPruned"),
        "{object:#}"
    );
    assert!(says(&object, "Healthy", "False", "EscrowsPruned"), "{object:#}");
    assert!(message(&object, "Ready").contains("entrain.dev/restart-requested-at"), "the way out is named");
    assert_eq!((rig.starts_and_pauses().await, rig.wrote("restartJob").await), ((1, 0), 0));

    rig.kubectl(&["annotate", "syncjob", "box", "entrain.dev/restart-requested-at=1"]).await;
    let back = |object: &Value| ready(object, "True", "Running") && says(object, "Healthy", "True", "InService");
    let object = rig.until("box", "runs", back).await;
    assert_eq!(object["status"]["lastHandledRestart"]["result"], "Accepted");
    assert_eq!((rig.starts_and_pauses().await, rig.wrote("restartJob").await), ((1, 0), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantine_with_empty_texts_beside_the_code_paused_is_trouble_in_a_whole_sentence() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let quarantine = json!({"reason": "", "currentBegan": "", "nextAttempt": "", "seriesBegan": "", "seriesCount": 0, "error": null});
    let job = json!({"scheduleState": "Paused", "code": "Paused", "status": {"quarantine": quarantine}});
    rig.put_job(&id, job).await;
    let object = rig.shown().await;
    assert!(says(&object, "Healthy", "False", "Quarantined") && ready(&object, "False", "Quarantined"), "{object:#}");
    let told = "Unknown: The service gives no reason that is known. Look at the provisioning logs";
    assert!(message(&object, "Healthy").starts_with(told), "{object:#}");
    assert!(message(&object, "Ready").starts_with("The service put the job in quarantine, and it is paused as well."));
    for kind in ["Healthy", "Ready"] {
        assert!(message(&object, kind).ends_with("then restart the job."), "{object:#}");
    }
    let shown = &object["status"]["quarantine"];
    assert!(shown["reason"] == "Unknown" && shown["sinceTime"].is_null() && shown["nextAttemptTime"].is_null());

    rig.edit("box", &json!({"state": "Paused"})).await;
    let object = rig.until("box", "is paused as declared", |object| ready(object, "True", "Paused")).await;
    assert!(says(&object, "Healthy", "False", "Quarantined"), "{object:#}");
    assert_eq!(rig.starts_and_pauses().await, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_state_that_graph_does_not_tell_changes_no_verdict_and_sends_nothing() {
    let mut rig = Rig::start().await;
    let id = rig.running(&["outOfBandPolicy: Correct"]).await;
    rig.correction_is_due().await;
    let before = condition(&rig.shown().await, "Ready").clone();
    let unknown = |object: &Value| says(object, "Reconciling", "True", "RunStateUnknown");
    for schedule in [json!(null), json!({"state": null}), json!({"state": "unknownFutureValue"})] {
        rig.put_job(&id, json!({"schedule": {"state": "Active"}})).await;
        let known = rig.shown().await;
        assert!(condition(&known, "Reconciling").is_null() && is_ready(&known), "{known:#}");
        rig.put_job(&id, json!({"schedule": schedule})).await;
        let object = rig.shown().await;
        assert!(unknown(&object), "{schedule}: {object:#}");
        assert_eq!(condition(&object, "Ready"), &before, "{schedule}");
        assert_eq!(rig.starts_and_pauses().await, (1, 0), "{schedule}");
    }
    rig.edit("box", &json!({"state": "Paused"})).await;
    rig.until("box", "does not know of the new wish either", unknown).await;
    let object = rig.shown().await;
    assert!(unknown(&object) && ready(&object, "Unknown", "RunStateUnknown"), "{object:#}");
    assert_eq!(rig.starts_and_pauses().await, (1, 0));

    rig.put_job(&id, json!({"schedule": {"state": "Active"}})).await;
    rig.look().await;
    rig.until("box", "is paused as soon as Graph tells", |object| ready(object, "True", "Paused")).await;
    assert_eq!(rig.starts_and_pauses().await, (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_as_text_and_with_a_fraction_hide_neither_the_neighbour_nor_the_job() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let odd = |failures: Value| {
        json!({"countSuccessiveCompleteFailures": failures,
            "synchronizedEntryCountByType": [{"key": "groups", "value": "3"}, {"key": "users", "value": 12.0}]})
    };
    let neighbour =
        json!({"templateId": "scim", "scheduleState": "Active", "code": "Active", "status": odd(json!("3"))});
    rig.put_job(NEIGHBOUR, neighbour).await;
    rig.run_cycle(&id, None).await;
    let object = rig.shown().await;
    assert!(is_ready(&object) && condition(&object, "Reconciling").is_null(), "{object:#}");
    assert_eq!(object["status"]["job"]["lastExecution"]["state"], "Succeeded", "the list was read");

    rig.put_job(&id, json!({"status": odd(json!("3"))})).await;
    let object = rig.shown().await;
    let job = &object["status"]["job"];
    assert_eq!(job["entries"], json!([{"type": "groups", "count": 3}, {"type": "users", "count": 12}]));
    assert_eq!(job["successiveFailureCount"], 3);
    assert!(says(&object, "Healthy", "False", "CyclesFailing"), "{object:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_job_without_secrets_is_started_as_any_other() {
    let mut rig = Rig::start().await;
    let tenant = rig.demo.tenant_id.clone();
    for (number, name, state) in [(1, "still", "Paused"), (2, "box", "Running")] {
        let sp = format!("e0000000-0000-4000-8000-00000000000{number}");
        let body = json!({"appId": format!("f0000000-0000-4000-8000-00000000000{number}"), "displayName": "New", "templates": ["scim"]});
        rig.control.put_service_principal(&tenant, &sp, &body).await.unwrap();
        assert_eq!(rig.control.secrets(&tenant, &sp).await.unwrap()["value"], json!([]));
        rig.apply(&manifest(name, &sp, "scim", &[&format!("state: {state}")])).await;
        rig.until(name, "is as declared", |object| ready(object, "True", state)).await;
    }
    // What both looked like before the start.
    let job = rig.get("still").await["status"]["job"].clone();
    assert_eq!(
        (&job["code"], &job["scheduleState"], &job["interval"]),
        (&json!("Paused"), &json!("Disabled"), &json!("PT40M"))
    );
    assert_eq!(rig.starts_and_pauses().await, (1, 0));
}
