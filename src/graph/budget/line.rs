//! Who waits, and who goes first: the most urgent, and of those one whose lane has the next turn; a less urgent one has
//! a turn after so many others. `W` is what wakes a call that waits.

use super::super::request::{Priority, Turn};
use super::lanes::{Lanes, Place};

/// Calls of a priority are passed over at most this many times in a row; then one of them has a turn.
pub(super) const PASSED_OVER_MAX: u32 = 8;
/// The most urgent first.
const PRIORITIES: [Priority; 3] = [Priority::Deletion, Priority::Change, Priority::Poll];

/// Names a call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::graph) struct Ticket {
    priority: Priority,
    pub(super) write: bool,
    place: Place,
}

/// The calls of one priority; reads and writes apart, because a read does not wait for a write that has to. While calls of
/// both kinds can go, they alternate.
#[derive(Debug)]
struct Waiting<W> {
    reads: Lanes<W>,
    writes: Lanes<W>,
    /// Whether the last one that went was a write.
    write_went: bool,
    passed_over: u32,
}

impl<W> Default for Waiting<W> {
    fn default() -> Self {
        Self { reads: Lanes::new(), writes: Lanes::new(), write_went: false, passed_over: 0 }
    }
}

impl<W> Waiting<W> {
    fn first(&self, with_writes: bool) -> Option<(bool, Place)> {
        let read = self.reads.first().map(|place| (false, place));
        let write = self.writes.first().filter(|_| with_writes).map(|place| (true, place));
        if self.write_went { read.or(write) } else { write.or(read) }
    }

    fn of_kind(&mut self, write: bool) -> &mut Lanes<W> {
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

    pub fn join(&mut self, turn: Turn, write: bool, wakes: W) -> Ticket {
        self.numbers += 1;
        let place = (turn.lane, self.numbers);
        self.of(turn.priority).of_kind(write).join(place, wakes);
        Ticket { priority: turn.priority, write, place }
    }

    /// A call does not wait any more.
    pub fn leave(&mut self, ticket: Ticket) {
        self.of(ticket.priority).of_kind(ticket.write).leave(ticket.place);
    }

    /// Whose turn it is, of all or of the reads.
    pub fn next(&self, with_writes: bool) -> Option<Ticket> {
        let ticket = |priority: Priority| {
            let (write, place) = self.waiting[priority as usize].first(with_writes)?;
            Some(Ticket { priority, write, place })
        };
        let over = |priority: Priority| self.waiting[priority as usize].passed_over >= PASSED_OVER_MAX;
        let due = PRIORITIES.into_iter().filter(|priority| over(*priority)).find_map(ticket);
        due.or_else(|| PRIORITIES.into_iter().find_map(ticket))
    }

    /// The one whose turn it was goes; those of another priority that could have gone were passed over.
    pub fn goes(&mut self, ticket: Ticket, with_writes: bool) {
        let waiting = self.of(ticket.priority);
        waiting.of_kind(ticket.write).goes(ticket.place);
        waiting.write_went = ticket.write;
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
            if ticket.write { &waiting.writes } else { &waiting.reads }.get(ticket.place)
        })
    }

    pub fn len(&self) -> usize {
        self.waiting.iter().map(|waiting| waiting.reads.len() + waiting.writes.len()).sum()
    }

    fn of(&mut self, priority: Priority) -> &mut Waiting<W> {
        &mut self.waiting[priority as usize]
    }
}
