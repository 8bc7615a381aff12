//! What one cycle finds and does (CONTRACT §3.9, §4.4, §4.5).

use super::catalog::Template;
use super::{notifications, render, scope, target};
use crate::graph::model::job::{Counts, Job, Outcome, Reason, Trouble};
use crate::graph::model::settings::{DeletionGuard, DeletionGuardReach, InboundWithoutNotifications, Settings};
use crate::graph::model::tenant::ServicePrincipal;

/// What a cycle came to.
#[derive(Clone, Debug, Default)]
pub struct CycleResult {
    pub state: Outcome,
    pub counts: Counts,
    /// Entries that left the target, because they are out of scope.
    pub left: u64,
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
    if let Some(cause) = target::cause(template, &principal.target, &principal.secrets, settings) {
        let trouble = target::in_cycle(template, &principal.target, cause, settings);
        return Some((Reason::EncounteredQuarantineException, trouble));
    }
    let silent = template.factory_tag == "API2AAD" && !notifications::reach_somebody(&principal.secrets);
    if silent && settings.inbound_without_notifications == InboundWithoutNotifications::Quarantines {
        let trouble = Trouble::new("InvalidNotificationSettings", "The notification settings name nobody.");
        return Some((Reason::EncounteredQuarantineException, trouble));
    }
    let left = match settings.deletion_guard_reach {
        DeletionGuardReach::ScopeToo => scope::of(job, principal, template, settings).left,
        DeletionGuardReach::DeletionsOnly => 0,
    };
    let deletes = principal.target.pending_deletes + left;
    let threshold = threshold(job, principal, template, settings)?;
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
pub fn counts(job: &Job, principal: &ServicePrincipal, template: &Template, settings: &Settings) -> Counts {
    let (target, scope) = (&principal.target, scope::of(job, principal, template, settings));
    let entries = if job.initial { scope.entitled } else { target.changes + scope.joined };
    let all = entries + target.pending_deletes + scope.left;
    Counts { entitled: scope.entitled, escrowed: target.escrows, escrowed_raw: None, exported: all, imported: all }
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
    let counts = counts(job, principal, template, settings);
    let scope = scope::of(job, principal, template, settings);
    job.everybody = Some(scope.everybody);
    job.holds_everybody = scope.everybody;
    job.force_deletes = false;
    principal.target.pending_deletes = 0;
    CycleResult {
        counts,
        left: scope.left,
        groups: principal.target.groups,
        escrows_pruned: job.initial && principal.target.escrows_pruned,
        ..CycleResult::default()
    }
}
