//! The two clients' words in the plan's words.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::{EntryCount, Execution, JobError, QuarantineStatus};
use crate::graph;
use crate::plan::{Fact, ObservedJob, Shown, health};
use crate::reconcile::trouble::graph_trouble;

/// What the CRD allows; whatever Graph sends beyond that is cut, because a refused status would hide everything else.
const WORD_CHARS_MAX: usize = 64;
const LABEL_CHARS_MAX: usize = 128;
const TEXT_CHARS_MAX: usize = 256;
const URL_CHARS_MAX: usize = 2048;
const ENTRY_TYPES_MAX: usize = 32;

/// A job as it is at `now`.
pub(crate) fn observed(job: graph::Job, now: Timestamp) -> ObservedJob {
    let status = job.status.unwrap_or_default();
    let (state, interval) = job.schedule.map_or((None, None), |schedule| (schedule.state, schedule.interval));
    ObservedJob {
        escrows_pruned: status.escrows_pruned == Some(true),
        id: job.id,
        template_id: job.template_id,
        code: status.code.as_deref().map(|code| cut(code, WORD_CHARS_MAX)),
        schedule_state: state.map(|state| cut(&state, WORD_CHARS_MAX)),
        interval: interval.map(|interval| cut(&interval, WORD_CHARS_MAX)),
        shown: Box::new(shown(status, now)),
        held_by_other: false,
    }
}

fn shown(status: graph::Status, now: Timestamp) -> Shown {
    let time_of = |execution: &Option<graph::Execution>| time(execution.as_ref()?.time_ended.as_deref());
    Shown {
        last_success_time: time_of(&status.last_successful_execution),
        cycle_running: status.last_execution.as_ref().is_some_and(in_flight) || status.has_progress,
        last_execution: status.last_execution.filter(|last| !in_flight(last)).and_then(execution),
        successive_failure_count: status.count_successive_complete_failures.unwrap_or_default(),
        steady_state_since_time: time(status.steady_state_first_achieved_time.as_deref()),
        entries: entries(status.synchronized_entry_count_by_type.unwrap_or_default()),
        troubleshooting_url: status
            .troubleshooting_url
            .filter(|url| url.starts_with("https://") && url.chars().count() <= URL_CHARS_MAX),
        quarantine_lapsed: status.quarantine.as_ref().is_some_and(|quarantine| lapsed(quarantine, now)),
        quarantine: status.quarantine.map(quarantine),
    }
}

/// A cycle that has begun and has no end, or an end before its begin: that of the cycle before
/// (PowerShell module ECMA2HostTools, `Get-ECMA2ConnectorSyncJob`).
fn in_flight(execution: &graph::Execution) -> bool {
    let (began, ended) = (time(execution.time_began.as_deref()), time(execution.time_ended.as_deref()));
    began.is_some_and(|began| ended.is_none_or(|ended| ended.0 < began.0))
}

fn lapsed(quarantine: &graph::Quarantine, now: Timestamp) -> bool {
    let most = SignedDuration::from_hours(24 * health::QUARANTINE_DAYS_MAX);
    let since = time(quarantine.series_began.as_deref()).or_else(|| time(quarantine.current_began.as_deref()));
    since.is_some_and(|since| now.duration_since(since.0) > most)
}

/// `None` for the object that Graph fills in before the first cycle has ended: it looks like a failure and is none.
fn execution(execution: graph::Execution) -> Option<Execution> {
    let began = time(execution.time_began.as_deref())?;
    Some(Execution {
        state: cut(execution.state.as_deref().unwrap_or("Unknown"), WORD_CHARS_MAX),
        began_time: Some(began),
        ended_time: time(execution.time_ended.as_deref()),
        entitled_count: execution.count_entitled.unwrap_or_default(),
        imported_count: execution.count_imported.unwrap_or_default(),
        exported_count: execution.count_exported.unwrap_or_default(),
        escrowed_count: execution.count_escrowed.unwrap_or_default(),
        error: error(execution.error),
    })
}

fn error(error: Option<graph::JobError>) -> Option<JobError> {
    let error = error?;
    let code = error.code.filter(|code| !code.is_empty() && code != "None")?;
    let message = error.message.filter(|_| !is_about_target(&code)).unwrap_or_default();
    Some(JobError { code: cut(&code, TEXT_CHARS_MAX), message: cut(&graph::redacted(&message), TEXT_CHARS_MAX) })
}

/// Whether the message of a code may repeat what was sent to a target, or what it answered.
fn is_about_target(code: &str) -> bool {
    code.contains("SystemForCrossDomain") || code.contains("Credential")
}

/// Types in a fixed order, each once, so that the same facts never look like a change.
fn entries(counts: Vec<graph::EntryCount>) -> Vec<EntryCount> {
    let mut entries: Vec<EntryCount> = counts
        .into_iter()
        .filter_map(|entry| {
            let type_ = cut(&entry.key.filter(|key| !key.is_empty())?, LABEL_CHARS_MAX);
            Some(EntryCount { type_, count: entry.value? })
        })
        .collect();
    entries.sort_by(|a, b| a.type_.cmp(&b.type_));
    entries.dedup_by(|a, b| a.type_ == b.type_);
    entries.truncate(ENTRY_TYPES_MAX);
    entries
}

fn quarantine(quarantine: graph::Quarantine) -> QuarantineStatus {
    let word = quarantine.reason.as_deref().filter(|reason| !reason.is_empty());
    let reason = cut(word.unwrap_or("Unknown"), TEXT_CHARS_MAX);
    let since = time(quarantine.series_began.as_deref());
    let most = SignedDuration::from_hours(24 * health::QUARANTINE_DAYS_MAX);
    QuarantineStatus {
        message: health::quarantine_in_words(&reason).to_owned(),
        reason,
        disabled_after_time: since.as_ref().and_then(|since| since.0.checked_add(most).ok()).map(Time),
        since_time: since,
        next_attempt_time: time(quarantine.next_attempt.as_deref()),
        error: error(quarantine.error),
    }
}

/// To the second, as Kubernetes writes times. `None` for the zero time, which stands for "never".
fn time(text: Option<&str>) -> Option<Time> {
    let time: Timestamp = text?.parse().ok()?;
    (time > Timestamp::UNIX_EPOCH).then(|| Timestamp::from_second(time.as_second()).ok().map(Time))?
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(chars_max).collect()
}

/// A 404 is a fact of its own: what it means depends on what was looked for.
pub(crate) fn found<T>(answer: Result<T, graph::Error>, fact: impl FnOnce(T) -> Fact) -> Fact {
    match answer {
        Ok(value) => fact(value),
        Err(error) if error.kind == graph::Kind::NotFound => Fact::NotFound,
        Err(error) => Fact::Trouble(graph_trouble(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed_from(json: &str) -> ObservedJob {
        observed(serde_json::from_str(json).unwrap(), "2026-12-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_execution_that_graph_fills_in_before_the_first_cycle_is_none() {
        let job = observed_from(
            r#"{"id":"x","status":{"code":"NotRun","lastExecution":{"activityIdentifier":null,"state":"Failed","countExported":0,
            "timeBegan":"0001-01-01T00:00:00Z","timeEnded":"0001-01-01T00:00:00Z","error":{"code":"None","message":"","tenantActionable":false}},
            "steadyStateFirstAchievedTime":"0001-01-01T00:00:00Z","troubleshootingUrl":""}}"#,
        );
        assert_eq!(*job.shown, Shown::default());
    }

    #[test]
    fn a_quarantine_ends_28_days_after_it_began_and_times_have_no_fractions() {
        let job = observed_from(
            r#"{"id":"x","status":{"code":"Quarantine","quarantine":{"reason":"TooManyDeletes","currentBegan":"2026-11-20T09:00:15Z",
            "seriesBegan":"2026-11-19T20:00:00.1234567Z","nextAttempt":"2026-11-20T15:00:15Z","error":null}}}"#,
        );
        let quarantine = job.shown.quarantine.unwrap();
        let text = |time: Option<Time>| time.unwrap().0.to_string();
        assert_eq!(text(quarantine.since_time), "2026-11-19T20:00:00Z");
        assert_eq!(text(quarantine.disabled_after_time), "2026-12-17T20:00:00Z");
        assert!(quarantine.message.contains("accidental-deletion"));
    }

    #[test]
    fn nothing_that_graph_sends_is_longer_than_status_may_hold() {
        let long = "x".repeat(9000);
        let entry = |key: &str| graph::EntryCount { key: Some(key.to_owned()), value: Some(1) };
        let status = graph::Status {
            code: Some(long.clone()),
            troubleshooting_url: Some(format!("https://{long}")),
            synchronized_entry_count_by_type: Some(
                (0..99).map(|n| entry(&format!("{n}{long}"))).chain([entry("")]).collect(),
            ),
            ..graph::Status::default()
        };
        let job = observed(
            graph::Job { id: "x".to_owned(), template_id: None, schedule: None, status: Some(status) },
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(job.code.unwrap().len(), WORD_CHARS_MAX);
        assert_eq!((job.shown.troubleshooting_url, job.shown.entries.len()), (None, ENTRY_TYPES_MAX));
        assert!(job.shown.entries.iter().all(|entry| entry.type_.len() == LABEL_CHARS_MAX));
    }
}
