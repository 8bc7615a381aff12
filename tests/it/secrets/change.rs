//! The set is replaced as a whole: what is foreign survives, and what cannot be read is never lost.

use serde_json::{Value, json};

use super::stand::{ADDRESS, CREDENTIALS, Stand, TOKEN, valid};
use crate::stack::read::{condition, is_ready, ready};

#[tokio::test(flavor = "multi_thread")]
async fn foreign_values_that_can_be_read_are_carried_over() {
    let mut stand = Stand::begin().await;
    let settings = r#"{"Enabled":true,"Recipients":"ops@example.test","DeleteThresholdEnabled":true,"DeleteThresholdValue":30,"HumanResourcesLookaheadQueryEnabled":false}"#;
    stand
        .stage(&json!([
            {"key": "Url", "value": "https://elsewhere.example.test"},
            {"key": "SyncNotificationSettings", "value": settings},
            {"key": "BaseAddress", "value": "https://old.example.test"},
        ]))
        .await;
    let object = stand.runs(&["deleteThreshold: 500"]).await;
    assert_eq!(stand.value("Url").await.as_deref(), Some("https://elsewhere.example.test"));
    assert_eq!(stand.value("BaseAddress").await.as_deref(), Some(ADDRESS));
    let kept: Value = serde_json::from_str(&stand.value("SyncNotificationSettings").await.unwrap()).unwrap();
    assert_eq!((&kept["Recipients"], &kept["DeleteThresholdValue"]), (&json!("ops@example.test"), &json!(500)));
    assert_eq!(object["status"]["credentials"]["foreignKeys"], json!(["Url"]));
    assert_eq!(stand.saves().await, 1);
    stand.look().await;
    stand.look().await;
    assert_eq!(stand.saves().await, 1, "what means the same is not written again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_value_that_cannot_be_read_stops_the_save_and_is_named() {
    let mut stand = Stand::begin().await;
    stand.stage(&json!([{"key": "ClientSecret", "value": "somebody-elses"}])).await;
    stand.secret("box-scim", TOKEN).await;
    stand.sync_job(&[CREDENTIALS]).await;
    let object = stand.until("is incomplete", |it| ready(it, "False", "CredentialsIncomplete")).await;
    assert!(valid(&object, "False", "CredentialsIncomplete"), "{object:#}");
    assert!(condition(&object, "Ready")["message"].as_str().unwrap().contains("'ClientSecret'"));
    assert_eq!((stand.saves().await, stand.value("ClientSecret").await.as_deref()), (0, Some("somebody-elses")));
    stand.secret("client", "declared-now").await;
    let declared =
        CREDENTIALS.replace("}}}]", "}}}, {key: ClientSecret, valueFrom: {secretKeyRef: {name: client, key: token}}}]");
    stand.sync_job(&[&declared]).await;
    stand.until("runs", is_ready).await;
    assert_eq!(stand.value("ClientSecret").await.as_deref(), Some("declared-now"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_changes_is_reverted_where_it_shows_and_at_most_once_an_hour() {
    let mut stand = Stand::begin().await;
    stand.runs(&[]).await;
    // The windows of these tests are seconds, and what was saved just now may lag.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    stand.portal(&json!([{"key": "BaseAddress", "value": "https://evil.example.test"}])).await;
    stand.rig.nudge("box").await;
    let object = stand.until("reports it", |it| ready(it, "False", "CredentialsNotKept")).await;
    assert!(condition(&object, "Ready")["message"].as_str().unwrap().contains("'BaseAddress'"));
    assert_eq!(stand.saves().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_whose_answer_is_lost_is_repeated_and_one_that_is_refused_is_explained() {
    let mut stand = Stand::begin().await;
    let lost = json!({"operation": "putSecrets", "times": 1, "action": {"drop": {"commit": false}}});
    stand.rig.control.put_fault(&lost).await.unwrap();
    stand.runs(&[]).await;
    assert_eq!(stand.value("SecretToken").await.as_deref(), Some(TOKEN));
    let unknown = CREDENTIALS.replace("}}}]", "}}}, {key: WorkloadIdentityFederationEnabled, value: \"true\"}]");
    stand.sync_job(&[&unknown]).await;
    let object = stand.until("is refused", |it| ready(it, "False", "RequestRefused")).await;
    let message = condition(&object, "Ready")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("each key of `spec.credentials`") && !message.contains(TOKEN), "{message}");
    assert_eq!(stand.value("BaseAddress").await.as_deref(), Some(ADDRESS), "the set is as it was");
}
