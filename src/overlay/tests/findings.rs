//! What is refused, and in which words.

use serde_json::{Value, json};

use super::super::{FindingKind, Overlay, merge};
use super::{known, mapped, merged, overlay, refused, schema, texts, users, wish};
use crate::api::sync_job::{MappingPolicy, Mappings};

fn only(wish: &Mappings) -> (FindingKind, String) {
    let found = refused(wish);
    assert_eq!(found.len(), 1, "{found:?}");
    (found[0].kind, found[0].message.clone())
}

fn invalid(entry: &Value) -> String {
    let (kind, message) = only(&mapped(&json!([entry])));
    assert_eq!(kind, FindingKind::Invalid);
    message
}

#[test]
fn what_is_wrong_with_an_attribute_is_said_with_the_nearest_names_and_the_remedy() {
    let expression =
        |target: &str, expression: &str| invalid(&json!({"targetAttributeName": target, "expression": expression}));
    let cases = [
        (
            expression("titel", "[mail]"),
            "titel: urn:User has no attribute 'titel'. The nearest: 'title'. Correct the name, or add it to `attributeDefinitions`.",
        ),
        (
            expression("title", "[mial]"),
            "title: User has no attribute 'mial'. The nearest: 'mail'. Correct the name, or add it to `attributeDefinitions`.",
        ),
        (expression("id", "[mail]"), "id: 'id' is read-only in urn:User. Take the entry out."),
        (expression("title", "Not("), "title: the service cannot parse the expression: ')' is missing"),
        (
            expression("title", "Upper([mail])"),
            "title: this cloud has no route that parses expressions, so that only `[attribute]` and `\"constant\"` can be used.",
        ),
        (expression("title", "Not([mail])"), "title: the service has not parsed the expression yet."),
        (
            invalid(&json!({"targetAttributeName": "title", "matchingPriority": 1})),
            "title: the attribute is not mapped, and a mapping that is not there yet needs an `expression`.",
        ),
        (
            invalid(&json!({"targetAttributeName": "titel", "state": "Absent"})),
            "titel: urn:User has no attribute 'titel'. The nearest: 'title'. Correct the name.",
        ),
        (
            invalid(&json!({"targetAttributeName": "userName", "state": "Absent"})),
            "userName: urn:User must have 'userName', so that its mapping cannot be removed. Take `state` out.",
        ),
        (
            expression("title", &format!("\"{}\"", "x".repeat(9_999))),
            "title: the expression has 10001 characters, and the service takes 10000. Shorten it.",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, format!("User → urn:User, {expected}"));
    }
}

#[test]
fn a_filter_by_what_the_service_does_not_filter_by_is_refused() {
    let by = |attribute: &str| {
        let clause = json!({"attribute": attribute, "operator": "IS NOT NULL"});
        only(&users(&json!({"scope": {"groups": [{"name": "g", "clauses": [clause]}]}}))).1
    };
    for attribute in ["userType", "manager", "appRoleAssignments"] {
        assert_eq!(
            by(attribute),
            format!("User → urn:User, scope: the service does not filter by '{attribute}'. Take another attribute.")
        );
    }
    assert!(by("hired").contains("'hired' is a date"), "{}", by("hired"));
    assert!(by("proxyAddresses").contains("'proxyAddresses' is multi-valued"));
    assert!(by("departmnt").contains("The nearest: 'department'."));
}

#[test]
fn an_attribute_that_is_declared_exists() {
    let wish = users(&json!({
        "attributeDefinitions": [{"side": "Target", "name": "code", "type": "String"}, {"side": "Source", "name": "ext_code", "type": "String"}],
        "scope": {"groups": [{"name": "g", "clauses": [{"attribute": "ext_code", "operator": "IS NOT NULL"}]}]},
        "attributeMappings": [{"targetAttributeName": "code", "expression": "[ext_code]"}],
    }));
    assert_eq!(merged(&wish, &schema(), None).changes.len(), 4);
    let other = users(&json!({"attributeDefinitions": [{"side": "Target", "name": "title", "type": "Integer"}]}));
    assert_eq!(
        only(&other).1,
        "User → urn:User, attributeDefinitions title: its type is String and not Integer. Write the type that it has."
    );
    let flag = users(
        &json!({"attributeDefinitions": [{"side": "Target", "name": "title", "type": "String", "multivalued": true}]}),
    );
    assert_eq!(
        only(&flag).1,
        "User → urn:User, attributeDefinitions title: `multivalued` is false. Write what it has, or leave `multivalued` out."
    );
}

/// Of groups and of the rule's other side nothing is known.
#[test]
fn what_the_schema_does_not_list_is_not_refused() {
    let groups = json!({"sourceObjectName": "Group", "targetObjectName": "urn:Group", "attributeMappings": [{"targetAttributeName": "anything", "expression": "[whatever]"}]});
    assert_eq!(merged(&wish(&json!({"objectMappings": [groups]})), &schema(), None).changes.len(), 1);
}

#[test]
fn object_mappings_are_found_by_both_names_and_never_a_hidden_one() {
    let of = |source: &str, target: &str| {
        wish(&json!({"objectMappings": [{"sourceObjectName": source, "targetObjectName": target, "enabled": false}]}))
    };
    assert_eq!(merged(&of("USER", "urn:user"), &schema(), None).changes.len(), 1);
    let (kind, message) = only(&of("User", "urn:Usr"));
    assert_eq!(
        (kind, message.as_str()),
        (
            FindingKind::Invalid,
            "User → urn:Usr: the schema has no such object mapping. The nearest: 'User → urn:User'. Correct the names."
        )
    );
    assert_eq!(only(&of("", "User")).0, FindingKind::Invalid);
}

#[test]
fn names_that_mean_several_things_are_ambiguous() {
    let found = |wish: &Mappings, live: &Value| merge(&overlay(wish, None), live, &known()).unwrap_err();
    let mut live = schema();
    let entries = live["synchronizationRules"][0]["objectMappings"][1]["attributeMappings"].as_array_mut().unwrap();
    let mut twin = entries[2].clone();
    entries.push(twin.clone());
    let wish_for = |target: &str| mapped(&json!([{"targetAttributeName": target, "expression": "[mail]"}]));
    let message = "User → urn:User, nickName: the schema has several such attribute mappings: 'nickName', 'nickName'. Write the exact name, or remove the double in Entra ID.";
    let double = found(&wish_for("nickName"), &live);
    assert_eq!((double[0].kind, texts(&double)), (FindingKind::Ambiguous, vec![message.to_owned()]));

    let mut live = schema();
    twin["targetAttributeName"] = json!("NICKNAME");
    live["synchronizationRules"][0]["objectMappings"][1]["attributeMappings"].as_array_mut().unwrap().push(twin);
    assert_eq!(found(&wish_for("nickname"), &live)[0].kind, FindingKind::Ambiguous);
    assert!(merge(&overlay(&wish_for("NICKNAME"), None), &live, &known()).is_ok());

    let mut live = schema();
    let copy = live["synchronizationRules"][0]["objectMappings"][1].clone();
    live["synchronizationRules"][1]["objectMappings"].as_array_mut().unwrap().push(copy);
    let several = found(&wish_for("nickName"), &live);
    assert_eq!(several[0].kind, FindingKind::Ambiguous);
    assert!(several[0].message.ends_with("in the rules 'OUT', 'IN'. Set `ruleName` to one of them."), "{several:?}");
    let named = Mappings { rule_name: Some("out".into()), ..wish_for("nickName") };
    assert!(merge(&overlay(&named, None), &live, &known()).is_ok());
    let filter = wish(&json!({"containerFilter": {"includedContainers": ["OU=A"]}}));
    assert_eq!(only(&filter).0, FindingKind::Ambiguous);
}

#[test]
fn a_rule_that_is_read_only_is_left_alone() {
    let roles = json!({"sourceObjectName": "Role", "targetObjectName": "AppRole", "enabled": false});
    assert_eq!(
        only(&wish(&json!({"objectMappings": [roles]}))),
        (
            FindingKind::ReadOnly,
            "Role → AppRole: the rule IN is read-only in Entra ID. Take the object mapping out.".to_owned()
        )
    );
    let filter = wish(&json!({"ruleName": "IN", "groupFilter": {"includedGroups": ["CN=G"]}}));
    assert_eq!(only(&filter).0, FindingKind::ReadOnly);
}

#[test]
fn functions_of_assignments_need_a_scope_of_assignments() {
    let roles = mapped(
        &json!([{"targetAttributeName": "title", "expression": "SingleAppRoleAssignment([appRoleAssignments])"}]),
    );
    let found = |everyone| merge(&Overlay { everyone, ..overlay(&roles, None) }, &schema(), &known()).unwrap_err();
    assert!(found(true)[0].message.contains("`spec.scope` is All"), "{:?}", found(true));
    assert!(!found(false)[0].message.contains("`spec.scope` is All"));
    let text = mapped(&json!([{"targetAttributeName": "title", "expression": "\"AppRoleAssignment\""}]));
    assert!(merge(&Overlay { everyone: true, ..overlay(&text, None) }, &schema(), &known()).is_ok());
}

#[test]
fn all_findings_come_at_once_and_in_the_order_of_the_wish() {
    let entry = |target: &str| json!({"targetAttributeName": target, "expression": "[mial]"});
    let objects = json!({
        "sourceObjectName": "User", "targetObjectName": "urn:User",
        "scope": {"groups": [{"name": "g", "clauses": [{"attribute": "manager", "operator": "IS NULL"}]}]},
        "attributeMappings": [entry("title"), entry("Title"), entry("id")],
    });
    let unknown = json!({"sourceObjectName": "Device", "targetObjectName": "urn:Device"});
    let found = refused(&wish(&json!({"objectMappings": [unknown, objects]})));
    let places: Vec<&str> = found.iter().filter_map(|finding| finding.message.split(": ").next()).collect();
    let users = ["scope", "Title", "title", "Title", "id", "id"].map(|part| format!("User → urn:User, {part}"));
    assert_eq!(places[0], "Device → urn:Device");
    assert_eq!(places[1..], users);
}

#[test]
fn policy_exact_does_not_remove_what_an_object_must_have() {
    let exact = Mappings {
        policy: Some(MappingPolicy::Exact),
        ..mapped(&json!([{"targetAttributeName": "active", "matchingPriority": 0}]))
    };
    assert_eq!(
        only(&exact).1,
        "User → urn:User, userName: urn:User must have 'userName', so that its mapping cannot be removed. Policy Exact removes what is not listed: list it."
    );
}
