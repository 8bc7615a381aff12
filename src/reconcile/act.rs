//! One step, carried out. Nothing is decided here: each step becomes calls, and what came of them a fact.

use std::time::Duration;

use kube::ResourceExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::pass::Pass;
use super::translate::{cluster_trouble, graph_trouble, observed};
use super::{Context, identity, observe, restart};
use crate::api::SyncJob;
use crate::cluster::{self, read, write};
use crate::graph;
use crate::plan::{Desired, Fact, Leaving, ObservedJob, Step, Trouble, TroubleKind, World};

/// A create request leaves within this time after its intent was recorded, or not at all. The settle window counts on it.
const SEND_WITHIN: Duration = Duration::from_secs(15);

pub(super) async fn act(
    step: &Step,
    desired: Option<&Desired>,
    world: &World,
    pass: &mut Pass,
    context: &Context,
) -> Fact {
    match (step, desired) {
        (Step::RemoveFinalizer { leaving }, _) => match write::remove_finalizer(&context.client, &pass.object).await {
            Ok(()) => {
                if let Leaving::LeftBehind { id } = leaving {
                    left_behind(id.as_deref(), pass, context);
                }
                Fact::FinalizerRemoved
            }
            Err(error) => changed(&error, "removing the finalizer", pass),
        },
        (Step::AddFinalizer, _) => match write::add_finalizer(&context.client, &pass.object).await {
            Ok(object) => {
                pass.wrote(object);
                Fact::FinalizerAdded
            }
            Err(error) => changed(&error, "adding the finalizer", pass),
        },
        (Step::LookUpDefinition, _) => match read::definition_is_going(&context.client).await {
            Ok(going) => Fact::DefinitionLookedUp { going },
            // An installation without rights on cluster-wide objects goes by `deletionPolicy` alone.
            Err(cluster::Error::Refused(_)) => Fact::DefinitionLookedUp { going: false },
            Err(error) => {
                Fact::Trouble(cluster_trouble(&error, "looking whether the CRD of SyncJobs is being deleted"))
            }
        },
        (Step::LookUpTenant, _) => match context.graph().tenant().await {
            Ok(id) => Fact::TenantKnown { id },
            Err(error) => Fact::Trouble(graph_trouble(&error)),
        },
        (step, Some(desired)) => act_on(step, desired, world, pass, context).await,
        (step, None) => identity::not_here(step),
    }
}

/// Counts and logs a job that may exist, or come back, without a SyncJob; the Event says it as well.
pub(super) fn left_behind(job_id: Option<&str>, pass: &Pass, context: &Context) {
    let (namespace, name) = (pass.object.namespace().unwrap_or_default(), pass.object.name_any());
    let service_principal = &pass.object.spec.service_principal_id;
    tracing::warn!(namespace, name, service_principal, job_id, "JobLeftBehind: no SyncJob holds this job");
    context.metrics.left_behind();
}

async fn act_on(step: &Step, desired: &Desired, world: &World, pass: &mut Pass, context: &Context) -> Fact {
    let service_principal = desired.service_principal.as_str();
    let graph = context.graph();
    match step {
        Step::ListJobs => {
            let answer = context.listings.list(graph, service_principal).await;
            found(answer, |jobs| Fact::JobsListed(listed(jobs, desired, pass, context)))
        }
        Step::RecallJobs => {
            let answer = context.listings.recall(graph, service_principal).await;
            found(answer, |(jobs, recalled)| {
                let jobs = listed(jobs, desired, pass, context);
                if recalled { Fact::JobsRecalled(jobs) } else { Fact::JobsListed(jobs) }
            })
        }
        Step::LookUpServicePrincipal => match graph.get_service_principal(service_principal).await {
            Ok(_) => Fact::ServicePrincipalLookedUp { exists: true },
            Err(error) if error.kind == graph::Kind::NotFound => Fact::ServicePrincipalLookedUp { exists: false },
            Err(error) => Fact::Trouble(graph_trouble(&error)),
        },
        Step::ListTemplates => found(graph.list_templates(service_principal).await, |templates| {
            Fact::TemplatesListed(templates.into_iter().map(|template| template.id).collect())
        }),
        Step::ReadRivals => match read::holders(&context.client, &context.namespaces, service_principal).await {
            Ok(holders) => {
                let holders: Vec<std::sync::Arc<SyncJob>> = holders.into_iter().map(Into::into).collect();
                let (rivals, siblings) = observe::holders(&pass.object, desired, &holders);
                Fact::RivalsRead { rivals, siblings }
            }
            Err(error) => {
                Fact::Trouble(cluster_trouble(&error, "reading the other SyncJobs of this service principal"))
            }
        },
        Step::CreateJob => create(desired, world, pass, context).await,
        Step::StartJob { id } => {
            let answer = graph.start_job(service_principal, id, &|| context.may_send()).await;
            run_state(answer, desired, pass, context)
        }
        Step::PauseJob { id } => {
            let answer = graph.pause_job(service_principal, id, &|| context.may_send()).await;
            run_state(answer, desired, pass, context)
        }
        Step::RecordRestart { token } => restart::record(token, world, pass, context).await,
        Step::RestartJob { id, scope } => restart::send(id, scope.as_deref(), desired, world, pass, context).await,
        Step::DeleteJob { id } => delete(id, desired, pass, context).await,
        Step::RecordIntent { .. } | Step::RecordAdoption { .. } => match context.graph().closed_until() {
            // An intent whose request has to wait would only be taken back again.
            Some(until) => Fact::Trouble(shut(until)),
            None => identity::write(step, desired, world, pass, context).await,
        },
        Step::RecordTenant { .. }
        | Step::ClearIntent
        | Step::BindJob { .. }
        | Step::AdoptJob { .. }
        | Step::RecordOrigin { .. }
        | Step::ForgetJob { .. } => identity::write(step, desired, world, pass, context).await,
        Step::AddFinalizer | Step::LookUpTenant | Step::LookUpDefinition | Step::RemoveFinalizer { .. } => {
            identity::not_here(step)
        }
    }
}

/// The jobs as the plan sees them: without those that this process deleted a moment ago, and with a mark on those that
/// other SyncJobs hold.
fn listed(jobs: Vec<graph::Job>, desired: &Desired, pass: &Pass, context: &Context) -> Vec<ObservedJob> {
    let lag = context.settings.settle_window;
    let mut jobs: Vec<ObservedJob> =
        jobs.into_iter().filter(|job| !context.listings.is_deleted(&job.id, lag)).map(observed).collect();
    if jobs.iter().filter(|job| desired.template.made(job)).nth(1).is_some() {
        let held = observe::held_by_others(&pass.object, &context.stores);
        for job in &mut jobs {
            job.held_by_other = held.contains(&job.id);
        }
    }
    jobs
}

fn shut(until: Instant) -> Trouble {
    Trouble {
        kind: TroubleKind::Throttled,
        detail: "Graph asked to wait, and nothing was begun.".to_owned(),
        trace: None,
        retry_after: Some(until.saturating_duration_since(Instant::now())),
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
    let answer = context.graph().create_job(service_principal, desired.template.as_str(), nonce, &in_time).await;
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
    let answer = context.graph().delete_job(service_principal, id, &|| context.may_send()).await;
    context.listings.changed(service_principal);
    match answer {
        Ok(()) => {
            context.listings.deleted(id);
            pass.entry.deleted = Some(id.to_owned());
            Fact::JobDeleted
        }
        Err(error) if error.kind == graph::Kind::NotFound => Fact::DeleteNotFound,
        Err(error) if error.processed == graph::Processed::Unknown => {
            pass.entry.delete_unknown = Some(Instant::now());
            Fact::DeleteUnknown(graph_trouble(&error))
        }
        Err(error) => Fact::Trouble(graph_trouble(&error)),
    }
}

fn run_state(answer: Result<(), graph::Error>, desired: &Desired, pass: &mut Pass, context: &Context) -> Fact {
    context.listings.changed(desired.service_principal.as_str());
    match answer {
        Ok(()) => {
            pass.entry.run = Some((desired.run_state, Instant::now()));
            Fact::RunStateRequested
        }
        Err(error) => Fact::Trouble(graph_trouble(&error)),
    }
}

/// A 404 is a fact of its own: what it means depends on what was looked for.
pub(crate) fn found<T>(answer: Result<T, graph::Error>, fact: impl FnOnce(T) -> Fact) -> Fact {
    match answer {
        Ok(value) => fact(value),
        Err(error) if error.kind == graph::Kind::NotFound => Fact::NotFound,
        Err(error) => Fact::Trouble(graph_trouble(&error)),
    }
}

/// A write that did not happen because the object changed; what we believed to be its newest version is forgotten.
pub(super) fn changed(error: &cluster::Error, doing: &str, pass: &mut Pass) -> Fact {
    if matches!(error, cluster::Error::Changed | cluster::Error::Gone) {
        pass.entry.written = None;
    }
    Fact::Trouble(cluster_trouble(error, doing))
}
