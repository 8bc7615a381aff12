//! `install.yaml` and the bases of `config/`: made from the chart, so that there is one truth, and applied.

use std::process::Command;

use bed::tools::{self, Tool};
use serde_json::{Value, json};

use super::generated::fresh;
use super::plane::shared;
use super::{NAMESPACE, RELEASE, documents, identity, read, repository, run, template};

const BASES: [&str; 6] = ["crd", "rbac", "manager", "default", "samples", "prometheus"];
/// For those who have prometheus-operator; not part of `install.yaml`.
const MONITORING: [&str; 2] = ["ServiceMonitor", "PrometheusRule"];
/// How the names of the roles end that people are bound to.
const USERS: [&str; 2] = [":view\"\n", ":edit\"\n"];

/// The chart's objects as text without what only Helm would make true of them: each with its kind.
fn plain() -> Vec<(String, String)> {
    let values = json!({
        "crds": {"keep": false},
        "credentials": {"existingSecret": "entrain-credentials"},
        "serviceMonitor": {"enabled": true, "renderMode": "alwaysRender"},
        "prometheusRule": {"enabled": true, "renderMode": "alwaysRender"},
    });
    let text = template(RELEASE, NAMESPACE, &[], &values, &[]).unwrap();
    let objects = text.split("---\n").filter(|object| !object.trim().is_empty());
    objects
        .map(|object| {
            let helms = ["# Source:", "    app.kubernetes.io/managed-by: Helm", "    helm.sh/chart:"];
            let kept = object.lines().filter(|line| !helms.iter().any(|start| line.starts_with(start)));
            let text = kept.collect::<Vec<_>>().join("\n").trim().to_owned() + "\n";
            let kind = documents(&text)[0]["kind"].as_str().unwrap().to_owned();
            (kind, text)
        })
        .collect()
}

const NAMESPACE_OBJECT: &str = "apiVersion: v1
kind: Namespace
metadata:
  name: entrain-system
  labels:
    app.kubernetes.io/name: entrain
    app.kubernetes.io/instance: entrain
    pod-security.kubernetes.io/enforce: restricted
";

const NOTE: &str = "# The operator logs in with the Secret entrain-credentials in entrain-system (tenantId, clientId, clientSecret).\n";

fn file(note: &str, objects: &[&str]) -> String {
    format!("# Generated from charts/entrain by `make generated`.\n{note}---\n{}", objects.join("---\n"))
}

#[test]
fn the_plain_manifests_are_fresh() {
    let plain = plain();
    let of = |kinds: &[&str]| -> Vec<&str> {
        plain.iter().filter(|(kind, _)| kinds.contains(&kind.as_str())).map(|(_, text)| text.as_str()).collect()
    };
    let roles = ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];
    let (users, operators): (Vec<&str>, Vec<&str>) =
        of(&roles).into_iter().partition(|text| USERS.iter().any(|end| text.contains(end)));
    let workload = of(&["Service", "Deployment"]);
    let all: Vec<&str> = [NAMESPACE_OBJECT]
        .into_iter()
        .chain(plain.iter().filter(|(kind, _)| !MONITORING.contains(&kind.as_str())).map(|(_, text)| text.as_str()))
        .collect();
    let root = repository();
    let crds = of(&["CustomResourceDefinition"]);
    fresh(&root.join("config/crd/Kustomization"), &(file("", &[]) + CRD_BASE + &labels(crds[0])));
    fresh(&root.join("install.yaml"), &file(NOTE, &all));
    fresh(&root.join("config/rbac/operator.yaml"), &file("", &operators));
    fresh(&root.join("config/rbac/users.yaml"), &file("", &users));
    fresh(&root.join("config/manager/namespace.yaml"), &file("", &[NAMESPACE_OBJECT]));
    fresh(&root.join("config/manager/manager.yaml"), &file(NOTE, &workload));
    for kind in MONITORING {
        let path = format!("config/prometheus/{}.yaml", kind.to_lowercase());
        fresh(&root.join(path), &file("", &of(&[kind])));
    }
}

/// kubectl takes a file without an extension for no object, so `kubectl apply -f` still works on these directories.
const CRD_BASE: &str = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../crds
labels:
  - pairs:
";

/// The labels of an object, as lines for [`CRD_BASE`].
fn labels(object: &str) -> String {
    let labels = &documents(object)[0]["metadata"]["labels"];
    let lines = labels.as_object().unwrap().iter().map(|(key, value)| format!("      {key}: {value}\n"));
    lines.collect::<Vec<_>>().concat()
}

fn build(base: &str) -> String {
    let mut command = Command::new(tools::ensure(Tool::Kustomize).unwrap());
    run(command.arg("build").arg(repository().join("config").join(base)), "").unwrap()
}

#[test]
fn the_default_base_is_what_install_yaml_is() {
    let sorted = |text: &str| {
        let mut objects: Vec<Value> = documents(text).into_iter().map(with_plain_numbers).collect();
        objects.sort_by_key(identity);
        objects
    };
    assert_eq!(sorted(&build("default")), sorted(&read(&repository().join("install.yaml"))));
}

/// `60.0` in YAML is 60.
fn with_plain_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.into_iter().map(with_plain_numbers).collect(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, with_plain_numbers(value))).collect(),
        other => other,
    }
}

#[test]
fn every_base_applies_and_so_does_install_yaml() {
    let plane = shared();
    let _crds = plane.own_crds();
    let install = repository().join("install.yaml").display().to_string();
    plane.kubectl(&["apply", "-f", &install], "").unwrap();
    plane.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/syncjobs.entrain.dev"], "").unwrap();
    for base in BASES {
        let text = build(base);
        let said = plane.try_out(&text).unwrap_or_else(|message| panic!("{base}: {message}"));
        assert_eq!(said.lines().count(), documents(&text).len(), "{base}: {said}");
    }
    // A plain directory works as well, for those who have no kustomize.
    let rbac = repository().join("config/rbac").display().to_string();
    plane.kubectl(&["apply", "--dry-run=server", "-f", &rbac], "").unwrap();
    plane.kubectl(&["delete", "--wait=false", "-f", &install], "").unwrap();
    plane.kubectl(&["wait", "--for=delete", "--timeout=60s", "crd/syncjobs.entrain.dev"], "").unwrap();
}

#[test]
fn every_file_of_a_base_is_named_by_it() {
    for base in BASES {
        let folder = repository().join("config").join(base);
        let named = documents(&read(&folder.join("Kustomization"))).remove(0)["resources"].clone();
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            let is_named = named.as_array().unwrap().iter().any(|resource| *resource == name.as_str());
            assert!(is_named || name == "Kustomization", "config/{base}/Kustomization does not name {name}");
        }
    }
}
