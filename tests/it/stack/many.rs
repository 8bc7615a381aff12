//! Five hundred at once.

use std::collections::HashSet;

use serde_json::Value;

use super::audit;
use super::read::{calls, effects, is_ready, job_id};
use super::rig::{CROWDED, Rig};

const SERVICE_PRINCIPALS: usize = 100;
const TEMPLATES: [&str; 5] = ["BoxOutDelta", "scim", "gsuite", "dataBricks", "aws"];

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_sync_jobs_at_once_make_five_hundred_jobs_and_then_there_is_silence() {
    let _alone = CROWDED.lock().await;
    let mut rig = Rig::start().await;
    rig.create_crowd(SERVICE_PRINCIPALS, &TEMPLATES, &[]).await;
    let count = SERVICE_PRINCIPALS * TEMPLATES.len();
    rig.until_all("is ready", count, is_ready).await;

    let created = effects(&rig.control, "createJob").await;
    let ids: HashSet<&str> = created.iter().filter_map(|entry| entry["jobId"].as_str()).collect();
    assert_eq!((created.len(), ids.len()), (count, count));
    let objects = rig.list().await;
    let recorded: HashSet<&str> = objects.iter().filter_map(job_id).collect();
    assert_eq!(recorded, ids);
    let pairs: HashSet<String> =
        created.iter().map(|entry| format!("{}{}", entry["servicePrincipalId"], entry["templateId"])).collect();
    assert_eq!(pairs.len(), count, "none twice");

    rig.still(&objects).await;
    let (writes, listed) = (audit::writes(&rig.namespace).len(), calls(&rig.control, "listJobs").await.len());
    // Every SyncJob is woken once and has nothing to say: the proof that what follows is silence and not an interval.
    rig.kubectl(&["annotate", "syncjobs", "--all", "entrain.dev/reconcile-requested-at=now"]).await;
    rig.until_graph("the jobs are looked at again", async |control| {
        calls(control, "listJobs").await.len() >= listed + SERVICE_PRINCIPALS
    })
    .await;
    let after = audit::writes(&rig.namespace);
    assert!(after.len() <= writes + count, "at most the answer to each request: {:#?}", after.last());
    assert!(after.len() <= 6 * count, "{} writes for {count} SyncJobs", after.len());
    assert_eq!(effects(&rig.control, "createJob").await.len(), count);
}

impl Rig {
    /// Waits out the watch: what an operator would still write, it would write because of what it saw.
    async fn still(&self, objects: &[Value]) {
        let versions = |objects: &[Value]| -> Vec<Value> {
            objects.iter().map(|object| object["metadata"]["resourceVersion"].clone()).collect()
        };
        let before = (versions(objects), audit::writes(&self.namespace).len());
        for _ in 0..30 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            assert_eq!((versions(&self.list().await), audit::writes(&self.namespace).len()), before, "it still writes");
        }
    }
}
