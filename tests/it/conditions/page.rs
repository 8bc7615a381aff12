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
/// Where these are declared, what is known of them says more than the generation.
const OF_THE_CONTENT: [ConditionType; 2] = [ConditionType::CredentialsValid, ConditionType::MappingsApplied];

pub fn page(sections: &[(&str, Vec<Row>)]) -> String {
    let mut page = INTRO.to_owned();
    for (title, rows) in sections {
        let declared = OF_THE_CONTENT.into_iter().find(|kind| rows.iter().any(|row| row.condition(*kind).is_some()));
        let head = match declared {
            Some(kind) => HEAD.replace("observed / generation", kind.name()),
            None => HEAD.to_owned(),
        };
        let _ = write!(page, "\n## {title}\n\n{head}");
        for row in rows {
            page.push_str(&line(row, declared));
        }
    }
    page
}

fn line(row: &Row, declared: Option<ConditionType>) -> String {
    let status = |kind| {
        row.condition(kind).map_or("–".to_owned(), |condition| format!("{} `{}`", condition.status, condition.reason))
    };
    let reason = |kind| row.condition(kind).map_or("–".to_owned(), |condition| format!("`{}`", condition.reason));
    let observed = row.story.status().report.observed_generation.unwrap_or(-1);
    let sixth = declared.map_or_else(|| format!("{observed} / {}", row.story.generation()), status);
    format!(
        "| {} | {} | {} | {} | {} | {sixth} | {} | {} | {} |\n",
        row.title,
        status(ConditionType::Ready),
        reason(ConditionType::Reconciling),
        reason(ConditionType::Stalled),
        status(ConditionType::Healthy),
        row.kstatus,
        row.argo.status,
        messages(row, declared).replace('|', "\\|"),
    )
}

/// Where the content is not known to be good although the job is as declared, that message says more.
fn messages(row: &Row, declared: Option<ConditionType>) -> String {
    let ready = row.condition(ConditionType::Ready).is_some_and(|ready| ready.status == "True");
    let content = declared.and_then(|kind| row.condition(kind));
    match content.filter(|content| ready && content.status != "True") {
        Some(content) => format!("{} {}: {}", message(row), content.type_, content.message),
        None => message(row).to_owned(),
    }
}

/// What Argo CD shows; of an object that is being deleted it shows nothing but that.
fn message(row: &Row) -> &str {
    let ready = row.condition(ConditionType::Ready).filter(|_| row.kstatus == "Terminating");
    ready.map_or(row.argo.message.as_str(), |ready| ready.message.as_str())
}
