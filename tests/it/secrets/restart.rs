//! Changes that take effect only with a restart.

use serde_json::json;

use super::stand::{CREDENTIALS, PRINCIPAL, Stand, TOKEN};
use crate::stack::read::{calls, condition, effects, is_ready, ready};

/// A job that the service put in quarantine for its credentials, with the right ones in the Secret since.
async fn quarantined(policy: &str) -> Stand {
    let mut stand = Stand::begin().await;
    stand.secret("box-scim", "wrong").await;
    stand.sync_job(&[CREDENTIALS, policy]).await;
    let object = stand.until("runs", is_ready).await;
    let id = object["status"]["jobId"].as_str().unwrap().to_owned();
    stand.rig.control.run_cycle(&stand.rig.demo.tenant_id.clone(), PRINCIPAL, &id, None).await.unwrap();
    stand.rig.nudge("box").await;
    stand.until("is in quarantine", |it| ready(it, "False", "Quarantined")).await;
    // A second at least between the cycle and the save: times in status have no fractions.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    stand.secret("box-scim", TOKEN).await;
    stand.rig.nudge("box").await;
    stand
}

#[tokio::test(flavor = "multi_thread")]
async fn new_credentials_lift_a_quarantine_by_one_restart_where_that_is_declared() {
    let mut stand = quarantined("restartAfterChange: Automatic").await;
    stand.until_value("SecretToken", TOKEN).await;
    stand.until("runs again", is_ready).await;
    let restarts = effects(&stand.rig.control, "restartJob").await;
    assert_eq!(restarts.len(), 1, "{restarts:#?}");
    stand.look().await;
    assert_eq!(effects(&stand.rig.control, "restartJob").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_that_the_message_says_what_to_do() {
    let mut stand = quarantined("restartAfterChange: Manual").await;
    stand.until_value("SecretToken", TOKEN).await;
    let object = stand
        .until("says so", |it| {
            condition(it, "Ready")["message"]
                .as_str()
                .is_some_and(|text| text.contains("New credentials were saved since"))
        })
        .await;
    assert!(ready(&object, "False", "Quarantined"), "{object:#}");
    assert!(effects(&stand.rig.control, "restartJob").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrower_scope_needs_a_restart_and_says_so_until_there_is_one() {
    let mut stand = Stand::begin().await;
    let object = stand.runs(&["scope: All"]).await;
    let id = object["status"]["jobId"].as_str().unwrap().to_owned();
    stand.rig.control.run_cycle(&stand.rig.demo.tenant_id.clone(), PRINCIPAL, &id, None).await.unwrap();
    assert_eq!(stand.value("SyncAll").await.as_deref(), Some("true"));
    stand.sync_job(&[CREDENTIALS, "scope: Assigned"]).await;
    let object = stand.until("needs a restart", |it| ready(it, "False", "RestartNeeded")).await;
    assert!(
        condition(&object, "Ready")["message"].as_str().unwrap().contains("Watermark, Escrows and QuarantineState")
    );
    assert_eq!(stand.value("SyncAll").await.as_deref(), Some("false"));
    stand.rig.kubectl(&["annotate", "syncjob", "box", "entrain.dev/restart-requested-at=now"]).await;
    stand.until("runs", is_ready).await;
    stand.look().await;
    assert_eq!(effects(&stand.rig.control, "restartJob").await.len(), 1);
    // And the same with a restart of its own.
    stand.sync_job(&[CREDENTIALS, "scope: All"]).await;
    stand.until_value("SyncAll", "true").await;
    stand.until("is as declared", is_ready).await;
    stand.sync_job(&[CREDENTIALS, "scope: Assigned", "restartAfterChange: Automatic"]).await;
    stand.until_value("SyncAll", "false").await;
    stand.until("is as declared", is_ready).await;
    assert_eq!(calls(&stand.rig.control, "restartJob").await.len(), 2);
    assert_eq!(json!(stand.rig.get("box").await["status"]["credentials"]["scopeInForce"]), json!("Assigned"));
}
