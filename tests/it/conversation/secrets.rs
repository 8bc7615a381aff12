//! Credentials and settings: read, saved and tested, in each way in which that can end.

use std::time::Duration;

use entrain::graph::{Availability, Error, Kind, Processed, SecretPair, TestOutcome, Tested};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Talk, respond, respond_with};

const CANARY: &str = "canary-5f1d";
const SCIM: &str = "SystemForCrossDomainIdentityManagement";

fn pair(key: &str, value: &str) -> SecretPair {
    SecretPair { key: key.to_owned(), value: value.into() }
}

/// What a SCIM application needs.
fn scim(token: &str) -> [SecretPair; 2] {
    [pair("BaseAddress", "https://scim.example.test/v2"), pair("SecretToken", token)]
}

impl Talk {
    /// An application with these templates.
    async fn offering(templates: &[&str]) -> Self {
        let talk = Self::with(|options| options.test_timeout = Duration::from_millis(600)).await;
        talk.put_principal(json!({"templates": templates})).await;
        talk.control.put_secrets(&talk.demo.tenant_id, talk.service_principal(), &json!([])).await.unwrap();
        talk
    }

    async fn put_principal(&self, principal: Value) {
        self.control.put_service_principal(&self.demo.tenant_id, self.service_principal(), &principal).await.unwrap();
    }

    async fn settings(&self, settings: Value) {
        self.control.put_tenant(&self.demo.tenant_id, &settings).await.unwrap();
    }

    async fn target(&self, target: Value) {
        self.control.put_target(&self.demo.tenant_id, self.service_principal(), &target).await.unwrap();
    }

    async fn job(&self, template: &str) -> String {
        let create = self.client.create_job(self.service_principal(), template, uuid::Uuid::new_v4(), &|| true);
        create.await.unwrap().id
    }

    async fn save(&self, set: &[SecretPair]) -> Result<(), Error> {
        self.client.save_secrets(self.service_principal(), set, &|| true).await
    }

    async fn test(&self, job: &str, tested: Tested<'_>) -> Result<TestOutcome, Error> {
        self.client.test_credentials(self.service_principal(), job, tested, &|| true).await
    }

    /// What is stored, with the values of secrets.
    async fn stored(&self) -> Vec<(String, String)> {
        let set = self.control.secrets(&self.demo.tenant_id, self.service_principal()).await.unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        set["value"].as_array().unwrap().iter().map(|pair| (text(&pair["key"]), text(&pair["value"]))).collect()
    }

    async fn shown(&self) -> Vec<(String, String)> {
        let set = self.client.list_secrets(self.service_principal()).await.unwrap();
        set.into_iter().map(|pair| (pair.key, pair.value.expose_secret().to_owned())).collect()
    }
}

fn texts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn rejected(code: &str) -> TestOutcome {
    TestOutcome::Rejected { code: code.to_owned() }
}

fn unreachable(code: &str) -> TestOutcome {
    TestOutcome::Unreachable { code: code.to_owned() }
}

#[tokio::test]
async fn a_set_is_replaced_as_a_whole_and_comes_back_with_its_secrets_masked() {
    let talk = Talk::offering(&["scim"]).await;
    assert_eq!(talk.shown().await, []);
    let set = [scim("t0ken").as_slice(), &[pair("SyncAll", "false")]].concat();
    talk.save(&set).await.unwrap();
    let base = ("BaseAddress", "https://scim.example.test/v2");
    assert_eq!(talk.stored().await, texts(&[base, ("SecretToken", "t0ken"), ("SyncAll", "false")]));
    assert_eq!(talk.shown().await, texts(&[base, ("SecretToken", "*"), ("SyncAll", "false")]));
    talk.save(&scim("an\"other\\\u{1}")).await.unwrap();
    assert_eq!(talk.stored().await, texts(&[base, ("SecretToken", "an\"other\\\u{1}")]));
}

#[tokio::test]
async fn each_kind_of_target_has_its_outcome() {
    let talk = Talk::offering(&["scim", "SfOutDelta"]).await;
    let (job, set) = (talk.job("scim").await, scim("t0ken"));
    let (failure, unavailable) =
        (format!("{SCIM}CredentialValidationFailure"), format!("{SCIM}CredentialValidationUnavailable"));
    for (verdict, outcome) in [
        ("accepted", TestOutcome::Accepted),
        ("rejected", rejected(&failure)),
        ("forbidden", rejected(&failure)),
        ("notFound", unreachable(&unavailable)),
        ("serverError", unreachable(&unavailable)),
        ("throttled", unreachable(&unavailable)),
        ("incompatible", unreachable(&unavailable)),
        ("unreachable", unreachable(&unavailable)),
        ("unresolvable", unreachable("CredentialValidationUnavailable")),
        ("oauthUnset", unreachable("CredentialValidationUnavailable")),
        ("hangs", TestOutcome::NoAnswer),
    ] {
        talk.target(json!({"verdict": verdict})).await;
        assert_eq!(talk.test(&job, Tested::Supplied(&set)).await.unwrap(), outcome, "{verdict}");
    }
    talk.target(json!({"verdict": "rejected"})).await;
    let salesforce = [pair("UserName", "u"), pair("Password", "p"), pair("SecretToken", "s")];
    let other = talk.job("SfOutDelta").await;
    let outcome = talk.test(&other, Tested::Supplied(&salesforce)).await.unwrap();
    assert_eq!(outcome, rejected("SalesforceInvalidCredentials"));
    for code in [format!("{SCIM}InvalidCredentials"), format!("{SCIM}ServiceIncompatible"), "Other".to_owned()] {
        talk.target(json!({"verdict": "rejected", "testError": {"code": code, "message": CANARY}})).await;
        let outcome = match code.as_str() {
            "Other" => TestOutcome::Unclear { code },
            code if code.ends_with("Incompatible") => unreachable(code),
            code => rejected(code),
        };
        assert_eq!(talk.test(&job, Tested::Supplied(&set)).await.unwrap(), outcome);
    }
    assert_eq!(talk.stored().await, [], "nothing of a test is stored");
}

#[tokio::test]
async fn what_is_saved_is_tested_as_well_and_what_is_missing_is_rejected() {
    let talk = Talk::offering(&["scim"]).await;
    let job = talk.job("scim").await;
    talk.target(json!({"accepts": {"SecretToken": "t0ken"}})).await;
    assert_eq!(talk.test(&job, Tested::Saved).await.unwrap(), rejected("CredentialsMissing"));
    assert_eq!(talk.test(&job, Tested::Supplied(&[])).await.unwrap(), rejected("CredentialsMissing"));
    talk.save(&scim("t0ken")).await.unwrap();
    assert_eq!(talk.test(&job, Tested::Saved).await.unwrap(), TestOutcome::Accepted);
    let wrong = talk.test(&job, Tested::Supplied(&scim("other"))).await.unwrap();
    assert_eq!(wrong, rejected(&format!("{SCIM}CredentialValidationFailure")));
}

#[tokio::test]
async fn the_status_of_a_refused_test_may_be_another_and_even_that_of_the_target() {
    let talk = Talk::offering(&["scim"]).await;
    let (job, set) = (talk.job("scim").await, scim("t0ken"));
    for status in ["badRequest", "notFound", "serverError", "target"] {
        talk.settings(json!({"validationStatus": status})).await;
        for (verdict, rejects) in [("rejected", true), ("forbidden", true), ("serverError", false)] {
            talk.target(json!({"verdict": verdict})).await;
            let outcome = talk.test(&job, Tested::Supplied(&set)).await.unwrap();
            let code = format!("{SCIM}CredentialValidation{}", if rejects { "Failure" } else { "Unavailable" });
            assert_eq!(outcome, if rejects { rejected(&code) } else { unreachable(&code) }, "{status} {verdict}");
        }
    }
    let gone = talk.test("no-such-job", Tested::Saved).await.unwrap_err();
    assert_eq!(gone.kind, Kind::NotFound);
}

#[tokio::test]
async fn nothing_of_what_a_target_or_graph_repeats_is_kept() {
    let talk = Talk::offering(&["scim"]).await;
    let (job, set) = (talk.job("scim").await, scim("canary-token-1"));
    talk.target(json!({"verdict": "rejected", "canary": CANARY, "echoes": true})).await;
    let shown = format!("{:?}", talk.test(&job, Tested::Supplied(&set)).await);
    assert!(shown.contains("CredentialValidationFailure"), "{shown}");
    for part in ["canary", "Bearer", "alice", "scim.example.test"] {
        assert!(!shown.contains(part), "{part}: {shown}");
    }

    let echo = format!("Authorization: Bearer {CANARY} of alice@example.test");
    for status in [400, 401, 403, 404, 409, 500, 503] {
        for operation in ["validateCredentials", "putSecrets"] {
            let answer = json!({"respond": {"status": status, "code": "BadRequest", "message": echo}});
            talk.fault(operation, 1, answer).await;
        }
        let shown = format!("{:?} {:?}", talk.test(&job, Tested::Supplied(&set)).await, talk.save(&set).await);
        assert!(!shown.contains("canary") && !shown.contains("alice"), "{status}: {shown}");
        let error = talk.list_with(&echo, status).await;
        assert!(!error.contains("canary") && !error.contains("alice"), "{status}: {error}");
    }
    let unknown = talk.save(&[pair("canary-key", CANARY)]).await;
    assert!(!format!("{unknown:?}").contains("canary"), "{unknown:?}");
}

impl Talk {
    /// The error of another call whose message has this text.
    async fn list_with(&self, text: &str, status: u16) -> String {
        self.fault("getSecrets", 1, json!({"respond": {"status": status, "code": "BadRequest", "message": text}}))
            .await;
        let error = self.client.list_secrets(self.service_principal()).await.unwrap_err();
        assert!(error.message.contains("[…]"), "{error:?}");
        format!("{error:?} {error}")
    }
}

#[tokio::test]
async fn a_target_that_hangs_costs_other_calls_nothing() {
    let talk = Talk::offering(&["scim"]).await;
    let (job, set) = (talk.job("scim").await, scim("t0ken"));
    talk.target(json!({"verdict": "hangs", "seconds": 3600})).await;
    for _ in 0..6 {
        assert_eq!(talk.test(&job, Tested::Supplied(&set)).await.unwrap(), TestOutcome::NoAnswer);
    }
    assert_eq!(talk.client.availability(), Availability::Open);
    talk.list().await.unwrap();
    talk.target(json!({})).await;
    talk.fault("validateCredentials", 1, respond_with(503, "retry-after", "60")).await;
    assert_eq!(talk.test(&job, Tested::Supplied(&set)).await.unwrap(), TestOutcome::NoAnswer);
    assert_eq!(talk.client.availability(), Availability::Open);
    for fault in [json!({"drop": {}}), json!({"cutBody": {"afterBytes": 0}}), respond(504, "GatewayTimeout")] {
        talk.fault("validateCredentials", 1, fault.clone()).await;
        let outcome = talk.test(&job, Tested::Supplied(&set)).await.unwrap();
        assert_eq!(outcome, TestOutcome::NoAnswer, "{fault}");
    }
    talk.fault("validateCredentials", 1, respond_with(429, "retry-after", "60")).await;
    assert_eq!(talk.test(&job, Tested::Supplied(&set)).await.unwrap_err().kind, Kind::Throttled);
    assert!(matches!(talk.client.availability(), Availability::Shut { .. }));
}

#[tokio::test]
async fn a_lost_answer_of_a_save_leaves_open_which_set_is_stored() {
    let talk = Talk::with(|options| options.call_timeout = Duration::from_millis(500)).await;
    for commit in [false, true] {
        for action in ["drop", "hang", "respond"] {
            talk.save(&[pair("SyncAll", "before")]).await.unwrap();
            let mut detail = json!({"commit": commit});
            if action == "respond" {
                detail["status"] = json!(502);
            }
            talk.fault("putSecrets", 1, json!({action: detail})).await;
            let arrived = talk.arrived("putSecrets").await;
            let error = talk.save(&[pair("SyncAll", "after")]).await.unwrap_err();
            assert_eq!(error.processed, Processed::Unknown, "{action}: {error}");
            assert_eq!(talk.arrived("putSecrets").await - arrived, 1, "{action}: it is not repeated");
            let stored = if commit { "after" } else { "before" };
            assert_eq!(talk.stored().await, texts(&[("SyncAll", stored)]), "{action}");
        }
    }
    talk.fault("putSecrets", 1, json!({"lateCommit": {"millis": 300}})).await;
    let error = talk.save(&[pair("SyncAll", "late")]).await.unwrap_err();
    assert_eq!((error.kind, error.processed), (Kind::Network, Processed::Unknown));
    let committed = async { while talk.stored().await != texts(&[("SyncAll", "late")]) {} };
    tokio::time::timeout(Duration::from_secs(20), committed).await.expect("the set is stored in the end");
}

#[tokio::test]
async fn a_refused_save_stores_nothing_and_proves_it() {
    let talk = Talk::offering(&["scim"]).await;
    talk.save(&scim("t0ken")).await.unwrap();
    let before = talk.stored().await;
    let error = talk.save(&[pair("SyncAll", "true"), pair("TenantId", "x")]).await.unwrap_err();
    assert_eq!((error.kind, error.processed, error.message.as_str()), (Kind::Rejected, Processed::No, ""));
    assert!(error.request_id.is_some() && error.date.is_some(), "{error:?}");
    let location = format!("{}/v1.0/elsewhere", talk.simulator.ready().url);
    talk.fault("putSecrets", 1, json!({"redirect": {"location": location, "status": 307}})).await;
    assert_eq!(talk.save(&scim("other")).await.unwrap_err().kind, Kind::Refused);
    assert_eq!(talk.arrived("unknownWrite").await, 0, "no secret follows a redirect");
    assert_eq!(talk.stored().await, before);
}

#[tokio::test]
async fn a_permission_that_has_ended_lets_no_secret_leave() {
    let talk = Talk::offering(&["scim"]).await;
    let (job, set, sp) = (talk.job("scim").await, scim("t0ken"), talk.service_principal());
    let outcomes = [
        talk.client.save_secrets(sp, &set, &|| false).await,
        talk.client.test_credentials(sp, &job, Tested::Supplied(&set), &|| false).await.map(drop),
    ];
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind, Kind::Withheld);
    }
    assert_eq!((talk.arrived("putSecrets").await, talk.arrived("validateCredentials").await), (0, 0));
}

/// The object id of our own service principal.
const OURS: &str = "5f0e7a10-6d0a-4f0e-9f52-8a4f3f1f7a11";

/// Of each call, whether a client with this role may make it: reading, saving and testing.
async fn permitted(role: &str, owner: bool) -> [bool; 3] {
    let talk = Talk::offering(&["scim"]).await;
    let job = talk.job("scim").await;
    let (tenant, client) = (&talk.demo.tenant_id, &talk.demo.client_id);
    let application = json!({"secrets": [{"value": talk.demo.client_secret}], "roles": [role]});
    talk.control.put_application(tenant, client, &application).await.unwrap();
    talk.control.put_service_principal(tenant, OURS, &json!({"appId": client})).await.unwrap();
    let owners = if owner { vec![OURS] } else { Vec::new() };
    talk.put_principal(json!({"templates": ["scim"], "owners": owners})).await;
    talk.control.revoke_tokens().await.unwrap();
    let (set, sp) = (scim("t0ken"), talk.service_principal());
    let answers = [
        talk.client.list_secrets(sp).await.map(drop),
        talk.save(&set).await,
        talk.test(&job, Tested::Supplied(&set)).await.map(drop),
    ];
    answers.map(|answer| {
        let kind = answer.err().map(|error| error.kind);
        assert!(kind.is_none_or(|kind| kind == Kind::Unauthorized), "{kind:?}");
        kind.is_none()
    })
}

#[tokio::test]
async fn each_call_needs_the_right_to_write_synchronization_or_ownership_and_no_more() {
    assert_eq!(permitted("Synchronization.ReadWrite.All", false).await, [true; 3]);
    assert_eq!(permitted("Application.ReadWrite.OwnedBy", true).await, [true; 3]);
    assert_eq!(permitted("Application.ReadWrite.OwnedBy", false).await, [false; 3]);
    assert_eq!(permitted("Application.Read.All", true).await, [false; 3]);
    let reader = permitted("Synchronization.Read.All", false).await;
    assert_eq!(reader, [false; 3], "whether reading is enough to read secrets is not documented: count on no");
}

#[tokio::test]
async fn a_token_that_is_invalid_is_replaced_and_the_request_repeated_once() {
    for operation in ["putSecrets", "validateCredentials"] {
        let talk = Talk::offering(&["scim"]).await;
        let (job, set) = (talk.job("scim").await, scim("t0ken"));
        talk.fault(operation, 1, respond(401, "InvalidAuthenticationToken")).await;
        talk.save(&set).await.unwrap();
        assert_eq!(talk.test(&job, Tested::Saved).await.unwrap(), TestOutcome::Accepted);
        let arrived = talk.arrived("putSecrets").await + talk.arrived("validateCredentials").await;
        assert_eq!(arrived, 3, "{operation}");
    }
}
