//! The permission to call Graph: closed for all calls of a client until the instant that an answer named.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::answer::Exchange;
use super::error::{Error, Kind};
use super::request::Call;

const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(300);
/// A 5xx is not believed when it asks for a longer wait: it may speak for one backend of many.
const UNAVAILABLE_WAIT_MAX: Duration = Duration::from_secs(300);

/// Shared by all calls of a client.
pub(super) struct Gate {
    state: Mutex<State>,
    /// Is given the instant until which the gate was closed.
    on_close: Box<dyn Fn(Instant) + Send + Sync>,
}

impl Gate {
    pub fn new(on_close: impl Fn(Instant) + Send + Sync + 'static) -> Self {
        Self { state: Mutex::default(), on_close: Box::new(on_close) }
    }

    /// The instant until which Graph asked to wait, if it lies ahead.
    pub fn closed_until(&self) -> Option<Instant> {
        self.state.lock().closed(Instant::now())
    }

    /// Lets a call through, or says why not.
    pub fn pass(&self, call: &Call<'_>) -> Result<(), Error> {
        match self.closed_until() {
            None => Ok(()),
            Some(until) => Err(Error {
                retry_at: Some(until),
                ..call.failed(Kind::Throttled, "Graph asked to wait, and nothing was sent")
            }),
        }
    }

    /// Takes note of what came of a request, and returns when it may be tried again, if the answer says so. A 429 is
    /// about all calls of this application in this tenant, and a 503 that names an instant about the service: both close
    /// the gate. Any other answer is about its own request.
    pub fn learn(&self, exchange: &Exchange) -> Option<Instant> {
        let now = Instant::now();
        let kind = match &exchange.result {
            Ok(_) => {
                self.state.lock().answered();
                return None;
            }
            Err(error) => error.kind,
        };
        let short = exchange.wait.filter(|wait| !wait.is_zero()).map(|wait| wait.min(UNAVAILABLE_WAIT_MAX));
        match exchange.status {
            Some(429) => Some(self.close(now, exchange.wait)),
            Some(503) => short.map(|wait| self.close(now, Some(wait))),
            _ if kind == Kind::Unavailable => short.map(|wait| now + wait),
            _ => None,
        }
    }

    fn close(&self, now: Instant, wait: Option<Duration>) -> Instant {
        let until = self.state.lock().throttled(now, wait, fastrand::f64());
        (self.on_close)(until);
        until
    }
}

#[derive(Debug, Default)]
struct State {
    closed_until: Option<Instant>,
    /// 429s in a row that named no instant.
    unnamed: u32,
}

impl State {
    /// The instant until which nothing may be sent, if there is one.
    fn closed(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|until| *until > now)
    }

    /// Closes for as long as the answer asks. With no `Retry-After`, or one of zero: 1 s, 2 s, 4 s …, each shortened by up
    /// to a half; `jitter` is from 0 to 1.
    fn throttled(&mut self, now: Instant, retry_after: Option<Duration>, jitter: f64) -> Instant {
        let wait = retry_after.filter(|wait| !wait.is_zero()).unwrap_or_else(|| {
            let factor = 1_u32 << self.unnamed.min(16);
            self.unnamed += 1;
            let limit = BACKOFF_FIRST.saturating_mul(factor).min(BACKOFF_MAX);
            limit.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
        });
        let until = self.closed_until.map_or(now + wait, |until| until.max(now + wait));
        self.closed_until = Some(until);
        until
    }

    fn answered(&mut self) {
        self.unnamed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_instant_closes_until_then_and_a_shorter_one_does_not_open() {
        let (mut gate, now) = (State::default(), Instant::now());
        let until = gate.throttled(now, Some(Duration::from_secs(10)), 0.5);
        assert_eq!(until, now + Duration::from_secs(10));
        gate.throttled(now, Some(Duration::from_secs(1)), 0.5);
        assert_eq!(gate.closed(now + Duration::from_secs(9)), Some(until));
        assert_eq!(gate.closed(until), None);
    }

    #[test]
    fn without_a_wait_or_with_one_of_zero_the_wait_doubles_and_a_success_starts_over() {
        let (mut gate, mut now) = (State::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = (waits.len() % 2 == 1).then_some(Duration::ZERO);
            let until = gate.throttled(now, wait, 1.0);
            waits.push((until - now).as_secs());
            now = until;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        gate.answered();
        assert_eq!(gate.throttled(now, None, 0.0) - now, Duration::from_millis(500));
    }
}
