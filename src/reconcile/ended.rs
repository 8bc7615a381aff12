//! How a pass ended, whatever it was over.

use crate::cluster::watch::tenants::TenantName;
use crate::plan::Wake;

pub(super) struct Ended {
    /// In trouble.
    pub failed: bool,
    pub wake: Wake,
    /// The tenant whose SyncJobs need not wait any longer.
    pub freed: Option<TenantName>,
}

impl Ended {
    pub fn well(wake: Wake) -> Self {
        Self { failed: false, wake, freed: None }
    }

    pub fn badly(wake: Wake) -> Self {
        Self { failed: true, wake, freed: None }
    }
}
