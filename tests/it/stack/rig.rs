//! What one test runs in: a namespace, a Graph and an operator of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bed::child::{Child, Spec};
use bed::graph::{Control, Demo, Simulator};
use bed::plane::admin::Admin;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::plane::{SharedPlane, shared};
use super::read::manifest;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(45);
const POLL: Duration = Duration::from_millis(40);
/// The windows of the operators under test, in seconds. The safety argument needs the settle window to be longer than
/// the longest pass; the faults of these tests answer at once.
const WINDOWS: &[&str] = &[
    "--unsafe-short-windows",
    "--settle-window-seconds=4",
    "--missing-grace-seconds=4",
    "--stalled-grace-seconds=3",
    "--slow-retry-seconds=1",
];

/// Whoever has hundreds of SyncJobs at once holds this meanwhile: two such tests would starve the others.
pub static CROWDED: Mutex<()> = Mutex::const_new(());

pub struct Rig {
    pub plane: Arc<SharedPlane>,
    pub admin: Admin,
    pub simulator: Simulator,
    pub control: Control,
    pub demo: Demo,
    pub namespace: String,
    /// Watched beside the first.
    pub others: Vec<String>,
    /// Given to the operators beside the usual environment.
    pub more_env: Vec<(String, String)>,
    operator: Option<Child>,
    log: PathBuf,
    dir: TempDir,
}

impl Rig {
    /// Everything but the operator.
    pub async fn idle() -> Self {
        Self::idle_on(tokio::task::spawn_blocking(shared).await.unwrap().clone()).await
    }

    /// The same, on a plane that is not everybody's.
    pub async fn idle_on(plane: Arc<SharedPlane>) -> Self {
        let simulator = Simulator::start(bed::graph::Options::default()).await.unwrap();
        let control = Control::new(simulator.ready()).unwrap();
        let demo = simulator.ready().demo.clone().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let admin = Admin::new(plane.ready()).unwrap();
        let (log, namespace) = (dir.path().join("operator.log"), String::new());
        let mut rig = Self {
            plane,
            admin,
            simulator,
            control,
            demo,
            namespace,
            others: Vec::new(),
            more_env: Vec::new(),
            operator: None,
            log,
            dir,
        };
        rig.namespace = rig.new_namespace().await;
        rig
    }

    /// With the operator running.
    pub async fn start() -> Self {
        let mut rig = Self::idle().await;
        rig.start_operator();
        rig
    }

    /// With the operator running, and other arguments than the usual ones.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let mut rig = Self::idle().await;
        rig.start_operator_with(arguments);
        rig
    }

    /// A namespace that no other test has.
    pub async fn new_namespace(&self) -> String {
        let name = format!("it-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let (status, answer) = self.admin.send(Method::POST, "/api/v1/namespaces", Some(&body)).await.unwrap();
        assert!(status.is_success(), "{answer}");
        name
    }

    pub fn start_operator(&mut self) {
        self.start_operator_with(&[]);
    }

    /// Later arguments win over the usual windows.
    pub fn start_operator_with(&mut self, arguments: &[&str]) {
        let graph = self.simulator.ready();
        let ca = graph.ca.display().to_string();
        let mut args = vec!["operator", "--graph-url", &graph.url, "--ca-file", &ca];
        for namespace in std::iter::once(&self.namespace).chain(&self.others) {
            args.extend(["--watch-namespace", namespace]);
        }
        let given =
            |window: &&&str| !arguments.iter().any(|argument| argument.split('=').next() == window.split('=').next());
        args.extend(WINDOWS.iter().filter(given));
        args.extend(arguments);
        let env = [("AZURE_AUTHORITY_HOST", graph.login.clone()), ("RUST_LOG", "info,entrain=debug".to_owned())];
        let args = args.into_iter().map(str::to_owned).collect();
        let env = env.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(self.credentials()).collect();
        self.spawn_operator(args, env);
    }

    /// The variables by which an operator logs in to this rig's tenant.
    pub fn credentials(&self) -> [(String, String); 3] {
        let demo = &self.demo;
        [("TENANT_ID", &demo.tenant_id), ("CLIENT_ID", &demo.client_id), ("CLIENT_SECRET", &demo.client_secret)]
            .map(|(name, value)| (format!("AZURE_{name}"), value.clone()))
    }

    /// Exactly these arguments and, beside what the process needs to reach the plane, this environment.
    pub fn spawn_operator(&mut self, args: Vec<String>, mut env: Vec<(String, String)>) {
        let kubeconfig = self.dir.path().join("kubeconfig");
        std::fs::write(&kubeconfig, self.plane.operator_kubeconfig().to_string()).unwrap();
        env.push(("KUBECONFIG".to_owned(), kubeconfig.display().to_string()));
        env.extend(["NO_PROXY", "no_proxy"].map(|name| (name.to_owned(), "127.0.0.1,localhost".to_owned())));
        env.extend(self.more_env.iter().cloned());
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let spec = Spec {
            program: env!("CARGO_BIN_EXE_entrain").into(),
            args,
            env,
            unset: names
                .filter(|name| ["AZURE_", "ENTRAIN_", "OTEL_"].iter().any(|mine| name.starts_with(mine)))
                .collect(),
            log: self.log.clone(),
        };
        self.operator = Some(Child::spawn(spec).unwrap());
    }

    /// A file of this test's own.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Lets it run on, to have a second one.
    pub fn detach_operator(&mut self) -> Child {
        self.operator.take().unwrap()
    }

    /// KILL: nothing of it gets a chance to tidy up.
    pub fn kill_operator(&mut self) {
        self.operator.take().unwrap().kill();
    }

    /// TERM; answers with the exit code if it ended by itself within the time.
    pub async fn stop_operator(&mut self, grace: Duration) -> Option<i32> {
        let status = self.operator.take().unwrap().stop(grace).await.unwrap();
        status.unwrap().code()
    }

    /// Graph and login are gone for the operator; what this rig itself asks goes to another simulator from now on.
    pub async fn lose_graph(&mut self) {
        let other = Simulator::start(bed::graph::Options::default()).await.unwrap();
        self.control = Control::new(other.ready()).unwrap();
        self.simulator = other;
    }

    pub fn operator_log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Applies a manifest as a person would, in this test's namespace.
    pub async fn apply(&self, manifest: &str) {
        self.apply_in(&self.namespace, manifest).await;
    }

    pub async fn apply_in(&self, namespace: &str, manifest: &str) {
        let file = self.dir.path().join(format!("{}.yaml", uuid::Uuid::new_v4()));
        std::fs::write(&file, manifest).unwrap();
        self.kubectl_in(namespace, &["apply", "-f", &file.display().to_string()]).await;
    }

    /// Creates many objects, faster than `apply` can.
    pub async fn create(&self, manifests: &str) {
        let file = self.dir.path().join(format!("{}.yaml", uuid::Uuid::new_v4()));
        std::fs::write(&file, manifests).unwrap();
        self.kubectl(&["create", "-f", &file.display().to_string()]).await;
    }

    /// A SyncJob for each template of so many service principals that no other test has; `more` of each spec.
    pub async fn create_crowd(&self, service_principals: usize, templates: &[&str], more: &[&str]) {
        let mut manifests = Vec::new();
        for number in 0..service_principals {
            let id = format!("c0000000-0000-4000-8000-{number:012}");
            let offered = json!({"appId": format!("d0000000-0000-4000-8000-{number:012}"), "displayName": "One of many",
                "templates": templates});
            self.control.put_service_principal(&self.demo.tenant_id, &id, &offered).await.unwrap();
            let of_each = templates
                .iter()
                .map(|template| manifest(&format!("{}-{number}", template.to_lowercase()), &id, template, more));
            manifests.extend(of_each);
        }
        self.create(&manifests.join("\n---\n")).await;
    }

    /// Runs kubectl in this test's namespace.
    pub async fn kubectl(&self, arguments: &[&str]) -> String {
        self.kubectl_in(&self.namespace, arguments).await
    }

    pub async fn kubectl_in(&self, namespace: &str, arguments: &[&str]) -> String {
        let mut all = vec!["--namespace".to_owned(), namespace.to_owned()];
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        let plane = self.plane.clone();
        let run = move || plane.kubectl(&all.iter().map(String::as_str).collect::<Vec<_>>());
        // The simulator lives in this runtime and must go on answering.
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// A merge patch of the spec, as an edit would make it.
    pub async fn edit(&self, name: &str, spec: &Value) {
        self.kubectl(&["patch", "syncjob", name, "--type=merge", "-p", &json!({"spec": spec}).to_string()]).await;
    }

    /// Makes the operator look again now.
    pub async fn nudge(&self, name: &str) {
        let annotation = format!("entrain.dev/reconcile-requested-at={}", uuid::Uuid::new_v4());
        self.kubectl(&["annotate", "--overwrite", "syncjob", name, &annotation]).await;
    }

    pub async fn delete(&self, name: &str) {
        self.kubectl(&["delete", "syncjob", name, "--wait=false"]).await;
    }

    /// The object, or null.
    pub async fn get(&self, name: &str) -> Value {
        self.get_in(&self.namespace, name).await
    }

    pub async fn get_in(&self, namespace: &str, name: &str) -> Value {
        let path = format!("/apis/entrain.dev/v1alpha1/namespaces/{namespace}/syncjobs/{name}");
        let (status, body) = self.admin.get(&path).await.unwrap();
        if status.is_success() { body } else { Value::Null }
    }

    pub async fn list(&self) -> Vec<Value> {
        let path = format!("/apis/entrain.dev/v1alpha1/namespaces/{}/syncjobs", self.namespace);
        self.admin.get(&path).await.unwrap().1["items"].as_array().unwrap().clone()
    }

    /// Waits until something is so of the object (null when it is gone), and answers with it.
    pub async fn until(&mut self, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let namespace = self.namespace.clone();
        self.until_in(&namespace, name, what, is).await
    }

    pub async fn until_in(&mut self, namespace: &str, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let object = self.get_in(namespace, name).await;
            if is(&object) {
                return object;
            }
            self.operator_lives();
            assert!(Instant::now() < deadline, "waited in vain until {name} {what}\n{}", self.story(&object).await);
            sleep(POLL).await;
        }
    }

    /// Waits until something is so of all objects of the namespace.
    pub async fn until_all(&mut self, what: &str, count: usize, is: impl Fn(&Value) -> bool) {
        let (mut best, mut patience) = (0, 600);
        loop {
            let objects = self.list().await;
            let so = objects.iter().filter(|object| is(object)).count();
            if so == count && objects.len() == count {
                return;
            }
            patience = if so > best { 600 } else { patience - 1 };
            best = best.max(so);
            let straggler = objects.into_iter().find(|object| !is(object)).unwrap_or_default();
            assert!(patience > 0, "{so} of {count}, and no more, {what}; one that is not: {straggler:#}");
            self.operator_lives();
            // A list of thousands costs the server and this process more than what they are here to watch.
            sleep(POLL + POLL * u32::try_from(count / 50).unwrap_or(1)).await;
        }
    }

    /// Waits for an Event with this reason in this test's namespace, and answers with its note.
    pub async fn until_event(&mut self, reason: &str) -> String {
        let path = format!("/apis/events.k8s.io/v1/namespaces/{}/events", self.namespace);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let events = self.admin.get(&path).await.unwrap().1;
            let found =
                events["items"].as_array().and_then(|items| items.iter().find(|event| event["reason"] == reason));
            if let Some(event) = found {
                return event["note"].as_str().unwrap_or_default().to_owned();
            }
            assert!(Instant::now() < deadline, "waited in vain for an event {reason} among {events:#}");
            sleep(POLL).await;
        }
    }

    /// Waits until something is so of the simulator, or of what else the question looks at.
    pub async fn until_graph(&mut self, what: &str, is: impl AsyncFn(&Control) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is(&self.control).await {
            self.operator_lives();
            assert!(Instant::now() < deadline, "waited in vain until {what}\n{}", self.story(&Value::Null).await);
            sleep(POLL).await;
        }
    }

    pub async fn until_logged(&mut self, words: &str) {
        self.until_logged_times(words, 1).await;
    }

    pub async fn until_logged_times(&mut self, words: &str, times: usize) {
        let log = self.log.clone();
        let has =
            async |_: &Control| std::fs::read_to_string(&log).is_ok_and(|text| text.matches(words).count() >= times);
        self.until_graph(&format!("the log says '{words}' {times} times"), has).await;
    }

    fn operator_lives(&mut self) {
        if let Some(operator) = &mut self.operator {
            operator.check().unwrap();
        }
    }

    /// What there is to know when something did not happen.
    async fn story(&self, object: &Value) -> String {
        let log = self.operator_log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(40)..].join("\n");
        let object = json!({"metadata": {"finalizers": object["metadata"]["finalizers"]}, "spec": object["spec"], "status": object["status"]});
        let ledger = self.control.ledger().await.unwrap();
        format!("the object: {object:#}\nthe ledger: {ledger:#}\nthe end of the operator's log:\n{tail}")
    }
}
