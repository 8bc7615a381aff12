//! A schema as a list of values, each with a place of its own, and what each of them means. The judges have their own idea of
//! both, and none of it is the product's.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value, json};

/// Values by their places: `rule|source>target|attribute|member`, with empty parts where something is about more.
pub type Values = BTreeMap<String, Value>;

/// All values of a schema, apart from what the service stamps.
pub fn values(schema: &Value) -> Values {
    let mut values = Values::new();
    put(&mut values, "||", schema, &["version", "synchronizationRules", "directories"]);
    for rule in list(schema, "synchronizationRules") {
        let name = text(rule, "name");
        put(&mut values, &format!("{name}||"), rule, &["objectMappings"]);
        for objects in list(rule, "objectMappings") {
            let place = format!("{name}|{}>{}", text(objects, "sourceObjectName"), text(objects, "targetObjectName"));
            put(&mut values, &format!("{place}|"), objects, &["attributeMappings"]);
            for mapping in list(objects, "attributeMappings") {
                put(&mut values, &format!("{place}|{}", text(mapping, "targetAttributeName")), mapping, &[]);
            }
        }
    }
    for directory in list(schema, "directories") {
        let name = text(directory, "name");
        put(&mut values, &format!("={name}||"), directory, &["version", "objects"]);
        for object in list(directory, "objects") {
            for attribute in list(object, "attributes") {
                values.insert(
                    format!("={name}|{}|{}|", text(object, "name"), text(attribute, "name")),
                    attribute.clone(),
                );
            }
        }
    }
    values
}

fn put(values: &mut Values, place: &str, holder: &Value, apart: &[&str]) {
    let members = holder.as_object().into_iter().flat_map(Map::iter);
    for (name, value) in members.filter(|(name, _)| !apart.contains(&name.as_str())) {
        values.insert(format!("{place}|{name}"), value.clone());
    }
}

pub fn list<'a>(holder: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    holder[name].as_array().into_iter().flatten()
}

pub fn text<'a>(holder: &'a Value, name: &str) -> &'a str {
    holder[name].as_str().unwrap_or_default()
}

/// The last part of a place.
pub fn member(place: &str) -> &str {
    place.rsplit('|').next().unwrap_or_default()
}

/// What is left of a place without its rule.
pub fn within_rule(place: &str) -> &str {
    place.split_once('|').map_or("", |(_, rest)| rest)
}

/// What a value comes to, in words that are equal where the meaning is. A value that is not there means its default.
pub fn meaning(place: &str, value: Option<&Value>) -> String {
    let shown = |default: &str| value.and_then(Value::as_str).unwrap_or(default).to_owned();
    match member(place) {
        "source" => plain(value.and_then(|source| source["expression"].as_str()).unwrap_or_default()),
        "flowTypes" => {
            let all = shown("");
            let mut flows: Vec<&str> = all.split(',').map(str::trim).filter(|flow| !flow.is_empty()).collect();
            flows.sort_unstable();
            flows.join(",")
        }
        "scope" => format!("{:?}", groups(value)),
        "matchingPriority" => value.and_then(Value::as_i64).unwrap_or_default().to_string(),
        "enabled" | "exportMissingReferences" => value.and_then(Value::as_bool).unwrap_or_default().to_string(),
        "flowType" => shown("Always"),
        "flowBehavior" => shown("FlowWhenChanged"),
        "defaultValue" => shown(""),
        _ => value.unwrap_or(&Value::Null).to_string(),
    }
}

/// The groups of a filter, each with its clauses, sorted.
pub fn groups(value: Option<&Value>) -> Vec<(String, Vec<String>)> {
    let clause = |clause: &Value| {
        json!([clause["sourceOperandName"], clause["operatorName"], clause["targetOperand"]["values"]]).to_string()
    };
    let found = value.map(|scope| list(scope, "groups").collect::<Vec<_>>()).unwrap_or_default();
    let mut groups: Vec<(String, Vec<String>)> = found
        .into_iter()
        .map(|group| {
            let mut clauses: Vec<String> = list(group, "clauses").map(clause).collect();
            clauses.sort();
            (text(group, "name").to_owned(), clauses)
        })
        .collect();
    groups.sort();
    groups
}

/// An expression without spaces outside of texts, and with functions in one case.
pub fn plain(expression: &str) -> String {
    let (mut plain, mut in_text, mut in_name) = (String::new(), false, false);
    for c in expression.chars() {
        match c {
            '"' => in_text = !in_text,
            '[' if !in_text => in_name = true,
            ']' if !in_text => in_name = false,
            _ => {}
        }
        if in_text || in_name {
            plain.push(c);
        } else if !c.is_whitespace() {
            plain.push(c.to_ascii_lowercase());
        }
    }
    plain
}

/// The places at which two schemas mean something different.
pub fn differing(one: &Values, other: &Values) -> Vec<String> {
    let places: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differs = |place: &&String| differs(one, other, place);
    places.into_iter().filter(differs).cloned().collect()
}

/// Whether two schemas mean something different at a place.
pub fn differs(one: &Values, other: &Values, place: &str) -> bool {
    let whole = place.ends_with("|targetAttributeName") || place.starts_with('=');
    let (one, other) = (one.get(place), other.get(place));
    if whole { one.is_some() != other.is_some() } else { meaning(place, one) != meaning(place, other) }
}

/// One number for all that a schema means.
pub fn digest(schema: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (place, value) in &values(schema) {
        (place, meaning(place, Some(value))).hash(&mut hasher);
    }
    hasher.finish()
}
