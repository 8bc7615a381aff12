//! A SyncJob of a file, where it stands, and what can be wrong with it.

use std::fmt;

use serde::Serialize;

use crate::api::SyncJob;
use crate::api::tenant::TenantKind;
use crate::plan::Desired;

/// What files hold of ours.
#[derive(Debug, Default)]
pub struct Manifests {
    /// In the order of the files, without those that are being deleted.
    pub sync_jobs: Vec<Manifest>,
    pub tenants: Vec<Tenant>,
}

/// A SyncJob that can be acted on, and where it stands.
#[derive(Debug)]
pub struct Manifest {
    pub source: Source,
    pub object: SyncJob,
    pub desired: Desired,
}

/// A tenant that the files hold as well as the SyncJobs that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub kind: TenantKind,
    /// Of an EntraTenant; `None` where the manifest names none.
    pub namespace: Option<String>,
    pub name: String,
    /// The tenant in Entra ID: a GUID in lower case.
    pub id: String,
}

impl Tenant {
    /// Whether this is the tenant that a SyncJob names.
    pub fn is_of(&self, manifest: &Manifest) -> bool {
        let Some(reference) = &manifest.object.spec.tenant_ref else { return false };
        let same_place = match self.kind {
            TenantKind::EntraTenant => self.namespace.as_deref() == manifest.namespace(),
            TenantKind::ClusterEntraTenant => true,
        };
        self.kind == reference.kind() && self.name == reference.name && same_place
    }
}

/// A place in the files. Documents and the items of a list count from 1; empty documents do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    pub file: String,
    pub document: usize,
    /// The item, if the document is a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
}

/// What is wrong with a file or a document of it.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("{file}: {what}")]
    File { file: String, what: String },
    #[error("{at}: {what}")]
    Document { at: Source, what: String },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, document {}", self.file, self.document)?;
        self.item.map_or(Ok(()), |item| write!(f, ", item {item}"))
    }
}

impl Manifest {
    pub fn name(&self) -> &str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }

    pub fn namespace(&self) -> Option<&str> {
        self.object.metadata.namespace.as_deref()
    }

    /// `namespace/name`, or the name alone where the manifest names no namespace.
    pub fn full_name(&self) -> String {
        self.namespace().map_or_else(|| self.name().to_owned(), |namespace| format!("{namespace}/{}", self.name()))
    }
}
