//! Tables of what merging does with one small schema, made up: a rule for users and groups with a hidden object mapping, and a
//! rule that is read-only.

mod findings;
mod giving_back;
mod guards;
mod merging;

use serde_json::{Value, json};

use super::{Drift, Expressions, Finding, Memory, Merged, Overlay, Parsed, merge};
use crate::api::sync_job::Mappings;

fn attribute(name: &str) -> Value {
    json!({"name": name, "type": "String", "mutability": "ReadWrite", "multivalued": false, "required": false})
}

/// A definition with other members than most.
fn special(name: &str, others: &Value) -> Value {
    let mut whole = attribute(name);
    for (member, value) in others.as_object().unwrap() {
        whole[member] = value.clone();
    }
    whole
}

fn source(expression: &str) -> Value {
    let name = expression.trim_matches(['[', ']']);
    json!({"type": "Attribute", "name": name, "expression": expression, "parameters": []})
}

/// A source as the service makes it of a function.
fn function(expression: &str, of: &str) -> Value {
    json!({
        "type": "Function", "name": "Not", "expression": expression,
        "parameters": [{"key": "source", "value": source(of)}],
    })
}

fn entry(target: &str, source: &Value, priority: i32) -> Value {
    json!({
        "targetAttributeName": target, "source": source, "defaultValue": null, "matchingPriority": priority,
        "exportMissingReferences": false, "flowBehavior": "FlowWhenChanged", "flowType": "Always", "strange": {"kept": [1, null]},
    })
}

fn schema() -> Value {
    let entries = json!([
        entry("userName", &source("[userPrincipalName]"), 1),
        entry("displayName", &source("[displayName]"), 0),
        entry("nickName", &source("[mailNickname]"), 0),
        entry("active", &function("Not([accountDisabled])", "[accountDisabled]"), 0),
        entry("locale", &Value::Null, 0),
    ]);
    json!({
        "id": "job", "version": "v1.2", "@odata.context": "$metadata",
        "synchronizationRules": [{
            "id": "1", "name": "OUT", "priority": 1, "editable": true, "containerFilter": null,
            "groupFilter": {"includedGroups": []}, "sourceDirectoryName": "Entra", "targetDirectoryName": "App",
            "metadata": [{"key": "a", "value": "\"{\\\"b\\\":1}\""}],
            "objectMappings": [
                {"name": null, "enabled": false, "flowTypes": "Add", "sourceObjectName": "", "targetObjectName": "User", "attributeMappings": []},
                {
                    "name": "Users", "enabled": true, "flowTypes": "Add,Update", "sourceObjectName": "User",
                    "targetObjectName": "urn:User", "scope": null, "attributeMappings": entries,
                },
                {
                    "name": "Groups", "enabled": true, "flowTypes": "Add, Update, Delete", "sourceObjectName": "Group",
                    "targetObjectName": "urn:Group", "scope": null, "attributeMappings": [],
                },
            ],
        }, {
            "id": "2", "name": "IN", "priority": 2, "editable": false, "sourceDirectoryName": "App", "targetDirectoryName": "Entra",
            "objectMappings": [{"name": "Roles", "enabled": true, "flowTypes": "Add", "sourceObjectName": "Role", "targetObjectName": "AppRole", "attributeMappings": []}],
        }],
        "directories": [
            {"name": "Entra", "version": "x", "objects": [{"name": "User", "attributes": [
                attribute("userPrincipalName"), attribute("displayName"), attribute("mail"), attribute("mailNickname"),
                attribute("accountDisabled"), attribute("department"), attribute("userType"),
                special("proxyAddresses", &json!({"multivalued": true})), special("hired", &json!({"type": "DateTime"})),
            ]}]},
            {"name": "App", "objects": [{"name": "urn:User", "attributes": [
                special("userName", &json!({"required": true})), attribute("displayName"), attribute("nickName"), attribute("active"),
                attribute("locale"), attribute("title"), special("id", &json!({"mutability": "ReadOnly"})),
            ]}]},
        ],
    })
}

/// A wish for users, with these members.
fn users(members: &Value) -> Mappings {
    let mut objects = json!({"sourceObjectName": "User", "targetObjectName": "urn:User"});
    for (member, value) in members.as_object().unwrap() {
        objects[member] = value.clone();
    }
    wish(&json!({"objectMappings": [objects]}))
}

/// A wish for attribute mappings of users.
fn mapped(entries: &Value) -> Mappings {
    users(&json!({"attributeMappings": entries}))
}

fn wish(wish: &Value) -> Mappings {
    serde_json::from_value(wish.clone()).unwrap()
}

fn overlay<'a>(wish: &'a Mappings, memory: Option<&'a Memory>) -> Overlay<'a> {
    Overlay { wish, memory, drift: Drift::Respect, everyone: false }
}

fn merged(wish: &Mappings, live: &Value, memory: Option<&Memory>) -> Merged {
    merge(&overlay(wish, memory), live, &known()).unwrap()
}

/// Everything is given back.
fn released(live: &Value, memory: &Memory) -> Merged {
    merged(&Mappings::default(), live, Some(memory))
}

fn corrected(wish: &Mappings, live: &Value, memory: &Memory) -> Merged {
    merge(&Overlay { drift: Drift::Correct, ..overlay(wish, Some(memory)) }, live, &known()).unwrap()
}

fn refused(wish: &Mappings) -> Vec<Finding> {
    merge(&overlay(wish, None), &schema(), &known()).unwrap_err()
}

/// What the service makes of the functions of these tests.
fn known() -> Expressions {
    let parsed = [
        ("Not( [department] )", Parsed::Source(function("Not([department])", "[department]"))),
        ("Not(", Parsed::Refused("')' is missing".to_owned())),
        ("Upper([mail])", Parsed::NotOffered),
    ];
    Expressions(parsed.map(|(text, parsed)| (text.to_owned(), parsed)).into())
}

/// The mapping of an attribute of users.
fn mapping<'a>(schema: &'a Value, target: &str) -> Option<&'a Value> {
    let entries = schema["synchronizationRules"][0]["objectMappings"][1]["attributeMappings"].as_array().unwrap();
    entries.iter().find(|entry| entry["targetAttributeName"] == target)
}

fn mapping_mut<'a>(schema: &'a mut Value, target: &str) -> &'a mut Value {
    let entries = schema["synchronizationRules"][0]["objectMappings"][1]["attributeMappings"].as_array_mut().unwrap();
    entries.iter_mut().find(|entry| entry["targetAttributeName"] == target).unwrap()
}

fn objects_mut(schema: &mut Value) -> &mut Value {
    &mut schema["synchronizationRules"][0]["objectMappings"][1]
}

fn texts(lines: &[impl ToString]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}
