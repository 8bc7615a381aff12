//! How a call is sent: gate, a free slot, token, one request, and the answer read as what it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::Instrument;
use url::Url;
use uuid::Uuid;

use super::call::Call;
use super::error::{Error, Kind, Processed, classify, code_and_message, processed};
use super::gate::Gate;
use super::observer::{Observer, Seen};
use super::retry_after;
use super::token::{Held, Tokens};
use super::transport::{self, ReadError};

/// A 401 without a reason may come from a token that is older than a role: one of this age is replaced.
const TOKEN_RENEW_AGE: Duration = Duration::from_secs(300);

pub(super) struct Sender {
    pub http: reqwest::Client,
    pub root: Url,
    pub tokens: Tokens,
    pub gate: Mutex<Gate>,
    pub slots: Semaphore,
    pub call_timeout: Duration,
    pub observer: Arc<dyn Observer>,
}

/// An answer that is no success, or the lack of one.
enum Failure {
    /// 401 for this token; the request was not carried out.
    TokenRejected(Error, Held),
    Final(Error),
}

impl Sender {
    /// Path segments are percent-encoded, whatever they hold.
    pub fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().push("v1.0").extend(segments);
        }
        url
    }

    pub async fn send(&self, call: &Call<'_>) -> Result<Vec<u8>, Error> {
        let (mut sent, mut status, began) = (false, None, Instant::now());
        let limit = began + self.call_timeout;
        let until = call.until.map_or(limit, |until| until.min(limit));
        let span = tracing::debug_span!("graph", operation = call.operation.name(), otel.kind = "client");
        let within = self.send_within(call, &mut sent, &mut status).instrument(span);
        let answer = match tokio::time::timeout_at(until, within).await {
            Ok(answer) => answer,
            Err(_) => Err(Error {
                processed: if sent { Processed::Unknown } else { Processed::No },
                ..call.failed(Kind::Network, "no answer in time")
            }),
        };
        let class = answer.as_ref().map_or_else(|error| error.kind.name(), |_| "success");
        self.observer.call(&Seen { operation: call.operation, class, status, took: began.elapsed() });
        answer
    }

    /// A token that Graph calls invalid is replaced and the request, which was not carried out, repeated: once.
    async fn send_within(&self, call: &Call<'_>, sent: &mut bool, status: &mut Option<u16>) -> Result<Vec<u8>, Error> {
        self.pass_gate(call)?;
        let _slot = self.slots.acquire().await.map_err(|_| call.failed(Kind::Network, "the client is closed"))?;
        self.pass_gate(call)?;
        for last in [false, true] {
            let token = self.token(call).await?;
            match self.exchange(call, token, sent, status).await {
                Ok(body) => return Ok(body),
                Err(Failure::TokenRejected(error, held)) => {
                    self.tokens.evict(held.number);
                    *sent = false;
                    if last {
                        return Err(error);
                    }
                }
                Err(Failure::Final(error)) => return Err(error),
            }
        }
        Err(call.failed(Kind::TokenRejected, ""))
    }

    /// The instant until which Graph asked to wait, if it lies ahead.
    pub fn closed_until(&self) -> Option<Instant> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner).closed(Instant::now())
    }

    fn pass_gate(&self, call: &Call<'_>) -> Result<(), Error> {
        match self.closed_until() {
            None => Ok(()),
            Some(until) => Err(Error {
                retry_at: Some(until),
                ..call.failed(Kind::Throttled, "Graph asked to wait, and nothing was sent")
            }),
        }
    }

    async fn token(&self, call: &Call<'_>) -> Result<Held, Error> {
        self.tokens.get().await.map_err(|(error, until)| Error {
            code: error.code,
            retry_at: Some(until),
            ..call.failed(error.kind, &error.message)
        })
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        token: Held,
        sent: &mut bool,
        answered: &mut Option<u16>,
    ) -> Result<Vec<u8>, Failure> {
        let mut request = self
            .http
            .request(call.method.clone(), call.url.clone())
            .bearer_auth(token.token.expose_secret())
            .header("accept", "application/json")
            .header("client-request-id", call.client_request_id.to_string());
        if let Some(body) = call.body {
            request = request.json(body);
        }
        if !(call.may_send)() {
            return Err(Failure::Final(call.failed(Kind::Withheld, "the permission to send had ended")));
        }
        *sent = true;
        let response = request.send().await.map_err(|error| {
            let processed = if error.is_connect() || error.is_builder() { Processed::No } else { Processed::Unknown };
            Failure::Final(Error { processed, ..call.failed(Kind::Network, &transport::describe(error)) })
        })?;
        let mut error = header_facts(call, &response);
        let status = response.status().as_u16();
        *answered = Some(status);
        let wait = header(&response, "retry-after");
        let body = match transport::read(response).await {
            Ok(body) => body,
            Err(reason) => {
                let kind = if matches!(reason, ReadError::TooLarge) { Kind::Refused } else { Kind::Network };
                let processed = if status < 300 { Processed::Unknown } else { processed(status) };
                return Err(Failure::Final(Error { kind, processed, message: reason.to_string(), ..error }));
            }
        };
        if matches!(status, 200 | 201 | 202 | 204) {
            self.gate.lock().unwrap_or_else(PoisonError::into_inner).answered();
            return Ok(body);
        }
        (error.code, error.message) = code_and_message(&body);
        error.kind = classify(status, &error.code);
        error.processed = processed(status);
        let wait = wait.and_then(|wait| retry_after::parse(&wait, error.date.as_deref(), SystemTime::now()));
        error.retry_at = self.close_gate(error.kind, wait);
        Err(self.judge(error, token))
    }

    fn judge(&self, error: Error, token: Held) -> Failure {
        match error.kind {
            Kind::TokenRejected => Failure::TokenRejected(error, token),
            Kind::Unauthorized | Kind::Forbidden if token.issued.elapsed() > TOKEN_RENEW_AGE => {
                self.tokens.evict(token.number);
                Failure::Final(error)
            }
            _ => Failure::Final(error),
        }
    }

    /// A 429 closes the gate for every call of this client, and so does another answer that names an instant.
    fn close_gate(&self, kind: Kind, wait: Option<Duration>) -> Option<Instant> {
        let named = kind == Kind::Unavailable && wait.is_some();
        (kind == Kind::Throttled || named).then(|| {
            let chance = f64::from((Uuid::new_v4().as_u128() % 1000) as u16) / 1000.0;
            let until =
                self.gate.lock().unwrap_or_else(PoisonError::into_inner).throttled(Instant::now(), wait, chance);
            self.observer.gate_closed(until);
            until
        })
    }
}

/// The beginning of an error: what the headers of an answer say.
fn header_facts(call: &Call<'_>, response: &reqwest::Response) -> Error {
    Error {
        status: Some(response.status().as_u16()),
        request_id: header(response, "request-id").map(|id| super::error::capped(&id)),
        date: header(response, "date").map(|date| super::error::capped(&date)),
        ..call.failed(Kind::Malformed, "")
    }
}

fn header(response: &reqwest::Response, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
