//! What was imported, applied and managed: the operator adopts the jobs and sends nothing that changes them.

use serde_json::{Value, json};
use tokio::process::Command;

use super::super::run;
use super::principal_id;
use crate::stack::read::is_ready;
use crate::stack::rig::Rig;

const JOBS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_imported_is_managed_without_a_write_to_graph() {
    let mut rig = Rig::idle().await;
    for number in 0..JOBS {
        let notified = json!({"Enabled": true, "Recipients": "a@x.test;b@x.test", "DeleteThresholdEnabled": "false"});
        let secrets = json!([{"key": "SyncAll", "value": "false"}, {"key": "SecretToken", "value": "s"},
            {"key": "SyncNotificationSettings", "value": notified.to_string()}]);
        let state = if number % 3 == 0 { "Paused" } else { "Active" };
        let code = if number % 3 == 0 { "Paused" } else { "Active" };
        let jobs = json!({format!("scim.7f0c.{number}"): {"scheduleState": state, "code": code}});
        let body = json!({"appId": format!("d0000000-0000-4000-8000-{number:012}"), "displayName": "Wiki",
            "templates": ["scim"], "secrets": secrets, "jobs": jobs});
        rig.control.put_service_principal(&rig.demo.tenant_id, &principal_id(number), &body).await.unwrap();
    }
    let graph = rig.simulator.ready();
    let mut command = Command::new(env!("CARGO_BIN_EXE_entrain"));
    command.args(["import", "--graph-url", &graph.url, "--authority-host", &graph.login, "--ca-file"]).arg(&graph.ca);
    command.env_clear().envs(rig.credentials()).kill_on_drop(true);
    let imported = run(command).await;
    assert_eq!(imported.code, 0, "{}", imported.err);

    rig.apply(&imported.out).await;
    rig.start_operator_with(&["--operator-namespace=entrain-system"]);
    rig.until_all("is adopted and as declared", JOBS, |object| {
        let settled = is_ready(object) || object["status"]["conditions"].to_string().contains("\"Paused\"");
        settled && object["status"]["jobOrigin"] == "Adopted"
    })
    .await;
    let ledger = rig.control.ledger().await.unwrap();
    let written: Vec<&Value> =
        ledger["value"].as_array().unwrap().iter().filter(|entry| entry["operation"] != "outOfBand").collect();
    assert!(written.is_empty(), "{written:#?}");
}
