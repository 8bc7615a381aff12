//! A request to Graph before it is sent, and a success read as what it should say.

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::error::{Error, Kind, Operation, Processed};

/// Whether a write may still be sent: asked when all waiting is over, directly before the request leaves, and again
/// before it is repeated. What was permitted before the waiting may have ended meanwhile.
pub type MaySend<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// A call before it is sent.
pub(super) struct Call<'a> {
    pub operation: Operation,
    pub method: Method,
    pub url: Url,
    pub body: Option<&'a Value>,
    pub client_request_id: Uuid,
    pub may_send: MaySend<'a>,
    /// The call ends at this instant at the latest.
    pub until: Option<Instant>,
}

impl Call<'_> {
    pub fn get(operation: Operation, url: Url) -> Self {
        let client_request_id = Uuid::new_v4();
        Self { operation, method: Method::GET, url, body: None, client_request_id, may_send: &|| true, until: None }
    }

    pub fn failed(&self, kind: Kind, message: &str) -> Error {
        Error::unsent(kind, self.operation, self.client_request_id, message)
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
    use super::super::wire::{Job, Page};
    use super::*;

    #[test]
    fn an_answer_that_cannot_be_read_names_the_member_and_no_value() {
        let call = Call::get(Operation::ListJobs, Url::parse("https://localhost/").unwrap());
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
}
