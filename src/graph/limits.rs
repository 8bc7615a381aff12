//! What all clients of one application in one tenant share, so that together they keep to what Graph allows that
//! application there: the gate, and how many requests are in flight.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::breaker::Availability;
use super::gate::Gate;
use super::observer::Observer;
use super::request::Priority;

/// How much may be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitSettings {
    /// How many requests may be in flight at the same time.
    pub in_flight_max: usize,
    /// What is sent at most; never more than [`Rates::documented`].
    pub rates: Rates,
}

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
        Self { units_per_second: 345.0, writes_per_minute: 1182.0 }
    }
}

/// The limits of one application over all its tenants in a cloud. Clones share them.
#[derive(Clone, Default)]
pub struct ApplicationLimits {}

/// The limits of one application in one tenant. Clones share them.
#[derive(Clone)]
pub struct Limits(Arc<Shared>);

struct Shared {
    gate: Arc<Gate>,
    slots: Semaphore,
    in_flight_max: usize,
}

/// The right to have one request in flight.
pub(super) type Slot<'a> = SemaphorePermit<'a>;

impl Limits {
    pub fn new(settings: LimitSettings, _: ApplicationLimits, observer: Arc<dyn Observer>) -> Self {
        let in_flight_max = settings.in_flight_max.max(1);
        Self(Arc::new(Shared {
            gate: Arc::new(Gate::new(observer)),
            slots: Semaphore::new(in_flight_max),
            in_flight_max,
        }))
    }

    /// What is sent at most from now on.
    pub fn set_rates(&self, _: Rates) {}

    /// Whether the least urgent call would be sent now.
    pub fn availability(&self) -> Availability {
        self.availability_for(Priority::Poll)
    }

    /// Whether a call that is this urgent would be sent now.
    pub fn availability_for(&self, _: Priority) -> Availability {
        self.0.gate.availability()
    }

    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.0.gate
    }

    pub(super) fn in_flight_max(&self) -> usize {
        self.0.in_flight_max
    }

    /// Waits for a slot.
    pub(super) async fn slot(&self) -> Option<Slot<'_>> {
        self.0.slots.acquire().await.ok()
    }
}
