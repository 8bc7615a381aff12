//! What changes, one line for each attribute, for people and for `--output json`.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{items, member, text};
use super::expression::{Forms, text_of};
use super::meaning::{flag, flow_types, names, number, same, same_definition};
use super::path::{Member, Subject};

/// How many characters of a value a line shows.
const SHOWN: usize = 200;
/// How a value is shown that is not there.
const NONE: &str = "(none)";

/// How one subject changes.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub subject: Subject,
    pub values: Vec<Changed>,
}

/// How one member of it changes. The values are whole here; only the text for people is cut.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    pub member: Member,
    pub before: String,
    pub after: String,
}

impl Line {
    /// How a subject differs between two schemas; none if it means the same in both.
    pub(super) fn between(
        subject: &Subject,
        before: Option<&Value>,
        after: Option<&Value>,
        forms: &Forms,
    ) -> Option<Self> {
        let values = match (before, after) {
            (Some(one), Some(other)) if matches!(subject, Subject::Definition { .. }) => {
                let changed = !same_definition(one, other);
                changed.then(|| Changed::new(Member::Existence, before, after)).into_iter().collect()
            }
            (Some(_), None) => vec![Changed::new(Member::Existence, before, None)],
            (_, Some(_)) => {
                let values = members_between(subject, before, after, forms);
                let added = before.is_none() && values.is_empty();
                if added { vec![Changed::new(Member::Existence, None, after)] } else { values }
            }
            (None, None) => Vec::new(),
        };
        (!values.is_empty()).then(|| Self { subject: subject.clone(), values })
    }

    /// One value of it alone.
    pub(super) fn of(subject: &Subject, member: Member, before: Option<&Value>, after: Option<&Value>) -> Self {
        Self { subject: subject.clone(), values: vec![Changed::new(member, before, after)] }
    }
}

impl Changed {
    fn new(member: Member, before: Option<&Value>, after: Option<&Value>) -> Self {
        Self { member, before: shown(member, before), after: shown(member, after) }
    }
}

fn members_between(subject: &Subject, before: Option<&Value>, after: Option<&Value>, forms: &Forms) -> Vec<Changed> {
    let changed = |part: &Member| {
        let of = |whole: Option<&Value>| whole.and_then(|whole| member(whole, *part)).cloned();
        let (one, other) = (of(before), of(after));
        let differs = !same(*part, one.as_ref(), other.as_ref(), forms);
        differs.then(|| Changed::new(*part, one.as_ref(), other.as_ref()))
    };
    subject.members().iter().filter_map(changed).collect()
}

/// The lines of one subject become one.
pub(super) fn joined(lines: Vec<Line>) -> Vec<Line> {
    let mut joined: Vec<Line> = Vec::new();
    for line in lines {
        match joined.iter_mut().find(|known| known.subject == line.subject) {
            Some(known) => known.values.extend(line.values),
            None => joined.push(line),
        }
    }
    joined
}

fn shown(member: Member, value: Option<&Value>) -> String {
    let listed = |words: Vec<&str>| if words.is_empty() { NONE.to_owned() } else { words.join(", ") };
    match member {
        Member::Existence => existence(value),
        Member::Source => text_of(value).unwrap_or_else(|| NONE.to_owned()),
        Member::DefaultValue => match value.and_then(Value::as_str) {
            Some(text) if !text.is_empty() => format!("'{text}'"),
            _ => NONE.to_owned(),
        },
        Member::MatchingPriority => number(value).to_string(),
        Member::FlowType => value.and_then(Value::as_str).unwrap_or("Always").to_owned(),
        Member::FlowBehavior => value.and_then(Value::as_str).unwrap_or("FlowWhenChanged").to_owned(),
        Member::Enabled => flag(value).to_string(),
        Member::FlowTypes => listed(flow_types(value)),
        Member::ContainerFilter | Member::GroupFilter => listed(names(value)),
        Member::Scope => scope(value),
    }
}

/// A whole attribute mapping shows its source, and a definition its type and what it is.
fn existence(value: Option<&Value>) -> String {
    let Some(whole) = value else { return NONE.to_owned() };
    let kind = text(whole, "type");
    if kind.is_empty() {
        return text_of(whole.get("source")).unwrap_or_else(|| "(no source)".to_owned());
    }
    let flags = ["multivalued", "required", "caseExact"].into_iter().filter(|name| flag(whole.get(*name)));
    [kind].into_iter().chain(flags).collect::<Vec<_>>().join(", ")
}

/// Groups as people read them: all clauses of one must hold.
fn scope(value: Option<&Value>) -> String {
    let groups = value.and_then(Value::as_array).into_iter().flatten();
    let groups: Vec<String> = groups.map(|group| format!("{}: {}", text(group, "name"), group_text(group))).collect();
    if groups.is_empty() { NONE.to_owned() } else { groups.join(" | ") }
}

fn group_text(group: &Value) -> String {
    let clause = |clause: &Value| {
        let values = names(clause.get("targetOperand").and_then(|operand| operand.get("values")));
        let words = [text(clause, "sourceOperandName"), text(clause, "operatorName"), &values.join(", ")];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    };
    items(group, "clauses").map(clause).collect::<Vec<_>>().join(" & ")
}

fn cut(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, changed) in self.values.iter().enumerate() {
            let (before, after) = (cut(&changed.before), cut(&changed.after));
            let separator = if at > 0 { ";" } else { "" };
            match (changed.member.names().first(), at) {
                (None | Some(&"source"), 0) => write!(f, "{}: {before} → {after}", self.subject)?,
                (None | Some(&"source"), _) => write!(f, "{separator} {before} → {after}")?,
                (Some(name), 0) => write!(f, "{}, {name}: {before} → {after}", self.subject)?,
                (Some(name), _) => write!(f, "{separator} {name}: {before} → {after}")?,
            }
        }
        Ok(())
    }
}

/// What confirms exactly these changes: ten hexadecimal digits that do not depend on their order.
pub fn confirmation(changes: &[Line]) -> String {
    let mut lines: Vec<&Line> = changes.iter().collect();
    lines.sort();
    short_hash(&lines)
}

/// Ten hexadecimal digits of the hash of some JSON.
pub(super) fn short_hash(content: &impl Serialize) -> String {
    let text = serde_json::to_string(content).unwrap_or_default();
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().take(5).fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"))
}
