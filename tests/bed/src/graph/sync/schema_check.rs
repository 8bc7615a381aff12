//! What of a schema is refused, and the sources of its mappings as the service parses them (CONTRACT §3.8).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::expressions::{self, Expression};
use super::schema::Change;
use super::schema_form;
use super::schema_shape::{RULE, SCHEMA};
use crate::graph::http::reply::Reply;
use crate::graph::model::settings::{
    Accepts, DuplicateMappings, Expressions, ReadOnlyRules, RefusedSchema, RepeatedParameters, SchemaOrder, Settings,
};

/// A schema in the service's form, but for ids and versions; or a refusal.
pub fn checked(mut sent: Value, change: &Change<'_>, settings: &Settings) -> Result<Value, Reply> {
    if !sent["synchronizationRules"].is_array() {
        return Err(refusal("The schema has no 'synchronizationRules'.", settings));
    }
    let refused = |message: String| refusal(&message, settings);
    let found = identify(&mut sent, change)
        .and_then(|()| mappings(&mut sent, settings))
        .and_then(|()| schema_form::bring(&mut sent, &SCHEMA, settings))
        .and_then(|()| read_only(&mut sent, change, settings));
    found.map_err(refused)?;
    Ok(sent)
}

/// A refusal, in the form of the switch.
fn refusal(message: &str, settings: &Settings) -> Reply {
    match settings.refused_schema {
        RefusedSchema::BadRequest => Reply::bad_request(message),
        RefusedSchema::UnknownError => Reply::error(400, "UnknownError", &json!({"Message": message}).to_string()),
        RefusedSchema::ServerError => Reply::error(500, "UnknownError", ""),
    }
}

/// Rules are those of the template. One without an id is found by its name.
fn identify(sent: &mut Value, change: &Change<'_>) -> Result<(), String> {
    let all = |schema: &Value| schema["synchronizationRules"].as_array().cloned().unwrap_or_default();
    let known: Vec<Value> = all(&change.current).into_iter().chain(all(&change.default)).collect();
    for rule in items(sent, "synchronizationRules") {
        if !rule.is_object() {
            return Err("A rule is no object.".to_owned());
        }
        let by_name = || known.iter().find(|known| known["name"] == rule["name"]);
        if rule["id"].is_null()
            && let Some(found) = by_name()
        {
            rule["id"] = found["id"].clone();
        }
        if !known.iter().any(|known| known["id"] == rule["id"]) {
            return Err(format!("The synchronization rule {} does not exist.", rule["id"]));
        }
    }
    Ok(())
}

fn items<'a>(of: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    of.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

fn mappings(sent: &mut Value, settings: &Settings) -> Result<(), String> {
    for object in items(sent, "synchronizationRules").flat_map(|rule| items(rule, "objectMappings")) {
        let mut targets = BTreeSet::new();
        for mapping in items(object, "attributeMappings").filter(|mapping| mapping.is_object()) {
            let target = mapping["targetAttributeName"].as_str().unwrap_or_default().to_owned();
            if mapping["source"].is_object() {
                let parsed = source(&mapping["source"], settings).map_err(|error| format!("{target}: {error}"))?;
                if settings.expressions == Expressions::Normalised {
                    mapping["source"] = parsed;
                }
            }
            if !targets.insert(target.clone()) && settings.duplicate_mappings == DuplicateMappings::Refused {
                return Err(format!("The attribute '{target}' is mapped twice."));
            }
        }
    }
    Ok(())
}

/// What counts is the expression; where there is none, type and name say it.
fn source(given: &Value, settings: &Settings) -> Result<Value, String> {
    let text = |name: &str| given[name].as_str().unwrap_or_default();
    let expression = match (text("expression"), text("type")) {
        ("", "Attribute") => Expression::Attribute(text("name").to_owned()),
        ("", "Constant") => Expression::Constant(text("name").to_owned()),
        (written, _) => parse(written, settings)?,
    };
    Ok(expression.render(settings.repeated_parameters))
}

/// An expression that the service takes.
pub fn parse(written: &str, settings: &Settings) -> Result<Expression, String> {
    if written.chars().count() > expressions::LENGTH_MAX {
        return Err(format!("The expression has more than {} characters.", expressions::LENGTH_MAX));
    }
    let parsed = expressions::parse(written)?;
    match parsed.unknown_function() {
        Some(name) if settings.unknown_functions == Accepts::Refused => {
            Err(format!("The function '{name}' does not exist."))
        }
        _ => Ok(parsed),
    }
}

/// A rule that is not editable stays as it is.
fn read_only(sent: &mut Value, change: &Change<'_>, settings: &Settings) -> Result<(), String> {
    if settings.read_only_rules == ReadOnlyRules::Accepted {
        return Ok(());
    }
    let current = change.current["synchronizationRules"].as_array().into_iter().flatten();
    for known in current.filter(|rule| rule["editable"] == false) {
        let rules = sent["synchronizationRules"].as_array_mut();
        let Some(rules) = rules else { continue };
        let found = rules.iter_mut().find(|rule| rule["id"] == known["id"]);
        let same = found.as_ref().is_some_and(|found| meaning(found) == meaning(known));
        match (settings.read_only_rules, found) {
            _ if same => {}
            (ReadOnlyRules::Refused, _) => {
                return Err(format!("The synchronization rule {} is not editable.", known["id"]));
            }
            (_, Some(found)) => found.clone_from(known),
            (_, None) => rules.push(known.clone()),
        }
    }
    Ok(())
}

/// A rule in one form, whatever the switches say.
fn meaning(rule: &Value) -> Value {
    let settings = Settings { schema_order: SchemaOrder::Sorted, ..Settings::default() };
    let mut whole = json!({"synchronizationRules": [rule]});
    let _ = mappings(&mut whole, &Settings { repeated_parameters: RepeatedParameters::SameKey, ..settings.clone() });
    let mut rule = whole["synchronizationRules"][0].take();
    // Refused is nothing in these settings.
    let _ = schema_form::bring(&mut rule, &RULE, &settings);
    rule
}
