//! The raw ceiling: a client without any logic that makes the calls of a run once more, with the same bodies and as fast as it
//! can, on a control plane and a Graph that are as new and as full as those of the run.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use reqwest::{Certificate, Client, Method};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::counts::ApiCounts;
use super::fleet::{Fleet, NAMESPACE};
use super::graph::Asked;
use super::process;
use super::stage::{Stage, sync_jobs};

/// How many SyncJobs are worked on at the same time; the best counts.
const CONCURRENCIES: [usize; 3] = [4, 16, 64];

/// What a run did, for each service principal and each SyncJob.
pub struct Script {
    fleet: Fleet,
    /// Calls to Graph for each SyncJob.
    graph: Vec<Vec<(Asked, Option<Value>)>>,
    /// Settled objects by name.
    objects: HashMap<String, Value>,
    finalizers: f64,
    applies: f64,
    lists: f64,
    events: f64,
}

/// The best of the concurrencies: seconds for the whole fleet, and how many SyncJobs at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Ceiling {
    pub seconds: f64,
    pub concurrency: usize,
    /// Processor time of the API server for the whole fleet, at all concurrencies.
    pub server: f64,
}

impl Script {
    pub async fn of(stage: &Stage, api: &ApiCounts, asked: &[Asked], objects: Vec<Value>) -> Self {
        let made: HashMap<String, Value> = stage
            .graph
            .control
            .effects("createJob")
            .await
            .unwrap()
            .iter()
            .map(|effect| (text(&effect["requestId"]), json!({"templateId": effect["templateId"]})))
            .collect();
        let graph = shares(stage.fleet, asked, &made);
        #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
        let each = |name: &str| api.of(name) / stage.fleet.sync_jobs as f64;
        Self {
            fleet: stage.fleet,
            graph,
            objects: objects.into_iter().map(|object| (text(&object["metadata"]["name"]), object)).collect(),
            finalizers: each("PATCH syncjobs"),
            applies: each("APPLY syncjobs/status"),
            lists: each("LIST syncjobs"),
            events: each("POST events") + each("PATCH events"),
        }
    }

    /// Plays the script, a third of the SyncJobs at each concurrency.
    pub async fn play(self, slow: Option<(u64, u64)>) -> Ceiling {
        let stage = Stage::start(self.fleet).await;
        stage.apply().await;
        if let Some((millis, jitter)) = slow {
            stage.graph.slow(millis, jitter).await;
        }
        let player = Arc::new(Player::new(&stage, self).await);
        let (mut best, all) = (Ceiling { seconds: f64::INFINITY, concurrency: 0, server: 0.0 }, stage.fleet.sync_jobs);
        let (server, used) = (stage.plane_pid("kube-apiserver"), process::cpu(stage.plane_pid("kube-apiserver")));
        for (part, concurrency) in CONCURRENCIES.into_iter().enumerate() {
            let numbers: Vec<usize> = (part..all).step_by(CONCURRENCIES.len()).collect();
            if numbers.is_empty() {
                continue;
            }
            let (began, count) = (Instant::now(), numbers.len());
            futures::stream::iter(numbers)
                .map(|number| {
                    let player = player.clone();
                    tokio::spawn(async move { player.sync_job(number).await })
                })
                .buffer_unordered(concurrency)
                .for_each(async |done| done.unwrap())
                .await;
            #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
            let seconds = began.elapsed().as_secs_f64() * all as f64 / count as f64;
            eprintln!("  bare client, {concurrency} at a time: {seconds:.1} s for the whole fleet");
            if seconds < best.seconds {
                best = Ceiling { seconds, concurrency, ..best };
            }
        }
        Ceiling { server: process::cpu(server) - used, ..best }
    }
}

struct Player {
    script: Script,
    kubernetes: Client,
    server: String,
    token: String,
    graph: Client,
    origin: String,
    tokens: HashMap<String, String>,
}

impl Player {
    async fn new(stage: &Stage, script: Script) -> Self {
        let client = |ca: &std::path::Path| {
            let pem = std::fs::read(ca).unwrap();
            Client::builder().no_proxy().tls_certs_only([Certificate::from_pem(&pem).unwrap()])
        };
        let plane = stage.plane.ready();
        let mut tokens = HashMap::new();
        for tenant in 0..stage.fleet.tenants {
            let (tenant, application) = (Fleet::tenant_id(tenant), Fleet::client_id(tenant));
            let path = format!("tenants/{tenant}/applications/{application}/token");
            let answer = stage.graph.control.raw("POST", &path, Some(&json!({}))).await.unwrap();
            tokens.insert(tenant, text(&answer["access_token"]));
        }
        Self {
            script,
            kubernetes: client(&plane.ca).http1_only().build().unwrap(),
            server: plane.server.clone(),
            token: stage.operator_token.clone(),
            graph: client(&stage.graph.ready.ca).build().unwrap(),
            origin: stage.graph.ready.url.clone(),
            tokens,
        }
    }

    /// In the order in which the operator goes: finalizer, intent, calls to Graph, the job's id, reports, Events.
    async fn sync_job(&self, number: usize) {
        let (script, name) = (&self.script, Fleet::name(number));
        let Some(object) = script.objects.get(&name) else { return };
        let [finalizers, applies, lists, events] =
            [script.finalizers, script.applies, script.lists, script.events].map(|each| times(number, each));
        let path = format!("{}/{name}", sync_jobs());
        for _ in 0..finalizers {
            let finalized = json!({"metadata": {"finalizers": object["metadata"]["finalizers"]}});
            self.kubernetes(Method::PATCH, &path, "application/merge-patch+json", Some(&finalized)).await;
        }
        let identity = part(object, "entrain/identity");
        let report = part(object, "entrain/report");
        let mut so_far = 0;
        if applies > 0 {
            self.apply(&path, "entrain/identity", &name, &intent(&identity)).await;
            so_far += 1;
        }
        for _ in 0..lists {
            let query = format!("fieldSelector=status.servicePrincipalId%3D{}", text(&identity["servicePrincipalId"]));
            let path = format!("/apis/entrain.dev/v1alpha1/syncjobs?{query}");
            self.kubernetes(Method::GET, &path, "application/json", None).await;
        }
        for (call, body) in &script.graph[number] {
            self.ask(call, body.as_ref()).await;
        }
        if applies > 1 {
            self.apply(&path, "entrain/identity", &name, &identity).await;
            so_far += 1;
        }
        for again in so_far..applies {
            // What is applied twice must differ, or the API server stores nothing.
            let mut report = report.clone();
            if again + 1 < applies {
                report["conditions"] = json!([]);
            }
            self.apply(&path, "entrain/report", &name, &report).await;
        }
        for event in 0..events {
            let path = format!("/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events");
            self.kubernetes(Method::POST, &path, "application/json", Some(&happened(&name, event))).await;
        }
    }

    async fn apply(&self, path: &str, manager: &str, name: &str, status: &Value) {
        let body = json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob",
            "metadata": {"name": name, "namespace": NAMESPACE}, "status": status});
        let path = format!("{path}/status?fieldManager={}&force=true", manager.replace('/', "%2F"));
        self.kubernetes(Method::PATCH, &path, "application/apply-patch+yaml", Some(&body)).await;
    }

    async fn kubernetes(&self, method: Method, path: &str, kind: &str, body: Option<&Value>) {
        let request = self.kubernetes.request(method, format!("{}{path}", self.server)).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.header("content-type", kind).body(body.to_string()),
            None => request,
        };
        finish(request, path).await;
    }

    async fn ask(&self, call: &Asked, body: Option<&Value>) {
        let method: Method = call.method.parse().unwrap();
        let token = self.tokens.get(&call.tenant).map(String::as_str).unwrap_or_default();
        let request = self.graph.request(method, format!("{}{}", self.origin, call.path)).bearer_auth(token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        finish(request, &call.path).await;
    }
}

/// What was asked of Graph, by SyncJob: requests that change something belong to the one whose template they name, and those
/// that read are dealt out among all of the service principal. A job is made after the reads, and started after that.
fn shares(fleet: Fleet, asked: &[Asked], made: &HashMap<String, Value>) -> Vec<Vec<(Asked, Option<Value>)>> {
    let mut shares = vec![Vec::new(); fleet.sync_jobs];
    let mut dealt = HashMap::<&str, usize>::new();
    let numbers: HashMap<String, usize> =
        (0..fleet.principals()).map(|number| (Fleet::principal_id(number), number)).collect();
    for reads in [true, false] {
        for call in asked.iter().filter(|call| (call.method == "GET") == reads) {
            let Some(principal) = numbers.get(&call.principal) else { continue };
            let (body, first) = (made.get(&call.request).cloned(), principal * fleet.per_principal);
            let turn = dealt.entry(&call.principal).or_default();
            let place = match (&body, reads) {
                (Some(body), _) => Fleet::template_number(&text(&body["templateId"])),
                (None, false) => call.path.split('/').find_map(|part| Fleet::template_number(part.split('.').next()?)),
                (None, true) => {
                    *turn += 1;
                    Some((*turn - 1) % fleet.per_principal)
                }
            };
            let number = first + place.unwrap_or_default();
            if let Some(share) = shares.get_mut(number) {
                share.push((call.clone(), body));
            }
        }
    }
    shares
}

/// A ceiling of refused calls would be none.
async fn finish(request: reqwest::RequestBuilder, path: &str) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
}

/// How often something falls to this SyncJob that falls to each so often on average.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a run"
)]
fn times(number: usize, each: f64) -> usize {
    let until = |number: usize| (number as f64 * each + 1e-6).floor();
    (until(number + 1) - until(number)) as usize
}

/// The part of status that a field manager owns.
fn part(object: &Value, manager: &str) -> Value {
    let managers = object["metadata"]["managedFields"].as_array();
    let entry = managers.and_then(|all| all.iter().find(|entry| entry["manager"] == manager));
    let fields = entry.and_then(|entry| entry["fieldsV1"]["f:status"].as_object());
    let names = fields.into_iter().flatten().filter_map(|(name, _)| name.strip_prefix("f:"));
    Value::Object(names.map(|name| (name.to_owned(), object["status"][name].clone())).collect())
}

/// The identity as it is before the job is known.
fn intent(identity: &Value) -> Value {
    json!({"tenantId": identity["tenantId"], "servicePrincipalId": identity["servicePrincipalId"],
        "intent": {"nonce": uuid::Uuid::new_v4().to_string(), "recordedTime": identity["jobBoundTime"], "baseline": []}})
}

fn happened(name: &str, number: usize) -> Value {
    json!({"apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": {"name": format!("{name}.{number}"), "namespace": NAMESPACE},
        "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "entrain.dev/operator",
        "reportingInstance": "bare", "action": "Create", "reason": "JobCreated", "type": "Normal",
        "note": "The job was created. This text is as long as that of the operator's Event, more or less.",
        "regarding": {"apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob", "name": name, "namespace": NAMESPACE}})
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
