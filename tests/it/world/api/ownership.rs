//! Which manager owns which field, as server-side apply keeps it. A set of fields is a tree in the form of `fieldsV1`:
//! `f:name` for a member, `k:{"type":"x"}` for an item of a list with keys, `.` for the item itself.

use serde_json::{Map, Value, json};

/// The lists whose items are merged by a member, and that member; all other lists are one value.
const KEYED: &[(&[&str], &str)] = &[
    (&["spec", "credentials"], "key"),
    (&["status", "conditions"], "type"),
    (&["status", "credentials", "keys"], "key"),
    (&["status", "job", "entries"], "type"),
];

/// What one manager owns.
#[derive(Clone, Debug, PartialEq)]
pub struct Manager {
    pub name: String,
    /// `Apply` or `Update`.
    pub operation: &'static str,
    /// Empty for the object itself.
    pub subresource: &'static str,
    pub fields: Value,
    /// When it last wrote, as a date.
    pub time: String,
}

impl Manager {
    pub fn rendered(&self) -> Value {
        let mut entry = json!({"manager": self.name, "operation": self.operation, "apiVersion": "entrain.dev/v1alpha1",
            "time": self.time, "fieldsType": "FieldsV1", "fieldsV1": self.fields});
        if !self.subresource.is_empty() {
            entry["subresource"] = Value::from(self.subresource);
        }
        entry
    }

    fn is(&self, other: &Self) -> bool {
        (&self.name, self.operation, self.subresource) == (&other.name, other.operation, other.subresource)
    }
}

/// Where a value stands. Only as deep as lists with keys can be.
type Path<'a> = Vec<&'a str>;

/// The member by which the items of a list are merged.
fn key_of(path: &Path<'_>) -> Option<&'static str> {
    KEYED.iter().find(|(keyed, _)| *keyed == path.as_slice()).map(|(_, key)| *key)
}

fn item_key(item: &Value, key: &str) -> String {
    format!("k:{{\"{key}\":{}}}", item[key])
}

/// Whether a key of a set names this item.
fn names(key: &str, item: &Value) -> bool {
    let pair = key.strip_prefix("k:{\"").and_then(|rest| rest.strip_suffix("\"}")?.split_once("\":\""));
    pair.is_some_and(|(member, value)| item[member].as_str() == Some(value))
}

fn is_leaf(fields: &Value) -> bool {
    fields.as_object().is_none_or(Map::is_empty)
}

/// The fields that a value has.
pub fn fields_of<'a>(value: &'a Value, path: &mut Path<'a>) -> Value {
    let mut fields = Map::new();
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(_, member)| !member.is_null()) {
                path.push(name);
                fields.insert(format!("f:{name}"), fields_of(member, path));
                path.pop();
            }
        }
        Value::Array(items) => {
            let Some(key) = key_of(path) else { return Value::Object(fields) };
            for item in items {
                let mut of_item = fields_of(item, path);
                of_item["."] = json!({});
                fields.insert(item_key(item, key), of_item);
            }
        }
        _ => {}
    }
    Value::Object(fields)
}

/// Puts what is applied over what is there. Items of a list with keys stand in the order in which they are applied.
fn merge<'a>(live: &mut Value, applied: &'a Value, path: &mut Path<'a>) {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) => {
            for (name, member) in applied.iter().filter(|(_, member)| !member.is_null()) {
                path.push(name);
                merge(live.entry(name.as_str()).or_insert(Value::Null), member, path);
                path.pop();
            }
        }
        (Value::Array(live), Value::Array(items)) if key_of(path).is_some() => {
            let key = key_of(path).unwrap_or_default();
            let mut merged = Vec::with_capacity(items.len());
            for item in items {
                let there = live.iter().position(|other| other[key] == item[key]);
                let mut of_item = there.map_or(Value::Null, |index| live.remove(index));
                merge(&mut of_item, item, path);
                merged.push(of_item);
            }
            merged.append(live);
            *live = merged;
        }
        (live, applied) => *live = without_nulls(applied),
    }
}

/// The server drops members that are null before it stores anything.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(_, member)| !member.is_null());
            Value::Object(members.map(|(name, member)| (name.clone(), without_nulls(member))).collect())
        }
        other => other.clone(),
    }
}

fn child<'a>(live: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    match key.strip_prefix("f:") {
        Some(name) => live.get_mut(name),
        None => live.as_array_mut()?.iter_mut().find(|item| names(key, item)),
    }
}

fn peek<'a>(live: &'a Value, key: &str) -> Option<&'a Value> {
    match key.strip_prefix("f:") {
        Some(name) => live.get(name),
        None => live.as_array()?.iter().find(|item| names(key, item)),
    }
}

fn remove(live: &mut Value, key: &str) {
    match (live, key.strip_prefix("f:")) {
        (Value::Object(members), Some(name)) => drop(members.remove(name)),
        (Value::Array(items), None) => items.retain(|item| !names(key, item)),
        _ => {}
    }
}

/// Takes out what was owned before and is in none of the sets that still own something.
fn prune(live: &mut Value, before: &Value, kept: &[&Value]) {
    for (key, below) in before.as_object().into_iter().flatten().filter(|(key, _)| *key != ".") {
        let kept: Vec<&Value> = kept.iter().filter_map(|fields| fields.get(key)).collect();
        if kept.is_empty() {
            remove(live, key);
        } else if let (false, Some(live)) = (is_leaf(below), child(live, key)) {
            prune(live, below, &kept);
        }
    }
}

/// Takes the fields of `taken` whose value changes out of another manager's set; whether there was one.
fn take(from: &mut Value, taken: &Value, before: Option<&Value>, after: Option<&Value>) -> bool {
    let Some(fields) = from.as_object_mut() else { return false };
    let mut any = false;
    for (key, below) in taken.as_object().into_iter().flatten().filter(|(key, _)| *key != ".") {
        let Some(own) = fields.get_mut(key) else { continue };
        let (before, after) = (before.and_then(|value| peek(value, key)), after.and_then(|value| peek(value, key)));
        if before == after {
            continue;
        }
        if is_leaf(below) || is_leaf(own) {
            fields.remove(key);
            any = true;
        } else if take(own, below, before, after) {
            any = true;
            if is_leaf(own) {
                fields.remove(key);
            }
        }
    }
    any
}

/// Keeps of a set what is still there.
fn retain(fields: &mut Value, live: &Value) {
    let Some(members) = fields.as_object_mut() else { return };
    members.retain(|key, below| {
        if key == "." {
            return true;
        }
        let Some(there) = peek(live, key) else { return false };
        let was_leaf = is_leaf(below);
        retain(below, there);
        was_leaf || !is_leaf(below)
    });
}

/// An apply: `live` becomes what it is afterwards. The names of the managers that own fields of another value are the
/// error where the apply is not forced.
pub fn apply(
    live: &mut Value,
    managers: &mut Vec<Manager>,
    applied: &Value,
    by: Manager,
    force: bool,
) -> Result<(), String> {
    let before = live.clone();
    let by = Manager { fields: fields_of(applied, &mut Vec::new()), ..by };
    let mut others = managers.clone();
    let own = others.iter().position(|other| other.is(&by)).map(|index| others.remove(index));
    merge(live, applied, &mut Vec::new());
    let mut conflicts = Vec::new();
    for other in &mut others {
        if take(&mut other.fields, &by.fields, Some(&before), Some(live)) {
            conflicts.push(other.name.clone());
        }
    }
    if !force && !conflicts.is_empty() {
        *live = before;
        return Err(conflicts.join(", "));
    }
    others.retain(|other| !is_leaf(&other.fields));
    if let Some(own) = &own {
        let kept: Vec<&Value> = others.iter().map(|other| &other.fields).chain([&by.fields]).collect();
        prune(live, &own.fields, &kept);
    }
    let by = own.filter(|own| own.fields == by.fields && before == *live).unwrap_or(by);
    if !is_leaf(&by.fields) {
        others.push(by);
    }
    others.sort_by(|a, b| a.name.cmp(&b.name));
    *managers = others;
    Ok(())
}

/// A write of another kind: what it changed is the writer's, what it took out is nobody's.
pub fn update(before: &Value, after: &Value, managers: &mut Vec<Manager>, by: Manager) {
    let all = fields_of(after, &mut Vec::new());
    let mut changed = all.clone();
    unchanged(&mut changed, before, after);
    for other in managers.iter_mut() {
        retain(&mut other.fields, after);
        take(&mut other.fields, &changed, Some(before), Some(after));
    }
    managers.retain(|other| !is_leaf(&other.fields));
    match managers.iter_mut().find(|other| other.is(&by)) {
        Some(own) if !is_leaf(&changed) => {
            union(&mut own.fields, &changed);
            own.time = by.time;
        }
        None if !is_leaf(&changed) => managers.push(Manager { fields: changed, ..by }),
        Some(_) | None => {}
    }
}

/// Takes out of a set the fields that did not change.
fn unchanged(fields: &mut Value, before: &Value, after: &Value) {
    let Some(members) = fields.as_object_mut() else { return };
    members.retain(|key, below| match (peek(before, key), peek(after, key)) {
        (Some(before), Some(after)) if before == after => false,
        (Some(before), Some(after)) if !is_leaf(below) => {
            unchanged(below, before, after);
            !is_leaf(below)
        }
        _ => key != ".",
    });
}

fn union(fields: &mut Value, more: &Value) {
    let (Some(fields), Some(more)) = (fields.as_object_mut(), more.as_object()) else { return };
    for (key, below) in more {
        union(fields.entry(key.as_str()).or_insert_with(|| json!({})), below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(name: &str) -> Manager {
        Manager {
            name: name.to_owned(),
            operation: "Apply",
            subresource: "status",
            fields: json!({}),
            time: String::new(),
        }
    }

    /// What is there after these applies, all forced.
    fn after(applies: &[(&str, Value)]) -> (Value, Vec<Manager>) {
        let (mut live, mut managers) = (json!({"status": {}}), Vec::new());
        for (name, status) in applies {
            apply(&mut live, &mut managers, &json!({"status": status}), by(name), true).unwrap();
        }
        (live["status"].clone(), managers)
    }

    #[test]
    fn what_a_manager_applied_before_and_leaves_out_now_is_removed() {
        let intent = json!({"intent": {"nonce": "n", "baseline": ["a"]}, "tenantId": "t"});
        let (status, _) = after(&[
            ("identity", intent.clone()),
            ("report", json!({"run": 1})),
            ("identity", json!({"tenantId": "t"})),
        ]);
        assert_eq!(status, json!({"tenantId": "t", "run": 1}));
        let part = json!({"intent": {"nonce": "n"}, "tenantId": "t"});
        assert_eq!(after(&[("identity", intent), ("identity", part.clone())]).0, part);
    }

    #[test]
    fn what_another_manager_owns_too_stays() {
        let both = json!({"tenantId": "t", "jobId": "j"});
        let (status, managers) =
            after(&[("a", both.clone()), ("b", json!({"tenantId": "t"})), ("a", json!({"jobId": "j"}))]);
        assert_eq!(status, both);
        assert_eq!(managers[1].fields, json!({"f:status": {"f:tenantId": {}}}));
    }

    #[test]
    fn a_forced_apply_takes_a_field_of_another_value_over() {
        let (status, managers) = after(&[("a", json!({"x": 1})), ("b", json!({"x": 2})), ("a", json!({"y": 3}))]);
        assert_eq!(status, json!({"x": 2, "y": 3}), "a does not own x any more and cannot remove it");
        assert_eq!(managers[1].fields, json!({"f:status": {"f:x": {}}}));
        let (mut live, mut managers) = (json!({"status": {"x": 2}}), managers);
        let refused = apply(&mut live, &mut managers, &json!({"status": {"x": 5}}), by("a"), false);
        assert_eq!((refused, live), (Err("b".to_owned()), json!({"status": {"x": 2}})));
        apply(&mut live_of(2), &mut managers, &json!({"status": {"x": 2}}), by("a"), false).unwrap();
    }

    fn live_of(x: u8) -> Value {
        json!({"status": {"x": x}})
    }

    #[test]
    fn conditions_are_merged_by_type_and_other_lists_are_one_value() {
        let ready = |status: &str| json!({"type": "Ready", "status": status});
        let (status, managers) = after(&[
            ("a", json!({"conditions": [ready("False"), {"type": "Stalled", "status": "True"}], "plan": [1, 2]})),
            ("b", json!({"conditions": [{"type": "Foreign", "status": "True"}]})),
            ("a", json!({"conditions": [ready("True")], "plan": [2]})),
        ]);
        assert_eq!(status, json!({"conditions": [ready("True"), {"type": "Foreign", "status": "True"}], "plan": [2]}));
        let key = "k:{\"type\":\"Ready\"}";
        assert_eq!(managers[0].fields["f:status"]["f:conditions"][key], json!({".": {}, "f:status": {}, "f:type": {}}));
    }

    #[test]
    fn null_is_absent() {
        assert_eq!(after(&[("a", json!({"x": null, "y": {"z": null}}))]).0, json!({"y": {}}));
    }

    #[test]
    fn an_update_owns_what_it_changed_and_takes_out_what_it_removed() {
        let (status, mut managers) = after(&[("a", json!({"x": 1, "y": 2, "z": 3}))]);
        let (before, now) = (json!({"status": status}), json!({"status": {"x": 1, "y": 5}}));
        update(&before, &now, &mut managers, Manager { operation: "Update", ..by("person") });
        let of = |index: usize| managers[index].fields.clone();
        assert_eq!((of(0), of(1)), (json!({"f:status": {"f:x": {}}}), json!({"f:status": {"f:y": {}}})));
    }

    #[test]
    fn the_lists_with_keys_are_those_of_the_crd() {
        use kube::CustomResourceExt;
        let crd = serde_json::to_value(entrain::api::SyncJob::crd()).unwrap();
        let mut found = Vec::new();
        keyed(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], &mut Vec::new(), &mut found);
        found.sort();
        let known = KEYED.iter().map(|(path, key)| (path.join("."), (*key).to_owned()));
        assert_eq!(found, known.collect::<Vec<_>>());
    }

    fn keyed(schema: &Value, path: &mut Vec<String>, found: &mut Vec<(String, String)>) {
        // Nobody applies mappings in the search: people replace them whole.
        if *path == ["spec", "mappings"] {
            return;
        }
        if schema["x-kubernetes-list-type"] == "map" {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().unwrap();
            assert_eq!(keys.len(), 1, "{path:?}");
            found.push((path.join("."), keys[0].as_str().unwrap().to_owned()));
        }
        assert!(
            schema["type"] != "array" || !schema["x-kubernetes-list-type"].is_null(),
            "{path:?} says how it is merged"
        );
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            path.push(name.clone());
            keyed(member, path, found);
            path.pop();
        }
    }
}
