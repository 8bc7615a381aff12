//! Parsers of what others write, with input that nobody has thought of: stored objects and annotations. They never panic,
//! and what they cannot read never looks like something that allows more.

use std::collections::BTreeMap;

use entrain::api::{RESTART_REQUESTED_AT, RESTART_SCOPE};
use entrain::cluster::stored::Stored;
use entrain::plan::requests::Requests;
use proptest::prelude::*;
use serde_json::{Value, json};

const SCOPES: [&str; 5] = ["Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes"];
const JOB: &str = "BoxOutDelta.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.5b9a1c44-0e2f-4a6b-b1d7-93c2f0e8a655";

/// A SyncJob as an API server returns it.
fn object() -> Value {
    json!({
        "apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob",
        "metadata": {"name": "box", "namespace": "identity", "uid": "0d5c1c3e-6f0b-4c53-9f52-8a4f3f1f7a10", "generation": 3,
            "resourceVersion": "1234", "finalizers": ["entrain.dev/syncjob"], "creationTimestamp": "2026-11-25T10:00:00Z"},
        "spec": {"servicePrincipalId": "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f", "templateId": "BoxOutDelta", "state": "Running",
            "deletionPolicy": "Retain", "adoption": {"policy": "Only", "jobId": JOB}, "mode": "Manage",
            "outOfBandPolicy": "Correct", "missingJobPolicy": "Recreate", "pollIntervalSeconds": 600},
        "status": {"jobId": JOB, "jobOrigin": "Created", "tenantId": "7f0c2b1e-5c1d-4d0a-9a53-0d6f4b8a2e11",
            "servicePrincipalId": "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f", "observedGeneration": 3,
            "conditions": [{"type": "Ready", "status": "True", "reason": "Running", "message": "",
                "observedGeneration": 3, "lastTransitionTime": "2026-11-25T10:00:00Z"}],
            "job": {"code": "Active", "interval": "PT40M", "successiveFailureCount": 0},
            "handledRestarts": ["1"], "lastHandledReconcile": "now"}
    })
}

/// Paths of every value below `spec` and `status`.
fn places() -> Vec<String> {
    fn below(at: &str, value: &Value, all: &mut Vec<String>) {
        let members: Vec<(String, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
            _ => Vec::new(),
        };
        for (name, value) in members {
            let at = format!("{at}/{name}");
            below(&at, value, all);
            all.push(at);
        }
    }
    let (object, mut all) = (object(), vec!["/spec".to_owned(), "/status".to_owned()]);
    for part in ["/spec", "/status"] {
        below(part, object.pointer(part).unwrap(), &mut all);
    }
    all
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        Just(Value::from("9999-99-99T99:99:99Z")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("\\PC{0,12}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_object_with_any_spec_and_status_is_read_and_a_recorded_job_stays_recorded(
        changes in proptest::collection::vec((proptest::sample::select(places()), any_value()), 1..4)
    ) {
        let mut raw = object();
        for (place, value) in &changes {
            // An earlier change may have removed the place of a later one.
            if let Some(at) = raw.pointer_mut(place) {
                *at = value.clone();
            }
        }
        let recorded = raw["status"]["jobId"].clone();
        let stored: Stored = serde_json::from_value(raw).expect("only metadata decides whether an object is read");
        if let Stored::Unreadable(unreadable) = &stored {
            prop_assert!(unreadable.fault.chars().count() <= 300 && !unreadable.fault.contains(char::is_control));
        }
        let read = serde_json::to_value(stored.into_sync_job()).unwrap();
        match recorded {
            Value::Null => {}
            Value::String(job) => prop_assert_eq!(&read["status"]["jobId"], &Value::from(job)),
            _ => prop_assert!(read["status"]["intent"].is_object(), "a job that cannot be named is no job: {}", read),
        }
    }

    #[test]
    fn a_restart_has_the_scope_that_its_value_spells_or_none_is_sent(
        value in prop_oneof![
            "\\PC{0,300}",
            "[a-z0-9:-]{0,8}[ \t\u{a0}]{0,2}[sS]?cope ?= ?(Full|full|Escrows|Watermark|ForceDeletes|,| |\\PC){0,5}",
        ],
        apart in proptest::option::of("\\PC{0,20}"),
    ) {
        let mut annotations = BTreeMap::from([(RESTART_REQUESTED_AT.to_owned(), value.clone())]);
        annotations.extend(apart.clone().map(|apart| (RESTART_SCOPE.to_owned(), apart)));
        let Some(restart) = Requests::parse(&annotations).restart else {
            prop_assert!(value.trim().is_empty());
            return Ok(());
        };
        prop_assert!(restart.token.chars().count() <= 256 && !restart.token.is_empty());
        match restart.scope {
            Ok(None) => {
                prop_assert!(!value.trim().contains(char::is_whitespace) && !value.to_lowercase().contains("scope="));
            }
            Ok(Some(scopes)) => {
                let (_, list) = value.split_once("scope=").expect("the value names a scope");
                for scope in scopes.split(", ") {
                    let spelt = list.to_lowercase().contains(&scope.to_lowercase());
                    prop_assert!(SCOPES.contains(&scope) && spelt, "{}: {}", value, scope);
                }
            }
            Err(why) => prop_assert!(!why.is_empty()),
        }
        let misplaced = apart.is_some_and(|apart| !apart.trim().is_empty());
        let scope = Requests::parse(&annotations).restart.unwrap().scope;
        prop_assert!(!misplaced || scope.is_err(), "a scope apart from its token is never obeyed");
    }
}
