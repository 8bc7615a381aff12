//! What is known when a pass begins, gathered from the cluster: the object and the other SyncJobs of its service principal.

use std::collections::HashSet;

use kube::ResourceExt;

use crate::api::{FINALIZER, SyncJob, SyncJobStatus};
use crate::clock::Clock;
use crate::cluster::stored::holds_the_unknown;
use crate::cluster::watch::Stores;
use crate::plan::ids::ServicePrincipalId;
use crate::plan::sync_job::world::observe::{Others, Shown};
use crate::plan::{Desired, Memory, Now, Rival, Sibling, World};

pub(super) fn world(
    object: &SyncJob,
    desired: Option<&Desired>,
    tenant: Option<&str>,
    memory: &mut Memory,
    stores: &Stores,
    now: Now,
) -> World {
    let status = object.status.as_ref();
    let unbound = status.is_none_or(|status| status.identity.job_id.is_none());
    let others = match desired {
        Some(desired) if unbound => {
            holders(object, desired, &stores.of_service_principal(desired.service_principal.as_str()))
        }
        Some(_) | None => Others::default(),
    };
    let shown = Shown {
        status,
        deletion_requested: object.metadata.deletion_timestamp.is_some(),
        finalizer: object.finalizers().iter().any(|finalizer| finalizer == FINALIZER),
        annotations: object.annotations(),
        tenant,
    };
    World::observe(shown, others, memory, now)
}

/// The world of one object alone: nothing is remembered of it, and no other object is known.
pub(crate) fn recorded(object: &SyncJob, desired: &Desired, tenant: Option<&str>) -> World {
    let no_others = Stores::of(&[]);
    let now = Clock::system().now();
    world(object, Some(desired), tenant, &mut Memory::default(), &no_others, now)
}

/// The ids that SyncJobs other than `own` hold, as far as the watch shows.
pub(super) fn held_by_others(own: &SyncJob, stores: &Stores) -> HashSet<String> {
    let others = stores.state().into_iter().filter(|other| other.uid() != own.uid());
    others.filter_map(|other| other.status.as_ref()?.identity.job_id.clone()).collect()
}

/// The other SyncJobs among `objects` that hold an intent or a job for the same service principal, or may: those of the same
/// template, and those of others.
pub(super) fn holders<T: AsRef<SyncJob>>(own: &SyncJob, desired: &Desired, objects: &[T]) -> Others {
    let order = |object: &SyncJob| (object.creation_timestamp().map(|time| time.0), object.uid());
    let (mut rivals, mut siblings) = (Vec::new(), Vec::new());
    for other in objects.iter().map(AsRef::as_ref) {
        let holds = |status: &&SyncJobStatus| status.identity.job_id.is_some() || status.identity.intent.is_some();
        let Some(status) = other.status.as_ref().filter(holds) else { continue };
        let principal = ServicePrincipalId::parse(&other.spec.service_principal_id);
        if other.uid() == own.uid() || principal.as_ref() != Some(&desired.service_principal) {
            continue;
        }
        let name = format!("{}/{}", other.namespace().unwrap_or_default(), other.name_any());
        let (job_id, template) = (status.identity.job_id.clone(), &other.spec.template_id);
        if template.is_empty() || desired.template.same_as(template) {
            let precedes = holds_the_unknown(other) || order(other) < order(own);
            rivals.push(Rival { name, job_id, precedes });
        } else {
            siblings.push(Sibling { name, job_id });
        }
    }
    // The watch has no order of its own.
    rivals.sort_by(|a: &Rival, b| a.name.cmp(&b.name));
    siblings.sort_by(|a: &Sibling, b| a.name.cmp(&b.name));
    (rivals, siblings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

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
