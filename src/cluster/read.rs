//! Reads that must not come from the watch cache.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::ListParams;
use kube::{Api, Client, CustomResourceExt};

use super::stored::Stored;
use super::watch::tenants::TenantKinds;
use super::{Error, Namespaces, bounded};
use crate::api::SyncJob;
use crate::api::tenant::{ClusterEntraTenant, EntraTenant};

/// The object as the API server has it now; `None` if it does not exist.
pub async fn get(client: &Client, namespace: &str, name: &str) -> Result<Option<SyncJob>, Error> {
    bounded(Api::<SyncJob>::namespaced(client.clone(), namespace).get_opt(name)).await
}

/// Labels of a namespace, and whether it is being deleted; `None` if it does not exist.
pub async fn namespace(client: &Client, name: &str) -> Result<Option<NamespaceFacts>, Error> {
    let found = bounded(Api::<Namespace>::all(client.clone()).get_metadata_opt(name)).await?;
    Ok(found.map(|found| NamespaceFacts {
        terminating: found.metadata.deletion_timestamp.is_some(),
        labels: found.metadata.labels.unwrap_or_default(),
    }))
}

/// What is known of a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceFacts {
    pub labels: BTreeMap<String, String>,
    pub terminating: bool,
}

/// Whether the CRD of SyncJobs is being deleted, and with it every SyncJob. A CRD that is not there counts as one that is
/// going: its objects cannot outlive it.
pub async fn definition_is_going(client: &Client) -> Result<bool, Error> {
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    let found = bounded(definitions.get_metadata_opt(SyncJob::crd_name())).await?;
    Ok(found.is_none_or(|definition| definition.metadata.deletion_timestamp.is_some()))
}

/// Whether the API server answers for SyncJobs in the watched namespaces: it is reachable, the CRD is there, and so is
/// the right to list.
pub async fn served(client: &Client, namespaces: &Namespaces) -> Result<(), Error> {
    let one = ListParams::default().limit(1);
    for api in namespaces.apis::<SyncJob>(client) {
        bounded(api.list_metadata(&one)).await?;
    }
    Ok(())
}

/// The same for the kinds of tenants that are worked on: SyncJobs wait until tenants are known.
pub async fn tenants_served(client: &Client, namespaces: &Namespaces, kinds: TenantKinds) -> Result<(), Error> {
    let one = ListParams::default().limit(1);
    if kinds.namespaced {
        for api in namespaces.apis::<EntraTenant>(client) {
            bounded(api.list_metadata(&one)).await?;
        }
    }
    if kinds.cluster {
        bounded(Api::<ClusterEntraTenant>::all(client.clone()).list_metadata(&one)).await?;
    }
    Ok(())
}

/// All SyncJobs of the watched namespaces that hold an intent or a job of this service principal: quorum reads, because
/// a list without a resourceVersion is one. One list for each namespace is enough: what counts is that each was asked
/// for after our own intent was written. One that cannot be read counts as the holder of whatever it may hold.
pub async fn holders(
    client: &Client,
    namespaces: &Namespaces,
    service_principal_id: &str,
) -> Result<Vec<SyncJob>, Error> {
    let params = ListParams::default().fields(&format!("status.servicePrincipalId={service_principal_id}"));
    let apis = namespaces.apis::<Stored>(client);
    let lists = bounded(try_join_all(apis.iter().map(|api| api.list(&params)))).await?;
    Ok(lists.into_iter().flat_map(|list| list.items).map(Stored::into_sync_job).collect())
}
