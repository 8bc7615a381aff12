//! Why there is no token: what the login service, a tool or a file says, and whether it passes.

use std::time::Duration;

use serde_json::Value;

use super::super::error::{Kind, capped};
use super::source::NoMaterial;

/// Why there is no token. It travels through `azure_identity` as the source of the crate's own error, because the crate
/// loses the AADSTS code whenever the text of the service holds an escape.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct LoginError {
    pub kind: Kind,
    pub code: String,
    pub message: String,
    pub retry_after: Option<Duration>,
    pub service: Service,
}

/// What a failed login shows about the login service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Answers,
    /// There was no answer to the request.
    DoesNotAnswer,
    /// It was not asked.
    NotAsked,
}

impl LoginError {
    /// The login service gave no answer.
    pub fn unanswered(message: impl Into<String>) -> Self {
        Self { service: Service::DoesNotAnswer, ..Self::unavailable(message) }
    }

    /// Trouble that passes.
    pub fn unavailable(message: impl Into<String>) -> Self {
        let (kind, message) = (Kind::LoginUnavailable, message.into());
        Self { kind, code: String::new(), message, retry_after: None, service: Service::Answers }
    }

    /// A refusal that stands until somebody changes something.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { kind: Kind::LoginRefused, ..Self::unavailable(message) }
    }

    /// There is nothing to log in with.
    pub fn without_material(nothing: &NoMaterial) -> Self {
        let kind = if nothing.passes { Kind::LoginUnavailable } else { Kind::LoginRefused };
        let (code, message) = (nothing.code.to_owned(), capped(&nothing.message));
        Self { kind, code, message, retry_after: None, service: Service::NotAsked }
    }

    /// A refusal of our own, before anything was sent.
    pub fn unasked(code: &str, message: String) -> Self {
        Self { code: code.to_owned(), service: Service::NotAsked, ..Self::refused(message) }
    }

    /// The source of the credential did not answer in time.
    pub fn unread(limit: Duration) -> Self {
        let message = format!("the credential could not be read within {} s", limit.as_secs_f64());
        Self { service: Service::NotAsked, ..Self::unavailable(message) }
    }

    /// The reason that an error of the crate was given. The crate's own text may quote a body; only the kind of its error
    /// is repeated.
    pub fn behind(error: &azure_core::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(reason) = error.downcast_ref::<Self>() {
                return reason.clone();
            }
            cause = error.source();
        }
        Self::unavailable(format!("the login could not be carried out ({})", error.kind()))
    }
}

/// Codes of the login service for trouble that passes (`reference-error-codes` of the identity platform).
const PASSING: &[u32] = &[90033, 90006, 90012, 90024, 90090, 50033, 90055, 90041, 50087];
/// The service found a client in a loop and wants it to rest (`reference-error-codes`).
const LOOP_DETECTED: u32 = 50196;
const LOOP_REST: Duration = Duration::from_secs(300);
/// Values of `error` that mean trouble of the service itself (RFC 6749, 4.1.2.1), whatever code stands next to them.
const PASSING_ERRORS: &[&str] = &["temporarily_unavailable", "server_error"];
/// Values of `error` that are refused until somebody changes something, whatever the status (RFC 6749, 5.2, and the
/// identity platform's `invalid_resource` and `interaction_required`).
const LASTING_ERRORS: &[&str] = &[
    "invalid_client",
    "unauthorized_client",
    "invalid_request",
    "invalid_grant",
    "invalid_scope",
    "invalid_resource",
    "unsupported_grant_type",
    "access_denied",
    "interaction_required",
];
/// Another answer than a 429 is not believed when it asks for a longer wait.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// What an answer without a token means: by `error` and the status, and by the code where it is known. An unknown code
/// decides nothing.
pub(super) fn refused(status: u16, body: &[u8], retry_after: Option<Duration>) -> LoginError {
    let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let text = body["error_description"].as_str().unwrap_or_default();
    let oauth = body["error"].as_str().unwrap_or_default();
    let aadsts = body["error_codes"][0].as_u64().and_then(|code| u32::try_from(code).ok()).or_else(|| code_in(text));
    let passing = status == 429
        || status >= 500
        || PASSING_ERRORS.contains(&oauth)
        || aadsts.is_some_and(|code| PASSING.contains(&code));
    let lasting = LASTING_ERRORS.contains(&oauth);
    let kind =
        if !passing && (lasting || (400..500).contains(&status)) { Kind::LoginRefused } else { Kind::LoginUnavailable };
    let code = aadsts.map_or_else(|| capped(oauth), |code| format!("AADSTS{code}"));
    let first_line = text.lines().next().unwrap_or_default();
    let words = first_line.split_once(": ").map_or(first_line, |(_, words)| words);
    let message = if words.is_empty() { format!("the login service answered {status}") } else { capped(words) };
    let mut retry_after = retry_after.map(|wait| if status == 429 { wait } else { wait.min(WAIT_MAX) });
    if aadsts == Some(LOOP_DETECTED) {
        retry_after = retry_after.max(Some(LOOP_REST));
    }
    LoginError { kind, code, message, retry_after, service: Service::Answers }
}

/// The code in a text of the login service or of a tool.
pub(super) fn code_in(text: &str) -> Option<u32> {
    let digits: String = text.split("AADSTS").nth(1)?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_code_whatever_its_text_holds() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. It\u0027s \"wrong\".\r\nTrace ID: 1\r\n","error_codes":[7000215]}"#;
        let error = refused(401, body, None);
        assert_eq!(error.kind, Kind::LoginRefused);
        assert_eq!(error.code, "AADSTS7000215");
        assert!(error.message.starts_with("Invalid client secret") && !error.message.contains("Trace"));
        let without_codes =
            br#"{"error":"invalid_client","error_description":"AADSTS700016: No such application.\r\n"}"#;
        assert_eq!(refused(400, without_codes, None).code, "AADSTS700016");
    }

    #[test]
    fn trouble_that_passes_is_kept_apart_from_refusals() {
        assert_eq!(refused(429, b"Too Many Requests", Some(Duration::from_secs(60))).kind, Kind::LoginUnavailable);
        assert_eq!(refused(503, b"<html>", None).kind, Kind::LoginUnavailable);
        assert_eq!(
            refused(400, br#"{"error":"temporarily_unavailable","error_codes":[90033]}"#, None).kind,
            Kind::LoginUnavailable
        );
        for (error, code) in [("server_error", 999_999), ("temporarily_unavailable", 700_016)] {
            let body = serde_json::json!({"error": error, "error_codes": [code]}).to_string();
            assert_eq!(refused(400, body.as_bytes(), None).kind, Kind::LoginUnavailable, "{error}");
        }
        for code in PASSING {
            let body = serde_json::json!({"error": "invalid_request", "error_codes": [code]}).to_string();
            assert_eq!(refused(400, body.as_bytes(), None).kind, Kind::LoginUnavailable, "{code}");
        }
        let proxy = refused(403, b"<html>secret page</html>", None);
        assert_eq!(proxy.kind, Kind::LoginRefused);
        assert!(!proxy.message.contains("secret"));
    }

    #[test]
    fn a_code_that_is_not_known_is_judged_by_the_error_and_the_status() {
        let of = |status, error: &str| {
            let body = serde_json::json!({"error": error, "error_codes": [999_999]}).to_string();
            refused(status, body.as_bytes(), None).kind
        };
        assert_eq!(of(400, "invalid_client"), Kind::LoginRefused);
        assert_eq!(of(400, "something_new"), Kind::LoginRefused);
        assert_eq!(of(500, "invalid_client"), Kind::LoginUnavailable);
        assert_eq!(of(200, "something_new"), Kind::LoginUnavailable);
    }

    #[test]
    fn a_wait_is_believed_as_far_as_the_answer_can_be() {
        let hour = Some(Duration::from_secs(3600));
        assert_eq!(refused(429, b"Too Many Requests", hour).retry_after, hour);
        assert_eq!(refused(503, b"", hour).retry_after, Some(WAIT_MAX));
        let looping = br#"{"error":"invalid_request","error_codes":[50196]}"#;
        assert_eq!(refused(400, looping, Some(Duration::from_secs(1))).retry_after, Some(LOOP_REST));
    }

    #[test]
    fn a_reason_is_found_behind_the_errors_of_the_crate_and_nothing_else_of_them_is_repeated() {
        use azure_core::error::ErrorKind;
        let reason = LoginError { code: "AADSTS1".to_owned(), ..LoginError::refused("no") };
        let inner = azure_core::Error::new(ErrorKind::Other, reason);
        let outer = azure_core::Error::with_error(ErrorKind::Credential, inner, "canary");
        assert_eq!(LoginError::behind(&outer).code, "AADSTS1");
        let foreign = azure_core::Error::with_message(ErrorKind::Credential, "canary");
        let foreign = LoginError::behind(&foreign);
        assert_eq!(foreign.message, "the login could not be carried out (Credential)");
    }
}
