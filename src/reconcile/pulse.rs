//! Whether passes come to an end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The passes under way, by when they began. Clones share them.
#[derive(Clone, Debug)]
pub struct Pulse {
    stuck_after: Duration,
    beats: Arc<Mutex<Beats>>,
}

#[derive(Debug, Default)]
struct Beats {
    next: u64,
    running: HashMap<u64, Instant>,
}

impl Pulse {
    /// A pass that takes longer than this is stuck.
    pub fn new(stuck_after: Duration) -> Self {
        Self { stuck_after, beats: Arc::default() }
    }

    /// A pass begins; it ends when the answer is dropped.
    pub(super) fn begin(&self) -> Beat {
        let mut beats = self.beats();
        beats.next += 1;
        let number = beats.next;
        beats.running.insert(number, Instant::now());
        Beat { pulse: self.clone(), number }
    }

    pub fn is_stuck(&self) -> bool {
        self.beats().running.values().any(|began| began.elapsed() > self.stuck_after)
    }

    fn beats(&self) -> MutexGuard<'_, Beats> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Beat {
    pulse: Pulse,
    number: u64,
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.pulse.beats().running.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUCK: Duration = Duration::from_secs(300);

    #[tokio::test(start_paused = true)]
    async fn a_pass_that_does_not_end_is_noticed_and_one_that_ends_is_not() {
        let pulse = Pulse::new(STUCK);
        let (ended, stuck) = (pulse.begin(), pulse.begin());
        drop(ended);
        tokio::time::advance(STUCK).await;
        assert!(!pulse.is_stuck());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(pulse.is_stuck());
        drop(stuck);
        assert!(!pulse.is_stuck());
    }
}
