//! One call: through the gate, with a token and a free slot, one request, and the answer read as what it is.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::answer::{Exchange, NO_ANSWER};
use super::error::{Error, Kind};
use super::gate::Admission;
use super::limits::{Limits, Permit};
use super::login::token::{Held, Tokens};
use super::observer::{Observer, Seen};
use super::request::Call;
use super::transport::{BODY_BYTES_MAX, Transport};

/// Makes the calls of one client. Every wait has an end: that for a token, that for a slot, and that for the answer.
pub(super) struct Caller {
    pub transport: Arc<dyn Transport>,
    pub tokens: Tokens,
    pub limits: Limits,
    /// The longest time of a probe, with its login and its wait for a slot.
    pub probe_max: Duration,
    pub slot_timeout: Duration,
    pub call_timeout: Duration,
    /// The same for a call that Graph answers after it has asked a target.
    pub target_timeout: Duration,
    pub observer: Arc<dyn Observer>,
    /// Whose login it is.
    pub login_of: Option<Arc<str>>,
}

impl Caller {
    /// The body of a success.
    pub async fn send(&self, call: &Call<'_>) -> Result<Bytes, Error> {
        let began = Instant::now();
        let span = tracing::debug_span!("graph", operation = call.operation.name(), otel.kind = "client");
        let exchange = self.carry_out(call).instrument(span).await;
        let class = match &exchange.result {
            Ok(_) => "success",
            // A rate of failures of Graph must not rise with those of a target.
            Err(_) if exchange.is_about_target() => "Target",
            Err(error) => error.kind.name(),
        };
        let (operation, status, took) = (call.operation, exchange.status, began.elapsed());
        self.observer.call(&Seen { operation, class, status, took });
        exchange.result
    }

    /// A token that Graph calls invalid is replaced and the request, which was not carried out, repeated: once. Both
    /// requests together have the time of one.
    async fn carry_out(&self, call: &Call<'_>) -> Exchange {
        let limit = if call.operation.asks_target() { self.target_timeout } else { self.call_timeout };
        let first = self.attempt(call, limit).await;
        if first.another_token_may_help {
            self.attempt(call, limit.saturating_sub(first.took)).await.exchange
        } else {
            first.exchange
        }
    }

    async fn attempt(&self, call: &Call<'_>, limit: Duration) -> Attempt {
        let admitted = match call.until {
            None => self.admit(call).await,
            Some(until) => {
                timeout_at(until, self.admit(call)).await.unwrap_or_else(|_| Err(call.failed(Kind::Network, NO_ANSWER)))
            }
        };
        let Admitted { held, mut permit, admission } = match admitted {
            Ok(admitted) => admitted,
            Err(error) => return Attempt::unsent(error),
        };
        let Some(request) = call.http(&held.token) else {
            return Attempt::unsent(call.failed(Kind::Network, "the request cannot be put into HTTP"));
        };
        if !(call.may_send)() {
            return Attempt::unsent(call.failed(Kind::Withheld, "the permission to send had ended"));
        }
        permit.sent();
        let began = Instant::now();
        let until = call.until.map_or(began + limit, |until| until.min(began + limit));
        let mut exchange = match timeout_at(until, self.transport.exchange(request, BODY_BYTES_MAX)).await {
            Ok(answer) => Exchange::read(call, answer),
            Err(_) => Exchange::timed_out(call),
        };
        let retry_at = self.limits.learn(&permit, &admission, &exchange);
        if let Err(error) = &mut exchange.result {
            error.retry_at = retry_at;
        }
        let another_token_may_help = self.tokens.learn(&held, &exchange);
        Attempt { exchange, another_token_may_help, took: began.elapsed() }
    }

    /// A token and a slot, as soon as there are both. The token comes first: no slot is held during a login. It may have
    /// been withdrawn or have expired while the call waited for the slot; then the slot is given back and both are
    /// asked for once more.
    async fn admit(&self, call: &Call<'_>) -> Result<Admitted<'_>, Error> {
        let (mut until, mut admission) = (None, self.limits.enter(call, self.probe_max)?);
        loop {
            let held = self.token(call).await?;
            let last = until.is_some();
            let limit = *until.get_or_insert_with(|| Instant::now() + self.slot_timeout);
            let permit = self.limits.acquire(call, &admission, limit).await?;
            admission = self.limits.pass(call, admission, self.probe_max)?;
            match self.tokens.usable() {
                Some(held) => return Ok(Admitted { held, permit, admission }),
                None if last => return Ok(Admitted { held, permit, admission }),
                None => {}
            }
        }
    }

    /// A token for a call that sends nothing to Graph.
    pub async fn token_only(&self, call: &Call<'_>) -> Result<Held, Error> {
        let _admission = self.limits.enter(call, self.probe_max)?;
        self.token(call).await
    }

    async fn token(&self, call: &Call<'_>) -> Result<Held, Error> {
        self.tokens.get().await.map_err(|(error, until)| Error {
            // A cached rejection reads like the original.
            status: (error.kind == Kind::TokenRejected).then_some(401),
            code: error.code,
            retry_at: Some(until),
            login_of: self.login_of.clone(),
            ..call.failed(error.kind, &error.message)
        })
    }
}

/// What a call needs before it is sent.
struct Admitted<'a> {
    held: Held,
    permit: Permit,
    admission: Admission<'a>,
}

/// One request, or why there was none.
struct Attempt {
    exchange: Exchange,
    another_token_may_help: bool,
    /// From the sending on.
    took: Duration,
}

impl Attempt {
    fn unsent(error: Error) -> Self {
        Self { exchange: Exchange::unsent(error), another_token_may_help: false, took: Duration::ZERO }
    }
}
