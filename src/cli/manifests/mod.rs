//! SyncJobs from files: found, read strictly and checked against each other before anything is asked of anybody.

mod files;
mod parse;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::api::SyncJob;
use crate::plan::Desired;
use crate::plan::ids::ServicePrincipalId;

/// A SyncJob that can be acted on, and where it stands.
#[derive(Debug)]
pub struct Manifest {
    pub source: Source,
    pub object: SyncJob,
    pub desired: Desired,
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

    /// `namespace/name`, or the name alone where the manifest leaves the namespace to whoever applies it.
    pub fn full_name(&self) -> String {
        self.namespace().map_or_else(|| self.name().to_owned(), |namespace| format!("{namespace}/{}", self.name()))
    }
}

/// Every SyncJob in these files and directories that is not being deleted, in their order; or everything that is wrong.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Manifest>, Vec<Problem>> {
    let (mut manifests, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        match files::read(path) {
            Ok(files) => files.into_iter().for_each(|file| parse::file(&file, &mut manifests, &mut problems)),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(twins(&manifests));
    if problems.is_empty() { Ok(manifests) } else { Err(problems) }
}

/// SyncJobs that would be rivals for one job.
fn twins(manifests: &[Manifest]) -> Vec<Problem> {
    let mut known: HashMap<&ServicePrincipalId, Vec<&Manifest>> = HashMap::new();
    let mut problems = Vec::new();
    for manifest in manifests {
        let others = known.entry(&manifest.desired.service_principal).or_default();
        let same = |other: &&&Manifest| manifest.desired.template.same_as(other.desired.template.as_str());
        match others.iter().find(same) {
            Some(other) => problems.push(Problem::Document {
                at: manifest.source.clone(),
                what: format!(
                    "SyncJob '{}' has the same spec.servicePrincipalId and spec.templateId as SyncJob '{}' ({}). Only one of the two can have the job: remove one",
                    manifest.full_name(),
                    other.full_name(),
                    other.source
                ),
            }),
            None => others.push(manifest),
        }
    }
    problems
}
