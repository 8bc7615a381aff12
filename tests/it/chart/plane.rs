//! The control plane of the chart's tests: its own, because releases own cluster-wide things that other tests use.

use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use bed::plane::Ready;
use bed::plane::admin::Admin;
use bed::plane::owned::{OwnedPlane, bed_binary};
use bed::tools::{self, Tool};
use entrain::api::{GROUP, KINDS};
use serde_json::{Value, json};

use super::run;

pub struct ChartPlane {
    owned: OwnedPlane,
    admin: Admin,
    runtime: tokio::runtime::Runtime,
    crds: Mutex<()>,
}

/// Started by the first test that needs it; it ends with this process, however that ends.
pub fn shared() -> &'static ChartPlane {
    static PLANE: LazyLock<ChartPlane> = LazyLock::new(ChartPlane::start);
    &PLANE
}

impl ChartPlane {
    fn start() -> Self {
        let bed = bed_binary().expect("`cargo build --workspace --bins` makes the bed");
        let owned = OwnedPlane::start(&bed, &["--controller-manager"]).unwrap();
        let admin = Admin::new(owned.ready()).unwrap();
        let plane = Self { owned, admin, runtime: tokio::runtime::Runtime::new().unwrap(), crds: Mutex::new(()) };
        // What prometheus-operator would bring, as far as the chart is concerned.
        for kind in ["ServiceMonitor", "PodMonitor", "PrometheusRule"] {
            plane.kubectl(&["apply", "-f", "-"], &stand_in(kind)).unwrap();
        }
        plane.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"], "").unwrap();
        plane
    }

    pub fn ready(&self) -> &Ready {
        self.owned.ready()
    }

    /// For tests that install or remove our CRD, one at a time. Each begins without it, however the last one ended.
    pub fn own_crds(&self) -> MutexGuard<'_, ()> {
        let guard = self.crds.lock().unwrap_or_else(PoisonError::into_inner);
        let policies = "validatingadmissionpolicies,validatingadmissionpolicybindings";
        self.kubectl(&["delete", policies, "--selector=app.kubernetes.io/name=entrain"], "").unwrap();
        let crds: Vec<String> = KINDS.iter().map(|kind| format!("{}.{GROUP}", kind.plural)).collect();
        let crds = crds.iter().map(String::as_str);
        let delete: Vec<&str> = ["delete", "crd", "--ignore-not-found"].into_iter().chain(crds).collect();
        self.kubectl(&delete, "").unwrap();
        guard
    }

    /// Runs kubectl as the administrator.
    pub fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new(tools::ensure(Tool::Kubectl).unwrap());
        // Discovery of a server that will be gone must not stay in the user's cache.
        command.arg("--cache-dir").arg(self.ready().dir.join("kubectl-cache")).args(arguments);
        run(command.env("KUBECONFIG", &self.ready().kubeconfig), input)
    }

    /// Creates an object by hand, which takes a hundredth of the time that kubectl takes; the server's answer.
    pub fn post(&self, path: &str, object: &Value) -> Value {
        let answer = self.runtime.block_on(self.admin.send(reqwest::Method::POST, path, Some(object)));
        let (status, body) = answer.unwrap();
        assert!(status.is_success(), "{path}: {body}");
        body
    }

    /// Runs what is asynchronous to its end.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The object as the server holds it.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Value {
        let text = self.kubectl(&["get", kind, name, "--namespace", namespace, "--output", "json"], "").unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// What the server says to a server-side apply of these objects, which it then forgets. It refuses fields that it
    /// does not know and names that a list has twice.
    pub fn try_out(&self, objects: &str) -> Result<String, String> {
        self.kubectl(
            &["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"],
            objects,
        )
    }

    pub fn create_namespace(&self, name: &str, labels: &Value) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        self.kubectl(&["apply", "-f", "-"], &namespace.to_string()).unwrap();
    }
}

fn stand_in(kind: &str) -> String {
    let plural = format!("{}s", kind.to_lowercase());
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.monitoring.coreos.com")},
        "spec": {
            "group": "monitoring.coreos.com", "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": anything}}],
        },
    })
    .to_string()
}
