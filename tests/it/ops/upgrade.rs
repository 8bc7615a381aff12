//! From one version of the chart to the next, with live objects: an upgrade is not a reason to touch anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bed::tools::Tool;
use serde_json::{Value, json};

use super::as_rendered::{Addresses, container, values};
use super::free_address;
use crate::chart::{chart, helm, previous_chart, run};
use crate::life::BOX;
use crate::stack::audit::writes_on;
use crate::stack::plane::SharedPlane;
use crate::stack::read::{calls, is_ready, manifest};
use crate::stack::rig::Rig;

const NAMES: [&str; 2] = ["box", "wiki"];
const WIKI: &str = "7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6";

/// A release on a plane of its own, and what its operator is started with.
struct Release {
    rig: Rig,
    values: Value,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Release {
    async fn new() -> Self {
        let plane = tokio::task::spawn_blocking(|| Arc::new(SharedPlane::bare())).await.unwrap();
        let rig = Rig::idle_on(plane).await;
        let addresses = Addresses { health: free_address(), metrics: free_address() };
        let values = values(&rig, &addresses, &json!({}));
        let ca = rig.simulator.ready().ca.display().to_string();
        let (args, mut env) = container(&values, |text| text.replace("/etc/entrain/ca/ca.crt", &ca));
        env.extend(rig.credentials());
        Self { rig, values, args, env }
    }

    fn start_operator(&mut self) {
        self.rig.spawn_operator(self.args.clone(), self.env.clone());
    }

    async fn helm(&self, verb: &'static str, chart: PathBuf) {
        let (kubeconfig, values) = (self.rig.plane.ready().kubeconfig.clone(), self.values.to_string());
        let helm = move || {
            let mut command = helm(Tool::Helm);
            command.env("KUBECONFIG", kubeconfig).args([verb, "entrain"]).arg(chart);
            run(command.args(["--namespace", "entrain-system", "--create-namespace", "--values", "-"]), &values)
        };
        tokio::task::spawn_blocking(helm).await.unwrap().unwrap();
        self.rig.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/syncjobs.entrain.dev"]).await;
    }

    async fn deployment(&self) -> Value {
        let path = "/apis/apps/v1/namespaces/entrain-system/deployments/entrain";
        self.rig.admin.get(path).await.unwrap().1
    }

    /// The SyncJobs as they are stored.
    async fn stored(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for name in NAMES {
            all.push(self.rig.get(name).await);
        }
        all
    }

    async fn settle(&mut self) {
        let (rig, wiki) = (&mut self.rig, manifest("wiki", WIKI, BOX, &[]));
        rig.apply_sync_job("box", &[]).await;
        rig.apply(&wiki).await;
        for name in NAMES {
            let settled = |object: &Value| is_ready(object) && object["status"]["run"]["reachedTime"].is_string();
            rig.until(name, "is settled", settled).await;
        }
    }
}

fn image(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]["image"]
}

async fn install(previous: &Path) -> Release {
    let mut release = Release::new().await;
    release.helm("install", previous.to_owned()).await;
    release.start_operator();
    release.settle().await;
    release
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_of_the_chart_writes_nothing_to_graph_and_nothing_to_settled_sync_jobs() {
    let _lease = super::LEASE.lock().await;
    let (_dir, previous) = previous_chart();
    let mut release = install(&previous).await;
    let newer = json!({"outOfBandPolicy": "Correct"});
    let patch = json!({"spec": newer}).to_string();
    let dry = ["patch", "syncjob", "box", "--type=merge", "--dry-run=server", "-o", "json", "-p", &patch];
    let knows = |said: &str| said.contains("outOfBandPolicy");
    assert!(!knows(&release.rig.kubectl(&dry).await), "the old schema knows the new field");
    let (deployment, stored) = (release.deployment().await, release.stored().await);
    let graph = release.rig.wrote_anything().await;
    let (namespace, plane) = (release.rig.namespace.clone(), release.rig.plane.clone());
    let written = writes_on(&plane, &namespace).len();

    // The operator of the old version sees the new schema come.
    release.helm("upgrade", chart()).await;
    let upgraded = release.deployment().await;
    assert_ne!(image(&upgraded), image(&deployment), "there was nothing to upgrade");
    assert_eq!(upgraded["spec"]["selector"], deployment["spec"]["selector"]);
    assert_eq!(upgraded["metadata"]["uid"], deployment["metadata"]["uid"]);
    assert!(knows(&release.rig.kubectl(&dry).await), "the new schema does not know the new field");
    assert_eq!(release.stored().await, stored);

    // What a Deployment would do: the new one in the place of the old one.
    assert_eq!(release.rig.stop_operator(Duration::from_secs(10)).await, Some(0));
    let lists = calls(&release.rig.control, "listJobs").await.len();
    release.start_operator();
    let looked = async |control: &_| calls(control, "listJobs").await.len() >= lists + NAMES.len();
    release.rig.until_graph("the new operator has looked", looked).await;
    for name in NAMES {
        release.rig.nudge(name).await;
        let answered = |object: &Value| object["status"]["lastHandledReconcile"].is_string();
        release.rig.until(name, "has answered", answered).await;
    }
    assert_eq!(writes_on(&plane, &namespace).len() - written, NAMES.len(), "an answer to each nudge, and nothing else");
    assert_eq!(release.rig.wrote_anything().await, graph);

    release.rig.edit("box", &newer).await;
    let seen = |object: &Value| object["status"]["observedGeneration"] == 2 && is_ready(object);
    release.rig.until("box", "has seen the new field", seen).await;
    assert_eq!(release.rig.wrote_anything().await, graph);
}
