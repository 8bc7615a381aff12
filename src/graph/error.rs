//! What a call came to when it did not succeed: what kind of answer it was, and whether the request can have had an effect.

use std::fmt;

use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

const TEXT_CHARS_MAX: usize = 256;

/// A call, for messages and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    LogIn,
    ListJobs,
    ListTemplates,
    GetServicePrincipal,
    CreateJob,
    StartJob,
    PauseJob,
    RestartJob,
    DeleteJob,
}

impl Operation {
    pub fn name(self) -> &'static str {
        match self {
            Self::LogIn => "LogIn",
            Self::ListJobs => "ListJobs",
            Self::ListTemplates => "ListTemplates",
            Self::GetServicePrincipal => "GetServicePrincipal",
            Self::CreateJob => "CreateJob",
            Self::StartJob => "StartJob",
            Self::PauseJob => "PauseJob",
            Self::RestartJob => "RestartJob",
            Self::DeleteJob => "DeleteJob",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::LogIn => "Logging in",
            Self::ListJobs => "Listing the jobs",
            Self::ListTemplates => "Listing the templates",
            Self::GetServicePrincipal => "Reading the service principal",
            Self::CreateJob => "Creating the job",
            Self::StartJob => "Starting the job",
            Self::PauseJob => "Pausing the job",
            Self::RestartJob => "Restarting the job",
            Self::DeleteJob => "Deleting the job",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 429, or a gate that is closed because of one.
    Throttled,
    /// 5xx, 408, 423, 424.
    Unavailable,
    /// No complete answer arrived.
    Network,
    /// 401 with `InvalidAuthenticationToken`, even for a token issued a moment ago.
    TokenRejected,
    /// Any other 401: these endpoints tell a missing permission or ownership that way.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// Any other 4xx.
    Rejected,
    /// The login service refused; `lasting` if it will until somebody changes something.
    LoginRefused {
        aadsts: Option<u32>,
        lasting: bool,
    },
    LoginUnavailable,
    /// A success whose body does not say what it should.
    Malformed,
    /// An answer that is not followed: a redirect, a link to another host, a body without end.
    Refused,
    /// Nothing was sent, because the caller's permission had ended while the call waited.
    Withheld,
    /// Nothing was sent, because as many requests as are allowed stayed in flight.
    Busy,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttled => "Throttled",
            Self::Unavailable => "Unavailable",
            Self::Network => "Network",
            Self::TokenRejected => "TokenRejected",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::Conflict => "Conflict",
            Self::Rejected => "Rejected",
            Self::LoginRefused { .. } => "LoginRefused",
            Self::LoginUnavailable => "LoginUnavailable",
            Self::Malformed => "Malformed",
            Self::Refused => "Refused",
            Self::Withheld => "Withheld",
            Self::Busy => "Busy",
        }
    }
}

/// Whether the request can have had an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processed {
    /// No byte of it left, or the answer proves that it was not carried out.
    No,
    Unknown,
}

/// Holds nothing of a body but the code and a short message.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Error {
    pub kind: Kind,
    pub operation: Operation,
    pub status: Option<u16>,
    /// Graph's or the login service's error code; empty if none was given.
    pub code: String,
    /// At most 256 characters, none of them a control character.
    pub message: String,
    /// `request-id` of the answer.
    pub request_id: Option<String>,
    pub client_request_id: Uuid,
    /// `Date` of the answer.
    pub date: Option<String>,
    /// Not before this instant another try makes sense.
    pub retry_at: Option<Instant>,
    pub processed: Processed,
}

impl Error {
    pub(super) fn unsent(kind: Kind, operation: Operation, client_request_id: Uuid, message: &str) -> Self {
        Self {
            kind,
            operation,
            status: None,
            code: String::new(),
            message: capped(message),
            request_id: None,
            client_request_id,
            date: None,
            retry_at: None,
            processed: Processed::No,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.operation.words())?;
        let at_login = matches!(self.kind, Kind::LoginRefused { .. } | Kind::LoginUnavailable);
        match self.status {
            _ if at_login => write!(f, " at the login")?,
            Some(status) => write!(f, ": Graph answered {status}")?,
            None => {}
        }
        if !self.code.is_empty() {
            write!(f, "{} {}", if at_login { ":" } else { "" }, self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end_matches('.'))?;
        }
        write!(f, ".")
    }
}

impl Error {
    /// What Microsoft's support asks for; kept apart from the text, which is then the same for the same failure.
    pub fn trace(&self) -> Option<String> {
        match (&self.request_id, &self.date) {
            (Some(id), Some(date)) => Some(format!("request-id {id}, {date}")),
            (Some(id), None) => Some(format!("request-id {id}")),
            _ => None,
        }
    }
}

/// The kind of an answer that is no success, by its status and its code.
pub(super) fn classify(status: u16, code: &str) -> Kind {
    match status {
        401 if code == "InvalidAuthenticationToken" => Kind::TokenRejected,
        401 => Kind::Unauthorized,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        429 => Kind::Throttled,
        408 | 423 | 424 | 500.. => Kind::Unavailable,
        300..400 => Kind::Refused,
        400..500 => Kind::Rejected,
        _ => Kind::Malformed,
    }
}

/// 408 and 424 may come after an effect; so may anything that is not a 4xx. A 409 is a refusal: something else is in the
/// way.
pub(super) fn processed(status: u16) -> Processed {
    match status {
        408 | 424 => Processed::Unknown,
        400..500 => Processed::No,
        _ => Processed::Unknown,
    }
}

/// Code and message of an OData error body. Every member is optional; anything that is no JSON says nothing.
pub(super) fn code_and_message(body: &[u8]) -> (String, String) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Default::default() };
    let error = &body["error"];
    let code = error["code"].as_str().unwrap_or_default();
    (capped(code), capped(error["message"].as_str().unwrap_or_default()))
}

pub(super) fn capped(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(TEXT_CHARS_MAX)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
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
        let long = format!(r#"{{"error":{{"code":"X","message":"a\n\u0007{}"}}}}"#, "b".repeat(5000));
        let (code, message) = code_and_message(long.as_bytes());
        assert_eq!(code, "X");
        assert!(message.chars().count() <= TEXT_CHARS_MAX && !message.contains('\n'));
        for body in ["", "<html>", "[]", r#"{"error":"x"}"#, r#"{"error":{"code":7}}"#] {
            assert_eq!(code_and_message(body.as_bytes()), (String::new(), String::new()), "{body}");
        }
    }
}
