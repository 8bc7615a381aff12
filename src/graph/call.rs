//! A request to Graph before it is sent, and a success read as what it should say.

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
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

/// A success that does not say what it should may still have had its effect.
pub(super) fn parse<T: DeserializeOwned>(call: &Call<'_>, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| Error {
        processed: Processed::Unknown,
        ..call.failed(Kind::Malformed, "the answer cannot be read")
    })
}
