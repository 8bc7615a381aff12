//! The schema that a job begins with: two object mappings with a few attributes each, one that nobody is shown, and a rule that
//! nobody may change.

use serde_json::{Value, json};

use super::expressions::source;

/// The rule that can be changed.
pub const RULE: &str = "USER_OUTBOUND";
/// The rule that cannot.
pub const READ_ONLY: &str = "READ_ONLY";
const SOURCE: &str = "Entra ID";
const TARGET: &str = "target";

pub fn template() -> Value {
    let users = [
        ("userName", "[userPrincipalName]", 1),
        ("displayName", "[displayName]", 0),
        ("title", "[jobTitle]", 0),
        ("active", "\"True\"", 0),
        ("mail", "ToLower([mail])", 0),
    ];
    let groups = [("displayName", "[displayName]", 1), ("externalId", "[objectId]", 0)];
    let hidden = json!({"name": null, "enabled": false, "flowTypes": "Add, Update", "sourceObjectName": "",
        "targetObjectName": "ServicePrincipal", "scope": null, "metadata": [{"key": "Hidden", "value": "true"}],
        "attributeMappings": [mapping("objectId", "", 1)]});
    let mapped = vec![objects("User", &users), objects("Group", &groups), hidden];
    json!({
        "id": "scim", "version": "v1.0", "provisioningTaskIdentifier": "task",
        "synchronizationRules": [
            rule(RULE, true, &mapped), rule(READ_ONLY, false, &[objects("Contact", &[("mail", "[mail]", 1)])]),
        ],
        "directories": [directory(SOURCE, "userPrincipalName displayName jobTitle mail department objectId"),
            directory(TARGET, "userName displayName title active mail nickName externalId objectId")],
    })
}

fn rule(name: &str, editable: bool, objects: &[Value]) -> Value {
    json!({"id": format!("id-of-{name}"), "name": name, "editable": editable, "priority": 1,
        "sourceDirectoryName": SOURCE, "targetDirectoryName": TARGET, "containerFilter": null, "groupFilter": null,
        "metadata": [{"key": "supports", "value": "{\"a\":[1,null]}"}], "objectMappings": objects})
}

fn objects(name: &str, attributes: &[(&str, &str, u32)]) -> Value {
    let mapped: Vec<Value> =
        attributes.iter().map(|&(target, text, priority)| mapping(target, text, priority)).collect();
    json!({"name": format!("Provision {name}"), "enabled": true, "flowTypes": "Add,Update", "sourceObjectName": name,
        "targetObjectName": name, "scope": null, "metadata": [], "attributeMappings": mapped})
}

pub fn mapping(target: &str, expression: &str, priority: u32) -> Value {
    let from = if expression.is_empty() { Value::Null } else { source(expression) };
    json!({"targetAttributeName": target, "source": from, "defaultValue": null, "matchingPriority": priority,
        "exportMissingReferences": false, "flowBehavior": "FlowWhenChanged", "flowType": "Always"})
}

fn directory(name: &str, attributes: &str) -> Value {
    let attribute = |name: &str| {
        json!({"name": name, "type": "String", "anchor": false, "caseExact": false,
        "multivalued": false, "required": false, "mutability": "ReadWrite", "referencedObjects": [], "metadata": []})
    };
    let object = |name: &str| {
        json!({"name": name, "supportedApis": [], "metadata": [],
        "attributes": attributes.split(' ').map(attribute).collect::<Vec<_>>()})
    };
    let all: Vec<Value> = ["User", "Group", "Contact", "ServicePrincipal"].map(object).to_vec();
    json!({"id": name, "name": name, "version": "v1.0", "readOnly": false, "discoverabilities": "None", "objects": all})
}
