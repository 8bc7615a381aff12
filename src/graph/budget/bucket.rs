//! A token bucket. What it holds at most goes with the rate, so that a low rate has no large bursts.

use std::time::Duration;

/// An answer may say that its request was dearer than was paid: so much may then be owed.
const OWED_MAX: f64 = 20.0;
/// Sums of many small parts come out a little short.
const ROUNDING: f64 = 1e-9;

#[derive(Debug)]
pub(super) struct Bucket {
    level: f64,
    /// For how many seconds it takes in.
    seconds: f64,
}

impl Bucket {
    /// A full one.
    pub fn new(seconds: f64, rate: f64) -> Self {
        Self { level: most(seconds, rate), seconds }
    }

    pub fn fill(&mut self, time: Duration, rate: f64) {
        self.level = (self.level + rate * time.as_secs_f64()).min(most(self.seconds, rate));
    }

    pub fn holds(&self, cost: f64) -> bool {
        self.level + ROUNDING >= cost
    }

    pub fn take(&mut self, cost: f64) {
        self.level = (self.level - cost).max(-OWED_MAX);
    }

    /// Takes on credit, however much is owed already.
    pub fn take_on_credit(&mut self, cost: f64) {
        self.level -= cost;
    }

    pub fn give_back(&mut self, cost: f64, rate: f64) {
        self.level = (self.level + cost).min(most(self.seconds, rate));
    }

    /// Keeps one: after a wait the first request may leave at once, and no burst.
    pub fn drain(&mut self) {
        self.level = self.level.min(1.0);
    }

    /// How long until it holds so much at this rate.
    pub fn time_until(&self, cost: f64, rate: f64) -> Duration {
        let seconds = ((cost - self.level) / rate).max(0.0);
        if seconds.is_finite() { Duration::from_secs_f64(seconds.min(3600.0)) } else { Duration::from_secs(3600) }
    }
}

fn most(seconds: f64, rate: f64) -> f64 {
    (seconds * rate).max(1.0)
}
