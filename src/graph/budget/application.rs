//! What one application may send to all its tenants together. Its calls go as they come: each takes its part at once, on
//! credit if need be, and leaves when that is there. No tenant has more of them than it has slots.

use std::time::Duration;

use tokio::time::Instant;

use super::bucket::Bucket;
use super::headers::{Counted, Reported};
use super::pace::{COST, SHARE, STEP, STEPS_MAX};
use super::rate::Rate;

/// 150,000 resource units in 20 s, 70,000 writes in 5 minutes and 130,000 requests in 10 s, and a hundredth of each window.
const LIMITS: [(Counted, f64, f64); 3] = [
    (Counted::Units, 150_000.0 / 20.0, 0.2),
    (Counted::Writes, 70_000.0 / 300.0, 3.0),
    (Counted::Requests, 130_000.0 / 10.0, 0.1),
];

#[derive(Debug)]
struct Part {
    counted: Counted,
    rate: Rate,
    bucket: Bucket,
    used: f64,
}

impl Part {
    fn takes(&self, write: bool) -> bool {
        write || self.counted != Counted::Writes
    }
}

/// What a call took, and the last cuts when it did.
#[derive(Clone, Copy, Debug)]
pub(in crate::graph) struct Taken {
    write: bool,
    cuts: [u64; 3],
    /// When it may leave.
    pub leaves: Instant,
}

#[derive(Debug)]
pub(in crate::graph) struct Application {
    parts: [Part; 3],
    /// Until when the rates are computed.
    at: Option<Instant>,
    shut_until: Option<Instant>,
}

impl Default for Application {
    fn default() -> Self {
        let parts = LIMITS.map(|(counted, limit, burst)| Part {
            counted,
            rate: Rate::new(limit * SHARE),
            bucket: Bucket::new(burst, limit * SHARE),
            used: 0.0,
        });
        Self { parts, at: None, shut_until: None }
    }
}

impl Application {
    /// Takes what a call costs.
    pub fn take(&mut self, write: bool, now: Instant) -> Taken {
        self.pass(now);
        let mut leaves = now;
        for part in self.parts.iter_mut().filter(|part| part.takes(write)) {
            part.bucket.take_on_credit(COST);
            part.used += COST;
            let owed = part.bucket.time_until(0.0, part.rate.at(now).max(f64::MIN_POSITIVE));
            leaves = leaves.max(now + owed);
        }
        Taken { write, cuts: self.parts.each_ref().map(|part| part.rate.cuts()), leaves }
    }

    /// A call was not sent.
    pub fn give_back(&mut self, taken: &Taken, now: Instant) {
        for part in self.parts.iter_mut().filter(|part| part.takes(taken.write)) {
            part.bucket.give_back(COST, part.rate.at(now));
            part.used -= COST;
        }
    }

    /// An answer came that is no 429 of this limit.
    pub fn accepted(&mut self, taken: &Taken) {
        for part in self.parts.iter_mut().filter(|part| part.takes(taken.write)) {
            part.rate.accepted(COST);
        }
    }

    /// Graph refused a request because of a limit of this application over all tenants.
    pub fn exceeded(&mut self, taken: &Taken, reported: &Reported, now: Instant) {
        self.pass(now);
        let usual = if taken.write { Counted::Writes } else { Counted::Units };
        let exceeded = reported.exceeded.unwrap_or(usual);
        for (part, noted) in self.parts.iter_mut().zip(taken.cuts).filter(|(part, _)| part.counted == exceeded) {
            part.rate.exceeded(now, noted);
        }
    }

    /// Nothing leaves for any tenant before this instant, and little directly after it.
    pub fn shut(&mut self, until: Instant, now: Instant) {
        self.pass(now);
        self.shut_until = Some(self.shut_until.map_or(until, |other| other.max(until)));
        for part in &mut self.parts {
            part.rate.opens(until);
            part.bucket.drain();
        }
    }

    /// Until when nothing leaves for any tenant.
    pub fn shut_until(&self, now: Instant) -> Option<Instant> {
        self.shut_until.filter(|until| *until > now)
    }

    fn pass(&mut self, now: Instant) {
        let earliest = now.checked_sub(STEP * STEPS_MAX).unwrap_or(now);
        let mut at = self.at.unwrap_or(now).max(earliest);
        while at < now {
            let step: Duration = now.duration_since(at).min(STEP);
            at += step;
            for part in &mut self.parts {
                part.bucket.fill(step, part.rate.at(at));
                part.rate.pass(at, step, std::mem::take(&mut part.used));
            }
        }
        self.at = Some(at);
    }
}
