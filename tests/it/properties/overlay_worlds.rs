//! Made-up schemas and overlays, and what the service does to a schema that it is given.

use entrain::api::sync_job::Mappings;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

const TARGETS: [&str; 7] = ["t0", "t1", "t2", "t3", "t4", "t5", "t6"];
const SOURCES: [&str; 5] = ["s0", "s1", "s2", "s3", "s4"];
const PAIRS: [(&str, &str); 2] = [("User", "urn:User"), ("Group", "urn:Group")];

fn source() -> impl Strategy<Value = Value> {
    let attribute =
        |name: &str| json!({"type": "Attribute", "name": name, "expression": format!("[{name}]"), "parameters": []});
    let function = move |name: &str| {
        let parameters =
            json!([{"key": "source", "value": attribute(name)}, {"key": "source", "value": attribute("s0")}]);
        json!({"type": "Function", "name": "Join", "expression": format!("Join([{name}], [s0])"), "parameters": parameters})
    };
    prop_oneof![Just(Value::Null), select(&SOURCES).prop_map(attribute), select(&SOURCES).prop_map(function)]
}

fn entry(name: &'static str) -> impl Strategy<Value = Value> {
    let flow = select(&["Always", "ObjectAddOnly"]);
    (source(), 0..3, option::of("[a-b]{0,2}"), flow, any::<bool>()).prop_map(
        move |(source, priority, default, flow, strange)| {
            let mut entry = json!({
                "targetAttributeName": name, "source": source, "matchingPriority": priority, "defaultValue": default,
                "flowType": flow, "flowBehavior": "FlowWhenChanged", "exportMissingReferences": false,
            });
            if strange {
                entry["strange"] = json!({"deep": [{"kept": [true, 2]}]});
            }
            entry
        },
    )
}

fn entries() -> impl Strategy<Value = Vec<Value>> {
    subsequence(TARGETS.to_vec(), 0..=TARGETS.len())
        .prop_flat_map(|names| names.into_iter().map(entry).collect::<Vec<_>>())
}

fn live_scope() -> impl Strategy<Value = Value> {
    let clause = select(&SOURCES).prop_map(
        |name| json!({"sourceOperandName": name, "operatorName": "IS NOT NULL", "targetOperand": {"values": []}}),
    );
    let group = (vec(clause, 1..3), "[a-c]").prop_map(|(clauses, name)| json!({"name": name, "clauses": clauses}));
    let filter = vec(group, 0..3).prop_map(|groups| json!({"groups": groups, "inputFilterGroups": [{"name": "kept"}]}));
    prop_oneof![Just(Value::Null), filter]
}

fn containers() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(vec!["OU=a", "OU=b", "OU=c"], 0..=2)
}

fn flow_types() -> impl Strategy<Value = &'static str> {
    select(&["Add,Update,Delete", "Add, Update", "Update", "None"])
}

/// A rule with two object mappings and a hidden one.
pub fn schema() -> impl Strategy<Value = Value> {
    let objects = |at: usize| {
        let (source, target) = PAIRS[at];
        (any::<bool>(), flow_types(), live_scope(), entries()).prop_map(move |(enabled, types, scope, entries)| {
            json!({
                "name": source, "enabled": enabled, "flowTypes": types, "scope": scope, "sourceObjectName": source,
                "targetObjectName": target, "attributeMappings": entries, "metadata": [{"key": "k", "value": "\"v\""}],
            })
        })
    };
    let attributes = |names: &[&str]| {
        names.iter().map(|name| json!({"name": name, "type": "String", "metadata": [1]})).collect::<Vec<_>>()
    };
    let directory = move |name: &str, objects: [&str; 2], names: &[&str]| {
        let objects = objects.map(|object| json!({"name": object, "attributes": attributes(names), "more": 1}));
        json!({"name": name, "version": "1", "objects": objects})
    };
    (objects(0), objects(1), containers()).prop_map(move |(users, groups, containers)| {
        let hidden = json!({"name": null, "sourceObjectName": "", "targetObjectName": "urn:User", "enabled": false, "attributeMappings": []});
        json!({
            "id": "x", "version": "v1.2", "provisioningTaskIdentifier": "p",
            "synchronizationRules": [{
                "id": "r", "name": "RULE", "editable": true, "sourceDirectoryName": "Entra", "targetDirectoryName": "App",
                "containerFilter": {"includedContainers": containers}, "groupFilter": null, "objectMappings": [hidden, users, groups],
            }],
            "directories": [directory("Entra", ["User", "Group"], &SOURCES), directory("App", ["urn:User", "urn:Group"], &TARGETS)],
        })
    })
}

fn wished_entry(name: &'static str) -> impl Strategy<Value = Value> {
    let expression =
        prop_oneof![select(&SOURCES).prop_map(|name| format!("[{name}]")), Just("\"constant\"".to_owned())];
    let members = (
        option::of(expression),
        option::of("[a-b]{0,2}"),
        option::of(0..3),
        option::of(select(&["Always", "ObjectAddOnly"])),
    );
    let present = members.prop_map(move |(expression, default, priority, flow)| {
        let all = [
            ("expression", json!(expression)),
            ("defaultValue", json!(default)),
            ("matchingPriority", json!(priority)),
            ("flowType", json!(flow)),
        ];
        let mut entry: Map<String, Value> = all
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        entry.insert("targetAttributeName".into(), json!(name));
        if entry.len() == 1 {
            entry.insert("matchingPriority".into(), json!(1));
        }
        Value::Object(entry)
    });
    prop_oneof![4 => present, 1 => Just(json!({"targetAttributeName": name, "state": "Absent"}))]
}

fn wished_objects(at: usize) -> impl Strategy<Value = Value> {
    let clause = select(&SOURCES).prop_map(|name| json!({"attribute": name, "operator": "IS NULL"}));
    let group = (vec(clause, 1..3), "[a-c]").prop_map(|(clauses, name)| json!({"name": name, "clauses": clauses}));
    let scope = vec(group, 0..2).prop_map(|groups| json!({"groups": groups}));
    let types = subsequence(vec!["Add", "Update", "Delete"], 0..=3);
    let names = subsequence(TARGETS.to_vec(), 0..=4);
    let entries = names.prop_flat_map(|names| names.into_iter().map(wished_entry).collect::<Vec<_>>());
    let added = subsequence(vec!["new0", "new1"], 0..=2);
    (option::of(any::<bool>()), option::of(types), option::of(scope), added, entries).prop_map(
        move |(enabled, types, scope, added, mut entries)| {
            let definitions: Vec<Value> = added.iter().map(|name| json!({"side": "Target", "name": name, "type": "String"})).collect();
            entries.extend(added.iter().map(|name| json!({"targetAttributeName": name, "expression": "[s1]"})));
            json!({
                "sourceObjectName": PAIRS[at].0, "targetObjectName": PAIRS[at].1, "enabled": enabled, "flowTypes": types,
                "scope": scope, "attributeDefinitions": definitions, "attributeMappings": entries,
            })
        },
    )
}

/// An overlay for one or both object mappings of a schema. What the schema does not map has an expression.
pub fn wish_for(schema: &Value) -> impl Strategy<Value = Mappings> + use<> {
    let mapped: Vec<(String, String)> = schema["synchronizationRules"][0]["objectMappings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|objects| {
            let of = objects["sourceObjectName"].as_str().unwrap().to_owned();
            let entries = objects["attributeMappings"].as_array().unwrap().iter();
            entries.map(move |entry| (of.clone(), entry["targetAttributeName"].as_str().unwrap().to_owned()))
        })
        .collect();
    let containers = option::of(containers().prop_map(|names| json!({"includedContainers": names})));
    (subsequence(vec![0, 1], 1..=2), wished_objects(0), wished_objects(1), containers, any::<bool>()).prop_map(
        move |(which, users, groups, containers, exact)| {
            let both = [users, groups];
            let objects: Vec<&Value> = which.iter().map(|at| &both[*at]).collect();
            let policy = if exact { "Exact" } else { "Merge" };
            let whole = json!({"policy": policy, "objectMappings": objects, "containerFilter": containers});
            let mut wish: Mappings = serde_json::from_value(whole).unwrap();
            for objects in &mut wish.object_mappings {
                let is_mapped = |name: &str| mapped.contains(&(objects.source_object_name.clone(), name.to_owned()));
                for entry in &mut objects.attribute_mappings {
                    if entry.state.is_none() && entry.expression.is_none() && !is_mapped(&entry.target_attribute_name) {
                        entry.expression = Some("[s2]".to_owned());
                    }
                }
            }
            wish
        },
    )
}

pub fn both() -> impl Strategy<Value = (Value, Mappings)> {
    schema().prop_flat_map(|schema| {
        let wish = wish_for(&schema);
        (Just(schema), wish)
    })
}

/// Any JSON, not deep.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z\\[\\]\"]{0,6}".prop_map(Value::from)
    ];
    let name = select(&[
        "name",
        "source",
        "scope",
        "groups",
        "clauses",
        "expression",
        "objectMappings",
        "attributeMappings",
        "parameters",
        "x",
    ]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let members = vec((name.clone(), inner.clone()), 0..4);
        let object = members.prop_map(|members| {
            Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        });
        prop_oneof![vec(inner, 0..4).prop_map(Value::Array), object]
    })
}

/// A step of a generator of numbers that look random.
fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap()
}

pub fn shuffle<T>(items: &mut [T], seed: &mut u64) {
    for last in (1..items.len()).rev() {
        items.swap(last, next(seed) % (last + 1));
    }
}

/// What the service may do to a schema between two reads, none of which means anything.
pub fn disturb(value: &mut Value, seed: &mut u64) {
    match value {
        Value::Array(items) => {
            for item in items.iter_mut() {
                disturb(item, seed);
            }
            // Arguments have an order.
            if items.first().is_none_or(|item| item.get("key").is_none()) {
                shuffle(items, seed);
            }
        }
        Value::Object(members) => {
            members.values_mut().for_each(|member| disturb(member, seed));
            let absent: Vec<String> =
                members.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect();
            for name in absent.into_iter().filter(|_| next(seed).is_multiple_of(2)) {
                members.remove(&name);
            }
            if let Some(Value::String(types)) = members.get_mut("flowTypes") {
                *types = if types.contains(", ") { types.replace(", ", ",") } else { types.replace(',', ", ") };
            }
            if let Some(Value::String(expression)) = members.get_mut("expression") {
                *expression = expression.replace(", ", " ,  ");
            }
            for stamped in ["version", "id"] {
                if members.contains_key(stamped) {
                    members.insert(stamped.into(), json!(format!("{stamped} {}", next(seed))));
                }
            }
            members.insert("@odata.type".into(), json!("#stamped"));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A schema in one form, so that what means the same is the same.
pub fn meaning(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(meaning).collect();
            if items.first().is_none_or(|item| item.get("key").is_none()) {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !name.contains('@') && *name != "version" && *name != "id");
            let settled = kept.map(|(name, value)| match (name.as_str(), value) {
                ("flowTypes", Value::String(types)) => (name.clone(), json!(types.replace(' ', ""))),
                ("expression", Value::String(text)) => (name.clone(), json!(text.replace(' ', ""))),
                _ => (name.clone(), meaning(value)),
            });
            let blank = |value: &Value| {
                matches!(value, Value::Null) || value == "" || value == &json!([]) || value == &json!({})
            };
            Value::Object(settled.filter(|(_, value)| !blank(value)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
