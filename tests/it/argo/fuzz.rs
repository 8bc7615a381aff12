//! Whatever an object holds, the scripts answer: no error, no nil, no word that Argo CD does not know.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::files;
use super::vm::{self, Params};

fn junk() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..4_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["", "True", "Ready", "Manage", "Paused", "2"]).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let key = prop::sample::select(vec!["type", "status", "reason", "message", "1", "x"]).prop_map(str::to_owned);
    leaf.prop_recursive(2, 12, 3, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map(key.clone(), inner, 0..3).prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    })
}

/// A good value more often than not, so that the combinations behind it are met as well.
fn mostly(good: Vec<Value>) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![8 => prop::sample::select(good).prop_map(Some), 1 => Just(None), 1 => junk().prop_map(Some)]
}

fn words(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| json!(word)).collect()
}

fn object(fields: Vec<(&str, Option<Value>)>) -> Value {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

prop_compose! {
    fn condition()(
        kind in mostly(words(&["Ready", "Reconciling", "Stalled", "Healthy", "Suspended", "PermissionsGranted", "Foreign"])),
        status in mostly(words(&["True", "False", "Unknown"])),
        reason in mostly(words(&["Running", "Paused", "Quarantined", "Throttled"])),
        message in mostly(words(&["Something is said."])),
        generation in mostly(vec![json!(2), json!(2), json!(2), json!(1)]),
    ) -> Value {
        object(vec![("type", kind), ("status", status), ("reason", reason), ("message", message), ("observedGeneration", generation)])
    }
}

fn conditions() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![8 => vec(condition(), 0..4).prop_map(|all| Some(all.into())), 1 => Just(None), 1 => junk().prop_map(Some)]
}

prop_compose! {
    fn sync_job()(
        generation in mostly(vec![json!(2)]),
        deletion in option::weighted(0.1, Just(json!("2026-11-24T09:00:00Z"))),
        mode in mostly(words(&["Manage", "Manage", "Manage", "Observe", "Plan", "Suspended"])),
        state in mostly(words(&["Running", "Paused"])),
        observed in mostly(vec![json!(2), json!(2), json!(2), json!(1), json!(-1)]),
        conditions in conditions(),
        job_id in mostly(words(&["BoxOutDelta.1"])),
    ) -> Value {
        json!({
            "metadata": object(vec![("generation", generation), ("deletionTimestamp", deletion)]),
            "spec": object(vec![("mode", mode), ("state", state)]),
            "status": object(vec![("observedGeneration", observed), ("conditions", conditions), ("jobId", job_id)]),
        })
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let broken = (sync_job(), prop::sample::select(vec!["metadata", "spec", "status"]), junk()).prop_map(
        |(mut object, part, junk)| {
            object[part] = junk;
            object
        },
    );
    prop_oneof![6 => sync_job(), 3 => broken, 1 => junk()]
}

/// What health may not say, whatever the order of the rules in the script is.
fn sound(object: &Value, status: &str) -> bool {
    let conditions: Vec<&Value> = object["status"]["conditions"].as_array().into_iter().flatten().collect();
    let is_true = |kind| conditions.iter().any(|condition| condition["type"] == kind && condition["status"] == "True");
    let generation = object["metadata"]["generation"].as_f64();
    let observed = generation.is_some() && object["status"]["observedGeneration"].as_f64() == generation;
    let ready =
        conditions.iter().find(|condition| condition["type"] == "Ready").map(|ready| &ready["observedGeneration"]);
    let current = ready.is_some_and(|observed| observed.is_null() || observed.as_f64() == generation);
    let suspended = object["spec"]["mode"] == "Suspended";
    match status {
        "Healthy" => {
            let deleting = !object["metadata"]["deletionTimestamp"].is_null();
            observed && current && is_true("Ready") && !suspended && !deleting
        }
        "Degraded" => observed && is_true("Stalled") && !suspended,
        "Suspended" => suspended,
        "Progressing" => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn health_has_a_sound_answer_for_every_object(object in anything()) {
        let health = vm::health(&files::script("health.lua"), &object).map_err(TestCaseError::fail)?;
        prop_assert!(!health.message.is_empty());
        prop_assert!(sound(&object, &health.status), "{} for {}", health.status, object);
        let deleting = !object["metadata"]["deletionTimestamp"].is_null();
        prop_assert_eq!(deleting, health.message.starts_with("Pending deletion: "), "{} for {}", health.message, object);
    }

    #[test]
    fn health_of_a_tenant_has_a_sound_answer_for_every_object(object in anything()) {
        let health = vm::health(&super::tenants::script("EntraTenant"), &object).map_err(TestCaseError::fail)?;
        prop_assert!(!health.message.is_empty());
        prop_assert!(sound(&object, &health.status), "{} for {}", health.status, object);
    }

    #[test]
    fn discovery_knows_every_action_of_every_object(object in anything()) {
        let found = vm::run(&files::script("actions/discovery.lua"), &object, &Params::new());
        let found = found.map_err(|error| TestCaseError::fail(error.to_string()))?;
        for action in files::ACTIONS {
            prop_assert!(found[action]["disabled"].is_boolean(), "{} in {}", action, found);
        }
    }
}
