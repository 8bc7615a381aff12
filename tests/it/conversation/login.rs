//! The login: what a refusal is called, how long it is remembered, and that it ends by itself.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entrain::graph::{Credential, Error, Kind, Processed};
use serde_json::{Value, json};

use super::{Talk, options, respond_body, respond_with};

/// A client whose refused logins are forgotten at once.
async fn forgetful() -> Talk {
    Talk::with(|options| options.login_retry = Duration::ZERO).await
}

/// The code of a refusal by the login service.
fn refused(error: &Error) -> Option<u32> {
    assert_eq!(error.kind, Kind::LoginRefused, "{error}");
    error.code.strip_prefix("AADSTS")?.parse().ok()
}

#[tokio::test]
async fn a_revoked_secret_is_named_remembered_and_recovered_from() {
    let talk = Talk::with(|options| options.login_retry = Duration::from_secs(1)).await;
    talk.control.revoke_secrets(&talk.demo.tenant_id, &talk.demo.client_id).await.unwrap();
    let error = talk.create().await.unwrap_err();
    assert_eq!(error.kind, Kind::LoginRefused);
    assert_eq!((error.code.as_str(), error.processed), ("AADSTS7000215", Processed::No));
    assert!(error.to_string().starts_with("Creating the job failed at the login: AADSTS7000215: Invalid"), "{error}");
    assert!(!format!("{error:?} {error}").contains(&talk.demo.client_secret));

    let until = error.retry_at.unwrap();
    for _ in 0..5 {
        assert_eq!(talk.list().await.unwrap_err().retry_at, Some(until));
    }
    assert_eq!(talk.arrived("token").await, 1, "a refusal is remembered");
    talk.control.restore_secrets(&talk.demo.tenant_id, &talk.demo.client_id).await.unwrap();
    tokio::time::sleep_until(until).await;
    talk.list().await.unwrap();
}

#[tokio::test]
async fn each_refusal_keeps_its_code_whatever_its_text_holds() {
    let talk = forgetful().await;
    for (code, text) in [
        (7_000_222, "The provided client secret keys for app 'a' are expired."),
        (
            700_016,
            "Application with identifier \"b\\c\" was not found \u{2014} check the tenant's name.\r\nTrace ID: x",
        ),
        (90_002, "Tenant 'd' not found.\tCheck it."),
        (53_003, "Access has been blocked by Conditional Access policies."),
    ] {
        let body = json!({"error": "invalid_client", "error_description": format!("AADSTS{code}: {text}"), "error_codes": [code]});
        talk.fault("token", 1, respond_body(401, &body.to_string())).await;
        let error = talk.list().await.unwrap_err();
        assert_eq!(refused(&error), Some(code), "{error}");
        assert!(!error.message.contains("Trace") && !error.message.chars().any(char::is_control), "{error:?}");
    }
    talk.list().await.unwrap();
}

#[tokio::test]
async fn an_unknown_application_and_an_unknown_tenant_are_told_apart() {
    let talk = Talk::begin().await;
    let nobody = "00000000-0000-4000-8000-000000000000".to_owned();
    let secret = || "x".to_owned().into();
    let (tenant_id, client_id) = (talk.demo.tenant_id.clone(), talk.demo.client_id.clone());
    let app = Credential::ClientSecret { tenant_id, client_id: nobody.clone(), secret: secret() };
    let tenant = Credential::ClientSecret { tenant_id: nobody, client_id, secret: secret() };
    for (credential, code) in [(app, 700_016), (tenant, 90_002)] {
        let client = super::client(options(&talk.simulator), credential);
        assert_eq!(refused(&client.list_jobs(talk.service_principal()).await.unwrap_err()), Some(code));
    }
}

#[tokio::test]
async fn a_login_service_in_trouble_is_no_refusal() {
    let talk = Talk::begin().await;
    let passing = json!({"error": "temporarily_unavailable", "error_codes": [90033]}).to_string();
    for action in [
        respond_body(503, "<html>"),
        respond_body(400, &passing),
        respond_body(200, "<html>a proxy's page</html>"),
        json!({"drop": {}}),
        json!({"cutBody": {"afterBytes": 12}}),
        json!({"redirect": {"location": "https://localhost/"}}),
    ] {
        // A remembered refusal would hide the next one.
        let client = super::client(options(&talk.simulator), super::secret_of(&talk.demo));
        talk.fault("token", 1, action.clone()).await;
        let error = client.list_jobs(talk.service_principal()).await.unwrap_err();
        assert_eq!((error.kind, error.processed), (Kind::LoginUnavailable, Processed::No), "{action}: {error}");
    }
}

#[tokio::test]
async fn a_throttled_login_waits_as_it_is_told() {
    let talk = Talk::begin().await;
    talk.fault("token", 1, respond_with(429, "retry-after", "1")).await;
    let error = talk.list().await.unwrap_err();
    assert_eq!(error.kind, Kind::LoginUnavailable);
    assert_eq!(talk.list().await.unwrap_err().retry_at, error.retry_at);
    assert_eq!(talk.arrived("token").await, 1);
    tokio::time::sleep_until(error.retry_at.unwrap()).await;
    talk.list().await.unwrap();
}

#[tokio::test]
async fn a_login_that_hangs_is_trouble_of_the_login_that_is_remembered_and_nothing_was_sent() {
    let talk = Talk::with(|options| options.login_timeout = Duration::from_millis(300)).await;
    talk.fault("token", 1, json!({"hang": {}})).await;
    let error = talk.create().await.unwrap_err();
    assert_eq!((error.kind, error.processed), (Kind::LoginUnavailable, Processed::No), "{error}");
    assert_eq!(talk.list().await.unwrap_err().retry_at, error.retry_at);
    assert_eq!((talk.arrived("token").await, talk.arrived("createJob").await), (1, 0));
    tokio::time::sleep_until(error.retry_at.unwrap()).await;
    talk.list().await.unwrap();
}

/// A token as Kubernetes projects it; the simulator compares its claims with the application's federated credential.
fn projected(subject: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": "https://issuer.example.test/", "sub": subject, "aud": ["api://AzureADTokenExchange"], "exp": 4_102_444_800_u64});
    format!("{}.{}.{}\n", part(json!({"alg": "RS256"})), part(claims), URL_SAFE_NO_PAD.encode("signature"))
}

#[tokio::test]
async fn a_federated_token_file_is_read_again_for_each_login() {
    let talk = forgetful().await;
    let subject = "system:serviceaccount:entrain-system:entrain";
    let credential =
        json!({"issuer": "https://issuer.example.test/", "subject": subject, "audience": "api://AzureADTokenExchange"});
    let application = json!({"federatedCredentials": [credential], "roles": ["Synchronization.ReadWrite.All"]});
    talk.control.put_application(&talk.demo.tenant_id, &talk.demo.client_id, &application).await.unwrap();

    let dir = tempfile::tempdir().unwrap();
    let token_file = dir.path().join("token");
    let (tenant_id, client_id) = (talk.demo.tenant_id.clone(), talk.demo.client_id.clone());
    let identity = Credential::WorkloadIdentity { tenant_id, client_id, token_file: token_file.clone() };
    let mut settings = options(&talk.simulator);
    settings.login_retry = Duration::ZERO;
    let client = super::client(settings, identity);
    let list = async || client.list_jobs(talk.service_principal()).await;

    let missing = list().await.unwrap_err();
    assert_eq!(missing.kind, Kind::LoginRefused, "{missing}");
    assert!(missing.message.contains("azure-workload-identity"), "{missing}");
    std::fs::write(&token_file, projected("system:serviceaccount:somebody:else")).unwrap();
    assert_eq!(refused(&list().await.unwrap_err()), Some(700_213));
    std::fs::write(&token_file, projected(subject)).unwrap();
    list().await.unwrap();

    std::fs::write(&token_file, projected("system:serviceaccount:somebody:else")).unwrap();
    list().await.unwrap();
    talk.control.revoke_tokens().await.unwrap();
    assert_eq!(refused(&list().await.unwrap_err()), Some(700_213), "the next login reads the file anew");
}
