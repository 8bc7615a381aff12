//! What Graph does in the model: the same request has a different outcome in each world that is still possible.

use entrain::plan::{Fact, ObservedJob, Trouble, TroubleKind};

use super::model::{Actor, Duplicate, Ids, Job, Outcome, Pass, Protocol, State, Without, trouble};

/// What a create request that reaches Graph comes to.
pub enum Answer {
    Job(ObservedJob),
    Conflict,
}

/// Carries a create request out.
pub fn commit(model: &Protocol, state: &mut State, nonce: u8, object: usize) -> Answer {
    let template = model.template(object);
    let id = match model.ids {
        Ids::ByApplication => format!("T{template}.app"),
        Ids::Random => format!("T{template}.{nonce}"),
    };
    let job = Job { id, template, nonce, visible: false, started: false };
    let existing = state.jobs.iter().position(|there| there.template == template);
    match (existing, model.duplicate) {
        (Some(_), Duplicate::Conflict) => return Answer::Conflict,
        (Some(index), Duplicate::Existing) => return Answer::Job(observed(&state.jobs[index])),
        (Some(index), Duplicate::Replace) => {
            let replaced = state.jobs.remove(index);
            state.harmed |= recorded_elsewhere(state, &replaced.id, object);
        }
        (Some(_), Duplicate::Second) | (None, _) => {}
    }
    let answer = observed(&job);
    state.jobs.push(job);
    Answer::Job(answer)
}

/// Sends a create request, once.
pub fn create(model: &Protocol, state: &mut State, actor: usize, pass: &Pass, outcome: Outcome) -> Fact {
    let (nonce, object) = (pass.nonce.unwrap_or_default(), model.actors[actor]);
    state.actors[actor].unsent.clear();
    match outcome {
        Outcome::Good | Outcome::Behind(_) => {
            let answer = commit(model, state, nonce, object);
            return answered(model, &mut state.actors[actor], pass, nonce, answer);
        }
        Outcome::AnswerLost => drop(commit(model, state, nonce, object)),
        Outcome::Late => state.late.push((nonce, object)),
        Outcome::RequestLost | Outcome::Lagging => {}
        Outcome::Refused => return refused(&mut state.actors[actor], nonce, trouble(TroubleKind::Throttled)),
    }
    Fact::CreateUnknown(trouble(TroubleKind::GraphUnavailable))
}

fn answered(model: &Protocol, actor: &mut Actor, pass: &Pass, nonce: u8, answer: Answer) -> Fact {
    match answer {
        Answer::Conflict if model.without == Without::ConflictRefuses => {
            Fact::CreateUnknown(trouble(TroubleKind::Conflict))
        }
        Answer::Conflict => refused(actor, nonce, trouble(TroubleKind::Conflict)),
        Answer::Job(job) if model.without != Without::AnswerCheck && pass.world.is_somebodys(&job) => {
            actor.unsent.push(nonce);
            Fact::JobCreated(job)
        }
        Answer::Job(job) => {
            actor.created = Some((nonce, job.clone()));
            Fact::JobCreated(job)
        }
    }
}

fn refused(actor: &mut Actor, nonce: u8, trouble: Trouble) -> Fact {
    actor.unsent.push(nonce);
    Fact::CreateRefused(trouble)
}

/// Carries a deletion out that a SyncJob sent.
pub fn deleted(state: &mut State, id: &str, object: usize) {
    let Some(index) = state.jobs.iter().position(|job| job.id == id) else { return };
    let job = state.jobs.remove(index);
    state.harmed |= job.nonce == 0 || recorded_elsewhere(state, id, object);
}

/// Sends a deletion.
pub fn delete(state: &mut State, id: &str, object: usize, outcome: Outcome) -> Fact {
    let there = state.jobs.iter().any(|job| job.id == id);
    match outcome {
        Outcome::Good | Outcome::Behind(_) if there => {
            deleted(state, id, object);
            return Fact::JobDeleted { id: id.to_owned() };
        }
        Outcome::Good | Outcome::Behind(_) | Outcome::Lagging => return Fact::DeleteNotFound,
        Outcome::Refused => return Fact::Trouble(trouble(TroubleKind::Throttled)),
        Outcome::AnswerLost => deleted(state, id, object),
        Outcome::Late => state.late_deletions.push((id.to_owned(), object)),
        Outcome::RequestLost => {}
    }
    Fact::DeleteUnknown(trouble(TroubleKind::GraphUnavailable))
}

fn recorded_elsewhere(state: &State, id: &str, object: usize) -> bool {
    state.objects.iter().enumerate().any(|(other, there)| other != object && there.job.as_deref() == Some(id))
}

/// Whether nothing of a SyncJob that is gone is there, or may still come to be.
pub fn nothing_left(state: &State, object: usize) -> bool {
    let nonces: Vec<u8> = state.late.iter().filter(|(_, sender)| *sender == object).map(|(nonce, _)| *nonce).collect();
    let held =
        |job: &Job| state.objects.iter().any(|other| other.job.as_ref() == Some(&job.id) || other.intent.is_some());
    nonces.is_empty() && state.jobs.iter().all(held)
}

pub fn observed(job: &Job) -> ObservedJob {
    ObservedJob {
        id: job.id.clone(),
        template_id: Some(format!("T{}", job.template)),
        schedule_state: Some(if job.started { "Active" } else { "Disabled" }.to_owned()),
        ..ObservedJob::default()
    }
}
