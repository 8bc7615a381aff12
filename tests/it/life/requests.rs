//! Requests by annotation.

use serde_json::{Value, json};

use super::Rig;
use crate::stack::read::{calls, effects, ready};

impl Rig {
    async fn ask_for_restart(&self, token: &str, scope: &str) {
        let (token, scope) =
            (format!("entrain.dev/restart-requested-at={token}"), format!("entrain.dev/restart-scope={scope}"));
        self.kubectl(&["annotate", "--overwrite", "syncjob", "box", &token, &scope]).await;
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
    rig.ask_for_restart("one", "watermark,Escrows").await;
    rig.answered("one", "Accepted").await;
    rig.until_event("JobRestarted").await;
    rig.nudge("box").await;
    rig.until("box", "has looked again", |object| object["status"]["lastHandledReconcile"].is_string()).await;
    assert_eq!(rig.wrote("restartJob").await, 1);
    rig.ask_for_restart("two", "Full").await;
    rig.answered("two", "Accepted").await;
    let restarts = effects(&rig.control, "restartJob").await;
    assert_eq!(restarts.len(), 2, "{restarts:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_is_refused_says_why() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    rig.ask_for_restart("one", "ConnectorDataStore").await;
    let handled = rig.answered("one", "Refused").await;
    assert!(handled["message"].as_str().unwrap().contains("must be a list of"), "{handled:#}");
    rig.until_event("RestartRefused").await;
    rig.edit("box", &json!({"state": "Paused"})).await;
    rig.until("box", "is paused", |object| ready(object, "True", "Paused")).await;
    rig.ask_for_restart("two", "Full").await;
    let handled = rig.answered("two", "Refused").await;
    assert!(handled["message"].as_str().unwrap().contains("would start it"), "{handled:#}");
    rig.edit("box", &json!({"mode": "Observe"})).await;
    rig.ask_for_restart("three", "Full").await;
    rig.answered("three", "Refused").await;
    assert_eq!(rig.wrote("restartJob").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_whose_answer_is_lost_is_never_repeated() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    let fault = json!({"operation": "restartJob", "times": 1, "action": {"drop": {"commit": true}}});
    rig.control.put_fault(&fault).await.unwrap();
    rig.ask_for_restart("one", "Watermark").await;
    rig.answered("one", "Unknown").await;
    rig.stop_operator(std::time::Duration::from_secs(10)).await;
    rig.start_operator();
    rig.nudge("box").await;
    rig.until("box", "has looked again", |object| object["status"]["lastHandledReconcile"].is_string()).await;
    assert_eq!((rig.wrote("restartJob").await, calls(&rig.control, "restartJob").await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_not_repeated_by_the_operator_after_the_one_that_was_killed_while_sending_it() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    let fault = json!({"operation": "restartJob", "times": 1, "action": {"hang": {"commit": true}}});
    rig.control.put_fault(&fault).await.unwrap();
    rig.ask_for_restart("one", "Watermark").await;
    rig.until_graph("the restart has been carried out", async |control| {
        !effects(control, "restartJob").await.is_empty()
    })
    .await;
    rig.kill_operator();
    rig.start_operator();
    rig.answered("one", "Unknown").await;
    assert_eq!(calls(&rig.control, "restartJob").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_restart_is_sent_when_graph_allows_it() {
    let mut rig = Rig::start().await;
    rig.running(&[]).await;
    let action = json!({"respond": {"status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "1"}}});
    rig.control.put_fault(&json!({"operation": "restartJob", "times": 1, "action": action})).await.unwrap();
    rig.ask_for_restart("one", "Watermark").await;
    rig.answered("one", "Accepted").await;
    assert_eq!((rig.wrote("restartJob").await, calls(&rig.control, "restartJob").await.len()), (1, 2));
}
