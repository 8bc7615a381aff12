//! The time of a world: tokio's, which tests move, and the calendar that belongs to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Time since the world began. Copies show the same.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
    epoch: Timestamp,
    stamps: &'static AtomicU64,
}

impl Clock {
    /// The world begins now, at this moment of the calendar.
    pub fn start(epoch: Timestamp) -> Self {
        Self { began: Instant::now(), epoch, stamps: Box::leak(Box::default()) }
    }

    /// Since the beginning.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Since the beginning, and later than every stamp before, so that the judges know the order of what happens at one
    /// moment: that of the nanoseconds, of which tokio's clock has none.
    pub fn stamp(&self) -> Duration {
        self.now() + Duration::from_nanos(self.stamps.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// As a moment of tokio's clock.
    pub fn instant(&self, at: Duration) -> Instant {
        self.began + at
    }

    /// As a moment of the calendar, in seconds, as Kubernetes writes it.
    pub fn date(&self, at: Duration) -> Timestamp {
        let seconds = i64::try_from(at.as_secs()).unwrap();
        Timestamp::from_second(self.epoch.as_second() + seconds).unwrap()
    }
}
