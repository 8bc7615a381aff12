//! Names a tenant where calls, lists and turns are counted for it.

use std::fmt;
use std::sync::Arc;

use crate::cluster::watch::tenants::TenantName;

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

impl From<&TenantName> for TenantKey {
    fn from(name: &TenantName) -> Self {
        Self(name.to_string().into())
    }
}

impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
