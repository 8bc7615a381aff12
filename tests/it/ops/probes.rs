//! What the probes say while others are away: a process that is restarted because Graph or the API server is, only
//! makes the load worse when they come back.

use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{free_address, get};
use crate::stack::plane::SharedPlane;
use crate::stack::read::{condition, is_ready};
use crate::stack::rig::Rig;

/// Outlasts a call to the API server, which is given ten seconds, by far.
const LONG_LEASE: [&str; 5] = [
    "--leader-elect",
    "--leader-election-namespace=entrain-system",
    "--lease-duration-seconds=120",
    "--lease-renew-deadline-seconds=100",
    "--lease-retry-seconds=1",
];

/// The API server of a plane, stopped like a program in a debugger: connections stay, and nothing answers.
struct Paused(String);

impl Paused {
    fn pause(plane: &SharedPlane) -> Self {
        let processes = std::fs::read_to_string(plane.ready().dir.join("processes.json")).unwrap();
        let processes: Value = serde_json::from_str(&processes).unwrap();
        let paused = Self(processes["kube-apiserver"].to_string());
        assert!(paused.send("-STOP"));
        paused
    }

    fn send(&self, signal: &str) -> bool {
        Command::new("kill").args([signal, &self.0]).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        self.send("-CONT");
    }
}

/// Both probes, in full.
async fn probes(address: &str) -> [(u16, String); 2] {
    [get(address, "/livez?verbose").await.unwrap(), get(address, "/readyz?verbose").await.unwrap()]
}

fn all_is_well() -> [(u16, String); 2] {
    [
        (200, "[+]passes-end ok\nlivez check passed\n".to_owned()),
        (200, "[+]syncjobs-served ok\nreadyz check passed\n".to_owned()),
    ]
}

impl Rig {
    async fn until_answered(&mut self, address: &str, path: &str, code: u16) -> String {
        let what = format!("{path} answers {code}");
        self.until_graph(&what, async |_| get(address, path).await.is_some_and(|(said, _)| said == code)).await;
        get(address, path).await.unwrap().1
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_stays_live_and_ready_and_comes_up_while_graph_is_away() {
    let address = free_address();
    let bind = format!("--health-bind-address={address}");
    let mut rig = Rig::start_with(&[&bind]).await;
    rig.running(&[]).await;
    rig.lose_graph().await;
    rig.nudge("box").await;
    rig.until("box", "is in trouble", |object| condition(object, "Reconciling")["status"] == "True").await;
    assert_eq!(probes(&address).await, all_is_well());

    rig.kill_operator();
    rig.more_env.push(("AZURE_AUTHORITY_HOST".to_owned(), format!("https://{}/", free_address())));
    rig.start_operator_with(&[&bind]);
    rig.until_answered(&address, "/readyz", 200).await;
    let reason = |object: &Value| condition(object, "Reconciling")["reason"] == "LoginUnavailable";
    rig.until("box", "cannot log in", reason).await;
    assert_eq!(probes(&address).await, all_is_well());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_stays_live_ready_and_leading_while_the_api_server_is_away_for_less_than_the_lease() {
    let plane = tokio::task::spawn_blocking(|| Arc::new(SharedPlane::start())).await.unwrap();
    let mut rig = Rig::idle_on(plane.clone()).await;
    let address = free_address();
    let mut arguments = LONG_LEASE.to_vec();
    let bind = format!("--health-bind-address={address}");
    arguments.push(&bind);
    rig.start_operator_with(&arguments);
    rig.running(&[]).await;
    let holder = rig.holder().await;
    let paused = Paused::pause(&plane);
    rig.until_logged("the lease could not be renewed").await;
    assert_eq!(probes(&address).await, all_is_well());
    drop(paused);

    rig.edit("box", &json!({"pollIntervalSeconds": 900})).await;
    let seen = |object: &Value| object["status"]["observedGeneration"] == 2 && is_ready(object);
    rig.until("box", "has seen the edit", seen).await;
    assert_eq!(rig.holder().await, holder);
    assert_eq!(rig.wrote("createJob").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_is_not_live_while_a_pass_is_stuck() {
    let address = free_address();
    let mut rig = Rig::idle().await;
    let hang = json!({"operation": "createJob", "times": 1, "action": {"hang": {"commit": false}}});
    rig.control.put_fault(&hang).await.unwrap();
    rig.start_operator_with(&[&format!("--health-bind-address={address}"), "--stuck-after-seconds=1"]);
    rig.until_answered(&address, "/readyz", 200).await;
    assert_eq!(probes(&address).await, all_is_well());
    rig.apply_sync_job("box", &[]).await;
    let said = rig.until_answered(&address, "/livez", 503).await;
    assert_eq!(said, "[-]passes-end failed\nlivez check failed\n");
    assert_eq!(get(&address, "/readyz").await, Some((200, "ok".to_owned())), "it is not new work that is missing");
    // The connection ends, and with it the pass.
    rig.lose_graph().await;
    rig.until_answered(&address, "/livez", 200).await;
}
