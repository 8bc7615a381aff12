//! A value that lagging replicas show as it was some time ago.

use jiff::{SignedDuration, Timestamp};

/// Older versions than these are forgotten; no lag spans that many changes in a test.
const VERSIONS_MAX: usize = 64;

#[derive(Clone, Debug)]
pub struct Replicated<T> {
    versions: Vec<(Timestamp, T)>,
    current: T,
}

impl<T: Clone> Replicated<T> {
    pub fn new(at: Timestamp, value: T) -> Self {
        Self { versions: vec![(at, value.clone())], current: value }
    }

    pub fn current(&self) -> &T {
        &self.current
    }

    pub fn change(&mut self, at: Timestamp, change: impl FnOnce(&mut T)) {
        change(&mut self.current);
        self.versions.push((at, self.current.clone()));
        if self.versions.len() > VERSIONS_MAX {
            self.versions.remove(0);
        }
    }

    /// What a replica shows that is this far behind; the first version if that is younger still.
    pub fn seen(&self, now: Timestamp, lag: SignedDuration) -> &T {
        if lag.is_zero() {
            return &self.current;
        }
        let old_enough = |(at, _): &&(Timestamp, T)| now.duration_since(*at) >= lag;
        let found = self.versions.iter().rev().find(old_enough).or_else(|| self.versions.first());
        found.map_or(&self.current, |(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lagging_replica_shows_the_past() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut value = Replicated::new(at(0), "a");
        value.change(at(10), |value| *value = "b");
        assert_eq!(*value.seen(at(12), SignedDuration::ZERO), "b");
        assert_eq!(*value.seen(at(12), SignedDuration::from_secs(5)), "a");
        assert_eq!(*value.seen(at(15), SignedDuration::from_secs(5)), "b");
    }
}
