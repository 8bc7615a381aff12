//! When two values of a member mean the same. The service rewrites spaces, order, defaults and nulls of what it is given, so
//! neither text nor hashes can tell.

use serde_json::{Map, Value};

use super::document::{items, text};
use super::expression::Forms;
use super::path::Member;

/// Whether two values of a member mean the same; of existence, whether both are there or neither is.
pub(super) fn same(member: Member, one: Option<&Value>, other: Option<&Value>, forms: &Forms) -> bool {
    match member {
        Member::Existence => one.is_some() == other.is_some(),
        Member::Source => forms.same(one, other),
        Member::DefaultValue => plain_text(one) == plain_text(other),
        Member::MatchingPriority => number(one) == number(other),
        Member::FlowType => word_or(one, "Always") == word_or(other, "Always"),
        Member::FlowBehavior => word_or(one, "FlowWhenChanged") == word_or(other, "FlowWhenChanged"),
        Member::Enabled => flag(one) == flag(other),
        Member::FlowTypes => flow_types(one) == flow_types(other),
        Member::Scope => groups(one) == groups(other),
        Member::ContainerFilter | Member::GroupFilter => names(one) == names(other),
    }
}

/// Whether two whole subjects mean the same.
pub(super) fn same_whole(members: &[Member], one: &Value, other: &Value, forms: &Forms) -> bool {
    let of = super::document::member;
    members.iter().all(|member| same(*member, of(one, *member), of(other, *member), forms))
        && rest(members, one) == rest(members, other)
}

/// Whether two definitions of an attribute say the same, as far as a wish can say it.
pub(super) fn same_definition(one: &Value, other: &Value) -> bool {
    let flags = ["caseExact", "multivalued", "required"];
    text(one, "type") == text(other, "type") && flags.iter().all(|name| flag(one.get(*name)) == flag(other.get(*name)))
}

/// What is none of the members, in one form.
fn rest(members: &[Member], whole: &Value) -> Option<Value> {
    let own = |name: &str| members.iter().any(|member| member.names().first() == Some(&name));
    let others = whole.as_object()?.iter().filter(|(name, _)| !own(name));
    let others: Map<String, Value> = others.map(|(name, value)| (name.clone(), value.clone())).collect();
    settled(&Value::Object(others))
}

/// In one form: without what the service adds, orders and leaves out as it likes. None if nothing is left.
pub(super) fn settled(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) => Some(value.clone()),
        Value::Number(number) => (number.as_i64() != Some(0)).then(|| value.clone()),
        Value::String(text) => (!text.is_empty()).then(|| value.clone()),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().filter_map(settled).collect();
            items.sort_by_cached_key(Value::to_string);
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, value)| !stamped(name) && !by_default(name, value));
            let members: Map<_, _> = kept.filter_map(|(name, value)| Some((name.clone(), settled(value)?))).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
    }
}

/// Members that are the service's own.
fn stamped(name: &str) -> bool {
    name.contains("@odata.") || matches!(name, "id" | "version" | "discoveryDateTime")
}

/// Graph's defaults that are neither null, false, zero nor empty.
fn by_default(name: &str, value: &Value) -> bool {
    let default = match name {
        "flowType" => "Always",
        "flowBehavior" => "FlowWhenChanged",
        "mutability" => "ReadWrite",
        _ => return false,
    };
    value.as_str() == Some(default)
}

fn plain_text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// An absent number is 0.
pub(super) fn number(value: Option<&Value>) -> i64 {
    value.and_then(Value::as_i64).unwrap_or_default()
}

/// An absent switch is off.
pub(super) fn flag(value: Option<&Value>) -> bool {
    value.and_then(Value::as_bool).unwrap_or_default()
}

fn word_or<'a>(value: Option<&'a Value>, default: &'a str) -> &'a str {
    value.and_then(Value::as_str).unwrap_or(default)
}

/// The flags of `"Add, Update"`, whatever their order and spaces.
pub(super) fn flow_types(value: Option<&Value>) -> Vec<&str> {
    let words = plain_text(value).split(',').map(str::trim);
    let mut words: Vec<&str> = words.filter(|word| !word.is_empty() && *word != "None").collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// A list of names that has no order.
pub(super) fn names(value: Option<&Value>) -> Vec<&str> {
    let mut names: Vec<&str> =
        value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A comparison of a filter: attribute, operator and values.
pub(super) type Clause<'a> = (&'a str, &'a str, Vec<&'a str>);

/// The clauses of a group, in one order.
pub(super) fn clauses(group: &Value) -> Vec<Clause<'_>> {
    let mut clauses: Vec<Clause<'_>> = items(group, "clauses").map(clause).collect();
    clauses.sort_unstable();
    clauses.dedup();
    clauses
}

fn clause(clause: &Value) -> Clause<'_> {
    let values = clause.get("targetOperand").and_then(|operand| operand.get("values"));
    (text(clause, "sourceOperandName"), text(clause, "operatorName"), names(values))
}

/// The groups of a filter with their names, in one order.
fn groups(value: Option<&Value>) -> Vec<(&str, Vec<Clause<'_>>)> {
    let found = value.and_then(Value::as_array).into_iter().flatten();
    let mut groups: Vec<_> = found.map(|group| (text(group, "name"), clauses(group))).collect();
    groups.sort_unstable();
    groups
}
