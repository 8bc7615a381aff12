//! One SyncJob through its passes: the real `decide` and the real `report`, and between them what Graph and the cluster
//! would answer. No clock runs but the story's own.

use std::collections::BTreeMap;
use std::time::Duration;

use entrain::api::{FINALIZER, Intent, JobOrigin, SyncJobSpec, SyncJobStatus};
use entrain::plan::report::{End, Report, report};
use entrain::plan::requests::{Requests, answers, handled, unseen};
use entrain::plan::{
    Desired, Fact, IntentOrigin, IntentView, Rivals, RunView, Settings, Step, Verdict, World, decide, refused,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Map, Value, json};

use super::graph::Graph;

/// When the SyncJob was created.
const BEGINNING: &str = "2026-11-24T09:00:00Z";
const NONCE: &str = "5d1c9e2b-7a34-4f0e-9b86-1c2d3e4f5a6b";
const UID: &str = "b7e1f6c2-0d4a-4b8e-8c51-3f9a2e6d7c10";
/// More than a pass may take.
const STEPS_MAX: usize = 16;

pub struct Story {
    pub graph: Graph,
    pub annotations: BTreeMap<String, String>,
    spec: Map<String, Value>,
    generation: i64,
    now: Timestamp,
    finalizer: bool,
    deletion: Option<Timestamp>,
    status: SyncJobStatus,
    absences: u32,
    absent_since: Option<Timestamp>,
    failures: u32,
}

impl Story {
    /// Nobody has looked yet.
    pub fn new() -> Self {
        let spec = json!({"servicePrincipalId": "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f", "templateId": "BoxOutDelta"});
        Self {
            graph: Graph::new(),
            annotations: BTreeMap::new(),
            spec: spec.as_object().cloned().unwrap_or_default(),
            generation: 1,
            now: BEGINNING.parse().unwrap(),
            finalizer: false,
            deletion: None,
            // The default of the schema.
            status: SyncJobStatus { observed_generation: Some(-1), ..SyncJobStatus::default() },
            absences: 0,
            absent_since: None,
            failures: 0,
        }
    }

    /// A SyncJob that was created with this in its spec.
    pub fn with(spec: Value) -> Self {
        let mut story = Self::new();
        story.set(spec);
        story
    }

    fn set(&mut self, spec: Value) {
        let Value::Object(fields) = spec else { panic!("a spec is an object: {spec}") };
        self.spec.extend(fields);
    }

    /// Somebody edits the spec.
    pub fn edit(&mut self, spec: Value) {
        self.set(spec);
        self.generation += 1;
    }

    pub fn delete(&mut self) {
        self.deletion = Some(self.now);
        self.generation += 1;
    }

    pub fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    /// The operator looks, once.
    pub fn pass(&mut self) {
        let settings = Settings::default();
        let spec: SyncJobSpec = serde_json::from_value(Value::Object(self.spec.clone())).unwrap();
        let desired = Desired::parse(&spec);
        let (world, plan, done) = self.steps(&spec, &settings);
        let desired = desired.as_ref().ok();
        self.absences = world.absences;
        self.absent_since = (world.absences > 0).then(|| self.absent_since.unwrap_or(self.now));
        let troubled = world.trouble.is_some() || world.refusal.is_some();
        self.failures = if troubled { self.failures + 1 } else { 0 };
        let end = End { desired, world: &world, verdict: &plan, done: &done };
        let report = report(&self.status, self.generation, &end, &settings, self.now);
        let answers = answers(desired, &world);
        self.status.last_handled_reconcile = answers.last_handled_reconcile;
        self.status.last_handled_restart = answers.last_handled_restart;
        self.status.handled_restarts = answers.handled_restarts;
        self.status = with_report(report, &self.status);
    }

    fn steps(&mut self, spec: &SyncJobSpec, settings: &Settings) -> (World, Verdict, Vec<(Step, Fact)>) {
        let (mut world, mut done) = (self.world(), Vec::new());
        let desired = match Desired::parse(spec) {
            Ok(desired) => desired,
            Err(refusals) => return (world.clone(), refused(&refusals, &world, spec.deletion_policy, settings), done),
        };
        loop {
            let plan = decide(&desired, &world, settings);
            let Some(step) = plan.step.clone() else { return (world, plan, done) };
            assert!(done.len() < STEPS_MAX, "the pass goes round in circles: {done:?}");
            let fact = self.graph.answer(&step);
            self.record(&fact, &desired);
            world = world.with(fact.clone(), &desired);
            done.push((step, fact));
        }
    }

    /// What observation would find.
    fn world(&self) -> World {
        let status = &self.status;
        let rivals = if status.job_id.is_none() { self.graph.rivals.clone() } else { Vec::new() };
        World {
            deletion_requested: self.deletion.is_some(),
            finalizer: self.finalizer,
            intent: status.intent.as_ref().map(|intent| IntentView {
                baseline: intent.baseline.clone(),
                adopt: intent.adopt_job_id.clone(),
                origin: IntentOrigin::Unknown,
                age: self.since(&intent.recorded_time),
            }),
            job_id: status.job_id.clone(),
            origin: status.job_origin,
            bound_for: status.job_bound_time.as_ref().map_or(Duration::ZERO, |time| self.since(time)),
            tenant: Some(self.graph.tenant.to_owned()),
            recorded_tenant: status.tenant_id.clone(),
            seen: status.job_seen_time.is_some(),
            lived: status.job_lived_time.is_some(),
            missing_for: status.job_missing_since_time.as_ref().map(|time| self.since(time)),
            service_principal_lost: status.service_principal_lost_time.is_some(),
            rivals: Rivals::Cached(rivals),
            absences: self.absences,
            absent_for: self.absent_since.map_or(Duration::ZERO, |since| self.since(&Time(since))),
            run: status.run.as_ref().map(|run| RunView {
                state: run.state,
                asked: run.requested_time.as_ref().map(|time| self.since(time)),
                reached: run.reached_time.is_some(),
            }),
            requests: Requests::parse(&self.annotations),
            handled_reconcile: status.last_handled_reconcile.clone(),
            handled_restart: status.last_handled_restart.clone(),
            handled_restarts: handled(status),
            unseen: unseen(Some(status)),
            failures: self.failures,
            ..World::unobserved()
        }
    }

    fn since(&self, time: &Time) -> Duration {
        Duration::try_from(self.now.duration_since(time.0)).unwrap_or_default()
    }

    /// The part of status that is written before the pass goes on.
    fn record(&mut self, fact: &Fact, desired: &Desired) {
        let now = Time(self.now);
        let intent = |baseline: &[String], adopt: Option<&String>| Intent {
            nonce: NONCE.to_owned(),
            recorded_time: now.clone(),
            baseline: baseline.to_vec(),
            adopt_job_id: adopt.cloned(),
        };
        let status = &mut self.status;
        match fact {
            Fact::FinalizerAdded => self.finalizer = true,
            Fact::IntentRecorded { baseline } => status.intent = Some(intent(baseline, None)),
            Fact::AdoptionRecorded { id } => status.intent = Some(intent(&[], Some(id))),
            Fact::IntentCleared => {
                (status.intent, status.service_principal_id, status.tenant_id) = (None, None, None);
            }
            Fact::OriginRecorded { origin, .. } => status.job_origin = Some(*origin),
            Fact::JobBound { id } | Fact::JobAdopted { id } => {
                let adopted = matches!(fact, Fact::JobAdopted { .. });
                status.job_origin = Some(if adopted { JobOrigin::Adopted } else { JobOrigin::Created });
                (status.job_id, status.job_bound_time, status.intent) = (Some(id.clone()), Some(now), None);
            }
            Fact::RestartRecorded { .. } | Fact::JobForgotten { .. } | Fact::FinalizerRemoved { .. } => {
                panic!("no story goes this way yet: {fact:?}")
            }
            _ => {}
        }
        if status.intent.is_some() || status.job_id.is_some() {
            status.service_principal_id = Some(desired.service_principal.as_str().to_owned());
            status.tenant_id.get_or_insert_with(|| self.graph.tenant.to_owned());
        }
    }

    pub fn status(&self) -> &SyncJobStatus {
        &self.status
    }

    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// The object as the API server would show it.
    pub fn manifest(&self, name: &str) -> Value {
        let mut metadata = json!({
            "name": name,
            "namespace": "apps",
            "uid": UID,
            "generation": self.generation,
            "creationTimestamp": BEGINNING,
        });
        if !self.annotations.is_empty() {
            metadata["annotations"] = json!(self.annotations);
        }
        if self.finalizer {
            metadata["finalizers"] = json!([FINALIZER]);
        }
        if let Some(deletion) = self.deletion {
            metadata["deletionTimestamp"] = json!(deletion);
        }
        json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob", "metadata": metadata, "spec": self.spec, "status": self.status})
    }
}

fn with_report(report: Report, identity: &SyncJobStatus) -> SyncJobStatus {
    SyncJobStatus {
        conditions: report.conditions,
        observed_generation: Some(report.observed_generation),
        job: report.job,
        quarantine: report.quarantine,
        run: report.run,
        job_seen_time: report.witness.job_seen_time,
        job_lived_time: report.witness.job_lived_time,
        job_missing_since_time: report.witness.job_missing_since_time,
        service_principal_lost_time: report.witness.service_principal_lost_time,
        plan: report.plan,
        deletion_policy: report.deletion_policy,
        ..identity.clone()
    }
}
