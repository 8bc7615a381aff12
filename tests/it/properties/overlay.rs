//! Properties of the overlay: it touches what it owns and nothing else, is at rest where it is applied, and can be taken back.

use entrain::api::sync_job::{Mappings, ObjectMapping};
use entrain::overlay::{
    Drift, Expressions, Member, Memory, Merged, Overlay, Path, Subject, expressions, import, merge,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::overlay_worlds::{any_json, both, disturb, meaning, schema, shuffle};

fn merged(wish: &Mappings, live: &Value, memory: Option<&Memory>) -> Result<Merged, TestCaseError> {
    let overlay = Overlay { wish, memory, drift: Drift::Respect, everyone: false };
    merge(&overlay, live, &Expressions::default()).map_err(|findings| TestCaseError::fail(format!("{findings:?}")))
}

fn disturbed(document: &Value, mut seed: u64) -> Value {
    let mut document = document.clone();
    disturb(&mut document, &mut seed);
    document
}

/// The list items of an owned subject, as they are in a schema.
fn list<'a>(schema: &'a mut Value, names: [(&str, Vec<(&str, &str)>); 2], last: &str) -> Option<&'a mut Vec<Value>> {
    let mut holder = schema;
    for (list, keys) in names {
        let fits = |item: &&mut Value| keys.iter().all(|(name, value)| item[*name] == *value);
        holder = holder.get_mut(list)?.as_array_mut()?.iter_mut().find(fits)?;
    }
    holder.get_mut(last)?.as_array_mut()
}

/// Takes what a path owns out of a schema.
fn take_out(schema: &mut Value, path: &Path) {
    let (names, last, key) = match &path.subject {
        Subject::Definition { directory, object, attribute } => {
            let names =
                [("directories", vec![("name", directory.as_str())]), ("objects", vec![("name", object.as_str())])];
            (names, "attributes", vec![("name", attribute.as_str())])
        }
        Subject::Attribute { rule, source, target, attribute } => {
            let pair = vec![("sourceObjectName", source.as_str()), ("targetObjectName", target.as_str())];
            let names = [("synchronizationRules", vec![("name", rule.as_str())]), ("objectMappings", pair)];
            (names, "attributeMappings", vec![("targetAttributeName", attribute.as_str())])
        }
        Subject::Objects { .. } | Subject::Rule { .. } => {
            for rule in schema["synchronizationRules"].as_array_mut().unwrap() {
                match &path.subject {
                    Subject::Objects { source, .. } => {
                        let all = rule["objectMappings"].as_array_mut().unwrap();
                        all.iter_mut()
                            .filter(|one| one["sourceObjectName"] == *source)
                            .for_each(|one| clear(one, path.member));
                    }
                    _ => clear(rule, path.member),
                }
            }
            return;
        }
    };
    let Some(items) = list(schema, names, last) else { return };
    let fits = |item: &Value| key.iter().all(|(name, value)| item[*name] == *value);
    if path.member == Member::Existence {
        items.retain(|item| !fits(item));
    }
    items.iter_mut().filter(|item| fits(item)).for_each(|item| clear(item, path.member));
}

fn clear(holder: &mut Value, member: Member) {
    let names = match member {
        Member::Existence => return,
        Member::Source => "source",
        Member::DefaultValue => "defaultValue",
        Member::MatchingPriority => "matchingPriority",
        Member::FlowType => "flowType",
        Member::FlowBehavior => "flowBehavior",
        Member::Enabled => "enabled",
        Member::FlowTypes => "flowTypes",
        Member::Scope => {
            if let Some(scope) = holder["scope"].as_object_mut() {
                scope.remove("groups");
            }
            if holder["scope"].as_object().is_none_or(serde_json::Map::is_empty) {
                holder["scope"] = Value::Null;
            }
            return;
        }
        Member::ContainerFilter => "containerFilter",
        Member::GroupFilter => "groupFilter",
    };
    holder.as_object_mut().unwrap().remove(names);
}

/// Takes one thing out of a wish; false if nothing is left.
fn take_back(wish: &mut Mappings, seed: &mut u64) -> bool {
    let mut choices: Vec<fn(&mut Mappings)> = Vec::new();
    if wish.container_filter.is_some() {
        choices.push(|wish| wish.container_filter = None);
    }
    if !wish.object_mappings.is_empty() {
        choices.push(|wish| {
            let first = &mut wish.object_mappings[0];
            let empty = ObjectMapping {
                source_object_name: first.source_object_name.clone(),
                target_object_name: first.target_object_name.clone(),
                ..ObjectMapping::default()
            };
            if first.enabled.take().is_some()
                || first.scope.take().is_some()
                || first.attribute_definitions.pop().is_some()
            {
                return;
            }
            if first.attribute_mappings.pop().is_some() || first.flow_types.take().is_some() {
                return;
            }
            assert_eq!(*first, empty);
            wish.object_mappings.remove(0);
        });
        choices.push(|wish| _ = wish.object_mappings[0].attribute_mappings.pop());
    }
    for objects in &mut wish.object_mappings {
        shuffle(&mut objects.attribute_mappings, seed);
    }
    shuffle(&mut wish.object_mappings, seed);
    shuffle(&mut choices, seed);
    choices.first().map(|choice| choice(wish)).is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_overlay_touches_no_path_that_it_does_not_own((live, wish) in both()) {
        let merged = merged(&wish, &live, None)?;
        let (mut before, mut after) = (live, merged.document.clone());
        for path in merged.memory.paths() {
            take_out(&mut before, path);
            take_out(&mut after, path);
        }
        prop_assert_eq!(before, after);
    }

    #[test]
    fn an_overlay_is_at_rest_where_it_is_applied_whatever_the_service_rewrites((live, wish) in both(), seed in any::<u64>()) {
        let first = merged(&wish, &live, None)?;
        prop_assert_eq!(first.changes.is_empty(), first.document == live);
        let seen = disturbed(&first.document, seed);
        let second = merged(&wish, &seen, Some(&first.memory))?;
        prop_assert_eq!(&second.changes, &vec![]);
        prop_assert_eq!((&second.document, second.drifted.len(), second.owned), (&seen, 0, first.owned));
        let stored: Memory = serde_json::from_value(serde_json::to_value(&first.memory).unwrap()).unwrap();
        prop_assert_eq!(stored, first.memory);
    }

    #[test]
    fn what_is_released_is_as_it_was_and_later_changes_of_others_stay((live, wish) in both(), seed in any::<u64>()) {
        let first = merged(&wish, &live, None)?;
        let mut seen = disturbed(&first.document, seed);
        let foreign = json!({"key": "foreign", "value": "kept"});
        seen["synchronizationRules"][0]["metadata"] = json!([foreign]);
        let mut expected = live;
        expected["synchronizationRules"][0]["metadata"] = json!([foreign]);
        let end = merged(&Mappings::default(), &seen, Some(&first.memory))?;
        prop_assert_eq!(meaning(&end.document), meaning(&expected));
        prop_assert!(end.left.is_empty() && end.owned == 0);
    }

    #[test]
    fn a_wish_that_is_taken_back_piece_by_piece_ends_where_it_began((live, mut wish) in both(), mut seed in any::<u64>()) {
        let mut last = merged(&wish, &live, None)?;
        while take_back(&mut wish, &mut seed) {
            let seen = disturbed(&last.document, seed);
            last = merged(&wish, &seen, Some(&last.memory))?;
            prop_assert!(last.left.is_empty() && last.drifted.is_empty(), "{:?}", last);
        }
        prop_assert_eq!((meaning(&last.document), last.owned), (meaning(&live), 0));
    }

    #[test]
    fn the_order_of_entries_does_not_matter((live, wish) in both(), mut seed in any::<u64>()) {
        let mut other = wish.clone();
        shuffle(&mut other.object_mappings, &mut seed);
        for objects in &mut other.object_mappings {
            shuffle(&mut objects.attribute_mappings, &mut seed);
            shuffle(&mut objects.attribute_definitions, &mut seed);
        }
        let (one, two) = (merged(&wish, &live, None)?, merged(&other, &live, None)?);
        prop_assert_eq!(meaning(&one.document), meaning(&two.document));
        prop_assert_eq!(one.memory.paths().collect::<Vec<_>>(), two.memory.paths().collect::<Vec<_>>());
    }

    #[test]
    fn an_imported_overlay_changes_nothing_where_it_was_taken_from((template, wish) in both(), seed in any::<u64>()) {
        let live = disturbed(&merged(&wish, &template, None)?.document, seed);
        let imported = import(&template, &live);
        prop_assert_eq!(merged(&imported.mappings, &live, None)?.changes, vec![]);
        if imported.left_out.is_empty() {
            let rebuilt = merged(&imported.mappings, &template, None)?;
            prop_assert_eq!(meaning(&rebuilt.document), meaning(&live));
        }
    }

    #[test]
    fn no_json_makes_it_panic(
        (mut live, wish) in both(), other in any_json(), place in proptest::sample::select(&[
            "", "/synchronizationRules", "/synchronizationRules/0", "/synchronizationRules/0/objectMappings/1", "/directories",
            "/synchronizationRules/0/objectMappings/1/attributeMappings", "/synchronizationRules/0/objectMappings/1/scope",
            "/synchronizationRules/0/objectMappings/1/attributeMappings/0", "/synchronizationRules/0/containerFilter",
            "/synchronizationRules/0/objectMappings/1/attributeMappings/0/source", "/directories/1/objects/0/attributes/0",
        ]),
        sound in schema(),
    ) {
        let memory = merged(&wish, &live, None)?.memory;
        if let Some(found) = live.pointer_mut(place) {
            *found = other;
        }
        for drift in [Drift::Respect, Drift::Correct] {
            let overlay = Overlay { wish: &wish, memory: Some(&memory), drift, everyone: true };
            let _ = (expressions(&overlay, &live, &Expressions::default()), merge(&overlay, &live, &Expressions::default()));
        }
        let _ = (merged(&Mappings::default(), &live, Some(&memory)), import(&sound, &live), import(&live, &sound));
    }
}
