//! What the service says of a job, in words: quarantine, cycles that fail, a second job beside ours.

use crate::api::{QuarantineStatus, Reason};
use crate::plan::common::words::quoted;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::world::World;

/// The service disables a job that has been in quarantine for this many days
/// (`application-provisioning-quarantine-status` of the Entra documentation).
pub const QUARANTINE_DAYS_MAX: i64 = 28;

/// Graph's quarantine reason in words (`synchronizationQuarantine`; both spellings of the last one occur).
pub fn quarantine_in_words(reason: &str) -> &'static str {
    match reason {
        "EncounteredBaseEscrowThreshold" => "More than 40,000 entries failed.",
        "EncounteredTotalEscrowThreshold" => "More than 60,000 entries failed, references to other entries included.",
        "EncounteredEscrowProportionThreshold" => "More than 40 % of the entries failed.",
        "EncounteredQuarantineException" => {
            "The target refused the stored credentials, could not be reached, or broke the protocol."
        }
        "QuarantinedOnDemand" | "QuarantineOnDemand" => "Microsoft imposed it.",
        "TooManyDeletes" => {
            "More deletions were due than the accidental-deletion threshold allows; none of them was carried out."
        }
        "IngestionInterrupted" => "The uploaded data could not be processed to the end.",
        _ => "The service gives no reason that is known.",
    }
}

/// What a person can do about it.
pub(in crate::plan) fn quarantine_remedy(reason: &str) -> &'static str {
    match reason {
        "TooManyDeletes" => {
            "Review the deletions; then restart with the scope ForceDeletes to let them pass, or change the scope or the threshold."
        }
        "EncounteredQuarantineException" => {
            "Check the credentials and the address of the target; the service tries again by itself, less and less often, or restart the job."
        }
        "QuarantinedOnDemand" | "QuarantineOnDemand" => "Contact Microsoft support.",
        _ => {
            "Look at the provisioning logs of the application and solve what the entries have in common; then restart the job."
        }
    }
}

/// Whether the quarantine has come to its end: the service leaves the schedule Disabled, or stopped for longer than a
/// quarantine lasts. A job that a person paused meanwhile shows Paused.
pub(in crate::plan) fn disabled_by_service(job: &ObservedJob) -> bool {
    let disabled = job.schedule_state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("Disabled"));
    job.stopped() && (disabled || job.shown.quarantine_lapsed)
}

/// The status and the words of `Healthy`.
pub(in crate::plan) struct Health {
    pub healthy: bool,
    pub reason: Reason,
    pub message: String,
}

pub(in crate::plan) fn health(job: &ObservedJob, desired: &Desired, world: &World) -> Health {
    let unwell = |reason, message| Health { healthy: false, reason, message };
    if job.quarantined() {
        let reason = if disabled_by_service(job) { Reason::DisabledByService } else { Reason::Quarantined };
        return unwell(reason, quarantine_message(job.shown.quarantine.as_ref()));
    }
    if job.escrows_pruned && job.stopped() {
        let message = "The service dropped the records of entries that failed in the initial cycle, and paused the job. Look at the provisioning logs of the application.";
        return unwell(Reason::EscrowsPruned, message.to_owned());
    }
    let seconds: Vec<&str> = world.second_jobs(desired).map(|second| second.id.as_str()).collect();
    if !seconds.is_empty() {
        return unwell(
            Reason::SecondJobPresent,
            format!(
                "The service principal has more jobs of this template: {}. They are left untouched; two jobs may provision the same accounts. Delete those that nobody needs.",
                quoted(seconds.into_iter())
            ),
        );
    }
    if job.shown.successive_failure_count > 0 {
        let error = job.shown.last_execution.as_ref().and_then(|last| last.error.as_ref());
        let code = error.map(|error| format!(" ({})", error.code)).unwrap_or_default();
        let cycles = match job.shown.successive_failure_count {
            1 => "The last cycle".to_owned(),
            count => format!("The last {count} cycles"),
        };
        return unwell(
            Reason::CyclesFailing,
            format!(
                "{cycles} failed{code}. If this goes on, the service puts the job in quarantine. Look at the provisioning logs of the application."
            ),
        );
    }
    Health {
        healthy: true,
        reason: Reason::InService,
        message: "The service reports no trouble with the job.".to_owned(),
    }
}

/// Times are left to `status.quarantine`: a message that names the next attempt would change with every attempt.
pub(in crate::plan) fn quarantine_message(quarantine: Option<&QuarantineStatus>) -> String {
    let Some(quarantine) = quarantine else {
        return format!("The service gives no reason. {}", quarantine_remedy(""));
    };
    let error = quarantine.error.as_ref().map(|error| format!(" ({})", error.code)).unwrap_or_default();
    format!("{}{error}: {} {}", quarantine.reason, quarantine.message, quarantine_remedy(&quarantine.reason))
}
