//! The cases of `health_test.yaml` and `action_test.yaml`, in the form in which Argo CD's own repository keeps them.

use std::collections::BTreeSet;

use entrain::api::{RECONCILE_REQUESTED_AT, RESTART_REQUESTED_AT, RESTART_SCOPE};
use serde_json::{Value, json};

use super::files::{self, ACTIONS, HOME};
use super::vm::{self, NOW, Params};
use crate::conditions;

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("no {name} in {case}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().filter(|list| !list.is_empty()).unwrap_or_else(|| panic!("no cases: {value}"))
}

/// A file of cases. Where goldens are written, the objects that it names are written first.
fn cases(path: &str) -> Value {
    if files::updating() {
        conditions::goldens();
    }
    files::yaml(&format!("{HOME}/{path}"))
}

fn action_tests() -> Value {
    cases("actions/action_test.yaml")
}

/// The object that a case of the actions names.
fn object(path: &str) -> Value {
    files::yaml(&format!("{HOME}/actions/{path}"))
}

#[test]
fn health_is_what_its_cases_say() {
    let tests = cases("health_test.yaml");
    let script = files::script("health.lua");
    let mut tried = BTreeSet::new();
    for case in list(&tests["tests"]) {
        let path = text(case, "inputPath");
        let told = vm::health(&script, &files::yaml(&format!("{HOME}/{path}"))).unwrap();
        let wanted = &case["healthStatus"];
        assert_eq!(json!({"status": told.status, "message": told.message}), *wanted, "{path}");
        tried.insert(path.trim_start_matches("testdata/").to_owned());
    }
    let there: BTreeSet<String> = files::names(&format!("{HOME}/testdata")).into_iter().collect();
    assert_eq!(tried, there, "an object without a case, or a case twice");
}

#[test]
fn actions_are_offered_as_their_cases_say() {
    let script = files::script("actions/discovery.lua");
    for case in list(&action_tests()["discoveryTests"]) {
        let path = text(case, "inputPath");
        let found = vm::run(&script, &object(path), &Params::new()).unwrap();
        let offered = found.as_object().unwrap().iter().map(|(name, action)| {
            let mut action = action.clone();
            action["name"] = json!(name);
            action
        });
        let by_name = |actions: Vec<Value>| {
            let mut actions = actions;
            actions.sort_by_key(|action| action["name"].to_string());
            actions
        };
        assert_eq!(by_name(offered.collect()), by_name(list(&case["result"]).to_vec()), "{path}");
    }
}

#[test]
fn actions_do_what_their_cases_say() {
    let tests = action_tests();
    let cases: Vec<Case> = list(&tests["actionTests"]).iter().map(Case::new).collect();
    let mut stale = Vec::new();
    let mut outputs = Vec::new();
    for case in &cases {
        let output = serde_saphyr::to_string(&case.expected()).unwrap();
        stale.extend(files::stale(&format!("{HOME}/actions/{}", case.output), &output));
        outputs.push(case.output.trim_start_matches("testdata/").to_owned());
    }
    stale.extend(files::left_over(&format!("{HOME}/actions/testdata"), &outputs));
    files::assert_current(&stale);
    for case in &cases {
        let script = files::script(&format!("actions/{}/action.lua", case.action));
        let done = vm::run(&script, &object(&case.input), &case.parameters).unwrap();
        assert_eq!(done, object(&case.output), "{}", case.output);
    }
    let tried: BTreeSet<&str> = cases.iter().map(|case| case.action.as_str()).collect();
    assert_eq!(tried, ACTIONS.iter().copied().collect());
}

struct Case {
    action: String,
    input: String,
    output: String,
    parameters: Params,
}

impl Case {
    fn new(case: &Value) -> Self {
        let parameters = case.get("parameters").cloned().unwrap_or_else(|| json!({}));
        Self {
            action: text(case, "action").to_owned(),
            input: text(case, "inputPath").to_owned(),
            output: text(case, "expectedOutputPath").to_owned(),
            parameters: serde_json::from_value(parameters).unwrap(),
        }
    }

    /// The input with what the operator, or the spec, understands by the action.
    fn expected(&self) -> Value {
        let mut object = object(&self.input);
        match self.action.as_str() {
            "pause" => object["spec"]["state"] = json!("Paused"),
            "resume" => object["spec"]["state"] = json!("Running"),
            "reconcile" => object["metadata"]["annotations"][RECONCILE_REQUESTED_AT] = json!(NOW),
            "restart" => {
                let annotations = &mut object["metadata"]["annotations"];
                let scope = self.parameters.get("scope").filter(|scope| !scope.is_empty());
                let value = scope.map_or_else(|| NOW.to_owned(), |scope| format!("{NOW} scope={scope}"));
                annotations[RESTART_REQUESTED_AT] = json!(value);
                annotations.as_object_mut().unwrap().remove(RESTART_SCOPE);
            }
            other => panic!("no action {other}"),
        }
        object
    }
}

/// An object that is being deleted, in its second generation, with conditions of a kind, a status and a generation.
fn deleting(observed: i64, conditions: &[(&str, &str, i64)]) -> String {
    let condition = |(kind, status, generation): &(&str, &str, i64)| {
        json!({
            "type": kind, "status": status, "reason": format!("{kind}Reason"), "message": "Words.",
            "observedGeneration": generation,
        })
    };
    let conditions: Vec<Value> = conditions.iter().map(condition).collect();
    let object = json!({
        "metadata": {"generation": 2, "deletionTimestamp": NOW},
        "status": {"observedGeneration": observed, "conditions": conditions},
    });
    let health = vm::health(&files::script("health.lua"), &object).unwrap();
    assert_eq!(health.status, "Progressing");
    health.message
}

#[test]
fn a_deletion_names_what_it_waits_for_unless_the_condition_is_older_than_the_deletion() {
    let ready = ("Ready", "False", 2);
    let stalled = [ready, ("Reconciling", "False", 2), ("Stalled", "True", 2)];
    assert_eq!(deleting(2, &stalled), "Pending deletion: StalledReason: Words.");
    let reconciling = [ready, ("Stalled", "False", 2), ("Reconciling", "True", 2)];
    assert_eq!(deleting(2, &reconciling), "Pending deletion: ReconcilingReason: Words.");
    assert_eq!(deleting(2, &[ready, ("Stalled", "True", 1)]), "Pending deletion: ReadyReason: Words.");
    let unknown = "Pending deletion: the operator does not say what it waits for.";
    assert_eq!(deleting(2, &[("Ready", "True", 2)]), unknown);
    assert_eq!(deleting(2, &[("Ready", "False", 1)]), unknown);
    assert_eq!(deleting(1, &stalled), "Pending deletion: the operator has not acted on it yet.");
}
