//! Histories that are written by hand, for the tests of the judges.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::By;
use super::super::api::{Api, Key, Request, Verb};
use super::super::clock::Clock;
use super::super::graph::{Call, Graph, Operation, Tenant, WORLDS};
use super::super::schedule::Schedule;
use super::{Bounds, Evidence, Violation};

pub const SP: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";
pub const FINALIZER: &str = "entrain.dev/syncjob";
pub const OPERATOR: By = By::Operator(0);

/// A world that is written by hand.
pub struct Story {
    pub api: Api,
    pub graph: Graph,
}

pub fn key(name: &str) -> Key {
    Key::new("apps", name)
}

pub async fn wait(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

impl Story {
    pub fn begin() -> Self {
        let (clock, quiet) = (Clock::start("2026-11-26T10:00:00Z".parse().unwrap()), Schedule::quiet());
        let (api, graph) = (Api::new(clock, quiet.clone()), Graph::new(clock, quiet, WORLDS[6]));
        graph.principal(SP, &["scim"]);
        Self { api, graph }
    }

    pub fn declare(&self, name: &str, more: &Value) {
        let mut spec = json!({"servicePrincipalId": SP, "templateId": "scim"});
        spec.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.api.create(&key(name), &spec);
    }

    /// The operator writes the whole status.
    pub fn says(&self, name: &str, mut status: Value) {
        if status.get("observedGeneration").is_none() {
            status["observedGeneration"] = json!(self.api.get(&key(name)).unwrap().generation());
        }
        self.api.store().replace_status(&key(name), status, "entrain", OPERATOR).unwrap();
        self.requested(name, Verb::PatchStatus);
    }

    pub fn requested(&self, name: &str, verb: Verb) {
        let store = &mut *self.api.store();
        let (at, key) = (store.clock.stamp(), Some(key(name)));
        store.requests.push(Request { at, by: OPERATOR, verb, key, status: 200 });
    }

    pub fn finalizers(&self, name: &str, finalizers: &Value) {
        let patch = json!({"metadata": {"finalizers": finalizers}});
        self.api.store().merge_patch(&key(name), &patch, "entrain", OPERATOR).unwrap();
        self.requested(name, Verb::Patch);
    }

    pub fn calls(&self, operation: Operation, about: &str, request: &str, heard: u16) {
        self.graph.act(|tenant, at| {
            let (principal, about, request) = (SP.to_owned(), about.to_owned(), request.to_owned());
            let call =
                Call { at, by: OPERATOR, operation, principal, about, request, heard, until: Some(at), login: None };
            tenant.ledger.calls.push(call);
        });
    }

    pub fn does(&self, act: impl FnOnce(&mut Tenant, Duration)) {
        self.graph.act(act);
    }

    pub fn creates(&self, request: &str) -> String {
        self.calls(Operation::CreateJob, "scim", request, 201);
        self.does(|tenant, now| {
            let _ = tenant.create(0, "scim", OPERATOR, request, now);
        });
        self.graph.act(|tenant, _| tenant.jobs.last().unwrap().id.clone())
    }

    /// A SyncJob with its job, as it should be.
    pub async fn well(&self, name: &str) -> String {
        self.declare(name, &json!({}));
        self.finalizers(name, &json!([FINALIZER]));
        self.says(name, json!({"intent": {"nonce": name}}));
        let id = self.creates(name);
        self.says(name, json!({"jobId": id, "jobOrigin": "Created"}));
        let number = self.graph.act(|tenant, _| tenant.jobs.len() - 1);
        self.does(|tenant, now| tenant.start(number, OPERATOR, "start", now));
        self.calls(Operation::StartJob, &id, "start", 204);
        wait(1).await;
        id
    }

    pub fn evidence(&self) -> Evidence {
        Evidence::of(&self.api, &self.graph, Bounds::default(), Duration::ZERO)
    }

    pub async fn rest(&self) -> Vec<&'static str> {
        wait(3600).await;
        rules(&self.evidence().at_rest())
    }

    pub fn always(&self) -> Vec<&'static str> {
        rules(&self.evidence().always())
    }
}

pub fn rules(violations: &[Violation]) -> Vec<&'static str> {
    let mut rules: Vec<_> = violations.iter().map(|violation| violation.rule).collect();
    rules.dedup();
    rules
}
