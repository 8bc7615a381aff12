//! Calls that wait in lanes which take turns, however many calls one of them has; in a lane they go as they came. `W` is what
//! wakes a call.
//!
//! This is start-time fair queueing with calls that all cost the same. A lane that was empty does not wait for a whole turn
//! of all others, but it cannot gain turns either by coming and going: which of its turns was the last is kept until the
//! others have had as many.

use std::collections::BTreeMap;

/// Names a call that waits: its lane, and its number.
pub(super) type Place = (u64, u64);

#[derive(Debug)]
struct Lane<W> {
    calls: BTreeMap<u64, W>,
    /// In which round the first of them goes.
    round: u64,
}

#[derive(Debug)]
pub(super) struct Lanes<W> {
    lanes: BTreeMap<u64, Lane<W>>,
    /// The round of the last call that went.
    round: u64,
}

impl<W> Lanes<W> {
    pub fn new() -> Self {
        Self { lanes: BTreeMap::new(), round: 0 }
    }

    pub fn join(&mut self, (lane, number): Place, wakes: W) {
        let round = self.round;
        let lane = self.lanes.entry(lane).or_insert_with(|| Lane { calls: BTreeMap::new(), round });
        lane.calls.insert(number, wakes);
    }

    pub fn leave(&mut self, (lane, number): Place) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.calls.remove(&number);
        }
        self.forget_unused();
    }

    /// A call has its turn.
    pub fn goes(&mut self, (lane, number): Place) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.calls.remove(&number);
            self.round = lane.round;
            lane.round += 1;
        }
        self.forget_unused();
    }

    /// Whose turn it is: of the lanes in the earliest round the one whose first call came first.
    pub fn first(&self) -> Option<Place> {
        let first = |(lane, waiting): (&u64, &Lane<W>)| {
            let (number, _) = waiting.calls.first_key_value()?;
            Some((waiting.round, *number, *lane))
        };
        self.lanes.iter().filter_map(first).min().map(|(_, number, lane)| (lane, number))
    }

    pub fn get(&self, (lane, number): Place) -> Option<&W> {
        self.lanes.get(&lane)?.calls.get(&number)
    }

    pub fn len(&self) -> usize {
        self.lanes.values().map(|lane| lane.calls.len()).sum()
    }

    fn forget_unused(&mut self) {
        let round = self.round;
        self.lanes.retain(|_, lane| !lane.calls.is_empty() || lane.round > round);
    }
}
