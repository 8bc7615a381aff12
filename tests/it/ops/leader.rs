//! Two operators, one at work.

use std::time::Duration;

use serde_json::Value;

use super::{free_address, get};
use crate::life::BOX;
use crate::stack::read::{effects, is_ready, manifest};
use crate::stack::rig::Rig;

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/entrain-system/leases/entrain";
pub const ELECT: [&str; 5] = [
    "--leader-elect",
    "--leader-election-namespace=entrain-system",
    "--lease-duration-seconds=15",
    "--lease-renew-deadline-seconds=10",
    "--lease-retry-seconds=1",
];

impl Rig {
    pub async fn holder(&self) -> String {
        let (_, lease) = self.admin.get(LEASE).await.unwrap();
        lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
    }

    async fn until_held_by_another(&mut self, before: &str) -> String {
        loop {
            let holder = self.holder().await;
            if !holder.is_empty() && holder != before {
                return holder;
            }
            // The patience of `until_graph` bounds this loop.
            self.until_graph("the lease is looked at again", async |_| true).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_operators_one_works_the_other_is_ready_and_takes_over_at_once_or_when_the_lease_ends() {
    let _lease = super::LEASE.lock().await;
    let mut rig = Rig::start_with(&ELECT).await;
    let first = rig.until_held_by_another("").await;
    let mut worker = rig.detach_operator();
    let (probes, metrics) = (free_address(), free_address());
    let health = format!("--health-bind-address={probes}");
    let scrape = format!("--metrics-bind-address={metrics}");
    let mut arguments = ELECT.to_vec();
    arguments.extend([health.as_str(), &scrape]);
    rig.start_operator_with(&arguments);
    rig.until_graph("the standby is ready", async |_| {
        get(&probes, "/readyz").await.is_some_and(|(code, _)| code == 200)
    })
    .await;
    rig.until_logged(&format!("another operator holds the lease, or has not given it up holder=\"{first}\"")).await;
    rig.apply_sync_job("box", &[]).await;
    rig.until("box", "is ready", is_ready).await;
    assert_eq!(rig.holder().await, first);
    let leads = async |metrics: &str| {
        let (_, text) = get(metrics, "/metrics").await.unwrap();
        text.contains(r#"leader_election_master_status{name="entrain"} 1"#)
    };
    assert!(!leads(&metrics).await, "the standby leads");

    // A polite end hands over at once: the standby looks every second, the lease would last fifteen.
    let asked = std::time::Instant::now();
    assert_eq!(worker.stop(Duration::from_secs(10)).await.unwrap().unwrap().code(), Some(0));
    let second = rig.until_held_by_another(&first).await;
    assert!(asked.elapsed() < Duration::from_secs(10), "it waited for the end of the lease");
    assert!(leads(&metrics).await);

    // A killed holder is waited for.
    rig.kill_operator();
    rig.start_operator_with(&ELECT);
    rig.until_held_by_another(&second).await;
    let wiki = "7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6";
    rig.apply(&manifest("wiki", wiki, BOX, &[])).await;
    rig.until("wiki", "is ready", is_ready).await;
    assert_eq!(rig.wrote("createJob").await, 2);
    rig.stop_operator(Duration::from_secs(10)).await;
    assert_eq!(rig.holder().await, "", "a polite end releases the lease");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_in_the_midst_of_many_creations_makes_each_job_once_and_leaves_nothing_in_doubt() {
    const SYNC_JOBS: usize = 120;
    let _lease = super::LEASE.lock().await;
    // Whoever had to wait for the settle window would be missed at the end.
    let mut arguments = ELECT.to_vec();
    arguments.push("--settle-window-seconds=600");
    let mut rig = Rig::start_with(&arguments).await;
    let first = rig.until_held_by_another("").await;
    let mut worker = rig.detach_operator();
    rig.start_operator_with(&arguments);
    rig.create_crowd(SYNC_JOBS, &[BOX], &[]).await;
    rig.until_graph("jobs are created", async |control| !effects(control, "createJob").await.is_empty()).await;
    assert_eq!(worker.stop(Duration::from_secs(10)).await.unwrap().unwrap().code(), Some(0));
    let before = rig.wrote("createJob").await;
    assert!(before < SYNC_JOBS, "there was nothing left to hand over");
    rig.until_all("is ready", SYNC_JOBS, is_ready).await;
    assert_ne!(rig.holder().await, first);
    assert_eq!(rig.wrote("createJob").await, SYNC_JOBS);
    // The next test finds the lease free.
    assert_eq!(rig.stop_operator(Duration::from_secs(10)).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pair_of_times_is_refused_at_once() {
    let mut rig = Rig::idle().await;
    let wrong = ["--leader-elect", "--lease-duration-seconds=15", "--lease-renew-deadline-seconds=15"];
    rig.start_operator_with(&[&wrong[..], &["--log-format=json"]].concat());
    let mut operator = rig.detach_operator();
    let status = loop {
        if let Some(status) = operator.try_wait().unwrap() {
            break status;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(status.code(), Some(1));
    let log = rig.operator_log();
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert!(
        last["level"] == "ERROR" && last["error"].to_string().contains("must be shorter than --lease-duration-seconds"),
        "{log}"
    );
    assert_eq!(rig.wrote_anything().await, Vec::<Value>::new());
}
