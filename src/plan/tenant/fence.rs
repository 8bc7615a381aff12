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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const PRINCIPAL: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";

    fn grants(grants: Value) -> Vec<NamespaceGrant> {
        serde_json::from_value(grants).unwrap()
    }

    fn asked<'a>(namespace: &'a str, labels: Option<&'a BTreeMap<String, String>>, mode: Mode) -> Asked<'a> {
        Asked { namespace, labels, service_principal: PRINCIPAL, mode }
    }

    fn answer(given: Value, namespace: &str) -> Result<(), Barred> {
        check(&grants(given), asked(namespace, None, Mode::Manage))
    }

    #[test]
    fn nobody_is_allowed_who_is_not_named() {
        assert_eq!(answer(json!([]), "a"), Err(Barred::Namespace));
        assert_eq!(answer(json!([{}]), "a"), Err(Barred::Namespace), "a grant for nobody");
        assert_eq!(answer(json!([{"namespaces": []}]), "a"), Err(Barred::Namespace));
        for near in ["", "team", "team-ab", "not-team-a", "Team-a", "team-a "] {
            assert_eq!(answer(json!([{"namespaces": ["team-a"]}]), near), Err(Barred::Namespace), "{near:?}");
        }
        assert_eq!(answer(json!([{"namespaces": ["b"]}, {"namespaces": ["team-a"]}]), "team-a"), Ok(()));
    }

    #[test]
    fn a_selector_needs_labels_that_are_known() {
        let team: BTreeMap<String, String> = [("team".to_owned(), "identity".to_owned())].into();
        let none = BTreeMap::new();
        let with = |selector: Value, labels| {
            check(&grants(json!([{"namespaceSelector": selector}])), asked("a", labels, Mode::Manage))
        };
        assert_eq!(with(json!({}), Some(&none)), Ok(()), "all namespaces");
        assert_eq!(with(json!({}), None), Err(Barred::Namespace), "a namespace of which nothing is known");
        assert_eq!(with(json!({"matchLabels": {"team": "identity"}}), Some(&team)), Ok(()));
        assert_eq!(with(json!({"matchLabels": {"team": "other"}}), Some(&team)), Err(Barred::Namespace));
        let needs = |operator: &str, values: Value| {
            let wanted = json!({"key": "team", "operator": operator, "values": values});
            with(json!({"matchExpressions": [wanted]}), Some(&team)).is_ok()
        };
        assert!(needs("In", json!(["identity"])) && !needs("In", json!(["x"])) && !needs("In", Value::Null));
        assert!(needs("NotIn", json!(["x"])) && !needs("NotIn", json!(["identity"])));
        assert!(needs("Exists", Value::Null) && !needs("DoesNotExist", Value::Null));
        let both =
            json!({"matchLabels": {"team": "identity"}, "matchExpressions": [{"key": "env", "operator": "Exists"}]});
        assert_eq!(with(both, Some(&team)), Err(Barred::Namespace), "all requirements hold");
    }

    #[test]
    fn a_grant_names_what_it_is_for_and_the_refusal_names_what_it_is_not_for() {
        let upper = PRINCIPAL.to_uppercase();
        assert_eq!(answer(json!([{"namespaces": ["a"], "servicePrincipalIds": [upper]}]), "a"), Ok(()));
        let other = "99999999-0000-4000-8000-000000000001";
        let elsewhere = json!({"namespaces": ["a"], "servicePrincipalIds": [other]});
        assert_eq!(answer(json!([elsewhere]), "a"), Err(Barred::ServicePrincipal));
        let looks = json!({"namespaces": ["a"], "modes": ["Observe", "Plan"]});
        let of = |mode| check(&grants(json!([elsewhere, looks])), asked("a", None, mode));
        assert_eq!(of(Mode::Manage), Err(Barred::Mode));
        assert_eq!([Mode::Observe, Mode::Plan, Mode::Suspended].map(of), [Ok(()), Ok(()), Ok(())]);
        assert_eq!(answer(json!([elsewhere, {"namespaces": ["a"]}]), "a"), Ok(()), "one grant that fits is enough");
    }
}
