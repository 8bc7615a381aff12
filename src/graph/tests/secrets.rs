//! Credentials on their way: what is sent, and that nothing of what comes back is kept but a code.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Client, Error, Kind, Processed, SecretPair, TestOutcome, Tested};
use super::fake::{Fake, Reply};
use secrecy::ExposeSecret;

fn pair(key: &str, value: &str) -> SecretPair {
    SecretPair { key: key.to_owned(), value: value.into() }
}

fn set() -> [SecretPair; 2] {
    [pair("BaseAddress", "https://scim.example.test"), pair("SecretToken", "canary-value")]
}

/// Method, path below the service principals, and body of the last request.
fn last(fake: &Fake) -> (String, Value) {
    let arrived = fake.arrived.lock();
    let last = arrived.last().unwrap();
    let head = last.head.replace("https://graph.example.test/v1.0/servicePrincipals/", "");
    (head, serde_json::from_slice(&last.body).unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn each_request_has_its_form() {
    let fake = Fake::new();
    let (client, set) = (fake.client(), set());
    let pairs = json!([
        {"key": "BaseAddress", "value": "https://scim.example.test"}, {"key": "SecretToken", "value": "canary-value"}
    ]);
    client.list_secrets("sp").await.unwrap();
    assert_eq!(last(&fake), ("GET sp/synchronization/secrets".to_owned(), Value::Null));
    fake.graph(Reply::body(204, ""));
    client.save_secrets("sp", &set, &|| true).await.unwrap();
    assert_eq!(last(&fake), ("PUT sp/synchronization/secrets".to_owned(), json!({"value": pairs})));
    client.test_credentials("sp", "a/b", Tested::Saved, &|| true).await.unwrap();
    let job = "POST sp/synchronization/jobs/a%2Fb/validateCredentials".to_owned();
    assert_eq!(last(&fake), (job.clone(), json!({"useSavedCredentials": true})));
    client.test_credentials("sp", "a/b", Tested::Supplied(&set), &|| true).await.unwrap();
    assert_eq!(last(&fake), (job, json!({"useSavedCredentials": false, "credentials": pairs})));
}

#[tokio::test(start_paused = true)]
async fn a_set_is_read_whole_or_not_at_all() {
    let fake = Fake::new();
    let client = fake.client();
    fake.graph(Reply::body(
        200,
        r#"{"@odata.context":"x","value":[{"key":"SecretToken","value":"*"},{"key":"SyncAll","value":"false"},
        {"key":"Empty","value":""},{"key":"None"},{"key":"Null","value":null},{"key":"Odd","value":{"a":1},"new":7}]}"#,
    ));
    let read = client.list_secrets("sp").await.unwrap();
    let read: Vec<_> = read.iter().map(|pair| (pair.key.as_str(), pair.value.expose_secret())).collect();
    assert_eq!(
        read,
        [("SecretToken", "*"), ("SyncAll", "false"), ("Empty", ""), ("None", ""), ("Null", ""), ("Odd", "")]
    );
    for body in ["{}", r#"{"value":null}"#, r#"{"value":[{"value":"canary"}]}"#, r#"{"value":[{"key":""}]}"#, "<html>"]
    {
        fake.graph(Reply::body(200, body));
        let error = client.list_secrets("sp").await.unwrap_err();
        assert!(error.kind == Kind::Malformed && !format!("{error:?}").contains("canary"), "{body}: {error:?}");
    }
}

#[test]
fn no_value_is_printed() {
    let (set, tested) = (set(), set());
    let shown = format!("{set:?} {:#?} {:?}", set, Tested::Supplied(&tested));
    assert!(shown.contains("SecretToken") && !shown.contains("canary") && !shown.contains("scim.example"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_sent_does_not_leave() {
    let fake = Fake::new();
    let (client, set) = (fake.client(), set());
    let outcomes = [
        client.save_secrets("sp", &set, &|| false).await,
        client.test_credentials("sp", "job", Tested::Saved, &|| false).await.map(drop),
    ];
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind, Kind::Withheld);
    }
    assert_eq!(fake.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_a_save_leaves_open_which_set_is_stored() {
    let fake = Fake::new();
    let client = fake.client();
    for (reply, processed) in [
        (Reply::Hangs, Processed::Unknown),
        (Reply::NoAnswer, Processed::Unknown),
        (Reply::body(502, ""), Processed::Unknown),
        (Reply::body(200, "<html>canary"), Processed::Unknown),
        (Reply::Unsent, Processed::No),
        (Reply::body(400, ""), Processed::No),
    ] {
        fake.graph(reply.clone());
        let (arrived, error) = (fake.calls(), client.save_secrets("sp", &set(), &|| true).await.unwrap_err());
        assert_eq!((error.processed, fake.calls() - arrived), (processed, 1), "{reply:?}");
    }
}

/// What a test and a save make of an answer: all that is kept of it.
fn kept(status: u16, body: &str) -> (Result<TestOutcome, Error>, Option<Error>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (fake, set) = (Fake::new(), set());
        let client = |reply: Reply| -> Client {
            fake.graph(reply);
            fake.client()
        };
        let reply = Reply::Answer { status, headers: vec![("x-echo", "canary".to_owned())], body: body.to_owned() };
        let tested = client(reply.clone()).test_credentials("sp", "job", Tested::Supplied(&set), &|| true).await;
        (tested, client(reply).save_secrets("sp", &set, &|| true).await.err())
    })
}

/// What a target may have put into its answer, and Graph into its own.
const ECHOES: [&str; 5] = [
    "Authorization: Bearer canary",
    "canary@example.test",
    r#"{"SecretToken":"canary"}"#,
    "StatusCode: Unauthorized, Resource: https://scim.example.test/canary?token=canary, Content: <html>canary</html>",
    "canary",
];

#[test]
fn a_refusal_leaves_a_code_and_nothing_of_its_text() {
    for echo in ECHOES {
        let inner = json!({"code": echo, "message": echo});
        let body = |code: &str| {
            json!({"error": {"code": code, "message": echo, "innerError": inner, "details": [inner]}}).to_string()
        };
        for status in [400, 401, 403, 404, 409, 412, 429, 500, 503, 302] {
            let code = "SystemForCrossDomainIdentityManagementCredentialValidationFailure";
            let shown = format!("{:?}", kept(status, &body(code)));
            assert!(shown.contains(code) && !shown.contains("canary"), "{status}: {shown}");
            let shown = format!("{:?}", kept(status, &body(&format!("{echo} canary"))));
            assert!(!shown.contains("canary"), "{status}: {shown}");
        }
    }
}

#[test]
fn the_code_of_a_connector_counts_and_not_the_status_that_may_be_the_target_s() {
    let code = "SystemForCrossDomainIdentityManagementCredentialValidationFailure";
    let body = json!({"error": {"code": code}}).to_string();
    let rejected = Ok(TestOutcome::Rejected { code: code.to_owned() });
    for status in [400, 401, 403, 404, 409, 423, 500, 502, 503, 504] {
        assert_eq!(kept(status, &body).0.map_err(|error| error.kind), rejected, "{status}");
    }
    for (status, code, kind) in [
        (429, code, Kind::Throttled),
        (401, "UnknownError", Kind::Unauthorized),
        (403, "Authorization_RequestDenied", Kind::Forbidden),
        (404, "ResourceNotFound", Kind::NotFound),
        (409, "Conflict", Kind::Conflict),
    ] {
        let body = json!({"error": {"code": code}}).to_string();
        assert_eq!(kept(status, &body).0.map_err(|error| error.kind), Err(kind), "{status}");
    }
    assert_eq!(kept(401, &body).1.unwrap().kind, Kind::Unauthorized, "no target is asked when credentials are saved");
}

#[test]
fn a_code_that_is_too_long_is_dropped() {
    for (chars, kept_whole) in [(128, true), (129, false)] {
        let code = "C".repeat(chars);
        let body = json!({"error": {"code": code}}).to_string();
        let shown = format!("{:?}", kept(400, &body));
        assert_eq!(shown.contains(&code), kept_whole, "{shown}");
        assert!(kept_whole || !shown.contains("CC"), "no part of it is kept");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_is_repeated(
        status in prop_oneof![200_u16..600, Just(400)],
        text in "\\PC{0,40}canary \\PC{0,40}",
        in_json in any::<bool>(),
    ) {
        let body = if in_json { json!({"error": {"code": text, "message": text}}).to_string() } else { text };
        let shown = format!("{:?}", kept(status, &body));
        prop_assert!(!shown.contains("canary"), "{}", shown);
    }
}
