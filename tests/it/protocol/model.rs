//! The states and moves of the model: what is shared, what each operator knows, and how stateright walks through it.

use entrain::plan::{Change, Look, ObservedJob, Record, Step, Trouble, TroubleKind, Verdict, World};
use stateright::{Model, Property};

use super::moves::end;
use super::service::{commit, deleted};

/// A guard taken out, to see that the search would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    Nothing,
    /// The intent is not stored.
    Intent,
    /// The job is started before its id is recorded.
    BindFirst,
    /// An unanswered request counts as without effect at once.
    SettleWindow,
    /// The rivals are not read again after the intent was recorded.
    RivalRead,
    /// The older of two posts although it sees the other's intent.
    GivingWay,
    /// A write succeeds whatever version it was decided on.
    CompareAndSwap,
    /// Whatever answers a create request counts as made by it.
    AnswerCheck,
    /// A conflict counts as an unknown outcome instead of a refusal.
    ConflictRefuses,
    /// Jobs of other templates may explain an unknown outcome.
    OwnTemplate,
    /// A SyncJob lets go although a deletion that it sent may still be carried out.
    DeletionWindow,
    /// One look without the job is enough to let go.
    SeveralLooks,
}

/// What the third part of a job id is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    ByApplication,
    Random,
}

/// What a create request does where a job of its template is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicate {
    Conflict,
    Existing,
    Replace,
    /// Possible with random ids only.
    Second,
}

/// Every world that is still possible.
pub const WORLDS: &[(Ids, Duplicate)] = &[
    (Ids::ByApplication, Duplicate::Conflict),
    (Ids::ByApplication, Duplicate::Existing),
    (Ids::ByApplication, Duplicate::Replace),
    (Ids::Random, Duplicate::Conflict),
    (Ids::Random, Duplicate::Existing),
    (Ids::Random, Duplicate::Replace),
    (Ids::Random, Duplicate::Second),
];

/// What is there, and what may happen, beside two SyncJobs for one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    Plain,
    /// A job is there from the beginning, and each SyncJob may adopt it.
    Adoption,
    /// A job that somebody runs is there, and no list shows it at first. It may not be adopted.
    Hidden,
    /// The second SyncJob is for another template of the same service principal.
    Siblings,
    /// Somebody deletes the first SyncJob.
    Deletion,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Intent {
    pub nonce: u8,
    pub baseline: Vec<String>,
    pub adopt: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Object {
    pub intent: Option<Intent>,
    pub job: Option<String>,
    pub version: u8,
    pub deleting: bool,
    /// Its finalizer was removed while it was being deleted.
    pub gone: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    pub id: String,
    /// Which SyncJob's template it is of.
    pub template: u8,
    /// 0 for a job that somebody else made.
    pub nonce: u8,
    pub visible: bool,
    pub started: bool,
}

/// One operator's view of one SyncJob.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actor {
    pub pass: Option<Pass>,
    pub unsent: Vec<u8>,
    pub created: Option<(u8, ObservedJob)>,
    /// It has looked at the object before.
    pub met: bool,
    pub deletion_unknown: bool,
    pub deleted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pass {
    pub world: World,
    pub version: u8,
    pub nonce: Option<u8>,
    /// How many intents had been recorded when the pass began.
    pub began_after: u8,
    /// The settle window has passed for what it found, so that lists show what is there.
    pub settled: bool,
    /// The objects when this pass recorded its intent, and after each later write: one of these is shown with the intent.
    pub shown: Vec<Vec<Object>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    pub objects: Vec<Object>,
    /// Each object as it was before its last write.
    pub before: Vec<Object>,
    pub actors: Vec<Actor>,
    pub jobs: Vec<Job>,
    /// Create requests that nobody waits for any more and that will still be carried out, with their object.
    pub late: Vec<(u8, usize)>,
    /// Deletions of that kind, with the object that sent them.
    pub late_deletions: Vec<(String, usize)>,
    pub nonces: u8,
    pub faults: u8,
    /// A job that another SyncJob records was deleted, or a job that is nobody's was.
    pub harmed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Good,
    /// The request is carried out; its answer is lost.
    AnswerLost,
    /// The answer is lost, and the request is carried out later.
    Late,
    /// The request is lost; nobody can tell.
    RequestLost,
    /// Refused with an answer.
    Refused,
    /// A replica answers that lags behind: nothing is shown, or nothing is there to be deleted.
    Lagging,
    /// The watch shows the others as this many of their writes ago, and at least as they were when this pass recorded its intent.
    Behind(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A pass begins; `settled` says whether the settle window has passed for what it finds, `stale` that the watch shows
    /// the object as it was before its last write.
    Begin {
        actor: usize,
        settled: bool,
        stale: bool,
    },
    Advance {
        actor: usize,
        outcome: Outcome,
    },
    Crash {
        actor: usize,
    },
    Commit {
        index: usize,
    },
    CommitDeletion {
        index: usize,
    },
    Reveal {
        index: usize,
    },
    /// Somebody deletes a SyncJob.
    Delete {
        object: usize,
    },
}

#[derive(Clone, Debug)]
pub struct Protocol {
    /// For each actor, the SyncJob it works on.
    pub actors: Vec<usize>,
    pub scene: Scene,
    pub ids: Ids,
    pub duplicate: Duplicate,
    pub faults_max: u8,
    pub nonces_max: u8,
    pub without: Without,
}

pub fn trouble(kind: TroubleKind) -> Trouble {
    Trouble { kind, detail: String::new(), trace: None, retry_after: None }
}

impl State {
    /// A pass that waits for its own write may be shown any later state.
    fn show(&mut self) {
        let (objects, actors) = (&self.objects, &mut self.actors);
        for pass in actors.iter_mut().filter_map(|actor| actor.pass.as_mut()) {
            if pass.shown.last().is_some_and(|last| last != objects) {
                pass.shown.push(objects.clone());
            }
        }
    }
}

impl Protocol {
    pub fn template(&self, object: usize) -> u8 {
        u8::from(self.scene == Scene::Siblings && object == 1)
    }

    /// Lists lag within the settle window. That a new job is not shown yet is a state of the job.
    fn may_lag(&self, pass: &Pass) -> bool {
        self.scene == Scene::Deletion && pass.world.deletion_requested && !pass.settled
    }

    fn begins(&self, state: &State, actor: usize, actions: &mut Vec<Action>) {
        let object = &state.objects[self.actors[actor]];
        if object.gone {
            return;
        }
        actions.push(Action::Begin { actor, settled: false, stale: false });
        let waits = object.intent.is_some() || object.deleting;
        if waits && self.may_be_settled(state, self.actors[actor]) {
            actions.push(Action::Begin { actor, settled: true, stale: false });
        }
        let differs = state.before[self.actors[actor]] != *object;
        if differs && state.faults < self.faults_max {
            actions.push(Action::Begin { actor, settled: false, stale: true });
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let objects = self.actors.iter().max().map_or(0, |last| last + 1);
        let id = if self.ids == Ids::ByApplication { "T0.app" } else { "T0.0" };
        let there = |visible, started| Job { id: id.to_owned(), template: 0, nonce: 0, visible, started };
        vec![State {
            jobs: match self.scene {
                Scene::Adoption => vec![there(true, false)],
                // One that never ran, and whose request was not ours, is told apart by a clear answer only.
                Scene::Hidden => vec![there(false, self.faults_max > 0)],
                Scene::Plain | Scene::Siblings | Scene::Deletion => Vec::new(),
            },
            objects: vec![Object::default(); objects],
            before: vec![Object::default(); objects],
            actors: vec![Actor::default(); self.actors.len()],
            ..State::default()
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for actor in 0..self.actors.len() {
            let Some(pass) = &state.actors[actor].pass else {
                self.begins(state, actor, actions);
                continue;
            };
            actions.push(Action::Advance { actor, outcome: Outcome::Good });
            if self.decide(self.actors[actor], &pass.world).step == Some(Step::Look(Look::Rivals)) {
                let behind = |writes| Action::Advance { actor, outcome: Outcome::Behind(writes) };
                actions.extend((1..pass.shown.len()).map(behind));
            }
            if state.faults < self.faults_max {
                actions.push(Action::Crash { actor });
                let ways = outcomes(&self.decide(self.actors[actor], &pass.world)).iter();
                let possible = |outcome: &&Outcome| **outcome != Outcome::Lagging || self.may_lag(pass);
                actions.extend(ways.filter(possible).map(|outcome| Action::Advance { actor, outcome: *outcome }));
            }
        }
        actions.extend((0..state.late.len()).map(|index| Action::Commit { index }));
        actions.extend((0..state.late_deletions.len()).map(|index| Action::CommitDeletion { index }));
        let hidden = state.jobs.iter().enumerate().filter(|(_, job)| !job.visible);
        actions.extend(hidden.map(|(index, _)| Action::Reveal { index }));
        if self.scene == Scene::Deletion && !state.objects[0].deleting {
            actions.push(Action::Delete { object: 0 });
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Begin { actor, settled, stale } => {
                state.faults += u8::from(stale);
                let pass = self.begin(&mut state, actor, settled, stale);
                state.actors[actor].pass = Some(pass);
            }
            Action::Advance { actor, outcome } => {
                state.faults += u8::from(!matches!(outcome, Outcome::Good | Outcome::Behind(_)));
                let mut pass = state.actors[actor].pass.take()?;
                if self.advance(&mut state, actor, &mut pass, outcome) {
                    state.actors[actor].pass = Some(pass);
                } else {
                    end(&mut state, actor, &pass);
                }
                state.show();
            }
            Action::Crash { actor } => {
                state.faults += 1;
                state.actors[actor] = Actor::default();
            }
            Action::Commit { index } => {
                let (nonce, object) = state.late.remove(index);
                drop(commit(self, &mut state, nonce, object));
            }
            Action::CommitDeletion { index } => {
                let (id, object) = state.late_deletions.remove(index);
                deleted(&mut state, &id, object);
            }
            Action::Reveal { index } => state.jobs[index].visible = true,
            Action::Delete { object } => {
                let deleting = &mut state.objects[object];
                (deleting.deleting, deleting.version) = (true, deleting.version + 1);
                state.show();
            }
        }
        Some(state)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.nonces <= self.nonces_max
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("never two jobs", |_, state: &State| {
                state
                    .jobs
                    .iter()
                    .all(|job| state.jobs.iter().filter(|other| other.template == job.template).count() == 1)
            }),
            Property::always("a started job is a recorded one", |_, state: &State| {
                let recorded = |job: &Job| {
                    state.objects.iter().any(|object| object.job.as_ref() == Some(&job.id)) || job.nonce == 0
                };
                state.jobs.iter().filter(|job| job.started).all(recorded)
            }),
            Property::always("one job is never recorded twice", |_, state: &State| {
                let recorded: Vec<&String> = state.objects.iter().filter_map(|object| object.job.as_ref()).collect();
                recorded.iter().all(|id| recorded.iter().filter(|other| other == &id).count() == 1)
            }),
            Property::always("a job that may not be adopted is never recorded", |model: &Self, state: &State| {
                let id = state.jobs.iter().find(|job| job.nonce == 0).map(|job| &job.id);
                let held = id.is_some() && state.objects.iter().any(|object| object.job.as_ref() == id);
                model.scene != Scene::Hidden || !held
            }),
            Property::always("nobody else's job is deleted", |_, state: &State| !state.harmed),
            Property::always("a SyncJob that is gone leaves no job", |model: &Self, state: &State| {
                model.scene != Scene::Deletion || !state.objects[0].gone || super::service::nothing_left(state, 0)
            }),
            Property::always("every state leads to one job, recorded and started", |model: &Self, state: &State| {
                !matches!(model.without, Without::Nothing | Without::OwnTemplate) || model.recovers(state)
            }),
            Property::sometimes("the end is reached", |model: &Self, state: &State| model.settled(state)),
        ]
    }
}

/// The ways in which a step can go wrong.
fn outcomes(plan: &Verdict) -> &'static [Outcome] {
    match plan.step {
        Some(Step::Change(Change::CreateJob)) => {
            &[Outcome::AnswerLost, Outcome::Late, Outcome::RequestLost, Outcome::Refused]
        }
        Some(Step::Change(Change::DeleteJob { .. })) => {
            &[Outcome::AnswerLost, Outcome::Late, Outcome::RequestLost, Outcome::Refused, Outcome::Lagging]
        }
        Some(Step::Look(Look::Jobs)) => &[Outcome::Lagging],
        Some(Step::Record(
            Record::Intent { .. }
            | Record::BindJob { .. }
            | Record::Adoption { .. }
            | Record::AdoptJob { .. }
            | Record::RemoveFinalizer { .. }
            | Record::ClearIntent,
        )) => &[Outcome::AnswerLost, Outcome::RequestLost],
        _ => &[],
    }
}
