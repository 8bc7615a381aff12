//! SyncJobs from files: found, read strictly and checked against each other before any request is sent.

mod files;
mod manifest;
mod parse;

use std::collections::HashMap;
use std::path::PathBuf;

use crate::plan::ids::ServicePrincipalId;

pub use self::manifest::{Manifest, Problem, Source, Tenant};

/// What files hold of ours.
#[derive(Debug, Default)]
pub struct Manifests {
    /// In the order of the files, without those that are being deleted.
    pub sync_jobs: Vec<Manifest>,
    pub tenants: Vec<Tenant>,
}

/// What these files and directories hold of ours; or everything that is wrong.
pub fn read(paths: &[PathBuf]) -> Result<Manifests, Vec<Problem>> {
    let (mut manifests, mut problems) = (Manifests::default(), Vec::new());
    for path in paths {
        match files::read(path) {
            Ok(files) => files.into_iter().for_each(|file| parse::file(&file, &mut manifests, &mut problems)),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(twins(&manifests.sync_jobs));
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
