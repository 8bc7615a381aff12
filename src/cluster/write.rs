//! Writes to SyncJobs: each carries the resourceVersion that was decided on, so that it is a compare-and-swap.

use std::fmt::Debug;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::stored::Stored;
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

/// Writes the answers to an object that cannot be read. What it is named by, and its version, are those of the stand-in.
pub async fn answers_unread(client: &Client, stand_in: &SyncJob, answers: &impl Serialize) -> Result<(), Error> {
    apply_status::<Stored>(client, stand_in, MANAGER_REQUESTS, serde_json::to_value(answers)).await.map(drop)
}

/// Writes the descriptive part of the status of an object that cannot be read: all of it, as it stands there.
pub async fn report_unread(client: &Client, stand_in: &SyncJob, status: &Value) -> Result<(), Error> {
    apply_status::<Stored>(client, stand_in, MANAGER_REPORT, Ok(status.clone())).await.map(drop)
}

/// Removes our finalizer from an object that cannot be read.
pub async fn remove_finalizer_unread(client: &Client, stand_in: &SyncJob) -> Result<(), Error> {
    release::<Stored>(client, stand_in).await
}

/// Adds our finalizer, leaving all others in place.
pub async fn add_finalizer(client: &Client, object: &SyncJob) -> Result<SyncJob, Error> {
    let others = object.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER).cloned();
    set_finalizers(client, object, others.chain([FINALIZER.to_owned()]).collect()).await
}

/// Removes our finalizer. An object that is gone counts as done.
pub async fn remove_finalizer(client: &Client, object: &SyncJob) -> Result<(), Error> {
    release::<SyncJob>(client, object).await
}

async fn release<K: AnySyncJob>(client: &Client, object: &SyncJob) -> Result<(), Error> {
    let others = object.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER).cloned().collect();
    match set_finalizers::<K>(client, object, others).await {
        Ok(_) | Err(Error::Gone) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What the answer to a write is read as.
trait AnySyncJob: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug {}
impl AnySyncJob for SyncJob {}
impl AnySyncJob for Stored {}

async fn set_finalizers<K: AnySyncJob>(client: &Client, object: &SyncJob, finalizers: Vec<String>) -> Result<K, Error> {
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "uid": object.uid(), "finalizers": finalizers}});
    let api = namespaced::<K>(client, object);
    let params = PatchParams { field_manager: Some(MANAGER_IDENTITY.to_owned()), ..PatchParams::default() };
    bounded(api.patch(&object.name_any(), &params, &Patch::Merge(&patch))).await
}

async fn apply_status<K: AnySyncJob>(
    client: &Client,
    object: &SyncJob,
    manager: &str,
    status: serde_json::Result<Value>,
) -> Result<K, Error> {
    let status = status.map_err(|error| Error::Unavailable(error.to_string()))?;
    let patch = json!({
        "apiVersion": SyncJob::api_version(&()),
        "kind": SyncJob::kind(&()),
        "metadata": {"name": object.name_any(), "namespace": object.namespace(), "resourceVersion": object.resource_version()},
        "status": status,
    });
    let params = PatchParams::apply(manager).force();
    bounded(namespaced::<K>(client, object).patch_status(&object.name_any(), &params, &Patch::Apply(&patch))).await
}

fn namespaced<K: AnySyncJob>(client: &Client, object: &SyncJob) -> Api<K> {
    Api::namespaced(client.clone(), &object.namespace().unwrap_or_default())
}
