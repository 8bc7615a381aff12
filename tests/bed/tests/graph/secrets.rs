//! Secrets: what a PUT keeps and refuses, what a GET shows, and when (CONTRACT §2.4, §3.10, §4.7).

use serde_json::{Value, json};

use super::support::{Answer, Bed, SP, TENANT};

fn pairs(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

impl Bed {
    pub async fn settings(&self, settings: Value) {
        self.control.put_tenant(TENANT, &settings).await.unwrap();
    }

    pub async fn put_secrets(&self, set: &[(&str, &str)]) -> Answer {
        self.sync("PUT", "secrets", Some(json!({"value": pairs(set)}))).await
    }

    pub async fn shown_secrets(&self) -> Value {
        let answer = self.sync("GET", "secrets", None).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["value"].clone()
    }

    /// As they are stored.
    pub async fn true_secrets(&self) -> Value {
        self.control.secrets(TENANT, SP).await.unwrap()["value"].clone()
    }
}

const SAVED: [(&str, &str); 2] = [("BaseAddress", "https://scim.example.test/v2"), ("SecretToken", "t0ken")];

fn message(answer: &Answer) -> String {
    answer.json()["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn observed_masks_hold_in_both_positions_and_the_other_secret_names_in_one() {
    let bed = Bed::new().await;
    let set = [("SecretToken", "a"), ("ClientSecret", "b"), ("Password", "c"), ("UserName", "d"), ("SyncAll", "true")];
    assert_eq!(bed.put_secrets(&set).await.status, 204);
    for (which, password) in [("secretLike", "*"), ("observedOnly", "c")] {
        bed.settings(json!({"maskedKeys": which})).await;
        let shown = pairs(&[
            ("SecretToken", "*"),
            ("ClientSecret", "*"),
            ("Password", password),
            ("UserName", "d"),
            ("SyncAll", "true"),
        ]);
        assert_eq!(bed.shown_secrets().await, shown, "{which}");
    }
    assert_eq!(bed.true_secrets().await, pairs(&set));
}

#[tokio::test]
async fn a_key_that_is_left_out_is_gone_or_stays() {
    let bed = Bed::new().await;
    assert_eq!(bed.put_secrets(&[("SyncAll", "false")]).await.status, 204);
    assert_eq!(bed.true_secrets().await, pairs(&[("SyncAll", "false")]));
    bed.settings(json!({"leftOutSecrets": "stay"})).await;
    assert_eq!(bed.put_secrets(&[("BaseAddress", "https://a.test"), ("SyncAll", "true")]).await.status, 204);
    assert_eq!(bed.true_secrets().await, pairs(&[("SyncAll", "true"), ("BaseAddress", "https://a.test")]));
    assert_eq!(bed.put_secrets(&[("SyncAll", "")]).await.status, 204);
    assert_eq!(bed.true_secrets().await, pairs(&[("BaseAddress", "https://a.test")]), "an empty value removes");
}

#[tokio::test]
async fn an_unknown_key_is_refused_in_the_services_words_and_nothing_is_kept() {
    let bed = Bed::new().await;
    let answer = bed.put_secrets(&[("SecretToken", "new"), ("TenantId", "x"), ("SyncAll", "true")]).await;
    assert_eq!((answer.status, message(&answer).as_str()), (400, "Requested value 'TenantId' was not found."));
    assert_eq!(bed.true_secrets().await, pairs(&SAVED));
    assert_eq!(bed.ledger("putSecrets").await, 0);
    bed.settings(json!({"unknownSecretKeys": "accepted"})).await;
    assert_eq!(bed.put_secrets(&[("TenantId", "x")]).await.status, 204);
    assert_eq!(bed.true_secrets().await, pairs(&[("TenantId", "x")]));
}

#[tokio::test]
async fn an_empty_list_is_refused_or_clears_or_does_nothing() {
    for (setting, status, left) in [("refused", 400, 2), ("clears", 204, 0), ("ignored", 204, 2)] {
        let bed = Bed::with(json!({"emptySecretSet": setting})).await;
        assert_eq!(bed.put_secrets(&[]).await.status, status, "{setting}");
        assert_eq!(bed.true_secrets().await.as_array().unwrap().len(), left, "{setting}");
    }
    let bed = Bed::new().await;
    assert_eq!(bed.put_secrets(&[("BaseAddress", ""), ("SecretToken", "")]).await.status, 204);
    assert_eq!(bed.true_secrets().await, json!([]), "an empty value for each key clears in every position");
    let null = json!({"value": [{"key": "SyncAll", "value": null}, {"key": "SecretToken"}]});
    assert_eq!(bed.sync("PUT", "secrets", Some(null)).await.status, 204);
    assert_eq!(bed.shown_secrets().await, json!([]));
}

#[tokio::test]
async fn a_mask_that_is_written_back_is_stored_or_refused() {
    let bed = Bed::new().await;
    let masked = [("BaseAddress", "*"), ("SecretToken", "*")];
    assert_eq!(bed.put_secrets(&masked).await.status, 204);
    assert_eq!(bed.true_secrets().await, pairs(&masked));
    bed.settings(json!({"maskWrittenBack": "refused"})).await;
    assert_eq!(bed.put_secrets(&masked).await.status, 400);
    assert_eq!(bed.put_secrets(&[("BaseAddress", "*")]).await.status, 204, "no mask, but a value");
}

#[tokio::test]
async fn keys_come_back_as_the_list_has_them_or_as_they_were_sent() {
    let bed = Bed::new().await;
    let sent = [("baseaddress", "https://a.test"), ("SECRETTOKEN", "x")];
    for (setting, keys) in
        [("canonical", json!(["BaseAddress", "SecretToken"])), ("asSent", json!(["baseaddress", "SECRETTOKEN"]))]
    {
        bed.settings(json!({"secretKeyCase": setting})).await;
        assert_eq!(bed.put_secrets(&sent).await.status, 204);
        let shown = bed.shown_secrets().await;
        assert_eq!(json!([shown[0]["key"], shown[1]["key"]]), keys);
        assert_eq!(shown[1]["value"], "*", "{setting}: masked in any letter case");
    }
    bed.settings(json!({"secretKeyCase": "refused"})).await;
    let answer = bed.put_secrets(&sent).await;
    assert_eq!((answer.status, message(&answer).as_str()), (400, "Requested value 'baseaddress' was not found."));
    assert_eq!(bed.put_secrets(&SAVED).await.status, 204);
}

#[tokio::test]
async fn two_values_for_one_key_leave_the_last_or_are_refused() {
    let bed = Bed::new().await;
    let twice = [("SyncAll", "true"), ("syncAll", "false")];
    assert_eq!(bed.put_secrets(&twice).await.status, 204);
    assert_eq!(bed.true_secrets().await, pairs(&[("SyncAll", "false")]));
    bed.settings(json!({"duplicateSecretKeys": "refused"})).await;
    assert_eq!(bed.put_secrets(&twice).await.status, 400);
}

#[tokio::test]
async fn a_value_that_is_no_text_is_refused_or_becomes_one() {
    let bed = Bed::new().await;
    let body = json!({"value": [{"key": "SyncAll", "value": true}, {"key": "TokenExpiration", "value": 3600}]});
    assert_eq!(bed.sync("PUT", "secrets", Some(body.clone())).await.status, 400);
    bed.settings(json!({"nonTextSecrets": "accepted"})).await;
    assert_eq!(bed.sync("PUT", "secrets", Some(body)).await.status, 204);
    assert_eq!(bed.shown_secrets().await, pairs(&[("SyncAll", "true"), ("TokenExpiration", "3600")]));
    let object = json!({"value": [{"key": "Domain", "value": {"domain": "a.test"}}]});
    assert_eq!(bed.sync("PUT", "secrets", Some(object)).await.status, 400, "JSON goes as a text");
}

#[tokio::test]
async fn reads_show_the_set_before_for_a_while_and_flap() {
    let bed = Bed::with(json!({"secretsLagMillis": 30_000})).await;
    bed.put_secrets(&[("SyncAll", "true")]).await;
    bed.advance(10).await;
    bed.put_secrets(&[("SyncAll", "false")]).await;
    assert_eq!(bed.true_secrets().await, pairs(&[("SyncAll", "false")]));
    assert_eq!(bed.shown_secrets().await[0]["key"], "BaseAddress");
    bed.advance(20).await;
    assert_eq!(bed.shown_secrets().await, pairs(&[("SyncAll", "true")]), "each change takes its own time");
    bed.advance(10).await;
    assert_eq!(bed.shown_secrets().await, pairs(&[("SyncAll", "false")]));
    bed.settings(json!({"secretsLagMillis": 30_000, "flapping": true})).await;
    bed.put_secrets(&SAVED).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(bed.shown_secrets().await.as_array().unwrap().len());
    }
    seen.dedup();
    assert_eq!(seen.len(), 4, "every answer differs from the one before: {seen:?}");
    bed.advance(30).await;
    assert_eq!(
        (bed.shown_secrets().await, bed.shown_secrets().await),
        (bed.shown_secrets().await, bed.shown_secrets().await)
    );
}

#[tokio::test]
async fn without_a_lag_a_read_shows_what_was_just_written() {
    let bed = Bed::new().await;
    bed.put_secrets(&[("SyncAll", "true")]).await;
    assert_eq!(bed.shown_secrets().await, pairs(&[("SyncAll", "true")]));
}

#[tokio::test]
async fn us_government_clouds_take_a_kilobyte() {
    let long = "x".repeat(1020);
    let bed = Bed::new().await;
    for (settings, status) in [
        (json!({}), 204),
        (json!({"cloud": "china"}), 204),
        (json!({"cloud": "usGov"}), 400),
        (json!({"cloud": "usGovDod"}), 400),
        (json!({"cloud": "usGov", "secretsLimitBytes": 2048}), 204),
        (json!({"secretsLimitBytes": 1024}), 400),
    ] {
        bed.settings(settings.clone()).await;
        let answer = bed.put_secrets(&[("SecretToken", &long), ("SyncAll", "false")]).await;
        assert_eq!(answer.status, status, "{settings}");
        assert_eq!(
            bed.put_secrets(&[("SecretToken", &long), ("SyncAll", "true")]).await.status,
            204,
            "{settings}: 1,024"
        );
        assert!(!answer.text.contains(&long));
    }
}

#[tokio::test]
async fn a_put_can_be_accepted_and_lost() {
    let bed = Bed::with(json!({"putSecrets": "lost"})).await;
    assert_eq!(bed.put_secrets(&[("SyncAll", "true")]).await.status, 204);
    assert_eq!(bed.true_secrets().await, pairs(&SAVED));
    let ledger = bed.control.ledger().await.unwrap()["value"][0].clone();
    assert_eq!((&ledger["noChange"], &ledger["detail"]["sent"]), (&json!(true), &json!(["SyncAll"])));
    bed.settings(json!({})).await;
    bed.put_secrets(&[("SyncAll", "true")]).await;
    assert_eq!(bed.true_secrets().await, pairs(&[("SyncAll", "true")]));
}

#[tokio::test]
async fn notification_settings_come_back_whole_in_the_services_order() {
    let bed = Bed::new().await;
    let key = "SyncNotificationSettings";
    for (sent, shown) in [
        (
            r#"{"DeleteThresholdValue":17,"DeleteThresholdEnabled":true}"#,
            r#"{"Enabled":false,"DeleteThresholdEnabled":true,"HumanResourcesLookaheadQueryEnabled":false,"DeleteThresholdValue":17}"#,
        ),
        (
            r#"{"recipients":"a@b.test","Enabled":"true","DeleteThresholdValue":"9"}"#,
            r#"{"Enabled":true,"DeleteThresholdEnabled":false,"HumanResourcesLookaheadQueryEnabled":false,"Recipients":"a@b.test","DeleteThresholdValue":9}"#,
        ),
        (
            "{}",
            r#"{"Enabled":false,"DeleteThresholdEnabled":false,"HumanResourcesLookaheadQueryEnabled":false,"DeleteThresholdValue":500}"#,
        ),
    ] {
        assert_eq!(bed.put_secrets(&[(key, sent)]).await.status, 204);
        assert_eq!(bed.shown_secrets().await, pairs(&[(key, shown)]));
    }
    let sent = r#"{"Later":{"b":1,"a":[2]},"Enabled":true}"#;
    let whole = r#"{"Enabled":true,"DeleteThresholdEnabled":false,"HumanResourcesLookaheadQueryEnabled":false,"DeleteThresholdValue":30"#;
    for (setting, shown) in [
        ("whole", format!("{whole}}}")),
        ("wholeAndUnknown", format!(r#"{whole},"Later":{{"a":[2],"b":1}}}}"#)),
        ("asSent", sent.to_owned()),
    ] {
        bed.settings(json!({"notificationsReadBack": setting, "deleteThresholdDefault": 30})).await;
        assert_eq!(bed.put_secrets(&[(key, sent)]).await.status, 204);
        assert_eq!(bed.shown_secrets().await, pairs(&[(key, &shown)]), "{setting}");
    }
}

#[tokio::test]
async fn notification_settings_that_are_empty_or_odd_are_refused_with_json_in_the_message() {
    let bed = Bed::new().await;
    for odd in
        ["", "x", "[]", r#"{"Enabled":3}"#, r#"{"DeleteThresholdValue":"many"}"#, r#"{"Recipients":["a@b.test"]}"#]
    {
        let answer = bed.put_secrets(&[("SyncAll", "true"), ("SyncNotificationSettings", odd)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "UnknownError"), "{odd}");
        let inner: Value = serde_json::from_str(&message(&answer)).unwrap();
        assert_eq!(inner["error"]["code"], "InvalidNotificationSettings");
        assert_eq!(bed.true_secrets().await, pairs(&SAVED), "{odd}");
    }
}
