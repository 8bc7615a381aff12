//! What differs between two schemas, one line for each value, found without any code of the product. Lists are compared by
//! the names of their items, because the service sorts them, and versions not at all, because it stamps them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// A value, and how a line shows it.
#[derive(PartialEq)]
struct Leaf {
    value: Value,
    shown: String,
}

/// What `after` has that `before` has not, and the other way round.
pub fn changes(before: &Value, after: &Value) -> Vec<String> {
    let (before, after) = (leaves(before), leaves(after));
    let (old, new) = (items(&before), items(&after));
    let mut lines = BTreeSet::new();
    for path in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (one, other) = (before.get(path), after.get(path));
        if one == other {
            continue;
        }
        let place = path.join(" / ");
        lines.insert(match (one, other) {
            (Some(one), Some(other)) => format!("{place}: {} → {}", one.shown, other.shown),
            (None, Some(_)) if !old.contains(&path[..path.len() - 1]) => whole("+", path, &after),
            (Some(_), None) if !new.contains(&path[..path.len() - 1]) => whole("-", path, &before),
            (one, other) => format!("{place}: {} → {}", shown(one), shown(other)),
        });
    }
    lines.into_iter().collect()
}

fn shown(leaf: Option<&Leaf>) -> &str {
    leaf.map_or("absent", |leaf| &leaf.shown)
}

/// Everything that has leaves.
fn items(leaves: &BTreeMap<Vec<String>, Leaf>) -> BTreeSet<&[String]> {
    leaves.keys().map(|path| &path[..path.len() - 1]).collect()
}

/// One line for an item that came or went, whatever its members; its source or type shows which it is.
fn whole(sign: &str, path: &[String], leaves: &BTreeMap<Vec<String>, Leaf>) -> String {
    let item = &path[..path.len() - 1];
    let member = |name: &str| leaves.get(&[item, &[name.to_owned()]].concat());
    let what = member("source").or_else(|| member("type")).map(|leaf| leaf.shown.clone());
    format!("{sign} {}: {}", item.join(" / "), what.unwrap_or_default())
}

fn leaves(schema: &Value) -> BTreeMap<Vec<String>, Leaf> {
    let mut found = BTreeMap::new();
    walk(schema, &[], &mut found);
    assert!(found.len() > 100, "that is no schema: {schema:#}");
    found
}

fn walk(value: &Value, path: &[String], found: &mut BTreeMap<Vec<String>, Leaf>) {
    for (name, value) in value.as_object().unwrap() {
        let below = |more: &str| [path, &[more.to_owned()]].concat();
        match (name.as_str(), value) {
            ("version", _) => {}
            ("scope", scope) => {
                for list in ["groups", "categoryFilterGroups", "inputFilterGroups"] {
                    let groups = if scope[list].is_null() { json!([]) } else { scope[list].clone() };
                    insert(found, below(list), Leaf { shown: groups.to_string(), value: groups });
                }
            }
            // No filter, and one without names, let all through.
            ("containerFilter" | "groupFilter", filter) => {
                let lists = ["includedContainers", "includedGroups"].map(|list| filter[list].clone());
                let names = lists.into_iter().find(Value::is_array).unwrap_or_else(|| json!([]));
                insert(found, below(name), Leaf { shown: names.to_string(), value: names });
            }
            ("source", source) => {
                let shown = source["expression"].as_str().unwrap_or("none").to_owned();
                insert(found, below("source"), Leaf { shown, value: source.clone() });
            }
            (_, Value::Array(list)) if list.iter().any(Value::is_object) => {
                for item in list {
                    let key = key(item);
                    let place = if name == "metadata" { [below(name), vec![key]].concat() } else { below(&key) };
                    walk(item, &place, found);
                }
            }
            (_, value) => insert(found, below(name), Leaf { shown: value.to_string(), value: value.clone() }),
        }
    }
}

fn insert(found: &mut BTreeMap<Vec<String>, Leaf>, path: Vec<String>, leaf: Leaf) {
    let twice = format!("two values at {path:?}");
    assert!(found.insert(path, leaf).is_none(), "{twice}");
}

/// The name of an item among its siblings.
fn key(item: &Value) -> String {
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    if item["targetObjectName"].is_string() {
        return format!("{} → {}", text("sourceObjectName"), text("targetObjectName"));
    }
    let names = ["targetAttributeName", "key", "referencedObjectName", "name"];
    names.into_iter().map(text).find(|name| !name.is_empty()).unwrap_or_else(|| panic!("no name: {item}"))
}

#[test]
fn a_difference_of_any_kind_is_found_and_order_and_versions_are_none() {
    let before = Value::clone(&bed::graph::fixtures::schema("salesforce-like").unwrap());
    let mut after = before.clone();
    after["version"] = json!("another");
    let objects = &mut after["synchronizationRules"][0]["objectMappings"];
    objects.as_array_mut().unwrap().reverse();
    assert_eq!(changes(&before, &after), [""; 0]);
    let people = &mut after["synchronizationRules"][0]["objectMappings"][3];
    people["metadata"][0]["value"] = json!("changed");
    people["scope"] = json!({"groups": [], "inputFilterGroups": [1]});
    people["attributeMappings"][2]["source"]["parameters"] = json!(["changed"]);
    people["attributeMappings"].as_array_mut().unwrap().remove(0);
    after["directories"][1]["objects"][0]["attributes"]
        .as_array_mut()
        .unwrap()
        .push(bed::graph::fixtures::attribute("new|int"));
    let place = "USER_OUTBOUND_USER / User → User";
    assert_eq!(
        changes(&before, &after),
        [
            "+ crm.example / User / new: \"Integer\"".to_owned(),
            format!("- {place} / IsActive: Not([IsSoftDeleted])"),
            format!("{place} / Email / source: [mail] → [mail]"),
            format!("{place} / inputFilterGroups: [] → [1]"),
            format!("{place} / metadata / IsCustomerDefined / value: \"false\" → \"changed\""),
        ]
    );
}
