//! Reads that must not come from the watch cache.

use kube::api::ListParams;
use kube::{Api, Client};

use super::{Error, bounded};
use crate::api::SyncJob;

/// The object as the API server has it now; `None` if it does not exist.
pub async fn get(client: &Client, namespace: &str, name: &str) -> Result<Option<SyncJob>, Error> {
    bounded(Api::<SyncJob>::namespaced(client.clone(), namespace).get_opt(name)).await
}

/// All SyncJobs that hold an intent or a job of this service principal: a quorum read, because a list without a
/// resourceVersion is one.
pub async fn holders(client: &Client, service_principal_id: &str) -> Result<Vec<SyncJob>, Error> {
    let params = ListParams::default().fields(&format!("status.servicePrincipalId={service_principal_id}"));
    Ok(bounded(Api::<SyncJob>::all(client.clone()).list(&params)).await?.items)
}
