//! What the chart renders, without a cluster.

use bed::tools::Tool;
use serde_json::{Value, json};

use super::values::{Leaf, leaves};
use super::{
    NAMESPACE, RELEASE, VALUES_FILES, chart, helm, identity, objects, of_kind, only, read, run, template, values_file,
};

const UUID: &str = "11111111-2222-3333-4444-555555555555";

/// The first container of the Deployment.
fn container(objects: &[Value]) -> &Value {
    &only(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
}

fn environment(objects: &[Value]) -> Vec<(String, Value)> {
    let name = |variable: &Value| variable["name"].as_str().unwrap().to_owned();
    container(objects)["env"].as_array().unwrap().iter().map(|variable| (name(variable), variable.clone())).collect()
}

fn refusal(values: &Value) -> String {
    objects(&[], values).expect_err("the values are refused")
}

#[test]
fn both_helms_find_nothing_to_complain_about() {
    for tool in [Tool::Helm, Tool::Helm3] {
        for file in VALUES_FILES {
            let mut command = helm(tool);
            command.args(["lint", "--strict", "--quiet", "--values"]).arg(values_file(file)).arg(chart());
            assert_eq!(run(&mut command, "").as_deref(), Ok(""), "{} {file}", tool.name());
        }
    }
}

#[test]
fn rendering_is_the_same_each_time_and_needs_no_cluster() {
    for file in VALUES_FILES {
        let render = || template(RELEASE, NAMESPACE, &[file], &json!({}), &[]).unwrap();
        let text = render();
        assert_eq!(text, render());
        assert!(!text.contains("helm.sh/hook"), "{file} has hooks, which GitOps tools run differently");
    }
    for (name, text) in templates() {
        assert!(!text.contains("lookup ") && !text.contains("rand"), "{name} renders something else each time");
    }
}

fn templates() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(chart().join("templates")).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), read(&entry.path()))).collect()
}

#[test]
fn a_misspelt_or_mistyped_value_is_refused() {
    let wrong = [
        json!({"imge": {"tag": "x"}}),
        json!({"image": {"tga": "x"}}),
        json!({"replicaCount": "two"}),
        json!({"cloud": "germany"}),
        json!({"image": {"digest": "sha256:1"}}),
        json!({"workloadIdentity": {"clientId": "someone"}}),
        json!({"watchNamespaces": ["a", "a"]}),
        json!({"concurrency": 0}),
        json!({"allowedServicePrincipals": {"identity": ["box"]}}),
        json!({"allowedServicePrincipals": {"identity": UUID}}),
        json!({"allowedServicePrincipals": {"Identity": [UUID]}}),
    ];
    for values in wrong {
        assert!(refusal(&values).contains("schema"), "{values}");
    }
}

#[test]
fn values_that_cannot_work_together_are_refused_with_what_to_do() {
    let wi = json!({"enabled": true, "clientId": UUID, "tenantId": UUID});
    let wrong = [
        (json!({"credentials": {"existingSecret": "a"}, "workloadIdentity": wi}), "not both"),
        (json!({"workloadIdentity": {"enabled": true}}), "needs workloadIdentity.clientId"),
        (json!({"replicaCount": 2, "leaderElection": {"enabled": false}}), "needs leaderElection.enabled"),
        (json!({"leaderElection": {"renewDeadlineSeconds": 30}}), "leaseDurationSeconds must be above"),
        (json!({"leaderElection": {"retryPeriodSeconds": 20}}), "above retryPeriodSeconds"),
        (json!({"secrets": {"jobCredentials": false, "watch": true}}), "needs secrets.jobCredentials"),
        (json!({"caBundle": {"configMap": "a", "secret": "b"}}), "not both"),
        (json!({"podDisruptionBudget": {"enabled": true, "minAvailable": 1}}), "would never let a node be drained"),
        (json!({"podDisruptionBudget": {"enabled": true, "minAvailable": 0, "maxUnavailable": 1}}), "not both"),
        (json!({"serviceMonitor": {"enabled": true}, "metrics": {"service": {"enabled": false}}}), "needs metrics"),
        (json!({"podMonitor": {"enabled": true}, "metrics": {"enabled": false}}), "needs metrics.enabled"),
        (json!({"podMonitor": {"enabled": true, "renderMode": "failIfMissing"}}), "has no PodMonitor"),
        (
            json!({"podMonitor": {"enabled": true}, "metrics": {"secure": {"enabled": true}}}),
            "needs podMonitor.tokenSecret",
        ),
        (
            json!({"prometheusRule": {"enabled": true, "renderMode": "alwaysRender", "overrides": {"EntrainX": {}}}}),
            "there is no alert EntrainX",
        ),
    ];
    for (values, what) in wrong {
        let message = refusal(&values);
        assert!(message.contains(what), "{values}: {message}");
    }
}

/// Values that only other charts look at.
const UNUSED: [&str; 2] = ["enabled", "global"];

#[test]
fn every_value_changes_what_is_rendered() {
    // Some matter only beside others.
    let rendered = json!({"renderMode": "alwaysRender"});
    let monitors = json!({"serviceMonitor": rendered, "podMonitor": rendered, "prometheusRule": rendered});
    let contexts = [
        (vec![], json!({})),
        (vec!["all"], json!({})),
        (vec!["all"], monitors),
        (vec!["namespaced"], json!({})),
        (vec!["single"], json!({})),
        // A login of its own can be switched off only where there are tenants.
        (vec![], json!({"tenants": {"enabled": true}})),
    ];
    let before: Vec<String> = contexts.iter().map(|(files, values)| render(files, values, None).unwrap()).collect();
    let mut without_effect = Vec::new();
    for leaf in leaves() {
        let value = other(&leaf);
        let changes = |(index, (files, values)): (usize, &(Vec<&str>, Value))| {
            render(files, values, Some(leaf.nested(value.clone()))).is_ok_and(|after| after != before[index])
        };
        if !contexts.iter().enumerate().any(changes) {
            without_effect.push(leaf.name());
        }
    }
    assert_eq!(without_effect, UNUSED);
}

fn render(files: &[&str], values: &Value, more: Option<Value>) -> Result<String, String> {
    let mut values = values.clone();
    merge(&mut values, more.unwrap_or_default());
    template(RELEASE, NAMESPACE, files, &values, &[])
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, from) => *into = from,
    }
}

/// A value that the schema admits and that no values file has.
fn other(leaf: &Leaf) -> Value {
    let named = match leaf.name().as_str() {
        "image.digest" => Some(json!(format!("sha256:{}", "a".repeat(64)))),
        "workloadIdentity.clientId" | "workloadIdentity.tenantId" => {
            Some(json!("aaaaaaaa-2222-3333-4444-555555555555"))
        }
        "workloadIdentity.enabled" | "serviceMonitor.enabled" | "podMonitor.enabled" | "prometheusRule.enabled" => {
            Some(json!(false))
        }
        "allowedServicePrincipals" => Some(json!({"other": [UUID]})),
        "prometheusRule.overrides" => Some(json!({"EntrainAbsent": {"disabled": true}})),
        "imagePullSecrets" => Some(json!([{"name": "other"}])),
        "watchNamespaces" | "extraArgs" | "operatorLogin.namespaces" => Some(json!(["other"])),
        "networkPolicy.egressPorts" => Some(json!([1234])),
        "podDisruptionBudget.minAvailable" => Some(json!("10%")),
        "podDisruptionBudget.maxUnavailable" => Some(json!("20%")),
        "extraObjects" => Some(json!([{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other"}}])),
        _ => None,
    };
    named.unwrap_or_else(|| match &leaf.default {
        Value::Bool(value) => json!(!value),
        Value::Number(value) => json!(value.as_u64().unwrap() + 1),
        Value::String(value) => leaf.schema["enum"]
            .as_array()
            .map_or(json!("other"), |members| members.iter().rfind(|member| *member != value).unwrap().clone()),
        Value::Array(_) => json!([{"name": "other", "mountPath": "/other"}]),
        Value::Object(_) => json!({"other": "other"}),
        Value::Null => json!(true),
    })
}

#[test]
fn templates_use_only_values_that_there_are() {
    let there: Vec<String> = leaves().iter().map(Leaf::name).collect();
    let mut unknown = Vec::new();
    for (name, text) in templates() {
        for rest in text.split(".Values.").skip(1) {
            let path: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '.').collect();
            let path = path.trim_end_matches('.');
            if !there.iter().any(|leaf| leaf == path || leaf.starts_with(&format!("{path}."))) {
                unknown.push(format!("{name}: {path}"));
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn all_objects_say_whose_they_are_and_selectors_never_change() {
    for file in VALUES_FILES {
        let objects =
            objects(&[file], &json!({"extraObjects": [], "commonLabels": {"app.kubernetes.io/name": "other"}}))
                .unwrap();
        for object in &objects {
            let labels = &object["metadata"]["labels"];
            for label in ["name", "instance", "version", "managed-by"] {
                assert!(labels[format!("app.kubernetes.io/{label}")].is_string(), "{label}: {}", identity(object));
            }
            assert_eq!(
                (&labels["app.kubernetes.io/name"], &labels["helm.sh/chart"]),
                (&json!("entrain"), &json!("entrain-0.1.0"))
            );
        }
        let selector = &only(&objects, "Deployment")["spec"]["selector"]["matchLabels"];
        assert_eq!(*selector, json!({"app.kubernetes.io/name": "entrain", "app.kubernetes.io/instance": "entrain"}));
    }
}

#[test]
fn names_are_short_and_those_of_two_releases_differ() {
    let long = "a".repeat(53);
    let render = |namespace: &str| {
        let allowed = json!({"identity": [UUID]});
        let values = json!({"extraObjects": [], "crds": {"enabled": false}, "allowedServicePrincipals": allowed});
        super::documents(&template(&long, namespace, &["all"], &values, &[]).unwrap())
    };
    let names = |objects: &[Value], only_cluster_wide: bool| -> Vec<String> {
        let wanted = objects.iter().filter(|object| object["metadata"]["namespace"].is_null() || !only_cluster_wide);
        wanted.map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let [one, two] = ["1", "2"].map(|last| render(&format!("{}{last}", "n".repeat(62))));
    assert!(names(&one, false).iter().all(|name| name.len() <= 63), "{:?}", names(&one, false));
    let (of_one, of_two) = (names(&one, true), names(&two, true));
    assert_eq!(of_one.len(), 14, "eight roles, a policy, and five bindings: {of_one:?}");
    assert!(of_one.iter().all(|name| !of_two.contains(name)), "{of_one:?} {of_two:?}");
}

#[test]
fn versions_with_the_suffix_of_a_vendor_are_accepted_and_old_ones_are_not() {
    let on = |version| template(RELEASE, NAMESPACE, &[], &json!({}), &["--kube-version", version]);
    for version in ["v1.33.0", "v1.34.1-gke.100", "v1.35.2-eks-1234567", "v1.33.1+k3s1"] {
        assert!(on(version).is_ok(), "{version}");
    }
    assert!(on("v1.32.9").unwrap_err().contains("incompatible"));
}

#[test]
fn a_digest_beats_a_tag() {
    let image = |image: Value| container(&objects(&[], &json!({"image": image})).unwrap())["image"].clone();
    let digest = format!("sha256:{}", "0".repeat(64));
    assert_eq!(image(json!({})), "ghcr.io/entrain-dev/entrain:0.1.0");
    assert_eq!(image(json!({"tag": "1"})), "ghcr.io/entrain-dev/entrain:1");
    assert_eq!(image(json!({"tag": "1", "digest": digest})), json!(format!("ghcr.io/entrain-dev/entrain@{digest}")));
}

#[test]
fn a_variable_is_there_once_and_the_users_wins() {
    let objects = objects(&["all"], &json!({})).unwrap();
    let environment = environment(&objects);
    let mut names: Vec<&String> = environment.iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), environment.len());
    let client = environment.iter().find(|(name, _)| name == "AZURE_CLIENT_ID").unwrap();
    assert_eq!(client.1["value"], "99999999-2222-3333-4444-555555555555");
}

#[test]
fn a_proxy_is_told_by_the_usual_variables_and_the_cluster_is_exempt() {
    let of = |proxy: Value| -> Vec<(String, Value)> {
        let environment = environment(&objects(&[], &json!({"proxy": proxy})).unwrap());
        let about = environment.into_iter().filter(|(name, _)| name.ends_with("_PROXY"));
        about.map(|(name, variable)| (name, variable["value"].clone())).collect()
    };
    let told = |name: &str, value: &str| (name.to_owned(), json!(value));
    let (proxy, cluster) = ("http://proxy.example:3128", "$(KUBERNETES_SERVICE_HOST),.svc,.cluster.local");
    assert_eq!(of(json!({"noProxy": "x"})), []);
    assert_eq!(of(json!({"http": proxy})), [told("HTTP_PROXY", proxy), told("NO_PROXY", cluster)]);
    assert_eq!(of(json!({"https": proxy, "noProxy": "x"})), [told("HTTPS_PROXY", proxy), told("NO_PROXY", "x")]);
}

#[test]
fn workload_identity_needs_no_webhook_when_the_token_is_projected() {
    let values = |projected: bool| json!({"workloadIdentity": {"enabled": true, "clientId": UUID, "tenantId": UUID, "projectedToken": projected}});
    for projected in [false, true] {
        let objects = objects(&[], &values(projected)).unwrap();
        let pod = &only(&objects, "Deployment")["spec"]["template"];
        assert_eq!(pod["metadata"]["labels"]["azure.workload.identity/use"], "true");
        let annotations = &only(&objects, "ServiceAccount")["metadata"]["annotations"];
        assert_eq!(annotations["azure.workload.identity/client-id"], UUID);
        assert_eq!(annotations["azure.workload.identity/tenant-id"], UUID);
        assert_eq!(annotations["azure.workload.identity/service-account-token-expiration"], "3600");
        let token = &pod["spec"]["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"];
        let path = container(&objects)["volumeMounts"][0]["mountPath"].as_str();
        let file = environment(&objects).into_iter().find(|(name, _)| name == "AZURE_FEDERATED_TOKEN_FILE");
        if projected {
            assert_eq!(token["audience"], "api://AzureADTokenExchange");
            let expected = format!("{}/{}", path.unwrap(), token["path"].as_str().unwrap());
            assert_eq!(file.unwrap().1["value"], expected);
        } else {
            assert!(token.is_null() && path.is_none() && file.is_none());
        }
    }
}

#[test]
fn a_secret_is_named_and_never_held() {
    let objects = objects(&[], &json!({"credentials": {"existingSecret": "entra"}})).unwrap();
    assert!(of_kind(&objects, "Secret").is_empty());
    for (variable, key) in [("TENANT_ID", "tenantId"), ("CLIENT_ID", "clientId"), ("CLIENT_SECRET", "clientSecret")] {
        let (_, found) =
            environment(&objects).into_iter().find(|(name, _)| *name == format!("AZURE_{variable}")).unwrap();
        assert_eq!(found["valueFrom"]["secretKeyRef"], json!({"name": "entra", "key": key}));
    }
}

#[test]
fn one_operator_works_at_a_time_also_during_an_upgrade() {
    let strategy = |values: Value| only(&objects(&[], &values).unwrap(), "Deployment")["spec"]["strategy"].clone();
    assert_eq!(strategy(json!({})), Value::Null);
    assert_eq!(strategy(json!({"leaderElection": {"enabled": false}})), json!({"type": "Recreate"}));
}

#[test]
fn the_network_policy_opens_what_is_needed() {
    let values = json!({"networkPolicy": {"enabled": true, "metricsFrom": [{"podSelector": {}}]}});
    let objects = objects(&[], &values).unwrap();
    let spec = &only(&objects, "NetworkPolicy")["spec"];
    let ports = |rules: &Value| -> Vec<Value> {
        let rules = rules.as_array().unwrap().iter();
        rules.flat_map(|rule| rule["ports"].as_array().unwrap().iter().map(|port| port["port"].clone())).collect()
    };
    assert_eq!(ports(&spec["ingress"]), [json!("health"), json!("metrics")]);
    assert_eq!(spec["ingress"][1]["from"], json!([{"podSelector": {}}]));
    assert_eq!(ports(&spec["egress"]), [json!(53), json!(53), json!(443), json!(6443)]);
}

#[test]
fn the_notes_say_what_is_missing_and_what_comes_next() {
    let notes = |files: &[&str], values: Value| {
        let mut command = helm(Tool::Helm);
        command.args(["install", RELEASE, "--namespace", NAMESPACE, "--dry-run=client", "--values", "-"]).arg(chart());
        for file in files {
            command.arg("--values").arg(values_file(file));
        }
        let said = run(&mut command, &values.to_string()).unwrap();
        said.split_once("NOTES:").unwrap().1.to_owned()
    };
    let plain = notes(&[], json!({}));
    let bound = "--clusterrole=entrain-system:entrain:edit";
    for words in ["no credentials", "all namespaces", "rollout status deployment entrain", "kind: SyncJob", bound] {
        assert!(plain.contains(words), "{words}: {plain}");
    }
    let all = notes(&["all"], json!({}));
    for words in [
        "system:serviceaccount:entrain-system:entrain",
        "ServiceMonitor was left out",
        "PodMonitor was left out",
        "PrometheusRule was left out",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
    assert!(!all.contains("no credentials"), "{all}");
    let shared = notes(&["single"], json!({"rbac": {"aggregateToEdit": true}}));
    assert!(
        shared.contains("allowedServicePrincipals gives to their namespace") && !shared.contains(bound),
        "{shared}"
    );
    let namespaced = notes(&["namespaced"], json!({}));
    for words in
        ["kube-public, default", "create secret generic entra ", "crds.enabled is false", "--namespace kube-public"]
    {
        assert!(namespaced.contains(words), "{words}: {namespaced}");
    }
}

#[test]
fn a_subchart_can_be_switched_and_given_global_values() {
    assert!(objects(&[], &json!({"enabled": true, "global": {"imageRegistry": "x"}})).is_ok());
}
