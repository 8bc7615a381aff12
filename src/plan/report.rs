//! What people are told: status and Events, computed from the old status and the end of a pass. `Ready` is made in one
//! table here and nowhere else. Nothing is decided from conditions; they are written, not read, except to keep the time
//! of their last transition.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde::Serialize;

use super::decide::{Plan, Standing};
use super::desired::Desired;
use super::settings::Settings;
use super::step::{Fact, Step};
use super::world::World;
use crate::api::{ConditionType, DeletionPolicy, JobStatus, SyncJobStatus};

/// The part of status that describes; the identity (job id and intent) is written apart from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub observed_generation: i64,
    pub conditions: Vec<Condition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

impl Report {
    /// Whether status says all this already.
    pub fn is_said_by(&self, status: &SyncJobStatus) -> bool {
        status.observed_generation == Some(self.observed_generation)
            && status.job == self.job
            && status.deletion_policy == self.deletion_policy
            && OWNED.iter().all(|owned| find(&self.conditions, *owned) == find(&status.conditions, *owned))
    }
}

const OWNED: [ConditionType; 3] = [ConditionType::Ready, ConditionType::Reconciling, ConditionType::Stalled];

/// Computes the report at the end of a pass.
pub fn report(
    old: &SyncJobStatus,
    generation: i64,
    desired: Option<&Desired>,
    world: &World,
    plan: &Plan,
    settings: &Settings,
    now: Timestamp,
) -> Report {
    let conditions = conditions(old, generation, plan, settings, now);
    Report {
        observed_generation: generation,
        conditions,
        job: job(old, world),
        deletion_policy: desired.map(|wish| wish.deletion_policy),
    }
}

fn job(old: &SyncJobStatus, world: &World) -> Option<JobStatus> {
    world.job_id.as_ref()?;
    match world.bound_job() {
        Some(job) => Some(JobStatus {
            code: job.code.clone(),
            schedule_state: job.schedule_state.clone(),
            interval: job.interval.clone(),
        }),
        None => old.job.clone(),
    }
}

/// The table: how things stand → Ready, Reconciling, Stalled.
fn conditions(
    old: &SyncJobStatus,
    generation: i64,
    plan: &Plan,
    settings: &Settings,
    now: Timestamp,
) -> Vec<Condition> {
    let ready_before = find(&old.conditions, ConditionType::Ready);
    let make = |kind: ConditionType, status: &str| {
        let before = find(&old.conditions, kind).filter(|before| before.status == status);
        Condition {
            type_: kind.name().to_owned(),
            status: status.to_owned(),
            reason: plan.reason.name().to_owned(),
            message: plan.message.clone(),
            observed_generation: Some(generation),
            last_transition_time: before.map_or(Time(now), |before| before.last_transition_time.clone()),
        }
    };
    let reconciling = || make(ConditionType::Reconciling, "True");
    let stalled = || make(ConditionType::Stalled, "True");
    match plan.standing {
        Standing::Settled => vec![make(ConditionType::Ready, "True")],
        Standing::Working => vec![make(ConditionType::Ready, "Unknown"), reconciling()],
        Standing::Passing => {
            let kept =
                ready_before.filter(|ready| ready.status == "True" && ready.observed_generation == Some(generation));
            vec![kept.cloned().unwrap_or_else(|| make(ConditionType::Ready, "Unknown")), reconciling()]
        }
        Standing::Blocked if !lasted(ready_before, settings, now) => {
            vec![make(ConditionType::Ready, "False"), reconciling()]
        }
        Standing::Blocked | Standing::Stuck => vec![make(ConditionType::Ready, "False"), stalled()],
    }
}

/// Whether `Ready` has been False for longer than trouble of its kind is given.
fn lasted(ready: Option<&Condition>, settings: &Settings, now: Timestamp) -> bool {
    ready.is_some_and(|ready| {
        ready.status == "False"
            && now.duration_since(ready.last_transition_time.0).unsigned_abs() >= settings.stalled_grace
    })
}

fn find(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == kind.name())
}

/// Something that happened and that `kubectl describe` should tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub warning: bool,
    pub reason: &'static str,
    pub action: &'static str,
    pub note: String,
}

/// Events for what was done in a pass and for a change of how things stand; nothing for what stayed as it was.
pub fn events(old: &SyncJobStatus, plan: &Plan, done: &[(Step, Fact)]) -> Vec<Event> {
    let created = done.iter().any(|(_, fact)| matches!(fact, Fact::JobCreated(_)));
    let mut events: Vec<Event> = done.iter().filter_map(|(step, fact)| happening(step, fact, created)).collect();
    let said = |kind| find(&old.conditions, kind).is_some_and(|condition| condition.reason == plan.reason.name());
    let change = match plan.standing {
        Standing::Settled if !said(ConditionType::Ready) => Some(false),
        Standing::Passing if !said(ConditionType::Reconciling) => Some(true),
        Standing::Blocked | Standing::Stuck if !said(ConditionType::Ready) => Some(true),
        _ => None,
    };
    if let Some(warning) = change {
        events.push(Event { warning, reason: plan.reason.name(), action: "Reconcile", note: plan.message.clone() });
    }
    events
}

fn happening(step: &Step, fact: &Fact, created: bool) -> Option<Event> {
    let normal = |reason, action, note| Some(Event { warning: false, reason, action, note });
    match (step, fact) {
        (_, Fact::JobCreated(job)) => normal("JobCreated", "CreateJob", format!("Created job '{}'.", job.id)),
        (_, Fact::JobBound { id }) if !created => {
            normal("CreateRecovered", "CreateJob", format!("Found job '{id}', which an earlier request had created."))
        }
        (_, Fact::CreateUnknown(trouble)) => Some(Event {
            warning: true,
            reason: "CreateOutcomeUnknown",
            action: "CreateJob",
            note: trouble.detail.clone(),
        }),
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
