//! What a GitOps tool finds: after everything that the operator does, a synced SyncJob is no drift.

use serde_json::Value;

use crate::stack::plane::repository;
use crate::stack::read::is_ready;
use crate::stack::rig::Rig;

/// The ways in which Argo CD applies and compares: client-side, and server-side with its own field manager.
const WAYS: [&[&str]; 2] = [&[], &["--server-side", "--field-manager=argocd-controller"]];

/// The fields that a manager of the operator's owns, as paths.
fn owned(object: &Value) -> Vec<String> {
    let managers = object["metadata"]["managedFields"].as_array().unwrap();
    let ours = managers.iter().filter(|manager| manager["manager"].as_str().unwrap().starts_with("entrain"));
    ours.flat_map(|manager| {
        let fields = manager["fieldsV1"].as_object().unwrap();
        fields.iter().flat_map(|(top, below)| {
            let below: Vec<String> = below.as_object().unwrap().keys().map(|key| format!("{top}/{key}")).collect();
            if top == "f:status" { vec![top.clone()] } else { below }
        })
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synced_sync_job_is_never_out_of_sync() {
    for way in WAYS {
        let mut rig = Rig::start().await;
        let samples = repository().join("config/samples").display().to_string();
        let with = |verb: &str| -> Vec<String> {
            [&[verb, "-f", &samples], way].concat().into_iter().map(str::to_owned).collect()
        };
        let run = async |rig: &Rig, verb: &str| {
            let arguments = with(verb);
            rig.kubectl(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
        };
        run(&rig, "apply").await;
        for name in ["box", "scim-paused"] {
            rig.until(name, "is ready", is_ready).await;
            rig.nudge(name).await;
            rig.until(name, "has answered", |object| object["status"]["lastHandledReconcile"].is_string()).await;
        }
        assert_eq!(run(&rig, "diff").await, "", "drift after {way:?}");
        for name in ["box", "scim-paused"] {
            let object = rig.get(name).await;
            let beside: Vec<String> = owned(&object).into_iter().filter(|path| path != "f:status").collect();
            assert!(beside.iter().all(|path| path == "f:metadata/f:finalizers"), "{beside:?}");
        }
        // An apply that changes nothing does not raise the generation, and takes nothing of ours away.
        let before = rig.get("box").await;
        run(&rig, "apply").await;
        let after = rig.get("box").await;
        assert_eq!(before["metadata"]["generation"], after["metadata"]["generation"]);
        assert_eq!(
            (&before["status"], &before["metadata"]["finalizers"]),
            (&after["status"], &after["metadata"]["finalizers"])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_object_loses_neither_its_job_nor_its_finalizer() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    let manifest = crate::stack::read::manifest("box", &rig.service_principal(), crate::life::BOX, &[]);
    let file = rig.file("box.yaml", &manifest).display().to_string();
    rig.kubectl(&["replace", "-f", &file]).await;
    let object =
        rig.until("box", "has its finalizer again", |object| object["metadata"]["finalizers"].is_array()).await;
    assert_eq!(object["status"]["jobId"], id);
    assert_eq!(rig.wrote("createJob").await, 1);
}
