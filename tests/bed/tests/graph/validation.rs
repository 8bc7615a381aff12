//! Tests of credentials in both forms: codes, messages that repeat what the target answered, waits, the ledger
//! (CONTRACT §2.5).

use serde_json::{Value, json};

use super::support::{Answer, Bed, SP, TENANT};

const CANARY: &str = "canary-5f1d";
const SCIM: &str = "SystemForCrossDomainIdentityManagement";

/// A body for the form of the collection, with this token.
fn given(token: &str) -> Value {
    json!({"templateId": "scim", "useSavedCredentials": false, "credentials": [
        {"key": "BaseAddress", "value": "https://a.test/scim"}, {"key": "SecretToken", "value": token},
    ]})
}

fn message(answer: &Answer) -> String {
    answer.json()["error"]["message"].as_str().unwrap().to_owned()
}

impl Bed {
    pub async fn put_target(&self, target: Value) {
        self.control.put_target(TENANT, SP, &target).await.unwrap();
    }

    async fn validate(&self, body: Value) -> Answer {
        self.sync("POST", "jobs/validateCredentials", Some(body)).await
    }
}

#[tokio::test]
async fn each_cause_has_its_code_in_a_test() {
    let bed = Bed::new().await;
    for (verdict, code, part) in [
        ("rejected", "SCIM-Failure", "Response Status Code: Unauthorized"),
        ("forbidden", "SCIM-Failure", "Response Status Code: Forbidden"),
        ("notFound", "SCIM-Unavailable", "Response Status Code: NotFound"),
        ("serverError", "SCIM-Unavailable", "Response Status Code: InternalServerError"),
        ("throttled", "SCIM-Unavailable", "Response Status Code: TooManyRequests"),
        ("incompatible", "SCIM-Unavailable", "Response Status Code: OK"),
        ("unreachable", "SCIM-Unavailable", "Unable to connect"),
        ("unresolvable", "Unavailable", "could not be resolved: 'a.test'"),
        ("oauthUnset", "Unavailable", "Supported CredentialLocationInRequest is required"),
    ] {
        bed.put_target(json!({"verdict": verdict})).await;
        let answer = bed.validate(given("t0ken")).await;
        let code = code.replace("Failure", "CredentialValidationFailure");
        let code = code.replace("Unavailable", "CredentialValidationUnavailable").replace("SCIM-", SCIM);
        assert_eq!((answer.status, answer.code()), (400, code), "{verdict}");
        assert!(message(&answer).contains(part), "{verdict}: {}", message(&answer));
    }
    bed.put_target(json!({})).await;
    assert_eq!(bed.validate(given("t0ken")).await.status, 204);
    bed.put_target(json!({"verdict": "rejected", "status": 418})).await;
    assert!(message(&bed.validate(given("t0ken")).await).contains("Code: I'mateapot"));
}

#[tokio::test]
async fn the_message_repeats_url_operation_status_headers_content_and_the_token_that_was_tested() {
    let bed = Bed::new().await;
    bed.put_target(json!({"verdict": "rejected", "canary": CANARY})).await;
    let message = message(&bed.validate(given("the-very-token")).await);
    for part in ["https://a.test/scim/Users?filter", "Operation: GET", "Unauthorized", "Response Headers:"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let (headers, content) = message.split_once("Response Content:").unwrap();
    for (part, place) in [("header", headers), ("content", content)] {
        assert!(place.contains("Bearer the-very-token") && place.contains(CANARY), "{part}: {place}");
    }
    assert!(content.contains("alice@example.test"), "personal data");
    bed.put_target(json!({"verdict": "rejected", "canary": CANARY, "echoes": false})).await;
    let quiet = self::message(&bed.validate(given("the-very-token")).await);
    assert!(!quiet.contains("the-very-token") && quiet.contains(CANARY), "{quiet}");
}

#[tokio::test]
async fn a_password_is_repeated_as_basic_authorization() {
    let bed = Bed::new().await;
    bed.put_sp(json!({"templates": ["SfOutDelta"]})).await;
    bed.put_target(json!({"verdict": "rejected"})).await;
    let body = json!({"templateId": "SfOutDelta", "credentials": [
        {"key": "UserName", "value": "u"}, {"key": "Password", "value": "p"}, {"key": "SecretToken", "value": "s"},
    ]});
    let answer = bed.validate(body).await;
    assert_eq!(answer.code(), "SalesforceInvalidCredentials");
    assert!(message(&answer).contains("Basic dTpw"), "{}", message(&answer));
}

#[tokio::test]
async fn a_failure_is_400_or_404_or_500_or_what_the_target_answered() {
    let bed = Bed::new().await;
    for (setting, rejected, unreachable) in
        [("badRequest", 400, 400), ("notFound", 404, 404), ("serverError", 500, 500), ("target", 401, 400)]
    {
        bed.settings(json!({"validationStatus": setting})).await;
        bed.put_target(json!({"verdict": "rejected"})).await;
        assert_eq!(bed.validate(given("x")).await.status, rejected, "{setting}");
        bed.put_target(json!({"verdict": "unreachable"})).await;
        assert_eq!(bed.validate(given("x")).await.status, unreachable, "{setting}");
        bed.put_target(json!({})).await;
        assert_eq!(bed.validate(given("x")).await.status, 204, "{setting}");
    }
}

#[tokio::test]
async fn a_target_that_hangs_answers_when_the_virtual_time_has_passed() {
    let bed = Bed::new().await;
    for (target, seconds, status) in [
        (json!({"verdict": "hangs"}), 30, 400),
        (json!({"verdict": "hangs", "seconds": 90}), 90, 400),
        (json!({"seconds": 5}), 5, 204),
    ] {
        bed.put_target(target.clone()).await;
        let mut waiting = Box::pin(bed.validate(given("x")));
        let early = tokio::time::timeout(std::time::Duration::from_millis(100), &mut waiting).await;
        assert!(early.is_err(), "{target}");
        bed.advance(seconds - 1).await;
        let early = tokio::time::timeout(std::time::Duration::from_millis(100), &mut waiting).await;
        assert!(early.is_err(), "{target}: a second early");
        bed.advance(1).await;
        let answer = waiting.await;
        assert_eq!(answer.status, status, "{target}");
        assert!(status == 204 || answer.code() == format!("{SCIM}CredentialValidationUnavailable"), "{}", answer.text);
    }
    // Others are served meanwhile, and what lacks credentials waits for nobody.
    bed.put_target(json!({"verdict": "hangs"})).await;
    let lacking = json!({"templateId": "scim", "credentials": [{"key": "SecretToken", "value": "x"}]});
    let answers = tokio::time::timeout(std::time::Duration::from_secs(5), bed.validate(lacking)).await;
    assert_eq!(answers.unwrap().code(), "CredentialsMissing");
}

#[tokio::test]
async fn the_target_accepts_the_values_that_a_test_names() {
    let bed = Bed::new().await;
    bed.put_target(json!({"accepts": {"SecretToken": ["old", "new"], "BaseAddress": "https://a.test/scim"}})).await;
    for (token, status) in [("old", 204), ("new", 204), ("older", 400), ("*", 400)] {
        assert_eq!(bed.validate(given(token)).await.status, status, "{token}");
    }
    for (verdict, status, part) in [
        ("rejected", 204, ""),
        ("forbidden", 204, ""),
        ("serverError", 400, "InternalServerError"),
        ("unreachable", 400, "connect"),
    ] {
        bed.control.patch_target(TENANT, SP, &json!({"verdict": verdict})).await.unwrap();
        let answer = bed.validate(given("new")).await;
        assert_eq!(answer.status, status, "{verdict}");
        assert!(status == 204 || message(&answer).contains(part), "{verdict}");
    }
    bed.control.patch_target(TENANT, SP, &json!({"verdict": "forbidden"})).await.unwrap();
    assert!(message(&bed.validate(given("bad")).await).contains("Forbidden"));
}

#[tokio::test]
async fn oauth_client_credentials_take_the_place_of_a_token_once_one_is_seeded() {
    let bed = Bed::new().await;
    let all = [
        ("BaseAddress", "https://a.test/scim"),
        ("Oauth2ClientId", "id"),
        ("Oauth2ClientSecret", "secret"),
        ("Oauth2TokenExchangeUri", "https://a.test/token"),
        ("Oauth2AccessToken", "first"),
        ("Oauth2AccessTokenCreationTime", "2026-11-20T09:00:00Z"),
    ];
    let ask = async |keys: &[(&str, &str)]| {
        let set: Vec<Value> = keys.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        bed.validate(json!({"templateId": "scim", "credentials": set})).await
    };
    assert_eq!(ask(&all).await.status, 204);
    assert_eq!(ask(&all[1..]).await.code(), "CredentialsMissing", "the address is always needed");
    for (setting, without) in [("seeded", vec![4, 5, 4, 3, 2, 1]), ("fetched", vec![3, 2, 1])] {
        bed.settings(json!({"oauthAccessToken": setting})).await;
        for missing in without {
            let mut some = all.to_vec();
            some.remove(missing);
            let answer = ask(&some).await;
            assert_eq!((answer.status, answer.code().as_str()), (400, "CredentialValidationUnavailable"), "{some:?}");
            assert_eq!(message(&answer), "Supported CredentialLocationInRequest is required.");
        }
    }
    assert_eq!(ask(&all[..4]).await.status, 204, "fetched");
}

#[tokio::test]
async fn cross_tenant_and_cloud_sync_refuse_values_of_another_form() {
    let bed = Bed::new().await;
    bed.put_sp(json!({"templates": ["Azure2Azure", "AD2AADProvisioning"]})).await;
    let tenant = "11111111-2222-4333-8444-555555555555";
    for (template, first, second, status) in [
        ("Azure2Azure", ("CompanyId", tenant), ("AuthenticationType", "SyncPolicy"), 204),
        ("Azure2Azure", ("CompanyId", "contoso"), ("AuthenticationType", "SyncPolicy"), 400),
        ("Azure2Azure", ("CompanyId", tenant), ("AuthenticationType", "Password"), 400),
        (
            "AD2AADProvisioning",
            ("Domain", r#"{"domain":"ad.example.test"}"#),
            ("AppKey", r#"{"appKeyScenario":"AD2AADProvisioning"}"#),
            204,
        ),
        (
            "AD2AADProvisioning",
            ("Domain", "ad.example.test"),
            ("AppKey", r#"{"appKeyScenario":"AD2AADProvisioning"}"#),
            400,
        ),
        ("AD2AADProvisioning", ("Domain", r#"{"domain":"ad.example.test"}"#), ("AppKey", "{}"), 400),
    ] {
        let set = [first, second].map(|(key, value)| json!({"key": key, "value": value}));
        let answer = bed.validate(json!({"templateId": template, "credentials": set})).await;
        assert_eq!(answer.status, status, "{template} {first:?} {second:?}: {}", answer.text);
        assert!(status == 204 || answer.code() == "CredentialValidationUnavailable", "{}", answer.text);
        let one = bed.validate(json!({"templateId": template, "credentials": set[..1]})).await;
        assert_eq!(one.code(), "CredentialsMissing", "{template}");
    }
}

#[tokio::test]
async fn a_test_can_give_other_connectors_codes_of_their_own() {
    let bed = Bed::new().await;
    bed.put_target(
        json!({"verdict": "rejected", "error": {"code": "Both"}, "testError": {"code": "Test", "message": "m"}}),
    )
    .await;
    assert_eq!(bed.validate(given("x")).await.code(), "Test");
    bed.put_target(json!({"verdict": "rejected", "error": {"code": "Both"}})).await;
    assert_eq!(bed.validate(given("x")).await.code(), "Both");
}

#[tokio::test]
async fn the_ledger_has_form_keys_and_verdict_of_a_test_and_no_value() {
    let bed = Bed::new().await;
    bed.put_target(json!({"verdict": "forbidden", "canary": CANARY})).await;
    bed.validate(given("the-very-token")).await;
    let id = bed.create("scim").await;
    bed.put_target(json!({})).await;
    let saved = json!({"useSavedCredentials": "True", "applicationIdentifier": "x"});
    assert_eq!(bed.sync("POST", &format!("jobs/{id}/validateCredentials"), Some(saved)).await.status, 204);
    let lacking = bed.validate(json!({"templateId": "scim", "credentials": []})).await;
    assert_eq!(lacking.code(), "CredentialsMissing");
    let noted = bed.control.effects("validateCredentials").await.unwrap();
    let details: Vec<&Value> = noted.iter().map(|entry| &entry["detail"]).collect();
    let keys = json!(["BaseAddress", "SecretToken"]);
    assert_eq!(
        json!(details),
        json!([
            {"form": "collection", "saved": false, "keys": keys, "verdict": "forbidden",
                "code": format!("{SCIM}CredentialValidationFailure")},
            {"form": "job", "saved": true, "keys": keys, "verdict": "accepted", "code": null},
            {"form": "collection", "saved": false, "keys": [], "verdict": "missing", "code": "CredentialsMissing"},
        ])
    );
    assert_eq!((&noted[1]["jobId"], &noted[0]["jobId"]), (&json!(id), &Value::Null));
    let ledger = bed.control.ledger().await.unwrap().to_string();
    for hidden in ["the-very-token", CANARY, "t0ken", "a.test"] {
        assert!(!ledger.contains(hidden), "{hidden}");
    }
}
