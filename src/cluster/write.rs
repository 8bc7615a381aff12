//! Writes to SyncJobs: each carries the resourceVersion that was decided on, so that it is a compare-and-swap.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Error, bounded};
use crate::api::{FINALIZER, Intent, JobOrigin, MANAGER_IDENTITY, MANAGER_REPORT, MANAGER_REQUESTS, SyncJob};

/// What says which job is this SyncJob's. Always written whole: an apply that leaves out a field which its manager owns
/// deletes that field.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_principal_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_bound_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_origin: Option<JobOrigin>,
}

/// Writes the identity if the object is still at the version given; answers with the object as written.
pub async fn identity(client: &Client, object: &SyncJob, identity: &Identity) -> Result<SyncJob, Error> {
    apply_status(client, object, MANAGER_IDENTITY, serde_json::to_value(identity)).await
}

/// Writes the answers to requests if the object is still at the version given.
pub async fn answers(client: &Client, object: &SyncJob, answers: &impl Serialize) -> Result<SyncJob, Error> {
    apply_status(client, object, MANAGER_REQUESTS, serde_json::to_value(answers)).await
}

/// Writes the descriptive part of status if the object is still at the version given.
pub async fn report(client: &Client, object: &SyncJob, report: &impl Serialize) -> Result<SyncJob, Error> {
    apply_status(client, object, MANAGER_REPORT, serde_json::to_value(report)).await
}

/// Adds our finalizer, leaving all others in place.
pub async fn add_finalizer(client: &Client, object: &SyncJob) -> Result<SyncJob, Error> {
    let others = object.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER).cloned();
    set_finalizers(client, object, others.chain([FINALIZER.to_owned()]).collect()).await
}

/// Removes our finalizer. An object that is gone counts as done.
pub async fn remove_finalizer(client: &Client, object: &SyncJob) -> Result<(), Error> {
    let others = object.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER).cloned().collect();
    match set_finalizers(client, object, others).await {
        Ok(_) | Err(Error::Gone) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn set_finalizers(client: &Client, object: &SyncJob, finalizers: Vec<String>) -> Result<SyncJob, Error> {
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "uid": object.uid(), "finalizers": finalizers}});
    let api = namespaced(client, object);
    let params = PatchParams { field_manager: Some(MANAGER_IDENTITY.to_owned()), ..PatchParams::default() };
    bounded(api.patch(&object.name_any(), &params, &Patch::Merge(&patch))).await
}

async fn apply_status(
    client: &Client,
    object: &SyncJob,
    manager: &str,
    status: serde_json::Result<Value>,
) -> Result<SyncJob, Error> {
    let status = status.map_err(|error| Error::Unavailable(error.to_string()))?;
    let patch = json!({
        "apiVersion": SyncJob::api_version(&()),
        "kind": SyncJob::kind(&()),
        "metadata": {"name": object.name_any(), "namespace": object.namespace(), "resourceVersion": object.resource_version()},
        "status": status,
    });
    let params = PatchParams::apply(manager).force();
    bounded(namespaced(client, object).patch_status(&object.name_any(), &params, &Patch::Apply(&patch))).await
}

fn namespaced(client: &Client, object: &SyncJob) -> Api<SyncJob> {
    Api::namespaced(client.clone(), &object.namespace().unwrap_or_default())
}
