//! The only place that reads the clocks of the machine.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::plan::Now;

/// Both clocks. Where tokio's time is paused, as in the searches, the wall clock follows it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
    /// The wall clock at `began`, if it is to follow the monotonic one.
    epoch: Option<Timestamp>,
}

impl Clock {
    /// The clocks of this machine.
    pub fn system() -> Self {
        Self { began: Instant::now(), epoch: None }
    }

    /// A wall clock that begins at `epoch` and goes with tokio's time.
    pub fn following(epoch: Timestamp) -> Self {
        Self { began: Instant::now(), epoch: Some(epoch) }
    }

    pub fn now(&self) -> Now {
        let monotonic = self.began.elapsed();
        let follows = |epoch: Timestamp| epoch.checked_add(monotonic).unwrap_or(Timestamp::MAX);
        Now { wall: self.epoch.map_or_else(Timestamp::now, follows), monotonic }
    }
}
