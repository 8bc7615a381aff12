//! The transport of `azure_identity` for one login, over that of the client.
//!
//! It reads the answer before the crate does: a refusal keeps its code that way, and the life of a token is taken from the
//! service's own words, which need no clock.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode};
use bytes::Bytes;
use serde_json::Value;
use url::Url;

use super::super::error::capped;
use super::super::retry_after;
use super::super::transport::{BODY_BYTES_MAX, Transport};
use super::managed;
use super::refusal::{LoginError, refused};
use super::token::LIFE_MAX;

/// In seconds since 1970, as text: the year 2100.
const NEVER_READ: &str = "4102444800";

/// Carries the requests of one login.
pub(super) struct LoginTransport {
    transport: Arc<dyn Transport>,
    desk: Desk,
    life: OnceLock<Duration>,
}

/// Who issues the token.
pub(super) enum Desk {
    LoginService,
    /// The metadata service of this machine, at this address.
    Machine(Url),
}

impl LoginTransport {
    pub fn new(transport: Arc<dyn Transport>, desk: Desk) -> Arc<Self> {
        Arc::new(Self { transport, desk, life: OnceLock::new() })
    }

    /// How long the token that was issued is good, if one was issued over this transport.
    pub fn life(&self) -> Option<Duration> {
        self.life.get().copied()
    }

    async fn send(&self, request: &Request) -> Result<Bytes, LoginError> {
        let answer = self.transport.exchange(self.http(request)?, BODY_BYTES_MAX).await;
        let answer = answer.map_err(|error| match &self.desk {
            Desk::LoginService => LoginError::unanswered(capped(&error.to_string())),
            Desk::Machine(_) => managed::unanswered(&error.to_string()),
        })?;
        let (status, wait) = (answer.status().as_u16(), retry_after::of(&answer));
        let body = answer.into_body();
        match (issued(status, &body), &self.desk) {
            (Some((life, body)), _) => {
                self.life.get_or_init(|| life);
                Ok(body)
            }
            (None, Desk::LoginService) => Err(refused(status, &body, wait)),
            (None, Desk::Machine(_)) => Err(managed::refused(status, &body, wait)),
        }
    }

    /// The request of the crate as we send it: nothing of it but what the service needs.
    fn http(&self, request: &Request) -> Result<http::Request<Bytes>, LoginError> {
        let Body::Bytes(body) = request.body() else {
            return Err(LoginError::unavailable("the login request has no plain body"));
        };
        let ours = match &self.desk {
            Desk::LoginService => http::Request::post(request.url().as_str())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body.clone()),
            Desk::Machine(root) => http::Request::get(managed::address(request.url(), root)?.as_str())
                .header("metadata", "true")
                .body(Bytes::new()),
        };
        let mut ours = ours.map_err(|_| LoginError::unavailable("the login request cannot be put into HTTP"))?;
        ours.headers_mut().insert("accept", http::HeaderValue::from_static("application/json"));
        Ok(ours)
    }
}

/// The life of the token in an answer, if there are both in it, and the answer with that life: the crate adds whatever an
/// answer says to the time of day, and panics where the sum is no date. The instant in an answer of a machine is not
/// needed next to the life; the crate only wants it to be one.
fn issued(status: u16, body: &[u8]) -> Option<(Duration, Bytes)> {
    let mut body = serde_json::from_slice::<Value>(body).ok().filter(|body| body["access_token"].is_string())?;
    let seconds = match &body["expires_in"] {
        Value::Number(seconds) => seconds.as_u64().unwrap_or(0),
        Value::String(seconds) => seconds.parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let life = Duration::from_secs(seconds).min(LIFE_MAX);
    body["expires_in"] = life.as_secs().into();
    body["expires_on"] = NEVER_READ.into();
    (status == 200).then(|| (life, body.to_string().into()))
}

impl fmt::Debug for LoginTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginTransport")
    }
}

#[async_trait::async_trait]
impl HttpClient for LoginTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        match self.send(request).await {
            Ok(body) => Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::default(), body)),
            Err(error) => Err(azure_core::Error::new(ErrorKind::Other, error)),
        }
    }
}
