//! Secrets that change, as people and other operators change them.

use serde_json::json;

use super::stand::{Stand, TOKEN, valid};
use crate::stack::read::{condition, is_ready, ready};

const ROTATED: &str = "canary-of-the-rotated~T0ken";

impl Stand {
    async fn takes_either(&self) {
        self.target(&json!({"accepts": {"SecretToken": [TOKEN, ROTATED]}})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_secret_is_saved_at_the_next_look_and_the_same_content_is_not() {
    let mut stand = Stand::begin().await;
    stand.takes_either().await;
    let before = stand.runs(&[]).await;
    stand.secret("box-scim", ROTATED).await;
    let after = stand.look().await;
    stand.until_value("SecretToken", ROTATED).await;
    assert!(is_ready(&after), "a running job keeps running: {after:#}");
    let fingerprint = |object: &serde_json::Value| object["status"]["credentials"]["keys"][1]["fingerprint"].clone();
    // Answers to requests are written before the rest of status.
    stand.until("has another fingerprint", |it| fingerprint(it) != fingerprint(&before)).await;
    // As sealed-secrets and others do: deleted, and made again.
    stand.delete_secret("box-scim").await;
    stand.rig.nudge("box").await;
    let object = stand.until("lacks its Secret", |it| ready(it, "False", "SecretNotFound")).await;
    assert!(valid(&object, "False", "SecretNotFound"), "{object:#}");
    stand.secret("box-scim", ROTATED).await;
    stand.until("has it again", is_ready).await;
    assert_eq!(stand.saves().await, 2, "the same content is not saved once more");
    assert_eq!(stand.value("SecretToken").await.as_deref(), Some(ROTATED), "nothing was emptied meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_watch_over_secrets_a_rotation_is_saved_within_seconds_and_without_a_poll() {
    let mut stand = Stand::watching().await;
    stand.takes_either().await;
    stand.runs(&["pollIntervalSeconds: 86400"]).await;
    stand.secret("box-scim", ROTATED).await;
    stand.until_value("SecretToken", ROTATED).await;
    stand.until("says so", |it| valid(it, "True", "CredentialsAccepted")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_starts_again_saves_nothing_that_is_saved() {
    let mut stand = Stand::begin().await;
    stand.runs(&[]).await;
    stand.rig.kill_operator();
    stand.rig.start_operator_with(&["--operator-namespace=entrain-system"]);
    let object = stand.look().await;
    assert_eq!(stand.saves().await, 1, "{:#}", condition(&object, "Ready"));
}
