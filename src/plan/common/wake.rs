//! When to look again. Waiting belongs to the queue; here it is only named.

use std::time::Duration;

const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(300);
const SOON_MAX: Duration = Duration::from_secs(60);
/// Those that wait for one instant do not come back at the same millisecond.
const SPREAD_MAX: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wake {
    /// Only when the object changes.
    OnChange,
    /// After about this long; shortened or lengthened by up to a tenth, so that many objects do not wake together.
    After(Duration),
    /// Not before this long has passed: another side named the instant.
    NotBefore(Duration),
}

impl Wake {
    /// 1 s, 2 s, 4 s … up to 5 min, by the number of failures before this one.
    pub fn backoff(failures: u32) -> Self {
        let factor = 1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX);
        Self::After(BACKOFF_FIRST.saturating_mul(factor).min(BACKOFF_MAX))
    }

    /// What was done a moment ago shows soon; what did not show for a while is asked for less and less often.
    pub fn soon_after(since: Duration) -> Self {
        Self::After(since.clamp(BACKOFF_FIRST, SOON_MAX))
    }

    /// Not before an instant that another side named; an instant that has already passed still waits one second.
    pub fn not_before(delay: Duration) -> Self {
        Self::NotBefore(delay.max(BACKOFF_FIRST))
    }

    /// Whichever comes first.
    #[must_use]
    pub fn sooner(self, other: Self) -> Self {
        if other.delay() < self.delay() { other } else { self }
    }

    /// Twice as long for each time that nothing had changed, up to `most`, and never shorter than it was. What another side
    /// named is kept.
    #[must_use]
    pub fn stretched(self, unchanged: u32, most: Duration) -> Self {
        let factor = 1_u32.checked_shl(unchanged.min(16)).unwrap_or(u32::MAX);
        match self {
            Self::OnChange | Self::NotBefore(_) => self,
            Self::After(delay) => Self::After(delay.saturating_mul(factor).min(most.max(delay))),
        }
    }

    /// The delay before it is spread.
    pub fn delay(self) -> Duration {
        match self {
            Self::OnChange => Duration::MAX,
            Self::After(delay) | Self::NotBefore(delay) => delay,
        }
    }

    /// The delay for one object, told apart from others by a number that stays the same.
    pub fn spread(self, seed: u64) -> Option<Duration> {
        let part = f64::from(u16::try_from(seed % 1000).unwrap_or(0)) / 1000.0;
        match self {
            Self::OnChange => None,
            Self::After(delay) => {
                let spread = Duration::try_from_secs_f64(delay.as_secs_f64() * (0.9 + 0.2 * part));
                Some(spread.unwrap_or(Duration::MAX))
            }
            Self::NotBefore(delay) => Some(delay.saturating_add(SPREAD_MAX.min(delay / 2).mul_f64(part))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_limit() {
        let seconds: Vec<u64> = (0..11).map(|n| Wake::backoff(n).delay().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(Wake::backoff(u32::MAX).delay(), BACKOFF_MAX);
    }

    #[test]
    fn a_named_instant_is_never_anticipated() {
        for seed in 0..2000 {
            let delay = Duration::from_secs(10);
            assert!(Wake::NotBefore(delay).spread(seed).unwrap() >= delay);
            assert!(Wake::After(delay).spread(seed).unwrap() <= delay.mul_f64(1.1));
        }
    }

    #[test]
    fn what_does_not_change_is_looked_at_less_and_less_often_up_to_a_bound() {
        let (first, most) = (Wake::After(Duration::from_secs(60)), Duration::from_secs(600));
        let seconds: Vec<u64> = (0..6).map(|count| first.stretched(count, most).delay().as_secs()).collect();
        assert_eq!(seconds, [60, 120, 240, 480, 600, 600]);
        let named = Wake::NotBefore(Duration::from_secs(5));
        assert_eq!((named.stretched(9, most), Wake::OnChange.stretched(9, most)), (named, Wake::OnChange));
        let rare = Wake::After(Duration::from_secs(3600));
        assert_eq!(rare.stretched(3, most), rare, "never more often than was asked for");
    }

    #[test]
    fn no_delay_is_too_long_to_be_spread() {
        for seed in 0..1000 {
            for wake in [Wake::After(Duration::MAX), Wake::NotBefore(Duration::MAX)] {
                assert!(wake.spread(seed).unwrap() > Duration::MAX / 2, "{wake:?} {seed}");
            }
        }
    }
}
