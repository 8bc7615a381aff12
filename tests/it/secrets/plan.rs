//! What would be saved, by name and never by value.

use serde_json::json;

use super::stand::{CREDENTIALS, Stand, TOKEN};
use crate::stack::read::{effects, ready};

#[tokio::test(flavor = "multi_thread")]
async fn mode_plan_names_the_keys_that_would_change_and_saves_nothing() {
    let mut stand = Stand::begin().await;
    stand.stage(&json!([{"key": "BaseAddress", "value": "https://scim.example.test/v2"}])).await;
    stand.secret("box-scim", TOKEN).await;
    stand.sync_job(&[CREDENTIALS, "scope: Assigned", "mode: Plan"]).await;
    let object = stand.until("has a plan", |it| ready(it, "True", "ChangesPlanned")).await;
    let plan = object["status"]["plan"].as_array().unwrap();
    let messages: Vec<&str> = plan.iter().map(|change| change["message"].as_str().unwrap()).collect();
    assert!(messages.contains(&"Save credentials and settings: SecretToken, SyncAll."), "{messages:?}");
    assert!(messages.iter().any(|message| message.starts_with("Start job")), "{messages:?}");
    assert!(!object.to_string().contains(TOKEN));
    for operation in ["putSecrets", "createJob", "startJob", "validateCredentials"] {
        assert!(effects(&stand.rig.control, operation).await.is_empty(), "{operation}");
    }
}
