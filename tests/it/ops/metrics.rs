//! What a scrape says.

use serde_json::{Value, json};

use super::{free_address, get};
use crate::stack::rig::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_tells_of_calls_and_jobs_and_forgets_what_is_deleted() {
    let (address, probes) = (free_address(), free_address());
    let mut rig = Rig::idle().await;
    rig.start_operator_with(&[
        &format!("--metrics-bind-address={address}"),
        &format!("--health-bind-address={probes}"),
    ]);
    let id = rig.running(&[]).await;
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.service_principal());
    rig.control
        .quarantine_job(&tenant, &sp, &id, &json!({"reason": "TooManyDeletes", "seriesBegan": "2026-11-01T10:00:00Z"}))
        .await
        .unwrap();
    rig.nudge("box").await;
    rig.until("box", "is in quarantine", |object| object["status"]["quarantine"].is_object()).await;
    let (code, text) = get(&address, "/metrics").await.unwrap();
    assert!(code == 200 && text.ends_with("# EOF\n"), "{text}");
    let object = format!(r#"namespace="{}",name="box""#, rig.namespace);
    for line in [
        r#"entrain_graph_requests_total{tenant="operator",operation="CreateJob",class="success",code="201"} 1"#
            .to_owned(),
        r#"entrain_login_requests_total{tenant="operator",result="success"} 1"#.to_owned(),
        r#"entrain_graph_throttled_seconds{tenant="operator"} 0.0"#.to_owned(),
        r#"controller_runtime_reconcile_total{controller="syncjob",result="requeue_after"}"#.to_owned(),
        r#"controller_runtime_max_concurrent_reconciles{controller="syncjob"} 16"#.to_owned(),
        format!("entrain_syncjob_quarantined{{{object}}} 1"),
        format!("entrain_syncjob_disabled_after_timestamp_seconds{{{object}}} 1795946400"),
        format!(
            r#"entrain_syncjob_condition{{{object},template="BoxOutDelta",type="Ready",status="False",reason="Quarantined"}} 1"#
        ),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    assert!(!text.contains(&id) && !text.contains(&tenant) && !text.contains(&sp), "no id is a label:\n{text}");

    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    let gone = async || !get(&address, "/metrics").await.unwrap().1.contains(r#"name="box""#);
    rig.until_graph("the scrape has forgotten it", async |_| gone().await).await;

    // Neither Graph nor the login makes a difference to the probes.
    rig.control.put_fault(&json!({"operation": "*", "action": {"drop": {}}})).await.unwrap();
    for path in ["/livez", "/readyz"] {
        assert_eq!(get(&probes, path).await, Some((200, "ok".to_owned())), "{path}");
    }
}
