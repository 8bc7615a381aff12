//! The failure of a call: what kind of failure it was, and whether the request can have had an effect.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;
use uuid::Uuid;

use super::operation::Operation;

pub(super) const TEXT_CHARS_MAX: usize = 256;

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 429, or a gate that is shut because of one.
    Throttled,
    /// 5xx, 408, 423, 424.
    Unavailable,
    /// No complete answer arrived, or nothing was sent because several in a row did not.
    Network,
    /// 401 with `InvalidAuthenticationToken`, even for a newly issued token.
    TokenRejected,
    /// Any other 401: these endpoints report a missing permission or ownership that way.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// Any other 4xx.
    Rejected,
    /// The login service refused, and will until somebody changes something.
    LoginRefused,
    /// The login service gave no answer, or one that passes.
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
            Self::LoginRefused => "LoginRefused",
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
    /// Whose login failed, if it has a name.
    pub login_of: Option<Arc<str>>,
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
            login_of: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.operation.words())?;
        let at_login = matches!(self.kind, Kind::LoginRefused | Kind::LoginUnavailable);
        match self.status {
            // An attempt to log in is at the login anyhow.
            _ if at_login && self.operation != Operation::LogIn => match &self.login_of {
                Some(name) => write!(f, " at the login of {name}")?,
                None => write!(f, " at the login")?,
            },
            _ if at_login => {}
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
    /// Whether Graph does not know the address at all, as where a cloud does not have the call: its answer about an object that
    /// is not there has a code of its own. An object that is not yet known everywhere may be answered so as well.
    pub fn is_unknown_route(&self) -> bool {
        match self.status {
            Some(404) => matches!(self.code.as_str(), "" | "UnknownError"),
            Some(405 | 501) => true,
            _ => false,
        }
    }

    /// What Microsoft's support asks for; kept apart from the text, which is then the same for the same failure.
    pub fn trace(&self) -> Option<String> {
        match (&self.request_id, &self.date) {
            (Some(id), Some(date)) => Some(format!("request-id {id}, {date}")),
            (Some(id), None) => Some(format!("request-id {id}")),
            _ => None,
        }
    }
}

/// A short text for a person: one line, cut to 256 characters.
pub(super) fn capped(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(TEXT_CHARS_MAX)
        .collect::<String>()
        .trim()
        .to_owned()
}
