//! What could not be written does not wait for the next poll, which is ten minutes away in all of these tests: longer than
//! they wait for anything.

use serde_json::{Value, json};

use super::Rig;
use crate::stack::read::{calls, is_ready, ready};

impl Rig {
    /// From now on the API server refuses every write of status that does not fulfil the expression, in this test's
    /// namespace; `tried` is a status that does not.
    async fn refuse_status(&self, name: &str, expression: &str, tried: Value) {
        let rules = json!([{"apiGroups": ["entrain.dev"], "apiVersions": ["*"], "operations": ["UPDATE"],
            "resources": ["syncjobs/status"]}]);
        self.put_policy(name, &rules, expression).await;
        let (plane, namespace, name) = (self.plane.clone(), self.namespace.clone(), name.to_owned());
        let refused = move || {
            let answer = json!({"status": tried}).to_string();
            let patch = ["patch", "syncjob", "box", "--subresource=status", "--type=merge", "--dry-run=server", "-p"];
            let all = [&["--namespace", &namespace][..], &patch, &[&answer]].concat();
            plane.try_kubectl(&all).is_err_and(|message| message.contains(&name))
        };
        // A policy is in force some time after it was written.
        for _ in 0..200 {
            if tokio::task::spawn_blocking(refused.clone()).await.unwrap() {
                return;
            }
        }
        panic!("the policy never came into force");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_was_refused_is_written_soon_after_it_is_allowed() {
    let mut rig = Rig::start().await;
    rig.running(&["state: Paused"]).await;
    let policy = format!("no-running-{}", rig.namespace);
    let running = "!has(object.status.conditions) || object.status.conditions.all(it, it.reason != 'Running')";
    let condition = json!([{"type": "Ready", "status": "True", "reason": "Running", "message": "",
        "lastTransitionTime": "2026-11-25T00:00:00Z"}]);
    rig.refuse_status(&policy, running, json!({"conditions": condition})).await;
    rig.edit("box", &json!({"state": "Running"})).await;
    rig.until_logged("status could not be written").await;
    rig.drop_policy(&policy).await;
    rig.until("box", "says that it runs", |object| ready(object, "True", "Running")).await;
    assert_eq!(rig.wrote("startJob").await, 1, "and nothing was sent twice meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_nothing_is_done_any_more_is_written_although_nothing_wakes_the_object() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    let policy = format!("no-suspended-{}", rig.namespace);
    let suspended = "!has(object.status.conditions) || object.status.conditions.all(it, it.type != 'Suspended')";
    let condition = json!([{"type": "Suspended", "status": "True", "reason": "Suspended", "message": "",
        "lastTransitionTime": "2026-11-25T00:00:00Z"}]);
    rig.refuse_status(&policy, suspended, json!({"conditions": condition})).await;
    rig.edit("box", &json!({"mode": "Suspended"})).await;
    rig.until_logged("status could not be written").await;
    rig.drop_policy(&policy).await;
    let has = |object: &Value| {
        let conditions = object["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|condition| condition["type"] == "Suspended"))
    };
    rig.until("box", "says that it is suspended", has).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_restart_is_kept_until_it_is_written() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    let policy = format!("no-accepted-{}", rig.namespace);
    let accepted = "!has(object.status.lastHandledRestart) || object.status.lastHandledRestart.result != 'Accepted'";
    let answer = json!({"lastHandledRestart": {"token": "x", "result": "Accepted", "message": ""}});
    rig.refuse_status(&policy, accepted, answer).await;
    rig.kubectl(&["annotate", "syncjob", "box", "entrain.dev/restart-requested-at=one"]).await;
    rig.until_logged("status could not be written").await;
    rig.drop_policy(&policy).await;
    let object = rig
        .until("box", "has an answer", |object| {
            let result = &object["status"]["lastHandledRestart"]["result"];
            result.is_string() && result != "Requested"
        })
        .await;
    assert_eq!(object["status"]["lastHandledRestart"]["result"], "Accepted", "{object:#}");
    assert_eq!(calls(&rig.control, "restartJob").await.len(), 1);
    rig.until("box", "is ready", is_ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_is_set_while_a_pass_is_under_way_does_not_cost_its_report() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    rig.pause_in_portal(&id).await;
    let slow = json!({"operation": "listJobs", "times": 1, "action": {"delay": {"millis": 2000}}});
    rig.control.put_fault(&slow).await.unwrap();
    let listed = calls(&rig.control, "listJobs").await.len();
    rig.kubectl(&["annotate", "syncjob", "box", "entrain.dev/reconcile-requested-at=now"]).await;
    rig.until_graph("a look is under way", async |control| calls(control, "listJobs").await.len() > listed).await;
    rig.kubectl(&["label", "syncjob", "box", "team=hr"]).await;
    rig.until("box", "shows the pause", |object| ready(object, "False", "PausedOutOfBand")).await;
}
