//! The plan as a document: what `--output json` prints, and what the text is made from. The shape is promised in
//! docs/plan.md; within a version only new members are added.

use serde::Serialize;

use crate::api::{PlannedChange, Reason};
use crate::cli::manifests::{Manifest, Source};

const VERSION: &str = "v1alpha1";

#[derive(Debug, Serialize)]
pub struct Document {
    pub version: &'static str,
    /// In the order of the files.
    pub items: Vec<Item>,
    pub summary: Summary,
}

/// One SyncJob.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// `null` where the manifest does not name one.
    pub namespace: Option<String>,
    pub name: String,
    pub source: Source,
    /// The job that it has, or is taken to have.
    pub job_id: Option<String>,
    /// The manifest has no status, and the job was found in the tenant.
    pub assumed: bool,
    /// What would change, in this order.
    pub changes: Vec<PlannedChange>,
    /// Why it cannot be planned, or not to its end.
    pub blocked: Option<Remark>,
    /// Why nothing would change although the job is not as declared.
    pub note: Option<Remark>,
}

#[derive(Debug, Serialize)]
pub struct Remark {
    pub reason: &'static str,
    pub message: String,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub changes: usize,
    pub changed_sync_jobs: usize,
    pub unchanged_sync_jobs: usize,
    /// Those that cannot be planned, also if something about them would change.
    pub blocked_sync_jobs: usize,
}

impl Document {
    pub fn new(items: Vec<Item>) -> Self {
        let mut summary = Summary::default();
        for item in &items {
            summary.changes += item.changes.len();
            summary.changed_sync_jobs += usize::from(!item.changes.is_empty());
            summary.blocked_sync_jobs += usize::from(item.blocked.is_some());
            summary.unchanged_sync_jobs += usize::from(item.changes.is_empty() && item.blocked.is_none());
        }
        Self { version: VERSION, items, summary }
    }
}

impl Item {
    /// Nothing is known yet.
    pub fn new(manifest: &Manifest) -> Self {
        Self {
            namespace: manifest.namespace().map(str::to_owned),
            name: manifest.name().to_owned(),
            source: manifest.source.clone(),
            job_id: None,
            assumed: false,
            changes: Vec::new(),
            blocked: None,
            note: None,
        }
    }

    pub fn full_name(&self) -> String {
        self.namespace.as_ref().map_or_else(|| self.name.clone(), |namespace| format!("{namespace}/{}", self.name))
    }
}

impl Remark {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason: reason.name(), message: message.into() }
    }
}
