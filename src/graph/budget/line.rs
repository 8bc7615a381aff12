//! Who waits, and who goes first: the most urgent, and of those the one that waited longest; whoever is less urgent has a
//! turn after so many others. `W` is what wakes a call that waits.

use std::collections::BTreeMap;

use super::super::request::Priority;

/// Calls of a priority are passed over at most this many times in a row; then one of them has a turn.
pub(super) const PASSED_OVER_MAX: u32 = 8;
/// The most urgent first.
const PRIORITIES: [Priority; 3] = [Priority::Deletion, Priority::Change, Priority::Poll];

/// Names a call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::graph) struct Ticket {
    priority: Priority,
    pub(super) write: bool,
    number: u64,
}

/// The calls of one priority, as they came; reads and writes apart, because a read does not wait for a write that has to.
#[derive(Debug)]
struct Waiting<W> {
    reads: BTreeMap<u64, W>,
    writes: BTreeMap<u64, W>,
    passed_over: u32,
}

impl<W> Default for Waiting<W> {
    fn default() -> Self {
        Self { reads: BTreeMap::new(), writes: BTreeMap::new(), passed_over: 0 }
    }
}

impl<W> Waiting<W> {
    /// The one that came first.
    fn first(&self, with_writes: bool) -> Option<(u64, bool)> {
        let read = self.reads.first_key_value().map(|(number, _)| (*number, false));
        let write = self.writes.first_key_value().filter(|_| with_writes).map(|(number, _)| (*number, true));
        read.into_iter().chain(write).min()
    }

    fn of_kind(&mut self, write: bool) -> &mut BTreeMap<u64, W> {
        if write { &mut self.writes } else { &mut self.reads }
    }
}

#[derive(Debug)]
pub(super) struct Line<W> {
    waiting: [Waiting<W>; 3],
    numbers: u64,
}

impl<W> Line<W> {
    pub fn new() -> Self {
        Self { waiting: Default::default(), numbers: 0 }
    }

    pub fn join(&mut self, priority: Priority, write: bool, wakes: W) -> Ticket {
        self.numbers += 1;
        let number = self.numbers;
        self.of(priority).of_kind(write).insert(number, wakes);
        Ticket { priority, write, number }
    }

    /// A call does not wait any more.
    pub fn leave(&mut self, ticket: Ticket) {
        self.of(ticket.priority).of_kind(ticket.write).remove(&ticket.number);
    }

    /// Whose turn it is, of all or of the reads.
    pub fn next(&self, with_writes: bool) -> Option<Ticket> {
        let ticket = |priority: Priority| {
            let (number, write) = self.waiting[priority as usize].first(with_writes)?;
            Some(Ticket { priority, write, number })
        };
        let over = |priority: Priority| self.waiting[priority as usize].passed_over >= PASSED_OVER_MAX;
        let due = PRIORITIES.into_iter().filter(|priority| over(*priority)).find_map(ticket);
        due.or_else(|| PRIORITIES.into_iter().find_map(ticket))
    }

    /// The one whose turn it was goes; those of another priority that could have gone were passed over.
    pub fn goes(&mut self, ticket: Ticket, with_writes: bool) {
        self.leave(ticket);
        for priority in PRIORITIES {
            let waiting = self.of(priority);
            if priority == ticket.priority || waiting.first(with_writes).is_none() {
                waiting.passed_over = 0;
            } else {
                waiting.passed_over += 1;
            }
        }
    }

    /// What wakes the one whose turn it is, and the read whose turn it is should that be a write which has to wait.
    pub fn leaders(&self) -> impl Iterator<Item = &W> {
        let first = self.next(true);
        let read = self.next(false).filter(|read| Some(*read) != first);
        first.into_iter().chain(read).filter_map(|ticket| {
            let waiting = &self.waiting[ticket.priority as usize];
            if ticket.write { &waiting.writes } else { &waiting.reads }.get(&ticket.number)
        })
    }

    pub fn all(&self) -> impl Iterator<Item = &W> {
        self.waiting.iter().flat_map(|waiting| waiting.reads.values().chain(waiting.writes.values()))
    }

    pub fn len(&self) -> usize {
        self.waiting.iter().map(|waiting| waiting.reads.len() + waiting.writes.len()).sum()
    }

    fn of(&mut self, priority: Priority) -> &mut Waiting<W> {
        &mut self.waiting[priority as usize]
    }
}
