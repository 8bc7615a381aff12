//! A job that the service holds in quarantine.

use crate::api::{Mode, Reason};
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::health;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::step::Verdict;

/// Never answered by a start or a restart of our own: a job in quarantine needs a person.
pub(in crate::plan) fn quarantined(job: &ObservedJob, desired: &Desired) -> Verdict {
    let mut said = health::quarantine_message(job.shown.quarantine.as_ref());
    if desired.mode != Mode::Manage {
        said.push_str(" The operator restarts a job in mode Manage only.");
    }
    let (reason, message) = if health::disabled_by_service(job) {
        (Reason::DisabledByService, format!("The service disabled the job after a long quarantine. {said}"))
    } else if job.stopped() {
        (Reason::Quarantined, format!("The service put the job in quarantine, and it is paused as well. {said}"))
    } else {
        (Reason::Quarantined, format!("The service put the job in quarantine. {said}"))
    };
    Verdict::stop(Standing::Stuck, reason, message, Wake::After(desired.poll_interval))
}
