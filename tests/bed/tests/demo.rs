//! The demo's own part, with a stand-in for the operator that only writes the status.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bed::tools::{Tool, ensure};

/// Waits for the manifest, then says of it what `status` says.
fn stand_in(dir: &Path, status: &str) -> PathBuf {
    let kubectl = ensure(Tool::Kubectl).unwrap();
    let script = format!(
        "#!/bin/sh
set -eu
test \"$1\" = operator && test -n \"$AZURE_CLIENT_SECRET\" && test -z \"${{AZURE_FEDERATED_TOKEN_FILE-}}\"
kubectl() {{ '{}' --cache-dir '{}' \"$@\"; }}
until kubectl get syncjob demo >/dev/null 2>&1; do sleep 0.1; done
kubectl patch syncjob demo --subresource=status --type=merge -p '{status}'
exec sleep 300
",
        kubectl.display(),
        dir.join("cache").display()
    );
    let path = dir.join("entrain");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn demo(operator: &Path, scratch: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bed"));
    command.args(["demo", "--once", "--operator"]).arg(operator);
    // A user's own login must not reach the demo.
    command.env("AZURE_FEDERATED_TOKEN_FILE", "/nonexistent").env("TMPDIR", scratch).output().unwrap()
}

fn status(job_id: &str) -> String {
    let condition = r#"{"type":"Ready","status":"True","reason":"Active","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}"#;
    format!(r#"{{"status":{{"jobId":"{job_id}","observedGeneration":1,"conditions":[{condition}]}}}}"#)
}

#[test]
fn it_ends_well_when_the_table_has_the_job_id_and_leaves_nothing() {
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let output = demo(&stand_in(dir.path(), &status("box.1234.abcd")), scratch.path());
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let table: Vec<&str> =
        stdout.lines().skip_while(|line| *line != "$ kubectl get syncjobs").skip(1).take(2).collect();
    assert!(table[0].contains("JOB ID") && table[1].contains("box.1234.abcd"), "{stdout}");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn an_operator_that_ends_fails_the_demo_with_its_last_words() {
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let operator = dir.path().join("entrain");
    std::fs::write(&operator, "#!/bin/sh\necho no cluster for me\nexit 4\n").unwrap();
    std::fs::set_permissions(&operator, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = demo(&operator, scratch.path());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr.contains("entrain ended by itself (exit status: 4)") && stderr.contains("no cluster for me"),
        "{stderr}"
    );
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}
