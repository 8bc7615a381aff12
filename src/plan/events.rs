//! Events: what happened in a pass, and every change of how things stand; nothing for what stayed as it was. Whatever a
//! person can act on is in a condition as well.

use super::decide::{Plan, Standing};
use super::health::quarantine_message;
use super::report::{Report, find};
use super::requests::Answers;
use super::step::{Fact, Step};
use crate::api::{ConditionType, Reason, RestartResult, SyncJobStatus};

/// Something that happened and that `kubectl describe` should tell.
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

/// The events of a pass that ended in `plan` and `report`; the report is absent where status is not written any more.
pub fn events(
    old: &SyncJobStatus,
    plan: &Plan,
    report: Option<&Report>,
    answers: Option<&Answers>,
    done: &[(Step, Fact)],
) -> Vec<Event> {
    let created = done.iter().any(|(_, fact)| matches!(fact, Fact::JobCreated(_)));
    let mut events: Vec<Event> = done.iter().filter_map(|(step, fact)| happening(step, fact, created)).collect();
    events.extend(answers.and_then(|answers| restart(old, answers)));
    events.extend(change(old, plan));
    events.extend(report.and_then(|report| quarantine(old, report)));
    events.extend(report.and_then(|report| second_job(old, report)));
    events
}

/// How things stand, if that is new. A quarantine has events of its own.
fn change(old: &SyncJobStatus, plan: &Plan) -> Option<Event> {
    let said = |kind| find(&old.conditions, kind).is_some_and(|condition| condition.reason == plan.reason.name());
    let (name, note) = (plan.reason.name(), plan.told());
    match plan.standing {
        _ if matches!(plan.reason, Reason::Quarantined | Reason::DisabledByService) => None,
        Standing::Settled if !said(ConditionType::Ready) => Some(Event::normal(name, "Reconcile", note)),
        Standing::Suspended if !said(ConditionType::Suspended) => Some(Event::normal(name, "Reconcile", note)),
        Standing::Passing if !said(ConditionType::Reconciling) => Some(Event::warning(name, "Reconcile", note)),
        Standing::Blocked | Standing::Stuck if !said(ConditionType::Ready) => {
            Some(Event::warning(name, "Reconcile", note))
        }
        _ => None,
    }
}

/// Entry into quarantine, a new reason for it, and its end.
fn quarantine(old: &SyncJobStatus, report: &Report) -> Option<Event> {
    let before = old.quarantine.as_ref().map(|quarantine| quarantine.reason.as_str());
    let now = report.quarantine.as_ref();
    match now {
        Some(now) if before != Some(now.reason.as_str()) => {
            Some(Event::warning("Quarantined", "Observe", quarantine_message(Some(now))))
        }
        None if before.is_some() => {
            Some(Event::normal("QuarantineLifted", "Observe", "The service took the job out of quarantine.".to_owned()))
        }
        _ => None,
    }
}

fn second_job(old: &SyncJobStatus, report: &Report) -> Option<Event> {
    let healthy = find(&report.conditions, ConditionType::Healthy)?;
    let is_new = find(&old.conditions, ConditionType::Healthy).is_none_or(|before| before.reason != healthy.reason);
    (is_new && healthy.reason == Reason::SecondJobPresent.name())
        .then(|| Event::warning(Reason::SecondJobPresent.name(), "Observe", healthy.message.clone()))
}

fn restart(old: &SyncJobStatus, answers: &Answers) -> Option<Event> {
    let handled = answers.last_handled_restart.as_ref()?;
    if old.last_handled_restart.as_ref() == Some(handled) {
        return None;
    }
    let note = handled.message.clone();
    match handled.result {
        RestartResult::Accepted => Some(Event::normal("JobRestarted", "RestartJob", note)),
        RestartResult::Refused => Some(Event::warning("RestartRefused", "RestartJob", note)),
        RestartResult::Unknown => Some(Event::warning("RestartOutcomeUnknown", "RestartJob", note)),
        RestartResult::Requested => None,
    }
}

fn happening(step: &Step, fact: &Fact, created: bool) -> Option<Event> {
    let normal = |reason, action, note| Some(Event::normal(reason, action, note));
    match (step, fact) {
        (_, Fact::JobCreated(job)) => normal("JobCreated", "CreateJob", format!("Created job '{}'.", job.id)),
        (_, Fact::JobBound { id }) if !created => {
            normal("CreateRecovered", "CreateJob", format!("Found job '{id}', which an earlier request had created."))
        }
        (_, Fact::JobAdopted { id }) => {
            normal("JobAdopted", "AdoptJob", format!("Adopted job '{id}', which was there before."))
        }
        (Step::ForgetJob { id }, Fact::JobForgotten) => Some(Event::warning(
            "JobGivenUp",
            "ForgetJob",
            format!("Job '{id}' is gone from Entra ID; a new one is created in its place."),
        )),
        (_, Fact::CreateUnknown(trouble)) => Some(Event::warning("CreateOutcomeUnknown", "CreateJob", trouble.told())),
        (Step::StartJob { id }, Fact::RunStateRequested) => {
            normal("JobStarted", "StartJob", format!("Started job '{id}'."))
        }
        (Step::PauseJob { id }, Fact::RunStateRequested) => {
            normal("JobPaused", "PauseJob", format!("Paused job '{id}'."))
        }
        (Step::DeleteJob { id }, Fact::JobDeleted) => normal("JobDeleted", "DeleteJob", format!("Deleted job '{id}'.")),
        (Step::DeleteSurplus { id }, Fact::SurplusDeleted) => normal(
            "SurplusJobDeleted",
            "DeleteJob",
            format!(
                "Deleted job '{id}': it was created for an intent that was no longer this SyncJob's, and never ran."
            ),
        ),
        (Step::RemoveFinalizer { retained: Some(id) }, Fact::FinalizerRemoved) => {
            normal("JobRetained", "Release", format!("Let go of job '{id}'; it stays in Entra ID."))
        }
        _ => None,
    }
}
