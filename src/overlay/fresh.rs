//! The raw JSON of what a wish adds: attribute mappings, definitions, filters.

use serde_json::{Value, json};

use super::document::{items, word};
use crate::api::sync_job::{AttributeDefinition, ObjectFlowType, ScopeClause, ScopeFilter, ScopeGroup};

/// A new attribute mapping: Graph's defaults, in the members that its siblings have.
pub(super) fn entry(target: &str, objects: &Value) -> Value {
    let mut whole = json!({
        "targetAttributeName": target, "source": null, "defaultValue": null, "matchingPriority": 0,
        "exportMissingReferences": false, "flowBehavior": "FlowWhenChanged", "flowType": "Always",
    });
    like(&mut whole, &items(objects, "attributeMappings").collect::<Vec<_>>(), &["targetAttributeName", "source"]);
    whole
}

/// A new attribute of a directory, in the members that its siblings have.
pub(super) fn definition(wish: &AttributeDefinition, siblings: &[&Value]) -> Value {
    let mut whole = json!({
        "name": wish.name, "type": word(wish.type_), "anchor": false,
        "caseExact": wish.case_exact.unwrap_or_default(), "multivalued": wish.multivalued.unwrap_or_default(),
        "required": wish.required.unwrap_or_default(), "flowNullValues": false, "mutability": "ReadWrite",
        "defaultValue": null, "apiExpressions": [], "referencedObjects": [], "metadata": [],
    });
    like(&mut whole, siblings, &["name", "type", "caseExact", "multivalued", "required"]);
    whole
}

/// Leaves out what no sibling has: some schemas have members that others do not know.
fn like(whole: &mut Value, siblings: &[&Value], always: &[&str]) {
    if siblings.is_empty() {
        return;
    }
    let has = |name: &String| siblings.iter().any(|sibling| sibling.get(name).is_some());
    if let Some(members) = whole.as_object_mut() {
        members.retain(|name, _| always.contains(&name.as_str()) || has(name));
    }
}

/// The groups of a filter; none if there are none.
pub(super) fn scope(wish: &ScopeFilter) -> Option<Value> {
    let clause = |clause: &ScopeClause| {
        json!({
            "operatorName": clause.operator, "sourceOperandName": clause.attribute,
            "targetOperand": {"values": clause.values},
        })
    };
    let group = |group: &ScopeGroup| {
        let clauses: Vec<Value> = group.clauses.iter().map(clause).collect();
        json!({"name": group.name, "clauses": clauses})
    };
    list(wish.groups.iter().map(group).collect())
}

/// A list; none if it is empty.
pub(super) fn list(items: Vec<Value>) -> Option<Value> {
    (!items.is_empty()).then_some(Value::Array(items))
}

/// Graph's flags, in Graph's order.
pub(super) fn flow_types(wish: &[ObjectFlowType]) -> Value {
    let mut wish = wish.to_vec();
    wish.sort_unstable();
    wish.dedup();
    let words: Vec<String> = wish.iter().filter_map(|one| word(one).as_str().map(str::to_owned)).collect();
    if words.is_empty() { json!("None") } else { json!(words.join(", ")) }
}
