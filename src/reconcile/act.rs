//! One step, carried out. Nothing is decided here: each step becomes calls, and what came of them a fact.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::memory::SeenIntent;
use super::pass::Pass;
use super::translate::{cluster_trouble, graph_trouble, observed};
use super::{Context, observe};
use crate::api::{Intent, SyncJob};
use crate::cluster::{self, read, write, write::Identity};
use crate::graph;
use crate::plan::{Desired, Fact, Step, Trouble, TroubleKind, World};

/// A create request leaves within this time after its intent was recorded, or not at all. The settle window counts on it.
const SEND_WITHIN: Duration = Duration::from_secs(15);
/// How often a write of the job's id is repeated when the object changes under it.
const BIND_TRIES: usize = 3;

pub(super) async fn act(
    step: &Step,
    desired: Option<&Desired>,
    world: &World,
    pass: &mut Pass,
    context: &Context,
) -> Fact {
    match (step, desired) {
        (Step::RemoveFinalizer { .. }, _) => match write::remove_finalizer(&context.client, &pass.object).await {
            Ok(()) => Fact::FinalizerRemoved,
            Err(error) => changed(&error, "removing the finalizer", pass),
        },
        (Step::AddFinalizer, _) => match write::add_finalizer(&context.client, &pass.object).await {
            Ok(object) => {
                pass.wrote(object);
                Fact::FinalizerAdded
            }
            Err(error) => changed(&error, "adding the finalizer", pass),
        },
        (step, Some(desired)) => act_on(step, desired, world, pass, context).await,
        (_, None) => Fact::Trouble(Trouble {
            kind: TroubleKind::ObjectChanged,
            detail: "The spec cannot be acted on.".to_owned(),
            retry_after: None,
        }),
    }
}

async fn act_on(step: &Step, desired: &Desired, world: &World, pass: &mut Pass, context: &Context) -> Fact {
    let service_principal = desired.service_principal.as_str();
    let graph = &context.graph;
    match step {
        Step::ListJobs => found(graph.list_jobs(service_principal).await, |jobs| {
            Fact::JobsListed(jobs.into_iter().map(observed).collect())
        }),
        Step::LookUpServicePrincipal => match graph.get_service_principal(service_principal).await {
            Ok(_) => Fact::ServicePrincipalLookedUp { exists: true },
            Err(error) if error.kind == graph::Kind::NotFound => Fact::ServicePrincipalLookedUp { exists: false },
            Err(error) => Fact::Trouble(graph_trouble(&error)),
        },
        Step::ListTemplates => found(graph.list_templates(service_principal).await, |templates| {
            Fact::TemplatesListed(templates.into_iter().map(|template| template.id).collect())
        }),
        Step::RecordIntent { baseline } => record_intent(baseline, desired, pass, context).await,
        Step::ReadRivals => match read::holders(&context.client, service_principal).await {
            Ok(holders) => {
                let holders: Vec<std::sync::Arc<SyncJob>> = holders.into_iter().map(Into::into).collect();
                Fact::RivalsRead(observe::rivals(&pass.object, desired, &holders))
            }
            Err(error) => {
                Fact::Trouble(cluster_trouble(&error, "reading the other SyncJobs of this service principal"))
            }
        },
        Step::CreateJob => create(desired, pass, context).await,
        Step::ClearIntent => match write::identity(&context.client, &pass.object, &Identity::default()).await {
            Ok(object) => {
                pass.wrote(object);
                Fact::IntentCleared
            }
            Err(error) => changed(&error, "taking the intent back", pass),
        },
        Step::BindJob { id } => bind(id, desired, world, pass, context).await,
        Step::StartJob { id } => run_state(graph.start_job(service_principal, id).await, pass),
        Step::PauseJob { id } => run_state(graph.pause_job(service_principal, id).await, pass),
        Step::DeleteJob { id } => found(graph.delete_job(service_principal, id).await, |()| Fact::JobDeleted),
        Step::DeleteSurplus { id } => delete_surplus(id, service_principal, context).await,
        Step::AddFinalizer | Step::RemoveFinalizer { .. } => Fact::FinalizerAdded,
    }
}

/// Writes the intent and remembers it as unsent before the write: should its answer be lost, the request still has not left.
async fn record_intent(baseline: &[String], desired: &Desired, pass: &mut Pass, context: &Context) -> Fact {
    let nonce = Uuid::new_v4().to_string();
    let intent = Intent { nonce: nonce.clone(), recorded_time: Time(Timestamp::now()), baseline: baseline.to_vec() };
    let identity = Identity {
        service_principal_id: Some(desired.service_principal.as_str().to_owned()),
        intent: Some(intent),
        ..Identity::default()
    };
    pass.entry.unsent.push(nonce.clone());
    match write::identity(&context.client, &pass.object, &identity).await {
        Ok(object) => {
            pass.wrote(object);
            pass.intent_recorded = Some(Instant::now());
            pass.entry.unsent = vec![nonce.clone()];
            pass.entry.intent = Some(SeenIntent { nonce, since: Instant::now(), created: None });
            Fact::IntentRecorded { baseline: baseline.to_vec() }
        }
        Err(error) => changed(&error, "recording the intent to create the job", pass),
    }
}

/// Sends the request, once.
async fn create(desired: &Desired, pass: &mut Pass, context: &Context) -> Fact {
    let in_time = pass.intent_recorded.is_some_and(|at| at.elapsed() < SEND_WITHIN);
    let Some((intent, nonce)) = pass
        .entry
        .intent
        .as_mut()
        .and_then(|intent| {
            let nonce = Uuid::parse_str(&intent.nonce).ok()?;
            Some((intent, nonce))
        })
        .filter(|_| in_time)
    else {
        return Fact::CreateRefused(Trouble {
            kind: TroubleKind::ObjectChanged,
            detail: "Too much time had passed since the intent to create the job was recorded; no request was sent."
                .to_owned(),
            retry_after: None,
        });
    };
    pass.entry.unsent.clear();
    match context.graph.create_job(desired.service_principal.as_str(), desired.template.as_str(), nonce).await {
        Ok(job) => {
            let job = observed(job);
            intent.created = Some(job.clone());
            Fact::JobCreated(job)
        }
        Err(error) => {
            let trouble = graph_trouble(&error);
            match error.processed {
                graph::Processed::No => {
                    // As good as unsent: should taking the intent back fail, nothing has to be waited for.
                    pass.entry.unsent.push(nonce.to_string());
                    Fact::CreateRefused(trouble)
                }
                graph::Processed::Unknown => Fact::CreateUnknown(trouble),
            }
        }
    }
}

/// Writes the id in place of the intent. The object may change meanwhile (an edit, a deletion): as long as the intent in
/// it is still ours, the write is repeated on the newer version.
async fn bind(id: &str, desired: &Desired, world: &World, pass: &mut Pass, context: &Context) -> Fact {
    let identity = Identity {
        service_principal_id: Some(desired.service_principal.as_str().to_owned()),
        job_id: Some(id.to_owned()),
        job_bound_time: Some(Time(Timestamp::now())),
        intent: None,
    };
    let created_here = world.created.is_some();
    let nonce = pass.entry.intent.as_ref().map(|intent| intent.nonce.clone());
    for _ in 0..BIND_TRIES {
        match write::identity(&context.client, &pass.object, &identity).await {
            Ok(object) => {
                pass.wrote(object);
                return Fact::JobBound { id: id.to_owned() };
            }
            Err(cluster::Error::Unavailable(error)) => {
                return Fact::Trouble(cluster_trouble(&cluster::Error::Unavailable(error), "recording the job's id"));
            }
            Err(cluster::Error::Changed | cluster::Error::Gone) => {}
        }
        let (namespace, name) = (pass.object.namespace().unwrap_or_default(), pass.object.name_any());
        let current = match read::get(&context.client, &namespace, &name).await {
            Ok(current) => current.filter(|current| current.uid() == pass.object.uid()),
            Err(error) => return Fact::Trouble(cluster_trouble(&error, "recording the job's id")),
        };
        let status = current.as_ref().and_then(|current| current.status.clone()).unwrap_or_default();
        let ours = status.intent.is_some_and(|intent| Some(intent.nonce) == nonce);
        let bound = status.job_id.as_deref() == Some(id);
        match current {
            Some(current) if ours || bound => pass.wrote(current),
            _ if created_here => return Fact::BindLost { id: id.to_owned() },
            _ => return changed(&cluster::Error::Changed, "recording the job's id", pass),
        }
        if bound {
            return Fact::JobBound { id: id.to_owned() };
        }
    }
    changed(&cluster::Error::Changed, "recording the job's id", pass)
}

/// Deletes a job for which this process holds the answer to its own create request, unless somebody holds it by now.
async fn delete_surplus(id: &str, service_principal: &str, context: &Context) -> Fact {
    match read::holders(&context.client, service_principal).await {
        Ok(holders)
            if holders
                .iter()
                .any(|holder| holder.status.as_ref().is_some_and(|status| status.job_id.as_deref() == Some(id))) =>
        {
            return Fact::SurplusDeleted;
        }
        Ok(_) => {}
        Err(error) => return Fact::Trouble(cluster_trouble(&error, "making sure that nobody holds the surplus job")),
    }
    match context.graph.delete_job(service_principal, id).await {
        Ok(()) => Fact::SurplusDeleted,
        Err(error) => Fact::Trouble(graph_trouble(&error)),
    }
}

fn run_state(answer: Result<(), graph::Error>, pass: &mut Pass) -> Fact {
    match answer {
        Ok(()) => {
            pass.entry.run_requested = Some(Instant::now());
            Fact::RunStateRequested
        }
        Err(error) => Fact::Trouble(graph_trouble(&error)),
    }
}

/// A 404 is a fact of its own: what it means depends on what was looked for.
fn found<T>(answer: Result<T, graph::Error>, fact: impl FnOnce(T) -> Fact) -> Fact {
    match answer {
        Ok(value) => fact(value),
        Err(error) if error.kind == graph::Kind::NotFound => Fact::NotFound,
        Err(error) => Fact::Trouble(graph_trouble(&error)),
    }
}

/// A write that did not happen because the object changed; what we believed to be its newest version is forgotten.
fn changed(error: &cluster::Error, doing: &str, pass: &mut Pass) -> Fact {
    if matches!(error, cluster::Error::Changed | cluster::Error::Gone) {
        pass.entry.written = None;
    }
    Fact::Trouble(cluster_trouble(error, doing))
}
