//! Whether the service principal is there at all.

use crate::api::Reason;
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::step::{Look, Verdict};
use crate::plan::sync_job::world::World;

/// A 404 for the list of jobs is never "no jobs": it is asked whether the service principal is there at all.
pub(in crate::plan) fn not_found(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    let id = desired.service_principal.as_str();
    let wake = Wake::After(Wake::backoff(world.absences).delay().min(settings.slow_retry));
    match world.service_principal_exists {
        None => {
            Verdict::take(Look::ServicePrincipal, Reason::ProvisioningNotReady, "Looking up the service principal.")
        }
        Some(false) => Verdict::stop(
            Standing::Blocked,
            Reason::ServicePrincipalNotFound,
            format!(
                "No service principal has the object id '{id}'. Use the object id of the enterprise application (not the application's client id or its own object id); if it was deleted, restore it. A service principal made a moment ago may take minutes to appear."
            ),
            wake,
        ),
        Some(true) => Verdict::stop(
            Standing::Blocked,
            Reason::ProvisioningNotReady,
            format!(
                "The service principal '{id}' exists, but Graph does not answer for its provisioning jobs. After creation this takes minutes; if it lasts, the application does not support provisioning."
            ),
            wake,
        ),
    }
}
