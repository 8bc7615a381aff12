//! What SyncJobs declare of the schema of a job.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::api::{Version, Write};
use super::super::graph::Job;
use super::super::invariants::Evidence;
use super::values::{Values, list, meaning, text};

/// What is wanted of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Meaning(String),
    /// The attribute mapping is not there.
    Absent,
}

/// The values that a spec declares, by their places within a rule.
pub fn declared(object: &Version) -> Vec<(String, Wanted)> {
    let mut declared = Vec::new();
    for objects in list(&object.value["spec"]["mappings"], "objectMappings") {
        let place = format!("{}>{}", text(objects, "sourceObjectName"), text(objects, "targetObjectName"));
        let of = |member: &str, value: Value| {
            let place = format!("{place}||{member}");
            (place.clone(), Wanted::Meaning(meaning(&place, Some(&value))))
        };
        if objects["enabled"].is_boolean() {
            declared.push(of("enabled", objects["enabled"].clone()));
        }
        if let Some(flows) = objects["flowTypes"].as_array() {
            let flows: Vec<&str> = flows.iter().filter_map(Value::as_str).collect();
            declared.push(of("flowTypes", Value::from(flows.join(","))));
        }
        if objects["scope"].is_object() {
            declared.push(of("scope", scope(&objects["scope"])));
        }
        for mapping in list(objects, "attributeMappings") {
            attribute(&mut declared, &format!("{place}|{}", text(mapping, "targetAttributeName")), mapping);
        }
    }
    declared
}

fn attribute(declared: &mut Vec<(String, Wanted)>, place: &str, mapping: &Value) {
    if mapping["state"] == "Absent" {
        declared.push((format!("{place}|targetAttributeName"), Wanted::Absent));
        return;
    }
    for (member, of) in [("source", "expression"), ("defaultValue", ""), ("matchingPriority", ""), ("flowType", "")] {
        let named = if of.is_empty() { member } else { of };
        let value = &mapping[named];
        if value.is_null() {
            continue;
        }
        let value = if of.is_empty() { value.clone() } else { serde_json::json!({ "expression": value }) };
        let place = format!("{place}|{member}");
        declared.push((place.clone(), Wanted::Meaning(meaning(&place, Some(&value)))));
    }
}

/// As the service has a filter.
fn scope(declared: &Value) -> Value {
    let clause = |clause: &Value| {
        serde_json::json!({"sourceOperandName": clause["attribute"], "operatorName": clause["operator"],
            "targetOperand": {"values": clause["values"]}})
    };
    let group = |group: &Value| {
        let clauses: Vec<Value> = list(group, "clauses").map(clause).collect();
        serde_json::json!({"name": group["name"], "clauses": clauses})
    };
    serde_json::json!({"groups": list(declared, "groups").map(group).collect::<Vec<_>>()})
}

/// Whether a place of a schema is one of those that are declared: itself, or the whole mapping that it is a part of where that
/// is added or removed.
pub fn covers(declared: &[(String, Wanted)], place: &str, added_or_removed: bool) -> bool {
    let within = super::values::within_rule(place);
    let mapping = within.rsplit_once('|').map_or("", |(mapping, _)| mapping);
    declared.iter().any(|(known, _)| {
        let of_mapping = known.rsplit_once('|').is_some_and(|(known, _)| known == mapping && !known.ends_with('|'));
        known == within || added_or_removed && of_mapping
    })
}

/// What of this is not in place.
pub fn lacking(declared: &[(String, Wanted)], schema: &Values, rule: &str) -> Vec<String> {
    let lacks = |(place, wanted): &&(String, Wanted)| {
        let full = format!("{rule}|{place}");
        match wanted {
            Wanted::Absent => schema.contains_key(&full),
            Wanted::Meaning(wanted) => {
                let there = full.ends_with("||scope") || schema.contains_key(&full) || full.contains("||");
                !there || meaning(&full, schema.get(&full)) != *wanted
            }
        }
    };
    declared.iter().filter(lacks).map(|(place, _)| format!("{rule}|{place}")).collect()
}

/// The versions of SyncJobs that hold a job, at some moment of this time.
pub fn holders<'a>(evidence: &'a Evidence, job: &Job, from: Duration, to: Duration) -> Vec<&'a Arc<Version>> {
    let holds = |object: &&Arc<Version>| object.status("jobId") == Some(&*job.id);
    let mut found: Vec<&Arc<Version>> = evidence.objects_at(from).into_iter().filter(holds).collect();
    let inside = |write: &&Write| write.at > from && write.at <= to;
    found.extend(evidence.history.iter().filter(inside).map(|write| &write.after).filter(holds));
    found
}

/// Whether a SyncJob saves schemas at all.
pub fn manages(object: &Version) -> bool {
    matches!(object.spec("mode"), None | Some("Manage")) && !object.is_deleting()
}
