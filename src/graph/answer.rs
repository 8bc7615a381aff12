//! The answer to a call, or the lack of one, read as what it is.

use std::time::Duration;

use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use serde_json::error::Category;

use super::budget::Reported;
use super::error::{Error, Kind, Processed, capped};
use super::operation::Operation;
use super::redact::redacted;
use super::request::Call;
use super::retry_after;
use super::transport::{BodyError, TransportError, header};

/// What came of one call. The gate, the tokens and the observer each read it.
pub(super) struct Exchange {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// How long the answer asks to wait.
    pub wait: Option<Duration>,
    /// What it says about the limits.
    pub reported: Reported,
    /// The body of a success.
    pub result: Result<Bytes, Error>,
}

impl Exchange {
    /// Nothing was given to the transport.
    pub fn unsent(error: Error) -> Self {
        Self { status: None, wait: None, reported: Reported::default(), result: Err(error) }
    }

    /// Whether this may be the failure of a target that Graph asked: no answer, or one that speaks of no answer.
    pub fn is_about_target(&self) -> bool {
        let Err(error) = &self.result else { return false };
        error.operation.asks_target()
            && match self.status {
                None => error.processed == Processed::Unknown,
                Some(status) => is_unavailable(status),
            }
    }

    /// The answer did not come within the time that a call has.
    pub fn timed_out(call: &Call<'_>) -> Self {
        let error = Error { processed: Processed::Unknown, ..call.failed(Kind::Network, NO_ANSWER) };
        Self { status: None, wait: None, reported: Reported::default(), result: Err(error) }
    }

    /// What the transport brought back.
    pub fn read(call: &Call<'_>, answer: Result<http::Response<Bytes>, TransportError>) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Self::without_answer(call, error),
        };
        let status = answer.status().as_u16();
        let (wait, reported) = (retry_after::of(&answer), Reported::by(&answer));
        let result = match status {
            200 | 201 | 202 | 204 => Ok(answer.into_body()),
            _ => Err(refusal(call, &answer)),
        };
        Self { status: Some(status), wait, reported, result }
    }

    /// A head without its body may still prove that nothing was done.
    fn without_answer(call: &Call<'_>, error: TransportError) -> Self {
        let failed = call.failed(Kind::Network, &error.to_string());
        let none = Reported::default();
        let (status, wait, reported, error) = match error {
            TransportError::Unsent(_) => (None, None, none, failed),
            TransportError::NoAnswer(_) => (None, None, none, Error { processed: Processed::Unknown, ..failed }),
            TransportError::NoBody { head, why } => {
                let status = head.status().as_u16();
                let processed = if status < 300 { Processed::Unknown } else { processed(status) };
                let kind = match why {
                    BodyError::TooLarge => Kind::Refused,
                    BodyError::BrokeOff => Kind::Network,
                };
                let error = Error { kind, processed, message: failed.message, ..header_facts(call, &head) };
                (Some(status), retry_after::of(&head), Reported::by(&head), error)
            }
        };
        Self { status, wait, reported, result: Err(error) }
    }
}

/// The longest code that is known has half of it.
const CODE_CHARS_MAX: usize = 128;

pub(super) const NO_ANSWER: &str = "no answer in time";

/// An answer that is no success.
fn refusal(call: &Call<'_>, answer: &http::Response<Bytes>) -> Error {
    let status = answer.status().as_u16();
    let (code, message) = code_and_message(call.operation, answer.body());
    let kind = if call.operation.asks_target() && status != 429 && is_connectors(&code) {
        // The status may be that of the target, which says nothing about our token, our permission or Graph.
        Kind::Rejected
    } else {
        classify(status, &code)
    };
    Error { kind, processed: processed(status), code, message, ..header_facts(call, answer) }
}

/// The beginning of an error: what the headers of an answer say.
fn header_facts<T>(call: &Call<'_>, answer: &http::Response<T>) -> Error {
    Error {
        status: Some(answer.status().as_u16()),
        request_id: header(answer, "request-id").map(capped),
        date: header(answer, "date").map(capped),
        ..call.failed(Kind::Malformed, "")
    }
}

/// The kind of an answer that is no success, by its status and its code.
fn classify(status: u16, code: &str) -> Kind {
    match status {
        401 if code == "InvalidAuthenticationToken" => Kind::TokenRejected,
        401 => Kind::Unauthorized,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        429 => Kind::Throttled,
        _ if is_unavailable(status) => Kind::Unavailable,
        300..400 => Kind::Refused,
        400..500 => Kind::Rejected,
        _ => Kind::Malformed,
    }
}

fn is_unavailable(status: u16) -> bool {
    matches!(status, 408 | 423 | 424 | 500..)
}

/// Whether a code is one: a name, and not a text that holds who knows what.
fn is_name(code: &str) -> bool {
    (1..=CODE_CHARS_MAX).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

/// Whether a code is that of a connector, and none of Graph's own that ends alike, such as `ServiceUnavailable`.
pub(super) fn is_connectors(code: &str) -> bool {
    code.contains("Credential") || code.starts_with("SystemForCrossDomainIdentityManagement")
}

/// 408 and 424 may come after an effect; so may anything that is not a 4xx. A 409 is a refusal: something else is in the
/// way.
fn processed(status: u16) -> Processed {
    match status {
        408 | 424 => Processed::Unknown,
        400..500 => Processed::No,
        _ => Processed::Unknown,
    }
}

/// Code and message of an OData error body. Every member is optional; anything that is no JSON says nothing.
fn code_and_message(operation: Operation, body: &[u8]) -> (String, String) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Default::default() };
    let text = |member: &str| body["error"][member].as_str().unwrap_or_default();
    let (code, message) = (text("code"), text("message"));
    match (is_name(code), operation.may_echo()) {
        (true, true) => (code.to_owned(), String::new()),
        (false, true) => Default::default(),
        (true, false) => (code.to_owned(), redacted(message)),
        (false, false) => (redacted(code), redacted(message)),
    }
}

/// A success that does not say what it should may still have had its effect. The error names the member that is wrong,
/// never its value.
pub(super) fn parse<T: DeserializeOwned>(call: &Call<'_>, body: &[u8]) -> Result<T, Error> {
    let json = &mut serde_json::Deserializer::from_slice(body);
    let answer = serde_path_to_error::deserialize(&mut *json).map_err(|error| place(&error));
    answer
        .and_then(|answer| json.end().map(|()| answer).map_err(|_| NOT_JSON.to_owned()))
        .map_err(|message| Error { processed: Processed::Unknown, ..call.failed(Kind::Malformed, &message) })
}

/// A success has no body, or says something in JSON: a page of somebody in between is no success.
pub(super) fn plain(call: &Call<'_>, body: &Bytes) -> Result<(), Error> {
    if body.iter().all(u8::is_ascii_whitespace) || serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        return Ok(());
    }
    Err(Error { processed: Processed::Unknown, ..call.failed(Kind::Malformed, "the answer is no JSON") })
}

const NOT_JSON: &str = "the answer is not whole JSON";

/// Where an answer is wrong. A broken text has no place worth naming: the names in it are then any text.
fn place(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    if error.inner().classify() != Category::Data {
        return NOT_JSON.to_owned();
    }
    let missing = error.inner().to_string();
    let missing = missing.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match (error.path().to_string().as_str(), missing) {
        (".", None) => "the answer cannot be read".to_owned(),
        (".", Some(member)) => format!("the answer cannot be read: '{member}' is missing"),
        (path, None) => format!("the answer cannot be read at '{path}'"),
        (path, Some(member)) => format!("the answer cannot be read at '{path}': '{member}' is missing"),
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::error::TEXT_CHARS_MAX;
    use super::super::jobs::Job;
    use super::super::pages::Page;
    use super::*;

    #[test]
    fn only_a_refusal_proves_that_nothing_was_done() {
        for status in [400, 401, 403, 404, 409, 412, 429] {
            assert_eq!(processed(status), Processed::No, "{status}");
        }
        for status in [200, 302, 408, 424, 500, 502, 503, 504] {
            assert_eq!(processed(status), Processed::Unknown, "{status}");
        }
    }

    #[test]
    fn answers_are_classified_by_status_then_code() {
        assert_eq!(classify(401, "InvalidAuthenticationToken"), Kind::TokenRejected);
        assert_eq!(classify(401, "UnknownError"), Kind::Unauthorized);
        assert_eq!(classify(503, ""), Kind::Unavailable);
        assert_eq!(classify(302, ""), Kind::Refused);
        assert_eq!(classify(418, ""), Kind::Rejected);
    }

    #[test]
    fn a_body_gives_a_code_and_a_short_clean_message_or_nothing() {
        let long = format!(r#"{{"error":{{"code":"X","message":"a\n\u0007{}"}}}}"#, "b c".repeat(5000));
        let (code, message) = code_and_message(Operation::ListJobs, long.as_bytes());
        assert_eq!(code, "X");
        assert!(message.chars().count() <= TEXT_CHARS_MAX && message.starts_with("a  b cb c"), "{message}");
        for body in ["", "<html>", "[]", r#"{"error":"x"}"#, r#"{"error":{"code":7}}"#] {
            for operation in [Operation::ListJobs, Operation::SaveSecrets] {
                assert_eq!(code_and_message(operation, body.as_bytes()), (String::new(), String::new()), "{body}");
            }
        }
    }

    #[test]
    fn a_message_has_no_secrets_and_that_about_credentials_is_not_kept() {
        let secret = "Bearer canary of canary@example.test";
        let of = |operation, code| {
            let body = serde_json::json!({"error": {"code": code, "message": secret}}).to_string();
            code_and_message(operation, body.as_bytes())
        };
        let hidden = "Bearer […] of […]";
        for operation in [Operation::ListSecrets, Operation::CreateJob, Operation::GetServicePrincipal] {
            assert_eq!(of(operation, "Request_BadRequest"), ("Request_BadRequest".to_owned(), hidden.to_owned()));
            assert_eq!(of(operation, secret), (hidden.to_owned(), hidden.to_owned()));
        }
        for operation in [Operation::SaveSecrets, Operation::TestCredentials] {
            assert_eq!(of(operation, "Request_BadRequest"), ("Request_BadRequest".to_owned(), String::new()));
            for code in [secret, "canary-canary", "cänary", "canary\n"] {
                assert_eq!(of(operation, code), (String::new(), String::new()), "{code}");
            }
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_names_the_member_and_no_value() {
        let call = Call::read(Operation::ListJobs, Url::parse("https://localhost/").unwrap());
        for (body, message) in [
            (r#"{"value":[{"id":"a"},{"canary":1}]}"#, "the answer cannot be read at 'value[1]': 'id' is missing"),
            (r#"{"value":[{"id":["canary"]}]}"#, "the answer cannot be read at 'value[0].id'"),
            (r#"{"value":[{"id":""}]}"#, "the answer cannot be read at 'value[0].id'"),
            (r#"{"value":"canary"}"#, "the answer cannot be read at 'value'"),
            (r#"{"canary":[]}"#, "the answer cannot be read: 'value' is missing"),
            (r#""canary""#, "the answer cannot be read"),
            (r#"{"value":[{"canary":{"canary"#, NOT_JSON),
            (r#"{"value":[]} canary"#, NOT_JSON),
            ("<html>canary", NOT_JSON),
            ("", NOT_JSON),
        ] {
            let error = parse::<Page<Job>>(&call, body.as_bytes()).unwrap_err();
            assert_eq!((error.message.as_str(), error.processed), (message, Processed::Unknown), "{body}");
        }
    }

    #[test]
    fn a_page_of_somebody_in_between_is_no_success() {
        let call = Call::read(Operation::TestCredentials, Url::parse("https://localhost/").unwrap());
        for (body, good) in [("", true), (" \r\n", true), ("{}", true), ("<html>", false), ("{", false)] {
            let answer = plain(&call, &Bytes::from_static(body.as_bytes()));
            assert_eq!(answer.is_ok(), good, "{body}");
            assert!(answer.is_ok() || answer.unwrap_err().processed == Processed::Unknown);
        }
    }
}
