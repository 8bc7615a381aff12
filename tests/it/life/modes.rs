//! Observe, Plan and Suspended.

use serde_json::{Value, json};

use super::{FOREIGN, Rig};
use crate::stack::audit;
use crate::stack::read::{condition, is_ready, job_id, ready, says};

#[tokio::test(flavor = "multi_thread")]
async fn observe_shows_a_job_and_never_writes_to_graph() {
    let mut rig = Rig::start().await;
    rig.apply_sync_job("box", &["mode: Observe"]).await;
    rig.until("box", "finds nothing", |object| ready(object, "False", "NothingToObserve")).await;
    rig.put_foreign_job(FOREIGN).await;
    rig.nudge("box").await;
    let object = rig.until("box", "shows the job", |object| ready(object, "True", "Observed")).await;
    assert_eq!(object["status"]["job"]["id"], FOREIGN);
    assert!(object["status"]["jobId"].is_null() && object["metadata"]["finalizers"].is_null(), "{object:#}");
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    assert_eq!(rig.wrote_anything().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_writes_what_manage_then_does() {
    let mut rig = Rig::start().await;
    rig.apply_sync_job("box", &["mode: Plan"]).await;
    let object = rig.until("box", "has a plan", |object| ready(object, "True", "ChangesPlanned")).await;
    let actions = |object: &Value| -> Vec<String> {
        let plan = object["status"]["plan"].as_array().cloned().unwrap_or_default();
        plan.iter().map(|change| change["action"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(actions(&object), ["CreateJob", "StartJob"]);
    assert_eq!(rig.wrote_anything().await, Vec::<Value>::new());

    rig.edit("box", &json!({"mode": null})).await;
    let object = rig.until("box", "is ready", is_ready).await;
    assert!(object["status"]["plan"].is_null(), "{object:#}");
    let done: Vec<Value> = rig.wrote_anything().await.iter().map(|entry| entry["operation"].clone()).collect();
    assert_eq!(done, ["createJob", "startJob"]);

    rig.edit("box", &json!({"mode": "Plan"})).await;
    let object = rig.until("box", "has nothing to change", |object| ready(object, "True", "NothingToChange")).await;
    assert_eq!(object["status"]["plan"], json!([]));
    rig.edit("box", &json!({"state": "Paused"})).await;
    let object = rig.until("box", "has a plan", |object| ready(object, "True", "ChangesPlanned")).await;
    assert_eq!(actions(&object), ["PauseJob"]);
    assert_eq!(rig.wrote_anything().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_stops_every_write_and_does_not_hold_up_deletion() {
    let mut rig = Rig::start().await;
    let id = rig.running(&[]).await;
    rig.edit("box", &json!({"mode": "Suspended"})).await;
    let suspended = |object: &Value| condition(object, "Suspended")["status"] == "True";
    let object = rig.until("box", "is suspended", suspended).await;
    assert_eq!(condition(&object, "Ready")["status"], "True", "what was true before is kept");
    rig.edit("box", &json!({"state": "Paused"})).await;
    rig.nudge("box").await;
    rig.until("box", "has heard the request", |object| object["status"]["lastHandledReconcile"].is_string()).await;
    assert_eq!(rig.wrote("pauseJob").await, 0);
    let object = rig.get("box").await;
    assert_ne!(object["status"]["observedGeneration"], object["metadata"]["generation"], "it was not acted on");

    rig.kubectl(&["delete", "syncjob", "box", "--timeout=30s"]).await;
    assert_eq!(rig.wrote("deleteJob").await, 0);
    assert!(rig.until_event("JobRetained").await.contains(&id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_ends_where_it_began() {
    let mut rig = Rig::start().await;
    rig.apply_sync_job("box", &["mode: Suspended"]).await;
    let object = rig.until("box", "is suspended", |object| condition(object, "Suspended")["status"] == "True").await;
    assert_eq!(object["status"]["observedGeneration"], -1, "nothing of it was acted on");
    assert_eq!((rig.wrote_anything().await, audit::writes(&rig.namespace).len()), (Vec::new(), 1));
    rig.edit("box", &json!({"mode": "Manage"})).await;
    let object = rig.until("box", "is ready", is_ready).await;
    assert!(!says(&object, "Suspended", "True", "Suspended") && job_id(&object).is_some(), "{object:#}");
}
