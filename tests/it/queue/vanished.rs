//! An object that is gone when its turn comes gets no pass.

use serde_json::{Value, json};

use super::{metrics_flag, passes, scrape};
use crate::life::BOX;
use crate::stack::read::{calls, is_ready, manifest};
use crate::stack::rig::Rig;

const WIKI: &str = "7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6";

#[tokio::test(flavor = "multi_thread")]
async fn what_vanished_while_it_waited_for_a_worker_gets_no_pass() {
    let (flag, address) = metrics_flag();
    let mut rig = Rig::start_with(&[&flag, "--concurrency=1"]).await;
    rig.apply(&manifest("wiki", WIKI, BOX, &[])).await;
    rig.until("wiki", "is ready", is_ready).await;
    rig.apply_sync_job("box", &[]).await;
    let reached = |object: &Value| is_ready(object) && object["status"]["run"]["reachedTime"].is_string();
    rig.until("box", "is at rest", reached).await;
    rig.until("wiki", "is at rest", reached).await;

    let (listed, before) = (calls(&rig.control, "listJobs").await.len(), passes(&address).await);
    let slow = json!({"operation": "listJobs", "times": 1, "action": {"delay": {"millis": 6000}}});
    rig.control.put_fault(&slow).await.unwrap();
    rig.nudge("box").await;
    rig.until_graph("a pass is under way", async |control| calls(control, "listJobs").await.len() > listed).await;
    rig.edit("wiki", &json!({"state": "Paused"})).await;
    let waiting = async || scrape(&address).await.sum("workqueue_depth", &[]) > 0.0;
    rig.until_graph("the other one waits for the worker", async |_| waiting().await).await;
    rig.delete("wiki").await;
    rig.kubectl(&["patch", "syncjob", "wiki", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]).await;
    rig.until("wiki", "is gone", Value::is_null).await;
    let idle = async || scrape(&address).await.sum("controller_runtime_active_workers", &[]) < 1.0;
    rig.until_graph("the worker is free again", async |_| idle().await).await;

    assert_eq!(passes(&address).await - before, 1, "the slow one");
    assert_eq!(rig.wrote("pauseJob").await, 0);
    assert_eq!(rig.wrote("deleteJob").await, 0);
}
