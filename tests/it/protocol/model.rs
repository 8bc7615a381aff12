//! The states and moves of the model: what is shared, what each operator knows, and how stateright walks through it.

use entrain::plan::{ObservedJob, Plan, Step, Trouble, TroubleKind, World};
use stateright::{Model, Property};

use super::moves::{commit, end};

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
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    pub id: String,
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
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pass {
    pub world: World,
    pub version: u8,
    pub nonce: Option<u8>,
    /// How many intents had been recorded when the pass began.
    pub began_after: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    pub objects: Vec<Object>,
    pub actors: Vec<Actor>,
    pub jobs: Vec<Job>,
    /// Requests that nobody waits for any more and that will still be carried out.
    pub late: Vec<u8>,
    pub nonces: u8,
    pub faults: u8,
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
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A pass begins; `settled` says whether the settle window has passed for the intent it finds.
    Begin {
        actor: usize,
        settled: bool,
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
    Reveal {
        index: usize,
    },
}

pub struct Protocol {
    /// For each actor, the SyncJob it works on.
    pub actors: Vec<usize>,
    /// A job is there from the beginning, and each SyncJob may adopt it.
    pub adoption: bool,
    pub faults_max: u8,
    pub nonces_max: u8,
    pub without: Without,
}

pub fn trouble(kind: TroubleKind) -> Trouble {
    Trouble { kind, detail: String::new(), trace: None, retry_after: None }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let objects = self.actors.iter().max().map_or(0, |last| last + 1);
        let foreign = Job { id: "BoxOutDelta.foreign".to_owned(), nonce: 0, visible: true, started: false };
        vec![State {
            jobs: if self.adoption { vec![foreign] } else { Vec::new() },
            objects: vec![Object::default(); objects],
            actors: vec![Actor::default(); self.actors.len()],
            ..State::default()
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (actor, index) in self.actors.iter().enumerate() {
            match &state.actors[actor].pass {
                None => {
                    actions.push(Action::Begin { actor, settled: false });
                    if state.objects[*index].intent.is_some() && self.may_be_settled(state, *index) {
                        actions.push(Action::Begin { actor, settled: true });
                    }
                }
                Some(pass) => {
                    actions.push(Action::Advance { actor, outcome: Outcome::Good });
                    if state.faults < self.faults_max {
                        actions.push(Action::Crash { actor });
                        actions.extend(
                            outcomes(&self.decide(&pass.world))
                                .iter()
                                .map(|outcome| Action::Advance { actor, outcome: *outcome }),
                        );
                    }
                }
            }
        }
        actions.extend((0..state.late.len()).map(|index| Action::Commit { index }));
        actions.extend(
            state.jobs.iter().enumerate().filter(|(_, job)| !job.visible).map(|(index, _)| Action::Reveal { index }),
        );
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Begin { actor, settled } => state.actors[actor].pass = Some(self.begin(last, actor, settled)),
            Action::Advance { actor, outcome } => {
                state.faults += u8::from(outcome != Outcome::Good);
                let mut pass = state.actors[actor].pass.take()?;
                match self.decide(&pass.world).step {
                    Some(step) => {
                        let fact = self.act(&mut state, actor, &mut pass, &step, outcome);
                        pass.world = pass.world.with(fact, &self.desired());
                        state.actors[actor].pass = Some(pass);
                    }
                    None => end(&mut state, actor, &pass),
                }
            }
            Action::Crash { actor } => {
                state.faults += 1;
                state.actors[actor] = Actor::default();
            }
            Action::Commit { index } => {
                let nonce = state.late.remove(index);
                commit(&mut state, nonce);
            }
            Action::Reveal { index } => state.jobs[index].visible = true,
        }
        Some(state)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.nonces <= self.nonces_max
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("never two jobs", |_, state: &State| state.jobs.len() <= 1),
            Property::always("a started job is a recorded one", |_, state: &State| {
                state
                    .jobs
                    .iter()
                    .filter(|job| job.started)
                    .all(|job| state.objects.iter().any(|object| object.job.as_ref() == Some(&job.id)))
            }),
            Property::always("one job is never recorded twice", |_, state: &State| {
                state.objects.iter().filter(|object| object.job.is_some()).count() <= 1
            }),
            Property::always("every state leads to one job, recorded and started", |model: &Self, state: &State| {
                model.without != Without::Nothing || model.recovers(state)
            }),
            Property::sometimes("a job is started", |_, state: &State| state.jobs.iter().any(|job| job.started)),
        ]
    }
}

/// The ways in which a step can go wrong.
fn outcomes(plan: &Plan) -> &'static [Outcome] {
    match plan.step {
        Some(Step::CreateJob) => &[Outcome::AnswerLost, Outcome::Late, Outcome::RequestLost, Outcome::Refused],
        Some(
            Step::RecordIntent { .. }
            | Step::BindJob { .. }
            | Step::RecordAdoption { .. }
            | Step::AdoptJob { .. }
            | Step::ClearIntent,
        ) => &[Outcome::AnswerLost, Outcome::RequestLost],
        _ => &[],
    }
}
