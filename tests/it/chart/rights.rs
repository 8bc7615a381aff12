//! Who may do what once the chart is installed.

use bed::test_support::eventually;
use serde_json::{Value, json};

use super::plane::{ChartPlane, shared};
use super::{objects, of_kind, only, template};

/// Namespace and release of these tests.
const HERE: &str = "rights";

pub(super) fn install(plane: &ChartPlane, namespace: &str, values: &Value) {
    plane.create_namespace(namespace, &json!({}));
    let mut values = values.clone();
    values["crds"] = json!({"enabled": false});
    let text = template(HERE, namespace, &[], &values, &[]).unwrap();
    plane.kubectl(&["apply", "-f", "-"], &text).unwrap();
}

/// The namespace that a table of questions means: `own` stands for the release's, and any other name for that of a test.
pub(super) fn real_namespace(place: &str, own: &str, test: &str) -> String {
    match place {
        "own" => own.to_owned(),
        "" => String::new(),
        other => format!("{test}-{other}"),
    }
}

/// Asks the server's authorizer, which knows nothing of whether the kind exists.
pub(super) fn may(
    plane: &ChartPlane,
    user: &str,
    verb: &str,
    resource: (&str, &str),
    namespace: &str,
    name: &str,
) -> bool {
    let (group, resource) = resource;
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let attributes = json!({
        "group": group, "resource": resource, "subresource": subresource,
        "verb": verb, "namespace": namespace, "name": name,
    });
    let groups = ["system:serviceaccounts", "system:authenticated"];
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
    });
    plane.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", &review)["status"]["allowed"] == true
}

pub(super) const SYNC_JOBS: (&str, &str) = ("entrain.dev", "syncjobs");
const STATUS: (&str, &str) = ("entrain.dev", "syncjobs/status");
const FINALIZERS: (&str, &str) = ("entrain.dev", "syncjobs/finalizers");
const EVENTS: (&str, &str) = ("events.k8s.io", "events");
const LEASES: (&str, &str) = ("coordination.k8s.io", "leases");
pub(super) const SECRETS: (&str, &str) = ("", "secrets");
const REVISIONS: (&str, &str) = ("apps", "controllerrevisions");
const CRDS: (&str, &str) = ("apiextensions.k8s.io", "customresourcedefinitions");

/// Of all CRDs the operator reads one, and changes none.
fn only_our_crd_is_read(plane: &ChartPlane, user: &str) {
    let ours = "syncjobs.entrain.dev";
    assert!(may(plane, user, "get", CRDS, "", ours), "{user}");
    for (verb, name) in [("get", "servicemonitors.monitoring.coreos.com"), ("get", ""), ("list", ""), ("watch", ours)] {
        assert!(!may(plane, user, verb, CRDS, "", name), "{user}: {verb} '{name}'");
    }
    for verb in ["patch", "update", "delete", "create"] {
        assert!(!may(plane, user, verb, CRDS, "", ours), "{user}: {verb}");
    }
}

#[test]
fn the_operator_may_do_its_work_and_nothing_else() {
    let plane = shared();
    install(plane, HERE, &json!({"rbac": {"aggregateToView": false, "aggregateToEdit": false}}));
    let user = format!("system:serviceaccount:{HERE}:rights-entrain");
    let may = |verb, resource, namespace, name| may(plane, &user, verb, resource, namespace, name);
    for verb in ["get", "list", "watch", "patch"] {
        assert!(may(verb, SYNC_JOBS, "", ""), "{verb}");
    }
    assert!(may("patch", STATUS, "default", "") && may("create", EVENTS, "default", ""));
    for verb in ["create", "update", "delete", "deletecollection"] {
        assert!(!may(verb, SYNC_JOBS, "default", ""), "{verb}");
    }
    assert!(!may("update", STATUS, "default", "") && !may("update", FINALIZERS, "default", ""));
    for verb in ["list", "watch", "create", "patch", "delete"] {
        assert!(!may(verb, SECRETS, HERE, "entra"), "{verb}");
    }
    for verb in ["get", "list", "create", "delete"] {
        assert!(may(verb, REVISIONS, "default", ""), "{verb}");
    }
    for verb in ["watch", "patch", "update", "deletecollection"] {
        assert!(!may(verb, REVISIONS, "default", ""), "{verb}");
    }
    let lease = "rights-entrain";
    assert!(may("create", LEASES, HERE, "") && may("get", LEASES, HERE, lease) && may("update", LEASES, HERE, lease));
    assert!(!may("get", LEASES, HERE, "other") && !may("update", LEASES, HERE, "other"));
    assert!(!may("create", LEASES, "default", ""));
    only_our_crd_is_read(plane, &user);
}

#[test]
fn in_two_namespaces_it_may_do_nothing_in_a_third() {
    let plane = shared();
    for namespace in ["team-a", "team-b", "team-c"] {
        plane.create_namespace(namespace, &json!({}));
    }
    let values = json!({"watchNamespaces": ["team-a", "team-b"]});
    let rendered = objects(&[], &values).unwrap();
    for kind in ["ClusterRole", "ClusterRoleBinding"] {
        assert_eq!(only(&rendered, kind)["metadata"]["name"], "entrain-system:entrain:crd", "{kind}");
        assert!(of_kind(&objects(&["namespaced"], &json!({})).unwrap(), kind).is_empty(), "{kind}");
    }
    install(plane, "team-d", &values);
    let user = "system:serviceaccount:team-d:rights-entrain";
    for namespace in ["team-a", "team-b"] {
        assert!(may(plane, user, "watch", SYNC_JOBS, namespace, ""));
        assert!(
            may(plane, user, "create", REVISIONS, namespace, "")
                && may(plane, user, "delete", REVISIONS, namespace, "")
        );
    }
    for namespace in ["team-c", "team-d", ""] {
        assert!(!may(plane, user, "list", SYNC_JOBS, namespace, ""));
        for verb in ["get", "list", "create", "delete"] {
            assert!(!may(plane, user, verb, REVISIONS, namespace, ""), "{verb} in {namespace}");
        }
    }
    for namespace in ["team-a", "team-b", "team-c", "team-d", ""] {
        assert_eq!(may(plane, user, "get", SECRETS, namespace, "x"), matches!(namespace, "team-a" | "team-b"));
        for verb in ["list", "watch", "create"] {
            assert!(!may(plane, user, verb, SECRETS, namespace, ""), "{verb} in {namespace}");
        }
    }
    only_our_crd_is_read(plane, user);
}

#[test]
fn no_rule_has_a_wildcard_and_none_can_raise_rights() {
    for file in super::VALUES_FILES {
        let rendered = objects(&[file], &json!({})).unwrap();
        for role in ["ClusterRole", "Role"].iter().flat_map(|kind| of_kind(&rendered, kind)) {
            let text = role["rules"].to_string();
            for word in ["\"*\"", "escalate", "bind", "impersonate", "finalizers"] {
                assert!(!text.contains(word), "{file}: {word} in {text}");
            }
        }
    }
}

#[test]
fn only_people_who_are_bound_to_it_write_sync_jobs_while_the_clusters_editors_read_them() {
    let rendered = objects(&[], &json!({})).unwrap();
    assert!(!json!(rendered).to_string().contains("aggregate-to-edit"), "a default install widens `edit`");
    let plane = shared();
    install(plane, "bound", &json!({}));
    let bind = |name: &str, role: &str| {
        plane
            .kubectl(&["create", "rolebinding", name, "--clusterrole", role, "--user", name, "-n", "bound"], "")
            .unwrap();
    };
    bind("plain-admin", "admin");
    bind("provisioner", "bound:rights-entrain:edit");
    // The roles are put together by a controller; what `view` has, `admin` has.
    eventually("the aggregated right", || may(plane, "plain-admin", "list", SYNC_JOBS, "bound", "").then_some(()));
    for verb in ["create", "update", "patch", "delete", "deletecollection"] {
        assert!(!may(plane, "plain-admin", verb, SYNC_JOBS, "bound", ""), "{verb}");
        assert!(may(plane, "provisioner", verb, SYNC_JOBS, "bound", ""), "{verb}");
        assert!(!may(plane, "provisioner", verb, SYNC_JOBS, "default", ""), "{verb}");
    }
    assert!(!may(plane, "provisioner", "patch", STATUS, "bound", ""));
}

#[test]
fn where_it_is_asked_for_editors_of_the_cluster_write_and_nobody_touches_the_status() {
    let plane = shared();
    install(plane, "people", &json!({"rbac": {"aggregateToEdit": true}}));
    for role in ["view", "edit", "admin"] {
        plane
            .kubectl(&["create", "rolebinding", role, "--clusterrole", role, "--user", role, "-n", "people"], "")
            .unwrap();
    }
    // The roles are put together by a controller.
    for (role, verb) in [("view", "watch"), ("edit", "create"), ("admin", "delete")] {
        eventually(role, || may(plane, role, verb, SYNC_JOBS, "people", "").then_some(()));
    }
    assert!(!may(plane, "view", "create", SYNC_JOBS, "people", ""));
    for role in ["view", "edit", "admin"] {
        assert!(!may(plane, role, "get", SYNC_JOBS, "default", ""), "{role}");
        for verb in ["get", "patch", "update"] {
            assert!(!may(plane, role, verb, STATUS, "people", ""), "{role} {verb}");
            assert!(!may(plane, role, verb, FINALIZERS, "people", ""), "{role} {verb}");
        }
    }
}
