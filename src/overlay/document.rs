//! A schema as raw JSON: finding a subject in it, reading one of its members and replacing it. Nothing else is touched.

use serde_json::{Map, Value, json};

use super::path::{Member, Path, Subject};

/// The two trees of a schema, each three lists deep.
const MAPPINGS: [&str; 3] = ["synchronizationRules", "objectMappings", "attributeMappings"];
const DIRECTORIES: [&str; 3] = ["directories", "objects", "attributes"];

/// The items of a list; none if there is no such list.
pub(super) fn items<'a>(holder: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    holder.get(list).and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn rules(schema: &Value) -> impl Iterator<Item = &Value> {
    items(schema, MAPPINGS[0])
}

/// A text of an object; empty if it is null or absent.
pub(super) fn text<'a>(holder: &'a Value, name: &str) -> &'a str {
    holder.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What a rule is found by. Ids are restamped, names are those of the template.
pub(super) fn rule_key(rule: &Value) -> &str {
    let name = text(rule, "name");
    if name.is_empty() { text(rule, "id") } else { name }
}

/// Graph's word for one of our own enums without fields, whose variants have Graph's names.
pub(super) fn word(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

impl Subject {
    /// The three lists that lead to it, and how many of them.
    fn way(&self) -> (&'static [&'static str; 3], usize) {
        match self {
            Self::Rule { .. } => (&MAPPINGS, 1),
            Self::Objects { .. } => (&MAPPINGS, 2),
            Self::Attribute { .. } => (&MAPPINGS, 3),
            Self::Definition { .. } => (&DIRECTORIES, 3),
        }
    }

    /// Whether an item of the list at this depth is on the way.
    fn leads_through(&self, depth: usize, item: &Value) -> bool {
        match self {
            Self::Definition { directory, object, attribute } => {
                let wanted = [directory, object, attribute];
                wanted.get(depth).is_some_and(|wanted| text(item, "name") == *wanted)
            }
            Self::Rule { rule } | Self::Objects { rule, .. } | Self::Attribute { rule, .. } if depth == 0 => {
                rule_key(item) == rule
            }
            Self::Objects { source, target, .. } | Self::Attribute { source, target, .. } if depth == 1 => {
                text(item, "sourceObjectName") == source && text(item, "targetObjectName") == target
            }
            Self::Attribute { attribute, .. } => text(item, "targetAttributeName") == attribute,
            Self::Rule { .. } | Self::Objects { .. } => false,
        }
    }

    /// Positions in the first `depth` lists. Of several rules with one name, the first that holds the rest of the path is meant.
    fn positions(&self, holder: &Value, depth: usize, from: usize) -> Option<Vec<usize>> {
        if from == depth {
            return Some(Vec::new());
        }
        let candidates = items(holder, self.way().0[from]).enumerate();
        let mut fitting = candidates.filter(|(_, item)| self.leads_through(from, item));
        fitting.find_map(|(at, item)| {
            let mut positions = self.positions(item, depth, from + 1)?;
            positions.insert(0, at);
            Some(positions)
        })
    }
}

/// The subject itself.
pub(super) fn find<'a>(schema: &'a Value, subject: &Subject) -> Option<&'a Value> {
    let (lists, depth) = subject.way();
    let positions = subject.positions(schema, depth, 0)?;
    lists.iter().zip(positions).try_fold(schema, |holder, (list, at)| holder.get(*list)?.get(at))
}

fn find_mut<'a>(schema: &'a mut Value, subject: &Subject, depth: usize) -> Option<&'a mut Value> {
    let positions = subject.positions(schema, depth, 0)?;
    let lists = subject.way().0;
    lists.iter().zip(positions).try_fold(schema, |holder, (list, at)| holder.get_mut(*list)?.get_mut(at))
}

/// The value of a member of a subject that was found.
pub(super) fn member(holder: &Value, member: Member) -> Option<&Value> {
    member.names().iter().try_fold(holder, |holder, name| holder.get(*name))
}

/// Puts a value, or none, where the path leads; false if the way there does not exist.
pub(super) fn put(schema: &mut Value, path: &Path, value: Option<Value>) -> bool {
    let depth = path.subject.way().1;
    if path.member == Member::Existence {
        return match value {
            Some(value) => add(schema, &path.subject, value),
            None => remove(schema, &path.subject),
        };
    }
    let Some(holder) = find_mut(schema, &path.subject, depth).and_then(Value::as_object_mut) else { return false };
    match *path.member.names() {
        [name] => set(holder, name, value),
        [outer, inner] => set_inner(holder, outer, inner, value),
        _ => {}
    }
    true
}

fn set(holder: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => _ = holder.insert(name.to_owned(), value),
        None => _ = holder.remove(name),
    }
}

/// A list inside a filter. A filter that holds nothing else goes with it: null is how the service shows that there is none.
fn set_inner(holder: &mut Map<String, Value>, outer: &str, inner: &str, value: Option<Value>) {
    let value = value.filter(|value| !blank(value));
    match (holder.get_mut(outer).and_then(Value::as_object_mut), value) {
        (Some(filter), Some(value)) => _ = filter.insert(inner.to_owned(), value),
        (Some(filter), None) if filter.iter().any(|(name, value)| name != inner && !blank(value)) => {
            filter.insert(inner.to_owned(), json!([]));
        }
        (None, Some(value)) => _ = holder.insert(outer.to_owned(), json!({ inner: value })),
        (Some(_) | None, None) => _ = holder.insert(outer.to_owned(), Value::Null),
    }
}

/// Null, an empty list or an empty object.
fn blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn add(schema: &mut Value, subject: &Subject, value: Value) -> bool {
    let (lists, depth) = subject.way();
    let Some(holder) = find_mut(schema, subject, depth - 1).and_then(Value::as_object_mut) else { return false };
    let list = holder.entry(lists[depth - 1]).or_insert_with(|| json!([]));
    if list.is_null() {
        *list = json!([]);
    }
    list.as_array_mut().map(|items| items.push(value)).is_some()
}

fn remove(schema: &mut Value, subject: &Subject) -> bool {
    let (lists, depth) = subject.way();
    let Some(positions) = subject.positions(schema, depth, 0) else { return false };
    let Some(holder) = find_mut(schema, subject, depth - 1) else { return false };
    let list = holder.get_mut(lists[depth - 1]).and_then(Value::as_array_mut);
    let (Some(items), Some(at)) = (list, positions.last()) else { return false };
    items.remove(*at);
    true
}
