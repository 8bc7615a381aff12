//! Which SyncJobs may use a cluster-wide tenant. It is closed by default: what no grant names is refused, and an absent or
//! empty list of grants names nobody.

use std::collections::BTreeMap;

use crate::api::Mode;
use crate::api::tenant::{LabelOperator, LabelRequirement, NamespaceGrant, NamespaceSelector};

/// What a SyncJob asks of a tenant.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub namespace: &'a str,
    /// Labels of the namespace; `None` if they are not known, which no selector fits.
    pub labels: Option<&'a BTreeMap<String, String>>,
    /// In lower case.
    pub service_principal: &'a str,
    pub mode: Mode,
}

/// Why a SyncJob may not use a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barred {
    Namespace,
    ServicePrincipal,
    Mode,
}

/// Whether one of the grants names what is asked. The answer names the last of the three questions that a grant failed.
pub fn check(grants: &[NamespaceGrant], asked: Asked<'_>) -> Result<(), Barred> {
    let mut worst = Barred::Namespace;
    for grant in grants.iter().filter(|grant| names(grant, asked)) {
        let principals = grant.service_principal_ids.as_deref();
        if principals.is_some_and(|ids| !ids.iter().any(|id| id.eq_ignore_ascii_case(asked.service_principal))) {
            if worst == Barred::Namespace {
                worst = Barred::ServicePrincipal;
            }
            continue;
        }
        // A suspended SyncJob asks for nothing.
        if asked.mode != Mode::Suspended && grant.modes.as_deref().is_some_and(|modes| !modes.contains(&asked.mode)) {
            worst = Barred::Mode;
            continue;
        }
        return Ok(());
    }
    Err(worst)
}

/// Whether some grant has to know the labels of a namespace.
pub fn needs_labels(grants: &[NamespaceGrant]) -> bool {
    grants.iter().any(|grant| grant.namespace_selector.is_some())
}

fn names(grant: &NamespaceGrant, asked: Asked<'_>) -> bool {
    let by_name = grant.namespaces.iter().flatten().any(|name| name == asked.namespace);
    let selector = grant.namespace_selector.as_ref();
    by_name || selector.zip(asked.labels).is_some_and(|(selector, labels)| selects(selector, labels))
}

/// As `metav1.LabelSelector` is read: all of its requirements hold.
fn selects(selector: &NamespaceSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector.match_labels.iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    let fits = |wanted: &LabelRequirement| {
        let value = labels.get(&wanted.key);
        let listed = value.is_some_and(|value| wanted.values.iter().flatten().any(|one| one == value));
        match wanted.operator {
            LabelOperator::In => listed,
            LabelOperator::NotIn => !listed,
            LabelOperator::Exists => value.is_some(),
            LabelOperator::DoesNotExist => value.is_none(),
        }
    };
    equal && selector.match_expressions.iter().flatten().all(fits)
}
