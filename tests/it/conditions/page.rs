//! The table as a page.

use std::fmt::Write as _;

use entrain::api::ConditionType;

use super::Row;

pub const PATH: &str = "docs/reference/conditions.md";
const INTRO: &str = include_str!("intro.md");
const HEAD: &str = "\
| State | Ready | Reconciling | Stalled | Healthy | observed / generation | kstatus | Argo CD | Message |
|---|---|---|---|---|---|---|---|---|
";

pub fn page(sections: &[(&str, Vec<Row>)]) -> String {
    let mut page = INTRO.to_owned();
    for (title, rows) in sections {
        let _ = write!(page, "\n## {title}\n\n{HEAD}");
        for row in rows {
            page.push_str(&line(row));
        }
    }
    page
}

fn line(row: &Row) -> String {
    let status = |kind| {
        row.condition(kind).map_or("–".to_owned(), |condition| format!("{} `{}`", condition.status, condition.reason))
    };
    let reason = |kind| row.condition(kind).map_or("–".to_owned(), |condition| format!("`{}`", condition.reason));
    let observed = row.story.status().report.observed_generation.unwrap_or(-1);
    format!(
        "| {} | {} | {} | {} | {} | {observed} / {} | {} | {} | {} |\n",
        row.title,
        status(ConditionType::Ready),
        reason(ConditionType::Reconciling),
        reason(ConditionType::Stalled),
        status(ConditionType::Healthy),
        row.story.generation(),
        row.kstatus,
        row.argo.status,
        message(row).replace('|', "\\|"),
    )
}

/// What Argo CD shows; of an object that is being deleted it shows nothing but that.
fn message(row: &Row) -> &str {
    let ready = row.condition(ConditionType::Ready).filter(|_| row.kstatus == "Terminating");
    ready.map_or(row.argo.message.as_str(), |ready| ready.message.as_str())
}
