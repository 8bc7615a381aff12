//! How many schemas one process holds at the same time.

use std::time::Duration;

use serde_json::json;

use super::stand::{Job, SALESFORCE, Stand, applies, users};
use crate::stack::read::{calls, is_ready, time};

const JOBS: usize = 9;
const SCHEMAS_MAX: usize = 4;
/// How long Graph takes to answer a read of a schema. A pass keeps its permit while it waits.
const ANSWERS_AFTER: Duration = Duration::from_millis(1200);

impl Stand {
    /// How many schemas were asked for and not answered yet, at the busiest moment since the first of these calls.
    async fn at_once(&self, since: usize) -> usize {
        let all = calls(&self.rig.control, "getSchema").await;
        let asked: Vec<_> = all[since..].iter().map(time).collect();
        let open = |at: &jiff::Timestamp| {
            asked
                .iter()
                .filter(|other| *other <= at && at.duration_since(**other).unsigned_abs() < ANSWERS_AFTER)
                .count()
        };
        asked.iter().map(open).max().unwrap_or_default()
    }

    async fn asked(&self) -> usize {
        calls(&self.rig.control, "getSchema").await.len()
    }
}

/// The first looks of all come at once, and so do the saves after them and what is given back in the end.
#[tokio::test(flavor = "multi_thread")]
async fn at_most_four_schemas_are_read_at_once_when_looked_at_when_saved_and_when_given_back() {
    let mut stand = Stand::begin().await;
    let mut jobs: Vec<Job> = Vec::new();
    for number in 0..JOBS {
        jobs.push(stand.job(&format!("one-of-many-{number}"), SALESFORCE).await);
    }
    let slow = json!({"delay": {"millis": u64::try_from(ANSWERS_AFTER.as_millis()).unwrap()}});
    for job in &jobs {
        stand.fault(job, "getSchema", 1000, slow.clone()).await;
    }
    let alias = users("User", &json!([{"targetAttributeName": "Alias", "expression": "[mailNickname]"}]));
    for job in &jobs {
        stand.apply(job, &alias, &[]).await;
    }
    for job in &jobs {
        stand.until(job, "is in place", |it| is_ready(it) && applies(it, "True", "MappingsInPlace")).await;
    }
    assert_eq!(stand.at_once(0).await, SCHEMAS_MAX, "looked at and saved");
    let before = stand.asked().await;
    for job in &jobs {
        stand.rig.kubectl(&["delete", "syncjob", &job.name, "--wait=false"]).await;
    }
    for job in &jobs {
        stand.until(job, "is gone", serde_json::Value::is_null).await;
    }
    assert_eq!(stand.at_once(before).await, SCHEMAS_MAX, "given back");
    assert_eq!(stand.asked().await - before, JOBS);
}
