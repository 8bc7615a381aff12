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

/// What a Secret holds.
pub type Content = BTreeMap<String, String>;

/// A Secret. One that was deleted and created again has another uid.
#[derive(Clone, Debug)]
struct Secret {
    uid: u64,
    version: u64,
    content: Content,
}

pub struct Surroundings {
    clock: Clock,
    secrets: BTreeMap<Key, Secret>,
    /// What some Secrets hold next, should somebody write between two reads.
    rotations: BTreeMap<Key, Content>,
    /// Every change of a Secret; `None` where it was deleted.
    pub changes: Vec<(Duration, Key, Option<Content>)>,
    /// When labels of namespaces changed.
    pub labelled: Vec<Duration>,
    namespaces: BTreeMap<String, Namespace>,
    pub reads: Vec<Read>,
}

impl Surroundings {
    pub fn new(clock: Clock) -> Self {
        let (secrets, rotations, namespaces) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { clock, secrets, rotations, changes: Vec::new(), labelled: Vec::new(), namespaces, reads: Vec::new() }
    }

    /// Somebody writes the Secret with the login of a tenant, or takes it away.
    pub fn set_secret(&mut self, key: &Key, value: Option<&str>) {
        self.write(key, value.map(|value| Content::from([("clientSecret".to_owned(), value.to_owned())])));
    }

    /// Somebody writes a Secret, or takes it away.
    pub fn write(&mut self, key: &Key, content: Option<Content>) {
        let number = self.changes.len() as u64 + 1;
        self.changes.push((self.clock.stamp(), key.clone(), content.clone()));
        match content {
            Some(content) => {
                let uid = self.secrets.get(key).map_or(number, |secret| secret.uid);
                self.secrets.insert(key.clone(), Secret { uid, version: number, content });
            }
            None => drop(self.secrets.remove(key)),
        }
    }

    pub fn uid(&self, key: &Key) -> Option<String> {
        self.secrets.get(key).map(|secret| secret.uid.to_string())
    }

    /// What somebody may write between two reads of this Secret.
    pub fn prepare(&mut self, key: &Key, content: Content) {
        self.rotations.insert(key.clone(), content);
    }

    pub fn is_prepared(&self, key: &Key) -> bool {
        self.rotations.contains_key(key) && self.secrets.contains_key(key)
    }

    /// Somebody writes what was prepared.
    pub fn rotate(&mut self, key: &Key) {
        if let Some(content) = self.rotations.remove(key) {
            self.write(key, Some(content));
        }
    }

    /// Somebody sets a label of a namespace, or takes it away.
    pub fn label(&mut self, namespace: &str, label: &str, value: Option<&str>) {
        self.labelled.push(self.clock.now());
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

    /// A namespace is read by its metadata only, and a Secret in either way.
    pub fn read(&mut self, verb: Verb, key: &Key, by: By, metadata_only: bool) -> Response {
        const PARTIAL: &str = "PartialObjectMetadata";
        let namespace = self.namespaces.get(&key.name).cloned().unwrap_or_default();
        let labels = if verb == Verb::Namespace { namespace.labels.clone() } else { BTreeMap::new() };
        self.reads.push(Read { at: self.clock.stamp(), by, verb, key: key.clone(), labels });
        if verb == Verb::Namespace {
            let mut metadata = json!({"name": key.name, "labels": namespace.labels});
            if let Some(since) = namespace.terminating {
                metadata["deletionTimestamp"] = Value::from(self.clock.date(since).to_string());
            }
            return answer::json(200, &json!({"apiVersion": "meta.k8s.io/v1", "kind": PARTIAL, "metadata": metadata}));
        }
        let Some(Secret { uid, version, content }) = self.secrets.get(key) else {
            let message = format!("secrets \"{}\" not found", key.name);
            return answer::refused(&Refused::new(404, "NotFound", message));
        };
        let (name, namespace) = (&key.name, &key.namespace);
        let metadata = json!({"name": name, "namespace": namespace, "uid": uid.to_string(), "resourceVersion": version.to_string()});
        if metadata_only {
            return answer::json(200, &json!({"apiVersion": "meta.k8s.io/v1", "kind": PARTIAL, "metadata": metadata}));
        }
        let data: BTreeMap<&String, String> =
            content.iter().map(|(key, value)| (key, STANDARD.encode(value))).collect();
        answer::json(200, &json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}))
    }
}
