//! What is known when a pass begins: the object, what this process remembers, and the rivals that the watch shows.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use tokio::time::Instant;

use super::memory::{Entry, SeenIntent};
use crate::api::{FINALIZER, RunRecord, SyncJob, SyncJobStatus};
use crate::cluster::stored::holds_the_unknown;
use crate::cluster::watch::Stores;
use crate::plan::ids::ServicePrincipalId;
use crate::plan::requests::{self, Requests, RestartRequest};
use crate::plan::{Desired, IntentOrigin, IntentView, Rival, Rivals, RunView, Sibling, World};

/// The newer of what the watch shows and what our own last write answered.
pub(super) fn freshest(object: Arc<SyncJob>, entry: &Entry) -> Arc<SyncJob> {
    let version = |object: &SyncJob| object.resource_version().and_then(|version| version.parse::<u64>().ok());
    match &entry.written {
        Some(written) if written.uid() == object.uid() && version(written) > version(&object) => written.clone(),
        Some(_) | None => object,
    }
}

pub(super) fn world(
    object: &SyncJob,
    desired: Option<&Desired>,
    tenant: Option<&str>,
    entry: &mut Entry,
    stores: &Stores,
) -> World {
    let status = object.status.as_ref();
    let intent = status.and_then(|status| status.intent.as_ref());
    let job_id = status.and_then(|status| status.job_id.clone());
    meet(object, job_id.as_deref(), entry);
    let seen = intent.map(|intent| remember(&intent.nonce, entry));
    let time = |of: fn(&SyncJobStatus) -> &Option<Time>| status.and_then(|status| of(status).as_ref());
    let asked = Requests::parse(object.annotations());
    let unsent = |request: &RestartRequest| entry.restart_unsent.as_ref() == Some(&request.token);
    let restart_due = asked.restart.as_ref().is_some_and(unsent);
    let (rivals, siblings) = match desired {
        Some(desired) if job_id.is_none() => holders(object, desired, &stores.state()),
        Some(_) | None => (Vec::new(), Vec::new()),
    };
    World {
        deletion_requested: object.metadata.deletion_timestamp.is_some(),
        finalizer: object.finalizers().iter().any(|finalizer| finalizer == FINALIZER),
        intent: intent.zip(seen.as_ref()).map(|(intent, seen)| IntentView {
            baseline: intent.baseline.clone(),
            adopt: intent.adopt_job_id.clone(),
            origin: if entry.unsent.contains(&seen.nonce) { IntentOrigin::Unsent } else { IntentOrigin::Unknown },
            age: seen.since.elapsed(),
        }),
        created: seen.and_then(|seen| seen.created),
        job_deleted: job_id.is_some() && entry.deleted == job_id,
        origin: status.and_then(|status| status.job_origin),
        bound_for: time(|status| &status.job_bound_time).map_or(Duration::ZERO, since),
        tenant: tenant.map(str::to_owned),
        recorded_tenant: status.and_then(|status| status.tenant_id.clone()),
        seen: status.is_some_and(was_seen),
        lived: time(|status| &status.job_lived_time).is_some(),
        missing_for: time(|status| &status.job_missing_since_time).map(since),
        service_principal_lost: time(|status| &status.service_principal_lost_time).is_some(),
        job_id,
        rivals: Rivals::Cached(rivals),
        siblings,
        absences: entry.absences,
        absent_for: entry.absent_since.map_or(Duration::ZERO, |at| at.elapsed()),
        delete_unknown_for: entry.delete_unknown.map(|at| at.elapsed()),
        run: run(status.and_then(|status| status.run.as_ref()), entry),
        requests: asked,
        handled_reconcile: status.and_then(|status| status.last_handled_reconcile.clone()),
        handled_restart: status.and_then(|status| status.last_handled_restart.clone()),
        handled_restarts: status.map(requests::handled).unwrap_or_default(),
        unseen: requests::unseen(status),
        restart_due,
        failures: entry.failures,
        ..World::unobserved()
    }
}

/// A clock that went backwards makes everything young, which is the careful side.
fn since(time: &Time) -> Duration {
    Duration::try_from(Timestamp::now().duration_since(time.0)).unwrap_or(Duration::ZERO)
}

/// A request of this process that did not get into status yet; else what status says.
fn run(status: Option<&RunRecord>, entry: &Entry) -> Option<RunView> {
    let unwritten = entry.run.map(|(state, at)| RunView { state, asked: Some(at.elapsed()), reached: false });
    unwritten.or_else(|| {
        status.map(|run| RunView {
            state: run.state,
            asked: run.requested_time.as_ref().map(since),
            reached: run.reached_time.is_some(),
        })
    })
}

/// An object that is being deleted when this process first meets it may have been worked on by another one, whose last
/// request nobody knows.
fn meet(object: &SyncJob, job_id: Option<&str>, entry: &mut Entry) {
    if !entry.met && object.metadata.deletion_timestamp.is_some() && job_id.is_some() {
        entry.delete_unknown = Some(Instant::now());
    }
    entry.met = true;
}

/// Versions that did not record the tenant did not record this either; they showed only what a list had shown.
fn was_seen(status: &SyncJobStatus) -> bool {
    let shown = status.job.as_ref().map(|job| &job.id);
    status.job_seen_time.is_some() || status.tenant_id.is_none() && shown.is_some() && shown == status.job_id.as_ref()
}

fn remember(nonce: &str, entry: &mut Entry) -> SeenIntent {
    let known = entry.intent.take().filter(|seen| seen.nonce == nonce);
    let seen = known.unwrap_or_else(|| SeenIntent { nonce: nonce.to_owned(), since: Instant::now(), created: None });
    entry.intent = Some(seen.clone());
    seen
}

/// The ids that SyncJobs other than `own` hold, as far as the watch shows.
pub(super) fn held_by_others(own: &SyncJob, stores: &Stores) -> HashSet<String> {
    let others = stores.state().into_iter().filter(|other| other.uid() != own.uid());
    others.filter_map(|other| other.status.as_ref()?.job_id.clone()).collect()
}

/// The other SyncJobs among `objects` that hold an intent or a job for the same service principal, or may: those of the same
/// template, and those of others.
pub(super) fn holders<T: AsRef<SyncJob>>(
    own: &SyncJob,
    desired: &Desired,
    objects: &[T],
) -> (Vec<Rival>, Vec<Sibling>) {
    let order = |object: &SyncJob| (object.creation_timestamp().map(|time| time.0), object.uid());
    let (mut rivals, mut siblings) = (Vec::new(), Vec::new());
    for other in objects.iter().map(AsRef::as_ref) {
        let holds = |status: &&SyncJobStatus| status.job_id.is_some() || status.intent.is_some();
        let Some(status) = other.status.as_ref().filter(holds) else { continue };
        let principal = ServicePrincipalId::parse(&other.spec.service_principal_id);
        if other.uid() == own.uid() || principal.as_ref() != Some(&desired.service_principal) {
            continue;
        }
        let name = format!("{}/{}", other.namespace().unwrap_or_default(), other.name_any());
        let (job_id, template) = (status.job_id.clone(), &other.spec.template_id);
        if template.is_empty() || desired.template.same_as(template) {
            let precedes = holds_the_unknown(other) || order(other) < order(own);
            rivals.push(Rival { name, job_id, precedes });
        } else {
            siblings.push(Sibling { name, job_id });
        }
    }
    (rivals, siblings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::stored::Stored;
    use serde_json::json;

    fn stored(name: &str, created: &str, mode: &str, status: &serde_json::Value) -> SyncJob {
        let spec =
            json!({"servicePrincipalId": "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f", "templateId": "scim", "mode": mode});
        let metadata = json!({"name": name, "namespace": "apps", "uid": name, "creationTimestamp": created});
        let object = json!({"metadata": metadata, "spec": spec, "status": status});
        serde_json::from_value::<Stored>(object).unwrap().into_sync_job()
    }

    #[test]
    fn way_is_given_to_a_holder_that_cannot_be_read_although_it_came_later() {
        let own = stored("own", "2026-11-25T10:00:00Z", "Manage", &json!({}));
        let desired = Desired::parse(&own.spec).unwrap();
        let holds = json!({"servicePrincipalId": desired.service_principal.as_str()});
        let rivals = |status| {
            let later = stored("later", "2026-11-25T11:00:00Z", "Freeze", status);
            holders(&own, &desired, &[Arc::new(later)]).0
        };
        let rival = Rival { name: "apps/later".to_owned(), job_id: None, precedes: true };
        assert_eq!(rivals(&holds), [rival]);
        assert_eq!(rivals(&json!({"observedGeneration": 1})), []);
    }
}
