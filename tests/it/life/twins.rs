//! Several SyncJobs for one job.

use serde_json::Value;

use super::{BOX, FOREIGN, Rig};
use crate::stack::read::{condition, is_ready, job_id, manifest, ready};

/// Of the objects, the one that holds the job and one that does not.
fn winner_and_loser(objects: &[Value]) -> (&Value, &Value) {
    let winner = objects.iter().find(|object| is_ready(object)).expect("a winner");
    let loser = objects.iter().find(|object| !is_ready(object)).expect("a loser");
    (winner, loser)
}

fn decided(objects: &[Value]) -> bool {
    let ready_ones = objects.iter().filter(|object| is_ready(object)).count();
    ready_ones == 1 && objects.iter().all(|object| is_ready(object) || ready(object, "False", "Conflict"))
}

impl Rig {
    async fn both(&mut self, what: &str, is: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        for _ in 0..600 {
            let both = vec![self.get("one").await, self.get("two").await];
            if is(&both) {
                return both;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("waited in vain until {what}\n{}", self.operator_log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_applied_at_once_make_one_job_and_the_loser_names_the_winner_and_follows_it() {
    let mut rig = Rig::start().await;
    let sp = rig.service_principal();
    let upper = sp.to_uppercase();
    let twins = format!("{}\n---\n{}", manifest("one", &sp, BOX, &[]), manifest("two", &upper, "boxoutdelta", &[]));
    rig.apply(&twins).await;
    let namespace = rig.namespace.clone();
    let both = rig.both("one of the twins has the job", decided).await;
    let (winner, loser) = winner_and_loser(&both);
    let (winner_name, loser_name) = (
        winner["metadata"]["name"].as_str().unwrap().to_owned(),
        loser["metadata"]["name"].as_str().unwrap().to_owned(),
    );
    let message = condition(loser, "Ready")["message"].as_str().unwrap();
    assert!(message.contains(&format!("{namespace}/{winner_name}")), "{message}");
    assert_eq!(rig.wrote("createJob").await, 1);

    let first = job_id(winner).unwrap().to_owned();
    rig.delete(&winner_name).await;
    let object = rig.until(&loser_name, "takes over", is_ready).await;
    // The second job has the id of the first, and is another one.
    assert_eq!(job_id(&object), Some(first.as_str()));
    assert_eq!((rig.wrote("createJob").await, rig.wrote("deleteJob").await), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_and_twins_that_may_adopt_end_with_one_holder() {
    let mut rig = Rig::start().await;
    rig.put_foreign_job(FOREIGN).await;
    let second = rig.detach_operator();
    rig.start_operator();
    let sp = rig.service_principal();
    let adopt = ["adoption: {policy: IfExists}"];
    rig.apply(&format!("{}\n---\n{}", manifest("one", &sp, BOX, &adopt), manifest("two", &sp, BOX, &adopt))).await;
    let both = rig.both("one of the twins has adopted the job", decided).await;
    assert_eq!(job_id(winner_and_loser(&both).0), Some(FOREIGN));
    assert_eq!(rig.wrote("createJob").await, 0);
    drop(second);
}
