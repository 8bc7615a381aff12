//! Tenants in the chart: what the operator is told, and what it may read for their logins.

use serde_json::{Value, json};

use super::plane::shared;
use super::rights::{SECRETS, SYNC_JOBS, install, may, real_namespace};
use super::{objects, of_kind, only};

const ACCOUNTS: (&str, &str) = ("", "serviceaccounts");
const TOKENS: (&str, &str) = ("", "serviceaccounts/token");
const SPACES: (&str, &str) = ("", "namespaces");
const TENANTS: (&str, &str) = ("entrain.dev", "entratenants");
const TENANT_STATUS: (&str, &str) = ("entrain.dev", "entratenants/status");
const CLUSTER_TENANTS: (&str, &str) = ("entrain.dev", "clusterentratenants");
const CLUSTER_STATUS: (&str, &str) = ("entrain.dev", "clusterentratenants/status");
const WORKLOAD: &str = "entrain-workload";

fn served(namespaced: bool, cluster: bool) -> Value {
    json!({"enabled": namespaced, "cluster": {"enabled": cluster}})
}

/// What is asked of the authorizer: what for, verb, resource, namespace, name.
type Question = (&'static str, &'static str, (&'static str, &'static str), &'static str, &'static str);

/// Namespaces: `own` stands for the release's, `team` for a watched one, `other` for one that is not watched where only some
/// are.
const QUESTIONS: [Question; 21] = [
    ("own secret", "get", SECRETS, "own", "graph"),
    ("own account", "get", ACCOUNTS, "own", "x"),
    ("own token", "create", TOKENS, "own", WORKLOAD),
    ("team secret", "get", SECRETS, "team", "graph"),
    ("team account", "get", ACCOUNTS, "team", "x"),
    ("team token", "create", TOKENS, "team", WORKLOAD),
    ("team tenants", "list", TENANTS, "team", ""),
    ("team tenant", "patch", TENANTS, "team", "x"),
    ("team status", "patch", TENANT_STATUS, "team", "x"),
    ("team namespace", "get", SPACES, "team", "team"),
    ("other secret", "get", SECRETS, "other", "graph"),
    ("other token", "create", TOKENS, "other", WORKLOAD),
    ("other tenants", "list", TENANTS, "other", ""),
    ("other namespace", "get", SPACES, "other", "other"),
    ("namespaces", "watch", SPACES, "", ""),
    ("cluster tenants", "watch", CLUSTER_TENANTS, "", ""),
    ("cluster tenant", "patch", CLUSTER_TENANTS, "", "x"),
    ("cluster status", "patch", CLUSTER_STATUS, "", "x"),
    ("foreign token", "create", TOKENS, "team", "default"),
    ("own foreign token", "create", TOKENS, "own", "default"),
    ("any token", "create", TOKENS, "team", ""),
];

/// What nobody may whatever is served: to list or write what credentials are in, to write a spec, to write other status.
const NEVER: [(&str, (&str, &str)); 12] = [
    ("list", SECRETS),
    ("watch", SECRETS),
    ("create", SECRETS),
    ("patch", SECRETS),
    ("delete", SECRETS),
    ("list", ACCOUNTS),
    ("patch", ACCOUNTS),
    ("create", TENANTS),
    ("delete", TENANTS),
    ("create", CLUSTER_TENANTS),
    ("update", CLUSTER_TENANTS),
    ("patch", SPACES),
];

/// The release's namespace, what is set, and what is allowed.
fn table() -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let own = ["own secret", "own account", "own token"];
    let team = ["team secret", "team account", "team token", "team tenants", "team tenant", "team status"];
    let other = ["other secret", "other token", "other tenants"];
    let cluster = ["cluster tenants", "cluster tenant", "cluster status"];
    let spaces = ["team namespace", "other namespace"];
    // Without what the credentials of jobs take, which is asked about elsewhere.
    let values = |namespaced: bool, cluster: bool| json!({"tenants": served(namespaced, cluster), "secrets": {"jobCredentials": false}});
    let in_one = |namespaced: bool, cluster: bool| {
        let mut values = values(namespaced, cluster);
        values["watchNamespaces"] = json!(["rights-team"]);
        values
    };
    vec![
        ("tenants-none", values(false, false), vec![]),
        ("tenants-namespaced", values(true, false), [&own[..], &team, &other, &spaces].concat()),
        ("tenants-cluster", values(false, true), [&own[..], &cluster, &spaces, &["namespaces"]].concat()),
        ("tenants-both", values(true, true), [&own[..], &team, &other, &cluster, &spaces, &["namespaces"]].concat()),
        ("tenants-one", in_one(true, false), [&team[..], &["team namespace"]].concat()),
        ("tenants-fenced", in_one(false, true), [&own[..], &cluster, &["team namespace"]].concat()),
    ]
}

#[test]
fn secrets_are_read_by_name_where_the_served_kinds_have_theirs_and_nowhere_else() {
    let plane = shared();
    for name in ["rights-team", "rights-other"] {
        plane.create_namespace(name, &json!({}));
    }
    let mut wrong = Vec::new();
    for (namespace, values, allowed) in table() {
        install(plane, namespace, &values);
        let user = format!("system:serviceaccount:{namespace}:rights-entrain");
        let real = |place: &str| real_namespace(place, namespace, "rights");
        for (what, verb, resource, place, name) in QUESTIONS {
            let name = if resource == SPACES { real(name) } else { name.to_owned() };
            if may(plane, &user, verb, resource, &real(place), &name) != allowed.contains(&what) {
                wrong.push(format!("{namespace}: {what}"));
            }
        }
        for (verb, resource) in NEVER {
            if [namespace, "rights-team", ""].iter().any(|place| may(plane, &user, verb, resource, place, "graph")) {
                wrong.push(format!("{namespace}: {verb} {resource:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn who_may_use_secrets_of_a_namespace_as_credentials_is_a_question_apart() {
    let plane = shared();
    install(plane, "lenders", &json!({"tenants": served(true, true)}));
    for (name, role) in [("jobs", "edit"), ("credentials", "tenant-edit")] {
        let role = format!("lenders:rights-entrain:{role}");
        let bind = ["create", "rolebinding", name, "--clusterrole", &role, "--user", name, "-n", "lenders"];
        plane.kubectl(&bind, "").unwrap();
    }
    for verb in ["create", "update", "patch", "delete"] {
        assert!(
            may(plane, "credentials", verb, TENANTS, "lenders", "x")
                && !may(plane, "jobs", verb, TENANTS, "lenders", "x")
        );
        assert!(
            may(plane, "jobs", verb, SYNC_JOBS, "lenders", "x")
                && !may(plane, "credentials", verb, SYNC_JOBS, "lenders", "x")
        );
        for user in ["jobs", "credentials"] {
            assert!(
                !may(plane, user, verb, CLUSTER_TENANTS, "", "x")
                    && !may(plane, user, verb, TENANT_STATUS, "lenders", "x")
            );
        }
    }
    let roles = |values: Value| -> Vec<String> {
        let rendered = objects(&[], &values).unwrap();
        let aggregated =
            |role: &&Value| role["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true";
        let roles = of_kind(&rendered, "ClusterRole").into_iter().filter(aggregated);
        roles.map(|role| role["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(roles(json!({})).is_empty());
    assert_eq!(roles(json!({"rbac": {"aggregateTenantsToEdit": true}})), ["entrain-system:entrain:tenant-edit"]);
    assert_eq!(roles(json!({"rbac": {"aggregateToEdit": true}})), ["entrain-system:entrain:edit"]);
}

/// The arguments about tenants and the operator's own login.
fn told(values: &Value) -> Vec<String> {
    let rendered = objects(&[], values).unwrap();
    let arguments = &only(&rendered, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"];
    let arguments: Vec<String> = serde_json::from_value(arguments.clone()).unwrap();
    let about = |argument: &String| argument.starts_with("--tenants") || argument.starts_with("--operator-login");
    arguments.into_iter().filter(about).collect()
}

#[test]
fn the_operator_is_told_which_kinds_it_serves_and_whom_its_own_login_serves() {
    assert_eq!(told(&json!({})), Vec::<String>::new());
    assert_eq!(told(&json!({"tenants": served(true, false)})), ["--tenants=namespaced"]);
    assert_eq!(told(&json!({"tenants": served(false, true)})), ["--tenants=cluster"]);
    let both = json!({"tenants": served(true, true), "operatorLogin": {"enabled": false}});
    assert_eq!(told(&both), ["--tenants=namespaced,cluster", "--operator-login=false"]);
    let some = json!({"operatorLogin": {"namespaces": ["identity", "hr"]}});
    assert_eq!(told(&some), ["--operator-login-namespace=identity", "--operator-login-namespace=hr"]);
}

#[test]
fn without_a_login_of_its_own_the_operator_needs_tenants_and_no_credentials() {
    let refused = |values: Value| objects(&[], &values).unwrap_err();
    let off = json!({"operatorLogin": {"enabled": false}});
    assert!(refused(off).contains("needs tenants.enabled or tenants.cluster.enabled"));
    let both = json!({"operatorLogin": {"enabled": false, "namespaces": ["a"]}, "tenants": served(true, false)});
    assert!(refused(both).contains("operatorLogin.namespaces needs operatorLogin.enabled"));
    let rendered = objects(&["tenants"], &json!({})).unwrap();
    let text = only(&rendered, "Deployment").to_string();
    assert!(!text.contains("AZURE_") && !text.contains("secret"), "{text}");
}

#[test]
fn the_way_to_managed_identities_is_open_only_where_a_tenant_can_use_them() {
    let ways = |tenants: Value| {
        let values = json!({"networkPolicy": {"enabled": true}, "tenants": tenants});
        only(&objects(&[], &values).unwrap(), "NetworkPolicy")["spec"]["egress"].to_string()
    };
    assert!(ways(served(false, true)).contains("169.254.169.254/32"));
    assert!(!ways(served(true, false)).contains("169.254.169.254"));
}
