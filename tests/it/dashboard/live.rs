//! An operator that had its share of success and trouble, scraped by a real Prometheus: every query of the dashboard
//! has an answer, every alert can be asked, and everything that they look for is there.

use std::collections::BTreeSet;
use std::time::Duration;

use bed::test_support::alive;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::FILE;
use super::prometheus::{Prometheus, RATE_INTERVAL};
use crate::alerts;
use crate::chart::{chart, objects, only, read};
use crate::life::BOX;
use crate::ops::{ELECT, LEASE, free_address};
use crate::stack::read::{is_ready, job_id, manifest, says};
use crate::stack::rig::Rig;

/// The label that the chart's ServiceMonitor gives: the name of the Service.
const JOB: &str = "entrain-metrics";
const PATIENCE: Duration = Duration::from_secs(45);
const POLL: Duration = Duration::from_millis(200);
const QUARANTINED: &str = "00000000-0000-4000-8000-000000000001";
const STALLED: &str = "00000000-0000-4000-8000-000000000002";
const REJECTED: &str = "00000000-0000-4000-8000-000000000003";
const MISNAMED: &str = "00000000-0000-4000-8000-000000000004";

/// A query of a panel, as Grafana sends it once the variables are filled in.
struct Query {
    panel: String,
    expr: String,
    instant: bool,
}

fn model() -> Value {
    serde_json::from_str(&read(&chart().join(FILE))).unwrap()
}

fn queries(model: &Value) -> Vec<Query> {
    let of = |panel: &Value| {
        let title = panel["title"].as_str().unwrap().to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets.into_iter().map(move |target| Query {
            panel: title.clone(),
            expr: target["expr"].as_str().unwrap().to_owned(),
            instant: target["instant"] == true,
        })
    };
    model["panels"].as_array().unwrap().iter().flat_map(of).collect()
}

/// What is chosen for each variable.
type Choices = Vec<(String, String)>;

fn filled_in(text: &str, choices: &Choices) -> String {
    let text = text.replace("$__rate_interval", RATE_INTERVAL);
    let text = choices.iter().fold(text, |text, (name, choice)| text.replace(&format!("${name}"), choice));
    assert!(!text.contains('$'), "a variable that there is not: {text}");
    text
}

/// The variables in their order, with nothing picked but `All`, and with every value picked by hand.
async fn choices(prometheus: &Prometheus, model: &Value) -> Result<[Choices; 2], String> {
    let (mut all, mut picked) = (Choices::new(), Choices::new());
    for variable in model["templating"]["list"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap().to_owned();
        if variable["type"] == "datasource" {
            continue;
        }
        let call = variable["query"]["query"].as_str().unwrap();
        let inner = call.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
        let (selector, label) = inner.rsplit_once(", ").unwrap();
        let values = prometheus.values(&filled_in(selector, &picked), label).await?;
        if values.is_empty() || prometheus.values(&filled_in(selector, &all), label).await?.is_empty() {
            return Err(format!("nothing to choose for {name}"));
        }
        let one = values.len() == 1;
        let joined = values.join("|");
        assert!(joined.chars().all(|c| c.is_ascii_alphanumeric() || "-|".contains(c)), "needs an escape: {joined}");
        picked.push((name.clone(), if one { joined } else { format!("({joined})") }));
        all.push((name, variable["allValue"].as_str().unwrap().to_owned()));
    }
    Ok([all, picked])
}

/// Waits until nothing is missing any more.
async fn until_nothing_is_missing(what: &str, missing: impl AsyncFn() -> Vec<String>) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let missing = missing().await;
        if missing.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{what}:\n{}", missing.join("\n"));
        sleep(POLL).await;
    }
}

async fn unanswered(prometheus: &Prometheus, model: &Value) -> Vec<String> {
    let choices = match choices(prometheus, model).await {
        Ok(choices) => choices,
        Err(message) => return vec![message],
    };
    let mut missing = Vec::new();
    for Query { panel, expr, instant } in queries(model) {
        for choices in &choices {
            let expr = filled_in(&expr, choices);
            match prometheus.numbers(&expr, instant).await {
                Ok(numbers) if numbers.iter().any(|number| !number.is_nan()) => {}
                Ok(_) => missing.push(format!("{panel}: nothing for {expr}")),
                Err(message) => missing.push(format!("{panel}: {message} for {expr}")),
            }
        }
    }
    missing
}

async fn not_evaluated(prometheus: &Prometheus) -> Vec<String> {
    let answer = prometheus.ask("rules", &[]).await.unwrap();
    let groups = answer["groups"].as_array().unwrap().iter();
    let rules: Vec<&Value> = groups.flat_map(|group| group["rules"].as_array().unwrap()).collect();
    let expected = alerts::alerts();
    let loaded: BTreeSet<&str> = rules.iter().map(|rule| rule["name"].as_str().unwrap()).collect();
    assert_eq!(loaded, expected.iter().map(alerts::name).collect());
    rules.iter().filter(|rule| rule["health"] != "ok").map(ToString::to_string).collect()
}

/// Selectors that never chose a series, although what they look for has happened: whoever misspells a metric, a label
/// or a value waits for something that never comes.
async fn never_seen(prometheus: &Prometheus, exprs: &[String]) -> Vec<String> {
    let mut missing = Vec::new();
    for expr in exprs {
        for selector in prometheus.selectors(expr).await.unwrap() {
            if !prometheus.has_seen(&selector).await.unwrap() {
                missing.push(selector);
            }
        }
    }
    missing
}

impl Rig {
    /// Waits until the operator shows a state and Prometheus has seen that.
    async fn until_scraped(&mut self, prometheus: &Prometheus, labels: &str) {
        let selector = format!("entrain_syncjob_condition{{{labels}}}");
        self.until_graph(&selector, async |_| prometheus.has_seen(&selector).await == Ok(true)).await;
    }

    /// Something fails until Prometheus has seen what comes of it.
    async fn fails(&mut self, prometheus: &Prometheus, action: Value, labels: &str) {
        self.control.put_fault(&json!({"operation": "listJobs", "action": {"respond": action}})).await.unwrap();
        self.nudge("box").await;
        self.until_scraped(prometheus, labels).await;
        self.control.clear_faults().await.unwrap();
        self.until("box", "is ready again", is_ready).await;
    }
}

/// A job that runs with credentials that its target rejects.
async fn a_job_with_credentials(rig: &mut Rig) {
    let tenant = rig.demo.tenant_id.clone();
    let offers = json!({"appId": "11111111-1111-4111-8111-111111111112", "displayName": "x", "templates": ["scim"]});
    rig.control.put_service_principal(&tenant, REJECTED, &offers).await.unwrap();
    rig.control.put_target(&tenant, REJECTED, &json!({"verdict": "rejected"})).await.unwrap();
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "scim"}, "stringData": {"token": "x1"}});
    rig.apply(&secret.to_string()).await;
    let credentials = "credentials: [{key: BaseAddress, value: \"https://x.test\"}, {key: SecretToken, valueFrom: {secretKeyRef: {name: scim, key: token}}}]";
    rig.apply(&manifest("rejected", REJECTED, "scim", &[credentials])).await;
    let rejected = |object: &Value| says(object, "CredentialsValid", "False", "CredentialsRejectedByTarget");
    rig.until("rejected", "is so", rejected).await;
}

/// A job whose schema has no attribute of the name that its mappings give.
async fn a_job_with_mappings(rig: &mut Rig) {
    let tenant = rig.demo.tenant_id.clone();
    let offers = json!({"appId": "11111111-1111-4111-8111-111111111113", "displayName": "x", "templates": ["scim"]});
    rig.control.put_service_principal(&tenant, MISNAMED, &offers).await.unwrap();
    let mappings = "mappings: {objectMappings: [{sourceObjectName: User, targetObjectName: User, attributeMappings: [{targetAttributeName: userNme, expression: \"[mail]\"}]}]}";
    rig.apply(&manifest("misnamed", MISNAMED, "scim", &[mappings])).await;
    rig.until("misnamed", "is so", |object| says(object, "MappingsApplied", "False", "MappingInvalid")).await;
}

/// Success, a failed cycle, a quarantine, a stalled SyncJob.
async fn jobs_of_all_kinds(rig: &mut Rig) {
    let tenant = rig.demo.tenant_id.clone();
    let offers = json!({"appId": "11111111-1111-4111-8111-111111111111", "displayName": "x", "templates": [BOX]});
    for id in [QUARANTINED, STALLED] {
        rig.control.put_service_principal(&tenant, id, &offers).await.unwrap();
    }
    rig.apply(&manifest("quarantined", QUARANTINED, BOX, &[])).await;
    rig.apply(&manifest("stalled", STALLED, "SlackOutDelta", &[])).await;
    let id = rig.running(&[]).await;
    let (sp, succeeded) = (rig.service_principal(), json!({"state": "Succeeded"}));
    rig.control.run_cycle(&tenant, &sp, &id, Some(&succeeded)).await.unwrap();
    rig.nudge("box").await;
    rig.until("box", "had success", |object| object["status"]["job"]["lastSuccessTime"].is_string()).await;

    let bound = rig.until("quarantined", "has a job", |object| job_id(object).is_some()).await;
    let failing = job_id(&bound).unwrap();
    rig.control.run_cycle(&tenant, QUARANTINED, failing, Some(&json!({"state": "Failed"}))).await.unwrap();
    rig.nudge("quarantined").await;
    rig.until("quarantined", "fails", |object| object["status"]["job"]["successiveFailureCount"] == 1).await;
    let series = json!({"reason": "TooManyDeletes", "seriesBegan": "2026-11-01T10:00:00Z"});
    rig.control.quarantine_job(&tenant, QUARANTINED, failing, &series).await.unwrap();
    rig.nudge("quarantined").await;
    rig.until("quarantined", "is so", |object| object["status"]["quarantine"]["disabledAfterTime"].is_string()).await;
    rig.until("stalled", "is so", |object| says(object, "Stalled", "True", "TemplateNotOffered")).await;
}

/// A tenant whose certificate the login service does not know: it is not ready, and the end of its certificate is known.
pub async fn a_tenant_with_a_certificate(rig: &mut Rig) {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "graph-login"},
        "stringData": {"tls.crt": certificate.pem(), "tls.key": key.serialize_pem()},
    });
    let credential = json!({"certificate": {"clientId": rig.demo.client_id, "secretName": "graph-login"}});
    let tenant = json!({
        "apiVersion": "entrain.dev/v1alpha1", "kind": "EntraTenant", "metadata": {"name": "contoso"},
        "spec": {"tenantId": rig.demo.tenant_id, "credential": credential},
    });
    rig.apply(&secret.to_string()).await;
    rig.apply(&tenant.to_string()).await;
}

/// Graph and the login refuse for a while, in each way that an alert looks for.
async fn trouble_of_all_kinds(rig: &mut Rig, prometheus: &Prometheus) {
    let throttled = json!({"status": 429, "code": "TooManyRequests", "headers": {"retry-after": "1"}});
    rig.fails(prometheus, throttled, r#"name="box", type="Reconciling", reason="Throttled""#).await;
    let unavailable = json!({"status": 503, "code": "ServiceUnavailable"});
    rig.fails(prometheus, unavailable, r#"name="box", type="Reconciling", reason="GraphUnavailable""#).await;
    let forbidden = json!({"status": 403, "code": "Authorization_RequestDenied"});
    rig.fails(prometheus, forbidden, r#"name="box", type="Ready", status="False", reason="PermissionMissing""#).await;

    let (tenant, client) = (rig.demo.tenant_id.clone(), rig.demo.client_id.clone());
    rig.control.revoke_secrets(&tenant, &client).await.unwrap();
    rig.control.revoke_tokens().await.unwrap();
    rig.nudge("box").await;
    rig.until_scraped(prometheus, r#"name="box", type="Ready", reason="CredentialsRejected""#).await;
    rig.control.restore_secrets(&tenant, &client).await.unwrap();
    rig.until("box", "is ready again", is_ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_that_scrapes_an_operator_answers_every_panel_and_every_alert() {
    let _lease = LEASE.lock().await;
    let mut rig = Rig::idle().await;
    let address = free_address();
    let metrics = format!("--metrics-bind-address={address}");
    let tenants = ["--tenants=namespaced", "--operator-namespace=entrain-system"];
    rig.start_operator_with(&[&ELECT[..], &tenants, &[metrics.as_str()]].concat());
    let values = json!({"prometheusRule": {"enabled": true, "renderMode": "alwaysRender"}});
    let rules = only(&objects(&[], &values).unwrap(), "PrometheusRule")["spec"].clone();
    let prometheus = Prometheus::start(JOB, &address, &rules).await;
    rig.until_graph("Prometheus scrapes", async |_| prometheus.has_seen("entrain_build_info").await == Ok(true)).await;
    jobs_of_all_kinds(&mut rig).await;
    a_job_with_credentials(&mut rig).await;
    a_job_with_mappings(&mut rig).await;
    a_tenant_with_a_certificate(&mut rig).await;
    trouble_of_all_kinds(&mut rig, &prometheus).await;

    let model = model();
    until_nothing_is_missing("panels without data", async || unanswered(&prometheus, &model).await).await;
    until_nothing_is_missing("alerts that cannot be asked", async || not_evaluated(&prometheus).await).await;
    let [all, _] = choices(&prometheus, &model).await.unwrap();
    let shown = queries(&model).into_iter().map(|query| filled_in(&query.expr, &all));
    let asked = alerts::alerts().into_iter().map(|rule| rule["expr"].as_str().unwrap().to_owned());
    let exprs: Vec<String> = shown.chain(asked).collect();
    until_nothing_is_missing("series that there never were", async || never_seen(&prometheus, &exprs).await).await;

    let (pid, data) = (prometheus.pid(), prometheus.data());
    drop(prometheus);
    assert!(!alive(pid) && !data.exists(), "Prometheus is still there");
}
