//! Steps that ask.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;

use super::scene::Scene;
use super::translate::{found, observed};
use super::{mappings, observe, secrets};
use crate::api::SyncJob;
use crate::cluster::{self, read};
use crate::graph;
use crate::plan::{Fact, Guard, Look, ObservedJob};
use crate::reconcile::context::Context;
use crate::reconcile::trouble::{cluster_trouble, graph_trouble};

/// How long a pass waits for the watch to show its intent before it lists the SyncJobs from the API server.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

pub(super) async fn look(look: Look, scene: &Scene<'_>, object: &SyncJob) -> Fact {
    let (desired, context) = (scene.desired, scene.context);
    let (graph, service_principal) = (scene.graph(), scene.service_principal());
    match look {
        Look::Tenant => match graph.tenant().await {
            Ok(id) => Fact::TenantKnown { id },
            Err(error) => Fact::Trouble(graph_trouble(&error)),
        },
        Look::Jobs => {
            let answer = context.listings.list(scene.login, service_principal).await;
            found(answer, |jobs| Fact::JobsListed(listed(jobs, scene, object)))
        }
        Look::RecentJobs => {
            let answer = context.listings.recall(scene.login, service_principal).await;
            found(answer, |(jobs, recalled)| {
                let jobs = listed(jobs, scene, object);
                if recalled { Fact::JobsRecalled(jobs) } else { Fact::JobsListed(jobs) }
            })
        }
        Look::ServicePrincipal => match graph.get_service_principal(service_principal).await {
            Ok(_) => Fact::ServicePrincipalLookedUp { exists: true },
            Err(error) if error.kind == graph::Kind::NotFound => Fact::ServicePrincipalLookedUp { exists: false },
            Err(error) => Fact::Trouble(graph_trouble(&error)),
        },
        Look::Definition => definition(context).await,
        Look::Namespace => namespace(object, context).await,
        Look::Templates => {
            let wanted = |offered: &str| desired.template.same_as(offered);
            let answer = context.listings.templates(scene.login, service_principal, wanted).await;
            found(answer, Fact::TemplatesListed)
        }
        Look::Rivals => rivals(scene, object).await,
        Look::Credentials => secrets::wanted(scene, object).await,
        Look::Secrets => secrets::live(scene).await,
        Look::Schema => mappings::look(scene).await,
    }
}

pub(super) async fn definition(context: &Context) -> Fact {
    match read::definition_is_going(&context.client).await {
        Ok(going) => Fact::DefinitionLookedUp { going },
        // An installation without rights on cluster-wide objects goes by `deletionPolicy` alone.
        Err(cluster::Error::Refused(_)) => Fact::DefinitionLookedUp { going: false },
        Err(error) => Fact::Trouble(cluster_trouble(&error, "looking whether the CRD of SyncJobs is being deleted")),
    }
}

pub(super) async fn namespace(object: &SyncJob, context: &Context) -> Fact {
    match read::namespace(&context.client, &object.namespace().unwrap_or_default()).await {
        Ok(facts) => Fact::NamespaceLookedUp { terminating: facts.is_none_or(|facts| facts.terminating) },
        // Without the right to look, the job is not left behind.
        Err(cluster::Error::Refused(_)) => Fact::NamespaceLookedUp { terminating: false },
        Err(error) => Fact::Trouble(cluster_trouble(&error, "looking whether the namespace is being deleted")),
    }
}

/// The other SyncJobs as they are after our own intent was written. Once the watch shows an intent of this pass, it shows every
/// write before it: of two intents, the later one's SyncJob sees the earlier one. A list would cost the API server a walk over
/// all. Of an earlier intent that proves nothing: what is asked for then is how things are by now.
async fn rivals(scene: &Scene<'_>, object: &SyncJob) -> Fact {
    let (desired, context, service_principal) = (scene.desired, scene.context, scene.service_principal());
    let read = |holders: &[Arc<SyncJob>]| {
        let (rivals, siblings) = observe::holders(object, desired, holders);
        Fact::RivalsRead { rivals, siblings }
    };
    if context.settings.without.lacks(Guard::RivalsReread) {
        return read(&context.stores.of_service_principal(service_principal));
    }
    let nonce = |object: &SyncJob| Some(object.status.as_ref()?.identity.intent.as_ref()?.nonce.clone());
    if let Some(ours) = nonce(object).filter(|_| scene.intent_recorded.is_some()) {
        let shown = |other: &SyncJob| other.uid() == object.uid() && nonce(other).as_ref() == Some(&ours);
        if let Some(holders) = context.stores.of_service_principal_once(service_principal, shown, SHOWN_WITHIN).await {
            return read(&holders);
        }
        tracing::debug!("the watch does not show the intent; reading the other SyncJobs from the API server");
    }
    match read::holders(&context.client, &context.namespaces, service_principal).await {
        Ok(holders) => read(&holders.into_iter().map(Into::into).collect::<Vec<_>>()),
        Err(error) => Fact::Trouble(cluster_trouble(&error, "reading the other SyncJobs of this service principal")),
    }
}

/// The jobs as the plan sees them: without those that this process deleted recently, and with a mark on those that
/// other SyncJobs hold.
fn listed(jobs: Vec<graph::Job>, scene: &Scene<'_>, object: &SyncJob) -> Vec<ObservedJob> {
    let (desired, context) = (scene.desired, scene.context);
    let now = context.clock.now().wall;
    let lag = if scene.lacks(Guard::Tombstones) { Duration::ZERO } else { context.settings.settle_window };
    let mut jobs: Vec<ObservedJob> = jobs
        .into_iter()
        .filter(|job| !context.listings.is_deleted(&scene.login.tenant, &job.id, lag))
        .map(|job| observed(job, now))
        .collect();
    if jobs.iter().filter(|job| job.made_from(&desired.template)).nth(1).is_some() {
        let held = observe::held_by_others(object, &context.stores);
        for job in &mut jobs {
            job.held_by_other = held.contains(&job.id);
        }
    }
    jobs
}
