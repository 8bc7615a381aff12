//! Every metric as the table of metrics says, and no more series than it says.

use std::collections::BTreeSet;
use std::process::Command;

use bed::tools::{self, Tool};
use entrain::metrics::{METRICS, SERIES_FIXED_MAX, SERIES_PER_OBJECT, Spec};
use regex::Regex;
use serde_json::{Value, json};

use super::scrape::Scrape;
use super::{LEASE, free_address, get, leader};
use crate::chart::run;
use crate::dashboard::live::a_tenant_with_a_certificate;
use crate::life::BOX;
use crate::stack::read::{calls, is_ready, manifest};
use crate::stack::rig::{CROWDED, Rig};

const WIKI: &str = "7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6";

async fn scrape(address: &str) -> Scrape {
    let (code, text) = get(address, "/metrics").await.unwrap();
    assert_eq!(code, 200, "{text}");
    Scrape::parse(&text)
}

/// A leader with one job that has succeeded and is in quarantine, one call that hangs and one that was throttled.
async fn busy(rig: &mut Rig, address: &str) -> Scrape {
    let listen = format!("--metrics-bind-address={address}");
    let arguments: Vec<&str> = leader::ELECT.into_iter().chain([listen.as_str(), "--tenants=namespaced"]).collect();
    rig.start_operator_with(&arguments);
    a_tenant_with_a_certificate(rig).await;
    let id = rig.running(&[]).await;
    let (tenant, sp) = (rig.demo.tenant_id.clone(), rig.service_principal());
    rig.control.run_cycle(&tenant, &sp, &id, None).await.unwrap();
    rig.control.quarantine_job(&tenant, &sp, &id, &json!({})).await.unwrap();
    rig.nudge("box").await;
    rig.until("box", "tells of both", |object| {
        object["status"]["quarantine"].is_object() && object["status"]["job"]["lastSuccessTime"].is_string()
    })
    .await;

    let hang = json!({"operation": "createJob", "times": 1, "action": {"hang": {"commit": true}}});
    rig.control.put_fault(&hang).await.unwrap();
    rig.apply(&manifest("wiki", WIKI, BOX, &[])).await;
    rig.until_graph("a create hangs", async |control| calls(control, "createJob").await.len() == 2).await;
    rig.nudge("wiki").await;
    rig.until_depth(address, 1.0).await;

    let answer = json!({"status": 429, "code": "TooManyRequests", "headers": {"retry-after": "30"}});
    let throttle = json!({"operation": "listJobs", "times": 1, "action": {"respond": answer}});
    rig.control.put_fault(&throttle).await.unwrap();
    rig.nudge("box").await;
    let throttled = async || scrape(address).await.sum("workqueue_retries_total", &[]) > 0.0;
    rig.until_graph("a pass was throttled", async |_| throttled().await).await;
    scrape(address).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_operator_shows_every_metric_of_the_table_and_no_other() {
    let _lease = LEASE.lock().await;
    let (mut rig, address) = (Rig::idle().await, free_address());
    let scrape = busy(&mut rig, &address).await;
    let listed: BTreeSet<&str> = METRICS.iter().map(|spec| spec.name).collect();
    assert_eq!(scrape.families.keys().map(String::as_str).collect::<BTreeSet<_>>(), listed);
    for spec in METRICS {
        is_as_the_table_says(spec, &scrape);
    }
    let id = Regex::new("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-|://").unwrap();
    for (label, value) in scrape.samples.iter().flat_map(|sample| &sample.labels) {
        assert!(!id.is_match(value), "an id or an address is the value of {label}: {value}");
    }
    tells_what_happened(&scrape, &rig);

    let mut promtool = Command::new(tools::ensure(Tool::Promtool).unwrap());
    let said = run(promtool.args(["check", "metrics"]), &scrape.text);
    assert!(said.as_ref().is_ok_and(|said| said.trim().is_empty()), "{said:?}");
}

fn is_as_the_table_says(spec: &Spec, scrape: &Scrape) {
    let (family, samples) = (&scrape.families[spec.name], scrape.of(spec.name));
    let kind = if spec.kind.as_str() == "info" { "gauge" } else { spec.kind.as_str() };
    assert_eq!((family.kind.as_str(), family.help.as_str()), (kind, spec.help()), "{}", spec.name);
    assert!(!samples.is_empty(), "{} has no series", spec.name);
    for sample in samples {
        let labels = sample.labels.iter().map(|(label, _)| label.as_str()).filter(|label| *label != "le");
        assert_eq!(labels.collect::<Vec<_>>(), spec.labels, "{sample:?}");
    }
}

/// What is there at all has been looked at; here the values that this scenario brings about.
fn tells_what_happened(scrape: &Scrape, rig: &Rig) {
    let host = rig.plane.operator_kubeconfig()["clusters"][0]["cluster"]["server"].as_str().unwrap().to_owned();
    let host = host.trim_start_matches("https://");
    let object = [("namespace", rig.namespace.as_str()), ("name", "box")];
    let positive = |name: &str, labels: &[(&str, &str)]| {
        assert!(scrape.sum(name, labels) > 0.0, "{name} {labels:?} in\n{}", scrape.text);
    };
    positive("entrain_syncjob_quarantined", &object);
    positive("entrain_tenant_certificate_expiry_timestamp_seconds", &[]);
    positive("entrain_syncjob_last_success_timestamp_seconds", &object);
    positive("entrain_syncjob_disabled_after_timestamp_seconds", &object);
    positive("entrain_graph_throttled_seconds", &[]);
    positive("entrain_graph_requests_total", &[("class", "Throttled"), ("code", "429")]);
    positive("controller_runtime_reconcile_total", &[("result", "error")]);
    positive("controller_runtime_reconcile_errors_total", &[]);
    positive("controller_runtime_active_workers", &[]);
    positive("workqueue_depth", &[]);
    positive("workqueue_adds_total", &[]);
    positive("workqueue_unfinished_work_seconds", &[]);
    positive("workqueue_longest_running_processor_seconds", &[]);
    positive("workqueue_queue_duration_seconds_count", &[]);
    positive("workqueue_work_duration_seconds_sum", &[]);
    positive("rest_client_requests_total", &[("code", "200"), ("method", "GET"), ("host", host)]);
    positive("rest_client_requests_total", &[("code", "201"), ("method", "POST"), ("host", host)]);
    positive("rest_client_request_duration_seconds_count", &[("verb", "GET"), ("host", host)]);
    positive("leader_election_master_status", &[("name", "entrain")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alerts_count_is_there_before_it_happens() {
    let (mut rig, address) = (Rig::idle().await, free_address());
    rig.start_operator_with(&[&format!("--metrics-bind-address={address}")]);
    rig.until_graph("the operator listens", async |_| get(&address, "/metrics").await.is_some()).await;
    let scrape = scrape(&address).await;
    let is_zero = |name: &str, labels: &[(&str, &str)]| {
        let sample = scrape
            .samples
            .iter()
            .find(|sample| sample.name == name && labels.iter().all(|(label, value)| sample.get(label) == Some(value)));
        assert_eq!(sample.map(|sample| sample.value), Some(0.0), "{name} {labels:?} in\n{}", scrape.text);
    };
    is_zero("controller_runtime_reconcile_panics_total", &[]);
    is_zero("entrain_jobs_left_behind_total", &[]);
    is_zero("controller_runtime_reconcile_errors_total", &[]);
    for result in ["success", "error", "requeue_after"] {
        is_zero("controller_runtime_reconcile_total", &[("result", result)]);
    }
    for result in ["success", "refused", "unavailable"] {
        is_zero("entrain_login_requests_total", &[("result", result)]);
    }
    for name in ["workqueue_adds_total", "workqueue_retries_total", "workqueue_depth"] {
        is_zero(name, &[("name", "syncjob"), ("controller", "syncjob")]);
    }
}

impl Rig {
    async fn until_depth(&mut self, address: &str, depth: f64) {
        let is = async || (scrape(address).await.sum("workqueue_depth", &[]) - depth).abs() < 0.5;
        self.until_graph(&format!("the depth of the queue is {depth}"), async |_| is().await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_when_its_turn_comes_waits_no_more() {
    let (mut rig, address) = (Rig::idle().await, free_address());
    rig.start_operator_with(&[&format!("--metrics-bind-address={address}")]);
    rig.running(&[]).await;
    let listed = calls(&rig.control, "listJobs").await.len();
    let slow = json!({"operation": "listJobs", "times": 1, "action": {"delay": {"millis": 5000}}});
    rig.control.put_fault(&slow).await.unwrap();
    rig.nudge("box").await;
    rig.until_graph("a pass is under way", async |control| calls(control, "listJobs").await.len() > listed).await;
    rig.nudge("box").await;
    rig.until_depth(&address, 1.0).await;
    rig.delete("box").await;
    rig.kubectl(&["patch", "syncjob", "box", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]).await;
    rig.until("box", "is gone", Value::is_null).await;
    rig.until_depth(&address, 0.0).await;
}

const SERVICE_PRINCIPALS: usize = 250;
const TEMPLATES: [&str; 4] = ["BoxOutDelta", "scim", "Slack", "dataBricks"];
const COUNT: usize = SERVICE_PRINCIPALS * TEMPLATES.len();

#[tokio::test(flavor = "multi_thread")]
async fn the_series_of_a_thousand_sync_jobs_are_bounded_and_gone_with_them() {
    let _alone = CROWDED.lock().await;
    let (mut rig, address) = (Rig::idle().await, free_address());
    rig.start_operator_with(&[&format!("--metrics-bind-address={address}"), "--concurrency=64"]);
    rig.create_crowd(SERVICE_PRINCIPALS, &TEMPLATES, &["state: Paused", "deletionPolicy: Retain"]).await;
    rig.until_all("are ready", COUNT, is_ready).await;
    let (of_objects, others) = scrape(&address).await.series();
    assert!((COUNT..=COUNT * SERIES_PER_OBJECT).contains(&of_objects), "{of_objects} series of {COUNT} objects");
    assert!(others <= SERIES_FIXED_MAX, "{others} series of no object");

    rig.kubectl(&["delete", "syncjobs", "--all", "--wait=false"]).await;
    rig.until_all("are gone", 0, Value::is_null).await;
    let forgotten = async || {
        let now = scrape(&address).await;
        now.series().0 == 0 && now.sum("workqueue_depth", &[]) < 1.0
    };
    rig.until_graph("the scrape has forgotten them", async |_| forgotten().await).await;
    let after = scrape(&address).await;
    assert!(after.series().1 <= SERIES_FIXED_MAX, "{}", after.text);
}

#[test]
fn the_names_follow_the_conventions_of_prometheus() {
    let prefixes = ["entrain_", "controller_runtime_", "workqueue_", "rest_client_", "leader_election_"];
    let word = Regex::new("^[a-z]+(_[a-z]+)*$").unwrap();
    let other_units = ["milliseconds", "ms", "minutes", "hours", "days", "kilobytes", "percent"];
    for Spec { name, kind, labels, .. } in METRICS {
        assert!(prefixes.iter().any(|prefix| name.starts_with(prefix)) && word.is_match(name), "{name}");
        assert_eq!(name.ends_with("_total"), kind.as_str() == "counter", "{name}");
        assert_eq!(name.ends_with("_info"), kind.as_str() == "info", "{name}");
        assert!(kind.as_str() != "histogram" || name.ends_with("_seconds"), "{name} does not say its unit");
        assert!(!name.split('_').any(|word| other_units.contains(&word)), "{name} is not in a base unit");
        assert!(labels.iter().all(|label| word.is_match(label)), "{name}: {labels:?}");
    }
}
