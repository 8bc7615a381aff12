//! What a real API server says to what the chart renders.

use serde_json::{Value, json};

use super::plane::shared;
use super::{VALUES_FILES, documents, objects, only, template};

const MONITORING: [&str; 3] = [
    "monitoring.coreos.com/v1/ServiceMonitor",
    "monitoring.coreos.com/v1/PodMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
];

#[test]
fn every_object_passes_the_strictest_check_of_the_server() {
    let plane = shared();
    plane.create_namespace("strict", &json!({}));
    for file in VALUES_FILES {
        let more = MONITORING.map(|kind| format!("--api-versions={kind}"));
        let text = template("strict", "strict", &[file], &json!({}), &more.each_ref().map(String::as_str)).unwrap();
        let said = plane.try_out(&text).unwrap_or_else(|message| panic!("{file}: {message}"));
        assert_eq!(said.lines().count(), documents(&text).len(), "{file}: {said}");
        let misspelt = text.replace("revisionHistoryLimit:", "revisionHistroyLimit:");
        assert!(plane.try_out(&misspelt).unwrap_err().contains("revisionHistroyLimit"), "the server does not look");
    }
}

#[test]
fn pods_are_accepted_where_only_restricted_ones_are() {
    let plane = shared();
    plane.create_namespace("restricted", &json!({"pod-security.kubernetes.io/enforce": "restricted"}));
    let admit = |pod: &Value| {
        plane.kubectl(&["create", "--dry-run=server", "--namespace", "restricted", "-f", "-"], &pod.to_string())
    };
    for file in VALUES_FILES {
        let rendered = objects(&[file], &json!({})).unwrap();
        let mut pod = only(&rendered, "Deployment")["spec"]["template"].clone();
        pod["apiVersion"] = json!("v1");
        pod["kind"] = json!("Pod");
        pod["metadata"]["name"] = json!(file);
        // The class is the cluster's, and this one has none.
        pod["spec"].as_object_mut().unwrap().remove("runtimeClassName");
        admit(&pod).unwrap_or_else(|message| panic!("{file}: {message}"));
        let context = &pod["spec"]["containers"][0]["securityContext"];
        assert_eq!(context["readOnlyRootFilesystem"], true, "{file}");
        let user = &pod["spec"]["securityContext"]["runAsUser"];
        assert!(if file == "single" { user.is_null() } else { *user == 65532 }, "{file}: {user}");
        pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true);
        assert!(admit(&pod).unwrap_err().contains("restricted"), "the server does not look");
    }
}
