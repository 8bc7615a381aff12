//! How much of what Graph allows is used, and who of those that wait is next: a state without a clock and without chance, so
//! that any run of it can be repeated.
//!
//! Crates for rate limits (governor, leaky-bucket) keep a constant rate and know no order of those that wait; a rate that
//! follows what Graph shows, with the order of urgency, over tokio's time, is what fair use is here, and it is written here.

mod application;
mod bucket;
mod headers;
mod lanes;
mod line;
mod pace;
mod rate;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::Instant;

use super::request::Turn;
pub(super) use application::{Application, Taken};
use bucket::Bucket;
pub(super) use headers::{Counted, Reported};
use line::Line;
pub(super) use line::Ticket;
use pace::{COST, SHARE, STEP, STEPS_MAX};
use rate::Rate;

/// The limits of an application in a tenant of the smallest size: 3,500 resource units in 10 s and 3,000 writes in 150 s.
const UNITS: f64 = 3500.0 / 10.0;
const WRITES: f64 = 3000.0 / 150.0;
/// Bursts, in seconds of the rate: a hundredth of a window of the limits.
const UNITS_BURST: f64 = 0.1;
const WRITES_BURST: f64 = 1.5;
/// While no slot is free, it makes sense to ask again after this time.
const SLOT_LOOK: Duration = Duration::from_millis(250);

/// Resource units and writes over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// What a request costs, reads and writes alike: most cost one.
    pub units_per_second: f64,
    /// Requests that change something.
    pub writes_per_minute: f64,
}

impl Rates {
    /// What Graph documents for an application in a tenant of the smallest size, less a margin.
    pub const fn documented() -> Self {
        Self { units_per_second: UNITS * SHARE, writes_per_minute: WRITES * SHARE * 60.0 }
    }

    /// Never more than what is documented, and never nothing.
    fn ceilings(self) -> (f64, f64) {
        let most = Self::documented();
        let within = |rate: f64, most: f64| if rate.is_finite() { rate.clamp(most / 1000.0, most) } else { most };
        let writes = within(self.writes_per_minute, most.writes_per_minute);
        (within(self.units_per_second, most.units_per_second), writes / 60.0)
    }
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shortage {
    /// As many requests as are allowed are in flight.
    Slots,
    /// The resource units of the tenant.
    Units,
    /// The writes of the tenant.
    Writes,
    /// What the application may send to all tenants together.
    Application,
}

impl Shortage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Slots, Self::Units, Self::Writes, Self::Application];

    /// As metrics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slots => "slots",
            Self::Units => "units",
            Self::Writes => "writes",
            Self::Application => "application",
        }
    }
}

/// What one call was given: a slot, and what it costs.
#[derive(Debug)]
pub(super) struct Grant {
    write: bool,
    /// The last cut of each rate when it was given.
    units_cuts: u64,
    writes_cuts: u64,
}

impl Grant {
    pub fn is_write(&self) -> bool {
        self.write
    }
}

/// What a call that waits is answered.
#[derive(Debug)]
pub(super) enum Look {
    Granted(Grant),
    /// It is looked at again when it is woken, or at this instant.
    Wait {
        until: Option<Instant>,
        shortage: Shortage,
    },
}

/// A rate and its bucket.
#[derive(Debug)]
struct Budget {
    rate: Rate,
    bucket: Bucket,
    /// Since the last step.
    used: f64,
}

impl Budget {
    fn new(ceiling: f64, burst: f64) -> Self {
        Self { rate: Rate::new(ceiling), bucket: Bucket::new(burst, ceiling), used: 0.0 }
    }

    fn pass(&mut self, now: Instant, time: Duration) {
        self.bucket.fill(time, self.rate.at(now));
        self.rate.pass(now, time, std::mem::take(&mut self.used));
    }

    /// What was saved up for a higher rate is no burst of a lower one.
    fn set_ceiling(&mut self, ceiling: f64) {
        self.rate.set_ceiling(ceiling);
        self.bucket.fill(Duration::ZERO, self.rate.adapted());
    }

    fn take(&mut self, cost: f64) {
        self.bucket.take(cost);
        self.used += cost;
    }

    fn give_back(&mut self, now: Instant, cost: f64) {
        self.bucket.give_back(cost, self.rate.at(now));
        self.used -= cost;
    }

    fn opens(&mut self, opens: Instant) {
        self.rate.opens(opens);
        self.bucket.drain();
    }

    fn holds(&self, now: Instant, cost: f64) -> bool {
        self.rate.is_open(now) && self.bucket.holds(cost)
    }

    /// When it may hold so much: the rate changes, so that this is looked at again within a second.
    fn ready(&self, now: Instant, cost: f64) -> Instant {
        now + self.bucket.time_until(cost, self.rate.at(now)).min(STEP).max(Duration::from_millis(1))
    }
}

/// The budget of one application in one tenant. `W` is what wakes a call that waits.
#[derive(Debug)]
pub(super) struct State<W> {
    units: Budget,
    writes: Budget,
    line: Line<W>,
    free: usize,
    /// Until when the rates are computed.
    at: Instant,
}

impl<W> State<W> {
    pub fn new(rates: Rates, slots: usize, now: Instant) -> Self {
        let (units, writes) = rates.ceilings();
        Self {
            units: Budget::new(units, UNITS_BURST),
            writes: Budget::new(writes, WRITES_BURST),
            line: Line::new(),
            free: slots,
            at: now,
        }
    }

    pub fn set_rates(&mut self, rates: Rates) {
        let (units, writes) = rates.ceilings();
        self.units.set_ceiling(units);
        self.writes.set_ceiling(writes);
    }

    /// The rates that it is adapted to: resource units and writes in a second.
    pub fn rates(&self) -> (f64, f64) {
        (self.units.rate.adapted(), self.writes.rate.adapted())
    }

    pub fn join(&mut self, turn: Turn, write: bool, wakes: W) -> Ticket {
        self.line.join(turn, write, wakes)
    }

    /// A call gives up.
    pub fn leave(&mut self, ticket: Ticket) {
        self.line.leave(ticket);
    }

    /// Whose turn may have come by the last change.
    pub fn leaders(&self) -> impl Iterator<Item = &W> {
        self.line.leaders()
    }

    /// Whether a call that waits goes now.
    pub fn look(&mut self, ticket: Ticket, now: Instant) -> Look {
        self.pass(now);
        let with_writes = self.writes.holds(now, COST);
        let first = self.line.next(with_writes);
        let (shortage, ready) = self.shortage(ticket.write, now);
        if first == Some(ticket) && shortage.is_none() {
            self.line.goes(ticket, with_writes);
            return Look::Granted(self.grant(ticket.write));
        }
        let leads = first == Some(ticket) || self.line.next(true) == Some(ticket);
        Look::Wait { until: ready.filter(|_| leads), shortage: shortage.unwrap_or(Shortage::Slots) }
    }

    fn grant(&mut self, write: bool) -> Grant {
        self.free -= 1;
        self.units.take(COST);
        if write {
            self.writes.take(COST);
        }
        Grant { write, units_cuts: self.units.rate.cuts(), writes_cuts: self.writes.rate.cuts() }
    }

    /// What a call of this kind lacks, and when it may be there; a slot wakes the call that waits for it.
    fn shortage(&self, write: bool, now: Instant) -> (Option<Shortage>, Option<Instant>) {
        if write && !self.writes.holds(now, COST) {
            (Some(Shortage::Writes), Some(self.writes.ready(now, COST)))
        } else if !self.units.holds(now, COST) {
            (Some(Shortage::Units), Some(self.units.ready(now, COST)))
        } else if self.free == 0 {
            (Some(Shortage::Slots), None)
        } else {
            (None, None)
        }
    }

    /// A call has ended, or gives back what it was given without having sent anything.
    pub fn ended(&mut self, grant: &Grant, sent: bool, now: Instant) {
        self.pass(now);
        self.free += 1;
        if !sent {
            self.units.give_back(now, COST);
            if grant.write {
                self.writes.give_back(now, COST);
            }
        }
    }

    /// An answer came that is no 429.
    pub fn accepted(&mut self, grant: &Grant, reported: &Reported, now: Instant) {
        self.pass(now);
        let cost = reported.units.unwrap_or(COST);
        self.units.take((cost - COST).max(0.0));
        self.units.rate.accepted(cost);
        if grant.write {
            self.writes.rate.accepted(COST);
        }
        self.usage(grant, reported, now);
    }

    /// Graph refused a request because of a limit of this application in this tenant.
    pub fn exceeded(&mut self, grant: &Grant, reported: &Reported, now: Instant) {
        self.pass(now);
        let writes = match reported.exceeded {
            Some(Counted::Writes) => true,
            Some(Counted::Units | Counted::Requests) => false,
            None => grant.write,
        };
        if writes {
            self.writes.rate.exceeded(now, grant.writes_cuts);
        } else {
            self.units.rate.exceeded(now, grant.units_cuts);
        }
    }

    /// An answer names no limit with its usage: that of a write is taken for the writes'.
    fn usage(&mut self, grant: &Grant, reported: &Reported, now: Instant) {
        let budget = if grant.write { &mut self.writes } else { &mut self.units };
        budget.rate.usage(now, reported.usage);
    }

    /// Nothing leaves before this instant, and little directly after it.
    pub fn opens(&mut self, opens: Instant, now: Instant) {
        self.pass(now);
        self.units.opens(opens);
        self.writes.opens(opens);
    }

    /// When the least urgent call would have to wait, and until when.
    pub fn poll_waits_until(&mut self, now: Instant) -> Option<Instant> {
        self.pass(now);
        let waiting = self.line.len();
        #[expect(clippy::cast_precision_loss, reason = "calls that wait are few")]
        let ahead = waiting as f64 * COST;
        if !self.units.holds(now, ahead + COST) {
            return Some(self.units.ready(now, ahead + COST));
        }
        (self.free == 0 && waiting > 0).then(|| now + SLOT_LOOK)
    }

    fn pass(&mut self, now: Instant) {
        self.at = self.at.max(now.checked_sub(STEP * STEPS_MAX).unwrap_or(self.at));
        while self.at < now {
            let step = now.duration_since(self.at).min(STEP);
            self.at += step;
            self.units.pass(self.at, step);
            self.writes.pass(self.at, step);
        }
    }
}
