//! The real binary, run as people run it: manifests in a directory, the simulator as the tenant.

mod import;
mod manifests;
mod person;
mod plan;
mod plugin;
mod trouble;

use std::path::Path;
use std::process::Stdio;

use bed::graph::{Control, Demo, Simulator};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// A service principal of the demo tenant beside the one that `Demo` names.
const WIKI: &str = "7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6";

/// A tenant, and a directory with manifests for it.
struct Review {
    simulator: Simulator,
    control: Control,
    demo: Demo,
    dir: TempDir,
}

/// What a run printed, and its exit code.
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Review {
    async fn begin() -> Self {
        let simulator = Simulator::start(bed::graph::Options::default()).await.unwrap();
        let demo = simulator.ready().demo.clone().unwrap();
        let control = Control::new(simulator.ready()).unwrap();
        Self { simulator, control, demo, dir: tempfile::tempdir().unwrap() }
    }

    /// Writes a file into the directory; folders of its name are made.
    fn write(&self, file: &str, text: &str) {
        let path = self.dir.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A job that is there already.
    async fn job(&self, service_principal: &str, id: &str, schedule_state: &str) {
        let template = id.split('.').next().unwrap();
        let job = json!({"templateId": template, "scheduleState": schedule_state, "code": "NotRun"});
        self.control.put_job(&self.demo.tenant_id, service_principal, id, &job).await.unwrap();
    }

    async fn fault(&self, operation: &str, action: Value) {
        self.control.put_fault(&json!({"operation": operation, "action": action})).await.unwrap();
    }

    /// `entrain plan`, in the directory, with nothing of this process's environment.
    fn command(&self, arguments: &[&str]) -> Command {
        self.entrain("plan", arguments)
    }

    /// A command of `entrain`, in the same way.
    fn entrain(&self, subcommand: &str, arguments: &[&str]) -> Command {
        let ready = self.simulator.ready();
        let mut command = Command::new(env!("CARGO_BIN_EXE_entrain"));
        command.arg(subcommand).args(arguments).current_dir(self.dir.path()).env_clear().kill_on_drop(true);
        command.args(["--graph-url", &ready.url, "--authority-host", &ready.login]).arg("--ca-file").arg(&ready.ca);
        command
    }

    /// `entrain plan` as the demo tenant's application.
    fn as_application(&self, arguments: &[&str]) -> Command {
        self.with_login(self.command(arguments))
    }

    fn with_login(&self, mut command: Command) -> Command {
        command
            .env("AZURE_TENANT_ID", &self.demo.tenant_id)
            .env("AZURE_CLIENT_ID", &self.demo.client_id)
            .env("AZURE_CLIENT_SECRET", &self.demo.client_secret);
        command
    }

    async fn plan(&self, arguments: &[&str]) -> Run {
        run(self.as_application(arguments)).await
    }

    async fn plan_json(&self) -> (i32, Value) {
        let run = self.plan(&["-f", ".", "--output", "json"]).await;
        let document = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}{}", run.out, run.err));
        (run.code, document)
    }

    async fn arrived(&self, operation: &str) -> usize {
        let calls = self.control.calls().await.unwrap();
        calls["value"].as_array().unwrap().iter().filter(|call| call["operation"] == operation).count()
    }

    /// What was done to the tenant by anybody but the tests.
    async fn written(&self) -> Vec<Value> {
        let ledger = self.control.ledger().await.unwrap();
        let entries = ledger["value"].as_array().unwrap().clone();
        entries.into_iter().filter(|entry| entry["operation"] != "outOfBand").collect()
    }
}

async fn run(command: Command) -> Run {
    run_with(command, "").await
}

async fn run_with(mut command: Command, input: &str) -> Run {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A run that does not read its input may have closed it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// A manifest; `more` are further fields of the spec, as JSON members, and may be empty.
fn sync_job(name: &str, service_principal: &str, template: &str, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!(
        "apiVersion: entrain.dev/v1alpha1\nkind: SyncJob\nmetadata: {{name: {name}, namespace: identity}}\nspec: {{servicePrincipalId: {service_principal}, templateId: {template}{comma}{more}}}\n"
    )
}

/// A program that prints this text, in a directory of its own for PATH.
fn tool(dir: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
