//! At rest nothing is written, also after a restart, and one list serves all SyncJobs of a service principal.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Rig;
use crate::stack::audit;
use crate::stack::read::{calls, is_ready};
use crate::stack::rig::CROWDED;

const SERVICE_PRINCIPALS: usize = 500;
const TEMPLATES: [&str; 4] = ["BoxOutDelta", "scim", "Slack", "dataBricks"];

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_over_two_thousand_settled_sync_jobs_writes_nothing_and_lists_once_for_each_service_principal() {
    let _alone = CROWDED.lock().await;
    let mut rig = Rig::start_with(&["--concurrency=64"]).await;
    // 2,000 SyncJobs.
    rig.create_crowd(SERVICE_PRINCIPALS, &TEMPLATES, &[]).await;
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
