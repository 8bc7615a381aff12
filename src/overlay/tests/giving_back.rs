//! What is owned no longer: it comes back, unless somebody changed it.

use serde_json::{Value, json};

use super::super::Memory;
use super::{mapped, mapping, mapping_mut, merged, released, schema, source, texts, users};
use crate::api::sync_job::{Mappings, OnRelease};

fn everything() -> Mappings {
    users(&json!({
        "enabled": false, "flowTypes": ["Add"],
        "scope": {"groups": [{"name": "g", "clauses": [{"attribute": "department", "operator": "IS NOT NULL"}]}]},
        "attributeDefinitions": [{"side": "Target", "name": "officeCode", "type": "String"}],
        "attributeMappings": [
            {"targetAttributeName": "userName", "expression": "[mail]", "matchingPriority": 2},
            {"targetAttributeName": "nickName", "state": "Absent"},
            {"targetAttributeName": "officeCode", "expression": "[department]", "defaultValue": "x"},
            {"targetAttributeName": "locale", "expression": "\"en\""},
        ],
    }))
}

/// An applied wish as it is seen later.
fn applied(wish: &Mappings) -> (Value, Memory) {
    let first = merged(wish, &schema(), None);
    let seen = merged(wish, &first.document, Some(&first.memory));
    (first.document, seen.memory)
}

/// The schema with its mappings in one order.
fn sorted(mut schema: Value) -> Value {
    let entries = schema["synchronizationRules"][0]["objectMappings"][1]["attributeMappings"].as_array_mut().unwrap();
    entries.sort_by_key(|entry| entry["targetAttributeName"].as_str().unwrap().to_owned());
    schema
}

#[test]
fn everything_comes_back_when_the_wish_is_gone() {
    let (live, memory) = applied(&everything());
    let end = released(&live, &memory);
    assert_eq!(sorted(end.document), sorted(schema()));
    assert!(end.memory.is_empty() && end.left.is_empty() && end.drifted.is_empty());
    assert_eq!(end.changes.len(), 6);
}

#[test]
fn what_is_to_be_kept_stays_and_is_forgotten() {
    let (live, memory) = applied(&everything());
    let keeping = Mappings { on_release: Some(OnRelease::Keep), ..Mappings::default() };
    let end = merged(&keeping, &live, Some(&memory));
    assert_eq!((&end.document, end.owned), (&live, 0));
}

#[test]
fn what_somebody_changed_stays_and_is_reported() {
    let (mut live, memory) = applied(&everything());
    mapping_mut(&mut live, "userName")["source"] = source("[displayName]");
    mapping_mut(&mut live, "officeCode")["flowType"] = json!("ObjectAddOnly");
    let entries = live["synchronizationRules"][0]["objectMappings"][1]["attributeMappings"].as_array_mut().unwrap();
    entries.push(json!({"targetAttributeName": "nickName", "source": source("[mail]")}));
    let end = released(&live, &memory);
    let left = [
        "User → urn:User, nickName: (none) → [mail]",
        "User → urn:User, officeCode, flowType: Always → ObjectAddOnly",
        "User → urn:User, userName: [mail] → [displayName]",
    ];
    let mut found = texts(&end.left);
    found.sort();
    let mut expected = left.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(mapping(&end.document, "userName").unwrap()["source"], source("[displayName]"));
    assert_eq!(mapping(&end.document, "userName").unwrap()["matchingPriority"], 1);
}

#[test]
fn an_added_attribute_goes_only_when_nothing_uses_it() {
    let (live, memory) = applied(&everything());
    let mut rest = everything();
    rest.object_mappings[0].attribute_definitions.clear();
    let waiting = merged(&rest, &live, Some(&memory));
    assert_eq!((waiting.changes.len(), waiting.owned, waiting.left.len()), (0, memory.len(), 0));
    let end = merged(&Mappings::default(), &live, Some(&waiting.memory));
    assert_eq!(sorted(end.document), sorted(schema()));
}

/// From one state of an entry to the other and back, what was there first comes back.
#[test]
fn a_wish_that_turns_round_gives_back_first() {
    let changed = mapped(&json!([{"targetAttributeName": "nickName", "expression": "[mail]"}]));
    let absent = mapped(&json!([{"targetAttributeName": "nickName", "state": "Absent"}]));
    for (one, other) in [(&changed, &absent), (&absent, &changed)] {
        let (live, memory) = applied(one);
        let turned = merged(other, &live, Some(&memory));
        assert_eq!(turned.changes.len(), 1);
        let end = released(&turned.document, &turned.memory);
        assert_eq!(sorted(end.document), sorted(schema()));
        assert!(end.left.is_empty());
    }
}

/// The former value is that of the first time, not of the last.
#[test]
fn a_wish_that_changes_keeps_what_was_there_first() {
    let to = |expression: &str| mapped(&json!([{"targetAttributeName": "userName", "expression": expression}]));
    let (live, memory) = applied(&to("[mail]"));
    let changed = merged(&to("[department]"), &live, Some(&memory));
    let end = released(&changed.document, &changed.memory);
    assert_eq!(end.document, schema());
    // The change of the wish was not saved: what is there is still ours.
    assert_eq!(released(&live, &changed.memory).document, schema());
}

/// The first save had no effect, and somebody changed the value before the second one.
#[test]
fn a_value_that_was_never_ours_comes_back_as_it_was_before_it_was() {
    let to = |expression: &str| mapped(&json!([{"targetAttributeName": "userName", "expression": expression}]));
    let lost = merged(&to("[mail]"), &schema(), None).memory;
    let mut theirs = schema();
    mapping_mut(&mut theirs, "userName")["source"] = source("[displayName]");
    let saved = merged(&to("[department]"), &theirs, Some(&lost));
    assert_eq!(released(&saved.document, &saved.memory).document, theirs);
    let turned = mapped(&json!([{"targetAttributeName": "nickName", "state": "Absent"}]));
    let lost = merged(&turned, &schema(), None).memory;
    let mut theirs = schema();
    mapping_mut(&mut theirs, "nickName")["source"] = source("[displayName]");
    let saved = merged(&turned, &theirs, Some(&lost));
    assert_eq!(sorted(released(&saved.document, &saved.memory).document), sorted(theirs));
}

/// Saved without effect, and changed by somebody before the next save, which leaves it as it is: that one speaks of others only.
#[test]
fn a_value_that_a_save_left_to_somebody_is_not_ours_by_its_answer() {
    let two = |expression: &str| {
        mapped(&json!([
            {"targetAttributeName": "userName", "expression": expression},
            {"targetAttributeName": "nickName", "expression": "[mail]"},
        ]))
    };
    let lost = merged(&two("[mail]"), &schema(), None).memory;
    let mut theirs = schema();
    mapping_mut(&mut theirs, "userName")["source"] = source("[displayName]");
    let left = merged(&two("[mail]"), &theirs, Some(&lost));
    assert_eq!(left.drifted.len(), 1);
    let saved = merged(&two("[department]"), &left.document, Some(&left.memory.accepted()));
    assert_eq!(released(&saved.document, &saved.memory.accepted()).document, theirs);
}
