//! Who holds how many workers. A tenant, or a namespace of one, whose passes last long would come to hold all of them, and
//! what somebody else needs would wait for the end of one: so the last workers that are free are for those that hold none.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::class::Class;
use super::turn::Lane;
use crate::reconcile::tenants::TenantKey;

/// One worker of so many is kept free for tenants that hold none.
const FOR_TENANTS: usize = 4;
/// One more of so many is kept free for namespaces that hold none.
const FOR_NAMESPACES: usize = 8;

/// Passes in flight.
#[derive(Default)]
struct Held {
    all: usize,
    changes: usize,
}

impl Held {
    /// Those that stand in the way of a class: what takes the workers that are kept free for changes need not mind the
    /// others.
    fn against(&self, class: Class) -> usize {
        if class.takes_reserved() { self.changes } else { self.all }
    }

    fn begin(&mut self, class: Class) {
        self.all += 1;
        self.changes += usize::from(class.takes_reserved());
    }

    fn end(&mut self, class: Class) {
        self.all -= 1;
        self.changes -= usize::from(class.takes_reserved());
    }
}

#[derive(Default)]
struct Namespace {
    keys: usize,
    held: Held,
}

#[derive(Default)]
struct Tenant {
    /// Those that have keys or passes in flight.
    namespaces: BTreeMap<Arc<str>, Namespace>,
    held: Held,
    probes: usize,
    /// The number of its last turn.
    last_turn: u64,
}

/// All tenants that have keys or passes in flight.
pub(super) struct Shares {
    workers: usize,
    tenants: BTreeMap<TenantKey, Tenant>,
}

impl Shares {
    pub fn new(workers: usize) -> Self {
        Self { workers, tenants: BTreeMap::new() }
    }

    /// Another key has this lane.
    pub fn join(&mut self, lane: &Lane) {
        self.namespace(lane).keys += 1;
    }

    /// A key has this lane no longer.
    pub fn leave(&mut self, lane: &Lane) {
        self.namespace(lane).keys -= 1;
        self.forget_unused(lane);
    }

    pub fn begin(&mut self, lane: &Lane, class: Class, probe: bool, number: u64) {
        self.namespace(lane).held.begin(class);
        let tenant = self.tenants.entry(lane.tenant.clone()).or_default();
        tenant.held.begin(class);
        tenant.probes += usize::from(probe);
        tenant.last_turn = number;
    }

    pub fn end(&mut self, lane: &Lane, class: Class, probe: bool) {
        self.namespace(lane).held.end(class);
        let tenant = self.tenants.entry(lane.tenant.clone()).or_default();
        tenant.held.end(class);
        tenant.probes -= usize::from(probe);
        self.forget_unused(lane);
    }

    /// Those that hold few workers go first, and of those the one that waited longest for a turn.
    pub fn order(&self, tenant: &TenantKey) -> (usize, u64) {
        self.tenants.get(tenant).map_or((0, 0), |tenant| (tenant.held.all, tenant.last_turn))
    }

    pub fn is_probed(&self, tenant: &TenantKey) -> bool {
        self.tenants.get(tenant).is_some_and(|tenant| tenant.probes > 0)
    }

    /// Whether a namespace of a tenant may take one of so many free workers. Nothing is kept free for others that there are
    /// not.
    pub fn may_take(&self, key: &TenantKey, namespace: &Arc<str>, class: Class, free: usize) -> bool {
        let Some(tenant) = self.tenants.get(key) else { return true };
        let kept = if self.tenants.len() > 1 { self.one_of(FOR_TENANTS) } else { 0 };
        if free <= kept && tenant.held.against(class) > 0 {
            return false;
        }
        let kept = kept + if tenant.namespaces.len() > 1 { self.one_of(FOR_NAMESPACES) } else { 0 };
        free > kept || tenant.namespaces.get(namespace).is_none_or(|namespace| namespace.held.against(class) == 0)
    }

    fn one_of(&self, so_many: usize) -> usize {
        if self.workers > 1 { (self.workers / so_many).max(1) } else { 0 }
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    fn namespace(&mut self, lane: &Lane) -> &mut Namespace {
        let tenant = self.tenants.entry(lane.tenant.clone()).or_default();
        tenant.namespaces.entry(lane.namespace.clone()).or_default()
    }

    fn forget_unused(&mut self, lane: &Lane) {
        let Some(tenant) = self.tenants.get_mut(&lane.tenant) else { return };
        if tenant.namespaces.get(&lane.namespace).is_some_and(|it| it.keys == 0 && it.held.all == 0) {
            tenant.namespaces.remove(&lane.namespace);
        }
        if tenant.namespaces.is_empty() {
            self.tenants.remove(&lane.tenant);
        }
    }
}
