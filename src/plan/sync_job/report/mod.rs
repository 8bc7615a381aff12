//! What people read: status, computed from the old status and the end of a pass. `Ready` is made in one table here
//! and nowhere else. Nothing is decided from conditions; they are written, not read, except to keep the time of their
//! last transition. Nothing changes merely because time passes.

mod end;
pub(in crate::plan) mod shown;
mod witness;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::api::{ConditionType, PlannedChange, Reason, Report, RestartResult, RunRecord, RunState};
use crate::plan::common::conditions::{Maker, find};
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::sync_job::fact::Fact;
use crate::plan::sync_job::health;
use crate::plan::sync_job::mappings;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::preview::preview;
use crate::plan::sync_job::secrets;
use crate::plan::sync_job::step::Verdict;
pub use end::End;

/// Trouble that passes is believed to do so for this long; after it, what was true before is not known any more.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(24);
/// The longest wait for the pass that says how a start ended.
const NEXT_PASS: Duration = Duration::from_secs(2);

/// Whether a report is not worth a write of its own: the first one of a SyncJob, which says no more than that the job is being
/// started, when the next pass, within a second or so, says how that ended.
pub fn can_wait(old: &Report, new: &Report, verdict: &Verdict) -> bool {
    // What was tested or saved is known from status only.
    let bare = new.credentials.is_none() && new.mappings.is_none();
    let first = old.observed_generation.is_none_or(|generation| generation < 0) && old.conditions.is_empty();
    let starting = verdict.standing == Standing::Working && verdict.reason == Reason::Starting;
    bare && first && starting && verdict.wake.delay() <= NEXT_PASS
}

/// Computes the report at the end of a pass over an object of this generation.
pub fn report(old: &Report, generation: i64, end: &End<'_>, settings: &Settings, now: Timestamp) -> Report {
    let (world, verdict) = (end.world, end.verdict);
    let shown = end.desired.and_then(|desired| world.subject(desired));
    let suspended = verdict.standing == Standing::Suspended;
    let lost = matches!(verdict.reason, Reason::JobMissing | Reason::ServicePrincipalNotFound);
    let gone = (world.job_id.is_none() || lost) && shown.is_none() && !suspended;
    let witness = witness::renewed(old, end, now);
    Report {
        // A spec that is not acted on stays unobserved, so that nobody takes what was true before for its outcome.
        observed_generation: Some(if suspended { old.observed_generation.unwrap_or(-1) } else { generation }),
        conditions: conditions(old, generation, end, shown, settings, now),
        job: match shown {
            Some(job) => Some(shown::job(job, old.job.as_ref())),
            None => old.job.clone().filter(|_| !gone),
        },
        quarantine: match shown {
            Some(job) => shown::quarantine(job, old.quarantine.as_ref()),
            None => old.quarantine.clone().filter(|_| !gone),
        },
        run: run(old, end, now),
        job_seen_time: witness.seen,
        job_lived_time: witness.lived,
        job_missing_since_time: witness.missing_since,
        service_principal_lost_time: witness.service_principal_lost,
        credentials: end.desired.map_or_else(
            || old.credentials.clone(),
            |desired| secrets::status(old.credentials.as_ref(), desired, world, now),
        ),
        mappings: end
            .desired
            .map_or_else(|| old.mappings.clone(), |desired| mappings::status(desired, world, settings, now)),
        plan: planned(old, end, settings),
        deletion_policy: end.desired.map(|desired| desired.deletion_policy(world.origin)),
    }
}

/// What was asked for in this pass; else what the last request came to, or that the job was found as declared.
fn run(old: &Report, end: &End<'_>, now: Timestamp) -> Option<RunRecord> {
    end.world.job_id.as_ref()?;
    let asked = end.done.iter().rev().find_map(|(_, fact)| asked(fact));
    let old = match asked {
        Some(state) => Some(RunRecord { state, requested_time: Some(Time(now)), reached_time: None }),
        None => unwritten(old, end, now).or_else(|| old.run.clone()),
    };
    let Some(state) = end.world.bound_job().and_then(ObservedJob::run_state) else { return old };
    let declared =
        end.desired.is_some_and(|desired| desired.run_state == state) && end.verdict.standing == Standing::Settled;
    match old {
        Some(known) if known.state == state => {
            let reached_time = known.reached_time.clone().or(Some(Time(now)));
            Some(RunRecord { reached_time, ..known })
        }
        Some(_) | None if declared => Some(RunRecord { state, requested_time: None, reached_time: Some(Time(now)) }),
        other => other,
    }
}

/// What an earlier pass asked for, where its report was not written.
fn unwritten(old: &Report, end: &End<'_>, now: Timestamp) -> Option<RunRecord> {
    let run = end.world.run.filter(|run| !run.reached)?;
    let shown = |known: &RunRecord| known.state == run.state && known.reached_time.is_none();
    if old.run.as_ref().is_some_and(shown) {
        return None;
    }
    let requested_time = run.asked.and_then(|age| now.checked_sub(age).ok()).map(Time);
    Some(RunRecord { state: run.state, requested_time, reached_time: None })
}

/// The run state that a step asked Graph for.
fn asked(fact: &Fact) -> Option<RunState> {
    if let Fact::RunStateRequested { state, .. } = fact {
        return Some(*state);
    }
    let restarted = matches!(
        fact,
        Fact::RestartAnswered { result: RestartResult::Accepted, .. } | Fact::RestartedAfterChange { .. }
    );
    restarted.then_some(RunState::Running)
}

fn planned(old: &Report, end: &End<'_>, settings: &Settings) -> Option<Vec<PlannedChange>> {
    let desired = end.desired.filter(|desired| desired.mode == crate::api::Mode::Plan)?;
    let reason = end.verdict.reason;
    if matches!(reason, Reason::ChangesPlanned | Reason::RiskyChange) {
        return Some(mappings::planned(preview(desired, end.world, settings).changes));
    }
    if reason == Reason::NothingToChange {
        return Some(Vec::new());
    }
    old.plan.clone().filter(|_| end.verdict.standing == Standing::Passing)
}

/// The table: how things stand → Ready, Reconciling, Stalled; and what the service says → Healthy.
fn conditions(
    old: &Report,
    generation: i64,
    end: &End<'_>,
    shown: Option<&ObservedJob>,
    settings: &Settings,
    now: Timestamp,
) -> Vec<Condition> {
    let verdict = end.verdict;
    let ready_before = find(&old.conditions, ConditionType::Ready);
    let maker = Maker { old: &old.conditions, generation, now };
    let make =
        |kind: ConditionType, status: &str, reason: Reason, message: &str| maker.make(kind, status, reason, message);
    let decided = |kind: ConditionType, status: &str| {
        // The same failure keeps the trace of its first time, so that repeating it writes nothing.
        let before = find(&old.conditions, kind).filter(|before| before.status == status);
        let same = before
            .filter(|before| before.reason == verdict.reason.name() && before.message.starts_with(&verdict.message));
        make(
            kind,
            status,
            verdict.reason,
            &same.map_or_else(|| verdict.message_with_trace(), |before| before.message.clone()),
        )
    };
    let kept = |kind: ConditionType| find(&old.conditions, kind).cloned();
    let reconciling = || decided(ConditionType::Reconciling, "True");
    let stalled = || decided(ConditionType::Stalled, "True");
    let mut conditions = match verdict.standing {
        Standing::Settled => vec![decided(ConditionType::Ready, "True")],
        Standing::Working => vec![decided(ConditionType::Ready, "Unknown"), reconciling()],
        Standing::Passing => {
            let since = find(&old.conditions, ConditionType::Reconciling).map(|before| &before.last_transition_time.0);
            let lately = since.is_none_or(|since| now.duration_since(*since) < KNOWN_FOR);
            let known = |ready: &&Condition| {
                lately && ready.status != "Unknown" && ready.observed_generation == Some(generation)
            };
            vec![
                ready_before.filter(known).cloned().unwrap_or_else(|| decided(ConditionType::Ready, "Unknown")),
                reconciling(),
            ]
        }
        Standing::Blocked if !lasted(ready_before, settings, now) => {
            vec![decided(ConditionType::Ready, "False"), reconciling()]
        }
        Standing::Blocked | Standing::Stuck => vec![decided(ConditionType::Ready, "False"), stalled()],
        Standing::Suspended => {
            let ready = kept(ConditionType::Ready).unwrap_or_else(|| decided(ConditionType::Ready, "Unknown"));
            let mut all = vec![ready, decided(ConditionType::Suspended, "True")];
            all.extend(kept(ConditionType::Stalled));
            all
        }
    };
    conditions.extend(healthy(end, shown, make, || kept(ConditionType::Healthy)));
    let desired = end.desired;
    let credentials = desired.is_none_or(|desired| !desired.content.credentials.is_empty());
    let known = desired.filter(|_| credentials).and_then(|desired| secrets::condition(desired, end.world, settings));
    conditions.extend(content(ConditionType::CredentialsValid, credentials, known, make, kept));
    let mappings = desired.is_none_or(|desired| desired.mappings.is_some() && end.world.job_id.is_some());
    let known = desired.filter(|_| mappings).and_then(|desired| mappings::condition(desired, end.world, settings));
    conditions.extend(content(ConditionType::MappingsApplied, mappings, known, make, kept));
    conditions
}

/// What is known of one part of the content; nothing where none of it is declared.
fn content(
    kind: ConditionType,
    declared: bool,
    known: Option<(&'static str, Reason, String)>,
    make: impl Fn(ConditionType, &str, Reason, &str) -> Condition,
    kept: impl Fn(ConditionType) -> Option<Condition>,
) -> Option<Condition> {
    if !declared {
        return None;
    }
    match known {
        Some((status, reason, message)) => Some(make(kind, status, reason, &message)),
        None => kept(kind),
    }
}

/// What the service says of a job that a list shows; of one that is gone, nothing is known any more.
fn healthy(
    end: &End<'_>,
    shown: Option<&ObservedJob>,
    make: impl Fn(ConditionType, &str, Reason, &str) -> Condition,
    kept: impl Fn() -> Option<Condition>,
) -> Option<Condition> {
    let listed = shown.filter(|_| !end.world.from_answer);
    if let Some((desired, job)) = end.desired.zip(listed) {
        let health = health::health(job, desired, end.world);
        let status = if health.healthy { "True" } else { "False" };
        return Some(make(ConditionType::Healthy, status, health.reason, &health.message));
    }
    let lost = matches!(end.verdict.reason, Reason::JobMissing | Reason::ServicePrincipalNotFound);
    match (&end.world.job_id, lost) {
        (None, _) => None,
        (Some(_), true) => {
            Some(make(ConditionType::Healthy, "Unknown", end.verdict.reason, &end.verdict.message_with_trace()))
        }
        (Some(_), false) => kept(),
    }
}

/// Whether `Ready` has been False for longer than trouble of its kind is given.
fn lasted(ready: Option<&Condition>, settings: &Settings, now: Timestamp) -> bool {
    ready.is_some_and(|ready| {
        ready.status == "False"
            && now.duration_since(ready.last_transition_time.0).unsigned_abs() >= settings.stalled_grace
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::MappingsStatus;
    use crate::plan::common::wake::Wake;

    #[test]
    fn only_the_first_report_of_a_start_that_shows_in_a_moment_waits() {
        let new = Report { observed_generation: Some(-1), ..Report::default() };
        let known = Report { observed_generation: Some(1), ..Report::default() };
        let bare = Report::default();
        let verdict = |standing, reason, wake| Verdict::stop(standing, reason, "", wake);
        let seconds = |count| Wake::After(Duration::from_secs(count));
        let starting = |wake| verdict(Standing::Working, Reason::Starting, wake);
        assert!(
            can_wait(&new, &bare, &starting(seconds(1))) && can_wait(&Report::default(), &bare, &starting(seconds(2)))
        );
        let saved = Report { mappings: Some(MappingsStatus::default()), ..Report::default() };
        assert!(!can_wait(&new, &saved, &starting(seconds(1))), "the next process would not know of it");
        assert!(!can_wait(&known, &bare, &starting(seconds(1))), "what is shown already is another thing");
        assert!(!can_wait(&new, &bare, &starting(seconds(3))), "people wait");
        assert!(!can_wait(&new, &bare, &verdict(Standing::Working, Reason::Creating, seconds(1))));
        assert!(!can_wait(&new, &bare, &verdict(Standing::Passing, Reason::Starting, seconds(1))));
    }
}
