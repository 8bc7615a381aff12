//! What is due, in lanes: by class, by tenant, by namespace. Within a namespace the longest due goes first; namespaces of a
//! tenant take turns, those that may.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::class::Class;
use super::turn::{Lane, Turn};
use crate::reconcile::tenants::TenantKey;

/// By the instant at which each was due; of equal instants, as they came.
type Line<K> = BTreeMap<(Instant, u64), K>;

/// The namespaces of one tenant. Each that has a line stands in `order` once.
struct Ring<K> {
    order: VecDeque<Arc<str>>,
    lines: HashMap<Arc<str>, Line<K>>,
}

impl<K> Ring<K> {
    fn push(&mut self, namespace: &Arc<str>, turn: Turn, key: K) {
        if let Some(line) = self.lines.get_mut(namespace) {
            line.insert((turn.due, turn.number), key);
            return;
        }
        self.order.push_back(namespace.clone());
        self.lines.insert(namespace.clone(), BTreeMap::from([((turn.due, turn.number), key)]));
    }

    fn pop(&mut self, namespace: &Arc<str>) -> Option<K> {
        let index = self.order.iter().position(|other| other == namespace)?;
        let namespace = self.order.remove(index)?;
        let line = self.lines.get_mut(&namespace)?;
        let (_, key) = line.pop_first()?;
        if line.is_empty() {
            self.lines.remove(&namespace);
        } else {
            self.order.push_back(namespace);
        }
        Some(key)
    }

    fn remove(&mut self, namespace: &Arc<str>, turn: Turn) {
        let Some(line) = self.lines.get_mut(namespace) else { return };
        line.remove(&(turn.due, turn.number));
        if line.is_empty() {
            self.lines.remove(namespace);
            self.order.retain(|other| other != namespace);
        }
    }
}

/// All that is due.
pub(super) struct Ready<K> {
    classes: BTreeMap<Class, BTreeMap<TenantKey, Ring<K>>>,
    count: usize,
}

impl<K> Ready<K> {
    pub fn new() -> Self {
        Self { classes: BTreeMap::new(), count: 0 }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn push(&mut self, lane: &Lane, turn: Turn, key: K) {
        let tenants = self.classes.entry(turn.class).or_default();
        let ring = || Ring { order: VecDeque::new(), lines: HashMap::new() };
        tenants.entry(lane.tenant.clone()).or_insert_with(ring).push(&lane.namespace, turn, key);
        self.count += 1;
    }

    pub fn remove(&mut self, lane: &Lane, turn: Turn) {
        let Some(tenants) = self.classes.get_mut(&turn.class) else { return };
        let Some(ring) = tenants.get_mut(&lane.tenant) else { return };
        ring.remove(&lane.namespace, turn);
        if ring.lines.is_empty() {
            tenants.remove(&lane.tenant);
        }
        self.count -= 1;
    }

    /// Of each tenant that has something due in a class the namespace whose turn it is among those that may have one.
    pub fn turns(
        &self,
        class: Class,
        may: impl Fn(&TenantKey, &Arc<str>) -> bool,
    ) -> impl Iterator<Item = (&TenantKey, &Arc<str>)> {
        self.classes.get(&class).into_iter().flatten().filter_map(move |(tenant, ring)| {
            Some((tenant, ring.order.iter().find(|namespace| may(tenant, namespace))?))
        })
    }

    pub fn pop(&mut self, class: Class, lane: &Lane) -> Option<K> {
        let tenants = self.classes.get_mut(&class)?;
        let ring = tenants.get_mut(&lane.tenant)?;
        let key = ring.pop(&lane.namespace)?;
        if ring.lines.is_empty() {
            tenants.remove(&lane.tenant);
        }
        self.count -= 1;
        Some(key)
    }
}
