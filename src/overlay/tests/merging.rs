//! Each kind of value, wished for: the line, and that merging again changes nothing.

use serde_json::{Value, json};

use super::super::{Drift, Expressions, Overlay, Parsed, confirmation, expressions, merge};
use super::{
    corrected, function, known, mapped, mapping, mapping_mut, merged, objects_mut, overlay, schema, source, texts,
    users, wish,
};
use crate::api::sync_job::Mappings;

/// The lines of a wish, which must be of no effect the second time.
fn lines(wish: &Mappings) -> Vec<String> {
    let first = merged(wish, &schema(), None);
    let second = merged(wish, &first.document, Some(&first.memory));
    assert_eq!((texts(&second.changes), &second.document), (vec![], &first.document), "{wish:?}");
    assert_eq!(second.owned, first.owned);
    assert!(!first.corrects_only);
    texts(&first.changes)
}

#[test]
fn every_kind_of_value_has_its_line_and_is_in_place_afterwards() {
    let entry = |entry: Value| lines(&mapped(&json!([entry])));
    let at = |rest: &str| vec![format!("User → urn:User, {rest}")];
    let of = |target: &str, member: &str, value: Value| entry(json!({"targetAttributeName": target, member: value}));
    assert_eq!(of("userName", "expression", json!("[mail]")), at("userName: [userPrincipalName] → [mail]"));
    assert_eq!(of("USERNAME", "expression", json!("[mail]")), at("userName: [userPrincipalName] → [mail]"));
    assert_eq!(of("title", "expression", json!("\"Member\"")), at("title: (none) → \"Member\""));
    assert_eq!(
        of("nickName", "expression", json!("Not( [department] )")),
        at("nickName: [mailNickname] → Not([department])")
    );
    assert_eq!(of("nickName", "state", json!("Absent")), at("nickName: [mailNickname] → (none)"));
    assert_eq!(of("locale", "state", json!("Absent")), at("locale: (no source) → (none)"));
    assert_eq!(of("nickName", "defaultValue", json!("x")), at("nickName, defaultValue: (none) → 'x'"));
    assert_eq!(of("nickName", "matchingPriority", json!(2)), at("nickName, matchingPriority: 0 → 2"));
    assert_eq!(of("nickName", "flowType", json!("ObjectAddOnly")), at("nickName, flowType: Always → ObjectAddOnly"));
    assert_eq!(
        of("nickName", "flowBehavior", json!("FlowAlways")),
        at("nickName, flowBehavior: FlowWhenChanged → FlowAlways")
    );
    let several = json!({"targetAttributeName": "userName", "expression": "[mail]", "matchingPriority": 2});
    assert_eq!(entry(several), at("userName: [userPrincipalName] → [mail]; matchingPriority: 1 → 2"));
}

#[test]
fn object_mappings_filters_and_definitions_have_their_lines() {
    let of = |member: &str, value: Value| lines(&users(&json!({member: value})));
    assert_eq!(of("enabled", json!(false)), ["User → urn:User, enabled: true → false"]);
    assert_eq!(of("flowTypes", json!(["Update"])), ["User → urn:User, flowTypes: Add, Update → Update"]);
    assert_eq!(of("flowTypes", json!([])), ["User → urn:User, flowTypes: Add, Update → (none)"]);
    let clause = |values: Value| json!({"attribute": "department", "operator": "EQUALS", "values": values});
    let scope = json!({"groups": [{"name": "a", "clauses": [clause(json!(["S", "T"])), {"attribute": "mail", "operator": "IS NOT NULL"}]}]});
    assert_eq!(of("scope", scope), ["User → urn:User, scope: (none) → a: department EQUALS S, T & mail IS NOT NULL"]);
    assert_eq!(of("scope", json!({"groups": []})), Vec::<String>::new());
    let definition = json!([{"side": "Target", "name": "officeCode", "type": "String", "multivalued": true}]);
    assert_eq!(
        of("attributeDefinitions", definition),
        ["attribute officeCode of urn:User in App: (none) → String, multivalued"]
    );
    let known = json!([{"side": "Target", "name": "title", "type": "String"}]);
    assert_eq!(of("attributeDefinitions", known), Vec::<String>::new());
    let filters = json!({"ruleName": "OUT", "containerFilter": {"includedContainers": ["OU=A", "OU=B"]}, "groupFilter": {"includedGroups": ["CN=G"]}});
    assert_eq!(lines(&wish(&filters)), ["rule OUT, containerFilter: (none) → OU=A, OU=B; groupFilter: (none) → CN=G"]);
}

/// Nothing but the owned value differs, unknown members and the order of lists included.
#[test]
fn what_is_not_owned_survives() {
    let wish = mapped(&json!([{"targetAttributeName": "userName", "expression": "[mail]"}]));
    let mut expected = schema();
    mapping_mut(&mut expected, "userName")["source"] = source("[mail]");
    assert_eq!(merged(&wish, &schema(), None).document, expected);
}

#[test]
fn what_means_the_same_is_no_difference_and_the_document_stays_as_it_was_read() {
    let mut live = schema();
    objects_mut(&mut live)["flowTypes"] = json!("Update , Add");
    objects_mut(&mut live)["scope"] = json!({"groups": [], "inputFilterGroups": [{"name": "kept"}]});
    mapping_mut(&mut live, "active")["source"] = function("Not(  [accountDisabled])", "[accountDisabled]");
    let name = mapping_mut(&mut live, "userName").as_object_mut().unwrap();
    for member in ["flowType", "defaultValue", "flowBehavior"] {
        name.remove(member);
    }
    let whole = users(&json!({
        "enabled": true, "flowTypes": ["Add", "Update"], "scope": {"groups": []},
        "attributeMappings": [
            {"targetAttributeName": "active", "expression": "Not([accountDisabled])"},
            {"targetAttributeName": "userName", "expression": " [userPrincipalName]", "defaultValue": "", "flowType": "Always", "flowBehavior": "FlowWhenChanged"},
        ],
    }));
    assert_eq!(expressions(&overlay(&whole, None), &live, &Expressions::default()), Vec::<String>::new());
    let merged = merged(&whole, &live, None);
    assert_eq!((texts(&merged.changes), merged.document, merged.owned), (vec![], live, 8));
}

#[test]
fn other_parts_of_a_filter_stay() {
    let mut live = schema();
    objects_mut(&mut live)["scope"] =
        json!({"groups": [{"name": "old", "clauses": []}], "inputFilterGroups": [{"name": "kept"}]});
    let none = users(&json!({"scope": {"groups": []}}));
    let mut document = merged(&none, &live, None).document;
    assert_eq!(objects_mut(&mut document)["scope"], json!({"groups": [], "inputFilterGroups": [{"name": "kept"}]}));
    let clause = json!({"attribute": "department", "operator": "IS NOT NULL", "values": []});
    let other = users(&json!({"scope": {"groups": [{"name": "new", "clauses": [clause]}]}}));
    let mut document = merged(&other, &live, None).document;
    let scope = &objects_mut(&mut document)["scope"];
    assert_eq!((&scope["groups"][0]["name"], &scope["inputFilterGroups"]), (&json!("new"), &json!([{"name": "kept"}])));
}

#[test]
fn a_new_mapping_has_the_members_of_its_siblings() {
    let mut live = schema();
    for target in ["userName", "displayName", "nickName", "active", "locale"] {
        mapping_mut(&mut live, target).as_object_mut().unwrap().remove("exportMissingReferences");
    }
    let wish = mapped(&json!([{"targetAttributeName": "title", "expression": "[mail]", "flowType": "ObjectAddOnly"}]));
    let expected = json!({
        "targetAttributeName": "title", "source": source("[mail]"), "defaultValue": null, "matchingPriority": 0,
        "flowBehavior": "FlowWhenChanged", "flowType": "ObjectAddOnly",
    });
    assert_eq!(mapping(&merged(&wish, &live, None).document, "title"), Some(&expected));
}

/// A job whose template has no such member yet.
#[test]
fn policy_exact_removes_what_is_not_listed_and_nothing_of_other_object_mappings() {
    let mut exact = mapped(
        &json!([{"targetAttributeName": "userName", "expression": "[userPrincipalName]"}, {"targetAttributeName": "active", "matchingPriority": 0}]),
    );
    exact.policy = Some(crate::api::sync_job::MappingPolicy::Exact);
    let first = merged(&exact, &schema(), None);
    let gone = ["displayName: [displayName]", "locale: (no source)", "nickName: [mailNickname]"];
    assert_eq!(texts(&first.changes), gone.map(|gone| format!("User → urn:User, {gone} → (none)")));
    let second = merged(&exact, &first.document, Some(&first.memory));
    assert_eq!((second.changes.len(), second.owned), (0, first.owned));
    exact.object_mappings[0].attribute_mappings.clear();
    exact.object_mappings[0].enabled = Some(true);
    assert_eq!(texts(&merged(&exact, &schema(), None).changes), Vec::<String>::new(), "a list of none empties nothing");
}

#[test]
fn a_change_of_somebody_else_is_respected_or_corrected_until_the_wish_changes() {
    let to = |expression: &str| mapped(&json!([{"targetAttributeName": "userName", "expression": expression}]));
    let first = merged(&to("[mail]"), &schema(), None);
    let seen = merged(&to("[mail]"), &first.document, Some(&first.memory)).memory;
    let mut live = first.document.clone();
    mapping_mut(&mut live, "userName")["source"] = source("[displayName]");

    let drifted = ["User → urn:User, userName: [mail] → [displayName]"];
    let respected = merged(&to("[mail]"), &live, Some(&seen));
    assert_eq!(
        (texts(&respected.drifted), respected.changes.len(), &respected.document),
        (drifted.map(str::to_owned).to_vec(), 0, &live)
    );
    assert_eq!(respected.memory, seen);

    let corrected = corrected(&to("[mail]"), &live, &seen);
    assert_eq!(texts(&corrected.changes), ["User → urn:User, userName: [displayName] → [mail]"]);
    assert!(corrected.corrects_only && texts(&corrected.drifted) == drifted);

    let changed = merged(&to("[department]"), &live, Some(&seen));
    assert_eq!(texts(&changed.changes), ["User → urn:User, userName: [displayName] → [department]"]);
    assert!(changed.drifted.is_empty() && !changed.corrects_only);
}

/// The memory is saved first, so that a schema can still be as it was.
#[test]
fn a_save_that_did_not_happen_is_repeated_and_is_no_change_of_somebody_else() {
    let everything = users(&json!({
        "enabled": false,
        "attributeDefinitions": [{"side": "Target", "name": "officeCode", "type": "String"}],
        "attributeMappings": [
            {"targetAttributeName": "userName", "expression": "[mail]"},
            {"targetAttributeName": "nickName", "state": "Absent"},
            {"targetAttributeName": "officeCode", "expression": "[department]", "matchingPriority": 2},
        ],
    }));
    let first = merged(&everything, &schema(), None);
    let again = merged(&everything, &schema(), Some(&first.memory));
    assert_eq!((&again.document, texts(&again.changes)), (&first.document, texts(&first.changes)));
    assert_eq!((again.drifted, again.memory), (vec![], first.memory));
}

#[test]
fn a_mapping_that_somebody_removed_is_respected_or_added_again() {
    let wish = mapped(&json!([{"targetAttributeName": "title", "expression": "[mail]", "matchingPriority": 3}]));
    let first = merged(&wish, &schema(), None);
    let seen = merged(&wish, &first.document, Some(&first.memory)).memory;
    let respected = merged(&wish, &schema(), Some(&seen));
    assert_eq!((respected.changes.len(), respected.drifted.len(), &respected.memory), (0, 1, &seen));
    let corrected = corrected(&wish, &schema(), &seen);
    assert!(corrected.corrects_only);
    assert_eq!(corrected.document, first.document);
}

/// Only a part of it was owned, so that there is no source to add it with.
#[test]
fn a_mapping_that_somebody_removed_is_not_added_without_a_source() {
    let to = |default: &str| mapped(&json!([{"targetAttributeName": "nickName", "defaultValue": default}]));
    let first = merged(&to("x"), &schema(), None);
    let seen = merged(&to("x"), &first.document, Some(&first.memory)).memory;
    let mut live = first.document;
    let entries = objects_mut(&mut live)["attributeMappings"].as_array_mut().unwrap();
    entries.retain(|entry| entry["targetAttributeName"] != "nickName");
    for wish in [to("x"), to("y")] {
        let respected = merged(&wish, &live, Some(&seen));
        assert_eq!((respected.drifted.len(), respected.changes.len(), &respected.document), (1, 0, &live));
    }
}

#[test]
fn a_mapping_that_somebody_brought_back_is_respected_or_removed_again() {
    let wish = mapped(&json!([{"targetAttributeName": "nickName", "state": "Absent"}]));
    let first = merged(&wish, &schema(), None);
    let seen = merged(&wish, &first.document, Some(&first.memory)).memory;
    let respected = merged(&wish, &schema(), Some(&seen));
    assert_eq!((respected.changes.len(), respected.drifted.len()), (0, 1));
    let corrected = corrected(&wish, &schema(), &seen);
    assert!(corrected.corrects_only && mapping(&corrected.document, "nickName").is_none());
}

#[test]
fn the_service_is_asked_for_what_only_it_can_say_and_after_two_rounds_for_nothing() {
    let wanted = mapped(&json!([
        {"targetAttributeName": "active", "expression": "Not( [department] )"},
        {"targetAttributeName": "nickName", "expression": "[mail]"},
    ]));
    let over = overlay(&wanted, None);
    let live = schema();
    assert_eq!(expressions(&over, &live, &Expressions::default()), ["Not( [department] )"]);
    let mut answers = known();
    answers.0.retain(|text, _| text == "Not( [department] )");
    assert_eq!(expressions(&over, &live, &answers), ["Not([accountDisabled])"]);
    answers.0.insert("Not([accountDisabled])".into(), Parsed::Refused("odd".into()));
    assert_eq!(expressions(&over, &live, &answers), Vec::<String>::new());

    // Once it is in place and remembered, nothing is asked at all.
    let first = merge(&over, &live, &answers).unwrap();
    let later = Overlay { memory: Some(&first.memory), drift: Drift::Correct, ..over };
    assert_eq!(expressions(&later, &first.document, &Expressions::default()), Vec::<String>::new());
    assert_eq!(merge(&later, &first.document, &Expressions::default()).unwrap().changes, vec![]);
}

#[test]
fn a_confirmation_is_for_exactly_these_changes_in_any_order() {
    let of = |entries: Value| merged(&mapped(&entries), &schema(), None).changes;
    let (one, two) = (
        json!({"targetAttributeName": "nickName", "state": "Absent"}),
        json!({"targetAttributeName": "title", "expression": "[mail]"}),
    );
    let both = of(json!([one, two]));
    assert_eq!(confirmation(&both), confirmation(&of(json!([two, one]))));
    assert_ne!(confirmation(&both), confirmation(&of(json!([one]))));
    assert_eq!(confirmation(&both).len(), 10);
}

#[test]
fn long_values_are_cut_in_text_only() {
    let long = format!("\"{}\"", "x".repeat(300));
    let changes =
        merged(&mapped(&json!([{"targetAttributeName": "title", "expression": long}])), &schema(), None).changes;
    assert_eq!(changes[0].values[0].after, long);
    assert!(changes[0].to_string().ends_with(&format!(" → \"{}…", "x".repeat(199))));
}
