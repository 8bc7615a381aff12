//! The answer to a test of credentials, read as what it says about the credentials, the target, or neither.

use super::super::answer::is_connectors;
use super::super::error::{Error, Kind, Processed};

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
        (Kind::Rejected, status) if status == Some(400) || is_connectors(&code) => Ok(verdict(code)),
        // Where nothing left, Graph itself was not reached.
        (Kind::Network, None) if error.processed == Processed::Unknown => Ok(TestOutcome::NoAnswer),
        (Kind::Unavailable | Kind::Network, Some(_)) => Ok(TestOutcome::NoAnswer),
        // A refusal that is too long to be read, as one that repeats all of what a target answers.
        (Kind::Refused, Some(400)) => Ok(TestOutcome::Unclear { code }),
        _ => Err(error),
    }
}

/// By the end of a code, whose beginning names the connector.
fn verdict(code: String) -> TestOutcome {
    let ends_with = |ends: &[&str]| ends.iter().any(|end| code.ends_with(end));
    if ends_with(&["Failure", "InvalidCredentials", "CredentialsMissing"]) {
        TestOutcome::Rejected { code }
    } else if ends_with(&["Unavailable", "ServiceIncompatible"]) {
        TestOutcome::Unreachable { code }
    } else {
        TestOutcome::Unclear { code }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::super::operation::Operation;
    use super::*;

    const SCIM: &str = "SystemForCrossDomainIdentityManagement";

    fn error(kind: Kind, status: Option<u16>, code: &str) -> Error {
        let unsent = Error::unsent(kind, Operation::TestCredentials, Uuid::nil(), "");
        Error { status, code: code.to_owned(), ..unsent }
    }

    /// The kind and the code of an outcome, or the kind of the error.
    fn shown(kind: Kind, status: u16, code: &str) -> (&'static str, String) {
        match of(Err(error(kind, Some(status), code))) {
            Ok(TestOutcome::Accepted) => ("Accepted", String::new()),
            Ok(TestOutcome::Rejected { code }) => ("Rejected", code),
            Ok(TestOutcome::Unreachable { code }) => ("Unreachable", code),
            Ok(TestOutcome::NoAnswer) => ("NoAnswer", String::new()),
            Ok(TestOutcome::Unclear { code }) => ("Unclear", code),
            Err(error) => (error.kind.name(), "error".to_owned()),
        }
    }

    #[test]
    fn a_code_of_the_connector_says_what_a_test_showed_whatever_the_status() {
        for (code, outcome) in [
            (format!("{SCIM}CredentialValidationFailure"), "Rejected"),
            (format!("{SCIM}InvalidCredentials"), "Rejected"),
            ("SalesforceInvalidCredentials".to_owned(), "Rejected"),
            ("CredentialsMissing".to_owned(), "Rejected"),
            (format!("{SCIM}CredentialValidationUnavailable"), "Unreachable"),
            ("CredentialValidationUnavailable".to_owned(), "Unreachable"),
            (format!("{SCIM}ServiceIncompatible"), "Unreachable"),
            (format!("{SCIM}BadRequest"), "Unclear"),
        ] {
            for status in [400, 401, 403, 404, 409, 500, 502, 503, 504] {
                assert_eq!(shown(Kind::Rejected, status, &code), (outcome, code.clone()), "{status}");
            }
        }
    }

    #[test]
    fn a_code_of_graph_s_own_is_no_word_about_the_target() {
        for code in ["", "ServiceUnavailable", "serviceNotAvailable", "InternalServerFailure", "UnknownError"] {
            assert_eq!(shown(Kind::NotFound, 404, code).0, "NotFound", "{code}");
            assert_eq!(shown(Kind::Unavailable, 503, code).0, "NoAnswer", "{code}");
        }
        for code in ["", "BadRequest", "RequestParameterInvalid", "Request_BadRequest"] {
            assert_eq!(shown(Kind::Rejected, 400, code), ("Unclear", code.to_owned()));
        }
    }

    #[test]
    fn what_is_about_the_caller_or_the_request_stays_an_error() {
        let code = format!("{SCIM}CredentialValidationFailure");
        for (kind, status) in [
            (Kind::TokenRejected, 401),
            (Kind::Unauthorized, 401),
            (Kind::Forbidden, 403),
            (Kind::Conflict, 409),
            (Kind::Throttled, 429),
            (Kind::Refused, 302),
            (Kind::Malformed, 200),
        ] {
            assert_eq!(shown(kind, status, &code), (kind.name(), "error".to_owned()), "{status}");
        }
        assert_eq!(shown(Kind::Rejected, 412, "PreconditionFailed").0, "Rejected");
        assert_eq!(shown(Kind::Rejected, 412, "PreconditionFailed").1, "error", "the code is Graph's own");
        for kind in [Kind::Throttled, Kind::Network, Kind::LoginRefused, Kind::Withheld, Kind::Busy] {
            assert_eq!(of(Err(error(kind, None, ""))).unwrap_err().kind, kind, "nothing was sent");
        }
    }

    #[test]
    fn only_what_left_can_have_no_answer() {
        let sent = Error { processed: Processed::Unknown, ..error(Kind::Network, None, "") };
        assert_eq!(of(Err(sent)).unwrap(), TestOutcome::NoAnswer);
        assert_eq!(shown(Kind::Network, 400, "").0, "NoAnswer", "an answer that broke off");
        assert_eq!(shown(Kind::Refused, 400, "").0, "Unclear", "an answer without end");
    }
}
