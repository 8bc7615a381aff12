//! What is worked on next: a state machine that reads no clock and draws no chance, so that any run of it can be repeated.
//!
//! Each key has one worker at most. Of what is due, the most urgent class goes first, unless another class was passed over
//! too often. Within a class the tenant with the fewest passes in flight goes first, and then the one that waited longest
//! for a turn: a turn costs as long as it holds a worker, so that a tenant whose passes are slow does not take the others'.
//! The namespaces of a tenant take turns. What belongs to a tenant to which nothing can be sent stays parked.

mod class;
mod ready;
#[cfg(test)]
mod tests;
mod turn;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use super::tenants::TenantKey;
use crate::graph::Availability;
pub use class::Class;
use ready::Ready;
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

enum State {
    Later(Turn),
    Ready(Turn),
    AtWork(AtWork),
}

struct AtWork {
    began: Instant,
    tenant: TenantKey,
    class: Class,
    /// It finds out whether calls for the tenant are answered again.
    probe: bool,
    /// What was wanted meanwhile.
    again: Option<Turn>,
    gone: bool,
}

struct Entry {
    lane: Lane,
    state: State,
}

#[derive(Default)]
struct Tenant {
    keys: usize,
    at_work: usize,
    probes: usize,
    /// The number of its last turn.
    last_turn: u64,
}

/// The queue. `K` names an object.
pub struct Queue<K> {
    workers: usize,
    entries: HashMap<K, Entry>,
    later: BTreeMap<(Instant, u64), K>,
    ready: Ready<K>,
    /// How often each class was passed over since its last turn.
    passed_over: BTreeMap<Class, u32>,
    tenants: BTreeMap<TenantKey, Tenant>,
    at_work: HashSet<K>,
    /// Passes in flight that hold a worker which is not kept free.
    unreserved: usize,
    numbers: u64,
    /// When the first of the tenants that were found shut opens.
    opens: Option<Instant>,
}

impl<K: Clone + Eq + Hash> Queue<K> {
    pub fn new(workers: usize) -> Self {
        Self {
            workers: workers.max(1),
            entries: HashMap::new(),
            later: BTreeMap::new(),
            ready: Ready::new(),
            passed_over: BTreeMap::new(),
            tenants: BTreeMap::new(),
            at_work: HashSet::new(),
            unreserved: 0,
            numbers: 0,
            opens: None,
        }
    }

    /// Wants a pass over a key. Whatever is wanted of a key before its pass begins is one pass, and what is wanted during
    /// a pass is one more after it. Answers whether it is due earlier by this.
    pub fn offer(&mut self, key: K, class: Class, lane: Lane, due: Instant) -> bool {
        let wanted = Turn { due, class, number: self.number() };
        let Some(entry) = self.entries.get_mut(&key) else {
            self.tenants.entry(lane.tenant.clone()).or_default().keys += 1;
            self.later.insert((due, wanted.number), key.clone());
            self.entries.insert(key, Entry { lane, state: State::Later(wanted) });
            return true;
        };
        if let State::AtWork(work) = &mut entry.state {
            let earlier = work.again.is_none_or(|again| due < again.due);
            work.again = Some(work.again.map_or(wanted, |again| again.joined(wanted)));
            work.gone = false;
            Self::moved(&mut self.tenants, entry, lane);
            return earlier;
        }
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
        Self::moved(&mut self.tenants, entry, lane);
        self.later.insert((joined.due, joined.number), key);
        due < waiting.due
    }

    /// The next pass, if there is one and a worker for it. It is in flight from now on.
    pub fn next(&mut self, now: Instant, available: &impl Fn(&TenantKey, Class) -> Availability) -> Option<Work<K>> {
        self.ripen(now);
        self.opens = None;
        if self.at_work.len() == self.workers {
            return None;
        }
        let (class, tenant, probe) = self.choose(now, available)?;
        let key = self.ready.pop(class, &tenant)?;
        let entry = self.entries.get_mut(&key)?;
        let State::Ready(turn) = entry.state else { return None };
        entry.state =
            State::AtWork(AtWork { began: now, tenant: tenant.clone(), class, probe, again: None, gone: false });
        self.numbers += 1;
        let tenant = self.tenants.entry(tenant).or_default();
        tenant.at_work += 1;
        tenant.probes += usize::from(probe);
        tenant.last_turn = self.numbers;
        self.at_work.insert(key.clone());
        self.unreserved += usize::from(!class.takes_reserved());
        Some(Work { key, class, waited: now.saturating_duration_since(turn.due) })
    }

    /// The pass over a key has ended, and wants another one at an instant, or none. Answers how long it took, and whether
    /// it added to what waits.
    pub fn finished(&mut self, key: &K, next: Option<(Instant, Class)>, now: Instant) -> Option<(Duration, bool)> {
        let number = self.number();
        let entry = self.entries.get_mut(key)?;
        let State::AtWork(work) = &entry.state else { return None };
        let wanted = next.map(|(due, class)| Turn { due, class, number });
        let (again, gone, took) = (work.again, work.gone, now.saturating_duration_since(work.began));
        self.at_work.remove(key);
        self.unreserved -= usize::from(!work.class.takes_reserved());
        if let Some(tenant) = self.tenants.get_mut(&work.tenant) {
            tenant.at_work -= 1;
            tenant.probes -= usize::from(work.probe);
        }
        Self::forget_unused(&mut self.tenants, &work.tenant.clone());
        let turn = match (again, wanted.filter(|_| !gone)) {
            (Some(again), Some(wanted)) => Some(again.joined(wanted)),
            (one, other) => one.or(other),
        };
        let added = !gone && wanted.is_some_and(|wanted| again.is_none_or(|again| wanted.due < again.due));
        match turn {
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
                (work.again, work.gone) = (None, true);
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
    ) -> Option<(Class, TenantKey, bool)> {
        let mut choices = Vec::new();
        for class in Class::ALL {
            if !class.takes_reserved() && self.unreserved >= self.workers - self.reserved() {
                continue;
            }
            choices.extend(self.tenant_of(class, now, available).map(|(tenant, probe)| (class, tenant, probe)));
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

    /// The tenant that has the next turn of a class.
    fn tenant_of(
        &mut self,
        class: Class,
        now: Instant,
        available: &impl Fn(&TenantKey, Class) -> Availability,
    ) -> Option<(TenantKey, bool)> {
        let mut first: Option<(usize, u64, &TenantKey, bool)> = None;
        for key in self.ready.tenants(class) {
            let Some(tenant) = self.tenants.get(key) else { continue };
            let availability = if class.is_parked() { available(key, class) } else { Availability::Open };
            let probe = match availability {
                Availability::Open => false,
                Availability::Shut { until } if until > now => {
                    self.opens = Some(self.opens.map_or(until, |opens| opens.min(until)));
                    continue;
                }
                Availability::Shut { .. } | Availability::Probe if tenant.probes > 0 => continue,
                Availability::Shut { .. } | Availability::Probe => true,
            };
            if first.is_none_or(|(at_work, turn, _, _)| (tenant.at_work, tenant.last_turn) < (at_work, turn)) {
                first = Some((tenant.at_work, tenant.last_turn, key, probe));
            }
        }
        first.map(|(_, _, key, probe)| (key.clone(), probe))
    }

    fn reserved(&self) -> usize {
        if self.workers > 1 { (self.workers / RESERVE).max(1) } else { 0 }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn moved(tenants: &mut BTreeMap<TenantKey, Tenant>, entry: &mut Entry, lane: Lane) {
        if entry.lane == lane {
            return;
        }
        tenants.entry(lane.tenant.clone()).or_default().keys += 1;
        let old = std::mem::replace(&mut entry.lane, lane);
        Self::left(tenants, &old.tenant);
    }

    fn forget(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            Self::left(&mut self.tenants, &entry.lane.tenant);
        }
    }

    fn left(tenants: &mut BTreeMap<TenantKey, Tenant>, key: &TenantKey) {
        if let Some(tenant) = tenants.get_mut(key) {
            tenant.keys -= 1;
        }
        Self::forget_unused(tenants, key);
    }

    fn forget_unused(tenants: &mut BTreeMap<TenantKey, Tenant>, key: &TenantKey) {
        if tenants.get(key).is_some_and(|tenant| tenant.keys == 0 && tenant.at_work == 0) {
            tenants.remove(key);
        }
    }
}
