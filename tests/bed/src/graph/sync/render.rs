//! How a job looks (CONTRACT §3.2 to §3.5, §4.2).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::catalog::Template;
use crate::graph::model::clock::{NEVER, text, text_or_never};
use crate::graph::model::job::{Counts, Execution, Job, JobState, Outcome, Quarantine, Running, Trouble};
use crate::graph::model::settings::{LastSuccessful, NewJobInterval, RunningCycle, RunningCycleEnd, Settings};

/// The longest time span there is: never.
const NEVER_AGAIN: &str = "P10675199DT2H48M5.4775807S";

pub fn job(job: &Job, state: &JobState, template: &Template, settings: &Settings, now: Timestamp) -> Value {
    let never = !state.started && settings.new_job_interval == NewJobInterval::Never;
    let interval = if never { NEVER_AGAIN } else { template.interval.text() };
    let mut body = json!({
        "id": job.id, "templateId": job.template_id,
        "schedule": {"expiration": null, "interval": interval, "state": state.schedule},
        "status": status(job, state, template, settings, now),
        "synchronizationJobSettings": job_settings(job, template),
    });
    merge(&mut body, &state.overlay);
    body
}

/// The pairs of name and value that a job has from its template, unless it was given others.
pub fn job_settings(job: &Job, template: &Template) -> Value {
    job.settings.clone().unwrap_or_else(|| json!(template.job_settings))
}

fn status(job: &Job, state: &JobState, template: &Template, settings: &Settings, now: Timestamp) -> Value {
    let running = job.running.as_ref().filter(|_| settings.running_cycle != RunningCycle::Hidden);
    let last = match (running, &state.last_execution) {
        (Some(running), before) => self::running(running, before.as_ref(), settings, now),
        (None, Some(execution)) => self::execution(execution),
        (None, None) if state.started => default_filled(),
        (None, None) => Value::Null,
    };
    let successful = state.last_successful.as_ref().map_or(Value::Null, |found| last_successful(found, settings));
    let with_exports = state.last_successful_with_exports.as_ref().map_or(Value::Null, execution);
    let initial = job.running.as_ref().filter(|running| running.initial);
    json!({
        "countSuccessiveCompleteFailures": state.successive_failures, "escrowsPruned": state.escrows_pruned,
        "code": state.code,
        "lastExecution": last,
        "lastSuccessfulExecution": successful,
        "lastSuccessfulExecutionWithExports": with_exports,
        "quarantine": state.quarantine.as_ref().map(quarantine),
        "steadyStateFirstAchievedTime": text_or_never(state.steady_first),
        "steadyStateLastAchievedTime": text_or_never(state.steady_last),
        "troubleshootingUrl": state.started.then_some(""),
        "progress": initial.map_or_else(|| json!([]), |running| json!([progress(running, now)])),
        "synchronizedEntryCountByType": entry_counts(state, template),
    })
}

fn entry_counts(state: &JobState, template: &Template) -> Value {
    if state.synchronized == 0 && state.synchronized_groups == 0 {
        return json!([]);
    }
    let target = &template.target_directory;
    json!([
        {"key": format!("Users to {target}"), "value": state.synchronized},
        {"key": format!("Groups to {target}"), "value": state.synchronized_groups},
    ])
}

/// How much of a cycle in flight is done at this time.
fn so_far(running: &Running, now: Timestamp) -> Counts {
    let length = |until: Timestamp| until.duration_since(running.began).as_secs();
    running.expected.so_far(length(now), length(running.ends))
}

/// An execution without an end. Its state says nothing, whatever it reads.
fn running(running: &Running, before: Option<&Execution>, settings: &Settings, now: Timestamp) -> Value {
    let succeeded = settings.running_cycle == RunningCycle::Succeeded;
    let execution = Execution {
        activity: running.activity.to_string(),
        state: if succeeded { Outcome::Succeeded } else { Outcome::Failed },
        began: running.began,
        ended: running.began,
        counts: so_far(running, now),
        error: None,
    };
    let mut body = self::execution(&execution);
    let older = before.filter(|_| settings.running_cycle_end == RunningCycleEnd::Previous);
    body["timeEnded"] = text_or_never(older.map(|before| before.ended)).into();
    body
}

fn progress(running: &Running, now: Timestamp) -> Value {
    json!({
        "completedUnits": so_far(running, now).exported, "totalUnits": running.expected.exported,
        "progressObservationDateTime": text(now), "units": "Users",
    })
}

/// The published form names no beginning, no activity and one count.
fn last_successful(found: &Execution, settings: &Settings) -> Value {
    if settings.last_successful == LastSuccessful::Whole {
        return execution(found);
    }
    let mut body = counts(&Map::from_iter([("countExported".to_owned(), json!(found.counts.exported))]));
    body["activityIdentifier"] = Value::Null;
    body["state"] = json!(found.state);
    body["timeBegan"] = NEVER.into();
    body["timeEnded"] = text(found.ended).into();
    body["error"] = Value::Null;
    body
}

/// After a start and before the first cycle ends: it looks like a failure and is none.
fn default_filled() -> Value {
    let mut body = counts(&Map::new());
    body["activityIdentifier"] = Value::Null;
    body["state"] = json!(Outcome::Failed);
    body["timeBegan"] = NEVER.into();
    body["timeEnded"] = NEVER.into();
    body["error"] = json!({"code": "None", "message": "", "tenantActionable": false});
    body
}

fn execution(execution: &Execution) -> Value {
    let known = json!({
        "countEntitled": execution.counts.entitled, "countEntitledForProvisioning": execution.counts.entitled,
        "countEscrowed": execution.counts.escrowed,
        "countEscrowedRaw": execution.counts.escrowed_raw.unwrap_or(execution.counts.escrowed),
        "countExported": execution.counts.exported, "countExports": execution.counts.exported,
        "countImported": execution.counts.imported, "countImportedDeltas": execution.counts.imported,
    });
    let mut body = counts(known.as_object().unwrap_or(&Map::new()));
    body["activityIdentifier"] = execution.activity.clone().into();
    body["state"] = json!(execution.state);
    body["timeBegan"] = text(execution.began).into();
    body["timeEnded"] = text(execution.ended).into();
    body["error"] = execution.error.as_ref().map_or(Value::Null, trouble);
    body
}

/// All counters; those that are not known are 0.
fn counts(known: &Map<String, Value>) -> Value {
    let names = [
        "countEntitled",
        "countEntitledForProvisioning",
        "countEscrowed",
        "countEscrowedRaw",
        "countExported",
        "countExports",
        "countImported",
        "countImportedDeltas",
        "countImportedReferenceDeltas",
    ];
    let all = names.iter().map(|name| ((*name).to_owned(), known.get(*name).cloned().unwrap_or_else(|| json!(0))));
    Value::Object(all.collect())
}

fn quarantine(quarantine: &Quarantine) -> Value {
    json!({
        "currentBegan": text(quarantine.current_began), "nextAttempt": text(quarantine.next_attempt),
        "reason": quarantine.reason, "seriesBegan": text(quarantine.series_began),
        "seriesCount": quarantine.series_count, "error": quarantine.error.as_ref().map(trouble),
    })
}

fn trouble(trouble: &Trouble) -> Value {
    json!({"code": trouble.code, "message": trouble.message, "tenantActionable": trouble.tenant_actionable})
}

/// Lays one JSON over another: objects by member, everything else as a whole. A member that is null becomes null.
pub fn merge(under: &mut Value, over: &Value) {
    match (under, over) {
        (_, Value::Null) => {}
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                match under.get_mut(name) {
                    Some(known) if known.is_object() && value.is_object() => merge(known, value),
                    _ => {
                        under.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (under, over) => *under = over.clone(),
    }
}
