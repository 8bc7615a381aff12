//! `crds.yaml`, `install.yaml` and the bases of `config/`: made from the chart, so that there is one truth, and applied.

use std::process::Command;

use bed::tools::{self, Tool};
use serde_json::{Value, json};

use super::generated::fresh;
use super::life::sync_job;
use super::plane::shared;
use super::{NAMESPACE, RELEASE, documents, identity, read, repository, run, template};

const CRD: &str = "CustomResourceDefinition";
const BASES: [&str; 7] = ["crd", "rbac", "manager", "default", "tenants", "samples", "prometheus"];
/// How the names of the roles end that people are bound to.
const USERS: [&str; 3] = [":view\"\n", ":edit\"\n", ":tenant-edit\"\n"];
/// For those who have prometheus-operator; not part of `install.yaml`.
const MONITORING: [&str; 2] = ["ServiceMonitor", "PrometheusRule"];

/// The chart's objects as text without what only Helm would make true of them: each with its kind.
fn plain(tenants: bool) -> Vec<(String, String)> {
    let values = json!({
        "tenants": {"enabled": tenants, "cluster": {"enabled": tenants}},
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

/// With the labels of the CRD, which the base gives to both.
fn namespace_object(crd: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAMESPACE}\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n{}",
        labels(crd, 4)
    )
}

const CRDS_NOTE: &str = "# What outlives the operator: its namespace, which holds your Secret, and the CRD. Deleting this file deletes every
# SyncJob, and while an operator runs, jobs in Entra ID may go with them. To remove the operator, delete install.yaml.
";

const NOTE: &str = "# The operator logs in with the Secret entrain-credentials in entrain-system (tenantId, clientId, clientSecret).\n";

fn file(note: &str, objects: &[&str]) -> String {
    format!("# Generated from charts/entrain by `make generated`.\n{note}---\n{}", objects.join("---\n"))
}

#[test]
fn the_plain_manifests_are_fresh() {
    let plain = plain(false);
    let of = |kinds: &[&str]| -> Vec<&str> {
        plain.iter().filter(|(kind, _)| kinds.contains(&kind.as_str())).map(|(_, text)| text.as_str()).collect()
    };
    let roles = ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];
    let (users, operators): (Vec<&str>, Vec<&str>) =
        of(&roles).into_iter().partition(|text| USERS.iter().any(|end| text.contains(end)));
    let workload = of(&["Service", "Deployment"]);
    // People delete `install.yaml` to remove the operator, so nothing in it may take SyncJobs or Secrets along.
    let apart = [&[CRD], MONITORING.as_slice()].concat();
    let operator: Vec<&str> =
        plain.iter().filter(|(kind, _)| !apart.contains(&kind.as_str())).map(|(_, text)| text.as_str()).collect();
    let root = repository();
    let crds = of(&[CRD]);
    let namespace = namespace_object(crds[0]);
    fresh(&root.join("config/crd/Kustomization"), &(file("", &[]) + CRD_BASE + &labels(crds[0], 6)));
    fresh(&root.join("config/crd/namespace.yaml"), &file("", &[&namespace]));
    fresh(&root.join("crds.yaml"), &file(CRDS_NOTE, &[&[namespace.as_str()], crds.as_slice()].concat()));
    fresh(&root.join("install.yaml"), &file(NOTE, &operator));
    fresh(&root.join("config/rbac/operator.yaml"), &file("", &operators));
    fresh(&root.join("config/rbac/users.yaml"), &file("", &users));
    fresh(
        &root.join("config/tenants/rbac.yaml"),
        &file("", &of_tenants(&plain).iter().map(String::as_str).collect::<Vec<_>>()),
    );
    fresh(&root.join("config/manager/manager.yaml"), &file(NOTE, &workload));
    for kind in MONITORING {
        let path = format!("config/prometheus/{}.yaml", kind.to_lowercase());
        fresh(&root.join(path), &file("", &of(&[kind])));
    }
}

/// The roles that only an operator with tenants has.
fn of_tenants(plain: &[(String, String)]) -> Vec<String> {
    let with = self::plain(true).into_iter().filter(|object| !plain.contains(object));
    with.filter(|(kind, _)| kind != "Deployment").map(|(_, text)| text).collect()
}

#[test]
fn the_base_with_tenants_passes_what_the_chart_passes() {
    let arguments = |objects: &[Value]| {
        super::only(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"].clone()
    };
    let sorted = |arguments: Value| {
        let mut all: Vec<String> = serde_json::from_value(arguments).unwrap();
        all.sort();
        all
    };
    let chart: Vec<Value> = plain(true).iter().flat_map(|(_, text)| documents(text)).collect();
    assert_eq!(sorted(arguments(&documents(&build("tenants")))), sorted(arguments(&chart)));
}

/// kubectl takes a file without an extension for no object, so `kubectl apply -f` still works on these directories.
const CRD_BASE: &str = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - namespace.yaml
  - ../../crds
labels:
  - pairs:
";

/// The labels of an object, as indented lines.
fn labels(object: &str, indent: usize) -> String {
    let labels = &documents(object)[0]["metadata"]["labels"];
    let lines = labels.as_object().unwrap().iter().map(|(key, value)| format!("{:indent$}{key}: {value}\n", ""));
    lines.collect::<Vec<_>>().concat()
}

fn build(base: &str) -> String {
    let mut command = Command::new(tools::ensure(Tool::Kustomize).unwrap());
    run(command.arg("build").arg(repository().join("config").join(base)), "").unwrap()
}

#[test]
fn two_bases_are_what_the_two_plain_manifests_are() {
    let sorted = |text: &str| {
        let mut objects: Vec<Value> = documents(text).into_iter().map(with_plain_numbers).collect();
        objects.sort_by_key(identity);
        objects
    };
    for (base, manifest) in [("default", "install.yaml"), ("crd", "crds.yaml")] {
        assert_eq!(sorted(&build(base)), sorted(&read(&repository().join(manifest))), "{base}");
    }
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
fn every_base_applies_and_so_do_the_plain_manifests_whose_removal_takes_no_sync_job() {
    let plane = shared();
    let _crds = plane.own_crds();
    let [crds, install] = ["crds.yaml", "install.yaml"].map(|name| repository().join(name).display().to_string());
    plane.kubectl(&["apply", "-f", &crds, "-f", &install], "").unwrap();
    plane.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/syncjobs.entrain.dev"], "").unwrap();
    for base in BASES {
        let text = build(base);
        let said = plane.try_out(&text).unwrap_or_else(|message| panic!("{base}: {message}"));
        assert_eq!(said.lines().count(), documents(&text).len(), "{base}: {said}");
    }
    // A plain directory works as well, for those who have no kustomize.
    let rbac = repository().join("config/rbac").display().to_string();
    plane.kubectl(&["apply", "--dry-run=server", "-f", &rbac], "").unwrap();
    // Also one in the operator's own namespace, and the login, outlive the operator.
    sync_job(plane, NAMESPACE);
    let secret = ["-n", NAMESPACE, "create", "secret", "generic", "entrain-credentials", "--from-literal=tenantId=a"];
    plane.kubectl(&secret, "").unwrap();
    let kept = || [plane.get("syncjob", NAMESPACE, "box"), plane.get("secret", NAMESPACE, "entrain-credentials")];
    let before = kept();
    plane.kubectl(&["delete", "--timeout=60s", "-f", &install], "").unwrap();
    plane.kubectl(&["delete", "--timeout=60s", "--ignore-not-found", "-k", &default_base()], "").unwrap();
    assert!(plane.kubectl(&["get", "deployment", "entrain", "-n", NAMESPACE], "").is_err());
    assert_eq!(kept(), before);
    plane.kubectl(&["delete", "--wait=false", "-f", &crds], "").unwrap();
    plane.kubectl(&["wait", "--for=delete", "--timeout=60s", "crd/syncjobs.entrain.dev"], "").unwrap();
    // Other tests of this plane install into that namespace too.
    plane.kubectl(&["wait", "--for=delete", "--timeout=60s", &format!("namespace/{NAMESPACE}")], "").unwrap();
}

fn default_base() -> String {
    repository().join("config/default").display().to_string()
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
