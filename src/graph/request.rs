//! A request to Graph before it is sent.

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::error::{Error, Kind};
use super::operation::Operation;

/// Whether a write may still be sent: asked when all waiting is over, directly before the request leaves, and again
/// before it is repeated. What was permitted before the waiting may have ended meanwhile.
pub type MaySend<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// How urgent a call is: who of those that wait goes first, and whom Graph drops first when it throttles. The most urgent
/// first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Somebody waits until something is gone.
    Deletion,
    /// Somebody has changed something, or it is not known what came of a request.
    #[default]
    Change,
    /// Nothing but a look at what is settled.
    Poll,
}

impl Priority {
    /// The value of `x-ms-throttle-priority`.
    const fn header(self) -> &'static str {
        match self {
            Self::Deletion | Self::Change => "Normal",
            Self::Poll => "Low",
        }
    }
}

/// Where a call stands among those that wait: by priority, and within one by turns of the lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    pub priority: Priority,
    /// Calls with the same number share their turns, so that somebody who has many does not hold up those who have few.
    pub lane: u64,
}

/// What a request carries.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Json(&'a Value),
    /// Holds secrets, and is written when the request is about to leave. `None` if it cannot be written.
    Secret(&'a (dyn Fn() -> Option<Bytes> + Send + Sync)),
}

impl Body<'_> {
    fn written(self) -> Option<Bytes> {
        match self {
            Self::Json(value) => Some(value.to_string().into()),
            Self::Secret(write) => write(),
        }
    }
}

/// A call before it is sent.
#[derive(Clone)]
pub(super) struct Call<'a> {
    pub operation: Operation,
    pub url: Url,
    pub body: Option<Body<'a>>,
    pub client_request_id: Uuid,
    /// That of the client which makes the call.
    pub turn: Turn,
    pub may_send: MaySend<'a>,
    /// The call ends at this instant at the latest.
    pub until: Option<Instant>,
}

impl<'a> Call<'a> {
    /// A call that only asks.
    pub fn read(operation: Operation, url: Url) -> Self {
        Self::write(operation, url, &|| true)
    }

    /// A call that changes something, without a body.
    pub fn write(operation: Operation, url: Url, may_send: MaySend<'a>) -> Self {
        Self {
            operation,
            url,
            body: None,
            client_request_id: Uuid::new_v4(),
            turn: Turn::default(),
            may_send,
            until: None,
        }
    }

    /// An error for a call of which nothing was sent.
    pub fn failed(&self, kind: Kind, message: &str) -> Error {
        Error::unsent(kind, self.operation, self.client_request_id, message)
    }

    /// The call in HTTP, with a token. `None` if it cannot be put into HTTP.
    pub fn http(&self, token: &SecretString) -> Option<http::Request<Bytes>> {
        let mut bearer = http::HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).ok()?;
        bearer.set_sensitive(true);
        let request = http::Request::builder()
            .method(self.operation.method())
            .uri(self.url.as_str())
            .header("authorization", bearer)
            .header("accept", "application/json")
            .header("client-request-id", self.client_request_id.to_string())
            .header("x-ms-throttle-priority", self.turn.priority.header());
        match self.body {
            Some(body) => request.header("content-type", "application/json").body(body.written()?).ok(),
            None => request.body(Bytes::new()).ok(),
        }
    }
}
