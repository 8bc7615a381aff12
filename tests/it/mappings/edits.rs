//! Each of the ten edits, forwards and back.

use serde_json::{Value, json};

use super::stand::{Job, Stand, applies};
use super::ten::{Edit, edits};
use crate::stack::read::{condition, is_ready};

/// Some edits can deprovision people, in one direction or the other.
const MORE: &[&str] = &["deleteThreshold: 500"];

async fn forwards(stand: &mut Stand, edit: &Edit, job: &Job) {
    let what = format!("edit {} of {}", edit.number, edit.fixture.name);
    let object =
        stand.until(job, "runs with its mappings", |it| is_ready(it) && applies(it, "True", "MappingsInPlace")).await;
    assert_eq!(stand.changes(job).await, edit.changes, "{what}");
    assert_eq!(stand.puts(job).await, 1, "{what}");
    let status = &object["status"]["mappings"];
    assert_eq!(status["owned"], json!(edit.owned), "{what}: {status:#}");
    assert!(status["savedTime"].is_string() && status["checkedTime"].is_string(), "{what}: {status:#}");
    assert!(status["confirm"].is_null() && status["changedOutOfBand"].is_null(), "{what}: {status:#}");
    let revisions = stand.revisions().await;
    let kept: Vec<&Value> = revisions
        .iter()
        .filter(|kept| kept["metadata"]["ownerReferences"][0]["uid"] == object["metadata"]["uid"])
        .map(|kept| &kept["metadata"]["name"])
        .collect();
    assert_eq!(kept, [&status["revision"]], "{what}");
}

async fn back(stand: &mut Stand, edit: &Edit, job: &Job) {
    let what = format!("edit {} of {}", edit.number, edit.fixture.name);
    let gone = |it: &Value| {
        let released = it["status"]["mappings"].is_null() && condition(it, "MappingsApplied").is_null();
        is_ready(it) && released && it["spec"]["mappings"].is_null()
    };
    stand.until(job, "owns nothing any more", gone).await;
    assert_eq!(stand.changes(job).await, [""; 0], "{what}, back");
    assert_eq!(stand.puts(job).await, 2, "{what}, back");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_ten_edits_changes_exactly_what_it_says_with_one_save_and_so_does_its_removal() {
    let mut stand = Stand::begin().await;
    let mut all: Vec<(Edit, Job)> = Vec::new();
    for (at, edit) in edits().into_iter().enumerate() {
        let job = stand.job(&format!("edit-{at}"), edit.fixture).await;
        stand.apply(&job, &edit.mappings, MORE).await;
        all.push((edit, job));
    }
    for (edit, job) in &all {
        forwards(&mut stand, edit, job).await;
    }
    stand.later(&all.iter().map(|(_, job)| job).collect::<Vec<_>>()).await;
    for (_, job) in &all {
        stand.rig.edit(&job.name, &json!({"mappings": null})).await;
    }
    for (edit, job) in &all {
        back(&mut stand, edit, job).await;
    }
    let fits: std::collections::BTreeSet<u32> = all.iter().map(|(edit, _)| edit.number).collect();
    assert_eq!(fits.into_iter().collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>(), "none of the ten is left out");
}
