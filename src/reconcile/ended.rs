//! How a pass ended, whatever it was over.

use crate::cluster::watch::tenants::TenantChange;
use crate::plan::Wake;

pub(super) struct Ended {
    /// In trouble.
    pub failed: bool,
    pub wake: Wake,
    /// The tenant whose SyncJobs need not wait any longer.
    pub freed: Option<TenantChange>,
}

impl Ended {
    pub fn well(wake: Wake) -> Self {
        Self { failed: false, wake, freed: None }
    }

    pub fn badly(wake: Wake) -> Self {
        Self { failed: true, wake, freed: None }
    }
}
