//! A seed becomes a model: the jobs that it names begin their lives.

use jiff::Timestamp;

use crate::graph::model::settings::Settings;
use crate::graph::model::tenant::{Seed, ServicePrincipal};

pub fn plant(mut seed: Seed, now: Timestamp) -> Seed {
    for tenant in seed.tenants.values_mut() {
        tenant.service_principals.values_mut().for_each(|principal| sow(principal, &tenant.settings, now));
    }
    seed
}

/// Makes the jobs that were given with a service principal.
pub fn sow(principal: &mut ServicePrincipal, settings: &Settings, now: Timestamp) {
    for (id, given) in std::mem::take(&mut principal.given_jobs) {
        let known = principal
            .jobs
            .iter()
            .position(|job| job.id == id && job.is_live())
            .map(|index| principal.jobs.remove(index));
        let job = given.apply(&id, known, settings, now);
        principal.jobs.push(job);
    }
}
