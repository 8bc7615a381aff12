//! Which Graph client an object may use, and whether that client can send at all.

use std::fmt;
use std::sync::Arc;

use crate::api::SyncJob;
use crate::graph::{self, Availability};

/// Names a tenant: the login that is used for it, together with where its calls go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantKey(Arc<str>);

impl TenantKey {
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All tenants. There is one so far: the operator's own login.
pub struct Tenants {
    own: TenantKey,
    client: graph::Client,
}

impl Tenants {
    /// The operator's own login, under the name that metrics show for it.
    pub fn of_operator(name: &str, client: graph::Client) -> Self {
        Self { own: TenantKey::new(name), client }
    }

    /// The operator's own login.
    pub(super) fn own(&self) -> &TenantKey {
        &self.own
    }

    /// The tenant of an object.
    pub(super) fn of(&self, _: &SyncJob) -> TenantKey {
        self.own.clone()
    }

    /// The client for a tenant.
    pub(super) fn client(&self, _: &TenantKey) -> &graph::Client {
        &self.client
    }

    /// Whether calls for a tenant would be sent now.
    pub(super) fn availability(&self, tenant: &TenantKey) -> Availability {
        self.client(tenant).availability()
    }
}
