//! ControllerRevisions: created, listed by label, deleted, and gone with their owner.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::super::By;
use super::super::clock::Clock;
use super::answer::{self, Response};
use super::store::{Change, Key};
use super::writes::Refused;

pub struct Revisions {
    clock: Clock,
    objects: BTreeMap<Key, Value>,
    number: u64,
    /// Every change, as it is judged later.
    pub changes: Vec<(Duration, By, Change, Key)>,
}

impl Revisions {
    pub fn new(clock: Clock) -> Self {
        Self { clock, objects: BTreeMap::new(), number: 0, changes: Vec::new() }
    }

    /// What has no owner any more goes.
    pub fn collect(&mut self, owners: &BTreeSet<String>) {
        let owned = |object: &Value| {
            let uid = object["metadata"]["ownerReferences"][0]["uid"].as_str().unwrap_or_default();
            owners.contains(uid)
        };
        self.objects.retain(|_, object| owned(object));
    }

    /// Somebody deletes the newest one in a namespace.
    pub fn lose(&mut self, namespace: &str) {
        let of = self.objects.iter().filter(|(key, _)| key.namespace == namespace);
        let newest = of.max_by_key(|(_, object)| object["revision"].as_i64()).map(|(key, _)| key.clone());
        if let Some(key) = newest {
            self.objects.remove(&key);
            self.note(By::Person, Change::Deleted, key);
        }
    }

    fn note(&mut self, by: By, change: Change, key: Key) {
        self.changes.push((self.clock.stamp(), by, change, key));
    }

    /// The answer to a request about one, or about all of a namespace that have a label.
    pub fn answer(&mut self, method: &Method, key: &Key, label: Option<&str>, body: Value, by: By) -> Response {
        match (method, key.name.is_empty()) {
            (&Method::POST, true) => self.create(&key.namespace, body, by),
            (&Method::GET, true) => {
                let has = |object: &&Value| {
                    let Some((name, wanted)) = label.and_then(|label| label.split_once('=')) else { return true };
                    object["metadata"]["labels"][name] == wanted
                };
                let of = self.objects.iter().filter(|(known, _)| known.namespace == key.namespace);
                let items: Vec<&Value> = of.map(|(_, object)| object).filter(has).collect();
                let metadata = json!({"resourceVersion": self.number.to_string()});
                answer::json(
                    200,
                    &json!({"apiVersion": "apps/v1", "kind": "ControllerRevisionList", "metadata": metadata, "items": items}),
                )
            }
            (&Method::GET, false) => match self.objects.get(key) {
                Some(object) => answer::json(200, object),
                None => answer::refused(&Refused::new(404, "NotFound", "it does not exist")),
            },
            (&Method::DELETE, false) => self.delete(key, &body, by),
            _ => answer::refused(&Refused::new(405, "MethodNotAllowed", "this is not served here")),
        }
    }

    fn create(&mut self, namespace: &str, mut object: Value, by: By) -> Response {
        let key = Key::new(namespace, object["metadata"]["name"].as_str().unwrap_or_default());
        if self.objects.contains_key(&key) {
            return answer::refused(&Refused::new(409, "AlreadyExists", "it exists"));
        }
        self.number += 1;
        object["metadata"]["uid"] = Value::from(format!("revision-{}", self.number));
        object["metadata"]["resourceVersion"] = Value::from(self.number.to_string());
        object["metadata"]["creationTimestamp"] = Value::from(self.clock.date(self.clock.now()).to_string());
        self.objects.insert(key.clone(), object.clone());
        self.note(by, Change::Added, key);
        answer::json(201, &object)
    }

    fn delete(&mut self, key: &Key, options: &Value, by: By) -> Response {
        let Some(object) = self.objects.get(key) else {
            return answer::refused(&Refused::new(404, "NotFound", "it does not exist"));
        };
        let wanted = &options["preconditions"]["uid"];
        if !wanted.is_null() && *wanted != object["metadata"]["uid"] {
            return answer::refused(&Refused::new(409, "Conflict", "it is another one"));
        }
        self.objects.remove(key);
        self.note(by, Change::Deleted, key.clone());
        answer::json(200, &json!({"apiVersion": "v1", "kind": "Status", "status": "Success", "metadata": {}}))
    }
}
