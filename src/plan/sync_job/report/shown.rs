//! What status shows of a job. Cycles end every 20 to 40 minutes and change counts and times; what people need to know
//! changes far more seldom. So a change of health is shown at once, and the rest with it, or when it has grown old.

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::{JobStatus, QuarantineStatus};
use crate::plan::sync_job::observed::{ObservedJob, Shown};

/// How far the last success that is shown may be behind the one that is known; counts follow with it.
const REFRESH: SignedDuration = SignedDuration::from_hours(6);
/// The service moves the next attempt of a quarantined job by minutes at first.
const ATTEMPT_MOVED: SignedDuration = SignedDuration::from_hours(1);

/// The job as status shows it, given what it shows already.
pub(in crate::plan) fn job(job: &ObservedJob, old: Option<&JobStatus>) -> JobStatus {
    let old = old.filter(|old| old.id == job.id);
    let new = status_of(job, old);
    match old {
        Some(old) if same_health(&new, old) && !outdated(&new, old) => old.clone(),
        Some(_) | None => new,
    }
}

fn status_of(job: &ObservedJob, old: Option<&JobStatus>) -> JobStatus {
    let shown = Shown::clone(&job.shown);
    // While a cycle is in flight, nothing that is said of it is its result.
    let finished = || old.and_then(|old| old.last_execution.clone());
    JobStatus {
        id: job.id.clone(),
        code: job.code.clone(),
        schedule_state: job.schedule_state.clone(),
        interval: job.interval.clone(),
        last_execution: if shown.cycle_running { finished() } else { shown.last_execution },
        last_success_time: shown.last_success_time,
        successive_failure_count: Some(shown.successive_failure_count).filter(|count| *count > 0),
        steady_state_since_time: shown.steady_state_since_time,
        entries: shown.entries,
        troubleshooting_url: shown.troubleshooting_url,
    }
}

fn same_health(new: &JobStatus, old: &JobStatus) -> bool {
    let outcome = |job: &JobStatus| {
        let last = job.last_execution.as_ref()?;
        Some((last.state.clone(), last.error.as_ref().map(|error| error.code.clone())))
    };
    let word = |job: &JobStatus| (job.code.clone(), job.schedule_state.clone(), job.interval.clone());
    word(new) == word(old)
        && outcome(new) == outcome(old)
        && new.successive_failure_count == old.successive_failure_count
        && new.steady_state_since_time.is_some() == old.steady_state_since_time.is_some()
        && new.last_success_time.is_some() == old.last_success_time.is_some()
        && new.troubleshooting_url == old.troubleshooting_url
}

fn outdated(new: &JobStatus, old: &JobStatus) -> bool {
    let ended = |job: &JobStatus| job.last_execution.as_ref().and_then(|last| last.ended_time.clone());
    apart(new.last_success_time.as_ref(), old.last_success_time.as_ref(), REFRESH)
        || apart(ended(new).as_ref(), ended(old).as_ref(), REFRESH)
}

fn apart(new: Option<&Time>, old: Option<&Time>, least: SignedDuration) -> bool {
    match (new, old) {
        (Some(new), Some(old)) => new.0.duration_since(old.0).abs() >= least,
        (new, old) => new.is_some() != old.is_some(),
    }
}

/// The quarantine as status shows it.
pub(in crate::plan) fn quarantine(job: &ObservedJob, old: Option<&QuarantineStatus>) -> Option<QuarantineStatus> {
    let new = job.shown.quarantine.clone()?;
    let moved =
        |old: &QuarantineStatus| apart(new.next_attempt_time.as_ref(), old.next_attempt_time.as_ref(), ATTEMPT_MOVED);
    let still = |old: &&QuarantineStatus| {
        let code = |quarantine: &QuarantineStatus| quarantine.error.as_ref().map(|error| error.code.clone());
        old.reason == new.reason && old.since_time == new.since_time && code(old) == code(&new) && !moved(old)
    };
    Some(old.filter(still).cloned().unwrap_or(new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Execution;

    fn at(second: i64) -> Option<Time> {
        jiff::Timestamp::from_second(1_800_000_000 + second).ok().map(Time)
    }

    fn cycle(state: &str, second: i64) -> Shown {
        let execution = Execution {
            state: state.to_owned(),
            began_time: at(second - 60),
            ended_time: at(second),
            entitled_count: second,
            imported_count: 0,
            exported_count: 0,
            escrowed_count: 0,
            error: None,
        };
        Shown { last_execution: Some(execution), last_success_time: at(second), ..Shown::default() }
    }

    fn observed(shown: Shown) -> ObservedJob {
        ObservedJob {
            id: "x".to_owned(),
            schedule_state: Some("Active".to_owned()),
            shown: Box::new(shown),
            ..ObservedJob::default()
        }
    }

    #[test]
    fn a_cycle_like_the_one_before_changes_nothing_until_what_is_shown_is_hours_old() {
        let first = job(&observed(cycle("Succeeded", 0)), None);
        let writes = (1..=252).fold((first, 0), |(old, writes), cycle_number| {
            let new = job(&observed(cycle("Succeeded", cycle_number * 2400)), Some(&old));
            let written = usize::from(new != old);
            (new, writes + written)
        });
        assert_eq!(writes.1, 28, "a week of cycles every 40 minutes");
    }

    #[test]
    fn a_cycle_that_fails_is_shown_at_once_and_one_in_flight_is_not() {
        let first = job(&observed(cycle("Succeeded", 0)), None);
        let failed = job(&observed(cycle("Failed", 2400)), Some(&first));
        assert_eq!(failed.last_execution.as_ref().unwrap().state, "Failed");
        let running = Shown { cycle_running: true, last_execution: None, ..cycle("Failed", 2400) };
        assert_eq!(job(&observed(running), Some(&failed)), failed);
    }

    #[test]
    fn each_further_failure_is_counted_at_once() {
        let failures = |count| Shown { successive_failure_count: count, ..cycle("Failed", count * 2400) };
        let shown = (1..=4).fold(None, |old, count| Some(job(&observed(failures(count)), old.as_ref())));
        assert_eq!(shown.unwrap().successive_failure_count, Some(4));
    }
}
