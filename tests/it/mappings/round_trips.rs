//! What the service makes of what it is given is no difference: a thousand schemas that mean what was applied, and differ from it
//! in everything that the service may rewrite. Without a network.

use entrain::api::Mappings;
use entrain::overlay::{Drift, Expressions, Memory, Overlay, Parsed, expressions, merge};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::stand::{CROSS_TENANT, Fixture, SALESFORCE, SCIM};
use super::ten::edits;

const ROUND_TRIPS: u32 = 1000;

/// How the service and its parser write an expression.
fn parsed(text: &str) -> Parsed {
    match bed::graph::fixtures::parts::source(text) {
        Value::Null => Parsed::Refused(String::new()),
        source => Parsed::Source(source),
    }
}

fn known(overlay: &Overlay<'_>, live: &Value) -> Expressions {
    let mut known = Expressions::default();
    for _ in 0..3 {
        for text in expressions(overlay, live, &known) {
            let parsed = parsed(&text);
            known.0.insert(text, parsed);
        }
    }
    known
}

/// All edits of a fixture in one overlay.
fn wish(fixture: Fixture) -> Mappings {
    let mut all = json!({"objectMappings": []});
    for edit in edits().into_iter().filter(|edit| edit.fixture == fixture) {
        for (name, member) in edit.mappings.as_object().unwrap() {
            if name != "objectMappings" {
                all[name] = member.clone();
                continue;
            }
            for object in member.as_array().unwrap() {
                let known = all["objectMappings"].as_array_mut().unwrap();
                let key = |of: &Value| (of["sourceObjectName"].clone(), of["targetObjectName"].clone());
                let Some(one) = known.iter_mut().find(|one| key(one) == key(object)) else {
                    known.push(object.clone());
                    continue;
                };
                for (name, value) in object.as_object().unwrap() {
                    match (one.get_mut(name), value) {
                        (Some(Value::Array(items)), Value::Array(more)) if name.starts_with("attribute") => {
                            let more: Vec<Value> = more
                                .iter()
                                .filter(|item| {
                                    !items.iter().any(|old| old["targetAttributeName"] == item["targetAttributeName"])
                                })
                                .cloned()
                                .collect();
                            items.extend(more);
                        }
                        _ => one[name.as_str()] = value.clone(),
                    }
                }
            }
        }
    }
    serde_json::from_value(all).unwrap()
}

/// A wish that was applied to a fixture, and what was kept of that.
struct Applied {
    wish: Mappings,
    known: Expressions,
    document: Value,
    memory: Memory,
}

fn applied(fixture: Fixture) -> Applied {
    let live = Value::clone(&bed::graph::fixtures::schema(fixture.name).unwrap());
    let wish = wish(fixture);
    let overlay = Overlay { wish: &wish, memory: None, drift: Drift::Respect, everyone: false };
    let known = known(&overlay, &live);
    let merged = merge(&overlay, &live, &known).unwrap_or_else(|findings| panic!("{}: {findings:#?}", fixture.name));
    assert!(merged.changes.len() >= 7, "{:#?}", merged.changes);
    Applied { wish, known, document: merged.document, memory: merged.memory }
}

/// What may be rewritten, and how this time.
#[derive(Clone, Copy, Debug)]
struct Rewrite {
    seed: u64,
    flow_types: &'static str,
    defaults: bool,
    trees: bool,
    null_scope: bool,
}

fn rewrite() -> impl Strategy<Value = Rewrite> {
    let separators = prop::sample::select(vec![",", ", ", " ,  "]);
    (any::<u64>(), separators, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(seed, flow_types, defaults, trees, null_scope)| Rewrite { seed, flow_types, defaults, trees, null_scope },
    )
}

/// A step of xorshift.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn rewritten(value: &mut Value, how: Rewrite, state: &mut u64) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rewritten(item, how, state)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| rewritten(member, how, state));
            for name in ["version", "discoveryDateTime"] {
                members.entry(name).and_modify(|value| *value = json!(next(state).to_string()));
            }
            if let Some(Value::String(types)) = members.get_mut("flowTypes") {
                let mut flags: Vec<&str> = types.split(',').map(str::trim).collect();
                shuffle(&mut flags, state);
                *types = flags.join(how.flow_types);
            }
            let text =
                members.get("expression").and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
            if let Some(text) = text {
                let mut source = bed::graph::fixtures::parts::source(&text);
                if !how.trees {
                    source["parameters"] = json!([]);
                }
                source["expression"] = json!(respaced(&text, state));
                members.clone_from(source.as_object().unwrap());
            }
            if how.defaults {
                members.retain(|name, value| !(value.is_null() || value == &json!(false) && name != "enabled"));
                members.insert("@odata.type".to_owned(), json!("#microsoft.graph.any"));
            }
            if how.null_scope && members.get("scope").is_some_and(Value::is_null) {
                members.insert(
                    "scope".to_owned(),
                    json!({"groups": [], "inputFilterGroups": [], "categoryFilterGroups": []}),
                );
            }
            for name in [
                "synchronizationRules",
                "objectMappings",
                "attributeMappings",
                "metadata",
                "directories",
                "objects",
                "attributes",
                "groups",
                "clauses",
            ] {
                if let Some(Value::Array(items)) = members.get_mut(name) {
                    shuffle(items, state);
                }
            }
        }
        _ => {}
    }
}

fn shuffle<T>(items: &mut [T], state: &mut u64) {
    for last in (1..items.len()).rev() {
        items.swap(last, usize::try_from(next(state) % (last as u64 + 1)).unwrap());
    }
}

/// With other spaces after commas that are in no text and no name.
fn respaced(text: &str, state: &mut u64) -> String {
    let (mut inside, mut written) = (false, String::new());
    for c in text.chars() {
        inside ^= c == '"';
        written.push(c);
        if c == ',' && !inside {
            written.push_str(["", " ", "   "][usize::try_from(next(state) % 3).unwrap()]);
        }
    }
    written
}

#[test]
fn a_thousand_round_trips_through_the_service_change_nothing() {
    let all = [applied(SALESFORCE), applied(CROSS_TENANT), applied(SCIM)];
    // The large one takes as long as ten small ones.
    let which = prop::sample::select(vec![0_usize, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2]);
    let config = Config { cases: ROUND_TRIPS, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&(which, rewrite()), |(which, how)| {
        let Applied { wish, known, document, memory } = &all[which];
        let mut live = document.clone();
        rewritten(&mut live, how, &mut how.seed.max(1));
        for (drift, memory) in [(Drift::Respect, Some(memory)), (Drift::Correct, Some(memory)), (Drift::Correct, None)]
        {
            let overlay = Overlay { wish, memory, drift, everyone: false };
            let merged =
                merge(&overlay, &live, known).map_err(|findings| TestCaseError::fail(format!("{findings:?}")))?;
            prop_assert!(
                merged.changes.is_empty() && merged.drifted.is_empty(),
                "{:?} {:?}",
                merged.changes,
                merged.drifted
            );
            prop_assert!(merged.document == live, "what is not changed is as it was read");
        }
        Ok(())
    });
    outcome.unwrap();
}
