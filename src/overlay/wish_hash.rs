//! A hash of a wish that says whether it is another one.

use super::line::short_hash;
use crate::api::sync_job::{MappingPolicy, Mappings, ObjectMapping, OnRelease};

/// Ten hexadecimal digits, the same for wishes that differ only in the order of their entries or in written defaults.
pub fn wish_hash(wish: &Mappings) -> String {
    let mut wish = wish.clone();
    wish.policy = Some(wish.policy.unwrap_or(MappingPolicy::Merge));
    wish.on_release = Some(wish.on_release.unwrap_or(OnRelease::Restore));
    for objects in &mut wish.object_mappings {
        objects.attribute_mappings.sort_by(|one, other| one.target_attribute_name.cmp(&other.target_attribute_name));
        objects.attribute_definitions.sort_by(|one, other| (one.side, &one.name).cmp(&(other.side, &other.name)));
    }
    wish.object_mappings.sort_by(|one, other| {
        let key = |objects: &ObjectMapping| (objects.source_object_name.clone(), objects.target_object_name.clone());
        key(one).cmp(&key(other))
    });
    short_hash(&wish)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_entries_and_written_defaults_do_not_count_and_all_else_does() {
        let wish = |value: serde_json::Value| wish_hash(&serde_json::from_value(value).unwrap());
        let (one, two) = (
            json!({"targetAttributeName": "a", "expression": "[a]"}),
            json!({"targetAttributeName": "b", "state": "Absent"}),
        );
        let objects = |attributes: serde_json::Value| json!({"objectMappings": [{"sourceObjectName": "User", "targetObjectName": "User", "attributeMappings": attributes}]});
        let first = wish(objects(json!([one, two])));
        assert_eq!(first, wish(objects(json!([two, one]))));
        let mut defaults = objects(json!([one, two]));
        defaults["policy"] = json!("Merge");
        assert_eq!(first, wish(defaults));
        assert_ne!(first, wish(objects(json!([one]))));
        assert_eq!(first.len(), 10);
    }
}
