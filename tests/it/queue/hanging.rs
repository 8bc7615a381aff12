//! A Graph that takes requests and answers none holds no worker that an edit needs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stack::read::{calls, is_ready};
use crate::stack::rig::Rig;

/// More than the operator works on at the same time.
const COUNT: usize = 12;
/// Of four workers, one is kept for changes.
const HELD: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_needs_no_graph_is_served_while_graph_hangs() {
    let mut rig = Rig::start_with(&["--concurrency=8"]).await;
    rig.create_crowd(COUNT, &["scim"], &["state: Paused"]).await;
    rig.until_all("are ready", COUNT, is_ready).await;
    rig.stop_operator(Duration::from_secs(10)).await;

    let hang = json!({"operation": "listJobs", "times": 1000, "action": {"hang": {"commit": false}}});
    rig.control.put_fault(&hang).await.unwrap();
    let before = calls(&rig.control, "listJobs").await.len();
    rig.start_operator_with(&["--concurrency=4"]);
    rig.until_graph("polls hang", async |control| calls(control, "listJobs").await.len() >= before + HELD).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let hanging = calls(&rig.control, "listJobs").await.split_off(before);
    assert_eq!(hanging.len(), HELD, "one worker is kept for changes: {hanging:#?}");
    let held = |number: &usize| {
        let id = format!("c0000000-0000-4000-8000-{number:012}");
        hanging.iter().any(|call| call.to_string().contains(&id))
    };
    let free = (0..COUNT).find(|number| !held(number)).unwrap();
    rig.edit(&format!("scim-{free}"), &json!({"mode": "Suspended"})).await;
    rig.until(&format!("scim-{free}"), "is suspended", is_suspended).await;
    assert_eq!(calls(&rig.control, "listJobs").await.len(), before + HELD, "while the others still wait for Graph");
}

/// A suspended object keeps the generation that was observed before.
fn is_suspended(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(|condition| condition["type"] == "Suspended"))
}
