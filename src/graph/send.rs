//! How a call is sent: gate, token, a free slot, one request, and the answer read as what it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::Instrument;
use url::Url;

use super::call::Call;
use super::error::{Error, Kind, Processed, classify, code_and_message, processed};
use super::gate::{Gate, chance};
use super::observer::{Observer, Seen};
use super::retry_after;
use super::token::{Held, Tokens};
use super::transport::{BODY_BYTES_MAX, BodyError, Transport, TransportError, header};

/// A 401 without a reason may come from a token that is older than a role: one of this age is replaced.
const TOKEN_RENEW_AGE: Duration = Duration::from_secs(300);
/// A 5xx is not believed when it asks for a longer wait: it may speak for one backend of many.
const UNAVAILABLE_WAIT_MAX: Duration = Duration::from_secs(300);

pub(super) struct Sender {
    pub transport: Arc<dyn Transport>,
    pub root: Url,
    pub tokens: Tokens,
    pub gate: Mutex<Gate>,
    pub slots: Semaphore,
    pub in_flight_max: usize,
    pub turn_timeout: Duration,
    pub call_timeout: Duration,
    pub observer: Arc<dyn Observer>,
}

/// An answer that is no success, or the lack of one.
enum Failure {
    /// 401 for this token; the request was not carried out.
    TokenRejected(Error, Held),
    Final(Error),
}

/// How far a call has come; it outlives the attempt, which may be given up at any point.
#[derive(Default)]
struct Trail {
    sent: bool,
    status: Option<u16>,
}

impl Trail {
    fn timed_out(&self, call: &Call<'_>) -> Error {
        let processed = if self.sent { Processed::Unknown } else { Processed::No };
        Error { processed, ..call.failed(Kind::Network, "no answer in time") }
    }
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

    pub async fn send(&self, call: &Call<'_>) -> Result<Bytes, Error> {
        let (mut trail, began) = (Trail::default(), Instant::now());
        let span = tracing::debug_span!("graph", operation = call.operation.name(), otel.kind = "client");
        let within = self.send_within(call, &mut trail).instrument(span);
        let answer = match call.until {
            None => within.await,
            Some(until) => tokio::time::timeout_at(until, within).await.unwrap_or_else(|_| Err(trail.timed_out(call))),
        };
        let class = answer.as_ref().map_or_else(|error| error.kind.name(), |_| "success");
        let (operation, status, took) = (call.operation, trail.status, began.elapsed());
        self.observer.call(&Seen { operation, class, status, took });
        answer
    }

    /// A token that Graph calls invalid is replaced and the request, which was not carried out, repeated: once.
    async fn send_within(&self, call: &Call<'_>, trail: &mut Trail) -> Result<Bytes, Error> {
        let mut time_left = self.call_timeout;
        for last in [false, true] {
            let (token, _slot) = self.admit(call).await?;
            let began = Instant::now();
            match tokio::time::timeout(time_left, self.exchange(call, token, trail)).await {
                Ok(Ok(body)) => return Ok(body),
                Ok(Err(Failure::TokenRejected(error, held))) => {
                    let another_may_help = self.tokens.reject(held.number, &error);
                    trail.sent = false;
                    if last || !another_may_help {
                        return Err(error);
                    }
                }
                Ok(Err(Failure::Final(error))) => return Err(error),
                Err(_) => return Err(trail.timed_out(call)),
            }
            time_left = time_left.saturating_sub(began.elapsed());
        }
        Err(call.failed(Kind::TokenRejected, ""))
    }

    /// A token and a slot, as soon as there are both. The token comes first: no slot is held during a login. It may have
    /// been withdrawn or have expired while the call waited for the slot; then the slot is given back and both are
    /// asked for once more.
    async fn admit(&self, call: &Call<'_>) -> Result<(Held, SemaphorePermit<'_>), Error> {
        let mut until = None;
        loop {
            self.pass_gate(call)?;
            let token = self.token(call).await?;
            let last = until.is_some();
            let limit = *until.get_or_insert_with(|| Instant::now() + self.turn_timeout);
            let slot = match tokio::time::timeout_at(limit, self.slots.acquire()).await {
                Ok(slot) => slot.map_err(|_| call.failed(Kind::Network, "the client is closed"))?,
                Err(_) => return Err(self.busy(call)),
            };
            self.pass_gate(call)?;
            match self.tokens.usable() {
                Some(token) => return Ok((token, slot)),
                None if last => return Ok((token, slot)),
                None => {}
            }
        }
    }

    fn busy(&self, call: &Call<'_>) -> Error {
        let (waited, most) = (self.turn_timeout.as_secs_f64(), self.in_flight_max);
        let message = format!("waited {waited} s for one of the {most} requests in flight; nothing was sent");
        call.failed(Kind::Busy, &message)
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

    pub async fn token(&self, call: &Call<'_>) -> Result<Held, Error> {
        self.tokens.get().await.map_err(|(error, until)| Error {
            // A remembered rejection reads like the one that is remembered.
            status: (error.kind == Kind::TokenRejected).then_some(401),
            code: error.code,
            retry_at: Some(until),
            ..call.failed(error.kind, &error.message)
        })
    }

    async fn exchange(&self, call: &Call<'_>, token: Held, trail: &mut Trail) -> Result<Bytes, Failure> {
        let request = request(call, &token)
            .map_err(|_| Failure::Final(call.failed(Kind::Network, "the request cannot be put into HTTP")))?;
        if !(call.may_send)() {
            return Err(Failure::Final(call.failed(Kind::Withheld, "the permission to send had ended")));
        }
        trail.sent = true;
        let answer = self.transport.exchange(request, BODY_BYTES_MAX).await.map_err(|error| {
            let error = without_answer(call, error);
            trail.status = error.status;
            Failure::Final(error)
        })?;
        let mut error = header_facts(call, &answer);
        let status = answer.status().as_u16();
        trail.status = Some(status);
        if matches!(status, 200 | 201 | 202 | 204) {
            self.gate.lock().unwrap_or_else(PoisonError::into_inner).answered();
            self.tokens.accept(token.number);
            return Ok(answer.into_body());
        }
        let wait = header(&answer, "retry-after").and_then(|wait| retry_after::parse(wait, header(&answer, "date")));
        let body = answer.into_body();
        (error.code, error.message) = code_and_message(&body);
        error.kind = classify(status, &error.code);
        error.processed = processed(status);
        error.retry_at = self.retry_at(status, error.kind, wait);
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

    /// When the call may be tried again, if the answer says so. A 429 is about all calls of this application in this
    /// tenant, and a 503 that names an instant about the service: both close the gate. Any other answer is about its own
    /// request.
    fn retry_at(&self, status: u16, kind: Kind, wait: Option<Duration>) -> Option<Instant> {
        let short = wait.filter(|wait| !wait.is_zero()).map(|wait| wait.min(UNAVAILABLE_WAIT_MAX));
        match status {
            429 => Some(self.close_gate(wait)),
            503 => short.map(|wait| self.close_gate(Some(wait))),
            _ if kind == Kind::Unavailable => short.map(|wait| Instant::now() + wait),
            _ => None,
        }
    }

    fn close_gate(&self, wait: Option<Duration>) -> Instant {
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let until = gate.throttled(Instant::now(), wait, chance());
        self.observer.gate_closed(until);
        until
    }
}

fn request(call: &Call<'_>, token: &Held) -> Result<http::Request<Bytes>, http::Error> {
    let mut bearer = http::HeaderValue::try_from(format!("Bearer {}", token.token.expose_secret()))?;
    bearer.set_sensitive(true);
    let request = http::Request::builder()
        .method(call.method.clone())
        .uri(call.url.as_str())
        .header("authorization", bearer)
        .header("accept", "application/json")
        .header("client-request-id", call.client_request_id.to_string());
    match call.body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string().into()),
        None => request.body(Bytes::new()),
    }
}

/// A call that got no whole answer. A head without its body may still prove that nothing was done.
fn without_answer(call: &Call<'_>, error: TransportError) -> Error {
    let message = super::error::capped(&error.to_string());
    match error {
        TransportError::Unsent(_) => call.failed(Kind::Network, &message),
        TransportError::NoAnswer(_) => Error { processed: Processed::Unknown, ..call.failed(Kind::Network, &message) },
        TransportError::NoBody { head, why } => {
            let status = head.status().as_u16();
            let processed = if status < 300 { Processed::Unknown } else { processed(status) };
            let kind = match why {
                BodyError::TooLarge => Kind::Refused,
                BodyError::BrokeOff => Kind::Network,
            };
            Error { kind, processed, message, ..header_facts(call, &head) }
        }
    }
}

/// The beginning of an error: what the headers of an answer say.
fn header_facts<T>(call: &Call<'_>, answer: &http::Response<T>) -> Error {
    Error {
        status: Some(answer.status().as_u16()),
        request_id: header(answer, "request-id").map(super::error::capped),
        date: header(answer, "date").map(super::error::capped),
        ..call.failed(Kind::Malformed, "")
    }
}
