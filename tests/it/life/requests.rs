//! Requests by annotation.

use serde_json::{Value, json};

use super::{BOX, Rig};
use crate::stack::read::{calls, effects, manifest, ready};

impl Rig {
    async fn ask_for_restart(&self, value: &str) {
        let value = format!("entrain.dev/restart-requested-at={value}");
        self.kubectl(&["annotate", "--overwrite", "syncjob", "box", &value]).await;
    }

    /// Waits until the operator has looked since, and answers with what it found.
    async fn looked_again(&mut self) -> Value {
        let token = uuid::Uuid::new_v4().to_string();
        let value = format!("entrain.dev/reconcile-requested-at={token}");
        self.kubectl(&["annotate", "--overwrite", "syncjob", "box", &value]).await;
        self.until("box", "has looked again", |object| object["status"]["lastHandledReconcile"] == token.as_str()).await
    }

    /// From now on the API server refuses every write of an answer in this test's namespace.
    async fn refuse_answers(&self) {
        let (name, rules) = (
            format!("no-answers-{}", self.namespace),
            json!([{"apiGroups": ["entrain.dev"],
            "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["syncjobs/status"]}]),
        );
        let expression = "!has(object.status.lastHandledRestart) && !has(object.status.lastHandledReconcile)";
        self.put_policy(&name, &rules, expression).await;
        // A policy is in force some time after it was written.
        let (plane, namespace) = (self.plane.clone(), self.namespace.clone());
        let refused = move || {
            let answer = json!({"status": {"lastHandledReconcile": "tried"}}).to_string();
            let patch = ["patch", "syncjob", "box", "--subresource=status", "--type=merge", "--dry-run=server", "-p"];
            let all = [&["--namespace", &namespace][..], &patch, &[&answer]].concat();
            plane.try_kubectl(&all).is_err_and(|message| message.contains("no-answers"))
        };
        for _ in 0..200 {
            if tokio::task::spawn_blocking(refused.clone()).await.unwrap() {
                return;
            }
        }
        panic!("the policy never came into force");
    }

    async fn allow_answers(&self) {
        self.drop_policy(&format!("no-answers-{}", self.namespace)).await;
    }

    async fn quarantine(&self, id: &str, reason: &str) {
        let body = json!({"reason": reason});
        self.control.quarantine_job(&self.demo.tenant_id, &self.demo.service_principal_id, id, &body).await.unwrap();
    }

    async fn answered(&mut self, token: &str, result: &str) -> Value {
        let object = self
            .until("box", &format!("answers {token} with {result}"), |object| {
                let handled = &object["status"]["lastHandledRestart"];
                handled["token"] == token && handled["result"] == result
            })
            .await;
        object["status"]["lastHandledRestart"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_sent_once_for_each_token_with_its_scope() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    rig.ask_for_restart("one scope=watermark,Escrows").await;
    let handled = rig.answered("one scope=watermark,Escrows", "Accepted").await;
    assert!(handled["message"].as_str().unwrap().ends_with("with the scope Watermark, Escrows."), "{handled:#}");
    rig.until_event("JobRestarted").await;
    rig.looked_again().await;
    assert_eq!(rig.wrote("restartJob").await, 1);
    rig.ask_for_restart("two").await;
    let handled = rig.answered("two", "Accepted").await;
    assert!(handled["message"].as_str().unwrap().ends_with("with the scope of the portal."), "{handled:#}");
    let restarts = effects(&rig.control, "restartJob").await;
    assert_eq!(restarts.len(), 2, "{restarts:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_apart_from_its_token_is_refused_with_the_value_to_write() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    rig.kubectl(&["annotate", "syncjob", "box", "entrain.dev/restart-scope=Escrows"]).await;
    rig.ask_for_restart("one").await;
    let handled = rig.answered("one", "Refused").await;
    let message = handled["message"].as_str().unwrap();
    assert!(message.contains("`entrain.dev/restart-requested-at: one scope=Escrows`"), "{message}");
    rig.kubectl(&["annotate", "syncjob", "box", "entrain.dev/restart-scope-"]).await;
    rig.ask_for_restart("one scope=Escrows").await;
    rig.answered("one scope=Escrows", "Accepted").await;
    assert_eq!(rig.wrote("restartJob").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_answered_before_is_not_acted_on_when_an_old_manifest_brings_it_back() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    for token in ["one", "2026-11-25T04:00:00Z", "two"] {
        rig.ask_for_restart(token).await;
        rig.answered(token, "Accepted").await;
    }
    rig.ask_for_restart("one").await;
    let object = rig.looked_again().await;
    assert_eq!(object["status"]["lastHandledRestart"]["token"], "two", "{object:#}");
    assert_eq!(object["status"]["handledRestarts"], json!(["two", "2026-11-25T04:00:00Z", "one"]));
    rig.ask_for_restart("2026-11-25T03:59:59Z scope=Full").await;
    let handled = rig.answered("2026-11-25T03:59:59Z scope=Full", "Refused").await;
    assert!(handled["message"].as_str().unwrap().contains("is older than the last one"), "{handled:#}");
    assert_eq!(calls(&rig.control, "restartJob").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_was_carried_out_is_not_repeated_for_a_sync_job_that_is_moved() {
    let mut rig = Rig::start().await;
    rig.running(&["deletionPolicy: Retain", "adoption: {policy: IfExists}"]).await;
    rig.ask_for_restart("old").await;
    rig.answered("old", "Accepted").await;
    let mut moved = rig.get("box").await;
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    moved.as_object_mut().unwrap().remove("status");
    moved["metadata"] = json!({"name": "box", "annotations": {"entrain.dev/restart-requested-at": "old"}});
    rig.create(&moved.to_string()).await;
    let handled = rig.answered("old", "Ignored").await;
    assert!(handled["message"].as_str().unwrap().contains("before this SyncJob was first seen"), "{handled:#}");
    rig.until_event("RestartIgnored").await;
    rig.until("box", "is ready", |object| ready(object, "True", "Running")).await;
    rig.looked_again().await;
    assert_eq!(calls(&rig.control, "restartJob").await.len(), 1);
    rig.ask_for_restart("new").await;
    rig.answered("new", "Accepted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_gets_no_history_before_the_restart_that_came_with_it_is_on_record() {
    let mut rig = Rig::idle().await;
    let annotated = "name: box, annotations: {entrain.dev/restart-requested-at: old}";
    rig.apply(&manifest("box", &rig.service_principal(), BOX, &[]).replace("name: box", annotated)).await;
    rig.refuse_answers().await;
    rig.start_operator();
    rig.until_logged_times("status could not be written", 2).await;
    let object = rig.get("box").await;
    assert_eq!(object["status"]["observedGeneration"], -1, "{object:#}");
    rig.allow_answers().await;
    rig.answered("old", "Ignored").await;
    rig.until("box", "is ready", |object| ready(object, "True", "Running")).await;
    rig.looked_again().await;
    assert_eq!(calls(&rig.control, "restartJob").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_are_forced_only_while_graph_shows_that_the_service_holds_them_back() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    rig.ask_for_restart("one scope=ForceDeletes").await;
    let handled = rig.answered("one scope=ForceDeletes", "Refused").await;
    assert!(handled["message"].as_str().unwrap().contains("reason TooManyDeletes; it shows"), "{handled:#}");
    rig.quarantine(&id, "EncounteredQuarantineException").await;
    rig.ask_for_restart("two scope=ForceDeletes,QuarantineState").await;
    let handled = rig.answered("two scope=ForceDeletes,QuarantineState", "Refused").await;
    assert!(handled["message"].as_str().unwrap().contains("reason EncounteredQuarantineException"), "{handled:#}");
    assert_eq!(calls(&rig.control, "restartJob").await.len(), 0);
    rig.quarantine(&id, "TooManyDeletes").await;
    rig.ask_for_restart("three scope=ForceDeletes,QuarantineState").await;
    rig.answered("three scope=ForceDeletes,QuarantineState", "Accepted").await;
    assert_eq!(rig.wrote("restartJob").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_is_asked_for_in_mode_observe_is_a_look_of_now() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    rig.edit("box", &json!({"mode": "Observe"})).await;
    rig.until("box", "is observed", |object| ready(object, "True", "Observed")).await;
    rig.quarantine(&id, "TooManyDeletes").await;
    // Within the time for which a list is remembered.
    rig.looked_again().await;
    rig.until("box", "shows the quarantine", |object| object["status"]["quarantine"]["reason"] == "TooManyDeletes")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_is_refused_says_why() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    rig.ask_for_restart("one scope=ConnectorDataStore").await;
    let handled = rig.answered("one scope=ConnectorDataStore", "Refused").await;
    assert!(handled["message"].as_str().unwrap().contains("must be a list of"), "{handled:#}");
    rig.until_event("RestartRefused").await;
    rig.edit("box", &json!({"state": "Paused"})).await;
    rig.until("box", "is paused", |object| ready(object, "True", "Paused")).await;
    rig.ask_for_restart("two").await;
    let handled = rig.answered("two", "Refused").await;
    assert!(handled["message"].as_str().unwrap().contains("would start it"), "{handled:#}");
    rig.edit("box", &json!({"mode": "Observe"})).await;
    rig.ask_for_restart("three").await;
    rig.answered("three", "Refused").await;
    assert_eq!(rig.wrote("restartJob").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_whose_answer_is_lost_is_never_repeated() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    let fault = json!({"operation": "restartJob", "times": 1, "action": {"drop": {"commit": true}}});
    rig.control.put_fault(&fault).await.unwrap();
    rig.ask_for_restart("one scope=Watermark").await;
    rig.answered("one scope=Watermark", "Unknown").await;
    rig.stop_operator(std::time::Duration::from_secs(10)).await;
    rig.start_operator();
    rig.looked_again().await;
    assert_eq!((rig.wrote("restartJob").await, calls(&rig.control, "restartJob").await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_not_repeated_by_the_operator_after_the_one_that_was_killed_while_sending_it() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    let fault = json!({"operation": "restartJob", "times": 1, "action": {"hang": {"commit": true}}});
    rig.control.put_fault(&fault).await.unwrap();
    rig.ask_for_restart("one scope=Watermark").await;
    rig.until_graph("the restart has been carried out", async |control| {
        !effects(control, "restartJob").await.is_empty()
    })
    .await;
    rig.kill_operator();
    rig.start_operator();
    rig.answered("one scope=Watermark", "Unknown").await;
    assert_eq!(calls(&rig.control, "restartJob").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_restart_is_sent_when_graph_allows_it() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    let action = json!({"respond": {"status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "1"}}});
    rig.control.put_fault(&json!({"operation": "restartJob", "times": 1, "action": action})).await.unwrap();
    rig.ask_for_restart("one scope=Watermark").await;
    rig.answered("one scope=Watermark", "Accepted").await;
    assert_eq!((rig.wrote("restartJob").await, calls(&rig.control, "restartJob").await.len()), (1, 2));
}
