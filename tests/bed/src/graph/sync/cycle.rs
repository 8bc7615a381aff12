//! What one cycle finds and does (CONTRACT §3.9, §4.4, §4.5).

use super::catalog::Template;
use super::{credentials, notifications, render};
use crate::graph::model::job::{Counts, Job, Outcome, Reason, Trouble};
use crate::graph::model::settings::{DeletionGuard, Settings};
use crate::graph::model::tenant::ServicePrincipal;

/// What a cycle came to.
#[derive(Clone, Debug, Default)]
pub struct CycleResult {
    pub state: Outcome,
    pub counts: Counts,
    /// Groups in the target after it.
    pub groups: u64,
    pub error: Option<Trouble>,
    pub reason: Reason,
    /// Of an initial cycle: entries in error were dropped.
    pub escrows_pruned: bool,
}

/// What keeps a cycle from its work.
pub fn obstacle(
    job: &Job,
    principal: &ServicePrincipal,
    template: &Template,
    settings: &Settings,
) -> Option<(Reason, Trouble)> {
    let verdict = credentials::verdict(template, &principal.target, &principal.secrets);
    if let Some(trouble) = verdict {
        return Some((Reason::EncounteredQuarantineException, trouble));
    }
    let (deletes, threshold) = (principal.target.pending_deletes, threshold(job, principal, template, settings)?);
    (deletes >= threshold && !job.force_deletes).then(|| {
        let text = format!("{deletes} deletions reach the threshold of {threshold}.");
        (Reason::TooManyDeletes, Trouble::new("TooManyDeletes", &text))
    })
}

/// The number of deletions from which on the guard holds them back; none where it is off.
fn threshold(job: &Job, principal: &ServicePrincipal, template: &Template, settings: &Settings) -> Option<u64> {
    let (enabled, number) = notifications::deletion_guard(&principal.secrets);
    let on = match settings.deletion_guard {
        DeletionGuard::DeleteThresholdEnabled => enabled == Some(true),
        DeletionGuard::UnlessDisabled => enabled != Some(false),
    };
    on.then(|| number.or_else(|| job_threshold(job, template)).unwrap_or(settings.delete_threshold_default))
}

/// The threshold among the settings of the job.
fn job_threshold(job: &Job, template: &Template) -> Option<u64> {
    let all = render::job_settings(job, template);
    let found = all.as_array()?.iter().find(|setting| setting["name"] == "QuarantineTooManyDeletesThreshold")?;
    found["value"].as_str()?.parse().ok()
}

/// What a cycle of this job comes to that nothing keeps from its work.
pub fn counts(job: &Job, principal: &ServicePrincipal) -> Counts {
    let target = &principal.target;
    let entries = if job.initial { target.entries } else { target.changes };
    Counts {
        entitled: target.entries,
        escrowed: target.escrows,
        escrowed_raw: None,
        exported: entries + target.pending_deletes,
        imported: entries + target.pending_deletes,
    }
}

/// What a cycle comes to as the target has it.
pub fn outcome(
    job: &mut Job,
    principal: &mut ServicePrincipal,
    template: &Template,
    settings: &Settings,
) -> CycleResult {
    if let Some((reason, error)) = obstacle(job, principal, template, settings) {
        return CycleResult { state: Outcome::Failed, error: Some(error), reason, ..CycleResult::default() };
    }
    let counts = counts(job, principal);
    job.force_deletes = false;
    principal.target.pending_deletes = 0;
    CycleResult {
        counts,
        groups: principal.target.groups,
        escrows_pruned: job.initial && principal.target.escrows_pruned,
        ..CycleResult::default()
    }
}
