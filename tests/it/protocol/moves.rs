//! What a move does: a pass begins, carries out a step against the shared state, and ends.

use std::time::Duration;

use entrain::plan::desired::{Adoption, ServicePrincipalId, TemplateId};
use entrain::plan::{
    Desired, Fact, IntentOrigin, IntentView, ObservedJob, Plan, Rival, Rivals, Settings, Step, TroubleKind, World,
    decide,
};

use super::model::{Intent, Job, Object, Outcome, Pass, Protocol, State, Without, trouble};

impl Protocol {
    pub fn desired(&self) -> Desired {
        Desired {
            adoption: if self.adoption { Adoption::IfExists } else { Adoption::Never },
            ..Desired::new(
                ServicePrincipalId::parse("2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f").unwrap(),
                TemplateId::parse("BoxOutDelta").unwrap(),
            )
        }
    }

    pub fn decide(&self, world: &World) -> Plan {
        let mut plan = decide(&self.desired(), world, &Settings::default());
        let unsent = world.created.is_none()
            && world.trouble.is_none()
            && world.intent.as_ref().is_some_and(|intent| intent.origin == IntentOrigin::Recorded);
        match (self.without, plan.step.clone()) {
            (Without::BindFirst, Some(Step::BindJob { id })) if world.run.is_none() => {
                plan.step = Some(Step::StartJob { id });
            }
            (Without::GivingWay, None) if unsent && matches!(world.rivals, Rivals::Read(_)) => {
                plan.step = Some(Step::CreateJob);
            }
            _ => {}
        }
        plan
    }

    pub fn begin(&self, state: &State, actor: usize, settled: bool) -> Pass {
        let index = self.actors[actor];
        let object = &state.objects[index];
        let memory = &state.actors[actor];
        let ours = |nonce: u8| memory.created.as_ref().filter(|(known, _)| *known == nonce).map(|(_, job)| job.clone());
        let world = World {
            finalizer: true,
            job_id: object.job.clone(),
            bound_for: Duration::from_secs(3600),
            intent: object.intent.as_ref().map(|intent| IntentView {
                baseline: intent.baseline.clone(),
                adopt: intent.adopt.clone(),
                origin: if memory.unsent.contains(&intent.nonce) {
                    IntentOrigin::Unsent
                } else {
                    IntentOrigin::Unknown
                },
                age: if settled { Duration::from_secs(3600) } else { Duration::ZERO },
            }),
            created: object.intent.as_ref().and_then(|intent| ours(intent.nonce)),
            rivals: Rivals::Cached(if settled { rivals(state, index) } else { Vec::new() }),
            templates: Some(vec!["BoxOutDelta".to_owned()]),
            absences: if settled { 3 } else { 0 },
            ..World::unobserved()
        };
        Pass {
            world,
            version: object.version,
            nonce: object.intent.as_ref().map(|intent| intent.nonce),
            began_after: state.nonces,
        }
    }

    /// What the settle window promises about the intent of an object.
    pub fn may_be_settled(&self, state: &State, index: usize) -> bool {
        let Some(nonce) = state.objects[index].intent.as_ref().map(|intent| intent.nonce) else { return true };
        self.without == Without::SettleWindow
            || (!state.late.contains(&nonce)
                && state.jobs.iter().all(|job| job.nonce != nonce || job.visible)
                && !state.actors.iter().any(|actor| actor.pass.as_ref().is_some_and(|pass| pass.began_after < nonce)))
    }

    /// Carries the step out against the shared state and says what the actor learns.
    pub fn act(&self, state: &mut State, actor: usize, pass: &mut Pass, step: &Step, outcome: Outcome) -> Fact {
        let index = self.actors[actor];
        match step {
            Step::ListJobs => {
                Fact::JobsListed(state.jobs.iter().filter(|job| job.visible || job.started).map(observed).collect())
            }
            Step::RecordIntent { baseline } => self
                .record(state, actor, pass, (baseline.clone(), None), outcome)
                .unwrap_or(Fact::IntentRecorded { baseline: baseline.clone() }),
            Step::RecordAdoption { id } => self
                .record(state, actor, pass, (Vec::new(), Some(id.clone())), outcome)
                .unwrap_or(Fact::AdoptionRecorded { id: id.clone() }),
            Step::ClearIntent => {
                self.write(state, index, pass, outcome, |object| object.intent = None).unwrap_or(Fact::IntentCleared)
            }
            Step::BindJob { id } => {
                self.bind(state, index, pass, id, outcome).unwrap_or(Fact::JobBound { id: id.clone() })
            }
            Step::AdoptJob { id } => {
                self.bind(state, index, pass, id, outcome).unwrap_or(Fact::JobAdopted { id: id.clone() })
            }
            Step::ReadRivals if self.without == Without::RivalRead => Fact::RivalsRead(Vec::new()),
            Step::ReadRivals => Fact::RivalsRead(rivals(state, index)),
            Step::CreateJob => create(state, actor, pass, outcome),
            Step::StartJob { id } => {
                state.jobs.iter_mut().filter(|job| &job.id == id).for_each(|job| job.started = true);
                Fact::RunStateRequested
            }
            other => panic!("the model does not expect {other:?}"),
        }
    }

    fn record(
        &self,
        state: &mut State,
        actor: usize,
        pass: &mut Pass,
        (baseline, adopt): (Vec<String>, Option<String>),
        outcome: Outcome,
    ) -> Option<Fact> {
        state.nonces += 1;
        let nonce = state.nonces;
        state.actors[actor].unsent.push(nonce);
        pass.nonce = Some(nonce);
        let stored = (self.without != Without::Intent).then_some(Intent { nonce, baseline, adopt });
        self.write(state, self.actors[actor], pass, outcome, |object| object.intent = stored)
    }

    fn bind(&self, state: &mut State, index: usize, pass: &mut Pass, id: &str, outcome: Outcome) -> Option<Fact> {
        let bound = id.to_owned();
        self.write(state, index, pass, outcome, |object| {
            object.intent = None;
            object.job = Some(bound);
        })
    }

    /// A compare-and-swap; `None` if it was done and its answer arrived.
    pub fn write(
        &self,
        state: &mut State,
        index: usize,
        pass: &mut Pass,
        outcome: Outcome,
        change: impl FnOnce(&mut Object),
    ) -> Option<Fact> {
        let object = &mut state.objects[index];
        if object.version != pass.version && self.without != Without::CompareAndSwap {
            return Some(Fact::Trouble(trouble(TroubleKind::ObjectChanged)));
        }
        if outcome == Outcome::RequestLost {
            return Some(Fact::Trouble(trouble(TroubleKind::ClusterUnavailable)));
        }
        change(object);
        object.version += 1;
        pass.version = object.version;
        (outcome == Outcome::AnswerLost).then(|| Fact::Trouble(trouble(TroubleKind::ClusterUnavailable)))
    }

    /// Whether an undisturbed run from here ends with one job, bound and started.
    pub fn recovers(&self, state: &State) -> bool {
        let mut state = state.clone();
        for _ in 0..12 {
            if settled(&state) {
                return true;
            }
            while let Some(nonce) = state.late.pop() {
                commit(&mut state, nonce);
            }
            state.jobs.iter_mut().for_each(|job| job.visible = true);
            for actor in 0..self.actors.len() {
                let mut pass = state.actors[actor]
                    .pass
                    .take()
                    .unwrap_or_else(|| self.begin(&state, actor, self.may_be_settled(&state, self.actors[actor])));
                for count in 0.. {
                    let Some(step) = self.decide(&pass.world).step else { break };
                    assert!(count < 16, "{step:?} in {:?}", pass.world);
                    let fact = self.act(&mut state, actor, &mut pass, &step, Outcome::Good);
                    pass.world = pass.world.with(fact, &self.desired());
                }
                end(&mut state, actor, &pass);
            }
        }
        false
    }
}

/// One job, recorded once, and started.
pub fn settled(state: &State) -> bool {
    let bound: Vec<&String> = state.objects.iter().filter_map(|object| object.job.as_ref()).collect();
    state.jobs.len() == 1 && state.jobs[0].started && bound == [&state.jobs[0].id]
}

pub fn observed(job: &Job) -> ObservedJob {
    ObservedJob {
        id: job.id.clone(),
        template_id: Some("BoxOutDelta".to_owned()),
        schedule_state: Some(if job.started { "Active" } else { "Disabled" }.to_owned()),
        ..ObservedJob::default()
    }
}

pub fn rivals(state: &State, index: usize) -> Vec<Rival> {
    let others = state.objects.iter().enumerate().filter(|(other, _)| *other != index);
    others
        .filter(|(_, object)| object.intent.is_some() || object.job.is_some())
        .map(|(other, object)| Rival { name: format!("{other}"), job_id: object.job.clone(), precedes: other < index })
        .collect()
}

pub fn commit(state: &mut State, nonce: u8) -> ObservedJob {
    let job = Job { id: format!("BoxOutDelta.{}", state.jobs.len()), nonce, visible: false, started: false };
    let answer = observed(&job);
    state.jobs.push(job);
    answer
}

pub fn create(state: &mut State, actor: usize, pass: &Pass, outcome: Outcome) -> Fact {
    let nonce = pass.nonce.unwrap_or_default();
    state.actors[actor].unsent.clear();
    match outcome {
        Outcome::Good => {
            let job = commit(state, nonce);
            state.actors[actor].created = Some((nonce, job.clone()));
            return Fact::JobCreated(job);
        }
        Outcome::AnswerLost => drop(commit(state, nonce)),
        Outcome::Late => state.late.push(nonce),
        Outcome::RequestLost => {}
        Outcome::Refused => {
            state.actors[actor].unsent.push(nonce);
            return Fact::CreateRefused(trouble(TroubleKind::Throttled));
        }
    }
    Fact::CreateUnknown(trouble(TroubleKind::GraphUnavailable))
}

pub fn end(state: &mut State, actor: usize, pass: &Pass) {
    let actor = &mut state.actors[actor];
    actor.pass = None;
    if pass.world.intent.is_none() && pass.world.trouble.is_none() {
        actor.unsent.clear();
        actor.created = None;
    }
}
