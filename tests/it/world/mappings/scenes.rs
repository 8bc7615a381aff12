//! The scenes of mappings: SyncJobs that change their minds, people at work in the portal before and after, what is risky, what is
//! wrong, what is let go of, and operators that take over from each other.

use serde_json::{Value, json};

use super::super::scene::{Act, PLAIN, Scene, annotate, create, key};
use super::super::tenants::Around;

type Timed = (u64, u64, Act);

fn around(from: u64, to: u64, around: Around) -> Timed {
    (from, to, Act::Around(around))
}

fn portal(from: u64, to: u64, what: &'static str, edit: fn(&mut Value)) -> Timed {
    around(from, to, Around::Schema(what, edit))
}

fn users(schema: &mut Value) -> &mut Value {
    &mut schema["synchronizationRules"][0]["objectMappings"][0]
}

/// Sets a member of an attribute mapping of users, if it is there.
fn set(schema: &mut Value, attribute: &str, member: &str, value: &Value) {
    let mappings = users(schema)["attributeMappings"].as_array_mut().into_iter().flatten();
    for mapping in mappings.filter(|mapping| mapping["targetAttributeName"] == attribute) {
        mapping[member] = value.clone();
    }
}

fn text(expression: &str) -> Value {
    json!({"expression": expression})
}

fn attribute(name: &str, expression: &str) -> Value {
    json!({"targetAttributeName": name, "expression": expression})
}

/// Mappings of users with these members.
fn mapped(attributes: &[Value], more: &Value) -> Value {
    let mut objects = json!({"sourceObjectName": "User", "targetObjectName": "User", "attributeMappings": attributes});
    objects.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    json!({"objectMappings": [objects]})
}

fn name() -> Value {
    attribute("displayName", "Append( [displayName],\" x\" )")
}

/// A source that differs, an attribute that is added, one that is removed.
fn first() -> Value {
    mapped(
        &[name(), attribute("nickName", "[mail]"), json!({"targetAttributeName": "active", "state": "Absent"})],
        &json!({}),
    )
}

fn second() -> Value {
    mapped(&[attribute("displayName", "toLower([displayName])"), attribute("nickName", "[mail]")], &json!({}))
}

fn third() -> Value {
    mapped(&[attribute("title", "[department]")], &json!({}))
}

fn narrow() -> Value {
    let clause = json!({"attribute": "department", "operator": "EQUALS", "values": ["Sales"]});
    let scope = json!({"groups": [{"name": "sales", "clauses": [clause]}]});
    mapped(&[name()], &json!({"scope": scope}))
}

fn spec(mappings: &Value) -> Value {
    json!({ "mappings": mappings })
}

fn with(mappings: &Value, more: &Value) -> Value {
    let mut spec = spec(mappings);
    spec.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    spec
}

/// A merge patch would keep what is not written: the mappings are replaced.
fn patch(from: u64, to: u64, mappings: &Value) -> Timed {
    let whole = json!({"ruleName": null, "policy": null, "onRelease": null, "tests": null});
    let mut mappings = mappings.clone();
    for (name, value) in whole.as_object().into_iter().flatten() {
        if mappings.is_object() && mappings[name].is_null() {
            mappings[name] = value.clone();
        }
    }
    (from, to, Act::Patch(key("a"), json!({"spec": {"mappings": mappings}})))
}

fn spec_of(from: u64, to: u64, more: &Value) -> Timed {
    (from, to, Act::Patch(key("a"), json!({ "spec": more })))
}

fn delete(from: u64, to: u64) -> Timed {
    (from, to, Act::Delete(key("a")))
}

fn confirm(from: u64, to: u64) -> Timed {
    around(from, to, Around::Confirm(key("a")))
}

fn minds() -> Vec<Timed> {
    vec![(0, 0, create("a", &spec(&first()))), patch(1, 700, &second()), patch(701, 1500, &third())]
}

fn of_others(schema: &mut Value) {
    set(schema, "title", "source", &text("[mail]"));
    set(schema, "mail", "flowType", &json!("ObjectAddOnly"));
    schema["synchronizationRules"][0]["containerFilter"] = json!({"includedContainers": ["OU=canary"]});
}

fn of_ours(schema: &mut Value) {
    set(schema, "displayName", "source", &text("[mail]"));
}

fn revert(schema: &mut Value) {
    set(schema, "displayName", "source", &text("[displayName]"));
}

fn more_scope(schema: &mut Value) {
    let clause = json!({"sourceOperandName": "mail", "operatorName": "IS NOT NULL", "targetOperand": {"values": []}});
    users(schema)["scope"] = json!({"groups": [{"name": "mail", "clauses": [clause]}]});
}

fn as_wanted(schema: &mut Value) {
    set(schema, "displayName", "source", &text("Append([displayName], \" x\")"));
}

const MAPPINGS: Scene = Scene { mappings: true, ..PLAIN };
const ADOPTS: fn() -> Value = || json!({"adoption": {"policy": "IfExists"}});

/// All scenes with mappings.
pub const MAPPING_SCENES: [Scene; 18] = [
    Scene { name: "mappings", acts: minds, ..MAPPINGS },
    Scene {
        name: "mappings and the portal",
        acts: || {
            vec![
                (0, 0, create("a", &spec(&first()))),
                portal(0, 60, "others'", of_others),
                portal(61, 900, "ours", of_ours),
                patch(901, 1800, &mapped(&[name(), attribute("title", "[department]")], &json!({}))),
                portal(1801, 2400, "others'", of_others),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "mappings that are corrected",
        acts: || {
            vec![
                (0, 0, create("a", &with(&first(), &json!({"outOfBandPolicy": "Correct"})))),
                portal(60, 900, "ours", of_ours),
                (901, 1000, annotate("a", "reconcile-requested-at", "one")),
                portal(1001, 1300, "reverted", revert),
                (1301, 1400, annotate("a", "reconcile-requested-at", "two")),
                portal(4000, 5000, "ours", of_ours),
                (5001, 5400, annotate("a", "reconcile-requested-at", "three")),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "mappings that are reverted",
        acts: || {
            vec![
                (0, 0, create("a", &spec(&first()))),
                portal(1, 900, "reverted", revert),
                (901, 1000, annotate("a", "reconcile-requested-at", "one")),
                patch(1001, 2000, &mapped(&[attribute("nickName", "[mail]")], &json!({}))),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "a risky scope",
        acts: || {
            vec![
                (0, 0, create("a", &spec(&narrow()))),
                confirm(30, 300),
                portal(30, 300, "scope", more_scope),
                (301, 400, annotate("a", "reconcile-requested-at", "one")),
                confirm(401, 1200),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "a risky scope between two reads",
        acts: || {
            vec![
                (0, 0, create("a", &spec(&narrow()))),
                around(20, 40, Around::SchemaBetween("scope", more_scope)),
                confirm(41, 200),
                around(201, 400, Around::SchemaBetween("scope", |schema| users(schema)["scope"] = Value::Null)),
                confirm(1000, 2000),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "a threshold for a risky scope",
        acts: || {
            vec![
                (0, 0, create("a", &spec(&narrow()))),
                spec_of(30, 900, &json!({"deleteThreshold": 100})),
                patch(901, 1800, &first()),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "mappings between two reads",
        acts: || {
            vec![
                around(0, 0, Around::SchemaBetween("as wanted", as_wanted)),
                (0, 0, create("a", &spec(&mapped(&[name()], &json!({}))))),
                around(600, 700, Around::SchemaBetween("others'", of_others)),
                patch(701, 1500, &second()),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "mappings of an adopted job",
        occupied: true,
        acts: || {
            vec![
                (0, 0, create("a", &with(&first(), &ADOPTS()))),
                portal(30, 900, "others'", of_others),
                delete(901, 2000),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "mappings that are let go of",
        acts: || {
            vec![
                (0, 0, create("a", &with(&first(), &json!({"deletionPolicy": "Retain"})))),
                patch(1, 600, &second()),
                portal(1, 1200, "ours", of_ours),
                delete(5, 2400),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "mappings that stay",
        acts: || {
            let mut stays = first();
            stays["onRelease"] = json!("Keep");
            vec![
                (0, 0, create("a", &with(&stays, &json!({"deletionPolicy": "Retain"})))),
                (100, 900, Act::Patch(key("a"), json!({"spec": {"mappings": null}}))),
                delete(901, 1800),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "mappings that are not declared any more",
        acts: || {
            vec![
                (0, 0, create("a", &spec(&first()))),
                (1, 900, Act::Patch(key("a"), json!({"spec": {"mappings": null}}))),
                portal(901, 1800, "others'", of_others),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "a revision that is lost",
        acts: || {
            vec![
                (0, 0, create("a", &spec(&first()))),
                around(30, 900, Around::LoseRevision("apps")),
                patch(901, 1800, &second()),
                delete(1801, 3000),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "mappings that are refused",
        acts: || {
            let tested = |expect: &str, name: &str| {
                let mut tested = first();
                let given = json!({"displayName": "Anna"});
                tested["tests"] =
                    json!([{"name": name, "targetAttributeName": "displayName", "given": given, "expect": [expect]}]);
                tested
            };
            let contact = json!({"objectMappings": [{"sourceObjectName": "Contact", "targetObjectName": "Contact", "enabled": false}]});
            vec![
                around(0, 0, Around::SchemasRefused(true)),
                (0, 0, create("a", &spec(&first()))),
                around(60, 300, Around::SchemasRefused(false)),
                patch(301, 500, &mapped(&[attribute("displayName", "Nonsense([WRONG])")], &json!({}))),
                patch(501, 700, &contact),
                patch(701, 900, &tested("Anna", "fails")),
                patch(901, 1800, &tested("Anna x", "passes")),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "refused when it is let go of",
        acts: || {
            vec![
                (0, 0, create("a", &with(&first(), &json!({"deletionPolicy": "Retain"})))),
                around(300, 900, Around::SchemasRefused(true)),
                delete(901, 1800),
            ]
        },
        ..MAPPINGS
    },
    Scene {
        name: "handover of mappings",
        leased: true,
        acts: || {
            let mut acts = minds();
            acts.extend([(0, 60, Act::Handover), delete(1600, 2000)]);
            acts
        },
        ..MAPPINGS
    },
    Scene {
        name: "two operators with mappings",
        split: true,
        acts: || {
            let mut acts = minds();
            acts.extend([portal(60, 900, "ours", of_ours), delete(1600, 2400)]);
            acts
        },
        ..MAPPINGS
    },
    Scene {
        name: "reboot with mappings",
        acts: || {
            let mut acts = minds();
            acts.extend([(0, 60, Act::Reboot), (10, 900, Act::Reboot), portal(60, 1500, "others'", of_others)]);
            acts
        },
        ..MAPPINGS
    },
];
