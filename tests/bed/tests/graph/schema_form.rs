//! A schema does not come back as it was PUT (CONTRACT §3.8): versions, order, spaces, members, expressions, refusals.

use serde_json::{Value, json};

use super::support::{Bed, SP, TENANT, state};

/// A job whose schema is this fixture.
async fn job(bed: &Bed, fixture: &str) -> String {
    bed.control.put_template_schema(TENANT, SP, "scim", &json!({"fixture": fixture})).await.unwrap();
    bed.running().await
}

async fn settings(bed: &Bed, settings: Value) {
    bed.control.put_tenant(TENANT, &settings).await.unwrap();
}

async fn get(bed: &Bed, id: &str) -> Value {
    let answer = bed.sync("GET", &format!("jobs/{id}/schema"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn put(bed: &Bed, id: &str, schema: &Value) -> super::support::Answer {
    bed.sync("PUT", &format!("jobs/{id}/schema"), Some(schema.clone())).await
}

/// PUT, which succeeds, and what is read then.
async fn round_trip(bed: &Bed, id: &str, schema: &Value) -> Value {
    let answer = put(bed, id, schema).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    get(bed, id).await
}

/// Reads, changes and PUTs, and returns what is read then.
async fn change(bed: &Bed, id: &str, edit: impl FnOnce(&mut Value)) -> Value {
    let mut schema = get(bed, id).await;
    edit(&mut schema);
    round_trip(bed, id, &schema).await
}

fn users(schema: &Value) -> &Value {
    let mut objects = schema["synchronizationRules"][0]["objectMappings"].as_array().unwrap().iter();
    objects.find(|object| object["name"].as_str().is_some_and(|name| name.contains("Users"))).unwrap()
}

fn users_mut(schema: &mut Value) -> &mut Value {
    let mut objects = schema["synchronizationRules"][0]["objectMappings"].as_array_mut().unwrap().iter_mut();
    objects.find(|object| object["name"].as_str().is_some_and(|name| name.contains("Users"))).unwrap()
}

fn mappings(schema: &Value) -> &Vec<Value> {
    users(schema)["attributeMappings"].as_array().unwrap()
}

fn mapping<'a>(schema: &'a Value, target: &str) -> &'a Value {
    mappings(schema).iter().find(|mapping| mapping["targetAttributeName"] == target).unwrap()
}

fn add(schema: &mut Value, mapping: &Value) {
    users_mut(schema)["attributeMappings"].as_array_mut().unwrap().push(mapping.clone());
}

fn written(target: &str, expression: &str) -> Value {
    json!({"targetAttributeName": target, "source": {"type": "Function", "expression": expression}})
}

#[tokio::test]
async fn what_was_read_is_put_and_comes_back_in_the_services_form() {
    let bed = Bed::new().await;
    let job = job(&bed, "scim-large").await;
    for fixture in bed::graph::fixtures::NAMES {
        let whole = Value::clone(&bed::graph::fixtures::schema(fixture).unwrap());
        bed.control.put_job(TENANT, SP, &job, &json!({"schema": whole})).await.unwrap();
        let mut before = get(&bed, &job).await;
        before["synchronizationRules"][0]["objectMappings"][0]["scope@odata.context"] = json!("x");
        let after = round_trip(&bed, &job, &before).await;
        let version = after["version"].as_str().unwrap();
        assert!(version.starts_with("Date:2") && version.contains("Z, ActivityId:"), "{version}");
        assert_eq!((&after["directories"][0]["version"], &after["id"]), (&after["version"], &json!(job)), "{fixture}");
        let text = after.to_string();
        assert!(!text.contains("\"Add,Update") && !text.contains("scope@odata"), "{fixture}");
        let names: Vec<&str> =
            mappings(&after).iter().map(|found| found["targetAttributeName"].as_str().unwrap()).collect();
        assert!(names.is_sorted() && names.len() == mappings(&before).len(), "{fixture}: {names:?}");
        let attribute = &after["directories"][0]["objects"][0]["attributes"][0];
        assert_eq!(attribute["flowNullValues"], false, "{fixture}: what was left out is filled in");
        // Once in form it stays, but for the version.
        let mut again = round_trip(&bed, &job, &after).await;
        assert_ne!(again["version"], after["version"]);
        let version = after["version"].clone();
        again["version"] = version.clone();
        again["directories"].as_array_mut().unwrap().iter_mut().for_each(|found| found["version"] = version.clone());
        assert_eq!(again, after, "{fixture}");
    }
}

#[tokio::test]
async fn versions_have_the_form_of_the_switch() {
    let bed = Bed::new().await;
    let id = job(&bed, "cross-tenant").await;
    settings(&bed, json!({"schemaVersions": "numbered", "directoryVersions": "kept"})).await;
    let read = change(&bed, &id, |_| {}).await;
    assert_eq!(read["version"], "v1.3");
    let kept: Vec<&Value> = read["directories"].as_array().unwrap().iter().map(|found| &found["version"]).collect();
    assert_eq!(kept, ["v1.6", "v1.4"]);
    settings(&bed, json!({"schemaVersions": "guid"})).await;
    let read = change(&bed, &id, |_| {}).await;
    assert!(read["version"].as_str().unwrap().parse::<uuid::Uuid>().is_ok(), "{}", read["version"]);
    assert_eq!(read["directories"][0]["version"], read["version"]);
}

#[tokio::test]
async fn flow_types_have_the_spaces_of_the_switch() {
    let bed = Bed::new().await;
    let id = job(&bed, "scim-large").await;
    for (switch, expected) in [("compact", "Add,Update"), ("asSent", "Update ,Add"), ("spaced", "Add, Update")] {
        settings(&bed, json!({"flowTypes": switch})).await;
        let read = change(&bed, &id, |schema| users_mut(schema)["flowTypes"] = json!("Update ,Add")).await;
        assert_eq!(users(&read)["flowTypes"], expected);
    }
}

#[tokio::test]
async fn collections_have_the_order_of_the_switch() {
    let bed = Bed::new().await;
    let id = job(&bed, "scim-large").await;
    let new = written("addresses[type eq \"work\"].region", "[state]");
    let place = |schema: &Value| {
        mappings(schema).iter().position(|found| found["targetAttributeName"] == new["targetAttributeName"])
    };
    settings(&bed, json!({"schemaOrder": "asSent"})).await;
    let read = change(&bed, &id, |schema| add(schema, &new)).await;
    assert_eq!(place(&read), Some(mappings(&read).len() - 1));
    settings(&bed, json!({"schemaOrder": "sorted"})).await;
    assert!(place(&change(&bed, &id, |_| {}).await) < Some(5));
    settings(&bed, json!({"schemaOrder": "shuffled"})).await;
    let (one, other) = (get(&bed, &id).await, get(&bed, &id).await);
    assert_ne!(one, other);
    let sorted = |schema: &Value| {
        let mut all: Vec<String> = mappings(schema).iter().map(Value::to_string).collect();
        all.sort();
        all
    };
    assert_eq!(sorted(&one), sorted(&other), "the same in another order");
    let parameters = |schema: &Value| mapping(schema, "name.formatted")["source"]["parameters"].clone();
    assert_eq!(parameters(&one), parameters(&other), "arguments have an order");
}

#[tokio::test]
async fn absent_members_are_filled_or_dropped_or_left() {
    let bed = Bed::new().await;
    let id = job(&bed, "scim-large").await;
    let new = json!({"targetAttributeName": "timezone", "defaultValue": null, "source": null});
    for (switch, scope, default, behavior) in [
        ("asSent", Some(Value::Null), Some(Value::Null), None),
        ("filled", Some(Value::Null), Some(Value::Null), Some(json!("FlowWhenChanged"))),
        ("dropped", None, None, Some(json!("FlowWhenChanged"))),
    ] {
        settings(&bed, json!({"absentMembers": switch})).await;
        let read = change(&bed, &id, |schema| {
            if switch == "asSent" {
                add(schema, &new);
            }
        })
        .await;
        let found = mapping(&read, "timezone");
        assert_eq!(users(&read).get("scope").cloned(), scope, "{switch}");
        assert_eq!(found.get("defaultValue").cloned(), default, "{switch}");
        assert_eq!(found.get("flowBehavior").cloned(), behavior, "{switch}");
    }
}

#[tokio::test]
async fn invented_members_are_dropped_or_kept_or_refused() {
    let bed = Bed::new().await;
    let id = job(&bed, "cross-tenant").await;
    let mut schema = get(&bed, &id).await;
    users_mut(&mut schema)["attributeMappings"][0]["mappingType"] = json!("Direct");
    for (switch, status, kept) in [("dropped", 204, false), ("kept", 204, true), ("refused", 400, true)] {
        settings(&bed, json!({"inventedMembers": switch})).await;
        assert_eq!(put(&bed, &id, &schema).await.status, status, "{switch}");
        assert_eq!(get(&bed, &id).await.to_string().contains("mappingType"), kept, "{switch}");
    }
}

#[tokio::test]
async fn sources_come_back_parsed_or_as_they_were_sent() {
    let bed = Bed::new().await;
    let id = job(&bed, "cross-tenant").await;
    let new = written("city", r#"Replace([preferredLanguage], "-", , , "_", ,  )"#);
    settings(&bed, json!({"expressions": "asSent"})).await;
    let read = change(&bed, &id, |schema| add(schema, &new)).await;
    assert_eq!(mapping(&read, "city")["source"]["expression"], new["source"]["expression"]);
    settings(&bed, json!({})).await;
    let read = change(&bed, &id, |_| {}).await;
    let source = &mapping(&read, "city")["source"];
    assert_eq!(
        (&source["name"], &source["expression"]),
        (&json!("Replace"), &json!(r#"Replace([preferredLanguage], "-", , , "_", , )"#))
    );
    assert_eq!(source["parameters"].as_array().unwrap().len(), 3, "filled from the expression");
    let read = change(&bed, &id, |schema| {
        add(schema, &json!({"targetAttributeName": "country", "source": {"type": "Attribute", "name": "country"}}));
    })
    .await;
    assert_eq!(mapping(&read, "country")["source"]["expression"], "[country]", "of type and name");
}

#[tokio::test]
async fn two_mappings_to_one_attribute_are_kept_or_refused() {
    let bed = Bed::new().await;
    let id = job(&bed, "cross-tenant").await;
    let mut schema = get(&bed, &id).await;
    add(&mut schema, &written("displayName", "[mail]"));
    settings(&bed, json!({"duplicateMappings": "refused"})).await;
    assert_eq!(put(&bed, &id, &schema).await.status, 400);
    settings(&bed, json!({})).await;
    let read = round_trip(&bed, &id, &schema).await;
    assert_eq!(mappings(&read).iter().filter(|found| found["targetAttributeName"] == "displayName").count(), 2);
}

#[tokio::test]
async fn a_rule_that_is_not_editable_is_guarded_as_the_switch_says() {
    let bed = Bed::new().await;
    let id = job(&bed, "salesforce-like").await;
    let second = |schema: &Value| schema["synchronizationRules"][1].clone();
    let before = get(&bed, &id).await;
    let mut changed = before.clone();
    changed["synchronizationRules"][1]["objectMappings"][0]["enabled"] = json!(true);
    let mut without = before.clone();
    without["synchronizationRules"].as_array_mut().unwrap().pop();
    for schema in [&changed, &without] {
        assert_eq!(put(&bed, &id, schema).await.status, 400);
    }
    settings(&bed, json!({"readOnlyRules": "ignored", "schemaOrder": "asSent"})).await;
    for schema in [&changed, &without] {
        let read = round_trip(&bed, &id, schema).await;
        assert_eq!(second(&read)["objectMappings"][0]["enabled"], false);
    }
    settings(&bed, json!({"readOnlyRules": "accepted", "schemaOrder": "asSent"})).await;
    assert_eq!(second(&round_trip(&bed, &id, &changed).await)["objectMappings"][0]["enabled"], true);
    assert!(second(&round_trip(&bed, &id, &without).await).is_null());
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let bed = Bed::new().await;
    let id = job(&bed, "cross-tenant").await;
    let before = get(&bed, &id).await;
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut schema = before.clone();
        edit(&mut schema);
        schema
    };
    let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let refused = [
        with(&|schema| schema["synchronizationRules"][0]["id"] = json!("4c5ecfa1-a072-4460-b1c3-4adde3479854")),
        with(&|schema| schema["synchronizationRules"][0] = json!("a rule")),
        with(&|schema| add(schema, &written("city", &text(10_001)))),
        with(&|schema| add(schema, &written("city", "Append([mail]"))),
        with(&|schema| add(schema, &written("city", ""))),
        json!({"directories": []}),
        json!([]),
    ];
    for (switch, status, code) in
        [("badRequest", 400, "BadRequest"), ("unknownError", 400, "UnknownError"), ("serverError", 500, "UnknownError")]
    {
        settings(&bed, json!({"refusedSchema": switch})).await;
        for schema in &refused {
            let answer = put(&bed, &id, schema).await;
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{switch}: {}", answer.text);
        }
    }
    assert_eq!(get(&bed, &id).await, before);
    assert_eq!((bed.ledger("putSchema").await, state(&bed.job(&id).await)), (0, ("Active", "Active")));
    change(&bed, &id, |schema| add(schema, &written("city", &text(10_000)))).await;
    settings(&bed, json!({})).await;
    change(&bed, &id, |schema| add(schema, &written("city", "Fancy([mail])"))).await;
    settings(&bed, json!({"unknownFunctions": "refused"})).await;
    let schema = get(&bed, &id).await;
    assert!(put(&bed, &id, &schema).await.text.contains("Fancy"));
}

#[tokio::test]
async fn a_rule_without_an_id_is_found_by_its_name() {
    let bed = Bed::new().await;
    let id = job(&bed, "cross-tenant").await;
    let before = get(&bed, &id).await;
    let read = change(&bed, &id, |schema| {
        schema["synchronizationRules"][0].as_object_mut().unwrap().remove("id");
        schema["directories"][0].as_object_mut().unwrap().remove("id");
    })
    .await;
    assert_eq!(read["synchronizationRules"][0]["id"], before["synchronizationRules"][0]["id"]);
    assert!(read["directories"][0]["id"].is_string());
}

#[tokio::test]
async fn a_read_shows_the_schema_before_a_change_for_a_while() {
    let bed = Bed::new().await;
    let id = job(&bed, "cross-tenant").await;
    settings(&bed, json!({"schemaLagMillis": 60_000})).await;
    let before = get(&bed, &id).await;
    let mut schema = before.clone();
    users_mut(&mut schema)["enabled"] = json!(false);
    assert_eq!(put(&bed, &id, &schema).await.status, 204);
    assert_eq!(get(&bed, &id).await, before, "of an older time");
    let really = bed.control.schema(TENANT, SP, &id).await.unwrap();
    assert_eq!(users(&really)["enabled"], false);
    settings(&bed, json!({"schemaLagMillis": 60_000, "flapping": true})).await;
    let seen = [users(&get(&bed, &id).await)["enabled"].clone(), users(&get(&bed, &id).await)["enabled"].clone()];
    assert_ne!(seen[0], seen[1], "by one replica of two");
    settings(&bed, json!({"schemaLagMillis": 60_000})).await;
    bed.advance(60).await;
    assert_eq!(users(&get(&bed, &id).await)["enabled"], false);
    assert_eq!(bed.sync("DELETE", &format!("jobs/{id}/schema"), None).await.status, 204);
    assert_eq!(users(&get(&bed, &id).await)["enabled"], false, "a reset lags, too");
    bed.advance(60).await;
    assert_eq!(get(&bed, &id).await, before, "the template's");
}

#[tokio::test]
async fn faults_meet_the_schema_routes() {
    let bed = Bed::new().await;
    let id = job(&bed, "cross-tenant").await;
    let path = format!("jobs/{id}/schema");
    let mut schema = get(&bed, &id).await;
    let version = async || bed.control.schema(TENANT, SP, &id).await.unwrap()["version"].clone();
    let first = version().await;
    bed.fault("putSchema", json!({"respond": {"status": 429, "headers": {"Retry-After": "3"}}})).await;
    assert_eq!((put(&bed, &id, &schema).await.status, version().await), (429, first.clone()));
    bed.fault("putSchema", json!({"respond": {"status": 503, "commit": true}})).await;
    assert_eq!(put(&bed, &id, &schema).await.status, 503);
    let second = version().await;
    assert_ne!(second, first, "carried out in spite of the answer");
    users_mut(&mut schema)["enabled"] = json!(false);
    bed.fault("putSchema", json!({"drop": {"commit": true}})).await;
    let url = format!("servicePrincipals/{SP}/synchronization/{path}");
    assert!(bed.try_call("PUT", &url, Some(schema.clone())).await.is_err(), "the answer is lost");
    assert_eq!(users(&get(&bed, &id).await)["enabled"], false);
    let third = version().await;
    bed.fault("putSchema", json!({"lateCommit": {"millis": 300}})).await;
    assert!(bed.try_call("PUT", &url, Some(schema)).await.is_err());
    assert_eq!(version().await, third, "not yet");
    tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while version().await == third {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    bed.fault("getSchema", json!({"slowBody": {"chunkBytes": 10_000, "millis": 1}})).await;
    assert!(get(&bed, &id).await["directories"].is_array());
    bed.fault("getSchema", json!({"mangle": "truncatedJson"})).await;
    assert!(serde_json::from_str::<Value>(&bed.sync("GET", &path, None).await.text).is_err());
    bed.fault("parseExpression", json!({"respond": {"status": 500}})).await;
    assert_eq!(
        bed.sync("POST", &format!("{path}/parseExpression"), Some(json!({"expression": "[a]"}))).await.status,
        500
    );
}
