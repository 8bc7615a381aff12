//! Tenants of both kinds that are refused, and what may not change in them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{GUID, OTHER_GUID, admin, dry_run, object, try_all, verdict};

/// Both kinds, with the path of their collection.
const KINDS: [(&str, &str); 2] = [
    ("EntraTenant", "/apis/entrain.dev/v1alpha1/namespaces/default/entratenants"),
    ("ClusterEntraTenant", "/apis/entrain.dev/v1alpha1/clusterentratenants"),
];

/// A manifest that is fine but for what is laid over its spec; a null takes a field away.
pub fn manifest(kind: &str, name: &str, over: &Value) -> Value {
    let spec = json!({"tenantId": GUID, "credential": {"workloadIdentity": {"clientId": OTHER_GUID}}});
    object(kind, name, spec, over)
}

fn secret(name: &str, key: Option<&str>) -> Value {
    let mut reference = json!({"name": name});
    if let Some(key) = key {
        reference["key"] = json!(key);
    }
    json!({"credential": {"clientSecret": {"clientId": GUID, "secretRef": reference}}})
}

/// What is laid over a good spec of either kind, and what the refusal must say.
fn refused_in_both() -> Vec<(Value, &'static str)> {
    let tenant = "spec.tenantId: Invalid value: `tenantId` must be the id of the Entra tenant, a GUID such as";
    let credential =
        "spec.credential: Invalid value: `credential` must have exactly one of `workloadIdentity`, `clientSecret`";
    let name = ": the name must be one that an object can have";
    let client = ": the id must be a GUID such as";
    let workload = |over: Value| json!({"credential": {"workloadIdentity": over}});
    vec![
        (json!({"tenantId": null}), "spec.tenantId: Required value"),
        (json!({"tenantId": "contoso.onmicrosoft.com"}), tenant),
        (json!({"tenantId": format!("{GUID} ")}), tenant),
        (json!({"tenantId": format!("{GUID}/..")}), tenant),
        (json!({"tenantId": "2d6f9f0a3b414c7e8f526a1b0c9d8e7f"}), tenant),
        (
            json!({"cloud": "Germany"}),
            "spec.cloud: Unsupported value: \"Germany\": supported values: \"Global\", \"USGov\", \"USGovDoD\", \"China\"",
        ),
        (
            json!({"mode": "Observe"}),
            "spec.mode: Unsupported value: \"Observe\": supported values: \"Manage\", \"Suspended\"",
        ),
        (json!({"credential": null}), "spec.credential: Required value"),
        (json!({"credential": {}}), credential),
        (json!({"credential.certificate": {"clientId": GUID, "secretName": "tls"}}), credential),
        (workload(json!({"clientId": "api://entrain"})), client),
        (workload(json!({"serviceAccountRef": {}})), "serviceAccountRef.name: Required value"),
        (workload(json!({"serviceAccountRef": {"name": "kube-system/default"}})), name),
        (workload(json!({"serviceAccountRef": {"name": "x", "namespace": "kube-system"}})), "unknown field"),
        (workload(json!({"audiences": ["https://kubernetes.default.svc"]})), "unknown field"),
        (
            json!({"credential": {"clientSecret": {"secretRef": {"name": "x"}}}}),
            "clientSecret.clientId: Required value",
        ),
        (json!({"credential": {"clientSecret": {"clientId": GUID}}}), "clientSecret.secretRef: Required value"),
        (json!({"credential": {"clientSecret": {"clientId": "x", "secretRef": {"name": "x"}}}}), client),
        (secret("Graph", None), name),
        (secret("identity/graph", None), name),
        (secret("-graph", None), name),
        (secret(&"n".repeat(254), None), "secretRef.name: Too long: may not be more than 253 bytes"),
        (
            secret("graph", Some("a/b")),
            "secretRef.key: Invalid value: \"a/b\": the key must be one that a Secret can have",
        ),
        (secret("graph", Some("")), "secretRef.key: Invalid value"),
        (json!({"credential": {"certificate": {"clientId": GUID}}}), "certificate.secretName: Required value"),
        (json!({"credential": {"certificate": {"clientId": GUID, "secretName": "a_b"}}}), name),
        (
            json!({"credential": {"certificate": {"clientId": "", "secretName": "a"}}}),
            "certificate.clientId: Invalid value",
        ),
        (json!({"rateLimit": {"requestsPerSecond": 0}}), "should be greater than or equal to 1"),
        (json!({"rateLimit": {"requestsPerSecond": 1001}}), "should be less than or equal to 1000"),
        (json!({"rateLimit": {"writesPerMinute": 0}}), "should be greater than or equal to 1"),
        (json!({"rateLimit": {"writesPerMinute": 10_001}}), "should be less than or equal to 10000"),
        (json!({"endpoint": "https://login.example"}), "unknown field \"spec.endpoint\""),
        (json!({"loginUrl": "https://login.example"}), "unknown field \"spec.loginUrl\""),
        (json!({"caBundle": "x"}), "unknown field \"spec.caBundle\""),
    ]
}

/// The same for grants, which only the cluster kind has.
fn refused_grants() -> Vec<(Value, &'static str)> {
    let grant = |over: Value| json!({"allowedNamespaces": [over]});
    let either =
        "spec.allowedNamespaces[0]: Invalid value: a grant must have either `namespaces` or `namespaceSelector`";
    let selector = |over: Value| json!({"allowedNamespaces": [{"namespaceSelector": over}]});
    let requirement = |operator: &str, values: Value| {
        let mut requirement = json!({"key": "team", "operator": operator});
        if !values.is_null() {
            requirement["values"] = values;
        }
        json!({"allowedNamespaces": [{"namespaceSelector": {"matchExpressions": [requirement]}}]})
    };
    let values =
        "matchExpressions[0].values: Invalid value: `values` must be there with the operators 'In' and 'NotIn'";
    let labels: Value =
        (0..17).map(|label| (format!("label{label}"), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    let names: Vec<String> = (0..257).map(|name| format!("n{name}")).collect();
    let grants: Vec<Value> = (0..65).map(|name| json!({"namespaces": [format!("n{name}")]})).collect();
    vec![
        (grant(json!({})), either),
        (grant(json!({"modes": ["Observe"]})), either),
        (grant(json!({"namespaces": ["a"], "namespaceSelector": {}})), either),
        (
            grant(json!({"namespaces": []})),
            "spec.allowedNamespaces[0].namespaces: Invalid value: 0: spec.allowedNamespaces[0].namespaces in body should have at least 1 items",
        ),
        (
            grant(json!({"namespaces": ["team-*"]})),
            "spec.allowedNamespaces[0].namespaces[0]: Invalid value: \"team-*\": the name must be",
        ),
        (grant(json!({"namespaces": ["a", "a"]})), "spec.allowedNamespaces[0].namespaces[1]: Duplicate value: \"a\""),
        (
            grant(json!({"namespaces": names})),
            "spec.allowedNamespaces[0].namespaces: Too many: 257: must have at most 256 items",
        ),
        (grant(json!({"namespaceRegexes": ["team-a"]})), "unknown field"),
        (grant(json!({"namespaces": ["a"], "servicePrincipalIds": []})), "should have at least 1 items"),
        (
            grant(json!({"namespaces": ["a"], "servicePrincipalIds": ["box"]})),
            "servicePrincipalIds[0]: Invalid value: \"box\": the id must be a GUID",
        ),
        (grant(json!({"namespaces": ["a"], "servicePrincipalIds": [GUID, GUID]})), "Duplicate value"),
        (grant(json!({"namespaces": ["a"], "modes": []})), "should have at least 1 items"),
        (grant(json!({"namespaces": ["a"], "modes": ["Read"]})), "modes[0]: Unsupported value: \"Read\""),
        (grant(json!({"namespaces": ["a"], "modes": ["Plan", "Plan"]})), "Duplicate value"),
        (json!({"allowedNamespaces": grants}), "spec.allowedNamespaces: Too many: 65: must have at most 64 items"),
        (selector(json!({"matchLabels": {"team": "a b"}})), "the value must be one that a label can have"),
        (selector(json!({"matchLabels": labels})), "must have at most 16 items"),
        (requirement("In", Value::Null), values),
        (requirement("NotIn", json!([])), values),
        (requirement("Exists", json!(["a"])), values),
        (requirement("Equals", json!(["a"])), "Unsupported value: \"Equals\""),
    ]
}

fn refused(kind: &str) -> Vec<(Value, &'static str)> {
    let mut all = refused_in_both();
    if kind == "ClusterEntraTenant" {
        all.push((json!({"credential.operatorIdentity": {}}), "`operatorIdentity` and `managedIdentity`"));
        all.push((json!({"credential": {"operatorIdentity": {"clientId": GUID}}}), "unknown field"));
        all.push((
            json!({"credential": {"managedIdentity": {"clientId": "me"}}}),
            "managedIdentity.clientId: Invalid value: \"me\": the id must be",
        ));
        all.extend(refused_grants());
    } else {
        // The operator's identity and the machine's are not for a namespace.
        all.push((
            json!({"credential": {"operatorIdentity": {}}}),
            "unknown field \"spec.credential.operatorIdentity\"",
        ));
        all.push((json!({"credential": {"managedIdentity": {}}}), "unknown field \"spec.credential.managedIdentity\""));
        all.push((json!({"allowedNamespaces": []}), "unknown field \"spec.allowedNamespaces\""));
    }
    all
}

fn accepted(kind: &str) -> Vec<Value> {
    let mut all = vec![
        json!({}),
        json!({"tenantId": GUID.to_uppercase(), "cloud": "Global", "mode": "Suspended"}),
        json!({"cloud": "USGov"}),
        json!({"cloud": "USGovDoD"}),
        json!({"cloud": "China"}),
        json!({"credential": {"workloadIdentity": {}}}),
        json!({"credential": {"workloadIdentity": {"serviceAccountRef": {"name": "graph.login-1"}}}}),
        secret("graph-login", None),
        secret("graph-login", Some("AZURE_CLIENT_SECRET")),
        json!({"credential": {"certificate": {"clientId": GUID, "secretName": "graph-login-tls"}}}),
        json!({"rateLimit": {}}),
        json!({"rateLimit": {"requestsPerSecond": 50, "writesPerMinute": 600}}),
    ];
    if kind == "ClusterEntraTenant" {
        let grant = |over: Value| json!({"allowedNamespaces": [over]});
        all.extend([
            json!({"credential": {"operatorIdentity": {}}}),
            json!({"credential": {"managedIdentity": {}}}),
            json!({"credential": {"managedIdentity": {"clientId": GUID}}}),
            json!({"allowedNamespaces": []}),
            grant(json!({"namespaces": ["identity", "identity-staging"], "modes": ["Observe", "Plan"]})),
            grant(json!({"namespaceSelector": {}})),
            grant(json!({"namespaceSelector": {"matchLabels": {"entrain.dev/tenant": "contoso", "empty": ""}}, "servicePrincipalIds": [GUID, OTHER_GUID]})),
            grant(json!({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a"]}, {"key": "x", "operator": "Exists"}]}})),
            largest(),
        ]);
    }
    all
}

/// As many grants and names as the schema allows, within what the server takes: the rules must be affordable.
fn largest() -> Value {
    let names = |grant: usize| (0..256).map(|name| format!("namespace-{grant}-{name}")).collect::<Vec<_>>();
    json!({"allowedNamespaces": (0..64).map(|grant| json!({"namespaces": names(grant)})).collect::<Vec<_>>()})
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_tenant_is_refused_with_its_sentence_and_every_good_one_accepted() {
    let admin = admin().await;
    let mut wrong = Vec::new();
    for (kind, collection) in KINDS {
        let bad = refused(kind).into_iter().map(|(over, sentence)| (manifest(kind, "bad", &over), sentence)).collect();
        let good = accepted(kind).iter().map(|over| manifest(kind, "good", over)).collect();
        wrong.extend(try_all(&admin, collection, bad, good).await);
        let long = dry_run(&admin, collection, &manifest(kind, &"n".repeat(64), &json!({}))).await.unwrap_err();
        if !long.contains("metadata.name must be no longer than 63 characters") {
            wrong.push(long);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What is laid over a good spec first, what then, and the field that must not change so; none if it may.
fn changes() -> Vec<(Value, Value, Option<&'static str>)> {
    vec![
        (json!({}), json!({"tenantId": OTHER_GUID}), Some("tenantId")),
        (json!({}), json!({"tenantId": GUID.to_uppercase()}), None),
        (json!({}), json!({"cloud": "Global"}), None),
        (json!({}), json!({"cloud": "China"}), Some("cloud")),
        (json!({"cloud": "Global"}), json!({"cloud": null}), None),
        (json!({"cloud": "USGov"}), json!({"cloud": null}), Some("cloud")),
        (json!({"cloud": "USGov"}), json!({"cloud": "USGovDoD"}), Some("cloud")),
        (json!({}), secret("graph-login", None), None),
        (json!({}), json!({"mode": "Suspended", "rateLimit": {"writesPerMinute": 60}}), None),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_and_cloud_must_not_change_and_the_rest_may() {
    let admin = admin().await;
    for (kind, collection) in KINDS {
        let path = format!("{collection}/immutable");
        for (first, then, field) in changes() {
            let created = admin.send(Method::POST, collection, Some(&manifest(kind, "immutable", &first))).await;
            let mut object = created.unwrap().1;
            super::lay(&mut object["spec"], &then);
            let verdict = verdict(admin.send(Method::PUT, &path, Some(&object)).await.unwrap());
            let expected = field.map(|field| format!("spec.{field}: Forbidden: `{field}` must not change"));
            let as_expected = match (&verdict, &expected) {
                (Ok(()), None) => true,
                (Err(message), Some(sentence)) => message.contains(sentence.as_str()),
                _ => false,
            };
            assert!(as_expected, "{kind}: {first} to {then}: {verdict:?}, not {expected:?}");
            admin.send(Method::DELETE, &path, None).await.unwrap();
        }
    }
}

/// The sentences that these tests have seen.
pub fn seen(kind: &str) -> Vec<String> {
    let mut seen: Vec<String> = refused(kind).into_iter().map(|(_, sentence)| sentence.to_owned()).collect();
    seen.extend(
        changes().into_iter().filter_map(|(_, _, field)| field).map(|field| format!("`{field}` must not change")),
    );
    seen.push("metadata.name must be no longer than".to_owned());
    seen
}
