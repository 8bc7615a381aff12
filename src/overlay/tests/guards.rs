//! Which changes can deprovision people.

use serde_json::{Value, json};

use super::{mapped, merged, objects_mut, released, schema, texts, users, wish};
use crate::api::sync_job::Mappings;

fn risks(wish: &Mappings, live: &Value) -> Vec<String> {
    texts(&merged(wish, live, None).risks)
}

fn clause(value: &str) -> Value {
    json!({"attribute": "department", "operator": "EQUALS", "values": [value]})
}

/// A filter as it is wished for; each inner list is a group.
fn filter(groups: &[&[&str]]) -> Value {
    let group = |(at, group): (usize, &&[&str])| {
        let clauses: Vec<Value> = group.iter().map(|value| clause(value)).collect();
        json!({"name": at.to_string(), "clauses": clauses})
    };
    json!({"scope": {"groups": groups.iter().enumerate().map(group).collect::<Vec<_>>()}})
}

type Groups = &'static [&'static [&'static str]];

#[test]
fn a_filter_is_a_risk_where_it_may_let_fewer_through() {
    let cases: [(Groups, Groups, bool); 8] = [
        (&[], &[&["a"]], true),
        (&[&["a"]], &[], false),
        (&[&["a"]], &[&["a"], &["b"]], false),
        (&[&["a"], &["b"]], &[&["a"]], true),
        (&[&["a"]], &[&["a", "b"]], true),
        (&[&["a", "b"]], &[&["a"]], false),
        (&[&["a"]], &[&["b"]], true),
        (&[&["a", "b"]], &[&["b", "a"]], false),
    ];
    for (before, after, risky) in cases {
        let live = merged(&users(&filter(before)), &schema(), None).document;
        let found = risks(&users(&filter(after)), &live);
        let expected = if risky { vec!["User → urn:User: fewer objects may be in scope".to_owned()] } else { vec![] };
        assert_eq!(found, expected, "{before:?} → {after:?}");
    }
}

#[test]
fn containers_and_groups_are_a_risk_where_one_is_taken_out_or_the_filter_is_new() {
    let filter = |member: &str, inner: &str, names: &[&str]| wish(&json!({"ruleName": "OUT", member: {inner: names}}));
    for (member, inner) in [("containerFilter", "includedContainers"), ("groupFilter", "includedGroups")] {
        let cases: [(&[&str], &[&str], bool); 5] = [
            (&[], &["a"], true),
            (&["a"], &[], false),
            (&["a"], &["a", "b"], false),
            (&["a", "b"], &["a"], true),
            (&["a"], &["b"], true),
        ];
        for (before, after, risky) in cases {
            let live = merged(&filter(member, inner, before), &schema(), None).document;
            assert_eq!(risks(&filter(member, inner, after), &live).len(), usize::from(risky), "{before:?} → {after:?}");
        }
    }
}

#[test]
fn switching_off_adding_deletions_and_matching_are_risks_and_their_opposites_mostly_not() {
    let mut off = schema();
    objects_mut(&mut off)["enabled"] = json!(false);
    objects_mut(&mut off)["flowTypes"] = json!("Add, Delete");
    let of = |members: Value, live: &Value| risks(&users(&members), live);
    assert_eq!(of(json!({"enabled": false}), &schema()), ["User → urn:User: such objects are no longer provisioned"]);
    assert_eq!(
        of(json!({"flowTypes": ["Add", "Delete"]}), &schema()),
        ["User → urn:User: the service may delete in the target"]
    );
    assert_eq!(of(json!({"enabled": true, "flowTypes": ["Add"]}), &off), Vec::<String>::new());

    let entry = |entry: Value| risks(&mapped(&json!([entry])), &schema());
    let matching = |target: &str| vec![format!("User → urn:User, {target}: objects are matched by something else")];
    assert_eq!(entry(json!({"targetAttributeName": "userName", "expression": "[mail]"})), matching("userName"));
    assert_eq!(entry(json!({"targetAttributeName": "userName", "matchingPriority": 2})), matching("userName"));
    assert_eq!(entry(json!({"targetAttributeName": "nickName", "matchingPriority": 2})), matching("nickName"));
    assert_eq!(
        entry(json!({"targetAttributeName": "title", "expression": "[mail]", "matchingPriority": 2})),
        matching("title")
    );
    assert_eq!(entry(json!({"targetAttributeName": "nickName", "expression": "[mail]"})), Vec::<String>::new());
    assert_eq!(entry(json!({"targetAttributeName": "nickName", "state": "Absent"})), Vec::<String>::new());
    let mut matched = schema();
    super::mapping_mut(&mut matched, "nickName")["matchingPriority"] = json!(2);
    let removed = mapped(&json!([{"targetAttributeName": "nickName", "state": "Absent"}]));
    assert_eq!(risks(&removed, &matched), matching("nickName"));
}

#[test]
fn giving_back_is_as_risky_as_wishing() {
    let wider = users(&json!({"enabled": true, "flowTypes": ["Add"]}));
    let mut live = schema();
    objects_mut(&mut live)["enabled"] = json!(false);
    objects_mut(&mut live)["flowTypes"] = json!("Add, Delete");
    let first = merged(&wider, &live, None);
    let end = released(&first.document, &first.memory);
    let expected = [
        "User → urn:User: such objects are no longer provisioned",
        "User → urn:User: the service may delete in the target",
    ];
    assert_eq!(texts(&end.risks), expected);
}
