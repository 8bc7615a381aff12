//! Admission on the real API server: every impossible manifest is refused with a sentence that a person can act on.

mod apply;
mod sync_job;
mod sync_job_content;
mod sync_job_mappings;
mod tenant;

use bed::plane::admin::Admin;
use entrain::api::schema;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stack::plane::shared;

const STRICT: &str = "fieldValidation=Strict";
const GUID: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";
const OTHER_GUID: &str = "7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6";

/// The object at a path like `a.b`, with a value put there; a null takes the field away.
fn lay(spec: &mut Value, over: &Value) {
    for (path, value) in over.as_object().unwrap() {
        let (parents, field) =
            path.rsplit_once('.').map_or((None, path.as_str()), |(parents, field)| (Some(parents), field));
        let at = parents.into_iter().flat_map(|parents| parents.split('.')).fold(&mut *spec, |at, name| &mut at[name]);
        if value.is_null() {
            at.as_object_mut().unwrap().remove(field);
        } else {
            at[field] = value.clone();
        }
    }
}

fn object(kind: &str, name: &str, mut spec: Value, over: &Value) -> Value {
    lay(&mut spec, over);
    json!({"apiVersion": "entrain.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

async fn admin() -> Admin {
    let plane = tokio::task::spawn_blocking(shared).await.unwrap();
    Admin::new(plane.ready()).unwrap()
}

/// The server's verdict on a creation, without the creation.
async fn dry_run(admin: &Admin, collection: &str, manifest: &Value) -> Result<(), String> {
    let path = format!("{collection}?dryRun=All&{STRICT}");
    verdict(admin.send(Method::POST, &path, Some(manifest)).await.unwrap())
}

fn verdict((status, body): (StatusCode, Value)) -> Result<(), String> {
    if status.is_success() { Ok(()) } else { Err(body["message"].as_str().unwrap_or_default().to_owned()) }
}

/// Tries manifests that are bad, each with what the refusal must say, and manifests that are good.
async fn try_all(admin: &Admin, collection: &str, bad: Vec<(Value, &str)>, good: Vec<Value>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (manifest, sentence) in bad {
        match dry_run(admin, collection, &manifest).await {
            Err(message) if message.contains(sentence) => {}
            other => wrong.push(format!("{}: {other:?}, not '{sentence}'", manifest["spec"])),
        }
    }
    for manifest in good {
        if let Err(message) = dry_run(admin, collection, &manifest).await {
            wrong.push(format!("{}: {message}", manifest["spec"]));
        }
    }
    wrong
}

/// Every rule in a schema, wherever it stands.
pub fn rules(schema: &Value) -> Vec<&Value> {
    let own = schema.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
    let below: Vec<&Value> = match schema {
        Value::Object(members) => {
            members.iter().filter(|(name, _)| *name != "x-kubernetes-validations").map(|(_, value)| value).collect()
        }
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    own.chain(below.into_iter().flat_map(rules)).collect()
}

/// A rule that is not among the sentences that the tests of its kind have seen refused is not tested.
#[test]
fn every_rule_has_a_refused_manifest() {
    let mut untested = Vec::new();
    for crd in schema::custom_resource_definitions().unwrap() {
        let kind = crd.spec.names.kind.clone();
        let seen = match kind.as_str() {
            "SyncJob" => sync_job::seen(),
            "EntraTenant" | "ClusterEntraTenant" => tenant::seen(&kind),
            other => panic!("no admission tests for {other}"),
        };
        let crd = serde_json::to_value(crd).unwrap();
        let root = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        for rule in rules(root) {
            let message = rule["message"].as_str().unwrap();
            let beginning: String = message.chars().take(22).collect();
            if !seen.iter().any(|sentence| sentence.contains(&beginning)) {
                untested.push(format!("{kind}: {message}"));
            }
        }
    }
    assert_eq!(untested, Vec::<String>::new());
}
