//! At rest nothing is written, also after a restart, and one list serves all SyncJobs of a service principal.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::Rig;
use crate::stack::audit;
use crate::stack::read::{calls, is_ready, manifest};

const SERVICE_PRINCIPALS: usize = 500;
const TEMPLATES: [&str; 4] = ["BoxOutDelta", "scim", "Slack", "dataBricks"];

fn service_principal(number: usize) -> String {
    format!("c0000000-0000-4000-8000-{number:012}")
}

/// 2,000 SyncJobs over 500 service principals.
async fn crowd(rig: &Rig) {
    let tenant = rig.demo.tenant_id.clone();
    let mut manifests = String::new();
    for number in 0..SERVICE_PRINCIPALS {
        let id = service_principal(number);
        let body = json!({"appId": format!("d0000000-0000-4000-8000-{number:012}"), "displayName": "One of many",
            "templates": TEMPLATES, "secrets": [{"key": "SecretToken", "value": "x"}]});
        rig.control.put_service_principal(&tenant, &id, &body).await.unwrap();
        for template in TEMPLATES {
            let name = format!("sj-{number}-{}", template.to_lowercase());
            write!(manifests, "{}\n---\n", manifest(&name, &id, template, &[])).unwrap();
        }
    }
    rig.create(&manifests).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_over_two_thousand_settled_sync_jobs_writes_nothing_and_lists_once_for_each_service_principal() {
    let mut rig = Rig::start_with(&["--concurrency=64"]).await;
    crowd(&rig).await;
    rig.until_all("are ready", SERVICE_PRINCIPALS * TEMPLATES.len(), is_ready).await;
    let created = rig.wrote("createJob").await;
    assert_eq!(created, SERVICE_PRINCIPALS * TEMPLATES.len(), "one job each, none twice");
    // The last look, by which the start is noted as reached, is over for all of them.
    let reached = |object: &Value| object["status"]["run"]["reachedTime"].is_string();
    rig.until_all("are at rest", SERVICE_PRINCIPALS * TEMPLATES.len(), reached).await;

    rig.stop_operator(std::time::Duration::from_secs(10)).await;
    let (writes, effects) = (audit::writes(&rig.namespace).len(), rig.wrote_anything().await.len());
    rig.control.raw("DELETE", "calls", None).await.unwrap();
    rig.start_operator_with(&["--concurrency=64"]);
    rig.until_graph("every service principal was looked at", async |control| {
        calls(control, "listJobs").await.len() >= SERVICE_PRINCIPALS
    })
    .await;
    rig.stop_operator(std::time::Duration::from_secs(10)).await;

    let mut lists: BTreeMap<String, usize> = BTreeMap::new();
    for call in &calls(&rig.control, "listJobs").await {
        *lists.entry(call["servicePrincipalId"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(lists.len(), SERVICE_PRINCIPALS);
    assert!(lists.values().all(|count| *count == 1), "one list serves all SyncJobs of a service principal: {lists:?}");
    assert_eq!(rig.wrote_anything().await.len(), effects, "no write to Graph");
    assert_eq!(audit::writes(&rig.namespace).len(), writes, "no write to the API server");
}
