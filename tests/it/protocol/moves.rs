//! What a move does: a pass begins, carries out a step against the shared state, and ends.

use std::time::Duration;

use entrain::plan::desired::Adoption;
use entrain::plan::ids::{ServicePrincipalId, TemplateId};
use entrain::plan::{
    Change, Desired, Fact, IntentOrigin, IntentView, Look, ObservedJob, Record, Rival, Rivals, Settings, Sibling, Step,
    TroubleKind, Verdict, World, decide,
};

use super::model::{Intent, Object, Outcome, Pass, Protocol, Scene, State, Without, trouble};
use super::service::{commit, create, delete, deleted, observed};

const LONG: Duration = Duration::from_secs(3600);

impl Protocol {
    pub fn desired(&self, object: usize) -> Desired {
        Desired {
            adoption: if self.scene == Scene::Adoption { Adoption::IfExists } else { Adoption::Never },
            ..Desired::new(
                ServicePrincipalId::parse("2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f").unwrap(),
                TemplateId::parse(&format!("T{}", self.template(object))).unwrap(),
            )
        }
    }

    pub fn decide(&self, object: usize, world: &World) -> Verdict {
        let mut plan = decide(&self.desired(object), world, &Settings::default());
        let unsent = world.created.is_none()
            && world.trouble.is_none()
            && world.intent.as_ref().is_some_and(|intent| intent.origin == IntentOrigin::Recorded);
        match (self.without, plan.step.clone()) {
            (Without::BindFirst, Some(Step::Record(Record::BindJob { id }))) if world.run.is_none() => {
                plan.step = Some(Step::Change(Change::StartJob { id }));
            }
            (Without::GivingWay, None) if unsent && matches!(world.rivals, Rivals::Read(_)) => {
                plan.step = Some(Step::Change(Change::CreateJob));
            }
            _ => {}
        }
        plan
    }

    pub fn begin(&self, state: &mut State, actor: usize, settled: bool, behind: bool) -> Pass {
        let index = self.actors[actor];
        let object = if behind { state.before[index].clone() } else { state.objects[index].clone() };
        let memory = &mut state.actors[actor];
        memory.deletion_unknown |= !memory.met && object.deleting && object.job.is_some();
        memory.met = true;
        let memory = state.actors[actor].clone();
        let ours = |nonce: u8| memory.created.as_ref().filter(|(known, _)| *known == nonce).map(|(_, job)| job.clone());
        let (rivals, siblings) = if settled { self.holders(&state.objects, index) } else { (Vec::new(), Vec::new()) };
        let several = settled || self.without == Without::SeveralLooks && object.deleting;
        let over = if settled || self.without == Without::DeletionWindow { LONG } else { Duration::ZERO };
        let world = World {
            finalizer: !object.gone,
            deletion_requested: object.deleting,
            definition_going: Some(false),
            service_principal_exists: object.deleting.then_some(true),
            job_id: object.job.clone(),
            job_deleted: object.job.is_some() && memory.deleted,
            bound_for: LONG,
            tenant: Some("tenant".to_owned()),
            recorded_tenant: Some("tenant".to_owned()),
            seen: true,
            intent: object.intent.as_ref().map(|intent| IntentView {
                baseline: intent.baseline.clone(),
                adopt: intent.adopt.clone(),
                origin: if memory.unsent.contains(&intent.nonce) {
                    IntentOrigin::Unsent
                } else {
                    IntentOrigin::Unknown
                },
                age: if settled { LONG } else { Duration::ZERO },
            }),
            created: object.intent.as_ref().and_then(|intent| ours(intent.nonce)),
            rivals: Rivals::Cached(rivals),
            siblings,
            templates: Some(if self.without == Without::OwnTemplate {
                vec!["T0".to_owned()]
            } else {
                vec!["T0".to_owned(), "T1".to_owned()]
            }),
            absences: if several { 3 } else { 0 },
            absent_for: if several { LONG } else { Duration::ZERO },
            delete_unknown_for: memory.deletion_unknown.then_some(over),
            ..World::unobserved()
        };
        Pass {
            world,
            version: object.version,
            nonce: object.intent.as_ref().map(|intent| intent.nonce),
            began_after: state.nonces,
            settled,
            shown: Vec::new(),
        }
    }

    /// What the settle window promises about the intent and the deletions of an object.
    pub fn may_be_settled(&self, state: &State, index: usize) -> bool {
        let object = &state.objects[index];
        let deletions = || state.late_deletions.iter().all(|(_, sender)| *sender != index);
        let shown = || state.jobs.iter().all(|job| job.visible || object.job.as_ref() != Some(&job.id));
        let nonce = object.intent.as_ref().map(|intent| intent.nonce);
        let creations = |nonce: u8| {
            state.late.iter().all(|(late, _)| *late != nonce)
                && state.jobs.iter().all(|job| job.nonce != nonce || job.visible)
                && !state.actors.iter().any(|actor| actor.pass.as_ref().is_some_and(|pass| pass.began_after < nonce))
        };
        self.without == Without::SettleWindow || (deletions() && shown() && nonce.is_none_or(creations))
    }

    /// Decides and carries out one step; `false` if the pass is over.
    pub fn advance(&self, state: &mut State, actor: usize, pass: &mut Pass, outcome: Outcome) -> bool {
        let object = self.actors[actor];
        let Some(step) = self.decide(object, &pass.world).step else { return false };
        let fact = self.act(state, actor, pass, &step, outcome);
        let over = matches!(fact, Fact::FinalizerRemoved { .. });
        pass.world = pass.world.clone().with(fact, &self.desired(object));
        !over
    }

    /// Carries the step out against the shared state and says what the actor learns.
    fn act(&self, state: &mut State, actor: usize, pass: &mut Pass, step: &Step, outcome: Outcome) -> Fact {
        let index = self.actors[actor];
        match step {
            Step::Look(Look::Jobs) if outcome == Outcome::Lagging => Fact::JobsListed(Vec::new()),
            Step::Look(Look::Jobs) => {
                Fact::JobsListed(state.jobs.iter().filter(|job| job.visible).map(observed).collect())
            }
            Step::Record(Record::Intent { baseline }) => self
                .record(state, actor, pass, (baseline.clone(), None), outcome)
                .unwrap_or(Fact::IntentRecorded { baseline: baseline.clone() }),
            Step::Record(Record::Adoption { id }) => self
                .record(state, actor, pass, (Vec::new(), Some(id.clone())), outcome)
                .unwrap_or(Fact::AdoptionRecorded { id: id.clone() }),
            Step::Record(Record::ClearIntent) => {
                self.write(state, index, pass, outcome, |object| object.intent = None).unwrap_or(Fact::IntentCleared)
            }
            Step::Record(Record::BindJob { id }) => {
                self.bind(state, index, pass, id, outcome).unwrap_or(Fact::JobBound { id: id.clone() })
            }
            Step::Record(Record::AdoptJob { id }) => {
                self.bind(state, index, pass, id, outcome).unwrap_or(Fact::JobAdopted { id: id.clone() })
            }
            Step::Look(Look::Rivals) if self.without == Without::RivalRead => {
                Fact::RivalsRead { rivals: Vec::new(), siblings: Vec::new() }
            }
            Step::Look(Look::Rivals) => {
                let behind = if let Outcome::Behind(writes) = outcome { writes } else { 0 };
                let shown = std::mem::take(&mut pass.shown);
                let now = shown.len().checked_sub(1 + behind).map_or(&state.objects, |at| &shown[at]);
                let (rivals, siblings) = self.holders(now, index);
                Fact::RivalsRead { rivals, siblings }
            }
            Step::Change(Change::CreateJob) => create(self, state, actor, pass, outcome),
            Step::Change(Change::StartJob { id }) => {
                state.jobs.iter_mut().filter(|job| &job.id == id).for_each(|job| job.started = true);
                Change::StartJob { id: id.clone() }.done(ObservedJob::default)
            }
            Step::Change(Change::DeleteJob { id }) => {
                let fact = delete(state, id, index, outcome);
                let memory = &mut state.actors[actor];
                memory.deleted |= matches!(fact, Fact::JobDeleted { .. });
                memory.deletion_unknown |= matches!(fact, Fact::DeleteUnknown(_));
                fact
            }
            Step::Record(Record::RemoveFinalizer { leaving }) => self
                .write(state, index, pass, outcome, |object| {
                    *object = Object { gone: true, deleting: true, version: object.version, ..Object::default() };
                })
                .unwrap_or(Fact::FinalizerRemoved { leaving: leaving.clone() }),
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
        let written = self.write(state, self.actors[actor], pass, outcome, |object| object.intent = stored);
        pass.shown = vec![state.objects.clone()];
        written
    }

    fn bind(&self, state: &mut State, index: usize, pass: &mut Pass, id: &str, outcome: Outcome) -> Option<Fact> {
        let bound = id.to_owned();
        self.write(state, index, pass, outcome, |object| {
            object.intent = None;
            object.job = Some(bound);
        })
    }

    /// A compare-and-swap; `None` if it was done and its answer arrived.
    fn write(
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
        state.before[index] = object.clone();
        change(object);
        object.version += 1;
        pass.version = object.version;
        (outcome == Outcome::AnswerLost).then(|| Fact::Trouble(trouble(TroubleKind::ClusterUnavailable)))
    }

    fn holders(&self, objects: &[Object], index: usize) -> (Vec<Rival>, Vec<Sibling>) {
        let (mut rivals, mut siblings) = (Vec::new(), Vec::new());
        for (other, object) in objects.iter().enumerate() {
            if other == index || object.intent.is_none() && object.job.is_none() {
                continue;
            }
            let (name, job_id) = (format!("{other}"), object.job.clone());
            if self.template(other) == self.template(index) {
                rivals.push(Rival { name, job_id, precedes: other < index });
            } else if self.without != Without::OwnTemplate {
                siblings.push(Sibling { name, job_id });
            }
        }
        (rivals, siblings)
    }

    /// Whether an undisturbed run from here comes to the end that is wished for.
    pub fn recovers(&self, state: &State) -> bool {
        let mut state = state.clone();
        for _ in 0..12 {
            if self.settled(&state) {
                return true;
            }
            while let Some((nonce, object)) = state.late.pop() {
                drop(commit(self, &mut state, nonce, object));
            }
            while let Some((id, object)) = state.late_deletions.pop() {
                deleted(&mut state, &id, object);
            }
            state.jobs.iter_mut().for_each(|job| job.visible = true);
            for actor in 0..self.actors.len() {
                if state.objects[self.actors[actor]].gone {
                    state.actors[actor].pass = None;
                    continue;
                }
                let settled = self.may_be_settled(&state, self.actors[actor]);
                let begun = state.actors[actor].pass.take();
                let mut pass = begun.unwrap_or_else(|| self.begin(&mut state, actor, settled, false));
                for count in 0.. {
                    assert!(count < 24, "{:?}", pass.world);
                    if !self.advance(&mut state, actor, &mut pass, Outcome::Good) {
                        break;
                    }
                }
                end(&mut state, actor, &pass);
            }
        }
        false
    }

    /// What is wished for: one job for each SyncJob or for one of the twins, recorded once, and started. A job that may
    /// not be adopted is left alone; where a SyncJob is being deleted, it goes with its job.
    pub fn settled(&self, state: &State) -> bool {
        let mut bound: Vec<&String> = state.objects.iter().filter_map(|object| object.job.as_ref()).collect();
        let mut jobs: Vec<&String> = state.jobs.iter().map(|job| &job.id).collect();
        bound.sort();
        jobs.sort();
        let started = state.jobs.iter().all(|job| job.started);
        let leaving = state.objects.iter().any(|object| object.deleting && !object.gone);
        let wanted = match self.scene {
            Scene::Hidden => return bound.is_empty() && jobs.len() == 1,
            Scene::Siblings => state.objects.len(),
            Scene::Plain | Scene::Adoption => 1,
            Scene::Deletion => usize::from(state.objects.iter().any(|object| !object.gone)),
        };
        bound == jobs && bound.len() == wanted && started && !leaving
    }
}

pub fn end(state: &mut State, actor: usize, pass: &Pass) {
    let actor = &mut state.actors[actor];
    actor.pass = None;
    if pass.world.intent.is_none() && pass.world.trouble.is_none() {
        actor.unsent.clear();
        actor.created = None;
    }
}
