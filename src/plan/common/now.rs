//! An instant, on both clocks. It is always handed in: nothing in `plan` reads a clock.

use std::time::Duration;

use jiff::Timestamp;

/// One instant on the wall clock, whose readings are stored, and on a monotonic clock, whose readings end with the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub wall: Timestamp,
    /// Since an instant of this process that does not change.
    pub monotonic: Duration,
}

impl Now {
    /// How long ago an instant of the monotonic clock was.
    pub fn since(&self, earlier: Duration) -> Duration {
        self.monotonic.saturating_sub(earlier)
    }

    /// How long ago a stored instant was. A wall clock that went back makes everything young, which is the careful side.
    pub fn since_stored(&self, earlier: Timestamp) -> Duration {
        Duration::try_from(self.wall.duration_since(earlier)).unwrap_or(Duration::ZERO)
    }
}
