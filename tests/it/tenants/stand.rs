//! What these tests stand on: a rig whose operator serves tenants, and an application with the credential that the test is
//! about.

use std::time::Duration;

use bed::graph::Simulator;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use crate::life::BOX;
use crate::stack::read::{is_ready, manifest};
use crate::stack::rig::Rig;

/// The application of these tests; the rig's own belongs to the operator.
pub const CLIENT: &str = "3f6a1c58-2b7d-4e90-8c15-9d0e7a4b6f21";
pub const SECRET: &str = "canary-of-the-tenant~Q8";
pub const ROLES: [&str; 2] = ["Application.Read.All", "Synchronization.ReadWrite.All"];

static CLUSTER_WIDE: Mutex<()> = Mutex::const_new(());

pub struct Stand {
    pub rig: Rig,
    /// The namespace of the operator: of the Secrets of cluster-wide tenants.
    pub home: String,
    /// The names of the cluster-wide tenants of this test, which go with it.
    cluster_wide: Vec<String>,
    _turn: Option<MutexGuard<'static, ()>>,
}

/// How a stand begins.
#[derive(Default)]
struct Begin<'a> {
    arguments: &'a [&'a str],
    /// Nobody else has cluster-wide tenants meanwhile.
    turn: Option<MutexGuard<'static, ()>>,
    log: Option<&'a str>,
    /// Namespaces that are watched beside the first.
    others: usize,
    /// Where other clouds are, by the names that the command line has for them.
    clouds: &'a [(&'a str, &'a Simulator)],
}

const NAMESPACED: [&str; 2] = ["--tenants=namespaced", "--operator-login=false"];

impl Stand {
    /// With an operator that serves EntraTenants only, and has no login of its own.
    pub async fn namespaced() -> Self {
        Self::namespaced_in(0).await
    }

    /// With an operator that serves no tenants, but its own login.
    pub async fn own_login(arguments: &[&str]) -> Self {
        Self::begin(Begin { arguments, ..Begin::default() }).await
    }

    /// The same as `namespaced`, in so many more namespaces.
    pub async fn namespaced_in(others: usize) -> Self {
        Self::begin(Begin { arguments: &NAMESPACED, others, ..Begin::default() }).await
    }

    /// The same, where other clouds are at these simulators.
    pub async fn in_clouds(clouds: &[(&str, &Simulator)]) -> Self {
        Self::begin(Begin { arguments: &NAMESPACED, clouds, ..Begin::default() }).await
    }

    /// The same, with an operator that logs all there is.
    pub async fn loud(more: &[&str]) -> Self {
        let arguments = [&NAMESPACED, more].concat();
        Self::begin(Begin { arguments: &arguments, log: Some("trace"), ..Begin::default() }).await
    }

    /// With an operator that serves both kinds; nobody else has cluster-wide tenants meanwhile.
    pub async fn both(more: &[&str]) -> Self {
        Self::both_in(more, 0).await
    }

    /// The same, in so many more namespaces.
    pub async fn both_in(more: &[&str], others: usize) -> Self {
        let turn = Some(CLUSTER_WIDE.lock().await);
        let arguments = [&["--tenants=namespaced,cluster"], more].concat();
        Self::begin(Begin { arguments: &arguments, turn, others, ..Begin::default() }).await
    }

    async fn begin(begin: Begin<'_>) -> Self {
        let mut rig = Rig::idle().await;
        rig.more_env.extend(begin.log.map(|level| ("RUST_LOG".to_owned(), level.to_owned())));
        for _ in 0..begin.others {
            let name = rig.new_namespace().await;
            rig.others.push(name);
        }
        let home = rig.new_namespace().await;
        let operator_namespace = format!("--operator-namespace={home}");
        let imds = format!("--imds-address={}", rig.simulator.ready().imds);
        let mut all = vec![operator_namespace.as_str(), imds.as_str(), "--left-behind-after-seconds=2"];
        all.extend(begin.arguments);
        let clouds: Vec<String> = begin.clouds.iter().map(|(name, it)| cloud(&rig, name, it)).collect();
        all.extend(clouds.iter().map(String::as_str));
        rig.start_operator_with(&all);
        Self { rig, home, cluster_wide: Vec::new(), _turn: begin.turn }
    }

    /// The application of these tests, with this member of its own beside the usual roles.
    pub async fn application(&self, credentials: &Value) {
        let mut application = json!({"displayName": "team", "roles": ROLES});
        for (name, value) in credentials.as_object().unwrap() {
            application[name] = value.clone();
        }
        self.rig.control.put_application(&self.rig.demo.tenant_id, CLIENT, &application).await.unwrap();
    }

    /// A Secret of one key.
    pub async fn secret(&self, namespace: &str, name: &str, key: &str, value: &str) {
        let data = json!({"stringData": {key: value}});
        self.put_secret(namespace, name, "Opaque", &data).await;
    }

    pub async fn put_secret(&self, namespace: &str, name: &str, kind: &str, data: &Value) {
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": name}});
        for (field, value) in data.as_object().unwrap() {
            secret[field] = value.clone();
        }
        self.rig.apply_in(namespace, &secret.to_string()).await;
    }

    /// An EntraTenant of the test's namespace.
    pub async fn tenant(&self, name: &str, credential: &Value) {
        self.tenant_with(name, credential, &json!({})).await;
    }

    /// The same, with more of its spec than the credential.
    pub async fn tenant_with(&self, name: &str, credential: &Value, more: &Value) {
        self.apply_tenant("EntraTenant", name, credential, more).await;
    }

    /// A ClusterEntraTenant; more of its spec beside the credential.
    pub async fn cluster_tenant(&mut self, name: &str, credential: &Value, more: &Value) {
        self.apply_tenant("ClusterEntraTenant", name, credential, more).await;
        if !self.cluster_wide.iter().any(|known| known == name) {
            self.cluster_wide.push(name.to_owned());
        }
    }

    async fn apply_tenant(&self, kind: &str, name: &str, credential: &Value, more: &Value) {
        let mut tenant = json!({"apiVersion": "entrain.dev/v1alpha1", "kind": kind, "metadata": {"name": name},
            "spec": {"tenantId": self.rig.demo.tenant_id, "credential": credential}});
        for (field, value) in more.as_object().unwrap() {
            tenant["spec"][field] = value.clone();
        }
        self.rig.apply(&tenant.to_string()).await;
    }

    /// Applies the SyncJob `box` for a tenant of this reference.
    pub async fn sync_job(&self, reference: &str) {
        let namespace = self.rig.namespace.clone();
        self.sync_job_in(&namespace, reference, &[]).await;
    }

    pub async fn sync_job_in(&self, namespace: &str, reference: &str, more: &[&str]) {
        let reference = format!("tenantRef: {reference}");
        let lines = [&[reference.as_str()], more].concat();
        let text = manifest("box", &self.rig.demo.service_principal_id, BOX, &lines);
        self.rig.apply_in(namespace, &text).await;
    }

    /// The tenant of the test's namespace once something is so of it.
    pub async fn until_tenant(&mut self, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/apis/entrain.dev/v1alpha1/namespaces/{}/entratenants/{name}", self.rig.namespace);
        self.until(&path, what, is).await
    }

    pub async fn until_cluster_tenant(&mut self, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.until(&format!("/apis/entrain.dev/v1alpha1/clusterentratenants/{name}"), what, is).await
    }

    /// Waits until something is so of what is at a path; null when it is gone.
    pub async fn until(&mut self, path: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(45);
        loop {
            let (status, body) = self.rig.admin.get(path).await.unwrap();
            let object = if status.is_success() { body } else { Value::Null };
            if is(&object) {
                return object;
            }
            let log = self.rig.operator_log();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            assert!(
                tokio::time::Instant::now() < deadline,
                "waited in vain until {path} {what}\n{object:#}\n{tail:#?}"
            );
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// The SyncJob `box` runs, with one job.
    pub async fn runs(&mut self) {
        self.rig.until("box", "is ready", is_ready).await;
        let created = crate::stack::read::effects(&self.rig.control, "createJob").await;
        assert_eq!(created.len(), 1, "{created:#?}");
    }

    /// Takes away what is not in the test's namespaces.
    pub async fn leave(mut self) {
        for namespace in std::iter::once(&self.rig.namespace).chain(&self.rig.others) {
            self.rig.kubectl_in(namespace, &["delete", "syncjobs", "--all", "--timeout=40s"]).await;
        }
        for name in std::mem::take(&mut self.cluster_wide) {
            self.rig.kubectl(&["delete", "clusterentratenant", &name, "--timeout=40s"]).await;
        }
    }
}

/// The argument that says where a cloud is, which the operator of this rig trusts from now on.
fn cloud(rig: &Rig, name: &str, simulator: &Simulator) -> String {
    let (ours, theirs) = (&rig.simulator.ready().ca, simulator.ready());
    let all = [ours, &theirs.ca].map(|path| std::fs::read_to_string(path).unwrap()).concat();
    std::fs::write(ours, all).unwrap();
    format!("--cloud-address={name}={}", theirs.url)
}

/// A client secret of the Secret `login`.
pub fn client_secret() -> Value {
    json!({"clientSecret": {"clientId": CLIENT, "secretRef": {"name": "login"}}})
}
