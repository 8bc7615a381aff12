//! How urgent a pass over a SyncJob is.

use super::queue::Class;
use crate::api::{Reason, SyncJob};
use crate::graph::Priority;

/// What an object waits for that the first list shows.
pub(super) fn class_at_first(object: &SyncJob) -> Class {
    let Some(status) = &object.status else { return Class::New };
    if object.metadata.deletion_timestamp.is_some() || status.report.observed_generation != object.metadata.generation {
        return Class::Change;
    }
    match (&status.identity.job_id, &status.identity.intent) {
        (Some(_), _) => Class::Poll,
        (None, Some(_)) => Class::UnknownOutcome,
        (None, None) => Class::New,
    }
}

/// What an object waits for after a pass.
pub(super) fn class_after(object: &SyncJob, failed: bool) -> Class {
    let status = object.status.as_ref();
    let (bound, intends) =
        (status.and_then(|it| it.identity.job_id.as_ref()), status.and_then(|it| it.identity.intent.as_ref()));
    if object.metadata.deletion_timestamp.is_some() || bound.is_none() && intends.is_some() {
        Class::UnknownOutcome
    } else if failed && bound.is_none() {
        Class::New
    } else {
        Class::Poll
    }
}

/// What a change of the tenant, or a login that succeeds, may end.
const OF_TENANTS: [Reason; 8] = [
    Reason::TenantNotFound,
    Reason::TenantNotAllowed,
    Reason::TenantSuspended,
    Reason::TenantNotReady,
    Reason::CredentialsRejected,
    Reason::LoginUnavailable,
    Reason::TokenRejected,
    Reason::PermissionMissing,
];

/// Whether an object says that it cannot be worked on because of its tenant.
pub(super) fn waits_for_its_tenant(object: &SyncJob) -> bool {
    let mut conditions = object.status.iter().flat_map(|status| &status.report.conditions);
    conditions.any(|condition| OF_TENANTS.iter().any(|reason| reason.name() == condition.reason))
}

/// How urgent the calls of a pass are among those of its tenant: deletions before changes before polls.
pub(super) fn priority(object: &SyncJob, class: Class) -> Priority {
    if object.metadata.deletion_timestamp.is_some() { Priority::Deletion } else { of_class(class) }
}

/// The same, by the class alone.
pub(super) fn of_class(class: Class) -> Priority {
    match class {
        Class::Poll => Priority::Poll,
        Class::New | Class::Created | Class::UnknownOutcome | Class::Change => Priority::Change,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const INTENT: &str = r#"{"nonce": "n", "recordedTime": "2026-11-25T10:00:00Z", "baseline": []}"#;

    fn object(metadata: &Value, status: &Value) -> SyncJob {
        let mut object = json!({"metadata": {"name": "a", "namespace": "apps", "uid": "a", "generation": 2},
            "spec": {"servicePrincipalId": "2D6F", "templateId": "scim"}, "status": status});
        for (name, value) in metadata.as_object().unwrap() {
            object["metadata"][name] = value.clone();
        }
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn a_first_look_is_as_urgent_as_what_the_object_waits_for() {
        let at_first = |metadata: Value, status: Value| class_at_first(&object(&metadata, &status));
        let intent: Value = serde_json::from_str(INTENT).unwrap();
        assert_eq!(at_first(json!({}), Value::Null), Class::New);
        assert_eq!(at_first(json!({}), json!({"observedGeneration": 2})), Class::New);
        assert_eq!(at_first(json!({}), json!({"observedGeneration": 2, "jobId": "j"})), Class::Poll);
        assert_eq!(at_first(json!({}), json!({"observedGeneration": 2, "intent": intent})), Class::UnknownOutcome);
        assert_eq!(
            at_first(json!({}), json!({"observedGeneration": 1, "jobId": "j"})),
            Class::Change,
            "edited meanwhile"
        );
        let deleted = json!({"deletionTimestamp": "2026-11-25T10:00:00Z"});
        assert_eq!(at_first(deleted, json!({"observedGeneration": 2, "jobId": "j"})), Class::Change);
    }

    #[test]
    fn what_follows_a_pass_waits_as_a_poll_unless_something_is_open() {
        let after = |metadata: Value, status: Value, failed| class_after(&object(&metadata, &status), failed);
        let intent: Value = serde_json::from_str(INTENT).unwrap();
        let deleted = json!({"deletionTimestamp": "2026-11-25T10:00:00Z"});
        assert_eq!(after(json!({}), json!({"jobId": "j"}), true), Class::Poll);
        assert_eq!(after(json!({}), json!({}), false), Class::Poll, "what waits for a person does not go before polls");
        assert_eq!(after(json!({}), json!({}), true), Class::New);
        assert_eq!(after(json!({}), json!({"intent": intent}), false), Class::UnknownOutcome);
        assert_eq!(after(deleted, json!({"jobId": "j"}), false), Class::UnknownOutcome);
    }
}
