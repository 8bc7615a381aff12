//! One SyncJob through its passes: the real `decide` and the real `report`, and between them what Graph and the cluster
//! would answer. No clock runs but the story's own.

use std::collections::BTreeMap;
use std::time::Duration;

use entrain::api::{FINALIZER, Identity, Intent, JobOrigin, Report, RunState, SyncJobSpec, SyncJobStatus};
use entrain::plan::report::{End, report};
use entrain::plan::sync_job::world::observe::Shown;
use entrain::plan::{
    Desired, Fact, Managed, Memory, Next, Now, Pass, Refused, Remember, Settings, Standing, Step, Verdict, World,
    answers,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Map, Value, json};

use super::graph::Graph;

/// When the SyncJob was created.
const BEGINNING: &str = "2026-11-24T09:00:00Z";
const NONCE: &str = "5d1c9e2b-7a34-4f0e-9b86-1c2d3e4f5a6b";
const UID: &str = "b7e1f6c2-0d4a-4b8e-8c51-3f9a2e6d7c10";

pub struct Story {
    pub graph: Graph,
    pub annotations: BTreeMap<String, String>,
    spec: Map<String, Value>,
    generation: i64,
    now: Timestamp,
    finalizer: bool,
    deletion: Option<Timestamp>,
    status: SyncJobStatus,
    memory: Memory,
    wake: Option<Duration>,
    standing: Option<Standing>,
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
            status: SyncJobStatus {
                report: Report { observed_generation: Some(-1), ..Report::default() },
                ..SyncJobStatus::default()
            },
            memory: Memory::default(),
            wake: None,
            standing: None,
        }
    }

    /// A SyncJob that was created with this in its spec.
    pub fn with(spec: Value) -> Self {
        let mut story = Self::new();
        story.set(spec);
        story
    }

    /// Before anybody has looked.
    pub fn set(&mut self, spec: Value) {
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
        let world = self.world();
        let (world, verdict, done) = match &desired {
            Ok(desired) => self.steps(Pass::new(Managed { desired, settings: &settings }, world), desired),
            Err(refusals) => {
                let refused = Refused { refusals, policy: spec.deletion_policy, settings: &settings };
                let mut pass = Pass::new(refused, world);
                assert_eq!(pass.next_step(), Next::End, "no story goes this way yet");
                let (world, verdict, _) = pass.into_parts();
                (world, verdict.ended(), Vec::new())
            }
        };
        self.memory.end(&world, &verdict, self.now());
        let poll = desired.as_ref().map_or(Duration::MAX, |desired| desired.poll_interval);
        let gone = done.iter().any(|(_, fact)| matches!(fact, Fact::FinalizerRemoved { .. }));
        let wake = self.memory.wake(&verdict, poll).with_jitter(0).filter(|_| !gone);
        (self.wake, self.standing) = (wake, Some(verdict.standing));
        let end = End { desired: desired.as_ref().ok(), world: &world, verdict: &verdict, done: &done };
        let report = report(&self.status.report, self.generation, &end, &settings, self.now);
        self.status.answers = answers(desired.as_ref().ok(), &world);
        self.status.report = report;
        self.memory.report_written();
        self.memory.answers_written();
    }

    /// How things stood after the last pass.
    pub fn standing(&self) -> Option<Standing> {
        self.standing
    }

    /// Whether the spec has credentials or settings that are kept in the set.
    pub fn declares_content(&self) -> bool {
        self.spec.contains_key("credentials")
    }

    /// Lets so much time pass, with a pass whenever one is due, and says how often Graph was called.
    pub fn calls_within(&mut self, time: SignedDuration) -> usize {
        let (before, end) = (self.graph.calls, self.now + time);
        while let Some(next) = self.wake.and_then(|wake| self.now.checked_add(wake).ok()).filter(|next| *next < end) {
            self.now = next;
            self.pass();
        }
        self.now = end;
        self.graph.calls - before
    }

    fn steps(&mut self, mut pass: Pass<Managed<'_>>, desired: &Desired) -> (World, Verdict, Vec<(Step, Fact)>) {
        while let Next::Do(step) = pass.next_step() {
            let fact = self.graph.answer(&step);
            self.record(&fact, desired);
            self.remember_secrets(&fact, desired, pass.world());
            pass.learn(fact);
        }
        assert!(!pass.goes_round_in_circles(), "{:?}", pass.done());
        pass.into_parts()
    }

    fn now(&self) -> Now {
        let since = self.now.duration_since(BEGINNING.parse().unwrap());
        Now { wall: self.now, monotonic: Duration::try_from(since).unwrap() }
    }

    /// What observation finds.
    fn world(&mut self) -> World {
        let unbound = self.status.identity.job_id.is_none();
        let rivals = if unbound { self.graph.rivals.clone() } else { Vec::new() };
        let shown = Shown {
            status: Some(&self.status),
            deletion_requested: self.deletion.is_some(),
            finalizer: self.finalizer,
            annotations: &self.annotations,
            tenant: Some(self.graph.tenant),
        };
        let now = self.now();
        World::observe(shown, (rivals, Vec::new()), &mut self.memory, now)
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
        let clock = self.now();
        let nonce = || NONCE.to_owned();
        match fact {
            Fact::IntentRecorded { .. } | Fact::AdoptionRecorded { .. } => {
                self.memory.note(Remember::IntentRecorded { nonce: nonce() }, clock);
            }
            Fact::JobCreated(_) | Fact::CreateUnknown(_) => self.memory.note(Remember::CreateSent, clock),
            Fact::CreateRefused(_) => {
                self.memory.note(Remember::CreateWithoutEffect { nonce: nonce() }, clock);
            }
            Fact::RunStateRequested { state, .. } => self.memory.note(Remember::RunAsked(*state), clock),
            _ => {}
        }
        let identity = &mut self.status.identity;
        match fact {
            Fact::FinalizerAdded => self.finalizer = true,
            Fact::IntentRecorded { baseline } => identity.intent = Some(intent(baseline, None)),
            Fact::AdoptionRecorded { id } => identity.intent = Some(intent(&[], Some(id))),
            Fact::IntentCleared => {
                (identity.intent, identity.service_principal_id, identity.tenant_id) = (None, None, None);
            }
            Fact::OriginRecorded { origin, .. } => identity.job_origin = Some(*origin),
            Fact::JobBound { id } | Fact::JobAdopted { id } => {
                let adopted = matches!(fact, Fact::JobAdopted { .. });
                identity.job_origin = Some(if adopted { JobOrigin::Adopted } else { JobOrigin::Created });
                (identity.job_id, identity.job_bound_time, identity.intent) = (Some(id.clone()), Some(now), None);
            }
            Fact::FinalizerRemoved { .. } => self.finalizer = false,
            Fact::JobForgotten { .. } => *identity = Identity::default(),
            Fact::RestartRecorded { .. } => panic!("no story goes this way yet: {fact:?}"),
            _ => {}
        }
        if identity.intent.is_some() || identity.job_id.is_some() {
            identity.service_principal_id = Some(desired.service_principal.as_str().to_owned());
            identity.tenant_id.get_or_insert_with(|| self.graph.tenant.to_owned());
        }
    }

    /// What the operator keeps of a save, and of a restart that one needed.
    fn remember_secrets(&mut self, fact: &Fact, desired: &Desired, world: &World) {
        let clock = self.now();
        if matches!(fact, Fact::RestartedAfterChange { .. }) {
            self.memory.note(Remember::RunAsked(RunState::Running), clock);
        }
        if matches!(fact, Fact::SecretsSaved { .. }) {
            if world.secrets.inherited {
                self.memory.note(Remember::SaveInDoubt, clock);
            }
            let wanted = world.secrets.wanted.as_ref().unwrap();
            let last_word = world.secrets.doubt.is_some_and(|doubt| doubt >= Settings::default().settle_window);
            let (credentials, settings) = (wanted.credentials.clone(), desired.content.settings.clone());
            let saved = Remember::SecretsSaved { credentials, settings, changes_settings: true, last_word };
            self.memory.note(saved, clock);
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
