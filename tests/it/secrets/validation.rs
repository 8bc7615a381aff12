//! The service's test of credentials: each way in which it can end has its own reason, and Warn, Require and Skip do what
//! their names say.

use serde_json::{Value, json};

use super::stand::{CREDENTIALS, Stand, TOKEN, valid};
use crate::stack::read::{calls, condition, is_ready, ready};

/// What the target does, and what people read: status and reason of CredentialsValid, and a word of the message.
fn cases() -> Vec<(Value, &'static str, &'static str, &'static str)> {
    vec![
        (json!({"verdict": "rejected"}), "False", "CredentialsRejectedByTarget", "rejected the credentials"),
        (json!({"verdict": "forbidden"}), "False", "CredentialsRejectedByTarget", "rejected the credentials"),
        (json!({"verdict": "notFound"}), "False", "TargetUnreachable", "did not understand its answer"),
        (json!({"verdict": "serverError"}), "False", "TargetUnreachable", "did not understand its answer"),
        (json!({"verdict": "unresolvable"}), "False", "TargetUnreachable", "DNS"),
        (json!({"verdict": "unreachable"}), "False", "TargetUnreachable", "firewall"),
        (json!({"verdict": "oauthUnset"}), "False", "TargetUnreachable", "CredentialValidationUnavailable"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_in_which_a_target_fails_has_its_reason_and_nothing_of_its_answer_is_shown() {
    let mut stand = Stand::begin().await;
    stand.secret("box-scim", TOKEN).await;
    for (number, (target, status, reason, word)) in cases().into_iter().enumerate() {
        let mut target = target;
        target["canary"] = json!("canary-of-the-answer");
        stand.target(&target).await;
        // Another value each time, so that it is tested.
        let address = CREDENTIALS.replace("/v2", &format!("/v{number}"));
        stand.sync_job(&[&address, "credentialValidation: Warn"]).await;
        let fresh = format!("/v{number}");
        let object = stand
            .until(&format!("is {reason} for {target}"), |it| {
                valid(it, status, reason) && it["spec"].to_string().contains(&fresh) && is_ready(it)
            })
            .await;
        let message = condition(&object, "CredentialsValid")["message"].as_str().unwrap().to_owned();
        assert!(message.contains(word), "{target}: {message}");
        assert!(!object.to_string().contains("canary-of"), "{object:#}");
        assert!(stand.value("BaseAddress").await.unwrap().ends_with(&fresh), "Warn saves what fails");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn require_neither_saves_nor_starts_before_the_test_passes() {
    let mut stand = Stand::begin().await;
    stand.secret("box-scim", "wrong").await;
    stand.sync_job(&[CREDENTIALS, "credentialValidation: Require", "pollIntervalSeconds: 60"]).await;
    let object = stand.until("is rejected", |it| ready(it, "False", "CredentialsRejectedByTarget")).await;
    assert!(condition(&object, "Ready")["message"].as_str().unwrap().contains("not saved"), "{object:#}");
    assert_eq!((stand.saves().await, stand.value("SecretToken").await), (0, None));
    assert_eq!(calls(&stand.rig.control, "startJob").await, Vec::<Value>::new());
    stand.secret("box-scim", TOKEN).await;
    stand.rig.nudge("box").await;
    stand.until("runs", is_ready).await;
    assert_eq!(stand.value("SecretToken").await.as_deref(), Some(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_asks_the_target_nothing_and_warn_hears_of_it_when_the_target_recovers() {
    let mut stand = Stand::begin().await;
    stand.target(&json!({"verdict": "rejected"})).await;
    let object = stand.runs(&["credentialValidation: Skip"]).await;
    assert!(valid(&object, "Unknown", "CredentialsUntested"), "{object:#}");
    assert_eq!(calls(&stand.rig.control, "validateCredentials").await, Vec::<Value>::new());
    stand.sync_job(&[CREDENTIALS]).await;
    stand.until("was tested as it is saved", |it| valid(it, "False", "CredentialsRejectedByTarget")).await;
    assert_eq!(stand.saves().await, 1, "what is saved is not saved again to be tested");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_hangs_holds_up_nobody_else() {
    let mut stand = Stand::begin().await;
    stand.target(&json!({"verdict": "hangs", "seconds": 20})).await;
    stand.secret("box-scim", TOKEN).await;
    stand.sync_job(&[CREDENTIALS]).await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while calls(&stand.rig.control, "validateCredentials").await.is_empty() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let other = stand.rig.demo.service_principal_id.clone();
    stand.rig.apply(&crate::stack::read::manifest("neighbour", &other, crate::life::BOX, &[])).await;
    stand.rig.until("neighbour", "runs meanwhile", is_ready).await;
    let object = stand.until("runs too", is_ready).await;
    let reason = condition(&object, "CredentialsValid")["reason"].as_str().unwrap().to_owned();
    assert!(["TargetUnreachable", "CredentialsUntested"].contains(&reason.as_str()), "{reason}");
}
