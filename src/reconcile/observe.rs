//! What is known when a pass begins: the object, what this process remembers, and the rivals that the watch shows.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::reflector::Store;
use tokio::time::Instant;

use super::memory::{Entry, SeenIntent};
use crate::api::{FINALIZER, SyncJob};
use crate::plan::desired::ServicePrincipalId;
use crate::plan::{Desired, IntentOrigin, IntentView, Rival, Rivals, World};

/// The newer of what the watch shows and what our own last write answered.
pub(super) fn freshest(object: Arc<SyncJob>, entry: &Entry) -> Arc<SyncJob> {
    let version = |object: &SyncJob| object.resource_version().and_then(|version| version.parse::<u64>().ok());
    match &entry.written {
        Some(written) if written.uid() == object.uid() && version(written) > version(&object) => written.clone(),
        _ => object,
    }
}

pub(super) fn world(object: &SyncJob, desired: Option<&Desired>, entry: &mut Entry, store: &Store<SyncJob>) -> World {
    let status = object.status.as_ref();
    let intent = status.and_then(|status| status.intent.as_ref());
    let job_id = status.and_then(|status| status.job_id.clone());
    let surplus = surplus(intent.map(|intent| intent.nonce.as_str()), job_id.as_deref(), entry);
    let seen = intent.filter(|_| surplus.is_none()).map(|intent| remember(&intent.nonce, entry));
    let bound_for = status.and_then(|status| status.job_bound_time.as_ref()).map_or(Duration::ZERO, |bound| {
        // A clock that went backwards makes the job young, which is the careful side.
        Duration::try_from(Timestamp::now().duration_since(bound.0)).unwrap_or(Duration::ZERO)
    });
    let unsettled = job_id.is_none();
    World {
        deletion_requested: object.metadata.deletion_timestamp.is_some(),
        finalizer: object.finalizers().iter().any(|finalizer| finalizer == FINALIZER),
        intent: intent.zip(seen.as_ref()).map(|(intent, seen)| IntentView {
            baseline: intent.baseline.clone(),
            origin: if entry.unsent.contains(&seen.nonce) { IntentOrigin::Unsent } else { IntentOrigin::Unknown },
            age: seen.since.elapsed(),
        }),
        created: seen.and_then(|seen| seen.created),
        job_id,
        bound_for,
        rivals: Rivals::Cached(match desired {
            Some(desired) if unsettled => rivals(object, desired, &store.state()),
            _ => Vec::new(),
        }),
        surplus,
        absences: entry.absences,
        run_requested: entry.run_requested.map(|at| at.elapsed()),
        failures: entry.failures,
        ..World::unobserved()
    }
}

/// A job that this process created for an intent which somebody else has cleared since.
fn surplus(nonce: Option<&str>, job_id: Option<&str>, entry: &Entry) -> Option<String> {
    let seen = entry.intent.as_ref().filter(|seen| Some(seen.nonce.as_str()) != nonce)?;
    let created = seen.created.as_ref()?;
    (job_id != Some(created.id.as_str())).then(|| created.id.clone())
}

fn remember(nonce: &str, entry: &mut Entry) -> SeenIntent {
    let known = entry.intent.take().filter(|seen| seen.nonce == nonce);
    let seen = known.unwrap_or_else(|| SeenIntent { nonce: nonce.to_owned(), since: Instant::now(), created: None });
    entry.intent = Some(seen.clone());
    seen
}

/// The other SyncJobs among `objects` that hold an intent or a job for the same service principal and template.
pub(super) fn rivals<T: AsRef<SyncJob>>(own: &SyncJob, desired: &Desired, objects: &[T]) -> Vec<Rival> {
    let order = |object: &SyncJob| (object.creation_timestamp().map(|time| time.0), object.uid());
    objects
        .iter()
        .map(AsRef::as_ref)
        .filter(|other| other.uid() != own.uid())
        .filter(|other| {
            ServicePrincipalId::parse(&other.spec.service_principal_id).as_ref() == Some(&desired.service_principal)
        })
        .filter(|other| desired.template.same_as(&other.spec.template_id))
        .filter_map(|other| {
            let status = other.status.as_ref()?;
            (status.job_id.is_some() || status.intent.is_some()).then(|| Rival {
                name: format!("{}/{}", other.namespace().unwrap_or_default(), other.name_any()),
                job_id: status.job_id.clone(),
                precedes: order(other) < order(own),
            })
        })
        .collect()
}
