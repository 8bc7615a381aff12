//! The permission to call Graph, one for all calls of an application in a tenant. It is shut for as long as an answer asks to wait, and it is
//! a circuit breaker: shut as well when several requests in a row get no answer, until one probe gets an answer.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::answer::Exchange;
use super::breaker::{Availability, State};
use super::error::{Error, Kind};
use super::observer::{Observer, Shut};
use super::request::Call;

/// A 5xx is not believed when it asks for a longer wait: it may speak for one backend of many.
const UNAVAILABLE_WAIT_MAX: Duration = Duration::from_secs(300);

/// Shared by all calls and logins of an application in a tenant.
pub(super) struct Gate {
    state: Mutex<State>,
    observer: Arc<dyn Observer>,
}

/// The permission of one call. A probe that is dropped without an outcome leaves the probe to the next call.
pub(super) struct Admission<'a> {
    gate: &'a Gate,
    probe: Option<u64>,
}

/// What an answer, or the lack of one, showed.
pub(super) struct Learnt {
    /// When the request may be tried again, if that is known.
    pub retry_at: Option<Instant>,
    /// The gate is shut until then.
    pub shut: bool,
    /// The breaker has opened.
    pub opened: bool,
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if let Some(probe) = self.probe {
            self.gate.state.lock().release(probe);
        }
    }
}

impl Gate {
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self { state: Mutex::default(), observer }
    }

    pub fn availability(&self) -> Availability {
        self.state.lock().availability(Instant::now())
    }

    /// Lets a call through, or says why not. `probe_max` is the longest time of a probe, with its login and its wait for a
    /// slot.
    pub fn enter(&self, call: &Call<'_>, probe_max: Duration) -> Result<Admission<'_>, Error> {
        // Everybody waits for a probe, and a target that does not answer shows nothing about Graph.
        let probe_max = (!call.operation.asks_target()).then_some(probe_max);
        self.state
            .lock()
            .enter(Instant::now(), probe_max)
            .map_or_else(|(until, kind)| Err(shut(call, until, kind)), |probe| Ok(Admission { gate: self, probe }))
    }

    /// Lets a call through that has waited since it entered.
    pub fn pass<'a>(
        &'a self,
        call: &Call<'_>,
        admission: Admission<'a>,
        probe_max: Duration,
    ) -> Result<Admission<'a>, Error> {
        if admission.probe.is_none() {
            return self.enter(call, probe_max);
        }
        // The answer to an older request may have shut the gate while the probe waited.
        let shut_since = self.state.lock().shut(Instant::now());
        match shut_since {
            None => Ok(admission),
            Some((until, kind)) => Err(shut(call, until, kind)),
        }
    }

    /// Whether a call that has entered may go on waiting.
    pub fn look(&self, call: &Call<'_>, admission: &Admission<'_>) -> Result<(), Error> {
        let (state, now) = (self.state.lock(), Instant::now());
        let held = if admission.probe.is_none() { state.held(now) } else { state.shut(now) };
        held.map_or(Ok(()), |(until, kind)| Err(shut(call, until, kind)))
    }

    /// Takes note of what came of a request. A 429 is about all
    /// calls of this application in this tenant, and a 503 that names an instant about the service: both shut the gate.
    /// Any other answer is about its own request. Whatever it says, an answer shows that the service answers. What may be the
    /// failure of a target shows nothing.
    pub fn learn(&self, admission: &Admission<'_>, exchange: &Exchange) -> Learnt {
        let now = Instant::now();
        if exchange.is_about_target() {
            return Learnt { retry_at: None, shut: false, opened: false };
        }
        if exchange.status.is_none() {
            let retry_at = self.unanswered(now, Kind::Network, admission.probe, now);
            return Learnt { retry_at, shut: retry_at.is_some(), opened: false };
        }
        let opened = self.answered(exchange.result.is_ok());
        let unavailable = exchange.result.as_ref().is_err_and(|error| error.kind == Kind::Unavailable);
        let short = exchange.wait.filter(|wait| !wait.is_zero()).map(|wait| wait.min(UNAVAILABLE_WAIT_MAX));
        let (retry_at, shut) = match exchange.status {
            Some(429) => (Some(self.throttled(now, exchange.wait)), true),
            Some(503) => (short.map(|wait| self.throttled(now, Some(wait))), short.is_some()),
            _ => (short.filter(|_| unavailable).map(|wait| now + wait), false),
        };
        Learnt { retry_at, shut, opened }
    }

    /// A login got no answer, which is cached until this instant. While the breaker holds calls back, only a probe logs in.
    pub fn login_unanswered(&self, cached_until: Instant) {
        let probe = self.state.lock().probe();
        self.unanswered(Instant::now(), Kind::LoginUnavailable, probe, cached_until);
    }

    /// A login got an answer that is no token. The breaker does not hide that from other callers.
    pub fn login_failed(&self) {
        self.answered(false);
    }

    fn answered(&self, success: bool) -> bool {
        let opened = self.state.lock().answered(success);
        if opened {
            self.observer.opened();
        }
        opened
    }

    fn throttled(&self, now: Instant, wait: Option<Duration>) -> Instant {
        let until = self.state.lock().throttled(now, wait, fastrand::f64());
        self.observer.shut(until, Shut::Throttled);
        until
    }

    fn unanswered(&self, now: Instant, kind: Kind, probe: Option<u64>, earliest: Instant) -> Option<Instant> {
        let until = self.state.lock().unanswered(now, kind, probe, earliest, fastrand::f64())?;
        self.observer.shut(until, Shut::Unanswered);
        Some(until)
    }
}

/// The failure of a call that is held back; its kind is that of the failures which shut the gate.
fn shut(call: &Call<'_>, until: Instant, kind: Kind) -> Error {
    let message = if kind == Kind::LoginUnavailable {
        "the login service gave no answer several times, and nothing was sent"
    } else if kind == Kind::Network {
        "Graph gave no answer several times, and nothing was sent"
    } else {
        "Graph asked to wait, and nothing was sent"
    };
    Error { retry_at: Some(until), ..call.failed(kind, message) }
}
