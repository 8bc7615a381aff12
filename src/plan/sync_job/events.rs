//! Events: what happened in a pass, and every change of how things stand; nothing for what stayed as it was. Whatever a
//! person can act on is in a condition as well.

use crate::api::{Answers, ConditionType, Reason, Report, RestartResult, RunState, SyncJobStatus};
use crate::plan::common::conditions::find;
use crate::plan::common::standing::Standing;
use crate::plan::sync_job::fact::Fact;
use crate::plan::sync_job::health::quarantine_message;
use crate::plan::sync_job::mappings::{Compared, Comparison, Released};
use crate::plan::sync_job::step::Verdict;
use crate::plan::sync_job::step::{Leaving, Step};

/// Something that happened and that `kubectl describe` should show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub warning: bool,
    pub reason: &'static str,
    pub action: &'static str,
    pub note: String,
}

impl Event {
    fn normal(reason: &'static str, action: &'static str, note: String) -> Self {
        Self { warning: false, reason, action, note }
    }

    fn warning(reason: &'static str, action: &'static str, note: String) -> Self {
        Self { warning: true, ..Self::normal(reason, action, note) }
    }
}

/// An event other than those about a condition, whose reasons are the condition's.
#[derive(Clone, Copy, Debug)]
pub struct EventKind {
    pub reason: &'static str,
    pub warning: bool,
    /// What was being done.
    pub action: &'static str,
    /// What happened, as a sentence.
    pub meaning: &'static str,
}

impl EventKind {
    const fn normal(reason: &'static str, action: &'static str, meaning: &'static str) -> Self {
        Self { reason, warning: false, action, meaning }
    }

    const fn warning(reason: &'static str, action: &'static str, meaning: &'static str) -> Self {
        Self { reason, warning: true, action, meaning }
    }

    fn with_note(self, note: impl Into<String>) -> Event {
        Event { warning: self.warning, reason: self.reason, action: self.action, note: note.into() }
    }
}

macro_rules! table {
    ($($name:ident = $type:ident $reason:literal $action:literal $meaning:literal;)+) => {
        $(const $name: EventKind = EventKind::$type($reason, $action, $meaning);)+

        /// In the order in which the documentation shows them.
        pub const EVENT_KINDS: &[EventKind] = &[$($name,)+];
    };
}

table! {
    JOB_CREATED = normal "JobCreated" "CreateJob" "A job was created.";
    CREATE_OUTCOME_UNKNOWN = warning "CreateOutcomeUnknown" "CreateJob" "A request to create the job got no clear answer.";
    CREATE_RECOVERED = normal "CreateRecovered" "CreateJob" "The job of a request without a clear answer was found.";
    JOB_ADOPTED = normal "JobAdopted" "AdoptJob" "A job that was there before was adopted.";
    JOB_STARTED = normal "JobStarted" "StartJob" "The job was started.";
    JOB_PAUSED = normal "JobPaused" "PauseJob" "The job was paused.";
    JOB_RESTARTED = normal "JobRestarted" "RestartJob" "A restart that somebody asked for was accepted.";
    RESTART_REFUSED = warning "RestartRefused" "RestartJob" "A restart that somebody asked for was refused, by the operator or by Graph.";
    RESTART_OUTCOME_UNKNOWN = warning "RestartOutcomeUnknown" "RestartJob" "A restart was sent and got no clear answer; it is not sent again.";
    RESTART_IGNORED = normal "RestartIgnored" "RestartJob" "A restart was asked for before the SyncJob was first seen; it is not carried out.";
    CREDENTIALS_SAVED = normal "CredentialsSaved" "SaveCredentials" "The credentials and settings of the service principal were saved.";
    JOB_RESTARTED_AFTER_CHANGE = normal "JobRestartedAfterChange" "RestartJob" "The job was restarted, because a change of credentials or settings needs it.";
    MAPPINGS_SAVED = normal "MappingsSaved" "SaveMappings" "The mappings of the job were saved; the service evaluates all accounts again.";
    MAPPINGS_LEFT = warning "MappingsLeft" "SaveMappings" "Mappings that are not declared any more could not be given back: somebody had changed them, or what was there before is not known.";
    MAPPINGS_RESTORED = normal "MappingsRestored" "Release" "The job was let go of, and its mappings are as they were before.";
    MAPPINGS_NOT_RESTORED = warning "MappingsNotRestored" "Release" "The job was let go of, and its mappings stay as this SyncJob made them.";
    QUARANTINED = warning "Quarantined" "Observe" "The service put the job in quarantine, or has a new reason for it.";
    QUARANTINE_LIFTED = normal "QuarantineLifted" "Observe" "The service took the job out of quarantine.";
    SECOND_JOB_PRESENT = warning "SecondJobPresent" "Observe" "The service principal has another job of the same template, which no SyncJob holds.";
    JOB_GIVEN_UP = warning "JobGivenUp" "ForgetJob" "The job is gone from Entra ID, and a new one is created in its place, as missingJobPolicy says.";
    JOB_DELETED = normal "JobDeleted" "DeleteJob" "The job was deleted with the SyncJob.";
    JOB_GONE = normal "JobGone" "DeleteJob" "The SyncJob was deleted, and its job was gone already.";
    JOB_REPLACED = warning "JobReplaced" "Observe" "The job was deleted and set up once more under the same id, outside of the SyncJob.";
    JOB_LEFT_BEHIND = warning "JobLeftBehind" "Release" "A job may exist, or come back with its service principal, without a SyncJob.";
    JOB_RETAINED = normal "JobRetained" "Release" "The SyncJob was deleted and its job stays in Entra ID.";
}

/// The events of a pass that ended in `plan` and `report`; the report is absent where status is not written any more.
pub fn events(
    old: &SyncJobStatus,
    verdict: &Verdict,
    report: Option<&Report>,
    answers: Option<&Answers>,
    done: &[(Step, Fact)],
) -> Vec<Event> {
    let created = done.iter().any(|(_, fact)| matches!(fact, Fact::JobCreated(_)));
    let mut events: Vec<Event> = done.iter().filter_map(|(_, fact)| happening(old, fact, created)).collect();
    events.extend(answers.and_then(|answers| restart(old, answers)));
    events.extend(change(old, verdict));
    events.extend(report.and_then(|report| quarantine(old, report)));
    events.extend(report.and_then(|report| second_job(old, report)));
    events
}

/// How things stand, if that is new. A quarantine has events of its own; a pass that was cut short, as in every update of the
/// operator, is none.
fn change(old: &SyncJobStatus, verdict: &Verdict) -> Option<Event> {
    let reported =
        |kind| find(&old.report.conditions, kind).is_some_and(|condition| condition.reason == verdict.reason.name());
    let (name, note) = (verdict.reason.name(), verdict.message_with_trace());
    if matches!(verdict.reason, Reason::Quarantined | Reason::DisabledByService | Reason::Interrupted) {
        return None;
    }
    let (condition, make): (_, fn(_, _, _) -> Event) = match verdict.standing {
        Standing::Working => return None,
        Standing::Settled => (ConditionType::Ready, Event::normal),
        Standing::Suspended => (ConditionType::Suspended, Event::normal),
        Standing::Passing => (ConditionType::Reconciling, Event::warning),
        Standing::Blocked | Standing::Stuck => (ConditionType::Ready, Event::warning),
    };
    (!reported(condition)).then(|| make(name, "Reconcile", note))
}

/// Entry into quarantine, a new reason for it, and its end.
fn quarantine(old: &SyncJobStatus, report: &Report) -> Option<Event> {
    let before = old.report.quarantine.as_ref().map(|quarantine| quarantine.reason.as_str());
    let now = report.quarantine.as_ref();
    match now {
        Some(now) if before != Some(now.reason.as_str()) => Some(QUARANTINED.with_note(quarantine_message(Some(now)))),
        None if before.is_some() => Some(QUARANTINE_LIFTED.with_note("The service took the job out of quarantine.")),
        Some(_) | None => None,
    }
}

fn second_job(old: &SyncJobStatus, report: &Report) -> Option<Event> {
    let healthy = find(&report.conditions, ConditionType::Healthy)?;
    let is_new =
        find(&old.report.conditions, ConditionType::Healthy).is_none_or(|before| before.reason != healthy.reason);
    (is_new && healthy.reason == Reason::SecondJobPresent.name())
        .then(|| SECOND_JOB_PRESENT.with_note(healthy.message.clone()))
}

fn restart(old: &SyncJobStatus, answers: &Answers) -> Option<Event> {
    let handled = answers.last_handled_restart.as_ref()?;
    if old.answers.last_handled_restart.as_ref() == Some(handled) {
        return None;
    }
    let note = handled.message.clone();
    match handled.result {
        RestartResult::Accepted => Some(JOB_RESTARTED.with_note(note)),
        RestartResult::Refused => Some(RESTART_REFUSED.with_note(note)),
        RestartResult::Unknown => Some(RESTART_OUTCOME_UNKNOWN.with_note(note)),
        RestartResult::Ignored => Some(RESTART_IGNORED.with_note(note)),
        RestartResult::Requested => None,
    }
}

pub(in crate::plan) fn retained(id: &str) -> Event {
    JOB_RETAINED.with_note(format!("Let go of job '{id}'; it stays in Entra ID."))
}

fn happening(old: &SyncJobStatus, fact: &Fact, created: bool) -> Option<Event> {
    match fact {
        Fact::JobCreated(job) => Some(JOB_CREATED.with_note(format!("Created job '{}'.", job.id))),
        Fact::CreateUnknown(trouble) => Some(CREATE_OUTCOME_UNKNOWN.with_note(trouble.detail_with_trace())),
        Fact::JobBound { id } => (!created)
            .then(|| CREATE_RECOVERED.with_note(format!("Found job '{id}', which an earlier request had created."))),
        Fact::JobAdopted { id } => Some(JOB_ADOPTED.with_note(format!("Adopted job '{id}', which was there before."))),
        Fact::JobForgotten { id } => {
            Some(JOB_GIVEN_UP.with_note(format!("Job '{id}' is gone from Entra ID; a new one is created in its place.")))
        }
        Fact::RunStateRequested { id, state: RunState::Running } => {
            Some(JOB_STARTED.with_note(format!("Started job '{id}'.")))
        }
        Fact::RunStateRequested { id, state: RunState::Paused } => Some(JOB_PAUSED.with_note(format!("Paused job '{id}'."))),
        Fact::SecretsSaved { .. } => Some(CREDENTIALS_SAVED.with_note(format!("Graph accepted the set: {}.", fact.outcome()))),
        Fact::SchemaRead(comparison) => left_alone(old, comparison),
        Fact::SchemaSaved { lines, .. } => Some(MAPPINGS_SAVED.with_note(format!("Saved: {}.", lines.join("; ")))),
        Fact::MappingsReleased(Released::Restored { lines, left }) => restored(lines, left),
        Fact::MappingsReleased(Released::Kept(why)) => Some(MAPPINGS_NOT_RESTORED.with_note(why.clone())),
        Fact::RestartedAfterChange { id, .. } => Some(JOB_RESTARTED_AFTER_CHANGE.with_note(format!(
            "Restarted job '{id}', because its credentials or settings have changed."
        ))),
        Fact::JobDeleted { id } => Some(JOB_DELETED.with_note(format!("Deleted job '{id}'."))),
        Fact::OriginRecorded { id, .. } => Some(JOB_REPLACED.with_note(format!(
            "Job '{id}' was deleted and set up once more under the same id, outside of this SyncJob; its history is gone."
        ))),
        Fact::BindLost { id } => Some(JOB_LEFT_BEHIND.with_note(format!(
            "Job '{id}' was created for an intent that was withdrawn meanwhile. It was never started, and no SyncJob holds it."
        ))),
        Fact::FinalizerRemoved { leaving } => left(old, leaving),
        Fact::FinalizerAdded
        | Fact::TenantKnown { .. }
        | Fact::TenantRecorded
        | Fact::JobsListed(_)
        | Fact::JobsRecalled(_)
        | Fact::NotFound
        | Fact::ServicePrincipalLookedUp { .. }
        | Fact::DefinitionLookedUp { .. }
        | Fact::NamespaceLookedUp { .. }
        | Fact::TemplatesListed(_)
        | Fact::IntentRecorded { .. }
        | Fact::IntentCleared
        | Fact::AdoptionRecorded { .. }
        | Fact::RivalsRead { .. }
        | Fact::CreateRefused(_)
        | Fact::RestartRecorded { .. }
        | Fact::RestartAnswered { .. }
        | Fact::CredentialsRead(_)
        | Fact::SecretsRead(_)
        | Fact::CredentialsTested { .. }
        | Fact::SchemaRefused(_)
        | Fact::DeleteNotFound
        | Fact::DeleteUnknown(_)
        | Fact::Trouble(_) => None,
    }
}

/// Values that could not be given back, at the first look after they were taken out of the spec.
fn left_alone(old: &SyncJobStatus, comparison: &Comparison) -> Option<Event> {
    let known = old.report.mappings.as_ref().and_then(|mappings| mappings.checked_hash.as_ref());
    match &comparison.outcome {
        Compared::Differs(difference) if !difference.left.is_empty() && known != Some(&comparison.wish) => {
            Some(MAPPINGS_LEFT.with_note(left_as_they_are(&difference.left)))
        }
        Compared::Differs(_) | Compared::Faulty(..) | Compared::TestsFailed(_) => None,
    }
}

/// The end of mappings whose job is let go of.
fn restored(lines: &[String], left: &[String]) -> Option<Event> {
    let note = (!lines.is_empty()).then(|| format!("Restored: {}.", lines.join("; ")));
    if left.is_empty() {
        return note.map(|note| MAPPINGS_RESTORED.with_note(note));
    }
    // What is left comes first: a note is cut at its end.
    let note = [Some(left_as_they_are(left)), note].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(MAPPINGS_LEFT.with_note(note))
}

fn left_as_they_are(left: &[String]) -> String {
    format!("Left as they are: {}.", left.join("; "))
}

fn left(old: &SyncJobStatus, leaving: &Leaving) -> Option<Event> {
    Some(match leaving {
        Leaving::Nothing => return None,
        Leaving::Gone { id } => JOB_GONE.with_note(format!("Job '{id}' was gone already.")),
        Leaving::Retained { id } => JOB_RETAINED.with_note(format!("Let go of job '{id}'; it stays in Entra ID.")),
        Leaving::Unrestored { id } => MAPPINGS_NOT_RESTORED.with_note(format!(
            "Let go of job '{id}'; it stays in Entra ID with the mappings that this SyncJob made: several attempts to restore them failed, or the login leads to another tenant."
        )),
        Leaving::LeftBehind { id } => {
            let what =
                id.as_ref().map_or_else(|| "any job of an earlier request".to_owned(), |id| format!("job '{id}'"));
            let principal = old.identity.service_principal_id.as_deref().unwrap_or_default();
            JOB_LEFT_BEHIND.with_note(format!(
                "The service principal '{principal}' is gone, and {what} with it. If it is restored, the job returns and runs without a SyncJob."
            ))
        }
        Leaving::WithoutLogin { id } => {
            let what =
                id.as_ref().map_or_else(|| "any job of an earlier request".to_owned(), |id| format!("job '{id}'"));
            let principal = old.identity.service_principal_id.as_deref().unwrap_or_default();
            JOB_LEFT_BEHIND.with_note(format!(
                "The namespace was deleted and there was no login any more: {what} of service principal '{principal}' stays in Entra ID and is in no SyncJob. Delete it there, or adopt it with a new SyncJob."
            ))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Wake;

    #[test]
    fn a_pass_that_was_cut_short_is_no_event_and_other_trouble_is() {
        let event = |reason| {
            let verdict = Verdict::stop(Standing::Passing, reason, "Later.".to_owned(), Wake::OnChange);
            change(&SyncJobStatus::default(), &verdict).map(|event| event.reason)
        };
        assert_eq!((event(Reason::Interrupted), event(Reason::Throttled)), (None, Some("Throttled")));
    }
}
