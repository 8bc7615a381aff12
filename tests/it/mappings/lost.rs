//! Saves without an answer, with a late one, or with a refusal: each ends in place, and what was carried out is not sent again.

use serde_json::{Value, json};

use super::stand::{Job, SALESFORCE, Stand, applies, message, users};
use crate::stack::read::{condition, is_ready, says};

fn alias() -> Value {
    users("User", &json!([{"targetAttributeName": "Alias", "expression": "[mailNickname]"}]))
}

const CHANGED: &str =
    "USER_OUTBOUND_USER / User → User / Alias / source: Mid([userPrincipalName], 1, 8) → [mailNickname]";

impl Stand {
    /// How often Graph carried a save out.
    async fn carried_out(&self, job: &Job) -> usize {
        let effects = self.rig.control.effects("putSchema").await.unwrap();
        let ours =
            |entry: &&Value| entry["servicePrincipalId"] == job.principal.as_str() && entry["callerAppId"] != "portal";
        effects.iter().filter(ours).count()
    }
}

/// What becomes of the first save, and how many are sent and carried out until the mappings are in place.
fn cases() -> Vec<(&'static str, Value, usize, usize)> {
    let respond = |status: u16, code: &str, commit: bool| json!({"respond": {"status": status, "code": code, "message": "A fault of a test.", "commit": commit}});
    vec![
        ("lost-carried-out", json!({"drop": {"commit": true}}), 1, 1),
        ("unavailable-carried-out", respond(503, "ServiceUnavailable", true), 1, 1),
        ("broken-carried-out", respond(500, "UnknownError", true), 1, 1),
        ("forbidden", respond(403, "Authorization_RequestDenied", false), 2, 1),
        ("throttled", respond(429, "TooManyRequests", false), 2, 1),
        ("refused", respond(400, "BadRequest", false), 2, 1),
        ("late", json!({"delay": {"millis": 1500}}), 1, 1),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_was_carried_out_is_not_sent_again_and_one_that_was_not_is() {
    let mut stand = Stand::begin().await;
    let mut jobs = Vec::new();
    for (name, action, sent, carried_out) in cases() {
        let job = stand.job(name, SALESFORCE).await;
        stand.fault(&job, "putSchema", 1, action).await;
        stand.apply(&job, &alias(), &[]).await;
        jobs.push((job, sent, carried_out));
    }
    for (job, sent, carried_out) in &jobs {
        let object = stand.until(job, "is in place", |it| is_ready(it) && applies(it, "True", "MappingsInPlace")).await;
        let looked = stand.look(job).await;
        assert!(is_ready(&looked), "{}: {looked:#}", job.name);
        assert_eq!(stand.changes(job).await, [CHANGED], "{}", job.name);
        let counted = (stand.puts(job).await, stand.carried_out(job).await);
        assert_eq!(counted, (*sent, *carried_out), "{}", job.name);
        assert_eq!(object["status"]["mappings"]["owned"], 1, "{}: {object:#}", job.name);
    }
    // What was there before is known in each case, so that it comes back.
    let accepted: Vec<&Job> = jobs.iter().map(|(job, ..)| job).collect();
    for job in &accepted {
        if stand.rig.get(&job.name).await["status"]["mappings"]["savedTime"].is_string() {
            stand.later(&[job]).await;
        }
        stand.rig.edit(&job.name, &json!({"mappings": null})).await;
        stand.until(job, "owns nothing any more", |it| it["status"]["mappings"].is_null() && is_ready(it)).await;
        assert_eq!(stand.changes(job).await, [""; 0], "{}", job.name);
    }
}

/// It may be carried out late, and each one has the service evaluate all accounts again. That it is sent in the end is shown
/// in virtual time.
#[tokio::test(flavor = "multi_thread")]
async fn a_save_without_an_answer_that_does_not_show_is_not_sent_again_for_ten_minutes() {
    let mut stand = Stand::begin().await;
    let respond = |status: u16| json!({"respond": {"status": status, "code": "UnknownError", "message": "A fault of a test.", "commit": false}});
    let mut jobs = Vec::new();
    for (name, action) in
        [("lost", json!({"drop": {"commit": false}})), ("unavailable", respond(503)), ("broken", respond(500))]
    {
        let job = stand.job(name, SALESFORCE).await;
        stand.fault(&job, "putSchema", 1, action).await;
        stand.apply(&job, &alias(), &[]).await;
        jobs.push(job);
    }
    for job in &jobs {
        stand.until(job, "waits", |it| applies(it, "Unknown", "SavingMappings")).await;
        let looked = stand.look(job).await;
        assert!(applies(&looked, "Unknown", "SavingMappings"), "{}: {looked:#}", job.name);
        assert_eq!((stand.puts(job).await, stand.carried_out(job).await), (1, 0), "{}", job.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_explained_with_what_graph_answers_and_the_permission_that_is_missing() {
    let mut stand = Stand::begin().await;
    let refused = stand.job("refused", SALESFORCE).await;
    let forbidden = stand.job("forbidden", SALESFORCE).await;
    let fault =
        |status: u16, code: &str| json!({"respond": {"status": status, "code": code, "message": "Because of a test."}});
    stand.fault(&refused, "putSchema", 1000, fault(400, "BadRequest")).await;
    stand.fault(&forbidden, "putSchema", 1000, fault(403, "Authorization_RequestDenied")).await;
    for job in [&refused, &forbidden] {
        stand.apply(job, &alias(), &[]).await;
    }
    let object = stand.until(&refused, "is refused", |it| applies(it, "False", "MappingsRefused")).await;
    assert!(message(&object).contains("The schema stays as it was."), "{}", message(&object));
    let object = stand.until(&forbidden, "is forbidden", |it| says(it, "Ready", "False", "PermissionMissing")).await;
    assert!(
        condition(&object, "Ready")["message"].as_str().unwrap().contains("Synchronization.ReadWrite.All"),
        "{object:#}"
    );
    for job in [&refused, &forbidden] {
        assert_eq!(stand.changes(job).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_lags_behind_a_save_is_not_saved_again() {
    let mut stand = Stand::begin().await;
    let job = stand.job("lags", SALESFORCE).await;
    stand.rig.control.put_tenant(&stand.tenant(), &json!({"schemaLagMillis": 2500})).await.unwrap();
    stand.apply(&job, &alias(), &[]).await;
    let object = stand.until(&job, "is not shown yet", |it| applies(it, "Unknown", "SavingMappings")).await;
    assert!(message(&object).contains("does not show them everywhere yet"), "{}", message(&object));
    stand.applied(&job).await;
    assert_eq!((stand.puts(&job).await, stand.changes(&job).await), (1, vec![CHANGED.to_owned()]));
    assert!(stand.reads(&job).await >= 3, "the first, the one of the save, and some after it");
}
