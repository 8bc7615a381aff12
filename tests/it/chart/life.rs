//! Releases on a real API server: installed, upgraded, rolled back and removed by Helm 4 and by Helm 3.

use std::path::{Path, PathBuf};

use bed::test_support::eventually;
use bed::tools::Tool;
use serde_json::{Value, json};

use super::plane::{ChartPlane, shared};
use super::{chart, documents, helm, identity, of_kind, only, read, run, values_file};

/// A release that several Helms look after in turn.
pub struct Release {
    plane: &'static ChartPlane,
    name: String,
    namespace: &'static str,
}

impl Release {
    pub fn new(name: &str, namespace: &'static str) -> Self {
        let plane = shared();
        plane.create_namespace(namespace, &json!({}));
        Self { plane, name: name.to_owned(), namespace }
    }

    fn helm(&self, tool: Tool, arguments: &[&str], sets: &[&str]) -> String {
        let said = self.try_helm(tool, arguments, sets);
        said.unwrap_or_else(|message| panic!("{} {arguments:?}: {message}", tool.name()))
    }

    /// What Helm prints, or what it complains about.
    pub fn try_helm(&self, tool: Tool, arguments: &[&str], sets: &[&str]) -> Result<String, String> {
        let mut command = helm(tool);
        command.env("KUBECONFIG", &self.plane.ready().kubeconfig).args(arguments).args(["--namespace", self.namespace]);
        run(command.args(sets.iter().flat_map(|set| ["--set", *set])), "")
    }

    fn install(&self, tool: Tool, chart: &Path, sets: &[&str]) -> String {
        self.helm(tool, &["install", &self.name, &chart.display().to_string()], sets)
    }

    fn upgrade(&self, tool: Tool, sets: &[&str]) {
        self.helm(tool, &["upgrade", &self.name, &chart().display().to_string()], sets);
    }

    pub fn uninstall(&self, tool: Tool) {
        self.helm(tool, &["uninstall", &self.name], &[]);
    }

    /// The release's objects as the server holds them.
    fn objects(&self, tool: Tool) -> Vec<Value> {
        let manifest = self.helm(tool, &["get", "manifest", &self.name], &[]);
        let held = self.plane.kubectl(&["get", "--output", "json", "-f", "-"], &manifest).unwrap();
        let held: Value = serde_json::from_str(&held).unwrap();
        let held = held["items"].as_array().unwrap().clone();
        assert_eq!(held.len(), documents(&manifest).len());
        held
    }

    fn versions(&self, tool: Tool) -> Vec<(String, Value)> {
        let version = |object: &Value| (identity(object), object["metadata"]["resourceVersion"].clone());
        self.objects(tool).iter().map(version).collect()
    }

    /// Waits until the server is done with the CRDs, which it marks in their status.
    fn settled(&self) {
        let wait = ["wait", "--for=condition=Established", "--timeout=60s", "crd/syncjobs.entrain.dev"];
        self.plane.kubectl(&wait, "").unwrap();
    }
}

/// A SyncJob with what an operator would have written.
pub fn sync_job(plane: &ChartPlane, namespace: &str) {
    let job = json!({
        "apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob", "metadata": {"name": "box", "namespace": namespace},
        "spec": {"servicePrincipalId": "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f", "templateId": "BoxOutDelta"},
    });
    // Discovery follows a new CRD after a moment.
    eventually("the new kind", || plane.kubectl(&["create", "-f", "-"], &job.to_string()).ok());
    let status = json!({"status": {"observedGeneration": 1}}).to_string();
    let patch =
        ["patch", "syncjob", "box", "--namespace", namespace, "--subresource=status", "--type=merge", "-p", &status];
    plane.kubectl(&patch, "").unwrap();
}

/// The chart as an earlier version could have been: another version, and in the CRD another word, and one field less.
pub fn previous_chart() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("entrain");
    run(std::process::Command::new("cp").arg("-r").arg(chart()).arg(&copy), "").unwrap();
    for (file, from, to) in
        [("Chart.yaml", "0.1.0", "0.0.9"), ("templates/crds.yaml", "one synchronization", "some synchronization")]
    {
        let text = read(&copy.join(file));
        assert!(text.contains(from), "{file} has no '{from}'");
        std::fs::write(copy.join(file), text.replace(from, to)).unwrap();
    }
    let crds = copy.join("templates/crds.yaml");
    std::fs::write(&crds, without(&read(&crds), "outOfBandPolicy")).unwrap();
    (dir, copy)
}

/// YAML without a member, which it has once, and without what stands below that.
fn without(text: &str, member: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (mut kept, mut below) = (String::new(), None);
    for line in text.lines() {
        if line.trim_start() == format!("{member}:") {
            assert_eq!(below.replace(indent(line)), None, "{member} is there twice");
        } else if below.is_none_or(|depth| indent(line) <= depth) {
            below = below.map(|_| usize::MAX);
            kept.extend([line, "\n"]);
        }
    }
    assert_eq!(below, Some(usize::MAX), "there is no {member}");
    kept
}

#[test]
fn a_release_lives_and_ends_with_either_helm_and_passes_from_one_to_the_other() {
    let plane = shared();
    let _crds = plane.own_crds();
    let release = Release::new("entrain", "life");
    let (_dir, previous) = previous_chart();
    // The later rounds find the CRDs and the SyncJob of the first, and adopt them.
    for (round, (first, second)) in
        [(Tool::Helm3, Tool::Helm3), (Tool::Helm3, Tool::Helm), (Tool::Helm, Tool::Helm)].into_iter().enumerate()
    {
        let said = release.install(first, &previous, &[]);
        assert!(
            said.contains("rollout status deployment entrain") && said.contains("WARNING: there are no credentials"),
            "{said}"
        );
        release.settled();
        if round == 0 {
            sync_job(plane, "life");
        }
        let job = || plane.get("syncjob", "life", "box");
        let job_before = job();
        let before = release.objects(first);
        release.upgrade(second, &[]);
        let crd = plane.get("crd", "life", "syncjobs.entrain.dev");
        assert!(crd.to_string().contains("declares one synchronization"), "the upgrade left the old CRD");

        let versions = release.versions(second);
        release.upgrade(second, &[]);
        assert_eq!(release.versions(second), versions, "an upgrade to the same changed something");

        release.upgrade(second, &["replicaCount=2", "commonLabels.team=identity"]);
        let after = release.objects(second);
        let spec = |objects: &[Value]| only(objects, "Deployment")["spec"].clone();
        assert_eq!(spec(&after)["replicas"], 2);
        assert_eq!(spec(&after)["selector"], spec(&before)["selector"]);
        assert_eq!(only(&after, "Deployment")["metadata"]["labels"]["team"], "identity");

        release.helm(second, &["rollback", "entrain", "2"], &[]);
        let back = release.objects(second);
        assert_eq!(
            (&spec(&back)["replicas"], &only(&back, "Deployment")["metadata"]["labels"]["team"]),
            (&json!(1), &Value::Null)
        );

        release.uninstall(second);
        assert_eq!(job(), job_before, "the SyncJob was touched");
        for object in back.iter().filter(|object| object["kind"] != "CustomResourceDefinition") {
            let (kind, name) = (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
            assert!(plane.kubectl(&["get", kind, name, "-n", "life"], "").is_err(), "{kind} {name} is still there");
        }
    }
    plane.kubectl(&["delete", "crd", "syncjobs.entrain.dev"], "").unwrap();
}

#[test]
fn crds_go_with_the_release_when_they_are_not_kept() {
    let plane = shared();
    let _crds = plane.own_crds();
    let release = Release::new("entrain", "unkept");
    release.install(Tool::Helm, &chart(), &["crds.keep=false"]);
    release.settled();
    release.uninstall(Tool::Helm);
    eventually("the end of the CRD", || plane.kubectl(&["get", "crd", "syncjobs.entrain.dev"], "").err());
}

#[test]
fn releases_live_side_by_side_whatever_their_names() {
    let long = "a".repeat(53);
    for name in ["entrain", &long] {
        let [one, two] = ["side-one", "side-two"].map(|namespace| Release::new(name, namespace));
        for release in [&one, &two] {
            let (chart, all) = (chart().display().to_string(), values_file("all").display().to_string());
            release.helm(Tool::Helm, &["install", name, &chart, "--values", &all], &["crds.enabled=false"]);
        }
        let of = |release: &Release| release.versions(Tool::Helm);
        let (of_one, of_two) = (of(&one), of(&two));
        assert!(of_one.iter().all(|object| !of_two.contains(object)));
        assert!(of_kind(&one.objects(Tool::Helm), "CustomResourceDefinition").is_empty());
        one.uninstall(Tool::Helm);
        assert_eq!(of(&two), of_two);
        two.uninstall(Tool::Helm);
    }
}
