//! What is around the custom resources: Secrets by name, and namespaces with their labels.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::By;
use super::super::clock::Clock;
use super::answer::{self, Response};
use super::store::{Key, Verb};
use super::writes::Refused;

/// One read, as it is judged later.
#[derive(Clone, Debug)]
pub struct Read {
    pub at: Duration,
    pub by: By,
    pub verb: Verb,
    pub key: Key,
    /// The labels that a namespace had.
    pub labels: BTreeMap<String, String>,
}

/// A namespace. One that was never spoken of exists, without labels.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    pub labels: BTreeMap<String, String>,
    /// Since when it is being deleted.
    pub terminating: Option<Duration>,
}

pub struct Surroundings {
    clock: Clock,
    secrets: BTreeMap<Key, String>,
    namespaces: BTreeMap<String, Namespace>,
    pub reads: Vec<Read>,
}

impl Surroundings {
    pub fn new(clock: Clock) -> Self {
        Self { clock, secrets: BTreeMap::new(), namespaces: BTreeMap::new(), reads: Vec::new() }
    }

    /// Somebody writes a Secret with one value, or takes it away.
    pub fn set_secret(&mut self, key: &Key, value: Option<&str>) {
        match value {
            Some(value) => drop(self.secrets.insert(key.clone(), value.to_owned())),
            None => drop(self.secrets.remove(key)),
        }
    }

    /// Somebody sets a label of a namespace, or takes it away.
    pub fn label(&mut self, namespace: &str, label: &str, value: Option<&str>) {
        let labels = &mut self.namespaces.entry(namespace.to_owned()).or_default().labels;
        match value {
            Some(value) => drop(labels.insert(label.to_owned(), value.to_owned())),
            None => drop(labels.remove(label)),
        }
    }

    /// Somebody deletes a namespace. What is in it goes one after the other.
    pub fn terminate(&mut self, namespace: &str) {
        let now = self.clock.now();
        self.namespaces.entry(namespace.to_owned()).or_default().terminating.get_or_insert(now);
    }

    pub fn terminating(&self, namespace: &str) -> Option<Duration> {
        self.namespaces.get(namespace)?.terminating
    }

    pub fn read(&mut self, verb: Verb, key: &Key, by: By) -> Response {
        let namespace = self.namespaces.get(&key.name).cloned().unwrap_or_default();
        let labels = if verb == Verb::Namespace { namespace.labels.clone() } else { BTreeMap::new() };
        self.reads.push(Read { at: self.clock.stamp(), by, verb, key: key.clone(), labels });
        if verb == Verb::Namespace {
            let mut metadata = json!({"name": key.name, "labels": namespace.labels});
            if let Some(since) = namespace.terminating {
                metadata["deletionTimestamp"] = Value::from(self.clock.date(since).to_string());
            }
            let kind = "PartialObjectMetadata";
            return answer::json(200, &json!({"apiVersion": "meta.k8s.io/v1", "kind": kind, "metadata": metadata}));
        }
        let Some(value) = self.secrets.get(key) else {
            let message = format!("secrets \"{}\" not found", key.name);
            return answer::refused(&Refused::new(404, "NotFound", message));
        };
        let metadata = json!({"name": key.name, "namespace": key.namespace});
        let data = json!({"clientSecret": STANDARD.encode(value)});
        answer::json(200, &json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}))
    }
}
