//! Whether passes come to an end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Every call of a pass has a time limit, so one that takes this long is stuck.
const STUCK: Duration = Duration::from_secs(300);

/// The passes under way, by when they began. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Mutex<Beats>>);

#[derive(Debug, Default)]
struct Beats {
    next: u64,
    running: HashMap<u64, Instant>,
}

impl Pulse {
    /// A pass begins; it ends when the answer is dropped.
    pub(super) fn begin(&self) -> Beat {
        let mut beats = self.beats();
        beats.next += 1;
        let number = beats.next;
        beats.running.insert(number, Instant::now());
        Beat { pulse: self.clone(), number }
    }

    pub fn is_stuck(&self) -> bool {
        self.beats().running.values().any(|began| began.elapsed() > STUCK)
    }

    fn beats(&self) -> MutexGuard<'_, Beats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[tokio::test(start_paused = true)]
    async fn a_pass_that_does_not_end_is_noticed_and_one_that_ends_is_not() {
        let pulse = Pulse::default();
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
