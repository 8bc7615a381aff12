//! Bytes that others send, with input that nobody has thought of: answers, error bodies, headers, tokens and the answers of
//! the login service. Whatever arrives, a call ends in a value or in an error, within bounds, and no error repeats what it
//! was not made to repeat: everything that is put in place of a member holds the word `canary`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::super::login::tenant;
use super::super::{Error, Job, retry_after};
use super::fake::{Fake, Reply};
use crate::reconcile::observed;

/// Published answers to a list of jobs, to the request for one job, and to a list of templates.
const ANSWERS: [&str; 4] = [
    r#"{"@odata.context":"https://graph.example.test/v1.0/$metadata#x","value":[{"id":"SfSandboxOutDelta.7f0c","templateId":
    "SfSandboxOutDelta","schedule":{"expiration":null,"interval":"PT20M","state":"Active"},"status":{"countSuccessiveCompleteFailures":3,
    "escrowsPruned":false,"code":"Quarantine","lastExecution":{"activityIdentifier":"0c1e","countEntitled":0,"countEscrowed":0,
    "countExported":0,"countImported":0,"state":"Failed","timeBegan":"2026-11-20T09:00:12.1234567Z","timeEnded":
    "2026-11-20T09:00:14.7654321Z","error":{"code":"SalesforceInvalidCredentials","message":"Rejected.","tenantActionable":true}},
    "lastSuccessfulExecution":null,"progress":[],"quarantine":{"currentBegan":"2026-11-20T09:00:15Z","nextAttempt":
    "2026-11-20T15:00:15Z","reason":"EncounteredQuarantineException","seriesBegan":"2026-11-19T20:00:00Z","seriesCount":2,"error":
    {"code":"x","message":"y"}},"steadyStateFirstAchievedTime":"0001-01-01T00:00:00Z","synchronizedEntryCountByType":[{"key":
    "Users to Salesforce","value":14}],"troubleshootingUrl":""}}]}"#,
    r#"{"value":[{"id":"Azure2Azure.7f0c","templateId":"Azure2Azure","schedule":{"interval":"PT40M","state":"Disabled"},"status":
    {"code":"Paused","lastExecution":null,"quarantine":null,"troubleshootingUrl":null,"progress":[],"synchronizedEntryCountByType":[]}}],
    "@odata.nextLink":"https://graph.example.test/v1.0/next?$skiptoken=x"}"#,
    r#"{"value":[{"id":"scim","status":{"code":"NotRun","lastExecution":{"activityIdentifier":null,"state":"Failed","countExported":0,
    "timeBegan":"0001-01-01T00:00:00Z","timeEnded":"0001-01-01T00:00:00Z","error":{"code":"None","message":""}}}}]}"#,
    r#"{"value":[]}"#,
];
/// Published bodies of errors of Graph.
const ERRORS: [&str; 3] = [
    r#"{"error":{"code":"UnknownError","message":"","innerError":{"date":"2026-11-20","request-id":"1","client-request-id":"2"}}}"#,
    r#"{"error":{"code":"TooManyRequests","message":"Please retry again later.","innerError":{"code":"429","date":"2026-11-20",
    "message":"Please retry after","request-id":"1","client-request-id":"2","status":"429"}}}"#,
    r#"{"error":{"code":"InvalidAuthenticationToken","message":"Access token has expired or is not yet valid.","details":[]}}"#,
];
/// Published answers of the login service.
const LOGINS: [&str; 3] = [
    r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1","error_codes":
    [7000215],"timestamp":"2026-11-20 10:00:00Z","trace_id":"1","correlation_id":"2","error_uri":"https://login/error?code=7000215"}"#,
    r#"{"error":"temporarily_unavailable","error_description":"AADSTS90033: A transient error has occurred.","error_codes":[90033]}"#,
    r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"canary.canary.canary"}"#,
];
/// What an error repeats on purpose, capped; nothing is put in place of these.
const REPEATED: [&str; 4] = ["/error/code", "/error/message", "/error", "/error_description"];

/// `PROPTEST_CASES` may ask for more.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(500), failure_persistence: None, ..usual }
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = "\\PC{0,20}".prop_map(|text| Value::from(format!("canary{text}")));
    let leaf = prop_oneof![
        text,
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec!["9999-12-31T23:59:59Z", "-009999-01-01T00:00:00Z", "2026-11-20T09:00:15+99:99", ""])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("canary\\PC{0,8}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The places of all values in an answer.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in members {
        let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        places(value, &place, all);
        all.push(place);
    }
}

/// One of these answers with some of its values exchanged.
fn exchanged(answers: &'static [&'static str]) -> impl Strategy<Value = String> {
    let one = select(answers).prop_flat_map(|answer| {
        let answer: Value = serde_json::from_str(answer).unwrap();
        let mut all = Vec::new();
        places(&answer, "", &mut all);
        all.retain(|place| !REPEATED.contains(&place.as_str()));
        all.push("/none".to_owned());
        (Just(answer), proptest::collection::vec((select(all), any_value()), 0..4))
    });
    one.prop_map(|(mut answer, changes)| {
        for (place, value) in changes {
            // An earlier change may have removed the place of a later one.
            if let Some(at) = answer.pointer_mut(&place) {
                *at = value;
            }
        }
        answer.to_string()
    })
}

/// The same, or cut anywhere, or something else altogether.
fn body(answers: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        4 => exchanged(answers),
        1 => (exchanged(answers), any::<prop::sample::Index>()).prop_map(|(text, end)| {
            let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            text[..ends[end.index(ends.len())]].to_owned()
        }),
        1 => any_value().prop_map(|value| value.to_string()),
        1 => "<html>canary\\PC{0,40}",
        1 => "[\\[{\"]{1,200}",
    ]
}

/// One list, over a client that is new each time.
fn list(login: Reply, graph: Reply) -> (Result<Vec<Job>, Error>, Instant) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let fake = Fake::new();
        fake.login(login);
        fake.graph(graph);
        (fake.client().list_jobs("sp").await, Instant::now())
    })
}

/// An error is short, on one line, and asks to wait for an hour at most.
fn judge(error: &Error, now: Instant) -> Result<(), TestCaseError> {
    let shown = format!("{error} {error:?} {:?}", error.trace());
    prop_assert!(!shown.contains("canary"), "{}", shown);
    prop_assert!(shown.chars().count() < 3000 && !error.to_string().contains(char::is_control), "{}", shown);
    prop_assert!(error.retry_at.is_none_or(|at| at <= now + Duration::from_secs(3600)), "{}", shown);
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_answer_is_read_whole_or_is_an_error_that_repeats_nothing_of_it(body in body(&ANSWERS)) {
        match list(Reply::token(), Reply::body(200, &body)) {
            (Ok(jobs), _) => {
                for job in jobs {
                    prop_assert!(!job.id.is_empty());
                    let shown = observed(job, Timestamp::UNIX_EPOCH).shown;
                    prop_assert!(shown.troubleshooting_url.is_none_or(|url| url.len() <= 4 * 2048));
                    prop_assert!(shown.entries.len() <= 32);
                }
            }
            (Err(error), now) => judge(&error, now)?,
        }
    }

    #[test]
    fn a_refusal_repeats_its_code_and_message_only(
        status in prop_oneof![300_u16..600, select(vec![401, 403, 404, 429, 503])],
        body in body(&ERRORS),
        wait in prop_oneof![Just(String::new()), "[0-9]{1,40}(\\.[0-9]{1,40})?", "[ -~]{0,30}"],
    ) {
        let headers = vec![("retry-after", wait), ("date", "Tue, 24 Nov 2026 10:00:00 GMT".to_owned())];
        let (answer, now) = list(Reply::token(), Reply::Answer { status, headers, body });
        let error = answer.expect_err("only 200, 201, 202 and 204 are a success");
        judge(&error, now)?;
    }

    #[test]
    fn a_wait_is_what_the_header_asks_for_up_to_an_hour(
        value in proptest::collection::vec(any::<u8>(), 0..40),
        date in "[ -~]{0,40}",
        seconds in 0_u64..10_000,
        later in 0_u64..10_000,
    ) {
        let of = |value: &[u8], date: &str| {
            let Ok(value) = http::HeaderValue::from_bytes(value) else { return None };
            let answer = http::Response::builder().header("retry-after", value).header("date", date).body(()).unwrap();
            retry_after::of(&answer)
        };
        prop_assert!(of(&value, &date).is_none_or(|wait| wait <= Duration::from_secs(3600)));
        let most = |seconds: u64| Some(Duration::from_secs(seconds.min(3600)));
        prop_assert_eq!(of(seconds.to_string().as_bytes(), &date), most(seconds));
        let from = std::time::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let until = httpdate::fmt_http_date(from + Duration::from_secs(later));
        prop_assert_eq!(of(until.as_bytes(), &httpdate::fmt_http_date(from)), most(later));
    }

    #[test]
    fn the_tenant_of_a_token_is_a_guid_or_nothing(
        token in prop_oneof!["\\PC{0,80}", "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_=-]{0,80}\\.[A-Za-z0-9_-]{0,40}"],
        tid in any_value(),
        guid in any::<u128>(),
    ) {
        let with = |tid: &Value| {
            let claims = serde_json::json!({"aud": "00000003-0000-0000-c000-000000000000", "tid": tid}).to_string();
            tenant::of_token(&format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims)))
        };
        for tenant in [tenant::of_token(&token), with(&tid)].into_iter().flatten() {
            prop_assert!(tenant.len() == 36 && Uuid::try_parse(&tenant).is_ok(), "{}", tenant);
        }
        let guid = Uuid::from_u128(guid).to_string();
        prop_assert_eq!(with(&Value::from(guid.to_uppercase())), Some(guid));
    }

    #[test]
    fn a_login_gives_a_token_or_an_error_that_repeats_neither_token_nor_secret(
        status in prop_oneof![2 => Just(200_u16), 1 => 201_u16..600, 1 => select(vec![400, 401, 429, 503])],
        body in body(&LOGINS),
        wait in prop_oneof![Just(String::new()), "[0-9]{1,40}(\\.[0-9]{1,40})?"],
    ) {
        let login = Reply::Answer { status, headers: vec![("retry-after", wait)], body };
        if let (Err(error), now) = list(login, Reply::empty_list()) {
            judge(&error, now)?;
        }
    }

    #[test]
    fn a_token_of_any_life_serves_the_call_that_logged_in(life in prop_oneof![any::<i64>(), 0_i64..5000, 0_i64..1_000_000_000_000]) {
        let token = serde_json::json!({"token_type": "Bearer", "expires_in": life, "access_token": "canary"});
        let (answer, _) = list(Reply::body(200, &token.to_string()), Reply::empty_list());
        prop_assert!(answer.is_ok(), "{:?}", answer);
    }
}
