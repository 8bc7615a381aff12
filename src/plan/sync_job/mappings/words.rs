//! Messages about mappings.

use super::Difference;
use crate::api::{ChangeAction, PlannedChange};

pub(super) const READING: &str = "Reading the schema of the job.";
pub(super) const SAVING: &str = "Saving the mappings of the job.";
pub(super) const NOT_SHOWN_YET: &str = "Graph accepted the mappings and does not show them everywhere yet.";

/// How many lines a message has.
const LINES_IN_MESSAGE: usize = 5;
/// How many entries a plan in status has.
const LINES_IN_PLAN: usize = 40;
/// Longest line in status, in bytes.
const LINE_MAX: usize = 240;

/// A plan for status: as many values of the schema as status has room for, and the count of the rest.
pub(in crate::plan) fn planned(changes: Vec<PlannedChange>) -> Vec<PlannedChange> {
    let of_mappings = |change: &PlannedChange| change.action == ChangeAction::SaveMappings;
    let all = changes.iter().filter(|change| of_mappings(change)).count();
    let room = if all > LINES_IN_PLAN { LINES_IN_PLAN - 1 } else { all };
    let mut left = room;
    let mut shown: Vec<PlannedChange> = Vec::new();
    for change in changes {
        if !of_mappings(&change) {
            shown.push(change);
        } else if left > 0 {
            left -= 1;
            shown.push(PlannedChange { message: short(&change.message).to_owned(), ..change });
        }
    }
    if all > room {
        let message = format!("… and {} more values; `entrain plan` shows all of them.", all - room);
        shown.push(PlannedChange { action: ChangeAction::SaveMappings, message });
    }
    shown
}

pub(super) fn short(line: &str) -> &str {
    &line[..line.floor_char_boundary(LINE_MAX)]
}

fn listed(lines: &[String]) -> String {
    let shown: Vec<&str> = lines.iter().take(LINES_IN_MESSAGE).map(|line| short(line)).collect();
    let rest = lines.len().saturating_sub(LINES_IN_MESSAGE);
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    format!("{}{more}", shown.join("; "))
}

pub(super) fn faulty(messages: &[String]) -> String {
    format!("{} Nothing of `spec.mappings` is saved until all of it is right.", messages.join(" "))
}

pub(super) fn tests_failed(messages: &[String]) -> String {
    format!("{} Nothing of `spec.mappings` is saved while a test fails.", messages.join(" "))
}

pub(super) fn drifted(drifted: &[String]) -> String {
    format!(
        "Somebody changed mappings of this SyncJob outside of it, or the service keeps them in another way, and they are left as they are: {}.",
        listed(drifted)
    )
}

pub(super) fn corrected_lately(lines: &[String]) -> String {
    format!(
        "Less than an hour after they were saved, Graph shows other mappings: {}. They are corrected at most once an hour; find out who else changes them.",
        listed(lines)
    )
}

pub(super) fn pending(lines: &[String]) -> String {
    format!(
        "The schema was saved less than ten minutes ago, or may have been, and each save has the service evaluate all accounts again. This waits to be saved: {}.",
        listed(lines)
    )
}

pub(super) fn risky(difference: &Difference) -> String {
    format!(
        "This change can deprovision people: {}. Nothing is saved. Set `spec.deleteThreshold` so that the service stops at that many deletions, or confirm exactly this change with the annotation `entrain.dev/confirm: {}`. It would change: {}.",
        difference.risks.join("; "),
        difference.confirmation,
        listed(&difference.lines)
    )
}

pub(super) fn refused(refusal: &str) -> String {
    format!("{refusal} The schema stays as it was.")
}

pub(super) fn in_place(owned: usize) -> String {
    let values = if owned == 1 { "value" } else { "values" };
    format!("The schema of the job is as declared ({owned} {values}).")
}
