//! Cycles with credentials that fail: their codes, and what lifts a quarantine (CONTRACT §2.5, §4.4).

use serde_json::{Value, json};

use super::support::{Bed, SP, TENANT, state};

const SCIM: &str = "SystemForCrossDomainIdentityManagement";
const WRONG: [(&str, &str); 2] = [("BaseAddress", "https://a.test"), ("SecretToken", "wrong")];
const RIGHT: [(&str, &str); 2] = [("BaseAddress", "https://a.test"), ("SecretToken", "right")];

impl Bed {
    /// A job in quarantine, because its token is not the one that the target accepts.
    async fn with_wrong_token() -> (Self, String) {
        let bed = Self::new().await;
        bed.put_target(json!({"accepts": {"SecretToken": "right"}})).await;
        assert_eq!(bed.put_secrets(&WRONG).await.status, 204);
        let id = bed.create("scim").await;
        assert_eq!(bed.act(&id, "start").await, 204);
        bed.advance(310).await;
        assert_eq!(state(&bed.job(&id).await), ("Quarantine", "Active"));
        (bed, id)
    }
}

#[tokio::test]
async fn each_cause_has_its_code_in_a_cycle_and_none_is_that_of_a_test() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let (invalid, incompatible) = (format!("{SCIM}InvalidCredentials"), format!("{SCIM}ServiceIncompatible"));
    for (verdict, code, down) in [
        ("rejected", &invalid, false),
        ("forbidden", &invalid, false),
        ("notFound", &invalid, false),
        ("unresolvable", &invalid, false),
        ("oauthUnset", &invalid, false),
        ("incompatible", &incompatible, false),
        ("serverError", &invalid, true),
        ("throttled", &invalid, true),
        ("hangs", &invalid, true),
        ("unreachable", &invalid, true),
    ] {
        for setting in ["invalidCredentials", "serviceIncompatible"] {
            bed.settings(json!({"outageInCycles": setting})).await;
            bed.put_target(json!({"verdict": verdict, "canary": "canary-77"})).await;
            bed.control.run_cycle(TENANT, SP, &id, None).await.unwrap();
            let status = bed.job(&id).await["status"].clone();
            let wanted = if down && setting == "serviceIncompatible" { &incompatible } else { code };
            assert_eq!(
                (&status["quarantine"]["error"]["code"], &status["code"]),
                (&json!(wanted), &json!("Quarantine"))
            );
            let error = &status["lastExecution"]["error"];
            assert_eq!((&error["code"], &error["tenantActionable"]), (&json!(wanted), &json!(true)), "{verdict}");
            let message = error["message"].as_str().unwrap();
            assert_eq!(message.contains("canary-77"), wanted == &incompatible, "{verdict}: {message}");
        }
    }
}

#[tokio::test]
async fn new_secrets_alone_lift_no_quarantine_and_the_next_attempt_does() {
    let (bed, id) = Bed::with_wrong_token().await;
    let before = bed.job(&id).await["status"].clone();
    assert_eq!(before["quarantine"]["error"]["code"], format!("{SCIM}InvalidCredentials"));
    assert_eq!(before["quarantine"]["error"]["message"], "Please provide a valid tenant URL for your application.");
    assert_eq!(bed.put_secrets(&RIGHT).await.status, 204);
    assert_eq!(bed.job(&id).await["status"], before);
    bed.advance(200).await;
    assert_eq!(bed.job(&id).await["status"], before, "nor does time before the attempt");
    bed.advance(100 + 20 * 60 + 10).await;
    let after = bed.job(&id).await["status"].clone();
    assert_eq!((&after["code"], &after["quarantine"]), (&json!("Active"), &Value::Null));
}

#[tokio::test]
async fn a_restart_after_new_secrets_lifts_it_and_one_before_them_does_not_for_long() {
    let (bed, id) = Bed::with_wrong_token().await;
    let restart = async || {
        let scope = json!({"criteria": {"resetScope": "QuarantineState"}});
        assert_eq!(bed.sync("POST", &format!("jobs/{id}/restart"), Some(scope)).await.status, 204);
        bed.advance(310).await;
    };
    restart().await;
    let job = bed.job(&id).await;
    assert_eq!(state(&job).0, "Quarantine", "the token is still wrong");
    assert_eq!(job["status"]["quarantine"]["seriesCount"], 1, "a series of its own");
    bed.put_secrets(&RIGHT).await;
    restart().await;
    bed.advance(20 * 60).await;
    assert_eq!(state(&bed.job(&id).await), ("Active", "Active"));
}

#[tokio::test]
async fn a_secret_that_is_taken_away_in_the_portal_shows_in_the_next_cycle() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let gone = json!([{"key": "secrettoken", "value": ""}]);
    bed.control.change_secrets(TENANT, SP, &gone).await.unwrap();
    bed.control.run_cycle(TENANT, SP, &id, None).await.unwrap();
    assert_eq!(bed.job(&id).await["status"]["quarantine"]["error"]["code"], "CredentialsMissing");
}

#[tokio::test]
async fn other_connectors_have_codes_of_their_own_in_a_cycle() {
    for (template, set, code) in [
        (
            "SfOutDelta",
            json!([{"key": "UserName", "value": "u"}, {"key": "Password", "value": "p"}, {"key": "SecretToken", "value": "s"}]),
            "SalesforceInvalidCredentials",
        ),
        (
            "AD2AADProvisioning",
            json!([{"key": "Domain", "value": "ad.test"}, {"key": "AppKey", "value": "x"}]),
            "InvalidCredentials",
        ),
    ] {
        let bed = Bed::new().await;
        bed.put_sp(json!({"templates": [template], "secrets": set})).await;
        bed.put_target(json!({"verdict": "rejected"})).await;
        let id = bed.create(template).await;
        bed.act(&id, "start").await;
        bed.control.run_cycle(TENANT, SP, &id, None).await.unwrap();
        assert_eq!(bed.job(&id).await["status"]["quarantine"]["error"]["code"], code);
    }
}

#[tokio::test]
async fn an_inbound_job_needs_a_notification_address_or_runs_without_one() {
    let bed = Bed::new().await;
    bed.put_sp(json!({"templates": ["API2AAD"], "secrets": []})).await;
    let id = bed.create("API2AAD").await;
    bed.act(&id, "start").await;
    for (setting, notifications, code) in [
        ("quarantines", None, "Quarantine"),
        ("quarantines", Some(r#"{"Enabled":false,"Recipients":"a@b.test"}"#), "Quarantine"),
        ("quarantines", Some(r#"{"Enabled":true,"Recipients":" "}"#), "Quarantine"),
        ("quarantines", Some(r#"{"Enabled":true,"Recipients":"a@b.test"}"#), "Active"),
        ("runs", None, "Active"),
    ] {
        bed.settings(json!({"inboundWithoutNotifications": setting})).await;
        let pair = notifications.map(|text| json!({"key": "SyncNotificationSettings", "value": text}));
        bed.control.put_secrets(TENANT, SP, &json!(pair.into_iter().collect::<Vec<_>>())).await.unwrap();
        bed.control.run_cycle(TENANT, SP, &id, None).await.unwrap();
        assert_eq!(state(&bed.job(&id).await).0, code, "{setting} {notifications:?}");
    }
}
