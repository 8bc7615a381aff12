//! Steps that change something in Entra ID.

use std::time::Duration;

use uuid::Uuid;

use super::scene::{Learnt, Scene};
use super::translate::observed;
use super::{mappings, restart, secrets};
use crate::api::RunState;
use crate::graph;
use crate::plan::{Change, Fact, Guard, ObservedJob, Remember, Trouble, TroubleKind};
use crate::reconcile::trouble::graph_trouble;

/// A create request leaves within this time after its intent was recorded, or not at all. The settle window counts on it.
const SEND_WITHIN: Duration = Duration::from_secs(15);

pub(super) async fn change(change: &Change, scene: &Scene<'_>) -> Learnt {
    let (graph, service_principal) = (scene.graph(), scene.service_principal());
    let may_send = || scene.may_send();
    let done = || change.done(ObservedJob::default);
    match change {
        Change::CreateJob => create(scene).await,
        Change::StartJob { id } => {
            let answer = graph.start_job(service_principal, id, &may_send).await;
            run_state(answer, RunState::Running, done(), scene)
        }
        Change::PauseJob { id } => {
            let answer = graph.pause_job(service_principal, id, &may_send).await;
            run_state(answer, RunState::Paused, done(), scene)
        }
        Change::RestartJob { id, scope } => restart::send(id, scope.as_deref(), done(), scene).await,
        Change::DeleteJob { id } => delete(id, done(), scene).await,
        Change::TestCredentials { id, of } => secrets::test(id, *of, scene).await,
        Change::SaveSecrets { own: _, settings } => secrets::save(settings, done(), scene).await,
        Change::RestartAfterChange { id, scope } => secrets::restart(id, scope.as_deref(), done(), scene).await,
        Change::SaveMappings { id, lines: _, confirmation } => mappings::save(id, confirmation, scene).await,
        Change::ReleaseMappings { id } => mappings::release(id, scene).await,
    }
}

/// Sends the request, once.
async fn create(scene: &Scene<'_>) -> Learnt {
    let context = scene.context;
    let Some(nonce) = scene.nonce.as_deref().and_then(|nonce| Uuid::parse_str(nonce).ok()) else {
        return Fact::CreateRefused(too_late()).into();
    };
    let (service_principal, template) = (scene.service_principal(), scene.desired.template.as_str());
    let within = if scene.lacks(Guard::SendWithin) { Duration::MAX } else { SEND_WITHIN };
    let in_time = || scene.may_send() && scene.intent_recorded.is_some_and(|recorded| recorded.elapsed() < within);
    let answer = scene.graph().create_job(service_principal, template, nonce, &in_time).await;
    scene.jobs_changed();
    // As good as unsent: should taking the intent back fail, nothing has to be waited for.
    let without_effect = || Remember::CreateWithoutEffect { nonce: nonce.to_string() };
    match answer {
        Ok(job) => {
            let job = observed(job, context.clock.now().wall);
            scene.job_is_back(&job.id);
            let somebodys = scene.world.is_somebodys(&job) && !scene.lacks(Guard::Somebodys);
            let known = if somebodys { without_effect() } else { Remember::Created(job.clone()) };
            Learnt::and(Fact::JobCreated(job), [Remember::CreateSent, known])
        }
        Err(error) => {
            let trouble = graph_trouble(&error);
            match error.processed {
                graph::Processed::No => Learnt::and(
                    Fact::CreateRefused(conflict(&error, trouble)),
                    [Remember::CreateSent, without_effect()],
                ),
                graph::Processed::Unknown => Learnt::and(Fact::CreateUnknown(trouble), [Remember::CreateSent]),
            }
        }
    }
}

fn too_late() -> Trouble {
    Trouble {
        kind: TroubleKind::ObjectChanged,
        detail: "The intent to create the job is not this pass's; no request was sent.".to_owned(),
        trace: None,
        retry_after: None,
    }
}

/// A refusal because a job is there already is a conflict under any status.
fn conflict(error: &graph::Error, trouble: Trouble) -> Trouble {
    let words = format!("{} {}", error.code, error.message).to_ascii_lowercase();
    let exists = words.contains("alreadyexists") || words.contains("already exists");
    let rejected = matches!(trouble.kind, TroubleKind::Rejected | TroubleKind::Conflict);
    let kind = if exists && rejected { TroubleKind::Conflict } else { trouble.kind };
    Trouble { kind, ..trouble }
}

async fn delete(id: &str, done: Fact, scene: &Scene<'_>) -> Learnt {
    let (context, service_principal) = (scene.context, scene.service_principal());
    let answer = scene.graph().delete_job(service_principal, id, &|| scene.may_send()).await;
    scene.jobs_changed();
    match answer {
        Ok(()) => {
            context.listings.deleted(&scene.login.tenant, id);
            Learnt::and(done, [Remember::Deleted { id: id.to_owned() }])
        }
        Err(error) if error.kind == graph::Kind::NotFound => Fact::DeleteNotFound.into(),
        Err(error) if error.processed == graph::Processed::Unknown => {
            Learnt::and(Fact::DeleteUnknown(graph_trouble(&error)), [Remember::DeletionUnknown])
        }
        Err(error) => Fact::Trouble(graph_trouble(&error)).into(),
    }
}

fn run_state(answer: Result<(), graph::Error>, state: RunState, done: Fact, scene: &Scene<'_>) -> Learnt {
    scene.jobs_changed();
    match answer {
        Ok(()) => Learnt::and(done, [Remember::RunAsked(state)]),
        Err(error) => Fact::Trouble(graph_trouble(&error)).into(),
    }
}
