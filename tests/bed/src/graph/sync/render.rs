//! How a job looks (graph-api §3.2 to §3.5, §4.2).

use serde_json::{Map, Value, json};

use super::catalog::Template;
use crate::graph::model::clock::{NEVER, text, text_or_never};
use crate::graph::model::job::{Code, Execution, Job, JobState, Outcome, Quarantine, Trouble};

/// The longest time span there is: never.
const NEVER_AGAIN: &str = "P10675199DT2H48M5.4775807S";

pub fn job(job: &Job, state: &JobState, template: &Template) -> Value {
    let unconfigured = state.code == Code::NotConfigured;
    let interval = if unconfigured { NEVER_AGAIN } else { template.interval.text() };
    let last = match &state.last_execution {
        Some(execution) => self::execution(execution),
        None if state.started => default_filled(),
        None => Value::Null,
    };
    let counted = if state.synchronized > 0 {
        json!([{"key": format!("Users to {}", template.target_directory), "value": state.synchronized}])
    } else {
        json!([])
    };
    let optional = |found: &Option<Execution>| found.as_ref().map_or(Value::Null, execution);
    let mut body = json!({
        "id": job.id, "templateId": job.template_id,
        "schedule": {"expiration": null, "interval": interval, "state": state.schedule},
        "status": {
            "countSuccessiveCompleteFailures": state.successive_failures, "escrowsPruned": false, "code": state.code,
            "lastExecution": last,
            "lastSuccessfulExecution": optional(&state.last_successful),
            "lastSuccessfulExecutionWithExports": optional(&state.last_successful_with_exports),
            "quarantine": state.quarantine.as_ref().map(quarantine),
            "steadyStateFirstAchievedTime": text_or_never(state.steady_first),
            "steadyStateLastAchievedTime": text_or_never(state.steady_last),
            "troubleshootingUrl": if unconfigured { Value::Null } else { "".into() },
            "progress": [], "synchronizedEntryCountByType": counted,
        },
        "synchronizationJobSettings": [
            {"name": "AzureIngestionAttributeOptimization", "value": "False"},
            {"name": "LookaheadQueryEnabled", "value": "False"},
        ],
    });
    merge(&mut body, &state.overlay);
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
        "countEscrowed": execution.counts.escrowed, "countEscrowedRaw": execution.counts.escrowed,
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

/// Lays one JSON over another: objects by member, everything else as a whole.
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
