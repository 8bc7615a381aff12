//! Objects that a later version stored: what this one cannot read is said on the object, and concerns no other.

use std::sync::{Arc, LazyLock};

use entrain::cluster::{Namespaces, read};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use super::{BOX, Rig};
use crate::ops::{free_address, get};
use crate::stack::plane::SharedPlane;
use crate::stack::read::{calls, condition, job_id, manifest, ready, says};

/// A plane whose schema knows more words than the operator.
async fn later() -> Arc<SharedPlane> {
    static PLANE: LazyLock<Arc<SharedPlane>> = LazyLock::new(|| {
        let plane = SharedPlane::start();
        let schema = "/spec/versions/0/schema/openAPIV3Schema/properties";
        let add =
            |below: &str, word: &str| json!({"op": "add", "path": format!("{schema}/{below}/enum/-"), "value": word});
        let patch = json!([
            add("spec/properties/mode", "Freeze"),
            add("status/properties/run/properties/state", "Hibernating"),
        ]);
        plane.kubectl(&["patch", "crd", "syncjobs.entrain.dev", "--type=json", "-p", &patch.to_string()]);
        Arc::new(plane)
    });
    tokio::task::spawn_blocking(|| LazyLock::force(&PLANE).clone()).await.unwrap()
}

fn is_unreadable(object: &Value) -> bool {
    ready(object, "False", "InvalidSpec") && says(object, "Stalled", "True", "InvalidSpec")
}

fn message(object: &Value) -> &str {
    condition(object, "Ready")["message"].as_str().unwrap_or_default()
}

impl Rig {
    /// Stores the word as soon as the server takes it: a new schema is in force some time after it was written.
    async fn freeze(&mut self, name: &str) {
        let (plane, namespace, name) = (self.plane.clone(), self.namespace.clone(), name.to_owned());
        let patch = json!({"spec": {"mode": "Freeze"}}).to_string();
        let stored = async |_: &_| {
            let (plane, namespace, name, patch) = (plane.clone(), namespace.clone(), name.clone(), patch.clone());
            let stored = move || {
                let arguments = ["--namespace", &namespace, "patch", "syncjob", &name, "--type=merge", "-p", &patch];
                plane.try_kubectl(&arguments).is_ok()
            };
            tokio::task::spawn_blocking(stored).await.unwrap()
        };
        self.until_graph("the word of a later version is stored", stored).await;
    }

    async fn client(&self) -> kube::Client {
        let kubeconfig = Kubeconfig::read_from(&self.plane.ready().kubeconfig).unwrap();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        kube::Client::try_from(config).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_read_is_named_and_the_others_are_worked_on() {
    let mut rig = Rig::idle_on(later().await).await;
    let annotated = "name: odd, annotations: {entrain.dev/restart-requested-at: old}";
    let more = ["adoption: {policy: IfExists, jobId: scim.not-for-the-log}"];
    rig.apply(&manifest("odd", &rig.service_principal(), "scim", &more).replace("name: odd", annotated)).await;
    rig.freeze("odd").await;
    rig.apply_sync_job("box", &[]).await;
    let address = free_address();
    rig.start_operator_with(&[&format!("--health-bind-address={address}")]);
    rig.until("box", "is ready", |object| ready(object, "True", "Running")).await;
    let odd = rig.until("odd", "is reported", is_unreadable).await;
    assert!(message(&odd).contains("`spec.mode`: unknown variant `Freeze`, expected one of `Manage`"), "{odd:#}");
    assert_eq!(odd["status"]["lastHandledRestart"]["result"], "Ignored", "{odd:#}");
    assert_eq!(get(&address, "/readyz").await.unwrap().0, 200);
    rig.until_event("InvalidSpec").await;
    rig.until_logged("odd").await;
    assert!(!rig.operator_log().contains("not-for-the-log"));

    rig.edit("odd", &json!({"mode": "Observe"})).await;
    rig.until("odd", "is worked on", |object| ready(object, "False", "NothingToObserve")).await;
    assert_eq!(calls(&rig.control, "restartJob").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_an_object_that_cannot_be_read_is_neither_taken_nor_released_silently() {
    let mut rig = Rig::idle_on(later().await).await;
    rig.start_operator();
    let id = rig.running(&[]).await;
    rig.freeze("box").await;
    let object = rig.until("box", "is reported", is_unreadable).await;
    assert_eq!(job_id(&object), Some(id.as_str()));
    assert!(object["status"]["run"]["reachedTime"].is_string(), "the rest of status stays: {object:#}");
    let namespaces = Namespaces::new(std::slice::from_ref(&rig.namespace));
    let holders = read::holders(&rig.client().await, &namespaces, &rig.service_principal()).await.unwrap();
    let held: Vec<Option<&str>> = holders
        .iter()
        .map(|holder| holder.status.as_ref().and_then(|status| status.identity.job_id.as_deref()))
        .collect();
    assert_eq!(held, [Some(id.as_str())]);

    rig.apply(&manifest("twin", &rig.service_principal(), BOX, &["adoption: {policy: IfExists}"])).await;
    let twin = rig.until("twin", "waits", |object| ready(object, "False", "Conflict")).await;
    assert!(message(&twin).contains(&format!("{}/box", rig.namespace)), "{twin:#}");
    rig.delete("box").await;
    let object = rig.until("box", "says why it stays", |object| message(object).contains("is not let go")).await;
    assert!(message(&object).contains("`spec.deletionPolicy` to Retain"), "{object:#}");
    assert_eq!((rig.wrote("createJob").await, rig.wrote("deleteJob").await), (1, 0));

    rig.edit("box", &json!({"deletionPolicy": "Retain"})).await;
    rig.until("box", "is gone", Value::is_null).await;
    rig.until_event("JobRetained").await;
    rig.until("twin", "has taken over", |object| job_id(object) == Some(id.as_str())).await;
    assert_eq!((rig.wrote("createJob").await, rig.wrote("deleteJob").await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_cannot_be_read_is_reported_and_worked_on_again_once_it_is_corrected() {
    let mut rig = Rig::idle_on(later().await).await;
    rig.start_operator();
    let id = rig.running(&[]).await;
    let (plane, namespace) = (rig.plane.clone(), rig.namespace.clone());
    let set = move |state: &str| {
        let patch = json!({"status": {"run": {"state": state}}}).to_string();
        let patch = ["patch", "syncjob", "box", "--subresource=status", "--type=merge", "-p", &patch];
        plane.kubectl(&[&["--namespace", namespace.as_str()][..], &patch].concat());
    };
    tokio::task::block_in_place(|| set("Hibernating"));
    let object = rig.until("box", "is reported", is_unreadable).await;
    assert!(message(&object).contains("`status.run.state`: unknown variant `Hibernating`"), "{object:#}");
    tokio::task::block_in_place(|| set("Running"));
    rig.until("box", "is ready", |object| ready(object, "True", "Running") && job_id(object) == Some(&id)).await;
    assert_eq!(rig.wrote("startJob").await, 1);
}
