//! The virtual clock: real time plus what was added, or standing still.

use jiff::{SignedDuration, Timestamp};

/// What Graph writes for "never".
pub const NEVER: &str = "0001-01-01T00:00:00Z";

#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead: SignedDuration,
    frozen: Option<Timestamp>,
}

impl Clock {
    /// In steps of 100 ns, so that what is shown is what is.
    pub fn now(&self) -> Timestamp {
        let exact = self.frozen.unwrap_or_else(|| after(Timestamp::now(), self.ahead)).as_nanosecond();
        Timestamp::from_nanosecond(exact - exact.rem_euclid(100)).unwrap_or_default()
    }

    pub fn advance(&mut self, by: SignedDuration) {
        match &mut self.frozen {
            Some(instant) => *instant = after(*instant, by),
            None => self.ahead = self.ahead.saturating_add(by),
        }
    }

    /// Stands still, now or at the given instant.
    pub fn freeze(&mut self, at: Option<Timestamp>) {
        self.frozen = Some(at.unwrap_or_else(|| self.now()));
    }

    /// Goes on from where it stands.
    pub fn resume(&mut self) {
        if let Some(instant) = self.frozen.take() {
            self.ahead = instant.duration_since(Timestamp::now());
        }
    }

    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }
}

pub fn after(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.saturating_add(by).unwrap_or(Timestamp::MAX)
}

pub fn seconds(count: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(count).unwrap_or(i64::MAX))
}

pub fn millis(count: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(count).unwrap_or(i64::MAX))
}

/// RFC 3339 in UTC with the seven fractional digits that Graph writes.
pub fn text(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string()
}

/// The same for an instant that may not have come yet.
pub fn text_or_never(instant: Option<Timestamp>) -> String {
    instant.map_or_else(|| NEVER.to_owned(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_told_and_goes_on_from_there() {
        let mut clock = Clock::default();
        let start: Timestamp = "2026-11-20T09:00:12.1234567Z".parse().unwrap();
        clock.freeze(Some(start));
        assert_eq!(text(clock.now()), "2026-11-20T09:00:12.1234567Z");
        clock.advance(seconds(60));
        assert_eq!(text(clock.now()), "2026-11-20T09:01:12.1234567Z");
        clock.resume();
        assert!(clock.now() >= after(start, seconds(60)));
        assert!(!clock.is_frozen());
    }
}
