//! What of a wish cannot be right, whatever the schema looks like otherwise, and what the directories of the schema refuse.

use serde_json::Value;

use super::document::text;
use super::expression::{LENGTH_MAX, attribute};
use super::meaning::flag;
use super::objects::{Object, Objects};
use crate::api::sync_job::{AttributeDefinition, ScopeClause, Side};

/// Attributes of the source that the service does not filter by.
const NO_SCOPE: [&str; 3] = ["userType", "manager", "appRoleAssignments"];
/// What the names of all functions of assignments have in common; the attribute begins with a small letter.
const ASSIGNMENT: &str = "AppRoleAssignment";
const NEEDS_ASSIGNMENT: &str = "the expression comes to nothing for accounts without an assignment, and `spec.scope` is All. Set `spec.scope` to Assigned, or take another expression.";

/// Names that occur twice, if only case is left aside; each once.
pub(super) fn doubles(names: &[String]) -> Vec<&str> {
    let folded: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let second = (0..names.len()).filter(|at| folded[..*at].contains(&folded[*at]));
    second.map(|at| names[at].as_str()).collect()
}

/// What is wrong with an expression on its own.
pub(super) fn expression(
    expression: &str,
    source: &Object<'_>,
    declared: &[AttributeDefinition],
    everyone: bool,
) -> Option<String> {
    let length = expression.chars().count();
    if length > LENGTH_MAX {
        return Some(format!(
            "the expression has {length} characters, and the service takes {LENGTH_MAX}. Shorten it."
        ));
    }
    if everyone && outside_texts(expression).contains(ASSIGNMENT) {
        return Some(NEEDS_ASSIGNMENT.to_owned());
    }
    let missing = attribute(expression).and_then(|name| lacks(source, name, Side::Source, declared));
    missing.map(|missing| format!("{missing} Correct the name, or add it to `attributeDefinitions`."))
}

/// An expression without its texts and names.
fn outside_texts(expression: &str) -> String {
    let (mut outside, mut in_text, mut escaped) = (String::new(), false, false);
    for c in expression.chars() {
        if c == '"' && !escaped {
            in_text = !in_text;
        }
        escaped = c == '\\' && !escaped;
        if !in_text {
            outside.push(c);
        }
    }
    outside
}

/// A sentence on an attribute that neither the schema nor the wish has.
pub(super) fn lacks(object: &Object<'_>, name: &str, side: Side, declared: &[AttributeDefinition]) -> Option<String> {
    let is_declared = declared.iter().any(|declared| declared.side == side && declared.name == name);
    if is_declared { None } else { object.lacks(name) }
}

/// Why an attribute of the target cannot be written.
pub(super) fn read_only(objects: &Objects<'_>, name: &str) -> Option<String> {
    let definition = objects.target.definition(name)?;
    let refused = text(definition, "mutability") == "ReadOnly";
    refused.then(|| format!("'{name}' is read-only in {}. Take the entry out.", objects.target.name))
}

/// Why the mapping of an attribute of the target cannot be removed. The service keeps what an object must have.
pub(super) fn required(objects: &Objects<'_>, name: &str) -> Option<String> {
    let definition = objects.target.definition(name)?;
    let must = flag(definition.get("required"));
    must.then(|| format!("{} must have '{name}', so that its mapping cannot be removed.", objects.target.name))
}

/// What is wrong with a clause of a filter.
pub(super) fn clause(clause: &ScopeClause, source: &Object<'_>, declared: &[AttributeDefinition]) -> Option<String> {
    let name = clause.attribute.as_str();
    if NO_SCOPE.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Some(format!("the service does not filter by '{name}'. Take another attribute."));
    }
    if let Some(missing) = lacks(source, name, Side::Source, declared) {
        return Some(format!("{missing} Correct the name, or add it to `attributeDefinitions`."));
    }
    let definition = source.definition(name)?;
    let what = match (text(definition, "type"), flag(definition.get("multivalued"))) {
        ("DateTime", _) => "a date",
        (_, true) => "multi-valued",
        _ => return None,
    };
    Some(format!("'{name}' is {what}, which the service does not filter by. Take another attribute."))
}

/// How a definition of the schema contradicts the one that is wished for.
pub(super) fn contradiction(wish: &AttributeDefinition, live: &Value) -> Option<String> {
    let kind = super::document::word(wish.type_);
    if live.get("type") != Some(&kind) {
        let (found, wanted) = (text(live, "type"), kind.as_str().unwrap_or_default());
        return Some(format!("its type is {found} and not {wanted}. Write the type that it has."));
    }
    let flags = [("multivalued", wish.multivalued), ("required", wish.required), ("caseExact", wish.case_exact)];
    let other = |(name, wanted): &(&str, Option<bool>)| wanted.is_some_and(|wanted| wanted != flag(live.get(*name)));
    let (name, _) = flags.into_iter().find(other)?;
    Some(format!("`{name}` is {}. Write what it has, or leave `{name}` out.", flag(live.get(name))))
}
