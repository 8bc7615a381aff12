//! What people change in the portal: outside of what a SyncJob owns it stays, and inside it is reported or reverted.

use serde_json::{Value, json};

use super::stand::{CROSS_TENANT, Job, SALESFORCE, SCIM, Stand, applies, attribute, message, source, users};
use super::ten::edits;
use crate::stack::read::ready;

/// A person changes something in each part of a schema that the ten edits leave alone.
fn elsewhere(schema: &mut Value) {
    let rule = &mut schema["synchronizationRules"][0];
    let objects = rule["objectMappings"].as_array_mut().unwrap();
    let mine = ["surname", "LastName", "name.familyName"];
    let is_mine = |entry: &Value| mine.iter().any(|name| entry["targetAttributeName"] == *name);
    let has_mine = |mapping: &&mut Value| mapping["attributeMappings"].as_array().unwrap().iter().any(is_mine);
    let users = objects.iter_mut().find(has_mine).unwrap();
    users["name"] = json!("Renamed by a person");
    let mappings = users["attributeMappings"].as_array_mut().unwrap();
    let changed = mappings.iter_mut().find(|entry| is_mine(entry)).unwrap();
    (changed["source"], changed["defaultValue"]) = (source("mailNickname"), json!("by a person"));
    mappings.retain(|entry| {
        !["givenName", "nickName", "EmailEncodingKey"].iter().any(|name| entry["targetAttributeName"] == *name)
    });
    users["metadata"].as_array_mut().unwrap().push(json!({"key": "ByAPerson", "value": "true"}));
    let directory = &mut schema["directories"][0]["objects"][0]["attributes"];
    directory.as_array_mut().unwrap().push(bed::graph::fixtures::attribute("extension_byAPerson"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_changes_elsewhere_survives_every_edit_and_its_removal() {
    let mut stand = Stand::begin().await;
    let mut all: Vec<(Job, Vec<String>, Vec<String>)> = Vec::new();
    // One large schema is enough.
    let some = edits().into_iter().filter(|edit| edit.fixture != SCIM || edit.number == 3);
    for (at, edit) in some.enumerate() {
        let job = stand.job(&format!("edit-{at}"), edit.fixture).await;
        stand.person(&job, elsewhere).await;
        let theirs = stand.changes(&job).await;
        assert!(theirs.len() >= 5, "{theirs:#?}");
        stand.apply(&job, &edit.mappings, &["deleteThreshold: 500"]).await;
        all.push((job, theirs, edit.changes));
    }
    for (job, theirs, ours) in &all {
        stand.applied(job).await;
        let mut both = [theirs.as_slice(), ours].concat();
        both.sort();
        assert_eq!(stand.changes(job).await, both);
        // And once more, between the two.
        stand.person(job, |schema| schema["synchronizationRules"][0]["priority"] = json!(7)).await;
    }
    stand.later(&all.iter().map(|(job, ..)| job).collect::<Vec<_>>()).await;
    for (job, ..) in &all {
        stand.rig.edit(&job.name, &json!({"mappings": null})).await;
    }
    for (job, theirs, _) in &all {
        stand.until(job, "owns nothing any more", |it| it["status"]["mappings"].is_null()).await;
        let left = stand.changes(job).await;
        let later: Vec<&String> = left.iter().filter(|line| !theirs.contains(line)).collect();
        assert_eq!(
            (left.len(), later.len(), later[0].ends_with("priority: 1 → 7")),
            (theirs.len() + 1, 1, true),
            "{later:#?}"
        );
        assert_eq!(stand.puts(job).await, 2);
    }
}

const PLACE: &str = "USER_OUTBOUND_USER / User → User";

fn alias() -> Value {
    users("User", &json!([{"targetAttributeName": "Alias", "expression": "[mailNickname]"}]))
}

fn by_a_person(schema: &mut Value) {
    attribute(schema, "User", "Alias")["source"] = source("onPremisesSecurityIdentifier");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_changes_of_ours_is_reported_and_respected() {
    let mut stand = Stand::begin().await;
    let job = stand.job("respects", SALESFORCE).await;
    stand.apply(&job, &alias(), &[]).await;
    stand.applied(&job).await;
    stand.later(&[&job]).await;
    stand.person(&job, by_a_person).await;
    stand.look(&job).await;
    let reason = "MappingsChangedOutOfBand";
    let object = stand.until(&job, "reports it", |it| applies(it, "False", reason) && ready(it, "False", reason)).await;
    let line = "User → User, Alias: [mailNickname] → [onPremisesSecurityIdentifier]";
    assert_eq!(object["status"]["mappings"]["changedOutOfBand"], json!([line]));
    assert!(message(&object).contains(line), "{}", message(&object));
    // Another wish of ours goes on, and what is theirs stays.
    let more = users(
        "User",
        &json!([
            {"targetAttributeName": "Alias", "expression": "[mailNickname]"},
            {"targetAttributeName": "City", "expression": "[city]"},
        ]),
    );
    stand.apply(&job, &more, &[]).await;
    stand
        .until(&job, "has saved the other", |it| it["status"]["mappings"]["owned"] == 3 && applies(it, "False", reason))
        .await;
    let theirs = format!("{PLACE} / Alias / source: Mid([userPrincipalName], 1, 8) → [onPremisesSecurityIdentifier]");
    assert_eq!(stand.changes(&job).await, [format!("+ {PLACE} / City: [city]"), theirs.clone()]);
    assert_eq!(stand.puts(&job).await, 2);
    // Taken out of the spec, ours goes, theirs stays, and that is an Event.
    stand.later(&[&job]).await;
    stand.rig.edit("respects", &json!({"mappings": null})).await;
    stand.until(&job, "owns nothing any more", |it| it["status"]["mappings"].is_null()).await;
    assert_eq!((stand.changes(&job).await, stand.puts(&job).await), (vec![theirs], 3));
    let note = stand.rig.until_event("MappingsLeft").await;
    assert!(note.contains("Alias"), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_policy_correct_it_is_reverted_once_and_not_twice_within_the_hour() {
    let mut stand = Stand::begin().await;
    let job = stand.job("corrects", SALESFORCE).await;
    stand.apply(&job, &alias(), &["outOfBandPolicy: Correct"]).await;
    stand.applied(&job).await;
    let ours = stand.changes(&job).await;
    stand.later(&[&job]).await;
    stand.person(&job, by_a_person).await;
    stand.look(&job).await;
    stand.applied(&job).await;
    assert_eq!((stand.puts(&job).await, stand.changes(&job).await), (2, ours.clone()));
    stand.person(&job, by_a_person).await;
    // The windows of these tests are seconds, and what was saved just now may lag.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let object = stand.look(&job).await;
    assert!(applies(&object, "False", "MappingsChangedOutOfBand"), "{object:#}");
    assert!(message(&object).contains("at most once an hour"), "{}", message(&object));
    stand.look(&job).await;
    assert_eq!(stand.puts(&job).await, 2);
    stand.later(&[&job]).await;
    stand.look(&job).await;
    stand.applied(&job).await;
    assert_eq!((stand.puts(&job).await, stand.changes(&job).await), (3, ours));
}

/// A person removed what is ours, and added what ours removes.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_removes_or_adds_again_is_theirs_too() {
    let mut stand = Stand::begin().await;
    let job = stand.job("removes", CROSS_TENANT).await;
    let mappings = users(
        "User",
        &json!([
            {"targetAttributeName": "mail", "expression": "[userPrincipalName]"},
            {"targetAttributeName": "showInAddressList", "state": "Absent"},
        ]),
    );
    stand.apply(&job, &mappings, &[]).await;
    stand.applied(&job).await;
    stand.later(&[&job]).await;
    let former = attribute(&mut job.before.clone(), "User", "showInAddressList").clone();
    let contrary = move |schema: &mut Value| {
        let users = schema["synchronizationRules"][0]["objectMappings"].as_array_mut().unwrap();
        let users = users.iter_mut().find(|mapping| mapping["sourceObjectName"] == "User").unwrap();
        let all = users["attributeMappings"].as_array_mut().unwrap();
        all.retain(|entry| entry["targetAttributeName"] != "mail");
        all.push(former);
    };
    stand.person(&job, contrary).await;
    let theirs = stand.changes(&job).await;
    stand.look(&job).await;
    let object = stand.until(&job, "reports it", |it| applies(it, "False", "MappingsChangedOutOfBand")).await;
    assert_eq!(object["status"]["mappings"]["changedOutOfBand"].as_array().map(Vec::len), Some(2), "{object:#}");
    assert_eq!((stand.puts(&job).await, stand.changes(&job).await), (1, theirs));
    assert!(message(&object).contains("mail") && message(&object).contains("showInAddressList"));
}
