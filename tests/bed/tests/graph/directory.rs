//! Applications and service principals, pages, batches, headers (CONTRACT §1, §5, §6.1).

use serde_json::{Value, json};

use super::support::{APP, Bed, SP, TENANT};

#[tokio::test]
async fn service_principals_are_filtered_and_selected() {
    let bed = Bed::new().await;
    let path = "servicePrincipals?$filter=appId eq '6b5e1f3a-0000-4000-8000-000000000001'&$select=id,displayName";
    let found = bed.call("GET", path, None).await.json();
    assert_eq!(found["value"], json!([{"id": SP, "displayName": "Wiki"}]));
    let own = bed.call("GET", &format!("servicePrincipals(appId='{APP}')"), None).await.json();
    assert_eq!(own["displayName"], "entrain");
    let quoted = bed.call("GET", "servicePrincipals?$filter=displayName eq 'O''Hara'", None).await;
    assert_eq!((quoted.status, quoted.json()["value"].clone()), (200, json!([])));
    assert_eq!(bed.call("GET", "servicePrincipals?$filter=appId ne 'x'", None).await.status, 400);
    let missing = bed.call("GET", "servicePrincipals/nope", None).await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "Request_ResourceNotFound"));
}

#[tokio::test]
async fn an_application_id_in_the_place_of_a_service_principal_is_an_unknown_error() {
    let bed = Bed::new().await;
    let app =
        bed.call("GET", "applications?$filter=displayName eq 'Wiki'", None).await.json()["value"][0]["id"].clone();
    let path = format!("servicePrincipals/{}/synchronization/jobs", app.as_str().unwrap());
    let answer = bed.call("GET", &path, None).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "UnknownError"));
}

#[tokio::test]
async fn a_service_principal_without_templates_is_an_unknown_error() {
    let bed = Bed::new().await;
    bed.put_sp(json!({"templates": []})).await;
    assert_eq!(bed.sync("GET", "templates", None).await.code(), "UnknownError");
    bed.control.put_tenant(TENANT, &json!({"withoutTemplates": "emptyLists"})).await.unwrap();
    for list in ["templates", "jobs"] {
        let answer = bed.sync("GET", list, None).await;
        assert_eq!((answer.status, answer.json()["value"].clone()), (200, json!([])));
    }
    assert_eq!(bed.sync("GET", "secrets", None).await.code(), "UnknownError");
}

#[tokio::test]
async fn synchronization_is_addressed_by_app_id_only_where_the_switch_says() {
    let bed = Bed::new().await;
    let path = "servicePrincipals(appId='6b5e1f3a-0000-4000-8000-000000000001')/synchronization/jobs";
    assert_eq!(bed.call("GET", path, None).await.code(), "UnknownError");
    bed.control.put_tenant(TENANT, &json!({"addressingByAppId": "accepted"})).await.unwrap();
    assert_eq!(bed.call("GET", path, None).await.status, 200);
}

#[tokio::test]
async fn a_gallery_entry_becomes_an_application_with_a_service_principal() {
    let bed = Bed::new().await;
    let entry = "applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate";
    let made = bed.call("POST", entry, Some(json!({"displayName": "New"}))).await;
    assert_eq!(made.status, 201);
    let id = made.json()["servicePrincipal"]["id"].as_str().unwrap().to_owned();
    let templates = bed.call("GET", &format!("servicePrincipals/{id}/synchronization/templates"), None).await.json();
    assert_eq!(templates["value"][0]["id"], "scim");
}

#[tokio::test]
async fn pages_are_linked_until_the_last() {
    let bed = Bed::with(json!({"pageSize": 2, "duplicateCreate": "secondJob", "jobIds": "random"})).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(bed.create("scim").await);
    }
    let mut path = format!("/v1.0/servicePrincipals/{SP}/synchronization/jobs");
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = bed.send("GET", &path, None, &bed.token, &[]).await.unwrap().json();
        pages += 1;
        seen.extend(page["value"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        path = next.strip_prefix(&bed.url).unwrap().to_owned();
    }
    assert_eq!((seen, pages), (ids, 3));
    assert_eq!(bed.sync("GET", "jobs?$skiptoken=forged", None).await.status, 200);
    bed.control.put_tenant(TENANT, &json!({"foreignSkipTokens": "refused"})).await.unwrap();
    assert_eq!(bed.sync("GET", "jobs?$skiptoken=forged", None).await.status, 400);
}

#[tokio::test]
async fn every_answer_carries_the_ids_of_its_request() {
    let bed = Bed::new().await;
    let path = format!("/v1.0/servicePrincipals/{SP}/synchronization/jobs/nope");
    let answer = bed.send("GET", &path, None, &bed.token, &[("client-request-id", "mine")]).await.unwrap();
    assert_eq!((answer.status, answer.header("client-request-id")), (404, "mine"));
    let inner = answer.json()["error"]["innerError"].clone();
    assert_eq!(
        (&inner["client-request-id"], inner["request-id"].as_str().unwrap()),
        (&json!("mine"), answer.header("request-id"))
    );
    assert!(answer.header("date").ends_with(" GMT") && answer.header("x-ms-ags-diagnostic").contains("ServerInfo"));
    assert_eq!(answer.header("content-length"), "", "bodies are chunked");
    let calls = bed.control.raw("GET", "calls?operation=getJob", None).await.unwrap();
    assert_eq!((&calls["value"][0]["clientRequestId"], &calls["value"][0]["status"]), (&json!("mine"), &json!(404)));
}

fn part(id: &str, method: &str, url: &str) -> Value {
    json!({"id": id, "method": method, "url": url})
}

/// Status by id.
async fn statuses(bed: &Bed, requests: Value) -> Vec<(String, u64)> {
    let answer = bed.call("POST", "$batch", Some(json!({"requests": requests}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    let mut all: Vec<(String, u64)> = body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["id"].as_str().unwrap().to_owned(), part["status"].as_u64().unwrap()))
        .collect();
    all.sort();
    all
}

fn expected(all: &[(&str, u64)]) -> Vec<(String, u64)> {
    all.iter().map(|(id, status)| ((*id).to_owned(), *status)).collect()
}

#[tokio::test]
async fn parts_of_a_batch_succeed_fail_and_wait_for_each_other() {
    let bed = Bed::new().await;
    let jobs = format!("/servicePrincipals/{SP}/synchronization/jobs");
    let mut create = part("a", "POST", &jobs);
    create["headers"] = json!({"Content-Type": "application/json"});
    create["body"] = json!({"templateId": "Nope"});
    let mut dependent = part("b", "GET", &jobs);
    dependent["dependsOn"] = json!(["a"]);
    assert_eq!(statuses(&bed, json!([create, dependent])).await, expected(&[("a", 400), ("b", 424)]));
    let parts = json!([part("1", "GET", &jobs), part("2", "GET", &format!("{jobs}/nope"))]);
    assert_eq!(statuses(&bed, parts).await, expected(&[("1", 200), ("2", 404)]));
}

#[tokio::test]
async fn a_part_of_a_batch_is_throttled_alone() {
    let bed = Bed::with(json!({"throttling": "small", "resourceUnitLimit": 1})).await;
    let jobs = format!("/servicePrincipals/{SP}/synchronization/jobs");
    let answer = bed
        .call("POST", "$batch", Some(json!({"requests": [part("1", "GET", &jobs), part("2", "GET", &jobs)]})))
        .await
        .json();
    let refused = answer["responses"].as_array().unwrap().iter().find(|part| part["status"] == 429).unwrap();
    assert_eq!((&refused["id"], &refused["headers"]["retry-after"]), (&json!("2"), &json!("10")));
}

#[tokio::test]
async fn a_malformed_batch_is_refused_as_a_whole() {
    let bed = Bed::new().await;
    let jobs = format!("/servicePrincipals/{SP}/synchronization/jobs");
    let many: Vec<Value> = (0..21).map(|id| part(&id.to_string(), "GET", &jobs)).collect();
    let mut bodiless = part("1", "POST", &jobs);
    bodiless["body"] = json!({});
    let mut early = part("1", "GET", &jobs);
    early["dependsOn"] = json!(["2"]);
    for requests in
        [json!(many), json!([part("a", "GET", &jobs), part("A", "GET", &jobs)]), json!([bodiless]), json!([early])]
    {
        assert_eq!(bed.call("POST", "$batch", Some(json!({"requests": requests}))).await.status, 400);
    }
}
