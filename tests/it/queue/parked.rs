//! While Graph asks to wait, settled SyncJobs cost neither a pass nor a write, and edits that need no Graph are served.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{metrics_flag, passes, scrape};
use crate::stack::audit;
use crate::stack::read::{calls, graph_calls, is_ready};
use crate::stack::rig::{CROWDED, Rig};

const SERVICE_PRINCIPALS: usize = 250;
const TEMPLATES: [&str; 4] = ["BoxOutDelta", "scim", "Slack", "dataBricks"];
const COUNT: usize = SERVICE_PRINCIPALS * TEMPLATES.len();
const WAIT: Duration = Duration::from_secs(60);

/// How long it takes until something is so of the object.
async fn time_until(rig: &Rig, name: &str, is: impl Fn(&Value) -> bool) -> Duration {
    let began = Instant::now();
    while !is(&rig.get(name).await) && began.elapsed() < WAIT {
        sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_settled_sync_jobs_cost_nothing_while_graph_asks_to_wait_and_an_edit_is_served_at_once() {
    let _alone = CROWDED.lock().await;
    let (flag, address) = metrics_flag();
    let arguments = [flag.as_str(), "--concurrency=16"];
    let mut rig = Rig::start_with(&["--concurrency=64"]).await;
    rig.create_crowd(SERVICE_PRINCIPALS, &TEMPLATES, &["state: Paused"]).await;
    rig.until_all("are ready", COUNT, is_ready).await;
    rig.stop_operator(Duration::from_secs(10)).await;

    // Every one of them is due at the start; the first look of all is answered by 429.
    let answer =
        json!({"status": 429, "code": "TooManyRequests", "headers": {"retry-after": WAIT.as_secs().to_string()}});
    let throttle = json!({"operation": "listJobs", "times": 1, "action": {"respond": answer}});
    rig.control.put_fault(&throttle).await.unwrap();
    let listed = calls(&rig.control, "listJobs").await.len();
    rig.start_operator_with(&arguments);
    rig.until_graph("a look was throttled", async |control| calls(control, "listJobs").await.len() > listed).await;
    let shut = Instant::now();
    // Those that were under way at that moment end, and all others become due.
    sleep(Duration::from_secs(8)).await;
    let (passes_before, calls_before) = (passes(&address).await, graph_calls(&rig.control).await.len());
    let writes_before = audit::writes(&rig.namespace).len();
    assert!(passes_before <= 64, "those under way, and no more: {passes_before}");
    let depth = scrape(&address).await.sum("workqueue_depth", &[]);
    assert!(depth >= (COUNT - 64) as f64, "the others are due and wait: {depth}");

    rig.edit("scim-7", &json!({"deletionPolicy": "Retain"})).await;
    let took = time_until(&rig, "scim-7", |object| object["status"]["deletionPolicy"] == "Retain").await;
    assert!(took <= Duration::from_secs(1), "an edit that needs no Graph took {took:?}");
    rig.delete("scim-7").await;
    let took = time_until(&rig, "scim-7", Value::is_null).await;
    assert!(took <= Duration::from_secs(1), "letting go of a retained job took {took:?}");

    sleep((WAIT - Duration::from_secs(5)).saturating_sub(shut.elapsed())).await;
    let passed = passes(&address).await - passes_before;
    assert!(passed <= 4, "the edit, the deletion, and what our own writes of these led to; but {passed} passes");
    let writes = audit::writes(&rig.namespace).split_off(writes_before);
    let written: BTreeSet<&str> = writes.iter().map(|write| write.name.as_str()).collect();
    assert_eq!(written, BTreeSet::from(["scim-7"]), "{writes:?}");
    assert_eq!(graph_calls(&rig.control).await.len(), calls_before, "nothing is sent");

    rig.until_graph("every service principal was looked at", async |control| {
        calls(control, "listJobs").await.len() >= listed + SERVICE_PRINCIPALS
    })
    .await;
    assert!(shut.elapsed() >= WAIT - Duration::from_secs(1), "not before the instant that Graph named");
    rig.until_all("are ready", COUNT - 1, is_ready).await;
}
