//! What another process of the operator finds: nothing to do at rest, and less to know where what was kept is gone.

use std::time::Duration;

use serde_json::{Value, json};

use super::stand::{CROSS_TENANT, HOME, Job, SALESFORCE, SCIM, Stand, applies, message, users};
use super::ten::ENTERPRISE;
use crate::stack::read::{calls, ready};

fn join() -> Value {
    json!({"targetAttributeName": "displayName", "expression": "Join(\" \", \"EXT\",[displayName] )"})
}

async fn seen(stand: &mut Stand, job: &Job, seconds: u32) {
    stand.rig.edit(&job.name, &json!({"pollIntervalSeconds": seconds})).await;
    let seen = |it: &Value| it["status"]["observedGeneration"] == it["metadata"]["generation"];
    stand.until(job, "has seen the edit", seen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_rest_no_schema_is_read_or_saved_by_the_process_that_saved_it_nor_by_the_next() {
    let mut stand = Stand::begin().await;
    let mut jobs = Vec::new();
    for (fixture, target) in [(SALESFORCE, "User"), (CROSS_TENANT, "User"), (SCIM, ENTERPRISE)] {
        let job = stand.job(fixture.name, fixture).await;
        let entry = if fixture == SALESFORCE {
            json!({"targetAttributeName": "FirstName", "expression": "ToUpper( [givenName])"})
        } else {
            join()
        };
        stand.apply(&job, &users(target, &json!([entry])), &[]).await;
        stand.applied(&job).await;
        jobs.push(job);
    }
    for process in 0..2_u32 {
        let read = calls(&stand.rig.control, "getSchema").await.len()
            + calls(&stand.rig.control, "parseExpression").await.len();
        if process == 1 {
            assert_eq!(stand.rig.stop_operator(Duration::from_secs(10)).await, Some(0));
            stand.rig.start_operator_with(&[HOME]);
        }
        let listed = calls(&stand.rig.control, "listJobs").await.len();
        for job in &jobs {
            seen(&mut stand, job, 600 + process).await;
        }
        let list = async |control: &bed::graph::Control| calls(control, "listJobs").await.len() > listed;
        if process == 1 {
            stand.rig.until_graph("the jobs are looked at", list).await;
        }
        for job in &jobs {
            let object = stand.applied(job).await;
            assert!(ready(&object, "True", "Running"), "{object:#}");
        }
        let now = calls(&stand.rig.control, "getSchema").await.len()
            + calls(&stand.rig.control, "parseExpression").await.len();
        assert_eq!((now - read, calls(&stand.rig.control, "putSchema").await.len()), (0, 3), "process {process}");
    }
    // Asked for, it is read, and is as declared although the service writes expressions in its own way.
    for job in &jobs {
        let before = stand.reads(job).await;
        stand.look(job).await;
        stand.applied(job).await;
        assert_eq!((stand.reads(job).await - before, stand.puts(job).await), (1, 1), "{}", job.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_what_was_kept_nothing_happens_at_rest_and_a_change_waits_for_a_person() {
    let mut stand = Stand::begin().await;
    let job = stand.job("forgetful", SALESFORCE).await;
    let alias = json!({"targetAttributeName": "Alias", "expression": "[mailNickname]"});
    stand.apply(&job, &users("User", &json!([alias])), &[]).await;
    stand.applied(&job).await;
    stand.later(&[&job]).await;
    stand.rig.kubectl(&["delete", "controllerrevisions", "--all"]).await;
    stand.look(&job).await;
    let object = stand.applied(&job).await;
    assert!(ready(&object, "True", "Running"), "{object:#}");
    assert_eq!((stand.puts(&job).await, stand.revisions().await.len()), (1, 0));
    let more = json!([alias, {"targetAttributeName": "City", "expression": "[city]"}]);
    stand.apply(&job, &users("User", &more), &[]).await;
    let object = stand.until(&job, "waits", |it| applies(it, "False", "RiskyChange")).await;
    assert!(
        message(&object).contains("ControllerRevision that holds what was there before is gone"),
        "{}",
        message(&object)
    );
    assert_eq!(stand.puts(&job).await, 1);
    let confirm = object["status"]["mappings"]["confirm"].as_str().unwrap();
    stand.rig.kubectl(&["annotate", "syncjob", "forgetful", &format!("entrain.dev/confirm={confirm}")]).await;
    stand.applied(&job).await;
    assert_eq!((stand.puts(&job).await, stand.revisions().await.len()), (2, 1));
    stand.rig.kubectl(&["delete", "controllerrevisions", "--all"]).await;
    stand.rig.delete(&job.name).await;
    stand.until(&job, "is gone", serde_json::Value::is_null).await;
    let note = stand.rig.until_event("MappingsLeft").await;
    assert!(note.contains("ControllerRevision that holds what was there before is gone"), "{note}");
    assert_eq!(stand.puts(&job).await, 2, "nothing is known that could be restored");
}
