//! The kinds, listed once. What is made for each kind (CRDs, RBAC, reference pages) walks this list.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;

use super::sync_job::SyncJob;
use super::tenant::{ClusterEntraTenant, EntraTenant};

/// A kind of [`GROUP`](super::GROUP).
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Name, in the singular.
    pub name: &'static str,
    /// Name of the resource in paths and in RBAC.
    pub plural: &'static str,
    pub namespaced: bool,
    /// The CRD as derived from the types, before [`schema`](super::schema) makes it what is shipped.
    pub(super) derived: fn() -> CustomResourceDefinition,
}

/// Every kind, in the order in which they are printed.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "ClusterEntraTenant",
        plural: "clusterentratenants",
        namespaced: false,
        derived: ClusterEntraTenant::crd,
    },
    Kind { name: "EntraTenant", plural: "entratenants", namespaced: true, derived: EntraTenant::crd },
    Kind { name: "SyncJob", plural: "syncjobs", namespaced: true, derived: SyncJob::crd },
];
