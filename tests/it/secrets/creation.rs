//! A job that comes to be with its credentials: in which order, and what it waits for.

use serde_json::{Value, json};

use super::stand::{ADDRESS, CREDENTIALS, Stand, TOKEN, valid};
use crate::stack::read::{calls, condition, entries, ready};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_created_then_gets_its_credentials_and_settings_and_then_starts() {
    let mut stand = Stand::begin().await;
    let object = stand.runs(&["scope: Assigned", "deleteThreshold: 500", "outOfScopeDeletions: Skip"]).await;
    let ledger = stand.rig.control.ledger().await.unwrap();
    let order: Vec<String> = entries(&ledger, &["createJob", "putSecrets", "startJob", "validateCredentials"])
        .iter()
        .map(|entry| entry["operation"].as_str().unwrap().to_owned())
        .collect();
    let changes: Vec<&str> = order.iter().map(String::as_str).filter(|name| *name != "validateCredentials").collect();
    assert_eq!(changes, ["createJob", "putSecrets", "startJob"], "{order:?}");
    assert_eq!(stand.value("BaseAddress").await.as_deref(), Some(ADDRESS));
    assert_eq!(stand.value("SecretToken").await.as_deref(), Some(TOKEN));
    assert_eq!(stand.value("SyncAll").await.as_deref(), Some("false"));
    assert_eq!(stand.value("SkipOutOfScopeDeletions").await.as_deref(), Some("True"));
    let notifications: Value = serde_json::from_str(&stand.value("SyncNotificationSettings").await.unwrap()).unwrap();
    assert_eq!(
        (&notifications["DeleteThresholdEnabled"], &notifications["DeleteThresholdValue"]),
        (&json!(true), &json!(500))
    );
    assert!(valid(&object, "True", "CredentialsAccepted"), "{object:#}");
    let credentials = &object["status"]["credentials"];
    let keys: Vec<&str> =
        credentials["keys"].as_array().unwrap().iter().map(|key| key["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["BaseAddress", "SecretToken"]);
    assert!(credentials["savedTime"].is_string() && !object.to_string().contains(TOKEN), "{credentials:#}");
    assert_eq!(
        calls(&stand.rig.control, "validateCredentials").await.len(),
        1,
        "what is saved was tested a moment ago"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_a_secret_that_comes_later_and_for_the_key_in_it() {
    let mut stand = Stand::begin().await;
    stand.sync_job(&[CREDENTIALS]).await;
    let object = stand.until("lacks its Secret", |it| ready(it, "False", "SecretNotFound")).await;
    assert!(object["status"]["jobId"].is_string() && valid(&object, "False", "SecretNotFound"), "{object:#}");
    assert!(condition(&object, "Ready")["message"].as_str().unwrap().contains("'box-scim'"));
    let namespace = stand.rig.namespace.clone();
    stand.secret_in(&namespace, "box-scim", &json!({"other": "x"})).await;
    let object = stand.until("lacks the key", |it| ready(it, "False", "SecretKeyMissing")).await;
    assert!(condition(&object, "Ready")["message"].as_str().unwrap().contains("'token'"));
    stand.secret_in(&namespace, "box-scim", &json!({"token": ""})).await;
    stand.until("has an empty value", |it| ready(it, "False", "SecretInvalid")).await;
    let ledger = stand.rig.control.ledger().await.unwrap();
    assert_eq!(
        entries(&ledger, &["putSecrets", "startJob"]),
        Vec::<Value>::new(),
        "nothing is saved or started before"
    );
    stand.secret("box-scim", &format!("{TOKEN}\n")).await;
    stand.until("runs", |it| ready(it, "True", "Running")).await;
    assert_eq!(stand.value("SecretToken").await.as_deref(), Some(TOKEN), "without the line break at its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_credentials_in_its_spec_leaves_the_set_alone() {
    let mut stand = Stand::begin().await;
    let set = json!([{"key": "BaseAddress", "value": ADDRESS}, {"key": "SecretToken", "value": TOKEN}]);
    stand.stage(&set).await;
    stand.sync_job(&[]).await;
    let object = stand.until("runs", |it| ready(it, "True", "Running")).await;
    assert!(condition(&object, "CredentialsValid").is_null() && object["status"]["credentials"].is_null());
    for operation in ["getSecrets", "putSecrets", "validateCredentials"] {
        assert_eq!(calls(&stand.rig.control, operation).await, Vec::<Value>::new(), "{operation}");
    }
}
