//! The schema that a connector begins with: one rule for users, two directories (CONTRACT §3.8).

use serde_json::{Value, json};
use uuid::Uuid;

use super::catalog::Template;

pub fn schema(id: &str, template_id: &str, template: &Template) -> Value {
    json!({
        "id": id, "version": "v1.2",
        "synchronizationRules": [{
            "id": rule_id(template_id), "name": template.rule, "priority": 1, "editable": true,
            "sourceDirectoryName": "Microsoft Entra ID", "targetDirectoryName": template.target_directory,
            "containerFilter": null, "groupFilter": null,
            "metadata": [{"key": "supportsProvisionOnDemand", "value": "True"}],
            "objectMappings": [{
                "name": format!("Synchronize users to {}", template.target_directory),
                "enabled": true, "flowTypes": "Add, Update, Delete",
                "sourceObjectName": "User", "targetObjectName": "User", "scope": null,
                "metadata": [{"key": "EscrowBehavior", "value": "Default"}],
                "attributeMappings": [
                    mapping("userName", "[userPrincipalName]", "Attribute", 1),
                    mapping("active", "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")", "Function", 0),
                    mapping("displayName", "[displayName]", "Attribute", 0),
                ],
            }],
        }],
        "directories": [
            directory(template_id, "Microsoft Entra ID", true, &["userPrincipalName", "displayName", "mail", "IsSoftDeleted"]),
            directory(template_id, &template.target_directory, false, &["userName", "displayName", "active"]),
        ],
    })
}

/// The same for the same template, so that clients can read it and use it.
pub fn rule_id(template_id: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("rule {template_id}").as_bytes()).to_string()
}

fn mapping(target: &str, expression: &str, kind: &str, priority: u32) -> Value {
    let name = expression.split(['(', '[', ']']).find(|part| !part.is_empty()).unwrap_or_default();
    json!({
        "targetAttributeName": target, "defaultValue": null, "matchingPriority": priority,
        "exportMissingReferences": false, "flowBehavior": "FlowWhenChanged", "flowType": "Always",
        "source": {"type": kind, "name": name, "expression": expression, "parameters": []},
    })
}

fn directory(template_id: &str, name: &str, source: bool, attributes: &[&str]) -> Value {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("directory {template_id} {name}").as_bytes());
    let attributes: Vec<Value> = attributes.iter().map(|name| attribute(name)).collect();
    json!({
        "id": id, "name": name, "readOnly": source, "version": "v1.2", "discoveryDateTime": null,
        "discoverabilities": if source { "None" } else { "AttributeNames, AttributeDataTypes" },
        "objects": [{"name": "User", "supportedApis": [], "metadata": [], "attributes": attributes}],
    })
}

pub fn attribute(name: &str) -> Value {
    json!({
        "name": name, "type": "String", "anchor": false, "caseExact": false, "multivalued": false, "required": false,
        "flowNullValues": false, "mutability": "ReadWrite", "defaultValue": null, "apiExpressions": [],
        "referencedObjects": [], "metadata": [],
    })
}
