//! SyncJobs as they are stored, also those that this version cannot read: one such object must not hide the others.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta, Time};
use kube::Resource;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::capped;
use crate::api::{
    Answers, DeletionPolicy, Identity, Intent, MANAGER_REPORT, Report, SyncJob, SyncJobSpec, SyncJobStatus,
};

/// An object off the API server. Reading it never fails for what its spec or status hold, so that a list with one
/// unreadable object still is a list of all others.
#[derive(Clone, Debug)]
pub enum Stored {
    Readable(Box<SyncJob>),
    Unreadable(Box<Unreadable>),
}

/// An object whose spec or status hold what this version does not know, such as a word of a later version.
#[derive(Clone)]
pub struct Unreadable {
    /// Where the first unreadable member is and what was expected there, capped.
    pub fault: String,
    metadata: ObjectMeta,
    spec: Value,
    status: Value,
}

impl Stored {
    /// The object, or what can be read of it.
    pub fn into_sync_job(self) -> SyncJob {
        match self {
            Self::Readable(object) => *object,
            Self::Unreadable(unreadable) => unreadable.stand_in(),
        }
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut raw = Value::deserialize(deserializer)?;
        if let Ok(object) = SyncJob::deserialize(&raw) {
            return Ok(Self::Readable(Box::new(object)));
        }
        let fault = capped(&fault(&raw));
        let metadata = ObjectMeta::deserialize(&raw["metadata"]).map_err(D::Error::custom)?;
        let (spec, status) = (raw["spec"].take(), raw["status"].take());
        Ok(Self::Unreadable(Box::new(Unreadable { fault, metadata, spec, status })))
    }
}

/// Where the first unreadable member is, and what was expected there. Part by part, because a member of a flattened part
/// has no path of its own.
fn fault(raw: &Value) -> String {
    let (spec, status) = (&raw["spec"], &raw["status"]);
    in_part::<SyncJobSpec>("spec", spec)
        .or_else(|| in_part::<Report>("status", status))
        .or_else(|| in_part::<Identity>("status", status))
        .or_else(|| in_part::<Answers>("status", status))
        .unwrap_or_else(|| "the object is not a SyncJob".to_owned())
}

fn in_part<T: DeserializeOwned>(name: &str, part: &Value) -> Option<String> {
    let error = serde_path_to_error::deserialize::<_, T>(part).err()?;
    let path = error.path().to_string();
    let place = if path == "." { name.to_owned() } else { format!("{name}.{path}") };
    Some(format!("`{place}`: {}", error.inner()))
}

impl Resource for Stored {
    type DynamicType = ();
    type Scope = <SyncJob as Resource>::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        SyncJob::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        SyncJob::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        SyncJob::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        SyncJob::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        match self {
            Self::Readable(object) => &object.metadata,
            Self::Unreadable(unreadable) => &unreadable.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::Readable(object) => &mut object.metadata,
            Self::Unreadable(unreadable) => &mut unreadable.metadata,
        }
    }
}

/// Without the content, which nobody has vetted.
impl fmt::Debug for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unreadable")
            .field("name", &self.metadata.name)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

fn member<T: DeserializeOwned>(of: &Value, name: &str) -> Option<T> {
    T::deserialize(of.get(name)?).ok()
}

fn is_there(of: &Value, name: &str) -> bool {
    of.get(name).is_some_and(|value| !value.is_null())
}

impl Unreadable {
    /// What can be read, for those who look at all SyncJobs. Nothing may be decided from it that a holder of a job would
    /// regret: what cannot be read of the identity counts as an intent that comes before all others.
    pub fn stand_in(&self) -> SyncJob {
        let text = |of, name| member::<String>(of, name);
        let recorded = text(&self.status, "servicePrincipalId");
        let spec = SyncJobSpec {
            service_principal_id: recorded.or_else(|| text(&self.spec, "servicePrincipalId")).unwrap_or_default(),
            template_id: text(&self.spec, "templateId").unwrap_or_default(),
            tenant_ref: member(&self.spec, "tenantRef"),
            state: member(&self.spec, "state"),
            deletion_policy: member(&self.spec, "deletionPolicy"),
            adoption: member(&self.spec, "adoption"),
            mode: member(&self.spec, "mode"),
            out_of_band_policy: member(&self.spec, "outOfBandPolicy"),
            missing_job_policy: member(&self.spec, "missingJobPolicy"),
            poll_interval_seconds: member(&self.spec, "pollIntervalSeconds"),
            credentials: member(&self.spec, "credentials"),
            credential_validation: member(&self.spec, "credentialValidation"),
            scope: member(&self.spec, "scope"),
            out_of_scope_deletions: member(&self.spec, "outOfScopeDeletions"),
            notifications: member(&self.spec, "notifications"),
            delete_threshold: member(&self.spec, "deleteThreshold"),
            restart_after_change: member(&self.spec, "restartAfterChange"),
            mappings: member(&self.spec, "mappings"),
        };
        SyncJob { metadata: self.metadata.clone(), spec, status: Some(self.status()) }
    }

    fn status(&self) -> SyncJobStatus {
        let status = &self.status;
        let conditions = status.get("conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let job_id: Option<String> = member(status, "jobId");
        let unknown = job_id.is_none() && !self.holds_nothing();
        let report = Report {
            conditions: conditions.iter().filter_map(|one| Condition::deserialize(one).ok()).collect(),
            observed_generation: member(status, "observedGeneration"),
            job: member(status, "job"),
            quarantine: member(status, "quarantine"),
            ..Report::default()
        };
        let identity = Identity {
            intent: member(status, "intent").or_else(|| unknown.then(unknown_intent)),
            job_id,
            job_origin: member(status, "jobOrigin"),
            tenant_id: member(status, "tenantId"),
            service_principal_id: member(status, "servicePrincipalId"),
            ..Identity::default()
        };
        let answers = Answers {
            last_handled_reconcile: member(status, "lastHandledReconcile"),
            last_handled_restart: member(status, "lastHandledRestart"),
            handled_restarts: member(status, "handledRestarts").unwrap_or_default(),
        };
        SyncJobStatus { report, identity, answers }
    }

    /// Whether it is certain that neither a job nor an intent is recorded.
    pub fn holds_nothing(&self) -> bool {
        let there = |name| is_there(&self.status, name);
        !there("jobId") && !there("intent") && !there("servicePrincipalId")
    }

    /// Whether the job is to stay when the SyncJob goes, as far as that can be read.
    pub fn retains(&self) -> bool {
        member(&self.spec, "deletionPolicy") == Some(DeletionPolicy::Retain)
    }

    /// The status that its reporting manager would own if these conditions and this generation were applied: whatever it
    /// owns already stays as it is stored, because an apply deletes what it leaves out. `None` if nothing would change.
    pub fn with_conditions(&self, observed_generation: i64, conditions: &[Condition]) -> Option<Value> {
        let mut status = json!({"observedGeneration": observed_generation, "conditions": conditions});
        let stored = self.status.get("conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let unchanged = status["conditions"].as_array().into_iter().flatten().all(|one| stored.contains(one))
            && self.status["observedGeneration"] == status["observedGeneration"]
            && !is_true(stored, "Reconciling");
        if unchanged {
            return None;
        }
        for name in self.reported() {
            if let (Some(value), false) = (self.status.get(&name), is_there(&status, &name)) {
                status[name] = value.clone();
            }
        }
        Some(status)
    }

    /// The members of status that the reporting manager owns.
    fn reported(&self) -> Vec<String> {
        let ours = |entry: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry| {
            entry.manager.as_deref() == Some(MANAGER_REPORT) && entry.operation.as_deref() == Some("Apply")
        };
        let entries = self.metadata.managed_fields.iter().flatten().filter(ours);
        let fields = entries.filter_map(|entry| entry.fields_v1.as_ref()?.0.get("f:status")?.as_object());
        fields.flat_map(|fields| fields.keys()).filter_map(|key| key.strip_prefix("f:")).map(str::to_owned).collect()
    }
}

fn is_true(conditions: &[Value], kind: &str) -> bool {
    conditions.iter().any(|condition| condition["type"] == kind && condition["status"] == "True")
}

/// Stands for a record that cannot be read. Its nonce is no nonce, so that it is never taken for an intent of ours.
fn unknown_intent() -> Intent {
    Intent {
        nonce: String::new(),
        recorded_time: Time(Timestamp::UNIX_EPOCH),
        baseline: Vec::new(),
        adopt_job_id: None,
    }
}

/// Whether a SyncJob may hold a job that nobody can name.
pub fn holds_the_unknown(object: &SyncJob) -> bool {
    let intent = object.status.as_ref().and_then(|status| status.identity.intent.as_ref());
    intent.is_some_and(|intent| intent.nonce.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(spec: &Value, status: &Value) -> Stored {
        let object = json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob",
            "metadata": {"name": "box", "namespace": "apps", "uid": "1", "resourceVersion": "7",
                "managedFields": [{"manager": MANAGER_REPORT, "operation": "Apply", "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:status": {"f:conditions": {}, "f:run": {}, "f:observedGeneration": {}}}}]},
            "spec": spec, "status": status});
        serde_json::from_str(&object.to_string()).unwrap()
    }

    fn spec(mode: &str) -> Value {
        json!({"servicePrincipalId": "2D6F9F0A-3b41-4c7e-8f52-6a1b0c9d8e7f", "templateId": "scim", "mode": mode})
    }

    fn unreadable(spec: &Value, status: &Value) -> Unreadable {
        match stored(spec, status) {
            Stored::Unreadable(unreadable) => *unreadable,
            Stored::Readable(object) => panic!("{object:?}"),
        }
    }

    #[test]
    fn what_this_version_knows_is_read_as_ever() {
        assert!(matches!(stored(&spec("Plan"), &json!({"jobId": "x"})), Stored::Readable(_)));
        assert!(matches!(stored(&spec("Plan"), &Value::Null), Stored::Readable(_)));
    }

    #[test]
    fn a_word_of_a_later_version_is_named_with_its_place_and_what_was_expected() {
        let fault = unreadable(&spec("Freeze"), &Value::Null).fault;
        assert_eq!(
            fault,
            "`spec.mode`: unknown variant `Freeze`, expected one of `Manage`, `Observe`, `Plan`, `Suspended`"
        );
        let status = json!({"run": {"state": "Hibernating"}});
        assert!(unreadable(&spec("Plan"), &status).fault.starts_with("`status.run.state`: unknown variant"));
        let long = unreadable(&spec(&"x".repeat(9000)), &Value::Null);
        assert_eq!(long.fault.chars().count(), 300);
        assert!(!format!("{long:?}").contains("2D6F9F0A"), "the content is not printed");
    }

    #[test]
    fn what_can_be_read_is_read_and_the_recorded_service_principal_wins() {
        let sp = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";
        let status = json!({"jobId": "scim.1", "servicePrincipalId": sp, "observedGeneration": 3});
        let object = unreadable(&spec("Freeze"), &status).stand_in();
        assert_eq!((object.spec.service_principal_id.as_str(), object.spec.template_id.as_str()), (sp, "scim"));
        assert!(!holds_the_unknown(&object));
        let status = object.status.unwrap();
        assert_eq!((status.identity.job_id.as_deref(), status.report.observed_generation), (Some("scim.1"), Some(3)));
    }

    #[test]
    fn a_record_that_cannot_be_read_counts_as_one() {
        let unknown = |status: Value| holds_the_unknown(&unreadable(&spec("Freeze"), &status).stand_in());
        assert!(unknown(json!({"intent": {"nonce": 7}})) && unknown(json!({"jobId": 7})));
        assert!(unknown(json!({"servicePrincipalId": "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f"})));
        assert!(!unknown(json!({"observedGeneration": 1})) && !unknown(Value::Null));
    }

    #[test]
    fn only_what_is_readable_releases_a_job() {
        let with = |policy: &str| {
            let mut spec = spec("Freeze");
            spec["deletionPolicy"] = json!(policy);
            unreadable(&spec, &json!({"jobId": "x"}))
        };
        assert!(with("Retain").retains() && !with("Delete").retains() && !with("Orphan").retains());
        assert!(!with("Delete").holds_nothing() && unreadable(&spec("Freeze"), &json!({})).holds_nothing());
    }

    #[test]
    fn new_conditions_keep_what_the_reporting_manager_owns_and_are_written_once() {
        let ready = json!({"type": "Ready", "status": "False", "reason": "InvalidSpec", "message": "No.",
            "lastTransitionTime": "2026-11-25T10:00:00Z"});
        let conditions = [Condition::deserialize(&ready).unwrap()];
        let run = json!({"state": "Running", "reachedTime": "2026-11-25T10:00:00Z"});
        let before = json!({"run": run, "jobId": "x", "conditions": []});
        let reported = unreadable(&spec("Freeze"), &before).with_conditions(2, &conditions).unwrap();
        assert_eq!(reported, json!({"observedGeneration": 2, "conditions": [ready], "run": run}));
        let mut after = before;
        (after["observedGeneration"], after["conditions"]) = (json!(2), json!([ready]));
        assert_eq!(unreadable(&spec("Freeze"), &after).with_conditions(2, &conditions), None);
    }
}
