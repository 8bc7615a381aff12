//! What would be saved, one line for each attribute: in status, and by `entrain plan`.

use serde_json::{Value, json};
use tokio::process::Command;

use super::stand::{Job, SALESFORCE, SCIM, Stand, users};
use super::ten::ENTERPRISE;
use crate::stack::read::{condition, is_ready, ready};

const LINES_IN_STATUS: usize = 40;

impl Stand {
    /// Has the SyncJob adopt the job, and nothing else.
    async fn adopt(&mut self, job: &Job) {
        self.apply(job, &json!(null), &["mode: Manage"]).await;
        self.until(job, "runs", is_ready).await;
    }

    /// `entrain plan` of an object as the cluster has it, in mode Manage: exit code and output.
    async fn entrain_plan(&self, object: &Value, more: &[&str]) -> (Option<i32>, String) {
        let mut object = object.clone();
        object["spec"]["mode"] = json!("Manage");
        let file = self.rig.file("plan.json", &object.to_string()).display().to_string();
        let ready = self.rig.simulator.ready();
        let mut command = Command::new(env!("CARGO_BIN_EXE_entrain"));
        command.args(["plan", "-f", &file]).args(more).env_clear().envs(self.rig.credentials()).kill_on_drop(true);
        command.args(["--graph-url", &ready.url, "--authority-host", &ready.login]).arg("--ca-file").arg(&ready.ca);
        let output = command.output().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }
}

/// The messages of a list of changes.
fn messages(changes: &Value) -> Vec<String> {
    changes.as_array().unwrap().iter().map(|change| change["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn mode_plan_and_entrain_plan_say_the_same_one_line_for_each_attribute_and_save_nothing() {
    let mut stand = Stand::begin().await;
    let job = stand.job("planned", SALESFORCE).await;
    let mut mappings = users(
        "User",
        &json!([
            {"targetAttributeName": "Email", "expression": "[userPrincipalName]"},
            {"targetAttributeName": "LastName", "expression": "ToUpper([surname])", "defaultValue": "-", "flowType": "ObjectAddOnly"},
            {"targetAttributeName": "City", "expression": "[city]"},
            {"targetAttributeName": "UserPermissionsMarketingUser", "state": "Absent"},
        ]),
    );
    mappings["objectMappings"][0]["flowTypes"] = json!(["Add", "Update"]);
    stand.apply(&job, &mappings, &["mode: Plan"]).await;
    let unadopted = stand.until(&job, "has a plan", |it| ready(it, "True", "ChangesPlanned")).await;
    stand.adopt(&job).await;
    stand.apply(&job, &mappings, &["mode: Plan"]).await;
    let object = stand.until(&job, "has a plan", |it| ready(it, "True", "ChangesPlanned")).await;
    let lines = [
        "User → User, flowTypes: Add, Delete, Update → Add, Update",
        "User → User, Email: [mail] → [userPrincipalName]",
        "User → User, LastName: [surname] → ToUpper([surname]); defaultValue: '.' → '-'; flowType: Always → ObjectAddOnly",
        "User → User, City: (none) → [city]",
        "User → User, UserPermissionsMarketingUser: (no source) → (none)",
    ];
    let all = messages(&object["status"]["plan"]);
    let planned: Vec<&str> = all.iter().map(String::as_str).filter(|line| line.contains(" → ")).collect();
    assert_eq!(planned, lines, "{all:#?}");
    // Before the job is adopted, that is planned too.
    let before = messages(&unadopted["status"]["plan"]);
    assert_eq!(before[0], format!("Adopt job '{}'.", job.id));
    assert_eq!(before.iter().filter(|line| line.contains(" → ")).collect::<Vec<_>>(), lines, "{before:#?}");
    assert!(
        condition(&object, "Ready")["message"]
            .as_str()
            .unwrap()
            .contains("Save mappings (5 changes, see `status.plan`)")
    );
    let (code, text) = stand.entrain_plan(&object, &[]).await;
    assert_eq!(code, Some(2), "{text}");
    for line in lines {
        assert!(text.contains(line), "'{line}' is not in: {text}");
    }
    let (code, text) = stand.entrain_plan(&object, &["--output", "json"]).await;
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, messages(&document["items"][0]["changes"])), (Some(2), all));
    assert_eq!(
        (stand.puts(&job).await, stand.changes(&job).await, stand.revisions().await),
        (0, Vec::new(), Vec::new())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_hundreds_of_lines_is_cut_with_a_count_in_status_and_is_whole_in_the_command() {
    let mut stand = Stand::begin().await;
    let job = stand.job("hundreds", SCIM).await;
    let mut mappings =
        users(ENTERPRISE, &json!([{"targetAttributeName": "userName", "expression": "[userPrincipalName]"}]));
    mappings["policy"] = json!("Exact");
    stand.adopt(&job).await;
    stand.apply(&job, &mappings, &["mode: Plan"]).await;
    let object = stand.until(&job, "has a plan", |it| ready(it, "True", "ChangesPlanned")).await;
    let shown = messages(&object["status"]["plan"]);
    let mappings: Vec<&String> = shown.iter().filter(|line| !line.starts_with("Adopt")).collect();
    assert_eq!(mappings.len(), LINES_IN_STATUS, "{shown:#?}");
    let rest = mappings.last().unwrap();
    assert_eq!(rest.as_str(), "… and 220 more values; `entrain plan` shows all of them.");
    assert!(object.to_string().len() < 20_000, "{}", object.to_string().len());
    let (_, text) = stand.entrain_plan(&object, &[]).await;
    assert_eq!(text.lines().filter(|line| line.ends_with(" → (none)")).count(), 259, "{text}");
    let (_, text) = stand.entrain_plan(&object, &["--output", "json"]).await;
    let document: Value = serde_json::from_str(&text).unwrap();
    let whole = messages(&document["items"][0]["changes"]);
    assert_eq!(whole.iter().filter(|line| line.ends_with(" → (none)")).count(), 259);
    assert_eq!(stand.puts(&job).await, 0);
}
