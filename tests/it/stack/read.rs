//! How an object and the simulator's logs are read in these tests.

use bed::graph::Control;
use jiff::Timestamp;
use serde_json::Value;

/// A condition, or null.
pub fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    conditions.iter().find(|condition| condition["type"] == kind).unwrap_or(&Value::Null)
}

pub fn job_id(object: &Value) -> Option<&str> {
    object["status"]["jobId"].as_str()
}

/// Whether `Ready` has this status and reason, for the generation that the object has.
pub fn ready(object: &Value, status: &str, reason: &str) -> bool {
    says(object, "Ready", status, reason)
}

pub fn says(object: &Value, kind: &str, status: &str, reason: &str) -> bool {
    let condition = condition(object, kind);
    condition["status"] == status
        && condition["reason"] == reason
        && object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

pub fn is_ready(object: &Value) -> bool {
    ready(object, "True", "Running") || ready(object, "True", "Paused")
}

/// Entries of a log whose operation is one of these; all of them without a name.
pub fn entries(log: &Value, operations: &[&str]) -> Vec<Value> {
    let entries = log["value"].as_array().unwrap().iter();
    let wanted = |entry: &&Value| operations.is_empty() || operations.iter().any(|name| entry["operation"] == *name);
    entries.filter(wanted).cloned().collect()
}

pub async fn effects(control: &Control, operation: &str) -> Vec<Value> {
    entries(&control.ledger().await.unwrap(), &[operation])
}

pub async fn calls(control: &Control, operation: &str) -> Vec<Value> {
    entries(&control.calls().await.unwrap(), &[operation])
}

/// Calls to Graph, without those to the login service.
pub async fn graph_calls(control: &Control) -> Vec<Value> {
    let all = entries(&control.calls().await.unwrap(), &[]);
    all.into_iter().filter(|call| call["operation"] != "token").collect()
}

pub fn time(entry: &Value) -> Timestamp {
    entry["time"].as_str().unwrap().parse().unwrap()
}

/// A manifest with the required fields and more of the spec, each line of it indented by two.
pub fn manifest(name: &str, service_principal: &str, template: &str, more: &[&str]) -> String {
    let mut lines = vec![
        "apiVersion: entrain.dev/v1alpha1".to_owned(),
        "kind: SyncJob".to_owned(),
        format!("metadata: {{name: {name}}}"),
        "spec:".to_owned(),
        format!("  servicePrincipalId: {service_principal}"),
        format!("  templateId: {template}"),
    ];
    lines.extend(more.iter().map(|line| format!("  {line}")));
    lines.join("\n")
}
