//! Steps that change something in Entra ID.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::pass::Pass;
use super::translate::{graph_trouble, observed};
use super::{Context, restart};
use crate::api::RunState;
use crate::graph;
use crate::plan::{Change, Desired, Fact, Trouble, TroubleKind, World};

/// A create request leaves within this time after its intent was recorded, or not at all. The settle window counts on it.
const SEND_WITHIN: Duration = Duration::from_secs(15);

pub(super) async fn change(
    change: &Change,
    desired: &Desired,
    world: &World,
    pass: &mut Pass,
    context: &Context,
) -> Fact {
    let (graph, service_principal) = (&context.graph, desired.service_principal.as_str());
    match change {
        Change::CreateJob => create(desired, world, pass, context).await,
        Change::StartJob { id } => {
            let answer = graph.start_job(service_principal, id, &|| context.may_send()).await;
            run_state(answer, id, RunState::Running, desired, pass, context)
        }
        Change::PauseJob { id } => {
            let answer = graph.pause_job(service_principal, id, &|| context.may_send()).await;
            run_state(answer, id, RunState::Paused, desired, pass, context)
        }
        Change::RestartJob { id, scope } => restart::send(id, scope.as_deref(), desired, world, pass, context).await,
        Change::DeleteJob { id } => delete(id, desired, pass, context).await,
    }
}

/// Sends the request, once.
async fn create(desired: &Desired, world: &World, pass: &mut Pass, context: &Context) -> Fact {
    let recorded = pass.intent_recorded;
    let Some((intent, nonce)) = pass.entry.intent.as_mut().and_then(|intent| {
        let nonce = Uuid::parse_str(&intent.nonce).ok()?;
        Some((intent, nonce))
    }) else {
        return Fact::CreateRefused(too_late());
    };
    pass.entry.unsent.clear();
    let service_principal = desired.service_principal.as_str();
    let in_time = || context.may_send() && recorded.is_some_and(|at| at.elapsed() < SEND_WITHIN);
    let answer = context.graph.create_job(service_principal, desired.template.as_str(), nonce, &in_time).await;
    context.listings.changed(service_principal);
    match answer {
        Ok(job) => {
            let job = observed(job);
            context.listings.is_back(&job.id);
            if world.is_somebodys(&job) {
                pass.entry.unsent.push(nonce.to_string());
            } else {
                intent.created = Some(job.clone());
            }
            Fact::JobCreated(job)
        }
        Err(error) => {
            let trouble = graph_trouble(&error);
            match error.processed {
                graph::Processed::No => {
                    // As good as unsent: should taking the intent back fail, nothing has to be waited for.
                    pass.entry.unsent.push(nonce.to_string());
                    Fact::CreateRefused(conflict(&error, trouble))
                }
                graph::Processed::Unknown => Fact::CreateUnknown(trouble),
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
    let said = format!("{} {}", error.code, error.message).to_ascii_lowercase();
    let exists = said.contains("alreadyexists") || said.contains("already exists");
    let rejected = matches!(trouble.kind, TroubleKind::Rejected | TroubleKind::Conflict);
    let kind = if exists && rejected { TroubleKind::Conflict } else { trouble.kind };
    Trouble { kind, ..trouble }
}

async fn delete(id: &str, desired: &Desired, pass: &mut Pass, context: &Context) -> Fact {
    let service_principal = desired.service_principal.as_str();
    let answer = context.graph.delete_job(service_principal, id, &|| context.may_send()).await;
    context.listings.changed(service_principal);
    match answer {
        Ok(()) => {
            context.listings.deleted(id);
            pass.entry.deleted = Some(id.to_owned());
            Fact::JobDeleted { id: id.to_owned() }
        }
        Err(error) if error.kind == graph::Kind::NotFound => Fact::DeleteNotFound,
        Err(error) if error.processed == graph::Processed::Unknown => {
            pass.entry.delete_unknown = Some(Instant::now());
            Fact::DeleteUnknown(graph_trouble(&error))
        }
        Err(error) => Fact::Trouble(graph_trouble(&error)),
    }
}

fn run_state(
    answer: Result<(), graph::Error>,
    id: &str,
    state: RunState,
    desired: &Desired,
    pass: &mut Pass,
    context: &Context,
) -> Fact {
    context.listings.changed(desired.service_principal.as_str());
    match answer {
        Ok(()) => {
            pass.entry.run = Some((state, Instant::now()));
            Fact::RunStateRequested { id: id.to_owned(), state }
        }
        Err(error) => Fact::Trouble(graph_trouble(&error)),
    }
}
