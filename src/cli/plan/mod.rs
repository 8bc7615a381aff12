//! `entrain plan`: what SyncJobs in files would change in the tenant.

mod document;
mod error;
mod look;
mod one;
mod text;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use futures::{StreamExt, TryStreamExt};

use self::document::{Document, Item};
use self::look::Looks;
use super::caller::connect;
use super::manifests::{self, Manifest, Manifests, Tenant};
use crate::args::{Caller, Output, Plan};
use crate::graph;

pub use self::error::PlanError;

/// The exit code when something would change. That of an error is 1, as everywhere.
const CHANGES: u8 = 2;
/// Service principals read at the same time; the client has its own, lower limit for requests.
const AT_ONCE: usize = 8;

/// Reads the manifests, looks at the tenant and prints the plan. No request is sent while a manifest is wrong.
pub async fn run(options: &Plan) -> Result<ExitCode, PlanError> {
    let manifests = manifests::read(&options.filenames).map_err(|problems| {
        PlanError::Manifests(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nentrain: "))
    })?;
    let items = if manifests.sync_jobs.is_empty() {
        eprintln!("entrain: there is no SyncJob in these files");
        Vec::new()
    } else {
        let (client, caller) = connect(&options.connection, options.caller, |usual| usual)?;
        look_at_all(&client, caller, manifests).await?
    };
    let document = Document::new(items);
    print(&document, options.output).map_err(PlanError::Print)?;
    Ok(exit_code(&document))
}

/// SyncJobs of one service principal share its lists; the items come back in the order of the files.
async fn look_at_all(client: &graph::Reader, caller: Caller, manifests: Manifests) -> Result<Vec<Item>, PlanError> {
    let (mut groups, tenants) = (BTreeMap::<String, Vec<(usize, Manifest)>>::new(), &manifests.tenants);
    for numbered in manifests.sync_jobs.into_iter().enumerate() {
        let service_principal = numbered.1.desired.service_principal.as_str().to_owned();
        groups.entry(service_principal).or_default().push(numbered);
    }
    let planned = groups.into_iter().map(|(service_principal, group)| async move {
        let mut looks = Looks::new(client, caller, service_principal);
        let mut items = Vec::with_capacity(group.len());
        for (number, manifest) in group {
            items.push((number, one::plan(&manifest, named(tenants, &manifest), &mut looks).await?));
        }
        Ok::<_, PlanError>(items)
    });
    let mut items: Vec<(usize, Item)> = futures::stream::iter(planned).buffer_unordered(AT_ONCE).try_concat().await?;
    items.sort_by_key(|(number, _)| *number);
    Ok(items.into_iter().map(|(_, item)| item).collect())
}

/// The tenant that a SyncJob names, if it stands in the files.
fn named<'a>(tenants: &'a [Tenant], manifest: &Manifest) -> Option<&'a Tenant> {
    tenants.iter().find(|tenant| tenant.is_of(manifest))
}

fn print(document: &Document, output: Output) -> std::io::Result<()> {
    match output {
        Output::Text => anstream::stdout().lock().write_all(text::render(document).as_bytes()),
        Output::Json => {
            let mut out = std::io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, document)?;
            out.write_all(b"\n")
        }
    }
}

fn exit_code(document: &Document) -> ExitCode {
    match (document.summary.blocked_sync_jobs, document.summary.changes) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(CHANGES),
        _ => ExitCode::FAILURE,
    }
}
