//! The rules of writes: preconditions, finalizers, generations, and what an apply does.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::By;
use super::ownership::{self, Manager};
use super::store::{Key, Store, Version};

/// A refusal, as a `Status` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
}

impl Refused {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into() }
    }

    pub fn not_found(key: &Key) -> Self {
        Self::new(404, "NotFound", format!("syncjobs.entrain.dev \"{}\" not found", key.name))
    }

    fn conflict(key: &Key, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on syncjobs.entrain.dev \"{}\": {why}", key.name);
        Self::new(409, "Conflict", message)
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(422, "Invalid", message)
    }
}

type Written = Result<Arc<Version>, Refused>;

const CHANGED: &str = "the object has been modified; please apply your changes to the latest version and try again";

impl Store {
    fn current(&self, key: &Key) -> Result<Arc<Version>, Refused> {
        self.objects.get(key).cloned().ok_or_else(|| Refused::not_found(key))
    }

    /// Creates an object. A status that comes with it is dropped, and the default of the schema takes its place.
    pub fn create(&mut self, namespace: &str, mut value: Value, manager: &str, by: By) -> Written {
        let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let key = Key::new(namespace, &name);
        if name.is_empty() || !value["spec"].is_object() {
            return Err(Refused::invalid("name and spec are required"));
        }
        if self.objects.contains_key(&key) {
            let message = format!("syncjobs.entrain.dev \"{name}\" already exists");
            return Err(Refused::new(409, "AlreadyExists", message));
        }
        let (uid, created) = (self.new_uid(), self.date());
        let metadata = &mut value["metadata"];
        if !namespace.is_empty() {
            metadata["namespace"] = Value::from(namespace);
        }
        metadata["uid"] = Value::from(uid);
        metadata["creationTimestamp"] = Value::from(created);
        metadata["generation"] = Value::from(1);
        drop(metadata.as_object_mut().and_then(|metadata| metadata.remove("managedFields")));
        value["apiVersion"] = Value::from("entrain.dev/v1alpha1");
        value["kind"] = Value::from(self.kind.name());
        value["status"] = json!({"observedGeneration": -1});
        let mut managers = Vec::new();
        let written = json!({"spec": value["spec"]});
        ownership::update(&json!({}), &written, &mut managers, self.manager(manager, "Update", ""));
        Ok(self.put(value, managers, by))
    }

    /// A merge patch of the object itself; members of status are not written this way.
    pub fn merge_patch(&mut self, key: &Key, patch: &Value, manager: &str, by: By) -> Written {
        let current = self.current(key)?;
        preconditions(&current, &patch["metadata"])?;
        let mut value = current.value.clone();
        merge(&mut value, patch);
        for kept in ["status", "apiVersion", "kind"] {
            value[kept] = current.value[kept].clone();
        }
        for kept in
            ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "generation", "name", "namespace"]
        {
            keep(&mut value["metadata"], &current.value["metadata"], kept);
        }
        if current.is_deleting()
            && finalizers(&value).any(|finalizer| !current.finalizers().any(|old| old == finalizer))
        {
            return Err(Refused::new(422, "Invalid", "no new finalizers can be added if the object is being deleted"));
        }
        drop_if_empty(&mut value["metadata"], "finalizers");
        drop_if_empty(&mut value["metadata"], "annotations");
        if value == current.value {
            return Ok(current);
        }
        if value["spec"] != current.value["spec"] {
            value["metadata"]["generation"] = Value::from(current.generation() + 1);
        }
        let mut managers = current.managers.clone();
        ownership::update(&current.value, &value, &mut managers, self.manager(manager, "Update", ""));
        if current.is_deleting() && finalizers(&value).next().is_none() {
            return Ok(self.take_out(value, managers, by));
        }
        Ok(self.put(value, managers, by))
    }

    /// A server-side apply of the status. An apply that changes nothing writes nothing.
    pub fn apply_status(&mut self, key: &Key, applied: &Value, manager: &str, force: bool, by: By) -> Written {
        if manager.is_empty() {
            return Err(Refused::new(400, "BadRequest", "fieldManager is required for apply patch"));
        }
        let current = self.current(key)?;
        preconditions(&current, &applied["metadata"])?;
        let (mut value, mut managers) = (current.value.clone(), current.managers.clone());
        let status = json!({"status": applied["status"]});
        let own = self.manager(manager, "Apply", "status");
        ownership::apply(&mut value, &mut managers, &status, own, force).map_err(|others| {
            Refused::new(409, "Conflict", format!("Apply failed with conflicts: conflicts with {others}"))
        })?;
        if !value["status"].is_object() {
            value["status"] = json!({});
        }
        if value == current.value && same(&managers, &current.managers) {
            return Ok(current);
        }
        Ok(self.put(value, managers, by))
    }

    /// Replaces the status as a whole, as people and backup tools do.
    pub fn replace_status(&mut self, key: &Key, status: Value, manager: &str, by: By) -> Written {
        let current = self.current(key)?;
        let (mut value, mut managers) = (current.value.clone(), current.managers.clone());
        value["status"] = status;
        if value == current.value {
            return Ok(current);
        }
        let own = self.manager(manager, "Update", "status");
        ownership::update(&current.value, &value, &mut managers, own);
        Ok(self.put(value, managers, by))
    }

    /// Deletes an object at once, or marks it where finalizers are in the way.
    pub fn delete(&mut self, key: &Key, by: By) -> Written {
        let current = self.current(key)?;
        if current.finalizers().next().is_none() {
            return Ok(self.take_out(current.value.clone(), current.managers.clone(), by));
        }
        if current.is_deleting() {
            return Ok(current);
        }
        let mut value = current.value.clone();
        value["metadata"]["deletionTimestamp"] = Value::from(self.date());
        value["metadata"]["deletionGracePeriodSeconds"] = Value::from(0);
        value["metadata"]["generation"] = Value::from(current.generation() + 1);
        Ok(self.put(value, current.managers.clone(), by))
    }

    fn manager(&self, name: &str, operation: &'static str, subresource: &'static str) -> Manager {
        Manager { name: name.to_owned(), operation, subresource, fields: json!({}), time: self.date() }
    }
}

fn preconditions(current: &Version, given: &Value) -> Result<(), Refused> {
    if given["uid"].as_str().is_some_and(|uid| uid != current.uid) {
        let why =
            format!("Precondition failed: UID in precondition: {}, UID in object meta: {}", given["uid"], current.uid);
        return Err(Refused::conflict(&current.key, &why));
    }
    let same = |version: &str| version.is_empty() || version == current.number.to_string();
    if given["resourceVersion"].as_str().is_some_and(|version| !same(version)) {
        return Err(Refused::conflict(&current.key, CHANGED));
    }
    Ok(())
}

fn finalizers(value: &Value) -> impl Iterator<Item = &str> {
    value["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// As the server leaves out what is empty.
fn drop_if_empty(members: &mut Value, member: &str) {
    let empty = match members.get(member) {
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(members)) => members.is_empty(),
        _ => false,
    };
    if empty {
        drop(members.as_object_mut().and_then(|members| members.remove(member)));
    }
}

fn keep(into: &mut Value, from: &Value, member: &str) {
    match from.get(member) {
        Some(value) => into[member] = value.clone(),
        None => drop(into.as_object_mut().and_then(|members| members.remove(member))),
    }
}

/// Whether managers own the same fields; when they wrote last is no difference.
fn same(a: &[Manager], b: &[Manager]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name == b.name && a.fields == b.fields)
}

/// RFC 7396.
fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (name, member) in patch {
        match (member, into.as_object_mut()) {
            (Value::Null, Some(members)) => drop(members.remove(name)),
            (_, Some(members)) => merge(members.entry(name.as_str()).or_insert(Value::Null), member),
            (_, None) => {}
        }
    }
}
