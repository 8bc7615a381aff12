//! The answer to a test of credentials, read as what it says about the credentials, the target, or neither.

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::super::error::{Error, Kind, Processed};
use super::super::request::Call;

/// What a test of credentials showed. A code is the connector's, a name without spaces; empty if it gave none that is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOutcome {
    Accepted,
    /// The target does not take the credentials, or some are missing.
    Rejected {
        code: String,
    },
    /// The target cannot be reached, or does not speak as the connector expects.
    Unreachable {
        code: String,
    },
    /// There was no answer in time, or none that names a reason. Nothing is known about the credentials.
    NoAnswer,
    /// The test was refused for another reason than those above.
    Unclear {
        code: String,
    },
}

/// What an answer shows. What is about the caller, the object or Graph itself stays an error.
pub(super) fn of(answer: Result<(), Error>) -> Result<TestOutcome, Error> {
    let error = match answer {
        Ok(()) => return Ok(TestOutcome::Accepted),
        Err(error) => error,
    };
    let code = error.code.clone();
    match (error.kind, error.status) {
        (Kind::Rejected, Some(400)) => Ok(verdict(code.clone()).unwrap_or(TestOutcome::Unclear { code })),
        (Kind::NotFound, _) if is_connectors(&code) => verdict(code).ok_or(error),
        (Kind::Unavailable, _) if is_connectors(&code) => Ok(verdict(code).unwrap_or(TestOutcome::NoAnswer)),
        (Kind::Unavailable, Some(_)) => Ok(TestOutcome::NoAnswer),
        // Where nothing left, Graph itself was not reached.
        (Kind::Network, None) if error.processed == Processed::Unknown => Ok(TestOutcome::NoAnswer),
        (Kind::Network, Some(_)) => Ok(TestOutcome::NoAnswer),
        // A refusal that is too long to be read, as one that repeats all of what a target answers.
        (Kind::Refused, Some(400)) => Ok(TestOutcome::Unclear { code }),
        _ => Err(error),
    }
}

/// By the end of a code, whose beginning names the connector.
fn verdict(code: String) -> Option<TestOutcome> {
    let ends_with = |ends: &[&str]| ends.iter().any(|end| code.ends_with(end));
    if ends_with(&["Failure", "InvalidCredentials", "CredentialsMissing"]) {
        Some(TestOutcome::Rejected { code })
    } else if ends_with(&["Unavailable", "ServiceIncompatible"]) {
        Some(TestOutcome::Unreachable { code })
    } else {
        None
    }
}

/// Other statuses than 400 have codes of Graph's own that end alike, such as `ServiceUnavailable`.
fn is_connectors(code: &str) -> bool {
    code.contains("Credential") || code.starts_with("SystemForCrossDomainIdentityManagement")
}

/// A success has no body, or says something in JSON: a page of somebody in between is no success.
pub(super) fn plain(call: &Call<'_>, body: &Bytes) -> Result<(), Error> {
    if body.iter().all(u8::is_ascii_whitespace) || serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        return Ok(());
    }
    Err(Error { processed: Processed::Unknown, ..call.failed(Kind::Malformed, "the answer is no JSON") })
}
