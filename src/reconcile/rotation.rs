//! Which SyncJobs a changed Secret concerns.

use std::collections::HashSet;

use kube::ResourceExt;

use crate::api::SyncJob;
use crate::cluster::watch::secrets::SecretName;

/// Whether a SyncJob takes a credential from one of these Secrets.
pub(super) fn names_one_of(object: &SyncJob, names: &HashSet<SecretName>) -> bool {
    let namespace = object.namespace().unwrap_or_default();
    object.spec.credentials.iter().flatten().filter_map(|credential| credential.value_from.as_ref()).any(|source| {
        names.contains(&SecretName { namespace: namespace.clone(), name: source.secret_key_ref.name.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_wakes_the_sync_jobs_of_its_namespace_that_name_it() {
        let named =
            |name: &str| json!({"key": "SecretToken", "valueFrom": {"secretKeyRef": {"name": name, "key": "token"}}});
        let plain = json!({"key": "BaseAddress", "value": "box-scim"});
        let wakes = |credentials: serde_json::Value| {
            let object = json!({"metadata": {"name": "a", "namespace": "apps"},
                "spec": {"servicePrincipalId": "2D6F", "templateId": "scim", "credentials": credentials}});
            let of =
                |namespace: &str, name: &str| SecretName { namespace: namespace.to_owned(), name: name.to_owned() };
            let changed = HashSet::from([of("apps", "box-scim"), of("other", "box-other")]);
            names_one_of(&serde_json::from_value(object).unwrap(), &changed)
        };
        assert!(wakes(json!([plain, named("box-old"), named("box-scim")])));
        for credentials in [json!(null), json!([]), json!([plain]), json!([named("box-other")])] {
            assert!(!wakes(credentials.clone()), "{credentials}");
        }
    }
}
