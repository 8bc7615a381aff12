//! `helm install --wait` of a chart that holds a SyncJob: what the watcher of Helm 4 makes of our conditions.

use std::process::Stdio;

use bed::test_support::eventually;
use bed::tools::Tool;
use serde_json::{Value, json};

use super::plane::{ChartPlane, shared};
use super::{helm, repository};

/// Installs a chart of nothing but a SyncJob, and while Helm waits, says of the object what an operator would say.
fn outcome(plane: &ChartPlane, namespace: &str, conditions: &Value) -> (bool, String) {
    plane.create_namespace(namespace, &json!({}));
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("templates")).unwrap();
    std::fs::write(dir.path().join("Chart.yaml"), "apiVersion: v2\nname: one-job\nversion: 0.1.0\n").unwrap();
    std::fs::copy(repository().join("config/samples/syncjob.yaml"), dir.path().join("templates/job.yaml")).unwrap();
    let mut command = helm(Tool::Helm);
    command.env("KUBECONFIG", &plane.ready().kubeconfig).args(["install", "job", "--namespace", namespace]);
    command.arg(dir.path()).args(["--wait", "--timeout", "90s"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the SyncJob", || plane.kubectl(&["get", "syncjob", "box", "-n", namespace], "").ok());
    let patch = json!({"status": {"observedGeneration": 1, "conditions": conditions}}).to_string();
    let arguments = ["patch", "syncjob", "box", "-n", namespace, "--subresource=status", "--type=merge", "-p", &patch];
    plane.kubectl(&arguments, "").unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": reason, "message": "As said by a test.", "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

#[test]
fn helm_returns_when_a_sync_job_is_ready_and_fails_when_it_is_stalled() {
    let plane = shared();
    let _crds = plane.own_crds();
    plane.kubectl(&["apply", "--server-side", "-f", &repository().join("crds").display().to_string()], "").unwrap();
    plane.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/syncjobs.entrain.dev"], "").unwrap();
    let (ready, said) = outcome(plane, "wait-ready", &json!([condition("Ready", "True", "Running")]));
    assert!(ready, "{said}");
    let stalled = json!([condition("Ready", "False", "InvalidSpec"), condition("Stalled", "True", "InvalidSpec")]);
    let (ready, said) = outcome(plane, "wait-stalled", &stalled);
    assert!(!ready && !said.contains("deadline"), "Helm did not fail by what it saw: {said}");
}
