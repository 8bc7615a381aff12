//! The judges of credentials and settings find what they are for, and nothing in a run that went well.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::api::{Content, Key};
use super::super::graph::Operation;
use super::super::graph::secrets::{Sent, Set};
use super::super::invariants::story::{FINALIZER, OPERATOR, Story, key, rules, wait};
use super::super::invariants::{Bounds, Evidence};
use super::judge;

const TOKEN: (&str, &str) = ("SecretToken", "canary-1");
const ADDRESS: (&str, &str) = ("BaseAddress", "https://one.example.test");

fn content(more: &Value) -> Value {
    let token = json!({"key": TOKEN.0, "valueFrom": {"secretKeyRef": {"name": "box", "key": "token"}}});
    let mut spec = json!({"credentials": [{"key": ADDRESS.0, "value": ADDRESS.1}, token]});
    spec.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    spec
}

/// A SyncJob with a Secret and a job that is not started.
fn begin(more: &Value) -> (Story, String) {
    let story = Story::begin();
    let held = Content::from([("token".to_owned(), TOKEN.1.to_owned())]);
    story.api.surroundings().write(&key("box"), Some(held));
    story.declare("a", &content(more));
    story.finalizers("a", &json!([FINALIZER]));
    story.says("a", json!({"intent": {"nonce": "a"}}));
    let id = story.creates("a");
    story.says("a", json!({"jobId": id, "jobOrigin": "Created"}));
    (story, id)
}

fn portal(story: &Story, changes: &[(&str, Option<&str>)]) {
    let now = story.api.store().clock.stamp();
    story.graph.service().sets.edit(0, changes, now);
}

fn looks(story: &Story) {
    let now = story.api.store().clock.stamp();
    drop(story.graph.service().sets.list(0, OPERATOR, now, Duration::ZERO));
}

/// A save, or a test of what is sent.
fn sends(story: &Story, pairs: &[(&str, &str)], test: bool) {
    let set: Set = pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    let value: Vec<Value> = pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    let member = if test { "credentials" } else { "value" };
    let body = Bytes::from(json!({(member): value}).to_string());
    let now = story.api.store().clock.stamp();
    let sets = &mut story.graph.service().sets;
    let request = format!("r{}", sets.sent.len());
    sets.sent.push(Sent { at: now, by: OPERATOR, principal: 0, request: request.clone(), set, test });
    if test {
        drop(sets.test(0, &body, now));
    } else {
        drop(sets.put(0, &body, (OPERATOR, &request), now, Duration::ZERO));
    }
}

fn starts(story: &Story, id: &str) {
    story.does(|tenant, now| tenant.start(0, OPERATOR, "start", now));
    story.calls(Operation::StartJob, id, "start", 204);
}

fn ready(story: &Story, id: &str, reason: &str) {
    let condition = json!({"type": "Ready", "status": "False", "reason": reason});
    story.says("a", json!({"jobId": id, "jobOrigin": "Created", "conditions": [condition]}));
}

async fn judged(story: &Story) -> Vec<&'static str> {
    wait(7200).await;
    let evidence: Evidence = Evidence::of(&story.api, &story.graph, Bounds::default(), Duration::ZERO);
    let mut found = Vec::new();
    judge(&story.api, &story.graph, &evidence, &mut found);
    rules(&found)
}

#[tokio::test(start_paused = true)]
async fn nothing_is_found_in_what_went_well() {
    let (story, id) = begin(&json!({"deleteThreshold": 5}));
    portal(&story, &[("UserName", Some("u")), ("SyncNotificationSettings", Some(r#"{"Recipients":"r"}"#))]);
    looks(&story);
    let settings = r#"{"Recipients":"r","DeleteThresholdEnabled":true,"DeleteThresholdValue":5}"#;
    sends(&story, &[TOKEN, ADDRESS, ("UserName", "u"), ("SyncNotificationSettings", settings)], false);
    starts(&story, &id);
    assert_eq!(judged(&story).await, [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn masks_and_saves_that_lose_something_are_found() {
    let lost = |seeded: &'static [(&str, Option<&str>)], sent: &'static [(&str, &str)]| async move {
        let (story, _) = begin(&json!({}));
        portal(&story, seeded);
        looks(&story);
        sends(&story, sent, false);
        judged(&story).await
    };
    assert_eq!(lost(&[("Password", Some("p"))], &[TOKEN, ADDRESS]).await, ["foreign", "masked"]);
    assert_eq!(lost(&[("UserName", Some("u"))], &[TOKEN, ADDRESS]).await, ["foreign"]);
    assert_eq!(lost(&[("UserName", Some("u"))], &[TOKEN, ADDRESS, ("UserName", "v")]).await, ["foreign"]);
    assert_eq!(lost(&[], &[TOKEN, ADDRESS, ("Domain", "d")]).await, ["foreign"]);
    assert_eq!(lost(&[("Domain", Some("d"))], &[TOKEN, ADDRESS, ("Domain", "***")]).await, ["mask", "foreign"]);
    let (story, _) = begin(&json!({}));
    sends(&story, &[TOKEN, ADDRESS], false);
    assert_eq!(judged(&story).await, ["foreign"], "nobody looked");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_one_read_showed_and_the_last_one_did_not_is_missed() {
    let (story, _) = begin(&json!({}));
    portal(&story, &[("Password", Some("p"))]);
    looks(&story);
    wait(1000).await;
    let now = story.api.store().clock.stamp();
    drop(story.graph.service().sets.list(0, OPERATOR, now, Duration::from_secs(1001)));
    sends(&story, &[TOKEN, ADDRESS], false);
    assert_eq!(judged(&story).await, ["masked"]);
}

#[tokio::test(start_paused = true)]
async fn saves_of_those_that_differ_are_found() {
    let (story, _) = begin(&json!({}));
    story.declare("b", &content(&json!({"templateId": "other", "scope": "All"})));
    story.says("b", json!({"jobId": "b", "jobOrigin": "Created"}));
    wait(1000).await;
    looks(&story);
    sends(&story, &[TOKEN, ADDRESS], false);
    assert!(judged(&story).await.contains(&"conflict"));
}

#[tokio::test(start_paused = true)]
async fn saves_and_starts_without_a_required_test_are_found() {
    let require = json!({"credentialValidation": "Require"});
    for tested in [false, true] {
        let (story, id) = begin(&require);
        looks(&story);
        if tested {
            sends(&story, &[TOKEN, ADDRESS], true);
        }
        sends(&story, &[TOKEN, ADDRESS], false);
        starts(&story, &id);
        let expected: &[&str] = if tested { &[] } else { &["untested", "start"] };
        assert_eq!(judged(&story).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_started_before_its_set_is_in_place_is_found() {
    let (story, id) = begin(&json!({}));
    looks(&story);
    starts(&story, &id);
    sends(&story, &[TOKEN, ADDRESS], false);
    assert_eq!(judged(&story).await, ["start"]);
}

#[tokio::test(start_paused = true)]
async fn a_set_that_is_not_as_declared_needs_a_reason_that_is_so() {
    for (reason, held, expected) in [
        ("CredentialsNotKept", true, ["content"].as_slice()),
        ("SecretNotFound", true, &["content"]),
        ("SecretNotFound", false, &[]),
        ("CredentialsConflict", true, &["content"]),
        ("CredentialsIncomplete", true, &["content"]),
        ("CredentialsRejectedByTarget", true, &["content"]),
        ("Paused", false, &["content"]),
    ] {
        let (story, id) = begin(&json!({}));
        if !held {
            story.api.surroundings().write(&Key::new("apps", "box"), None);
        }
        ready(&story, &id, reason);
        assert_eq!(judged(&story).await, expected, "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_replaced_is_missed_where_it_is_shown() {
    for (key, expected) in [(TOKEN.0, [].as_slice()), (ADDRESS.0, &["content"])] {
        let (story, id) = begin(&json!({}));
        looks(&story);
        sends(&story, &[TOKEN, ADDRESS], false);
        starts(&story, &id);
        portal(&story, &[(key, Some("other"))]);
        assert_eq!(judged(&story).await, expected, "{key}");
    }
}
