//! Flags of `entrain import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connection::{Caller, Connection};
use crate::api::tenant::{TenantKind, TenantRef};
use crate::plan::ids::ServicePrincipalId;

const IMPORT_HELP: &str = "\
Exit codes:
  0  what was found is written
  2  what could be read is written, and something could not be read or has no place in a SyncJob
  1  an error; nothing is written

Permissions:
  As for `entrain plan`. Without --service-principal an application needs Application.Read.All to list the tenant;
  settings and credentials may need Synchronization.ReadWrite.All.";

/// Settings of `entrain import`.
#[derive(Args, Debug)]
#[command(after_help = IMPORT_HELP)]
pub struct Import {
    /// Object id of a service principal whose jobs are written; may be repeated. Without it those of the whole tenant.
    #[arg(long = "service-principal", value_name = "ID", value_parser = service_principal)]
    pub service_principals: Vec<ServicePrincipalId>,
    /// The namespace that the manifests name; none by default.
    #[arg(long, value_name = "NAMESPACE", value_parser = object_name)]
    pub namespace: Option<String>,
    /// The tenant that the SyncJobs name, as in `ClusterEntraTenant/contoso`; none by default.
    #[arg(long, value_name = "KIND/NAME", value_parser = tenant_ref)]
    pub tenant_ref: Option<TenantRef>,
    /// What the operator may do with the jobs; left out by default, which is Manage.
    #[arg(long, value_enum, value_name = "MODE", ignore_case = true)]
    pub mode: Option<ImportMode>,
    /// Write the credentials that Graph shows as well. Those that it does not show are written as comments.
    #[arg(long)]
    pub credentials: bool,
    /// Write the attribute mappings, scopes and attribute definitions that differ from the template as well.
    #[arg(long)]
    pub mappings: bool,
    /// A directory for the manifests, each in a file of its own; by default all of them go to standard output.
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Overwrite files that are there already.
    #[arg(long, requires = "output_dir")]
    pub force: bool,
    /// Who logs in; by default the environment decides.
    #[arg(long = "as", value_name = "WHO", value_enum)]
    pub caller: Option<Caller>,
    #[command(flatten)]
    pub connection: Connection,
}

/// A mode in which an imported job is of use.
#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
#[value(rename_all = "PascalCase")]
pub enum ImportMode {
    Observe,
    Plan,
    Manage,
}

fn service_principal(text: &str) -> Result<ServicePrincipalId, &'static str> {
    ServicePrincipalId::parse(text)
        .ok_or("write the object id of the service principal (enterprise application), a GUID")
}

fn object_name(text: &str) -> Result<String, &'static str> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let ends = !text.starts_with('-') && !text.ends_with('-');
    let is_name = (1..=63).contains(&text.len()) && ends && text.chars().all(inner);
    is_name.then(|| text.to_owned()).ok_or("write a name of lower-case letters, digits and dashes")
}

fn tenant_ref(text: &str) -> Result<TenantRef, String> {
    let (kind, name) = text.split_once('/').ok_or("write KIND/NAME, as in ClusterEntraTenant/contoso")?;
    let kinds = [TenantKind::EntraTenant, TenantKind::ClusterEntraTenant];
    let kind = kinds.into_iter().find(|known| known.name().eq_ignore_ascii_case(kind));
    let kind = kind.ok_or("the kind is EntraTenant or ClusterEntraTenant")?;
    Ok(TenantRef { kind: Some(kind), name: object_name(name)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_object_can_have_are_refused_at_once() {
        let tenant = |text| tenant_ref(text).map(|named| (named.kind(), named.name));
        assert_eq!(tenant("clusterentratenant/contoso"), Ok((TenantKind::ClusterEntraTenant, "contoso".to_owned())));
        assert_eq!(tenant("EntraTenant/a"), Ok((TenantKind::EntraTenant, "a".to_owned())));
        for wrong in
            ["contoso", "Tenant/contoso", "EntraTenant/", "EntraTenant/Contoso", "EntraTenant/a/b", "EntraTenant/-a"]
        {
            assert!(tenant_ref(wrong).is_err(), "{wrong}");
        }
        assert!(object_name(&"a".repeat(64)).is_err() && object_name(&"a".repeat(63)).is_ok());
    }
}
