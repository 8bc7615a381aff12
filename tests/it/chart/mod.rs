//! The chart, kustomize bases and `install.yaml`: rendered and installed by the real tools, on a real API server.

mod client;
mod cluster;
mod fingerprint;
pub mod generated;
mod kustomize;
mod life;
mod ownership;
mod plane;
mod principals;
mod release;
mod render;
mod rights;
mod secret_watch;
mod secrets;
mod secure;
mod tenants;
mod values;
mod wait;

pub use life::previous_chart;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bed::tools::{self, Tool};
use serde_json::Value;

/// A values file of the chart for each way to use it.
const VALUES_FILES: [&str; 5] = ["default", "all", "namespaced", "single", "tenants"];
const RELEASE: &str = "entrain";
const NAMESPACE: &str = "entrain-system";

pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn chart() -> PathBuf {
    repository().join("charts/entrain")
}

fn values_file(name: &str) -> PathBuf {
    chart().join("ci").join(format!("{name}-values.yaml"))
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn documents(yaml: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    all.into_iter().filter(|document| !document.is_null()).collect()
}

/// Runs a program; its standard output, or what it wrote to standard error if it failed.
pub fn run(command: &mut Command, input: &str) -> Result<String, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    // A program that reads nothing may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Helm, away from the user's own settings.
pub fn helm(tool: Tool) -> Command {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(tool.name());
    let mut command = Command::new(tools::ensure(tool).unwrap());
    for kind in ["CONFIG", "DATA", "CACHE"] {
        command.env(format!("HELM_{kind}_HOME"), home.join(kind.to_lowercase()));
    }
    command.env("KUBECONFIG", "/dev/null");
    command
}

/// What `helm template` prints, with values files of `ci/` and values on top.
fn template(release: &str, namespace: &str, files: &[&str], values: &Value, more: &[&str]) -> Result<String, String> {
    let mut command = helm(Tool::Helm);
    command.args(["template", release, "--namespace", namespace]).arg(chart()).args(more);
    for file in files {
        command.arg("--values").arg(values_file(file));
    }
    run(command.args(["--values", "-"]), &values.to_string())
}

/// What the release `entrain` in `entrain-system` consists of, as text.
pub fn rendered(values: &Value) -> Result<String, String> {
    template(RELEASE, NAMESPACE, &[], values, &[])
}

/// The objects of the release `entrain` in `entrain-system`.
pub fn objects(files: &[&str], values: &Value) -> Result<Vec<Value>, String> {
    Ok(documents(&template(RELEASE, NAMESPACE, files, values, &[])?))
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

pub fn only<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let found = of_kind(objects, kind);
    assert_eq!(found.len(), 1, "{kind}");
    found[0]
}

fn identity(object: &Value) -> String {
    let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!(
        "{} {}/{}",
        part(&object["kind"]),
        part(&object["metadata"]["namespace"]),
        part(&object["metadata"]["name"])
    )
}
