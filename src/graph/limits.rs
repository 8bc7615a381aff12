//! What all clients of one application in one tenant share, so that together they keep to what Graph allows that
//! application there: the gate, the budget, and how many requests are in flight. Here is the clock that `budget` has not.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::answer::Exchange;
use super::breaker::Availability;
use super::budget::{Application, Grant, Look, Rates, Shortage, State, Taken, Ticket};
use super::error::{Error, Kind};
use super::gate::{Admission, Gate, Learnt};
use super::observer::Observer;
use super::request::{Call, Priority};

/// How much may be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitSettings {
    /// How many requests may be in flight at the same time.
    pub in_flight_max: usize,
    /// What is sent at most; never more than [`Rates::documented`].
    pub rates: Rates,
}

/// The limits of one application over all its tenants in a cloud. Clones share them.
#[derive(Clone, Default)]
pub struct ApplicationLimits(Arc<Mutex<Application>>);

/// The limits of one application in one tenant. Clones share them.
#[derive(Clone)]
pub struct Limits(Arc<Shared>);

struct Shared {
    gate: Arc<Gate>,
    state: Mutex<State<Arc<Notify>>>,
    in_flight_max: usize,
    /// Calls that wait for a target, which may hold a part of the slots: one that hangs holds its slot for as long as it may.
    targets: Arc<Semaphore>,
    targets_max: usize,
    application: ApplicationLimits,
    observer: Arc<dyn Observer>,
}

impl Limits {
    pub fn new(settings: LimitSettings, application: ApplicationLimits, observer: Arc<dyn Observer>) -> Self {
        let in_flight_max = settings.in_flight_max.max(1);
        let state = State::new(settings.rates, in_flight_max, Instant::now());
        let gate = Arc::new(Gate::new(observer.clone()));
        let targets_max = (in_flight_max / TARGETS_PART).max(1);
        let targets = Arc::new(Semaphore::new(targets_max));
        let state = Mutex::new(state);
        Self(Arc::new(Shared { gate, state, in_flight_max, targets, targets_max, application, observer }))
    }

    /// What is sent at most from now on.
    pub fn set_rates(&self, rates: Rates) {
        let (units, writes) = self.change(|state| {
            state.set_rates(rates);
            state.rates()
        });
        self.0.observer.rates(units, writes);
    }

    /// Whether the least urgent call would be sent now.
    pub fn availability(&self) -> Availability {
        self.availability_for(Priority::Poll)
    }

    /// Whether a call that is this urgent would be sent now. A poll is held back as well while the budget has nothing for it;
    /// what is more urgent waits inside its call, in its order.
    pub fn availability_for(&self, priority: Priority) -> Availability {
        let now = Instant::now();
        if let Some(until) = self.0.application.0.lock().shut_until(now) {
            return Availability::Shut { until };
        }
        let waits = || self.0.state.lock().poll_waits_until(now);
        match (self.0.gate.availability(), priority) {
            (Availability::Open, Priority::Poll) => {
                waits().map_or(Availability::Open, |until| Availability::Shut { until })
            }
            (availability, Priority::Deletion | Priority::Change | Priority::Poll) => availability,
        }
    }

    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.0.gate
    }

    /// Lets a call through, or says why not.
    pub(super) fn enter(&self, call: &Call<'_>, probe_max: Duration) -> Result<Admission<'_>, Error> {
        self.application(call)?;
        self.0.gate.enter(call, probe_max)
    }

    /// Lets a call through that has waited since it entered.
    pub(super) fn pass<'a>(
        &'a self,
        call: &Call<'_>,
        admission: Admission<'a>,
        probe_max: Duration,
    ) -> Result<Admission<'a>, Error> {
        self.application(call)?;
        self.0.gate.pass(call, admission, probe_max)
    }

    fn application(&self, call: &Call<'_>) -> Result<(), Error> {
        let shut = self.0.application.0.lock().shut_until(Instant::now());
        shut.map_or(Ok(()), |until| Err(Error { retry_at: Some(until), ..call.failed(Kind::Throttled, APPLICATION) }))
    }

    /// Waits for a slot and for what the call costs, until an instant at the latest; not while the gate is shut.
    pub(super) async fn acquire(
        &self,
        call: &Call<'_>,
        admission: &Admission<'_>,
        limit: Instant,
    ) -> Result<Permit, Error> {
        let began = Instant::now();
        // Before the line: there, those behind it would wait as well.
        let target = self.target(call, began, limit).await?;
        let mut place = Place::take(self, call);
        let mut waited_for = None;
        let permit = loop {
            self.0.gate.look(call, admission)?;
            let (until, shortage) = match place.look() {
                Look::Granted(grant) => break Permit::new(self, grant, target),
                Look::Wait { until, shortage } => (until, shortage),
            };
            waited_for = Some(shortage);
            if timeout_at(limit, place.woken(until)).await.is_err() {
                return Err(self.busy(call, began, limit, shortage));
            }
        };
        drop(place);
        let leaves = permit.taken.leaves;
        if leaves > Instant::now() {
            waited_for = Some(Shortage::Application);
            sleep_until(leaves.min(limit)).await;
        }
        if leaves > limit {
            return Err(self.busy(call, began, limit, Shortage::Application));
        }
        let took = began.elapsed();
        if let Some(shortage) = waited_for.filter(|_| !took.is_zero()) {
            self.0.observer.waited(shortage, took);
        }
        Ok(permit)
    }

    /// A part of the slots for a call that waits for a target.
    async fn target(
        &self,
        call: &Call<'_>,
        began: Instant,
        limit: Instant,
    ) -> Result<Option<OwnedSemaphorePermit>, Error> {
        if !call.operation.asks_target() {
            return Ok(None);
        }
        if let Ok(Ok(target)) = timeout_at(limit, self.0.targets.clone().acquire_owned()).await {
            return Ok(Some(target));
        }
        // It is never closed, so that the time is over.
        self.0.observer.waited(Shortage::Slots, began.elapsed());
        let what = format!("one of the {} requests in flight that wait for a target", self.0.targets_max);
        Err(too_long(call, began, limit, &what))
    }

    fn busy(&self, call: &Call<'_>, began: Instant, limit: Instant, shortage: Shortage) -> Error {
        self.0.observer.waited(shortage, began.elapsed());
        let what = match shortage {
            Shortage::Slots => &format!("one of the {} requests in flight", self.0.in_flight_max),
            Shortage::Units => "its turn in the budget of requests",
            Shortage::Writes => "its turn in the budget of writes",
            Shortage::Application => "its turn in the budget of the application over all tenants",
        };
        too_long(call, began, limit, what)
    }

    /// Takes note of what came of a request, and returns when it may be tried again, if that is known.
    pub(super) fn learn(&self, permit: &Permit, admission: &Admission<'_>, exchange: &Exchange) -> Option<Instant> {
        let Learnt { retry_at, shut, opened } = self.0.gate.learn(admission, exchange);
        let (now, reported, grant) = (Instant::now(), &exchange.reported, &permit.grant);
        let throttled = exchange.status == Some(429);
        if throttled && reported.application {
            let mut application = self.0.application.0.lock();
            application.exceeded(&permit.taken, reported, now);
            application.shut(retry_at.unwrap_or(now), now);
        } else if exchange.status.is_some() {
            self.0.application.0.lock().accepted(&permit.taken);
        }
        let mut state = self.0.state.lock();
        if throttled && !reported.application {
            state.exceeded(grant, reported, now);
        } else if exchange.status.is_some() && !throttled {
            state.accepted(grant, reported, now);
        }
        if let Some(opens) = retry_at.filter(|_| shut).or(opened.then_some(now)) {
            state.opens(opens, now);
        }
        let (units, writes) = state.rates();
        drop(state);
        self.0.observer.rates(units, writes);
        retry_at
    }

    /// After a change, those look whose turn may have come by it.
    fn change<T>(&self, change: impl FnOnce(&mut State<Arc<Notify>>) -> T) -> T {
        let mut state = self.0.state.lock();
        let answer = change(&mut state);
        state.leaders().for_each(|waits| waits.notify_one());
        answer
    }
}

/// One of so many slots may be that of a call which waits for a target.
const TARGETS_PART: usize = 4;

fn too_long(call: &Call<'_>, began: Instant, limit: Instant, what: &str) -> Error {
    let seconds = (limit.saturating_duration_since(began).as_secs_f64() * 10.0).round() / 10.0;
    call.failed(Kind::Busy, &format!("waited {seconds} s for {what}; nothing was sent"))
}

const APPLICATION: &str = "Graph asked the application to wait in all tenants, and nothing was sent";

/// A place among those that wait. It is free again when it is dropped.
struct Place<'a> {
    limits: &'a Limits,
    ticket: Ticket,
    wakes: Arc<Notify>,
}

impl<'a> Place<'a> {
    fn take(limits: &'a Limits, call: &Call<'_>) -> Self {
        let wakes = Arc::new(Notify::new());
        let write = call.operation.is_write();
        let ticket = limits.0.state.lock().join(call.turn, write, wakes.clone());
        Self { limits, ticket, wakes }
    }

    fn look(&mut self) -> Look {
        self.limits.0.state.lock().look(self.ticket, Instant::now())
    }

    /// Returns when it is woken, or at an instant.
    async fn woken(&self, until: Option<Instant>) {
        match until {
            None => self.wakes.notified().await,
            // That the time came is as good as being woken.
            Some(until) => timeout_at(until, self.wakes.notified()).await.unwrap_or_default(),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.limits.change(|state| state.leave(self.ticket));
    }
}

/// The right to send one request. Dropped, it makes room for the next, and what was not sent is given back.
pub(super) struct Permit {
    limits: Limits,
    grant: Grant,
    taken: Taken,
    sent: bool,
    _target: Option<OwnedSemaphorePermit>,
}

impl Permit {
    fn new(limits: &Limits, grant: Grant, target: Option<OwnedSemaphorePermit>) -> Self {
        let taken = limits.0.application.0.lock().take(grant.is_write(), Instant::now());
        Self { limits: limits.clone(), grant, taken, sent: false, _target: target }
    }

    /// The request leaves.
    pub fn sent(&mut self) {
        self.sent = true;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = Instant::now();
        if !self.sent {
            self.limits.0.application.0.lock().give_back(&self.taken, now);
        }
        self.limits.change(|state| state.ended(&self.grant, self.sent, now));
    }
}
