//! The plan as people read it in a pull request. SyncJobs without changes or remarks are only counted.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::document::{Document, Item, Remark, Summary};
use crate::api::{ChangeAction, PlannedChange};

const CREATE: (char, AnsiColor) = ('+', AnsiColor::Green);
const CHANGE: (char, AnsiColor) = ('~', AnsiColor::Yellow);
const REMOVE: (char, AnsiColor) = ('-', AnsiColor::Red);
const BLOCKED: (char, AnsiColor) = ('!', AnsiColor::Red);
const NOTE: (char, AnsiColor) = ('=', AnsiColor::Cyan);

type Mark = (char, AnsiColor);

/// With colours, which the caller strips where they do not belong.
pub fn render(document: &Document) -> String {
    let mut out = String::new();
    for item in &document.items {
        if let Some(mark) = mark_of(item) {
            block(&mut out, mark, item);
        }
    }
    let bold = Style::new().bold();
    line(&mut out, &format!("{bold}Plan:{bold:#} {}", summary(&document.summary)));
    out
}

fn mark_of(item: &Item) -> Option<Mark> {
    if item.blocked.is_some() {
        Some(BLOCKED)
    } else if let Some(first) = item.changes.first() {
        Some(mark(first))
    } else {
        item.note.as_ref().map(|_| NOTE)
    }
}

fn mark(change: &PlannedChange) -> Mark {
    match change.action {
        ChangeAction::CreateJob => CREATE,
        ChangeAction::ForgetJob | ChangeAction::DeleteJob => REMOVE,
        ChangeAction::AdoptJob
        | ChangeAction::StartJob
        | ChangeAction::PauseJob
        | ChangeAction::RestartJob
        | ChangeAction::SaveCredentials
        | ChangeAction::SaveMappings => CHANGE,
    }
}

fn block(out: &mut String, mark_of_item: Mark, item: &Item) {
    let bold = Style::new().bold();
    let name = format!("{bold}{}{bold:#} ({})", item.full_name(), item.source);
    line(out, &format!("{} {name}", coloured(mark_of_item)));
    if let Some(id) = &item.job_id {
        let assumed =
            if item.assumed { ", assumed to be its own: the manifest has no status that names it" } else { "" };
        line(out, &format!("    job {}{assumed}", plain(id)));
    }
    for change in &item.changes {
        line(out, &format!("    {} {}", coloured(mark(change)), plain(&change.message)));
    }
    let remarks = [(BLOCKED, &item.blocked), (NOTE, &item.note)];
    for (mark, Remark { reason, message }) in
        remarks.into_iter().filter_map(|(mark, remark)| Some((mark, remark.as_ref()?)))
    {
        line(out, &format!("    {} {reason}: {}", coloured(mark), plain(message)));
    }
    line(out, "");
}

fn summary(summary: &Summary) -> String {
    let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let changes = if summary.changes == 0 {
        "no changes".to_owned()
    } else {
        format!(
            "{} in {}",
            count(summary.changes, "change", "changes"),
            count(summary.changed_sync_jobs, "SyncJob", "SyncJobs")
        )
    };
    let blocked = match summary.blocked_sync_jobs {
        0 => String::new(),
        blocked => format!(", {blocked} cannot be planned"),
    };
    format!("{changes}, {} unchanged{blocked}.", summary.unchanged_sync_jobs)
}

fn coloured((mark, colour): Mark) -> String {
    let style = colour.on_default();
    format!("{style}{mark}{style:#}")
}

/// Ids come from the tenant and from proposed manifests; none of them may send control characters to a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn line(out: &mut String, text: &str) {
    // Writing into a String does not fail.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_in_words() {
        let text = |changes, changed, unchanged, blocked| {
            summary(&Summary {
                changes,
                changed_sync_jobs: changed,
                unchanged_sync_jobs: unchanged,
                blocked_sync_jobs: blocked,
            })
        };
        assert_eq!(text(3, 2, 40, 1), "3 changes in 2 SyncJobs, 40 unchanged, 1 cannot be planned.");
        assert_eq!(text(1, 1, 0, 0), "1 change in 1 SyncJob, 0 unchanged.");
        assert_eq!(text(0, 0, 7, 0), "no changes, 7 unchanged.");
    }
}
