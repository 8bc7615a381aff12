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

use super::super::error::capped;
use super::super::retry_after;
use super::super::transport::{BODY_BYTES_MAX, Transport};
use super::refusal::{LoginError, refused};

/// Carries the requests of one login.
pub(super) struct LoginTransport {
    transport: Arc<dyn Transport>,
    life: OnceLock<Duration>,
}

impl LoginTransport {
    pub fn new(transport: Arc<dyn Transport>) -> Arc<Self> {
        Arc::new(Self { transport, life: OnceLock::new() })
    }

    /// How long the token that was issued is good, if one was issued over this transport.
    pub fn life(&self) -> Option<Duration> {
        self.life.get().copied()
    }

    async fn send(&self, request: &Request) -> Result<Bytes, LoginError> {
        let Body::Bytes(body) = request.body() else {
            return Err(LoginError::unavailable("the login request has no plain body"));
        };
        let request = http::Request::post(request.url().as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(body.clone())
            .map_err(|_| LoginError::unavailable("the login request cannot be put into HTTP"))?;
        let answer = self.transport.exchange(request, BODY_BYTES_MAX).await;
        let answer = answer.map_err(|error| LoginError::unanswered(capped(&error.to_string())))?;
        let (status, wait) = (answer.status().as_u16(), retry_after::of(&answer));
        let body = answer.into_body();
        match issued(status, &body) {
            Some(life) => {
                self.life.get_or_init(|| life);
                Ok(body)
            }
            None => Err(refused(status, &body, wait)),
        }
    }
}

/// The life of the token in an answer, if there is a token in it.
fn issued(status: u16, body: &[u8]) -> Option<Duration> {
    let body = serde_json::from_slice::<Value>(body).ok().filter(|body| body["access_token"].is_string())?;
    (status == 200).then(|| Duration::from_secs(body["expires_in"].as_u64().unwrap_or(0)))
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
