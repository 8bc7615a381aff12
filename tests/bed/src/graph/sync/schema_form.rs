//! The form in which the service keeps a schema: members, order, spaces, versions (CONTRACT §3.8).

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::schema_shape::{Member, Shape};
use crate::graph::model::job::Schema;
use crate::graph::model::settings::{
    AbsentMembers, DirectoryVersions, FlowTypes, InventedMembers, SchemaOrder, SchemaVersions, Settings,
};

/// Brings an object into the service's form. Refused are members that it does not know, where the settings say so.
pub fn bring(value: &mut Value, shape: &Shape, settings: &Settings) -> Result<(), String> {
    let Some(members) = value.as_object_mut() else { return Ok(()) };
    members.retain(|name, _| !name.contains("@odata."));
    invented(members, shape, settings)?;
    for (name, member) in shape.members {
        let inner = match member {
            Member::One(inner) | Member::Many(inner) => Some(*inner),
            Member::Plain(_) => None,
        };
        match members.get_mut(*name) {
            Some(Value::Array(items)) => {
                if let Some(inner) = inner {
                    items.iter_mut().try_for_each(|item| bring(item, inner, settings))?;
                    if settings.schema_order == SchemaOrder::Sorted {
                        items.sort_by(|one, other| order(one, other, inner.sorted_by));
                    }
                }
            }
            Some(one @ Value::Object(_)) => {
                if let Some(inner) = inner {
                    bring(one, inner, settings)?;
                }
            }
            Some(Value::Null) | None => absent(members, name, member, settings.absent_members),
            Some(_) => {}
        }
    }
    if let Some(Value::String(types)) = members.get_mut("flowTypes") {
        *types = spaced(types, settings.flow_types);
    }
    Ok(())
}

fn invented(members: &mut Map<String, Value>, shape: &Shape, settings: &Settings) -> Result<(), String> {
    let known = |name: &str| shape.members.iter().any(|(known, _)| *known == name);
    match settings.invented_members {
        InventedMembers::Kept => Ok(()),
        InventedMembers::Dropped => {
            members.retain(|name, _| known(name));
            Ok(())
        }
        InventedMembers::Refused => match members.keys().find(|name| !known(name)) {
            Some(name) => Err(format!("The property '{name}' does not exist.")),
            None => Ok(()),
        },
    }
}

/// A member that is missing or null.
fn absent(members: &mut Map<String, Value>, name: &str, member: &Member, how: AbsentMembers) {
    match (how, member.default()) {
        // A directory that was left out is gone.
        (AbsentMembers::Filled, Some(_)) if name == "directories" => {}
        (AbsentMembers::Filled, Some(default)) => {
            members.insert(name.to_owned(), default);
        }
        (AbsentMembers::Dropped, _) => {
            members.remove(name);
        }
        (AbsentMembers::Filled, None) | (AbsentMembers::AsSent, _) => {}
    }
}

/// By these members; the rest keeps its order.
fn order(one: &Value, other: &Value, by: &[&str]) -> Ordering {
    let key = |value: &Value, name: &str| match &value[name] {
        Value::Number(number) => (number.as_i64().unwrap_or_default(), String::new()),
        other => (0, other.as_str().unwrap_or_default().to_owned()),
    };
    by.iter().map(|name| key(one, name).cmp(&key(other, name))).find(|found| found.is_ne()).unwrap_or(Ordering::Equal)
}

fn spaced(types: &str, how: FlowTypes) -> String {
    let separator = match how {
        FlowTypes::AsSent => return types.to_owned(),
        FlowTypes::Spaced => ", ",
        FlowTypes::Compact => ",",
    };
    let mut flags: Vec<&str> = types.split(',').map(str::trim).filter(|flag| !flag.is_empty()).collect();
    flags.sort_by_key(|flag| ["Add", "Update", "Delete"].iter().position(|known| known == flag));
    flags.join(separator)
}

/// Who has the schema, since when, and what was there before.
pub struct Stamp<'a> {
    pub owner: &'a str,
    pub now: Timestamp,
    pub current: &'a Schema,
}

/// Gives a schema its id and a new version, and ids to directories that have none.
pub fn stamp(schema: &mut Value, stamp: &Stamp<'_>, settings: &Settings) {
    let version = version(stamp, settings.schema_versions);
    schema["id"] = stamp.owner.into();
    schema["version"] = version.clone().into();
    let directories = schema.get_mut("directories").and_then(Value::as_array_mut);
    for directory in directories.into_iter().flatten().filter(|directory| directory.is_object()) {
        if !directory["id"].is_string() {
            directory["id"] = Uuid::new_v4().to_string().into();
        }
        if settings.directory_versions == DirectoryVersions::Stamped {
            directory["version"] = version.clone().into();
        }
    }
}

fn version(stamp: &Stamp<'_>, how: SchemaVersions) -> String {
    match how {
        SchemaVersions::Dated => {
            let date = stamp.now.strftime("%Y-%m-%dT%H:%M:%S%.7f");
            format!("Date:{date}Z, ActivityId:{}", Uuid::new_v4())
        }
        SchemaVersions::Guid => Uuid::new_v4().to_string(),
        SchemaVersions::Numbered => next(stamp.current["version"].as_str().unwrap_or_default()),
    }
}

/// `6.0` becomes `7.0`, `v1.2` becomes `v1.3`, and anything else a first version.
fn next(version: &str) -> String {
    let parts = version.trim_start_matches('v').split_once('.');
    let numbers = parts.and_then(|(major, minor)| Some((major.parse::<u64>().ok()?, minor.parse::<u64>().ok()?)));
    match numbers {
        Some((major, minor)) if version.starts_with('v') => format!("v{major}.{}", minor + 1),
        Some((major, minor)) => format!("{}.{minor}", major + 1),
        None => "1.0".to_owned(),
    }
}

/// Puts the collections that have no order into another one. Arguments, filters and values keep theirs.
pub fn shuffle(value: &mut Value, state: &mut u64) {
    const UNORDERED: [&str; 8] = [
        "synchronizationRules",
        "objectMappings",
        "attributeMappings",
        "metadata",
        "directories",
        "objects",
        "attributes",
        "referencedObjects",
    ];
    for (name, member) in value.as_object_mut().into_iter().flatten() {
        let Value::Array(items) = member else { continue };
        if !UNORDERED.contains(&name.as_str()) {
            continue;
        }
        for last in (1..items.len()).rev() {
            // A step of xorshift, so that the same read gives the same order.
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            let bound = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
            items.swap(last, usize::try_from(*state % bound).unwrap_or_default());
        }
        for item in items {
            shuffle(item, state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_grow_in_their_form() {
        assert_eq!(["6.0", "v1.2", "a GUID"].map(next), ["7.0", "v1.3", "1.0"]);
    }

    #[test]
    fn flow_types_have_one_order_and_the_spaces_of_the_switch() {
        assert_eq!(spaced("Delete,Add , Update", FlowTypes::Spaced), "Add, Update, Delete");
        assert_eq!(spaced("Add, Update", FlowTypes::Compact), "Add,Update");
        assert_eq!(spaced("Update,Add", FlowTypes::AsSent), "Update,Add");
    }
}
