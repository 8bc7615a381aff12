//! What a scrape says.

use serde_json::{Value, json};

use super::{free_address, get, get_as};
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
    assert_eq!(code, 200, "{text}");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_scraper_gets_the_format_that_it_asks_for() {
    let (mut rig, address) = (Rig::idle().await, free_address());
    rig.start_operator_with(&[&format!("--metrics-bind-address={address}")]);
    rig.until_graph("the operator listens", async |_| get(&address, "/metrics").await.is_some()).await;
    let scraped = async |accept: &str| {
        let answer = get_as(&address, "/metrics", accept).await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (kind, answer.text().await.unwrap())
    };
    // As Prometheus 3 asks.
    let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
        application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
        text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let (kind, text) = scraped(prometheus).await;
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(text.ends_with("# EOF\n") && text.contains("# TYPE controller_runtime_reconcile counter\n"), "{text}");
    let (kind, text) = scraped("text/plain;version=0.0.4").await;
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    assert!(!text.contains("# EOF") && text.contains("# TYPE controller_runtime_reconcile_total counter\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_is_compressed_for_who_can_read_that() {
    let (mut rig, address) = (Rig::idle().await, free_address());
    rig.start_operator_with(&[&format!("--metrics-bind-address={address}")]);
    rig.until_graph("the operator listens", async |_| get(&address, "/metrics").await.is_some()).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let scraped = async |encoding: &str| {
        let request = client.get(format!("http://{address}/metrics")).header("accept-encoding", encoding);
        let answer = request.send().await.unwrap();
        let said = answer.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        (said, answer.bytes().await.unwrap())
    };
    let ((plain, text), (gzip, packed)) = (scraped("identity").await, scraped("gzip").await);
    assert_eq!((plain.as_deref(), gzip.as_deref()), (None, Some("gzip")));
    assert!(text.starts_with(b"# HELP") && packed.starts_with(&[0x1f, 0x8b]), "the magic number of gzip");
    assert!(packed.len() * 3 < text.len(), "{} of {}", packed.len(), text.len());
}
