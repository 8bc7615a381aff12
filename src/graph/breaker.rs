//! The state of the gate, without a clock and without chance: `now` and `jitter` (from 0 to 1) are arguments.

use std::time::Duration;

use tokio::time::Instant;

use super::error::Kind;

const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(300);
/// So many requests and logins in a row without an answer trip the breaker.
const UNANSWERED_MAX: u32 = 5;
/// While a probe is in flight, it makes no sense to ask again before this time.
const PROBE_LOOK: Duration = Duration::from_secs(1);

/// Whether a client sends calls now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Calls are sent.
    Open,
    /// Nothing is sent before this instant; while a probe is in flight, that is when the probe ends at the latest.
    Shut { until: Instant },
    /// The wait is over, and the next call is sent as the probe: its answer opens the client for all.
    Probe,
}

/// Until when nothing is sent, and the kind of failure that is the reason.
type Held = (Instant, Kind);

#[derive(Debug, Default)]
pub(super) struct State {
    shut_until: Option<Instant>,
    /// Waits in a row whose length was our own choice.
    own_waits: u32,
    /// Requests and logins in a row without an answer.
    unanswered: u32,
    tripped: Option<Tripped>,
    /// How many probes there were; the number of one is its name.
    probes: u64,
}

/// The breaker while it holds calls back.
#[derive(Debug)]
struct Tripped {
    /// The last failure.
    kind: Kind,
    /// The probe in flight, and when it ends at the latest.
    probe: Option<(u64, Instant)>,
}

impl State {
    pub fn availability(&self, now: Instant) -> Availability {
        match (self.held(now), &self.tripped) {
            (Some((until, _)), _) => Availability::Shut { until },
            (None, Some(_)) => Availability::Probe,
            (None, None) => Availability::Open,
        }
    }

    /// Lets a call through, as the probe of this number if the breaker waits for one. A call without a longest time of its
    /// probe cannot be one, and waits for that of another.
    pub fn enter(&mut self, now: Instant, probe_max: Option<Duration>) -> Result<Option<u64>, Held> {
        if let Some(held) = self.held(now) {
            return Err(held);
        }
        let Some(tripped) = &mut self.tripped else { return Ok(None) };
        let Some(probe_max) = probe_max else { return Err((now + PROBE_LOOK, tripped.kind)) };
        self.probes += 1;
        tripped.probe = Some((self.probes, now + probe_max));
        Ok(Some(self.probes))
    }

    /// What holds back even a probe.
    pub fn shut(&self, now: Instant) -> Option<Held> {
        let kind = self.tripped.as_ref().map_or(Kind::Throttled, |tripped| tripped.kind);
        self.shut_until.filter(|until| *until > now).map(|until| (until, kind))
    }

    /// What holds back all but a probe.
    pub fn held(&self, now: Instant) -> Option<Held> {
        let in_flight = || {
            let tripped = self.tripped.as_ref()?;
            tripped.probe.map(|(_, ends)| (ends.max(now + PROBE_LOOK), tripped.kind))
        };
        self.shut(now).or_else(in_flight)
    }

    /// The probe in flight.
    pub fn probe(&self) -> Option<u64> {
        self.tripped.as_ref()?.probe.map(|(number, _)| number)
    }

    /// A probe ended and shows nothing.
    pub fn release(&mut self, probe: u64) {
        if let Some(tripped) = &mut self.tripped {
            tripped.probe.take_if(|(number, _)| *number == probe);
        }
    }

    /// An answer came, whichever; says whether that ends the wait of the breaker. Only a success starts the back-off over.
    pub fn answered(&mut self, success: bool) -> bool {
        self.unanswered = 0;
        if success {
            self.own_waits = 0;
        }
        let ended = self.tripped.take().is_some();
        if ended {
            self.shut_until = None;
        }
        ended
    }

    /// Shuts for as long as an answer asks, and for a time of our own if it names none or zero.
    pub fn throttled(&mut self, now: Instant, wait: Option<Duration>, jitter: f64) -> Instant {
        let wait = wait.filter(|wait| !wait.is_zero()).unwrap_or_else(|| self.own_wait(jitter));
        self.shut_for(now, now + wait)
    }

    /// A request or a login got no answer. The fifth in a row trips the breaker, and so does each probe again; what else is
    /// still in flight then changes nothing. Returns until when, if it shuts; not before `earliest`.
    pub fn unanswered(
        &mut self,
        now: Instant,
        kind: Kind,
        probe: Option<u64>,
        earliest: Instant,
        jitter: f64,
    ) -> Option<Instant> {
        self.unanswered += 1;
        let trips = match &self.tripped {
            None => self.unanswered >= UNANSWERED_MAX,
            Some(_) => probe.is_some() && probe == self.probe(),
        };
        trips.then(|| {
            self.tripped = Some(Tripped { kind, probe: None });
            let wait = self.own_wait(jitter);
            self.shut_for(now, earliest.max(now + wait))
        })
    }

    /// 1 s, 2 s, 4 s … 300 s, each shortened by up to a half.
    fn own_wait(&mut self, jitter: f64) -> Duration {
        let limit = BACKOFF_FIRST.saturating_mul(1 << self.own_waits.min(16)).min(BACKOFF_MAX);
        self.own_waits += 1;
        limit.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }

    /// A shorter wait does not end a longer one.
    fn shut_for(&mut self, now: Instant, until: Instant) -> Instant {
        let until = self.shut_until.filter(|other| *other > now).map_or(until, |other| other.max(until));
        self.shut_until = Some(until);
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_instant_shuts_until_then_and_a_shorter_one_does_not_open() {
        let (mut state, now) = (State::default(), Instant::now());
        let until = state.throttled(now, Some(Duration::from_secs(10)), 0.5);
        assert_eq!(until, now + Duration::from_secs(10));
        state.throttled(now, Some(Duration::from_secs(1)), 0.5);
        assert_eq!(state.availability(now + Duration::from_secs(9)), Availability::Shut { until });
        assert_eq!(state.availability(until), Availability::Open);
    }

    #[test]
    fn without_a_wait_or_with_one_of_zero_the_wait_doubles_and_a_success_starts_over() {
        let (mut state, mut now) = (State::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = (waits.len() % 2 == 1).then_some(Duration::ZERO);
            let until = state.throttled(now, wait, 1.0);
            waits.push((until - now).as_secs());
            now = until;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        state.answered(true);
        assert_eq!(state.throttled(now, None, 0.0) - now, Duration::from_millis(500));
    }
}
