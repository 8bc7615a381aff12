//! No value of a credential is anywhere but in its Secret and in Graph, even where the target repeats it in its answer.

use serde_json::json;

use super::stand::{CREDENTIALS, Stand, TOKEN, valid};
use crate::stack::audit;
use crate::stack::read::is_ready;

const WRONG: &str = "canary-of-a-wrong~T0ken";

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_what_the_target_repeats_of_them_are_in_no_log_no_event_no_status_and_no_metric() {
    let metrics = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut stand = Stand::loud(&[&format!("--metrics-bind-address={metrics}")]).await;
    stand.target(&json!({"accepts": {"SecretToken": TOKEN}, "canary": "canary-of-the-answer", "echoes": true})).await;
    stand.secret("box-scim", WRONG).await;
    stand.sync_job(&[CREDENTIALS, "restartAfterChange: Automatic"]).await;
    let object =
        stand.until("is rejected", |it| valid(it, "False", "CredentialsRejectedByTarget") && is_ready(it)).await;
    // The error of a cycle repeats the target's answer as well.
    let id = object["status"]["jobId"].as_str().unwrap().to_owned();
    let tenant = stand.rig.demo.tenant_id.clone();
    stand.rig.control.run_cycle(&tenant, super::stand::PRINCIPAL, &id, None).await.unwrap();
    stand.look().await;
    stand.secret("box-scim", TOKEN).await;
    stand.rig.nudge("box").await;
    stand.until("is accepted", |it| valid(it, "True", "CredentialsAccepted") && is_ready(it)).await;
    let log = stand.rig.operator_log();
    assert!(log.contains("TRACE"), "the log is as loud as it can be");
    let events = stand.rig.kubectl(&["get", "events", "-o", "yaml"]).await;
    assert!(events.contains("CredentialsSaved"), "there is something to search: {events}");
    let described = stand.rig.kubectl(&["describe", "syncjobs"]).await;
    let metrics = reqwest::get(format!("http://{metrics}/metrics")).await.unwrap().text().await.unwrap();
    let audit = audit::text(&stand.rig.namespace);
    assert!(audit.contains("syncjobs"), "the audit log is of this namespace");
    let places =
        [("log", &log), ("events", &events), ("describe", &described), ("metrics", &metrics), ("audit log", &audit)];
    for (place, text) in places {
        for canary in [TOKEN, WRONG, "canary-of-the-answer"] {
            assert!(!text.contains(canary), "'{canary}' is in the {place}");
        }
    }
}
