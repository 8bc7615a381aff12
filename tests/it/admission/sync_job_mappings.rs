//! Mappings that are refused, and those that are not: among them the ten edits that people make most.

use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn mappings(members: &Value) -> Value {
    json!({"mappings": members})
}

/// One object mapping with these members.
fn objects(members: &Value) -> Value {
    let mut object = json!({"sourceObjectName": "User", "targetObjectName": USER});
    super::lay(&mut object, members);
    mappings(&json!({"objectMappings": [object]}))
}

/// One attribute mapping.
fn attribute(mapping: &Value) -> Value {
    objects(&json!({"attributeMappings": [mapping]}))
}

/// One attribute mapping of `userName` with this member.
fn user_name(member: &str, value: Value) -> Value {
    let mut mapping = json!({"targetAttributeName": "userName"});
    mapping[member] = value;
    attribute(&mapping)
}

fn definition(members: &Value) -> Value {
    let mut definition = json!({"side": "Target", "name": "officeCode", "type": "String"});
    super::lay(&mut definition, members);
    objects(&json!({"attributeDefinitions": [definition]}))
}

fn clause(members: &Value) -> Value {
    let mut clause = json!({"attribute": "department", "operator": "EQUALS", "values": ["Sales"]});
    super::lay(&mut clause, members);
    objects(&json!({"scope": {"groups": [{"name": "sales", "clauses": [clause]}]}}))
}

fn groups(groups: &Value) -> Value {
    objects(&json!({"scope": {"groups": groups}}))
}

fn test(members: &Value) -> Value {
    let mut test = json!({"name": "contractors", "targetAttributeName": "displayName", "expect": ["EXT Anna"]});
    super::lay(&mut test, members);
    mappings(&json!({"tests": [test]}))
}

fn many(count: usize, item: impl Fn(usize) -> Value) -> Value {
    (0..count).map(item).collect()
}

/// What is laid over a good spec, and what the refusal must say.
pub fn refused() -> Vec<(Value, &'static str)> {
    [whole(), objects_refused(), attributes_refused(), expressions(), definitions(), scopes(), tests(), limits()]
        .concat()
}

fn whole() -> Vec<(Value, &'static str)> {
    let containers = |all: Value| mappings(&json!({"containerFilter": {"includedContainers": all}}));
    let included = |all: Value| mappings(&json!({"groupFilter": {"includedGroups": all}}));
    vec![
        (
            mappings(&json!({"policy": "Replace"})),
            "spec.mappings.policy: Unsupported value: \"Replace\": supported values: \"Merge\", \"Exact\"",
        ),
        (
            mappings(&json!({"onRelease": "Delete"})),
            "spec.mappings.onRelease: Unsupported value: \"Delete\": supported values: \"Restore\", \"Keep\"",
        ),
        (mappings(&json!({"ruleName": ""})), "spec.mappings.ruleName: Invalid value"),
        (
            mappings(&json!({"ruleName": "USER_OUTBOUND_USER "})),
            "spec.mappings.ruleName: Invalid value: \"USER_OUTBOUND_USER \": the name must be one of the schema of the job",
        ),
        (mappings(&json!({"attributeMappings": []})), "unknown field \"spec.mappings.attributeMappings\""),
        (mappings(&json!({"containerFilter": {}})), "spec.mappings.containerFilter.includedContainers: Required value"),
        (containers(json!([""])), "spec.mappings.containerFilter.includedContainers[0]: Invalid value"),
        (containers(json!(["OU=a", "OU=a"])), "containerFilter.includedContainers[1]: Duplicate value: \"OU=a\""),
        (mappings(&json!({"groupFilter": {}})), "spec.mappings.groupFilter.includedGroups: Required value"),
        (included(json!([""])), "spec.mappings.groupFilter.includedGroups[0]: Invalid value"),
        (included(json!(["CN=a", "CN=a"])), "groupFilter.includedGroups[1]: Duplicate value: \"CN=a\""),
    ]
}

fn objects_refused() -> Vec<(Value, &'static str)> {
    let name = "spec.mappings.objectMappings[0].sourceObjectName: Invalid value: \" User\": the name must be one of the schema of the job, such as 'User', without spaces around it";
    let twice = json!({"sourceObjectName": "User", "targetObjectName": USER});
    let flow_types = |value: Value| objects(&json!({"flowTypes": value}));
    vec![
        (
            objects(&json!({"sourceObjectName": null})),
            "spec.mappings.objectMappings[0].sourceObjectName: Required value",
        ),
        (
            objects(&json!({"targetObjectName": null})),
            "spec.mappings.objectMappings[0].targetObjectName: Required value",
        ),
        (objects(&json!({"sourceObjectName": ""})), "spec.mappings.objectMappings[0].sourceObjectName: Invalid value"),
        (objects(&json!({"sourceObjectName": " User"})), name),
        (
            objects(&json!({"targetObjectName": "User\t"})),
            "targetObjectName: Invalid value: \"User\\t\": the name must be one of the schema of the job",
        ),
        (
            mappings(&json!({"objectMappings": [twice, twice]})),
            "spec.mappings.objectMappings[1]: Duplicate value: {\"sourceObjectName\":\"User\",\"targetObjectName\":",
        ),
        (objects(&json!({"enabled": "false"})), "spec.mappings.objectMappings[0].enabled: Invalid value: \"string\""),
        (objects(&json!({"ruleName": "a"})), "unknown field \"spec.mappings.objectMappings[0].ruleName\""),
        (
            flow_types(json!(["Add", "Disable"])),
            "flowTypes[1]: Unsupported value: \"Disable\": supported values: \"Add\", \"Update\", \"Delete\"",
        ),
        (flow_types(json!(["Add", "Add"])), "spec.mappings.objectMappings[0].flowTypes[1]: Duplicate value: \"Add\""),
        (flow_types(json!("Add, Update")), "spec.mappings.objectMappings[0].flowTypes: Invalid value: \"string\""),
        (
            flow_types(json!([])),
            "spec.mappings.objectMappings[0].flowTypes: Invalid value: `flowTypes` must not be empty: to switch off the provisioning of such objects, set `enabled: false`",
        ),
    ]
}

fn attributes_refused() -> Vec<(Value, &'static str)> {
    let at = "spec.mappings.objectMappings[0].attributeMappings[0]: Invalid value: an attribute mapping with `state: Absent` must have no other member than `targetAttributeName`: it is removed";
    let absent = |member: &str, value: Value| {
        let mut mapping = json!({"targetAttributeName": "nickName", "state": "Absent"});
        mapping[member] = value;
        attribute(&mapping)
    };
    let nothing = "spec.mappings.objectMappings[0].attributeMappings[0]: Invalid value: an attribute mapping must say something of the attribute: `expression`, `defaultValue`, `matchingPriority`, `flowType`, `flowBehavior` or `state`";
    let twice = json!({"targetAttributeName": "userName", "matchingPriority": 1});
    vec![
        (absent("expression", json!("[mail]")), at),
        (absent("defaultValue", json!("")), at),
        (absent("matchingPriority", json!(0)), at),
        (absent("flowType", json!("Always")), at),
        (absent("flowBehavior", json!("FlowAlways")), at),
        (attribute(&json!({"targetAttributeName": "userName"})), nothing),
        (attribute(&json!({"expression": "[mail]"})), "attributeMappings[0].targetAttributeName: Required value"),
        (
            attribute(&json!({"targetAttributeName": "", "expression": "[mail]"})),
            "attributeMappings[0].targetAttributeName: Invalid value",
        ),
        (
            attribute(&json!({"targetAttributeName": "userName ", "expression": "[mail]"})),
            "targetAttributeName: Invalid value: \"userName \": the name must be one of an attribute, such as 'userName', without spaces around it",
        ),
        (
            objects(&json!({"attributeMappings": [twice, twice]})),
            "attributeMappings[1]: Duplicate value: {\"targetAttributeName\":\"userName\"}",
        ),
        (
            user_name("source", json!({"name": "mail"})),
            "unknown field \"spec.mappings.objectMappings[0].attributeMappings[0].source\"",
        ),
        (
            user_name("state", json!("Removed")),
            "state: Unsupported value: \"Removed\": supported values: \"Present\", \"Absent\"",
        ),
        (
            user_name("flowType", json!("OnCreate")),
            "flowType: Unsupported value: \"OnCreate\": supported values: \"Always\", \"ObjectAddOnly\", \"MultiValueAddOnly\", \"ValueAddOnly\", \"AttributeAddOnly\"",
        ),
        (
            user_name("flowBehavior", json!("Always")),
            "flowBehavior: Unsupported value: \"Always\": supported values: \"FlowWhenChanged\", \"FlowAlways\"",
        ),
        (user_name("matchingPriority", json!(-1)), "matchingPriority in body should be greater than or equal to 0"),
        (user_name("matchingPriority", json!(101)), "matchingPriority in body should be less than or equal to 100"),
        (user_name("defaultValue", json!(false)), "attributeMappings[0].defaultValue: Invalid value: \"boolean\""),
        (user_name("defaultValue", json!("v".repeat(1025))), "defaultValue: Too long: may not be more than 1024 bytes"),
    ]
}

fn expressions() -> Vec<(Value, &'static str)> {
    let empty = "the expression must not be empty: to remove the mapping, set `state: Absent`";
    vec![
        (user_name("expression", json!("")), "attributeMappings[0].expression: Invalid value"),
        (user_name("expression", json!(" \n")), empty),
        (
            user_name("expression", json!("x".repeat(10_001))),
            "attributeMappings[0].expression: Too long: may not be more than 10000 bytes",
        ),
        // What YAML makes of `expression: [mail]` without quotation marks.
        (user_name("expression", json!(["mail"])), "attributeMappings[0].expression: Invalid value: \"array\""),
    ]
}

fn definitions() -> Vec<(Value, &'static str)> {
    let good = json!({"side": "Target", "name": "officeCode", "type": "String"});
    vec![
        (definition(&json!({"side": null})), "attributeDefinitions[0].side: Required value"),
        (
            definition(&json!({"side": "Both"})),
            "side: Unsupported value: \"Both\": supported values: \"Source\", \"Target\"",
        ),
        (definition(&json!({"name": null})), "attributeDefinitions[0].name: Required value"),
        (
            definition(&json!({"name": " officeCode"})),
            "attributeDefinitions[0].name: Invalid value: \" officeCode\": the name must be one of an attribute",
        ),
        (definition(&json!({"type": null})), "attributeDefinitions[0].type: Required value"),
        (
            definition(&json!({"type": "Number"})),
            "type: Unsupported value: \"Number\": supported values: \"String\", \"Integer\", \"Reference\", \"Binary\", \"Boolean\", \"DateTime\"",
        ),
        (definition(&json!({"multivalued": "yes"})), "attributeDefinitions[0].multivalued: Invalid value: \"string\""),
        (
            objects(&json!({"attributeDefinitions": [good, good]})),
            "attributeDefinitions[1]: Duplicate value: {\"name\":\"officeCode\",\"side\":\"Target\"}",
        ),
    ]
}

fn scopes() -> Vec<(Value, &'static str)> {
    let good = json!({"attribute": "department", "operator": "IS NOT NULL"});
    let group = |name: &str| json!({"name": name, "clauses": [good]});
    vec![
        (objects(&json!({"scope": {}})), "spec.mappings.objectMappings[0].scope.groups: Required value"),
        (groups(&json!([{"clauses": [good]}])), "scope.groups[0].name: Required value"),
        (groups(&json!([group("")])), "scope.groups[0].name: Invalid value"),
        (groups(&json!([group(&"n".repeat(129))])), "scope.groups[0].name: Too long: may not be more than 128 bytes"),
        (groups(&json!([group("a"), group("a")])), "scope.groups[1]: Duplicate value: {\"name\":\"a\"}"),
        (groups(&json!([{"name": "a"}])), "scope.groups[0].clauses: Required value"),
        (
            groups(&json!([{"name": "a", "clauses": []}])),
            "scope.groups[0].clauses in body should have at least 1 items",
        ),
        (clause(&json!({"attribute": null})), "clauses[0].attribute: Required value"),
        (
            clause(&json!({"attribute": "department "})),
            "attribute: Invalid value: \"department \": the name must be one of an attribute",
        ),
        (clause(&json!({"operator": null})), "clauses[0].operator: Required value"),
        (
            clause(&json!({"operator": " EQUALS"})),
            "operator: Invalid value: \" EQUALS\": the operator must be one of Graph's names, such as 'EQUALS' or 'REGEX MATCH', without spaces around it",
        ),
        (clause(&json!({"operator": "E".repeat(65)})), "operator: Too long: may not be more than 64 bytes"),
        (clause(&json!({"values": "Sales"})), "clauses[0].values: Invalid value: \"string\""),
        (clause(&json!({"values": ["v".repeat(1025)]})), "values[0]: Too long: may not be more than 1024 bytes"),
    ]
}

fn tests() -> Vec<(Value, &'static str)> {
    let good = json!({"name": "a", "targetAttributeName": "displayName", "expect": []});
    vec![
        (test(&json!({"name": null})), "spec.mappings.tests[0].name: Required value"),
        (test(&json!({"name": ""})), "spec.mappings.tests[0].name: Invalid value"),
        (mappings(&json!({"tests": [good, good]})), "spec.mappings.tests[1]: Duplicate value: {\"name\":\"a\"}"),
        (test(&json!({"targetAttributeName": null})), "spec.mappings.tests[0].targetAttributeName: Required value"),
        (
            test(&json!({"targetAttributeName": " a"})),
            "tests[0].targetAttributeName: Invalid value: \" a\": the name must be one of an attribute",
        ),
        (
            test(&json!({"targetObjectName": "User "})),
            "tests[0].targetObjectName: Invalid value: \"User \": the name must be one of the schema",
        ),
        (test(&json!({"expect": null})), "spec.mappings.tests[0].expect: Required value"),
        (test(&json!({"expect": "EXT Anna"})), "spec.mappings.tests[0].expect: Invalid value: \"string\""),
        (test(&json!({"expect": ["v".repeat(4097)]})), "expect[0]: Too long: may not be more than 4096 bytes"),
        (test(&json!({"given": {"displayName": ["Anna"]}})), "tests[0].given.displayName: Invalid value: \"array\""),
        (
            test(&json!({"givenCollections": {"roles": "a"}})),
            "tests[0].givenCollections.roles: Invalid value: \"string\"",
        ),
    ]
}

fn limits() -> Vec<(Value, &'static str)> {
    let object = |n: usize| json!({"sourceObjectName": format!("o{n}"), "targetObjectName": "User"});
    let mapping = |n: usize| json!({"targetAttributeName": format!("a{n}"), "state": "Absent"});
    let clauses = |n: usize| json!({"attribute": format!("a{n}"), "operator": "IS NULL"});
    let defined = |n: usize| json!({"side": "Target", "name": format!("a{n}"), "type": "String"});
    let tried = |n: usize| json!({"name": format!("t{n}"), "targetAttributeName": "a", "expect": []});
    let group = |n: usize| json!({"name": format!("g{n}"), "clauses": [clauses(n)]});
    let text = |n: usize| json!(format!("v{n}"));
    let given = |count: usize| (0..count).map(|n| (format!("a{n}"), text(n))).collect::<serde_json::Map<_, _>>();
    let collections = (0..17).map(|n| (format!("a{n}"), json!([]))).collect::<serde_json::Map<_, _>>();
    vec![
        (
            mappings(&json!({"ruleName": "r".repeat(257)})),
            "spec.mappings.ruleName: Too long: may not be more than 256 bytes",
        ),
        (
            mappings(&json!({"objectMappings": many(17, object)})),
            "objectMappings: Too many: 17: must have at most 16 items",
        ),
        (
            objects(&json!({"attributeMappings": many(129, mapping)})),
            "attributeMappings: Too many: 129: must have at most 128 items",
        ),
        (
            objects(&json!({"attributeDefinitions": many(65, defined)})),
            "attributeDefinitions: Too many: 65: must have at most 64 items",
        ),
        (
            objects(&json!({"sourceObjectName": "o".repeat(257)})),
            "sourceObjectName: Too long: may not be more than 256",
        ),
        (
            attribute(&json!({"targetAttributeName": "a".repeat(513), "state": "Absent"})),
            "targetAttributeName: Too long: may not be more than 512 bytes",
        ),
        (groups(&many(17, group)), "scope.groups: Too many: 17: must have at most 16 items"),
        (
            groups(&json!([{"name": "a", "clauses": many(33, clauses)}])),
            "clauses: Too many: 33: must have at most 32 items",
        ),
        (clause(&json!({"values": many(65, text)})), "values: Too many: 65: must have at most 64 items"),
        (mappings(&json!({"tests": many(33, tried)})), "spec.mappings.tests: Too many: 33: must have at most 32 items"),
        (test(&json!({"given": given(65)})), "tests[0].given: Too many: 65: must have at most 64 items"),
        (test(&json!({"givenCollections": collections})), "givenCollections: Too many: 17: must have at most 16 items"),
        (test(&json!({"given": {"a": "v".repeat(4097)}})), "tests[0].given.a: Too long: may not be more than 4096"),
        (
            test(&json!({"givenCollections": {"a": many(65, text)}})),
            "givenCollections.a: Too many: 65: must have at most",
        ),
        (test(&json!({"givenCollections": {"a": ["v".repeat(4097)]}})), "givenCollections.a[0]: Too long: may not be"),
        (test(&json!({"expect": many(65, text)})), "expect: Too many: 65: must have at most 64 items"),
        (
            mappings(&json!({"containerFilter": {"includedContainers": many(65, text)}})),
            "includedContainers: Too many: 65: must have at most 64 items",
        ),
        (
            mappings(&json!({"groupFilter": {"includedGroups": many(65, text)}})),
            "includedGroups: Too many: 65: must have at most 64 items",
        ),
    ]
}

pub fn accepted() -> Vec<Value> {
    [edits(), at_the_limits()].concat()
}

/// The ten edits that people make most, as they are written.
fn edits() -> Vec<Value> {
    let employee = format!("{USER}:employeeNumber");
    let student = "urn:ietf:params:scim:schemas:extension:fint:2.0:User:studentNumber";
    let groups_off = json!({"objectMappings": [
        {"sourceObjectName": "Group", "targetObjectName": "urn:ietf:params:scim:schemas:core:2.0:Group", "enabled": false},
    ]});
    let domain = json!({"attribute": "userPrincipalName", "operator": "REGEX MATCH", "values": [r".*\@contoso\.com"]});
    let roles = "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])";
    let active = r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#;
    vec![
        attribute(&json!({"targetAttributeName": "externalId", "expression": "[objectId]"})),
        objects(&json!({"attributeMappings": [
            {"targetAttributeName": employee, "expression": "[employeeId]", "matchingPriority": 1},
            {"targetAttributeName": "userName", "matchingPriority": 2},
        ]})),
        objects(&json!({
            "attributeDefinitions": [{"side": "Target", "name": student, "type": "String"}],
            "attributeMappings": [{"targetAttributeName": student, "expression": "[extensionAttribute9]"}],
        })),
        attribute(&json!({"targetAttributeName": "title", "state": "Absent"})),
        mappings(&groups_off),
        user_name("expression", json!("\"Member\"")),
        attribute(&json!({"targetAttributeName": "locale", "expression": "[preferredLanguage]", "defaultValue": "en"})),
        attribute(&json!({"targetAttributeName": "roles", "expression": roles})),
        attribute(&json!({"targetAttributeName": "active", "expression": active})),
        groups(&json!([{"name": "domain", "clauses": [domain]}])),
        groups(&json!([])),
        mappings(&json!({"containerFilter": {"includedContainers": ["OU=CloudUsers,DC=contoso,DC=lab"]}})),
        mappings(&json!({"groupFilter": {"includedGroups": []}})),
        objects(&json!({"flowTypes": ["Add", "Update"]})),
        attribute(&json!({"targetAttributeName": "displayName", "flowType": "ObjectAddOnly"})),
    ]
}

fn at_the_limits() -> Vec<Value> {
    let priority = |n: usize| json!({"targetAttributeName": format!("{n:0>512}"), "matchingPriority": 100});
    let given = json!({"displayName": "Anna", "employeeType": "Contractor"});
    let odd = r#"emails[type eq "work"].value"#;
    vec![
        mappings(&json!({})),
        mappings(
            &json!({"ruleName": "USER_OUTBOUND_USER", "policy": "Exact", "onRelease": "Keep", "objectMappings": []}),
        ),
        objects(&json!({"enabled": true, "flowTypes": ["Delete"], "attributeMappings": many(128, priority)})),
        user_name("expression", json!("x".repeat(10_000))),
        user_name("defaultValue", json!("")),
        user_name("state", json!("Present")),
        attribute(
            &json!({"targetAttributeName": odd, "state": "Present", "expression": "[mail]", "flowBehavior": "FlowAlways"}),
        ),
        clause(&json!({"operator": "IS TRUE", "values": null})),
        clause(&json!({"operator": "SomethingNew"})),
        definition(&json!({"side": "Source", "multivalued": true, "required": false, "caseExact": true})),
        test(&json!({"given": given, "givenCollections": {"roles": ["a", "b"]}, "targetObjectName": USER})),
        test(&json!({"expect": []})),
    ]
}
