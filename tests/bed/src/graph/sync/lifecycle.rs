//! The life of a job on the virtual clock: cycles, quarantine, the end after 28 days (CONTRACT §4.3 to §4.5).

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::actions::Scope;
use super::catalog::{self, Template};
use super::cycle::{self, CycleResult};
use crate::graph::model::clock::{after, seconds};
use crate::graph::model::job::{Code, Counts, Execution, Job, Outcome, Quarantine, Running, ScheduleState};
use crate::graph::model::settings::{PauseLeaves, PauseTakesEffect, PausedQuarantine, QuarantineRetries, Settings};
use crate::graph::model::tenant::{ServicePrincipal, Tenant};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const DISABLED_AFTER: SignedDuration = SignedDuration::from_hours(28 * 24);
const PURGED_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A cycle that cannot reach its target ends soon.
const FAILING_CYCLE: SignedDuration = SignedDuration::from_secs(2);
/// A quarantine is imposed shortly before the execution that led to it ends.
const IMPOSED_BEFORE_END: SignedDuration = SignedDuration::from_millis(-60);

enum Event {
    CycleBegins,
    CycleEnds(Running),
    Disabled,
}

/// Lets everything happen that is due.
pub fn settle(tenant: &mut Tenant, now: Timestamp) {
    let purged = |found: &ServicePrincipal| found.deleted.is_some_and(|at| now.duration_since(at) >= PURGED_AFTER);
    tenant.service_principals.retain(|_, found| !purged(found));
    let ids: Vec<String> = tenant.service_principals.keys().cloned().collect();
    for id in ids {
        let due = |found: &ServicePrincipal| {
            found.deleted.is_none() && found.jobs.iter().any(|job| next_event(job, now).is_some())
        };
        if !tenant.service_principals.get(&id).is_some_and(due) {
            continue;
        }
        let Some(mut principal) = tenant.service_principals.remove(&id) else { continue };
        let mut jobs = std::mem::take(&mut principal.jobs);
        for job in &mut jobs {
            let template = catalog::template(tenant, &job.template_id);
            while let Some((at, event)) = next_event(job, now) {
                happen(job, &mut principal, &tenant.settings, &template, at, &event);
            }
        }
        principal.jobs = jobs;
        tenant.service_principals.insert(id, principal);
    }
}

/// The earliest thing that is due.
fn next_event(job: &Job, now: Timestamp) -> Option<(Timestamp, Event)> {
    if !job.is_live() {
        return None;
    }
    let ends = job.running.map(|running| (running.ends, Event::CycleEnds(running)));
    let begins = job.next_cycle.filter(|_| job.running.is_none()).map(|at| (at, Event::CycleBegins));
    let quarantine = job.now().quarantine.as_ref().filter(|_| job.is_active());
    let disabled = quarantine.map(|quarantine| (after(quarantine.series_began, DISABLED_AFTER), Event::Disabled));
    [ends, begins, disabled].into_iter().flatten().filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at)
}

fn happen(
    job: &mut Job,
    principal: &mut ServicePrincipal,
    settings: &Settings,
    template: &Template,
    at: Timestamp,
    event: &Event,
) {
    match event {
        Event::CycleBegins => {
            job.next_cycle = None;
            let (length, expected) = match cycle::obstacle(job, principal, template, settings) {
                Some(_) => (FAILING_CYCLE, Counts::default()),
                None if job.initial => {
                    (seconds(settings.initial_cycle_seconds), cycle::counts(job, principal, template, settings))
                }
                None => {
                    (seconds(settings.incremental_cycle_seconds), cycle::counts(job, principal, template, settings))
                }
            };
            let (activity, ends) = (Uuid::new_v4(), after(at, length));
            job.running = Some(Running { activity, began: at, ends, initial: job.initial, expected });
        }
        Event::CycleEnds(running) => {
            let result = cycle::outcome(job, principal, template, settings);
            conclude(job, settings, template, *running, &result);
        }
        Event::Disabled => {
            job.next_cycle = None;
            job.running = None;
            job.change(at, |state| state.schedule = ScheduleState::Disabled);
        }
    }
}

/// Ends a cycle with a result: history, quarantine, the next cycle, a pause that waited.
pub fn conclude(job: &mut Job, settings: &Settings, template: &Template, cycle: Running, result: &CycleResult) {
    let at = cycle.ends;
    let execution = Execution {
        activity: cycle.activity.to_string(),
        state: result.state,
        began: cycle.began,
        ended: cycle.ends,
        counts: result.counts,
        error: result.error.clone(),
    };
    job.running = None;
    let next = if result.state == Outcome::Failed {
        fail(job, settings, result, execution)
    } else {
        succeed(job, result, execution);
        after(cycle.began, seconds(template.interval.seconds())).max(at)
    };
    if job.pausing || job.now().escrows_pruned {
        stop(job, settings, at);
    } else if job.is_active() {
        job.next_cycle = Some(next);
    }
}

/// Returns the time of the next attempt.
fn fail(job: &mut Job, settings: &Settings, result: &CycleResult, execution: Execution) -> Timestamp {
    let (at, imposed) = (execution.ended, after(execution.ended, IMPOSED_BEFORE_END));
    let count = job.now().quarantine.as_ref().map_or(1, |quarantine| quarantine.series_count + 1);
    let next = after(imposed, retry_after(settings.quarantine_retries, count));
    job.change(at, |state| {
        state.successive_failures += 1;
        state.code = Code::Quarantine;
        let began = state.quarantine.as_ref().map_or(imposed, |quarantine| quarantine.series_began);
        state.quarantine = Some(Quarantine {
            current_began: imposed,
            next_attempt: next,
            reason: result.reason,
            series_began: began,
            series_count: count,
            error: result.error.clone(),
        });
        state.last_execution = Some(execution);
    });
    next
}

fn succeed(job: &mut Job, result: &CycleResult, execution: Execution) {
    let initial = std::mem::replace(&mut job.initial, false);
    let at = execution.ended;
    job.change(at, |state| {
        state.successive_failures = 0;
        state.code = Code::Active;
        state.quarantine = None;
        state.steady_first = state.steady_first.or(Some(at));
        state.steady_last = Some(at);
        state.escrows_pruned = initial && result.escrows_pruned;
        let kept = |before: u64| if initial { 0 } else { before };
        state.synchronized = kept(state.synchronized).saturating_sub(result.left).max(result.counts.entitled);
        state.synchronized_groups = kept(state.synchronized_groups).max(result.groups);
        if result.counts.exported > 0 {
            state.last_successful_with_exports = Some(execution.clone());
        }
        state.last_successful = Some(execution.clone());
        state.last_execution = Some(execution);
    });
}

/// Retries thin out to once a day; the first quarantine of a series has the count 1.
pub fn retry_after(first: QuarantineRetries, series_count: u64) -> SignedDuration {
    let later = [SignedDuration::from_hours(6), SignedDuration::from_hours(12)];
    let nth = |index: u64| usize::try_from(index).ok().and_then(|index| later.get(index)).copied().unwrap_or(DAY);
    match (first, series_count) {
        (QuarantineRetries::FiveMinutes, 0 | 1) => SignedDuration::from_mins(5),
        (QuarantineRetries::FiveMinutes, count) => nth(count - 2),
        (QuarantineRetries::SixHours, count) => nth(count.saturating_sub(1)),
    }
}

pub fn start(job: &mut Job, settings: &Settings, now: Timestamp) {
    if job.pausing {
        job.pausing = false;
        return;
    }
    job.next_cycle = Some(after(now, seconds(settings.cycle_start_delay_seconds)));
    job.change(now, |state| {
        state.schedule = ScheduleState::Active;
        state.code = if state.last_execution.is_some() { Code::Active } else { Code::NotRun };
        state.quarantine = None;
        state.started = true;
    });
}

/// A cycle in flight runs to its end; whether the job says so meanwhile is a switch.
pub fn pause(job: &mut Job, settings: &Settings, now: Timestamp) {
    if job.running.is_some() && settings.pause_takes_effect == PauseTakesEffect::AfterCycle {
        job.pausing = true;
    } else {
        stop(job, settings, now);
    }
}

/// Stops a job at once, as a pause leaves it.
pub fn stop(job: &mut Job, settings: &Settings, at: Timestamp) {
    job.pausing = false;
    job.running = None;
    job.next_cycle = None;
    let schedule = match settings.pause_leaves {
        PauseLeaves::Paused => ScheduleState::Paused,
        PauseLeaves::Disabled => ScheduleState::Disabled,
    };
    job.change(at, |state| {
        state.schedule = schedule;
        state.code = Code::Paused;
        if settings.paused_quarantine == PausedQuarantine::Cleared {
            state.quarantine = None;
        }
    });
}

pub fn restart(job: &mut Job, settings: &Settings, scope: Scope, now: Timestamp) {
    job.pausing = false;
    job.force_deletes = scope.has("ForceDeletes");
    job.everybody = None;
    job.running = None;
    job.next_cycle = Some(after(now, seconds(settings.cycle_start_delay_seconds)));
    let from_start = scope.has("Watermark");
    job.initial |= from_start;
    job.change(now, |state| {
        state.schedule = ScheduleState::Active;
        state.started = true;
        if scope.has("QuarantineState") {
            state.quarantine = None;
        }
        if scope.has("Escrows") {
            state.escrows_pruned = false;
            state.successive_failures = 0;
        }
        if from_start {
            state.steady_first = None;
            state.steady_last = None;
        }
        let ran = state.last_execution.is_some() && !from_start;
        state.code = match (&state.quarantine, ran) {
            (Some(_), _) => Code::Quarantine,
            (None, true) => Code::Active,
            (None, false) => Code::NotRun,
        };
    });
}

/// A change of mappings makes a live job read everything again.
pub fn begin_anew(job: &mut Job, settings: &Settings, now: Timestamp) {
    job.initial = true;
    if job.is_active() {
        job.running = None;
        job.next_cycle = Some(after(now, seconds(settings.cycle_start_delay_seconds)));
        job.change(now, |state| {
            state.steady_first = None;
            state.steady_last = None;
            if state.quarantine.is_none() {
                state.code = Code::NotRun;
            }
        });
    }
}
