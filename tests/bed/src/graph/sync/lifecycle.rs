//! The life of a job on the virtual clock: cycles, quarantine, the end after 28 days (graph-api §4.3 to §4.5).

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::actions::Scope;
use super::catalog::{self, Template};
use super::{credentials, secrets};
use crate::graph::model::clock::{after, seconds};
use crate::graph::model::job::{
    Code, Counts, Execution, Job, Outcome, Quarantine, Reason, Running, ScheduleState, Trouble,
};
use crate::graph::model::settings::{PauseLeaves, PauseTakesEffect, Settings};
use crate::graph::model::tenant::{ServicePrincipal, Tenant};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const DISABLED_AFTER: SignedDuration = SignedDuration::from_hours(28 * 24);
const PURGED_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A cycle that cannot reach its target ends soon.
const FAILING_CYCLE: SignedDuration = SignedDuration::from_secs(2);
/// Where neither notification settings nor job settings name one.
const DELETES_MAX: u64 = 500;

enum Event {
    CycleBegins,
    CycleEnds(Running),
    Disabled,
}

/// What a cycle came to.
#[derive(Clone, Debug, Default)]
pub struct CycleResult {
    pub state: Outcome,
    pub counts: Counts,
    pub error: Option<Trouble>,
    pub reason: Reason,
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
            let length = if obstacle(job, principal, template).is_some() {
                FAILING_CYCLE
            } else if job.initial {
                seconds(settings.initial_cycle_seconds)
            } else {
                seconds(settings.incremental_cycle_seconds)
            };
            job.running = Some(Running { began: at, ends: after(at, length) });
        }
        Event::CycleEnds(running) => {
            let result = outcome(job, principal, template);
            conclude(job, settings, template, *running, &result);
        }
        Event::Disabled => {
            job.next_cycle = None;
            job.running = None;
            job.change(at, |state| state.schedule = ScheduleState::Disabled);
        }
    }
}

/// What keeps a cycle from its work.
fn obstacle(job: &Job, principal: &ServicePrincipal, template: &Template) -> Option<(Reason, Trouble)> {
    let verdict = credentials::verdict(template, &principal.target, &principal.secrets);
    if let Some(trouble) = verdict {
        return Some((Reason::EncounteredQuarantineException, trouble));
    }
    let most = secrets::delete_threshold(&principal.secrets).unwrap_or(DELETES_MAX);
    let held = principal.target.pending_deletes > most && !job.force_deletes;
    held.then(|| {
        let text = format!("{} deletions exceed the threshold of {most}.", principal.target.pending_deletes);
        (Reason::TooManyDeletes, Trouble::new("TooManyDeletes", &text))
    })
}

/// What a cycle comes to as the target has it.
pub fn outcome(job: &mut Job, principal: &mut ServicePrincipal, template: &Template) -> CycleResult {
    if let Some((reason, error)) = obstacle(job, principal, template) {
        return CycleResult { state: Outcome::Failed, counts: Counts::default(), error: Some(error), reason };
    }
    job.force_deletes = false;
    let deletes = std::mem::take(&mut principal.target.pending_deletes);
    let entries = if job.initial { principal.target.entries } else { 0 };
    let counts = Counts {
        entitled: principal.target.entries,
        escrowed: 0,
        exported: entries + deletes,
        imported: entries + deletes,
    };
    CycleResult { state: Outcome::Succeeded, counts, ..CycleResult::default() }
}

/// Ends a cycle with a result: history, quarantine, the next cycle, a pause that waited.
pub fn conclude(job: &mut Job, settings: &Settings, template: &Template, cycle: Running, result: &CycleResult) {
    let at = cycle.ends;
    let execution = Execution {
        activity: Uuid::new_v4().to_string(),
        state: result.state,
        began: cycle.began,
        ended: cycle.ends,
        counts: result.counts,
        error: result.error.clone(),
    };
    job.running = None;
    let mut next = after(cycle.began, seconds(template.interval.seconds())).max(at);
    if result.state == Outcome::Failed {
        let count = job.now().quarantine.as_ref().map_or(0, |quarantine| quarantine.series_count + 1);
        next = after(at, retry_after(count));
        job.change(at, |state| {
            state.successive_failures += 1;
            state.code = Code::Quarantine;
            let began = state.quarantine.as_ref().map_or(at, |quarantine| quarantine.series_began);
            state.quarantine = Some(Quarantine {
                current_began: at,
                next_attempt: next,
                reason: result.reason,
                series_began: began,
                series_count: count,
                error: result.error.clone(),
            });
            state.last_execution = Some(execution);
        });
    } else {
        let initial = job.initial;
        job.initial = false;
        job.change(at, |state| {
            state.successive_failures = 0;
            state.code = Code::Active;
            state.quarantine = None;
            state.steady_first = state.steady_first.or(Some(at));
            state.steady_last = Some(at);
            state.synchronized =
                if initial { result.counts.entitled } else { state.synchronized.max(result.counts.entitled) };
            if result.counts.exported > 0 {
                state.last_successful_with_exports = Some(execution.clone());
            }
            state.last_successful = Some(execution.clone());
            state.last_execution = Some(execution);
        });
    }
    if job.pausing {
        stop(job, settings, at);
    } else if job.is_active() {
        job.next_cycle = Some(next);
    }
}

/// Retries thin out: 6, 12, 24 hours, then daily.
pub fn retry_after(series_count: u64) -> SignedDuration {
    match series_count {
        0 => SignedDuration::from_hours(6),
        1 => SignedDuration::from_hours(12),
        _ => DAY,
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

fn stop(job: &mut Job, settings: &Settings, at: Timestamp) {
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
        state.quarantine = None;
    });
}

pub fn restart(job: &mut Job, settings: &Settings, scope: Scope, now: Timestamp) {
    job.pausing = false;
    job.force_deletes = scope.has("ForceDeletes");
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
