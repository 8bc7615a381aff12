//! Each judge is shown a good history, and one that is bad in its way: it must speak of the second, and only there.

use std::time::Duration;

use serde_json::json;

use super::super::api::Verb;
use super::super::graph::{Did, Effect, Operation, SECRET};
use super::story::{FINALIZER, OPERATOR, Story, key, rules, wait};
use super::*;

#[tokio::test(start_paused = true)]
async fn a_good_history_has_no_violation() {
    let story = Story::begin();
    story.well("a").await;
    assert_eq!(story.rest().await, Vec::<&str>::new());
    assert_eq!(story.evidence().silent(Duration::from_secs(60)), []);
}

#[tokio::test(start_paused = true)]
async fn s1_speaks_of_two_jobs_that_run_and_of_two_that_are_left() {
    let story = Story::begin();
    story.well("a").await;
    story.creates("again");
    assert_eq!(story.always(), Vec::<&str>::new(), "the second does not run");
    assert_eq!(story.rest().await, ["S1", "S2"]);
    story.does(|tenant, now| tenant.start(1, By::Person, "", now));
    assert_eq!(story.always(), ["S1"]);
}

#[tokio::test(start_paused = true)]
async fn s2_speaks_of_a_job_that_nobody_holds_unless_it_was_let_go() {
    let story = Story::begin();
    story.declare("a", &json!({"deletionPolicy": "Retain"}));
    let id = story.creates("a");
    story.says("a", json!({}));
    assert!(story.rest().await.contains(&"S2"));
    story.says("a", json!({"jobId": id}));
    story.finalizers("a", &json!([FINALIZER]));
    story.api.delete(&key("a"));
    story.finalizers("a", &json!([]));
    assert_eq!(story.rest().await, Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn s2_speaks_of_a_job_whose_object_had_no_finalizer() {
    for (finalizers, expected) in [(json!([]), "S2"), (json!([FINALIZER]), "L1")] {
        let story = Story::begin();
        story.well("a").await;
        story.finalizers("a", &finalizers);
        story.api.delete(&key("a"));
        assert!(story.rest().await.contains(&expected), "{finalizers}");
    }
}

#[tokio::test(start_paused = true)]
async fn s2_speaks_of_an_intent_that_is_left_open_unless_it_is_suspended() {
    for (mode, expected) in [("Manage", true), ("Suspended", false)] {
        let story = Story::begin();
        story.declare("a", &json!({"mode": mode}));
        story.says("a", json!({"intent": {"nonce": "a"}}));
        story.creates("a");
        assert_eq!(story.rest().await.contains(&"S2"), expected, "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn s2_does_not_speak_of_a_job_that_a_restore_has_made_an_intent_of() {
    for (by, expected) in [("velero", false), ("entrain", true)] {
        let story = Story::begin();
        let id = story.well("a").await;
        let back = json!({"intent": {"nonce": "a"}, "observedGeneration": 1});
        let writer = if by == "velero" { By::Person } else { OPERATOR };
        story.api.store().replace_status(&key("a"), back, by, writer).unwrap();
        assert_eq!(story.rest().await.contains(&"S2"), expected, "{by}: {id}");
    }
}

#[tokio::test(start_paused = true)]
async fn s2_does_not_speak_of_a_record_that_somebody_took_away() {
    let story = Story::begin();
    story.well("a").await;
    story.api.remove_status(&key("a"));
    story.says("a", json!({}));
    assert_eq!(story.rest().await, Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn s3_speaks_of_what_is_done_to_jobs_that_nobody_held() {
    for did in [Did::Deleted, Did::Paused, Did::Started, Did::Restarted] {
        let story = Story::begin();
        story.declare("a", &json!({}));
        story.does(|tenant, now| {
            let _ = tenant.create(0, "scim", By::Person, "", now);
            tenant.ledger.effects.push(Effect { at: now, by: OPERATOR, did, job: 0, request: "x".to_owned() });
        });
        assert_eq!(story.always(), ["S3"], "{did:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn s3_speaks_of_a_deletion_that_hits_what_another_holds() {
    let story = Story::begin();
    let id = story.well("a").await;
    story.does(|tenant, now| tenant.delete(0, OPERATOR, "late", now));
    assert_eq!(story.always(), ["S3"], "{id} is held and not being deleted");
}

#[tokio::test(start_paused = true)]
async fn s3_speaks_of_an_adoption_that_was_not_permitted() {
    for (policy, expected) in [("Never", vec!["S3"]), ("IfExists", vec![])] {
        let story = Story::begin();
        story.declare("a", &json!({"adoption": {"policy": policy}}));
        story.does(|tenant, now| {
            let _ = tenant.create(0, "scim", By::Person, "", now);
        });
        let id = story.graph.act(|tenant, _| tenant.jobs[0].id.clone());
        story.says("a", json!({"jobId": id, "jobOrigin": "Adopted"}));
        assert_eq!(story.always(), expected, "{policy}");
    }
}

#[tokio::test(start_paused = true)]
async fn s4_speaks_of_an_id_that_is_exchanged_or_given_up_in_silence() {
    let story = Story::begin();
    story.well("a").await;
    story.says("a", json!({"jobId": "other"}));
    assert_eq!(story.always(), ["S4"]);
    let story = Story::begin();
    story.well("a").await;
    story.says("a", json!({}));
    assert_eq!(story.always(), ["S4"]);
    let uid = story.api.get(&key("a")).unwrap().uid.clone();
    let event = json!({"regarding": {"uid": uid}});
    story.api.store().events.push((Duration::ZERO, OPERATOR, event));
    assert_eq!(story.always(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn s5_speaks_of_secrets_in_status_and_events() {
    let story = Story::begin();
    story.declare("a", &json!({}));
    story.says("a", json!({"conditions": [{"type": "Ready", "message": SECRET}]}));
    assert_eq!(story.always(), ["S5"]);
    let story = Story::begin();
    story.api.store().events.push((Duration::ZERO, OPERATOR, json!({"note": super::super::graph::CANARY})));
    assert_eq!(story.always(), ["S5"]);
}

#[tokio::test(start_paused = true)]
async fn s6_speaks_of_a_principal_that_nobody_named() {
    let story = Story::begin();
    story.calls(Operation::ListJobs, "", "x", 200);
    assert_eq!(story.always(), ["S6"]);
    let story = Story::begin();
    story.declare("a", &json!({}));
    story.calls(Operation::ListJobs, "", "x", 200);
    assert_eq!(story.always(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn s7_speaks_of_a_job_that_outlives_its_sync_job() {
    let story = Story::begin();
    story.well("a").await;
    story.api.delete(&key("a"));
    story.finalizers("a", &json!([]));
    assert_eq!(story.always(), ["S7"]);
    let story = Story::begin();
    let id = story.well("a").await;
    story.api.delete(&key("a"));
    story.calls(Operation::DeleteJob, &id, "gone", 204);
    story.does(|tenant, now| tenant.delete(0, OPERATOR, "gone", now));
    wait(1).await;
    story.finalizers("a", &json!([]));
    assert_eq!(story.rest().await, Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn s7_speaks_of_a_job_that_a_late_request_makes() {
    let story = Story::begin();
    story.declare("a", &json!({}));
    story.finalizers("a", &json!([FINALIZER]));
    story.says("a", json!({"intent": {"nonce": "late"}}));
    story.api.delete(&key("a"));
    story.finalizers("a", &json!([]));
    wait(50).await;
    story.creates("late");
    assert_eq!(story.always(), ["S7"]);
}

#[tokio::test(start_paused = true)]
async fn l1_speaks_of_what_is_missing_not_running_or_not_going() {
    let story = Story::begin();
    story.declare("a", &json!({}));
    story.says("a", json!({}));
    assert_eq!(story.rest().await, ["L1"], "no job");
    let story = Story::begin();
    story.well("a").await;
    story.does(|tenant, now| tenant.pause(0, OPERATOR, "start", now));
    assert_eq!(story.rest().await, ["L1"], "not running");
    let story = Story::begin();
    story.well("a").await;
    story.api.delete(&key("a"));
    story.requested("a", Verb::Get);
    assert_eq!(story.rest().await, ["L1"], "not going");
}

#[tokio::test(start_paused = true)]
async fn l1_does_not_speak_of_what_people_decide() {
    let story = Story::begin();
    story.declare("a", &json!({}));
    story.says("a", json!({}));
    story.does(|tenant, now| {
        let _ = tenant.create(0, "scim", By::Person, "", now);
    });
    assert_eq!(story.rest().await, Vec::<&str>::new(), "somebody's job is in the way");
    let story = Story::begin();
    story.well("a").await;
    story.does(|tenant, now| tenant.pause(0, By::Person, "", now));
    assert_eq!(story.rest().await, Vec::<&str>::new(), "somebody paused it");
}

#[tokio::test(start_paused = true)]
async fn l2_and_unwritten_speak_of_an_edit_that_waits() {
    let story = Story::begin();
    story.well("a").await;
    story.api.patch(&key("a"), &json!({"spec": {"pollIntervalSeconds": 300}}));
    assert_eq!(story.rest().await, ["L2", "unwritten"]);
    let story = Story::begin();
    story.well("a").await;
    story.api.patch(&key("a"), &json!({"spec": {"pollIntervalSeconds": 300}}));
    story.requested("a", Verb::Get);
    wait(11).await;
    story.says("a", json!({"jobId": story.graph.act(|tenant, _| tenant.jobs[0].id.clone())}));
    assert_eq!(story.rest().await, ["unwritten"], "it is looked at and answered too late");
}

#[tokio::test(start_paused = true)]
async fn l2_does_not_speak_of_an_edit_of_what_is_gone_again() {
    for goes in [true, false] {
        let story = Story::begin();
        story.declare("a", &json!({}));
        if goes {
            story.api.delete(&key("a"));
        }
        let expected: &[&str] = if goes { &[] } else { &["L1", "L2", "unwritten"] };
        assert_eq!(story.rest().await, expected, "gone: {goes}");
    }
}

#[tokio::test(start_paused = true)]
async fn unwritten_speaks_of_a_suspension_that_is_not_shown() {
    for (status, expected) in [("True", vec![]), ("False", vec!["unwritten"])] {
        let story = Story::begin();
        story.declare("a", &json!({"mode": "Suspended"}));
        story.says("a", json!({"observedGeneration": -1, "conditions": [{"type": "Suspended", "status": status}]}));
        assert_eq!(story.rest().await, expected, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn l3_speaks_of_writes_at_rest_and_of_too_many_requests() {
    let story = Story::begin();
    story.well("a").await;
    let from = Duration::from_secs(10);
    wait(10).await;
    let silent = |story: &Story| rules(&story.evidence().silent(from));
    assert_eq!(silent(&story), Vec::<&str>::new());
    wait(3600).await;
    for _ in 0..21 {
        story.calls(Operation::ListJobs, "", "x", 200);
    }
    assert_eq!(silent(&story), Vec::<&str>::new());
    story.calls(Operation::ListJobs, "", "x", 200);
    assert_eq!(silent(&story), ["L3"]);
    let story = Story::begin();
    story.well("a").await;
    wait(10).await;
    story.requested("a", Verb::PatchStatus);
    assert_eq!(silent(&story), ["L3"]);
    let story = Story::begin();
    story.well("a").await;
    wait(10).await;
    story.calls(Operation::StartJob, "x", "y", 204);
    assert_eq!(silent(&story), ["L3"]);
}

#[tokio::test(start_paused = true)]
async fn l4_speaks_of_too_many_events_watches_and_requests_in_flight() {
    let story = Story::begin();
    story.declare("a", &json!({}));
    for _ in 0..26 {
        story.api.store().events.push((Duration::ZERO, OPERATOR, json!({"regarding": {"uid": "x"}})));
    }
    assert_eq!(story.always(), ["L4"]);
    let story = Story::begin();
    (0..3).for_each(|_| _ = story.api.store().open_watch(OPERATOR));
    assert_eq!(story.always(), ["L4"]);
    let story = Story::begin();
    story.declare("a", &json!({}));
    for _ in 0..17 {
        story.calls(Operation::ListJobs, "", "x", 0);
        story.does(|tenant, _| tenant.ledger.calls.last_mut().unwrap().until = None);
    }
    assert_eq!(story.always(), ["L4"]);
}

#[tokio::test(start_paused = true)]
async fn repeated_speaks_of_a_call_that_is_sent_again_at_once() {
    for (heard, pause, edit, expected) in [
        (503, 0, false, vec!["repeated"]),
        (503, 1, false, vec![]),
        (503, 0, true, vec![]),
        (401, 0, false, vec![]),
        (204, 0, false, vec![]),
    ] {
        let story = Story::begin();
        story.declare("a", &json!({}));
        wait(3).await;
        story.calls(Operation::StartJob, "x", "y", heard);
        if edit {
            story.api.touch(&key("a"));
        }
        wait(pause).await;
        story.calls(Operation::StartJob, "x", "z", 204);
        assert_eq!(story.always(), expected, "{heard} {pause} {edit}");
    }
}
