//! What a row runs on: a control plane, a Graph, tenants, and a fleet of SyncJobs; all of it ends with the stage.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use bed::plane::admin::Admin;
use bed::plane::owned::{OwnedPlane, bed_binary};
use bed::tools::{self, Tool};
use futures::StreamExt;
use kube::api::PartialObjectMeta;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::counts::ApiCounts;
use super::fleet::{Fleet, HOME, NAMESPACE};
use super::graph::Graph;
use super::process::Operator;
use super::watch::Watch;

/// How many objects are made at the same time.
const MAKERS: usize = 24;

pub struct Stage {
    pub fleet: Fleet,
    pub plane: OwnedPlane,
    pub graph: Graph,
    pub admin: Admin,
    pub client: Client,
    pub operator_token: String,
    dir: TempDir,
}

impl Stage {
    /// Everything but SyncJobs and the operator.
    pub async fn start(fleet: Fleet) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bed = bed_binary().expect("`cargo build --release --workspace --bins` makes the bed");
        let plane = OwnedPlane::start(&bed, &[]).unwrap();
        let seed = dir.path().join("seed.json");
        std::fs::write(&seed, fleet.seed().to_string()).unwrap();
        let graph = Graph::start(&bed, &seed);
        let admin = Admin::new(plane.ready()).unwrap();
        let kubeconfig = Kubeconfig::read_from(&plane.ready().kubeconfig).unwrap();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        config.proxy_url = None;
        let client = Client::try_from(config).unwrap();
        let mut stage = Self { fleet, plane, graph, admin, client, operator_token: String::new(), dir };
        stage.install();
        let token = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 36000}});
        let path = format!("/api/v1/namespaces/{HOME}/serviceaccounts/entrain/token");
        let answer = stage.post(&path, &token).await;
        answer["status"]["token"].as_str().unwrap().clone_into(&mut stage.operator_token);
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        stage.post("/api/v1/namespaces", &namespace).await;
        for tenant in 0..fleet.tenants {
            let [secret, object] = Fleet::login(tenant);
            stage.post(&format!("/api/v1/namespaces/{NAMESPACE}/secrets"), &secret).await;
            stage.post(&format!("/apis/entrain.dev/v1alpha1/namespaces/{NAMESPACE}/entratenants"), &object).await;
        }
        stage
    }

    /// CRDs and roles, as an installation has them.
    fn install(&self) {
        let kubectl = tools::ensure(Tool::Kubectl).unwrap();
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let path = |below: &str| root.join(below).display().to_string();
        let run = |arguments: &[&str]| {
            let mut command = Command::new(&kubectl);
            command.arg("--cache-dir").arg(self.dir.path().join("kubectl")).args(arguments);
            command.env("KUBECONFIG", &self.plane.ready().kubeconfig).stdin(Stdio::null()).stdout(Stdio::null());
            assert!(command.status().unwrap().success(), "kubectl {}", arguments.join(" "));
        };
        run(&["apply", "--server-side", "-f", &path("crds")]);
        run(&["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
        run(&["create", "namespace", HOME]);
        run(&["apply", "-f", &path("config/rbac")]);
        run(&["apply", "-f", &path("config/tenants/rbac.yaml")]);
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.admin.send(Method::POST, path, Some(body)).await.unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    /// Makes the whole fleet.
    pub async fn apply(&self) {
        self.create((0..self.fleet.sync_jobs).map(|number| self.fleet.sync_job(number))).await;
    }

    pub async fn create(&self, manifests: impl Iterator<Item = Value>) {
        let made = |manifest: Value| async move { self.post(&sync_jobs(), &manifest).await };
        futures::stream::iter(manifests.map(made)).buffer_unordered(MAKERS).for_each(async |_| {}).await;
    }

    /// A merge patch of one spec, as a person edits it; answers with the generation when the API server has accepted it.
    pub async fn edit(&self, name: &str, spec: &Value) -> i64 {
        let request = http::Request::patch(format!("{}/{name}", sync_jobs()))
            .header("content-type", "application/merge-patch+json")
            .body(json!({"spec": spec}).to_string().into_bytes())
            .unwrap();
        let answer: PartialObjectMeta = self.client.request(request).await.unwrap();
        answer.metadata.generation.unwrap_or_default()
    }

    pub async fn delete(&self, name: &str) {
        let (status, answer) = self.admin.send(Method::DELETE, &format!("{}/{name}", sync_jobs()), None).await.unwrap();
        assert!(status.is_success(), "{name}: {answer}");
    }

    /// All SyncJobs, in pages.
    pub async fn list(&self) -> Vec<Value> {
        let (mut all, mut next) = (Vec::new(), String::new());
        loop {
            let page = self.admin.get(&format!("{}?limit=1000{next}", sync_jobs())).await.unwrap().1;
            all.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["metadata"]["continue"].as_str() {
                Some(more) if !more.is_empty() => next = format!("&continue={more}"),
                _ => return all,
            }
        }
    }

    pub fn start_operator(&self) -> Operator {
        self.start_operator_at(&self.plane.ready().server)
    }

    /// With the API server at another address that leads to it.
    pub fn start_operator_at(&self, server: &str) -> Operator {
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "bench",
            "clusters": [{"name": "bench", "cluster": {"server": server, "certificate-authority": self.plane.ready().ca}}],
            "users": [{"name": "operator", "user": {"token": self.operator_token}}],
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "operator"}}],
        });
        let path = self.dir.path().join("kubeconfig");
        std::fs::write(&path, kubeconfig.to_string()).unwrap();
        Operator::start(&path, &self.graph.ready, &self.dir.path().join("operator.log"))
    }

    pub fn watch(&self) -> Watch {
        Watch::start(self.client.clone())
    }

    /// What the API server has counted so far.
    pub async fn api(&self) -> ApiCounts {
        let text = self.admin.get("/metrics").await.unwrap().1;
        ApiCounts::read(text.as_str().unwrap_or_default())
    }

    /// The process ids of the plane, by name.
    pub fn plane_pid(&self, name: &str) -> u32 {
        let text = std::fs::read_to_string(self.plane.ready().dir.join("processes.json")).unwrap();
        let known: Value = serde_json::from_str(&text).unwrap();
        u32::try_from(known[name].as_u64().unwrap()).unwrap()
    }

    /// A fleet that is ready, and the operator that made it so.
    pub async fn settled(fleet: Fleet) -> (Self, Operator, Watch) {
        let stage = Self::start(fleet).await;
        stage.apply().await;
        let mut watch = stage.watch();
        let mut operator = stage.start_operator();
        let all = fleet.sync_jobs;
        watch.until("the fleet settles", &mut operator, |counts| counts.ready == all).await;
        (stage, operator, watch)
    }
}

pub fn sync_jobs() -> String {
    format!("/apis/entrain.dev/v1alpha1/namespaces/{NAMESPACE}/syncjobs")
}
