//! What the loop is given, and what its passes share.

use tokio::sync::{Semaphore, watch};

use super::memory::Memories;
use super::sync_job::listings::Listings;
use super::tenants::Tenants;
use super::watchdog::Watchdog;
use crate::clock::Clock;
use crate::cluster::fingerprint::Fingerprints;
use crate::cluster::watch::secrets::SecretWatch;
use crate::cluster::watch::tenants::TenantWatch;
use crate::cluster::watch::{Stores, Watch};
use crate::cluster::{Namespaces, events::Events, lease::Fence};
use crate::metrics::ReconcileMetrics;
use crate::plan::{Guard, Settings};

/// A schema of half a megabyte takes some ten times that much while it is compared.
const SCHEMAS_MAX: usize = 4;

/// What a pass works with.
pub struct Context {
    pub(super) client: kube::Client,
    pub(super) tenants: Tenants,
    pub(super) namespaces: Namespaces,
    pub(super) fingerprints: Fingerprints,
    pub(super) stores: Stores,
    pub(super) events: Events,
    pub(super) memories: Memories,
    pub(super) listings: Listings,
    /// One permit for each schema that may be held at the same time.
    pub(super) schemas: Semaphore,
    pub(super) clock: Clock,
    pub(super) settings: Settings,
    pub(super) fence: Fence,
    pub(super) metrics: ReconcileMetrics,
    pub(super) watchdog: Watchdog,
    pub(super) shutdown: watch::Receiver<bool>,
}

impl Context {
    pub(super) fn new(parts: Parts) -> (Self, Watches) {
        let Parts {
            client,
            tenants,
            namespaces,
            fingerprints,
            watches,
            tenant_watches,
            secret_watches,
            events,
            clock,
            settings,
            fence,
            metrics,
            watchdog,
            concurrency: _,
            shutdown,
        } = parts;
        let context = Self {
            client,
            tenants,
            namespaces,
            fingerprints,
            stores: Stores::of(&watches),
            events,
            memories: Memories::default(),
            listings: Listings::default(),
            schemas: Semaphore::new(SCHEMAS_MAX),
            clock,
            settings,
            fence,
            metrics,
            watchdog,
            shutdown,
        };
        (context, Watches { sync_jobs: watches, tenants: tenant_watches, secrets: secret_watches })
    }

    /// Whether a write to Graph may leave at this instant.
    pub(super) fn may_send(&self) -> bool {
        self.fence.is_open() || self.settings.without.lacks(Guard::Fence)
    }
}

/// What is watched.
pub(super) struct Watches {
    pub sync_jobs: Vec<Watch>,
    pub tenants: Vec<TenantWatch>,
    pub secrets: Vec<SecretWatch>,
}

/// What the loop is given.
pub struct Parts {
    pub client: kube::Client,
    /// With whose login objects are worked on.
    pub tenants: Tenants,
    /// Where SyncJobs are worked on.
    pub namespaces: Namespaces,
    /// The key that the values of credentials are compared under.
    pub fingerprints: Fingerprints,
    /// What is watched there, and where it is kept.
    pub watches: Vec<Watch>,
    /// The watches over tenants, which fill the store of `tenants`.
    pub tenant_watches: Vec<TenantWatch>,
    /// The watches over Secrets; none, unless they are asked for.
    pub secret_watches: Vec<SecretWatch>,
    pub events: Events,
    pub clock: Clock,
    pub settings: Settings,
    /// Whether a write to Graph may begin.
    pub fence: Fence,
    pub metrics: ReconcileMetrics,
    pub watchdog: Watchdog,
    /// How many SyncJobs are worked on at the same time.
    pub concurrency: u16,
    /// Turns true once, when no new work may begin.
    pub shutdown: watch::Receiver<bool>,
}
