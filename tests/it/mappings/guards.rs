//! What keeps a schema from being saved, and what a person does about it.

use serde_json::{Value, json};

use super::stand::{CROSS_TENANT, Job, SALESFORCE, SCIM, Stand, applies, attribute, message, users};
use super::ten::ENTERPRISE;
use crate::stack::read::{condition, ready};

/// Waits for a reason, looks once more, and nothing was saved.
async fn refused(stand: &mut Stand, job: &Job, reason: &str, words: &[&str]) {
    let object = stand.until(job, reason, |it| applies(it, "False", reason) && ready(it, "False", reason)).await;
    let said = message(&object);
    assert_eq!(condition(&object, "Ready")["message"], said.as_str());
    for word in words {
        assert!(said.contains(word), "'{word}' is not in: {said}");
    }
    assert!(object["status"]["mappings"]["savedTime"].is_null(), "{object:#}");
    stand.look(job).await;
    assert_eq!((stand.puts(job).await, stand.changes(job).await), (0, Vec::new()), "{reason}");
    assert_eq!(stand.revisions().await, Vec::<Value>::new(), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_fails_keeps_everything_from_being_saved_until_it_passes() {
    let mut stand = Stand::begin().await;
    let job = stand.job("tested", SCIM).await;
    let mut mappings = users(
        ENTERPRISE,
        &json!([
            {"targetAttributeName": "displayName", "expression": "Join(\" \", \"EXT\", [displayName])"},
            {"targetAttributeName": "title", "state": "Absent"},
        ]),
    );
    let test = |expected: &str| json!([{"name": "contractors", "targetAttributeName": "displayName", "given": {"displayName": "Anna"}, "expect": [expected]}]);
    mappings["tests"] = test("EXTERN Anna");
    stand.apply(&job, &mappings, &[]).await;
    refused(
        &mut stand,
        &job,
        "MappingTestFailed",
        &["'contractors'", "[\"EXT Anna\"]", "[\"EXTERN Anna\"] is expected"],
    )
    .await;
    mappings["tests"] = test("EXT Anna");
    stand.apply(&job, &mappings, &[]).await;
    stand.applied(&job).await;
    assert_eq!((stand.puts(&job).await, stand.changes(&job).await.len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_fits_nothing_several_things_or_a_rule_that_is_read_only_saves_nothing_of_it() {
    let mut stand = Stand::begin().await;
    let good = json!({"targetAttributeName": "title", "state": "Absent"});
    let misspelt = stand.job("misspelt", SCIM).await;
    stand
        .apply(
            &misspelt,
            &users(ENTERPRISE, &json!([good, {"targetAttributeName": "usrName", "expression": "[mail]"}])),
            &[],
        )
        .await;

    let mut ambiguous = stand.job("ambiguous", SCIM).await;
    let double = |schema: &mut Value| {
        let mut other = attribute(schema, ENTERPRISE, "nickName").clone();
        other["targetAttributeName"] = json!("NickName");
        let mappings = schema["synchronizationRules"][0]["objectMappings"].as_array_mut().unwrap();
        let users = mappings.iter_mut().find(|mapping| mapping["targetObjectName"] == ENTERPRISE).unwrap();
        users["attributeMappings"].as_array_mut().unwrap().push(other);
    };
    stand.person(&ambiguous, double).await;
    ambiguous.before = stand.schema(&ambiguous).await;
    let either = json!([good, {"targetAttributeName": "NICKNAME", "expression": "[mail]"}]);
    stand.apply(&ambiguous, &users(ENTERPRISE, &either), &[]).await;

    let read_only = stand.job("read-only", SALESFORCE).await;
    let profiles = json!({"sourceObjectName": "Profile", "targetObjectName": "AppRole",
        "attributeMappings": [{"targetAttributeName": "description", "expression": "[Name]"}]});
    let people = json!({"sourceObjectName": "User", "targetObjectName": "User",
        "attributeMappings": [{"targetAttributeName": "Alias", "expression": "[mailNickname]"}]});
    stand.apply(&read_only, &json!({"objectMappings": [people, profiles]}), &[]).await;

    let unknown = stand.job("unknown", CROSS_TENANT).await;
    let expression = json!([{"targetAttributeName": "mail", "expression": "Coalesce([mail], "}, {"targetAttributeName": "userType", "expression": "\"Guest\""}]);
    stand.apply(&unknown, &users("User", &expression), &[]).await;

    refused(&mut stand, &misspelt, "MappingInvalid", &["has no attribute 'usrName'", "The nearest: 'userName'"]).await;
    refused(&mut stand, &ambiguous, "MappingAmbiguous", &["'NickName'", "'nickName'", "exact name"]).await;
    refused(&mut stand, &read_only, "RuleReadOnly", &["PROFILE_INBOUND_APPROLE", "read-only"]).await;
    refused(&mut stand, &unknown, "MappingInvalid", &["User → User, mail", "cannot parse"]).await;

    // The exact name means one of the two.
    let exact = json!([good, {"targetAttributeName": "NickName", "expression": "[mail]"}]);
    stand.apply(&ambiguous, &users(ENTERPRISE, &exact), &[]).await;
    stand.applied(&ambiguous).await;
    let place = format!("USERGROUP_OUTBOUND_USERGROUP / User → {ENTERPRISE}");
    assert_eq!(
        stand.changes(&ambiguous).await,
        [format!("- {place} / title: [jobTitle]"), format!("{place} / NickName / source: [mailNickname] → [mail]"),]
    );
}

/// What can deprovision people, and the words by which the message names it.
fn risky() -> Vec<(Value, &'static str)> {
    let clause = json!({"attribute": "department", "operator": "EQUALS", "values": ["Sales"]});
    let scope = json!({"groups": [{"name": "sales", "clauses": [clause]}]});
    let whole = |member: &str, value: Value| json!({"objectMappings": [{"sourceObjectName": "User", "targetObjectName": ENTERPRISE, member: value}]});
    vec![
        (
            users(ENTERPRISE, &json!([{"targetAttributeName": "userName", "expression": "[mail]"}])),
            "matched by something else",
        ),
        (whole("scope", scope), "fewer objects may be in scope"),
        (whole("enabled", json!(false)), "no longer provisioned"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_can_deprovision_people_waits_until_exactly_it_is_confirmed() {
    let mut stand = Stand::begin().await;
    let mut jobs = Vec::new();
    for (at, (mappings, words)) in risky().into_iter().enumerate() {
        let job = stand.job(&format!("risky-{at}"), SCIM).await;
        stand.apply(&job, &mappings, &[]).await;
        jobs.push((job, words));
    }
    for (job, words) in &jobs {
        refused(&mut stand, job, "RiskyChange", &[words, "spec.deleteThreshold", "entrain.dev/confirm: "]).await;
    }
    // The confirmation of one change is none of another.
    let confirm = stand.rig.get("risky-0").await["status"]["mappings"]["confirm"].as_str().unwrap().to_owned();
    let annotation = format!("entrain.dev/confirm={confirm}");
    stand.rig.kubectl(&["annotate", "syncjob", "risky-1", &annotation]).await;
    refused(&mut stand, &jobs[1].0, "RiskyChange", &[]).await;
    stand.rig.kubectl(&["annotate", "syncjob", "risky-0", &annotation]).await;
    let object = stand.applied(&jobs[0].0).await;
    assert!(object["status"]["mappings"]["confirm"].is_null(), "{object:#}");
    assert_eq!((stand.puts(&jobs[0].0).await, stand.changes(&jobs[0].0).await.len()), (1, 1));
    // A threshold lets the service itself stop at so many deletions.
    stand.rig.edit("risky-2", &json!({"deleteThreshold": 500})).await;
    stand.applied(&jobs[2].0).await;
    assert_eq!((stand.puts(&jobs[2].0).await, stand.puts(&jobs[1].0).await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_within_ten_minutes_are_collected_in_one_save() {
    let mut stand = Stand::begin().await;
    let job = stand.job("hasty", SALESFORCE).await;
    let alias = json!({"targetAttributeName": "Alias", "expression": "[mailNickname]"});
    stand.apply(&job, &users("User", &json!([alias])), &[]).await;
    stand.applied(&job).await;
    for city in ["[country]", "[state]"] {
        let more = json!([alias, {"targetAttributeName": "City", "expression": city}]);
        stand.apply(&job, &users("User", &more), &[]).await;
        let object = stand.until(&job, "waits", |it| applies(it, "Unknown", "MappingsPending")).await;
        assert!(message(&object).contains(city), "{}", message(&object));
    }
    assert_eq!(stand.puts(&job).await, 1);
    stand.later(&[&job]).await;
    stand.look(&job).await;
    stand.applied(&job).await;
    assert_eq!(stand.puts(&job).await, 2);
    let place = "USER_OUTBOUND_USER / User → User";
    let alias = format!("{place} / Alias / source: Mid([userPrincipalName], 1, 8) → [mailNickname]");
    assert_eq!(stand.changes(&job).await, [format!("+ {place} / City: [state]"), alias]);
}
