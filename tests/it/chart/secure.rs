//! What the chart renders where metrics are served to some only.

use serde_json::{Value, json};

use super::{NAMESPACE, RELEASE, documents, objects, of_kind, only, template};

/// The one endpoint of a monitor.
fn endpoint(kind: &str, values: &Value) -> Value {
    let api = format!("--api-versions=monitoring.coreos.com/v1/{kind}");
    let rendered = documents(&template(RELEASE, NAMESPACE, &[], values, &[&api]).unwrap());
    let spec = only(&rendered, kind)["spec"].clone();
    spec[if kind == "PodMonitor" { "podMetricsEndpoints" } else { "endpoints" }][0].clone()
}

fn values(secure: &Value) -> Value {
    json!({
        "metrics": {"secure": secure},
        "serviceMonitor": {"enabled": true},
        "podMonitor": {"enabled": true, "tokenSecret": {"name": "scraper"}},
    })
}

#[test]
fn a_scrape_of_secure_metrics_brings_a_token_and_verifies_what_can_be_verified() {
    for kind in ["ServiceMonitor", "PodMonitor"] {
        let plain = endpoint(kind, &values(&json!({})));
        for member in ["scheme", "bearerTokenFile", "authorization", "tlsConfig"] {
            assert_eq!(plain[member], Value::Null, "{kind}");
        }
        let made = endpoint(kind, &values(&json!({"enabled": true})));
        assert_eq!((&made["scheme"], &made["tlsConfig"]), (&json!("https"), &json!({"insecureSkipVerify": true})));
        let given = endpoint(kind, &values(&json!({"enabled": true, "certSecret": "tls"})));
        let verified = json!({
            "ca": {"secret": {"name": "tls", "key": "ca.crt"}}, "serverName": "entrain-metrics.entrain-system.svc",
        });
        assert_eq!(given["tlsConfig"], verified);
    }
    let secure = values(&json!({"enabled": true}));
    let (service, pod) = (endpoint("ServiceMonitor", &secure), endpoint("PodMonitor", &secure));
    assert_eq!(service["bearerTokenFile"], "/var/run/secrets/kubernetes.io/serviceaccount/token");
    assert_eq!(pod["authorization"], json!({"credentials": {"name": "scraper", "key": "token"}}));
    // Neither kind knows the other's way.
    assert!(service["authorization"].is_null() && pod["bearerTokenFile"].is_null());
}

#[test]
fn rights_to_look_tokens_up_are_given_only_for_secure_metrics_also_beside_roles_in_namespaces() {
    let reviews = |objects: &[Value]| {
        let rules =
            of_kind(objects, "ClusterRole").into_iter().flat_map(|role| role["rules"].as_array().unwrap().clone());
        rules.filter(|rule| rule.to_string().contains("reviews")).collect::<Vec<_>>()
    };
    for namespaces in [json!([]), json!(["team-a"])] {
        let render = |secure: bool| {
            objects(&[], &json!({"watchNamespaces": namespaces, "metrics": {"secure": {"enabled": secure}}})).unwrap()
        };
        assert_eq!(reviews(&render(false)), Vec::<Value>::new());
        let rule =
            |group: &str, resource: &str| json!({"apiGroups": [group], "resources": [resource], "verbs": ["create"]});
        let wanted =
            [rule("authentication.k8s.io", "tokenreviews"), rule("authorization.k8s.io", "subjectaccessreviews")];
        assert_eq!(reviews(&render(true)), wanted);
    }
}
