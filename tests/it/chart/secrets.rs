//! Secrets that SyncJobs name: what the operator may do with them, by what the values say, and what it needs of that.

use entrain::cluster::fingerprint::NAME;
use serde_json::{Value, json};

use super::plane::shared;
use super::rights::{SECRETS, install, may, real_namespace};
use super::{objects, of_kind, only};

/// What is asked of the authorizer: what for, verb, namespace, name. Namespaces: `own` stands for the release's, `team` for a
/// watched one, `other` for one that is not watched where only some are.
const QUESTIONS: [(&str, &str, &str, &str); 14] = [
    ("team read", "get", "team", "box-scim"),
    ("team list", "list", "team", ""),
    ("team watch", "watch", "team", ""),
    ("other read", "get", "other", "box-scim"),
    ("other list", "list", "other", ""),
    ("own read", "get", "own", "entrain-credentials"),
    ("own list", "list", "own", ""),
    ("all", "list", "", ""),
    ("key read", "get", "own", NAME),
    ("key made", "create", "own", NAME),
    ("key filled in", "patch", "own", NAME),
    ("team key", "create", "team", NAME),
    ("own made", "create", "own", ""),
    ("own changed", "patch", "own", "entrain-credentials"),
];

/// What nobody may with a Secret, also not with the one of the key.
const NEVER: [&str; 3] = ["update", "delete", "deletecollection"];

/// The release's namespace, what is set, and what is allowed.
fn table() -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let key = ["key read", "key made", "key filled in"];
    let (watched, on) = (json!(["secrets-team"]), json!({"watch": true}));
    let everywhere = ["team read", "other read", "own read"];
    let lists = ["team list", "team watch", "other list", "own list", "all"];
    vec![
        ("secrets-off", json!({"secrets": {"jobCredentials": false}}), key.to_vec()),
        ("secrets-all", json!({}), [&everywhere[..], &key].concat()),
        ("secrets-one", json!({"watchNamespaces": watched}), [&["team read"][..], &key].concat()),
        ("secrets-watched", json!({"secrets": on}), [&everywhere[..], &lists, &key].concat()),
        (
            "secrets-one-watched",
            json!({"secrets": on, "watchNamespaces": watched}),
            [&["team read", "team list", "team watch"][..], &key].concat(),
        ),
        ("secrets-unbound", json!({"rbac": {"create": false}}), vec![]),
    ]
}

#[test]
fn secrets_of_jobs_are_read_by_name_where_sync_jobs_are_and_listed_only_where_that_is_asked_for() {
    let plane = shared();
    for name in ["secrets-team", "secrets-other"] {
        plane.create_namespace(name, &json!({}));
    }
    let mut wrong = Vec::new();
    for (namespace, values, allowed) in table() {
        install(plane, namespace, &values);
        let user = format!("system:serviceaccount:{namespace}:rights-entrain");
        let real = |place: &str| real_namespace(place, namespace, "secrets");
        for (what, verb, place, name) in QUESTIONS {
            if may(plane, &user, verb, SECRETS, &real(place), name) != allowed.contains(&what) {
                wrong.push(format!("{namespace}: {what}"));
            }
        }
        for verb in NEVER {
            if [("own", NAME), ("team", "box-scim")]
                .iter()
                .any(|(place, name)| may(plane, &user, verb, SECRETS, &real(place), name))
            {
                wrong.push(format!("{namespace}: {verb}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_rule_for_jobs_and_the_rule_for_tenants_are_apart() {
    let about_secrets = |values: Value| -> Vec<String> {
        let rendered = objects(&[], &values).unwrap();
        let roles = ["ClusterRole", "Role"].iter().flat_map(|kind| of_kind(&rendered, kind));
        let mut names: Vec<String> = roles
            .filter(|role| role["rules"].to_string().contains("\"secrets\""))
            .map(|role| role["metadata"]["name"].as_str().unwrap().rsplit(':').next().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let tenants = json!({"enabled": true});
    assert_eq!(about_secrets(json!({})), ["fingerprint", "job-credentials"]);
    assert_eq!(
        about_secrets(json!({"tenants": tenants, "secrets": {"jobCredentials": false}})),
        ["fingerprint", "tenants"]
    );
    assert_eq!(about_secrets(json!({"tenants": tenants})), ["fingerprint", "job-credentials", "tenants"]);
}

#[test]
fn the_watch_over_secrets_is_off_unless_it_is_asked_for() {
    let arguments = |values: Value| {
        let rendered = objects(&[], &values).unwrap();
        only(&rendered, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"].to_string()
    };
    assert!(!arguments(json!({})).contains("watch-secrets"));
    assert!(arguments(json!({"secrets": {"watch": true}})).contains("\"--watch-secrets\""));
}
