//! The permission to call Graph: closed for all calls of a client until the instant that a 429 named.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
pub(super) struct Gate {
    closed_until: Option<Instant>,
    /// 429s in a row that named no instant.
    unnamed: u32,
}

impl Gate {
    /// The instant until which nothing may be sent, if there is one.
    pub fn closed(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|until| *until > now)
    }

    /// Closes for as long as the answer asks. Without a word, or with a wait of nothing: 1 s, 2 s, 4 s …, each shortened
    /// by up to a half; `chance` is from 0 to 1.
    pub fn throttled(&mut self, now: Instant, retry_after: Option<Duration>, chance: f64) -> Instant {
        let wait = retry_after.filter(|wait| !wait.is_zero()).unwrap_or_else(|| {
            let factor = 1_u32 << self.unnamed.min(16);
            self.unnamed += 1;
            let limit = BACKOFF_FIRST.saturating_mul(factor).min(BACKOFF_MAX);
            limit.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
        });
        let until = self.closed_until.map_or(now + wait, |until| until.max(now + wait));
        self.closed_until = Some(until);
        until
    }

    pub fn answered(&mut self) {
        self.unnamed = 0;
    }
}

/// From 0 to 1, for jitter.
pub(super) fn chance() -> f64 {
    f64::from((Uuid::new_v4().as_u128() % 1000) as u16) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_instant_closes_until_then_and_a_shorter_one_does_not_open() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        let until = gate.throttled(now, Some(Duration::from_secs(10)), 0.5);
        assert_eq!(until, now + Duration::from_secs(10));
        gate.throttled(now, Some(Duration::from_secs(1)), 0.5);
        assert_eq!(gate.closed(now + Duration::from_secs(9)), Some(until));
        assert_eq!(gate.closed(until), None);
    }

    #[test]
    fn without_a_word_or_with_a_wait_of_nothing_the_wait_doubles_and_an_answer_starts_over() {
        let (mut gate, mut now) = (Gate::default(), Instant::now());
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
