//! What is worked on next: a state machine that reads no clock and draws no chance, so that any run of it can be repeated.
//!
//! Each key has one worker at most. Of what is due, the most urgent class goes first, unless another class was passed over
//! too often. Within a class the tenant with the fewest passes in flight goes first, and then the one that waited longest
//! for a turn: a turn costs as long as it holds a worker, so that a tenant whose passes are slow does not take the others'.
//! The namespaces of a tenant take turns. The last free workers are for tenants and namespaces that hold none. What belongs
//! to a tenant to which nothing can be sent stays parked.

mod class;
mod ready;
mod shares;
#[cfg(test)]
mod tests;
mod turn;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::tenants::TenantKey;
use crate::graph::Availability;
pub use class::Class;
use ready::Ready;
use shares::Shares;
pub use turn::Lane;
use turn::Turn;

/// A class that is due is passed over at most this many times; then it has a turn.
const PASSED_OVER_MAX: u32 = 8;
/// One worker of this many is kept free for changes, so that they find one while all others wait for Graph.
const RESERVE: usize = 8;

/// A key whose pass begins now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work<K> {
    pub key: K,
    pub class: Class,
    /// For how long it was due.
    pub waited: Duration,
}

/// What a pass wants after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    pub due: Instant,
    pub class: Class,
    /// Until then only what happens to the object itself is a reason for an earlier pass: the back-off of a pass that failed.
    pub rests_until: Instant,
}

enum State {
    Later(Turn),
    Ready(Turn),
    AtWork(AtWork),
}

struct AtWork {
    began: Instant,
    lane: Lane,
    class: Class,
    /// It finds out whether calls for the tenant are answered again.
    probe: bool,
    /// What was wanted meanwhile.
    again: Option<Turn>,
    /// What is wanted because of something that this pass had not seen when it began.
    woken: Option<Turn>,
    gone: bool,
}

struct Entry {
    lane: Lane,
    state: State,
}

/// The queue. `K` names an object.
pub struct Queue<K> {
    workers: usize,
    entries: HashMap<K, Entry>,
    later: BTreeMap<(Instant, u64), K>,
    ready: Ready<K>,
    /// How often each class was passed over since its last turn.
    passed_over: BTreeMap<Class, u32>,
    shares: Shares,
    at_work: HashSet<K>,
    /// Passes in flight that hold a worker which is not kept free.
    unreserved: usize,
    numbers: u64,
    /// When the first of the tenants that were found shut opens.
    opens: Option<Instant>,
}

impl<K: Clone + Eq + Hash> Queue<K> {
    pub fn new(workers: usize) -> Self {
        let workers = workers.max(1);
        Self {
            workers,
            entries: HashMap::new(),
            later: BTreeMap::new(),
            ready: Ready::new(),
            passed_over: BTreeMap::new(),
            shares: Shares::new(workers),
            at_work: HashSet::new(),
            unreserved: 0,
            numbers: 0,
            opens: None,
        }
    }

    /// Wants a pass over a key. Whatever is wanted of a key before its pass begins is one pass, and what is wanted during
    /// a pass is one more after it. Answers whether it is due earlier by this.
    pub fn offer(&mut self, key: K, class: Class, lane: Lane, due: Instant) -> bool {
        let wanted = Turn { due, class, number: self.number(), rests_until: due };
        if let Some(Entry { state: State::AtWork(work), .. }) = self.entries.get_mut(&key) {
            let earlier = work.again.is_none_or(|again| due < again.due);
            work.again = Some(work.again.map_or(wanted, |again| again.joined(wanted)));
            work.gone = false;
            self.stands_in(&key, lane);
            return earlier;
        }
        self.put(key, wanted, lane)
    }

    /// The same because something else changed at an instant, which may matter to the object: a pass that began after it has
    /// seen it, and the back-off of a pass that failed stays.
    pub fn wake(&mut self, key: K, class: Class, lane: Lane, due: Instant, changed: Instant) -> bool {
        let wanted = Turn { due, class, number: self.number(), rests_until: due };
        match self.entries.get_mut(&key).map(|entry| &mut entry.state) {
            Some(State::AtWork(work)) => {
                if work.began <= changed && !work.gone {
                    work.woken = Some(work.woken.map_or(wanted, |woken| woken.joined(wanted)));
                }
                self.stands_in(&key, lane);
                false
            }
            Some(State::Later(turn)) => {
                let wanted = wanted.not_before(turn.rests_until);
                self.put(key, wanted, lane)
            }
            Some(State::Ready(_)) | None => self.put(key, wanted, lane),
        }
    }

    /// Puts a turn where there is no pass in flight, together with the one that waits there.
    fn put(&mut self, key: K, wanted: Turn, lane: Lane) -> bool {
        let Some(entry) = self.entries.get_mut(&key) else {
            self.shares.join(&lane);
            self.later.insert((wanted.due, wanted.number), key.clone());
            self.entries.insert(key, Entry { lane, state: State::Later(wanted) });
            return true;
        };
        let waiting = match entry.state {
            State::Later(turn) => {
                self.later.remove(&(turn.due, turn.number));
                turn
            }
            State::Ready(turn) => {
                self.ready.remove(&entry.lane, turn);
                turn
            }
            State::AtWork(_) => return false,
        };
        let joined = waiting.joined(wanted);
        entry.state = State::Later(joined);
        self.stands_in(&key, lane);
        self.later.insert((joined.due, joined.number), key);
        wanted.due < waiting.due
    }

    /// The next pass, if there is one and a worker for it. It is in flight from now on.
    pub fn next(&mut self, now: Instant, available: &impl Fn(&TenantKey, Class) -> Availability) -> Option<Work<K>> {
        self.ripen(now);
        self.opens = None;
        if self.at_work.len() == self.workers {
            return None;
        }
        let (class, lane, probe) = self.choose(now, available)?;
        let key = self.ready.pop(class, &lane)?;
        let entry = self.entries.get_mut(&key)?;
        let State::Ready(turn) = entry.state else { return None };
        self.numbers += 1;
        self.shares.begin(&lane, class, probe, self.numbers);
        entry.state = State::AtWork(AtWork { began: now, lane, class, probe, again: None, woken: None, gone: false });
        self.at_work.insert(key.clone());
        self.unreserved += usize::from(!class.takes_reserved());
        Some(Work { key, class, waited: now.saturating_duration_since(turn.due) })
    }

    /// The pass over a key has ended, and wants another one, or none. Answers how long it took, and whether it added to what
    /// waits.
    pub fn finished(&mut self, key: &K, next: Option<Again>, now: Instant) -> Option<(Duration, bool)> {
        let number = self.number();
        let entry = self.entries.get_mut(key)?;
        let State::AtWork(work) = &entry.state else { return None };
        let wanted = next.filter(|_| !work.gone);
        let wanted = wanted.map(|Again { due, class, rests_until }| Turn { due, class, number, rests_until });
        let rests_until = wanted.map_or(now, |wanted| wanted.rests_until);
        let woken = work.woken.map(|woken| woken.not_before(rests_until));
        let meanwhile = work.again.into_iter().chain(woken).reduce(Turn::joined);
        let took = now.saturating_duration_since(work.began);
        self.at_work.remove(key);
        self.unreserved -= usize::from(!work.class.takes_reserved());
        self.shares.end(&work.lane, work.class, work.probe);
        let added = wanted.is_some_and(|wanted| meanwhile.is_none_or(|turn| wanted.due < turn.due));
        match meanwhile.into_iter().chain(wanted).reduce(Turn::joined) {
            Some(turn) => {
                entry.state = State::Later(turn);
                self.later.insert((turn.due, turn.number), key.clone());
            }
            None => self.forget(key),
        }
        Some((took, added))
    }

    /// The object does not exist any more. A pass in flight ends, and is the last unless the key is offered again.
    pub fn gone(&mut self, key: &K) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        match &mut entry.state {
            State::Later(turn) => {
                self.later.remove(&(turn.due, turn.number));
            }
            State::Ready(turn) => self.ready.remove(&entry.lane, *turn),
            State::AtWork(work) => {
                (work.again, work.woken, work.gone) = (None, None, true);
                return;
            }
        }
        self.forget(key);
    }

    /// When `next` may have an answer although nothing was offered and nothing has finished. Asked after `next` had none.
    pub fn wake_at(&self) -> Option<Instant> {
        let due = self.later.first_key_value().map(|((due, _), _)| *due);
        due.into_iter().chain(self.opens).min()
    }

    /// How many are due and wait.
    pub fn depth(&self, now: Instant) -> usize {
        let ripe = self.later.range(..=(now, u64::MAX)).count();
        let again = self.passes().filter(|work| work.again.is_some_and(|again| again.due <= now)).count();
        self.ready.count() + ripe + again
    }

    /// For how long each pass has been in flight.
    pub fn ages(&self, now: Instant) -> impl Iterator<Item = Duration> {
        self.passes().map(move |work| now.saturating_duration_since(work.began))
    }

    fn passes(&self) -> impl Iterator<Item = &AtWork> {
        self.at_work.iter().filter_map(|key| match &self.entries.get(key)?.state {
            State::AtWork(work) => Some(work),
            State::Later(_) | State::Ready(_) => None,
        })
    }

    /// What waits for an instant that has come is ready.
    fn ripen(&mut self, now: Instant) {
        while let Some(first) = self.later.first_entry().filter(|first| first.key().0 <= now) {
            let key = first.remove();
            if let Some(entry) = self.entries.get_mut(&key)
                && let State::Later(turn) = entry.state
            {
                entry.state = State::Ready(turn);
                self.ready.push(&entry.lane, turn, key);
            }
        }
    }

    /// Whose turn it is, and whether the pass is a probe.
    fn choose(
        &mut self,
        now: Instant,
        available: &impl Fn(&TenantKey, Class) -> Availability,
    ) -> Option<(Class, Lane, bool)> {
        let mut choices = Vec::new();
        for class in Class::ALL {
            if !class.takes_reserved() && self.unreserved >= self.workers - self.reserved() {
                continue;
            }
            choices.extend(self.lane_of(class, now, available).map(|(lane, probe)| (class, lane, probe)));
        }
        let over = |class: Class| self.passed_over.get(&class).copied().unwrap_or(0);
        let due = choices.iter().position(|(class, _, _)| over(*class) >= PASSED_OVER_MAX);
        let chosen = (!choices.is_empty()).then(|| choices.swap_remove(due.unwrap_or(0)))?;
        for (class, _, _) in &choices {
            *self.passed_over.entry(*class).or_default() += 1;
        }
        self.passed_over.insert(chosen.0, 0);
        Some(chosen)
    }

    /// The lane that has the next turn of a class, and whether its pass is a probe.
    fn lane_of(
        &mut self,
        class: Class,
        now: Instant,
        available: &impl Fn(&TenantKey, Class) -> Availability,
    ) -> Option<(Lane, bool)> {
        let mut first: Option<((usize, u64), Lane, bool)> = None;
        let free = self.workers - self.at_work.len();
        let may = |tenant: &TenantKey, namespace: &Arc<str>| self.shares.may_take(tenant, namespace, class, free);
        for (tenant, namespace) in self.ready.turns(class, may) {
            let availability = if class.is_parked() { available(tenant, class) } else { Availability::Open };
            let probe = match availability {
                Availability::Open => false,
                Availability::Shut { until } if until > now => {
                    self.opens = Some(self.opens.map_or(until, |opens| opens.min(until)));
                    continue;
                }
                Availability::Shut { .. } | Availability::Probe if self.shares.is_probed(tenant) => continue,
                Availability::Shut { .. } | Availability::Probe => true,
            };
            let order = self.shares.order(tenant);
            if first.as_ref().is_none_or(|(other, _, _)| order < *other) {
                let lane = Lane { tenant: tenant.clone(), namespace: namespace.clone() };
                first = Some((order, lane, probe));
            }
        }
        first.map(|(_, lane, probe)| (lane, probe))
    }

    fn reserved(&self) -> usize {
        if self.workers > 1 { (self.workers / RESERVE).max(1) } else { 0 }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// The turns of a key are counted in this lane from now on.
    fn stands_in(&mut self, key: &K, lane: Lane) {
        if let Some(entry) = self.entries.get_mut(key).filter(|entry| entry.lane != lane) {
            self.shares.join(&lane);
            self.shares.leave(&std::mem::replace(&mut entry.lane, lane));
        }
    }

    fn forget(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.shares.leave(&entry.lane);
        }
    }
}
