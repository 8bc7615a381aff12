//! No secret of a tenant is anywhere but where it was written: not in logs at trace level, Events, status, metrics or the API
//! server's audit log.

use serde_json::json;

use super::stand::{SECRET, Stand, client_secret};
use crate::stack::audit;
use crate::stack::read::ready;

const WRONG: &str = "canary-of-a-wrong-secret~5K";

#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_tenants_are_in_no_log_no_event_no_status_and_no_metric() {
    let metrics = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = format!("--metrics-bind-address={metrics}");
    let mut stand = Stand::loud(&[&address]).await;
    let namespace = stand.rig.namespace.clone();
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    // A login service that repeats what it was sent.
    let body = format!("<html>client_secret={WRONG}</html>");
    let action = json!({"respond": {"status": 401, "body": body}});
    stand.rig.control.put_fault(&json!({"operation": "token", "times": 1, "action": action})).await.unwrap();
    stand.secret(&namespace, "login", "clientSecret", WRONG).await;
    stand.tenant("contoso", &client_secret()).await;
    stand.sync_job("{name: contoso}").await;
    stand.until_tenant("contoso", "is refused", |it| ready(it, "False", "ClientSecretWrong")).await;
    stand.secret(&namespace, "login", "clientSecret", SECRET).await;
    stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    stand.runs().await;
    let log = stand.rig.operator_log();
    assert!(log.contains("TRACE"), "the log is as loud as it can be");
    let events = stand.rig.kubectl(&["get", "events", "-o", "yaml"]).await;
    assert!(events.contains("ClientSecretWrong"), "there is something to search: {events}");
    let described = stand.rig.kubectl(&["describe", "entratenants,syncjobs"]).await;
    let metrics = reqwest::get(format!("http://{metrics}/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("entrain_tenant_ready"), "{metrics}");
    let audit = audit::text(&namespace);
    assert!(audit.contains("entratenants"), "the audit log is of this namespace");
    for (place, text) in
        [("log", log), ("events", events), ("describe", described), ("metrics", metrics), ("audit log", audit)]
    {
        for canary in [SECRET, WRONG] {
            assert!(!text.contains(canary), "the secret is in the {place}");
        }
        assert!(!text.contains("eyJ"), "a token is in the {place}");
    }
}
