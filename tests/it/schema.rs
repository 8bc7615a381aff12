//! The CRDs: what is in `crds/` is what the code says, and every field follows the rules for types.

use entrain::api::{KINDS, schema};
use serde_json::Value;

use crate::admission::rules;

#[test]
fn the_shipped_crds_are_those_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/crds/entrain.dev.yaml");
    let shipped = std::fs::read_to_string(path).unwrap_or_default();
    assert!(shipped == schema::yaml().unwrap(), "crds/ is stale: run `make crds`");
}

#[test]
fn every_field_follows_the_rules_for_types() {
    let mut offences = Vec::new();
    for crd in schema::custom_resource_definitions().unwrap() {
        let crd = serde_json::to_value(crd).unwrap();
        let versions = crd["spec"]["versions"].as_array().unwrap();
        assert!(!versions.is_empty());
        for version in versions {
            let root = &version["schema"]["openAPIV3Schema"];
            for part in ["spec", "status"] {
                walk(part, &root["properties"][part], &mut offences);
            }
            if has_key(&root["properties"]["spec"], "default") {
                offences.push("spec: a schema default is drift for GitOps tools".to_owned());
            }
            if root["properties"]["status"]["default"]["observedGeneration"] != -1 {
                offences.push("status: an object that nobody has looked at must say generation -1".to_owned());
            }
        }
        let text = crd.to_string();
        for word in ["\"nullable\"", "\"$ref\"", "preserveUnknownFields", "\"uint", "\"priority\":0", "[]"] {
            if text.contains(word) {
                offences.push(format!("the CRD holds {word}"));
            }
        }
        assert!(text.len() < 262_144, "the CRD cannot be applied client-side");
    }
    assert_eq!(offences, Vec::<String>::new());
}

/// Members of Graph's schema, which keep its names and its values: people compare them with what the portal exports.
const OF_GRAPH: [&str; 4] = [
    "spec.mappings.objectMappings[].enabled",
    "spec.mappings.objectMappings[].attributeDefinitions[].multivalued",
    "spec.mappings.objectMappings[].attributeDefinitions[].required",
    "spec.mappings.objectMappings[].attributeDefinitions[].caseExact",
];

/// What each field must be, whatever it means.
fn walk(path: &str, schema: &Value, offences: &mut Vec<String>) {
    let mut offend = |what: &str| offences.push(format!("{path}: {what}"));
    let name = path.rsplit('.').next().unwrap_or(path);
    if schema["description"].as_str().is_none_or(str::is_empty) && !path.ends_with("[]") {
        offend("has no description");
    }
    if name == "phase" || name.ends_with("Timestamp") || name.ends_with("Reference") || name.ends_with("Duration") {
        offend("has a name that the conventions forbid");
    }
    let bounded = |low: &str, high: &str| schema.get(low).is_some() && schema.get(high).is_some();
    match schema["type"].as_str() {
        Some("string") => {
            let closed = schema.get("enum").is_some() || schema["format"] == "date-time";
            if !closed && schema.get("maxLength").is_none() {
                offend("is a string without a limit");
            }
            for member in schema["enum"].as_array().into_iter().flatten() {
                if !member.as_str().is_some_and(|member| member.starts_with(|c: char| c.is_ascii_uppercase())) {
                    offend("has an enum member that is not CamelCase");
                }
            }
        }
        Some("integer") => {
            if path.starts_with("spec") && !bounded("minimum", "maximum") {
                offend("is a number without bounds");
            }
        }
        Some("array") => {
            if schema.get("maxItems").is_none() || schema.get("x-kubernetes-list-type").is_none() {
                offend("is a list without a limit or without a list type");
            }
        }
        Some("boolean") if path.starts_with("spec") && !OF_GRAPH.contains(&path) => {
            offend("is a boolean; say what the states are called");
        }
        Some("object") => {
            let values = &schema["additionalProperties"];
            let text = |schema: &Value| schema.get("maxLength").is_some();
            let limited = text(values) || values.get("maxItems").is_some() && text(&values["items"]);
            if values.is_object() && (schema.get("maxProperties").is_none() || !limited) {
                offend("is a map without limits");
            }
        }
        Some("boolean") => {}
        other => offend(&format!("has the type {other:?}")),
    }
    for (field, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{field}"), property, offences);
    }
    if schema["items"].is_object() {
        walk(&format!("{path}[]"), &schema["items"], offences);
    }
}

fn has_key(value: &Value, key: &str) -> bool {
    match value {
        Value::Object(map) => map.contains_key(key) || map.values().any(|value| has_key(value, key)),
        Value::Array(items) => items.iter().any(|item| has_key(item, key)),
        _ => false,
    }
}

#[test]
fn every_admission_rule_says_what_to_do_and_where() {
    for crd in schema::custom_resource_definitions().unwrap() {
        let text = serde_json::to_value(crd).unwrap();
        let root = &text["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let spec = &root["properties"]["spec"];
        for rule in rules(root) {
            assert!(rule["message"].as_str().is_some_and(|message| message.contains(" must ")), "{rule}");
        }
        let of_many_fields = [&root["x-kubernetes-validations"], &spec["x-kubernetes-validations"]];
        let of_many_fields: Vec<&Value> = of_many_fields.iter().flat_map(|rules| rules.as_array().unwrap()).collect();
        assert!(of_many_fields.len() >= 5);
        for rule in of_many_fields {
            // The schema of the whole object does not know `metadata`, so its rule cannot point there. Further down, the place
            // of the rule is the place in the message.
            let whole = rule["rule"].as_str().is_some_and(|rule| rule.contains("self.metadata"));
            assert!(whole || rule["fieldPath"].is_string(), "{rule}");
        }
    }
}

/// What no field of a spec may be about: a place that the operator would read or call for whoever may write the object.
const NOT_TO_CHOOSE: [&str; 12] = [
    "namespace",
    "url",
    "uri",
    "endpoint",
    "host",
    "server",
    "address",
    "proxy",
    "ca",
    "authority",
    "audience",
    "issuer",
];

#[test]
fn no_field_names_another_namespace_or_an_address() {
    let mut fields = Vec::new();
    for crd in schema::custom_resource_definitions().unwrap() {
        let crd = serde_json::to_value(crd).unwrap();
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap().to_owned();
        names(&kind, &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"], &mut fields);
    }
    // The fence says who may come in; it never says where the operator should go.
    let fence = |path: &str| path.starts_with("ClusterEntraTenant.allowedNamespaces");
    let chosen =
        |path: &&String| !fence(path) && words(path).any(|word| NOT_TO_CHOOSE.contains(&word.trim_end_matches('s')));
    assert!(fields.iter().any(|path| fence(path)) && fields.len() > 40, "{fields:?}");
    assert_eq!(fields.iter().filter(chosen).collect::<Vec<_>>(), Vec::<&String>::new());
    // A reference holds a name, and what is taken within the object.
    let references: Vec<&String> = fields.iter().filter(|path| path.contains("Ref.")).collect();
    let last = |path: &&&String| !["name", "kind", "key"].contains(&path.rsplit('.').next().unwrap());
    assert!(references.len() >= 6, "{references:?}");
    assert_eq!(references.iter().filter(last).collect::<Vec<_>>(), Vec::<&&String>::new());
}

/// The paths of all fields below.
fn names(path: &str, schema: &Value, found: &mut Vec<String>) {
    for (field, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{field}");
        names(&path, property, found);
        found.push(path);
    }
    if schema["items"].is_object() {
        names(path, &schema["items"], found);
    }
}

/// The words of the last name of a path, in lower case.
fn words(path: &str) -> impl Iterator<Item = String> {
    let mut words: Vec<String> = vec![String::new()];
    for letter in path.rsplit('.').next().unwrap().chars() {
        if letter.is_ascii_uppercase() {
            words.push(String::new());
        }
        words.last_mut().unwrap().push(letter.to_ascii_lowercase());
    }
    words.into_iter()
}

#[test]
fn a_name_falls_into_words() {
    assert_eq!(words("spec.caBundleUrl").collect::<Vec<_>>(), ["ca", "bundle", "url"]);
}

#[test]
fn the_list_of_kinds_says_what_the_crds_say() {
    let crds = schema::custom_resource_definitions().unwrap();
    assert_eq!(crds.len(), KINDS.len());
    for (kind, crd) in KINDS.iter().zip(crds) {
        let names = &crd.spec.names;
        assert_eq!((kind.name, kind.plural), (names.kind.as_str(), names.plural.as_str()));
        assert_eq!(kind.namespaced, crd.spec.scope == "Namespaced", "{}", kind.name);
        assert_eq!(crd.spec.group, entrain::api::GROUP);
    }
}
