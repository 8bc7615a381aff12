//! A watchdog for passes that do not end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Passes in flight and their start times. Clones share state.
#[derive(Clone, Debug)]
pub struct Watchdog {
    stuck_after: Duration,
    passes: Arc<Mutex<Passes>>,
}

#[derive(Debug, Default)]
struct Passes {
    next: u64,
    in_flight: HashMap<u64, Instant>,
}

impl Watchdog {
    /// A pass that takes longer than this is stuck.
    pub fn new(stuck_after: Duration) -> Self {
        Self { stuck_after, passes: Arc::default() }
    }

    /// A pass begins; it ends when the answer is dropped.
    pub(super) fn begin(&self) -> InFlight {
        let mut passes = self.passes.lock();
        passes.next += 1;
        let number = passes.next;
        passes.in_flight.insert(number, Instant::now());
        InFlight { watchdog: self.clone(), number }
    }

    /// Whether a pass has been in flight for longer than that.
    pub fn is_stuck(&self) -> bool {
        self.passes.lock().in_flight.values().any(|began| began.elapsed() > self.stuck_after)
    }
}

/// A pass in flight, until it is dropped.
pub(super) struct InFlight {
    watchdog: Watchdog,
    number: u64,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.watchdog.passes.lock().in_flight.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUCK: Duration = Duration::from_secs(300);

    #[tokio::test(start_paused = true)]
    async fn a_pass_that_does_not_end_is_noticed_and_one_that_ends_is_not() {
        let watchdog = Watchdog::new(STUCK);
        let (ended, stuck) = (watchdog.begin(), watchdog.begin());
        drop(ended);
        tokio::time::advance(STUCK).await;
        assert!(!watchdog.is_stuck());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(watchdog.is_stuck());
        drop(stuck);
        assert!(!watchdog.is_stuck());
    }
}
