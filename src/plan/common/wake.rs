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

    /// Not before an instant that another side named; an instant that is now is no leave to ask without a pause.
    pub fn not_before(delay: Duration) -> Self {
        Self::NotBefore(delay.max(BACKOFF_FIRST))
    }

    /// The delay before it is spread.
    pub fn delay(self) -> Duration {
        match self {
            Self::OnChange => Duration::MAX,
            Self::After(delay) | Self::NotBefore(delay) => delay,
        }
    }

    /// The delay for one object, told apart from others by a number that stays the same (a hash of its uid).
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
    fn no_delay_is_too_long_to_be_spread() {
        for seed in 0..1000 {
            for wake in [Wake::After(Duration::MAX), Wake::NotBefore(Duration::MAX)] {
                assert!(wake.spread(seed).unwrap() > Duration::MAX / 2, "{wake:?} {seed}");
            }
        }
    }
}
