//! Throttling (CONTRACT §7): buckets for each application and tenant, and what a 429 says.

use serde_json::json;

use super::support::{APP, Bed, SP, TENANT};

#[tokio::test]
async fn nothing_is_throttled_unless_the_tenant_says_so() {
    let bed = Bed::with(json!({"resourceUnitLimit": 1})).await;
    for _ in 0..5 {
        let answer = bed.sync("GET", "jobs", None).await;
        assert_eq!((answer.status, answer.header("x-ms-resource-unit")), (200, ""));
    }
}

#[tokio::test]
async fn the_bucket_empties_and_fills_with_the_clock() {
    let bed = Bed::with(json!({"throttling": "small", "resourceUnitLimit": 4})).await;
    for share in ["", "", "", "1.0"] {
        let answer = bed.sync("GET", "jobs", None).await;
        assert_eq!((answer.status, answer.header("x-ms-resource-unit")), (200, "1"));
        assert_eq!(answer.header("x-ms-throttle-limit-percentage"), share);
        bed.advance(1).await;
    }
    let refused = bed.sync("GET", "jobs", None).await;
    assert_eq!((refused.status, refused.code().as_str(), refused.header("retry-after")), (429, "TooManyRequests", "6"));
    assert_eq!(refused.header("x-ms-throttle-scope"), format!("Tenant_Application/ReadWrite/{APP}/{TENANT}"));
    assert_eq!(refused.header("x-ms-throttle-information"), "ResourceUnitLimitExceeded");
    let body = refused.json();
    assert!(body["error"]["message"].as_str().unwrap().contains("category:aadgraph.app.tenant_small"), "{body}");
    assert_eq!(
        (&body["error"]["innerError"]["code"], &body["error"]["innerError"]["status"]),
        (&json!("429"), &json!("429"))
    );
    bed.advance(10).await;
    assert_eq!(bed.sync("GET", "jobs", None).await.status, 200);
}

#[tokio::test]
async fn refused_requests_count_too() {
    let bed = Bed::with(json!({"throttling": "small", "resourceUnitLimit": 2})).await;
    for expected in [200, 200, 429] {
        assert_eq!(bed.sync("GET", "jobs", None).await.status, expected);
    }
    bed.advance(9).await;
    assert_eq!(bed.sync("GET", "jobs", None).await.status, 429);
    assert_eq!(bed.sync("GET", "jobs", None).await.status, 429);
    bed.advance(1).await;
    assert_eq!(bed.sync("GET", "jobs", None).await.status, 429, "the two early ones are still in the bucket");
}

#[tokio::test]
async fn writes_have_a_bucket_of_their_own() {
    let bed = Bed::with(json!({"throttling": "large", "writeLimit": 1})).await;
    bed.create("scim").await;
    let refused = bed.sync("POST", "jobs", Some(json!({"templateId": "scim"}))).await;
    assert_eq!((refused.status, refused.header("x-ms-throttle-information")), (429, "WriteLimitExceeded"));
    assert!(refused.header("x-ms-throttle-scope").starts_with("Tenant_Application/Write/"));
    assert_eq!(refused.header("retry-after"), "150");
    assert_eq!(bed.ledger("createJob").await, 1, "a refused request does nothing");
    assert_eq!(bed.sync("GET", "jobs", None).await.status, 200);
}

#[tokio::test]
async fn provisioning_on_demand_is_allowed_five_times_in_ten_seconds_whatever_the_tenant_says() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(
            bed.sync("POST", &format!("jobs/{id}/provisionOnDemand"), Some(json!({"parameters": []}))).await.status,
        );
    }
    assert_eq!(seen, [400, 400, 400, 400, 400, 429]);
}

/// Another tenant, and a token for an application in it.
async fn elsewhere(bed: &Bed, tenant: &str, app: &str, settings: &serde_json::Value) -> String {
    bed.control.put_tenant(tenant, settings).await.unwrap();
    let body = json!({"roles": ["Synchronization.ReadWrite.All"]});
    bed.control.put_application(tenant, app, &body).await.unwrap();
    let body = json!({"appId": "a", "templates": ["scim", "BoxOutDelta"]});
    bed.control.put_service_principal(tenant, SP, &body).await.unwrap();
    let token = bed.control.raw("POST", &format!("tenants/{tenant}/applications/{app}/token"), Some(&json!({}))).await;
    token.unwrap()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_application_has_buckets_over_all_tenants() {
    for (name, method, kind, wait) in [
        ("applicationUnitLimit", "GET", "ReadWrite", "20"),
        ("requestLimit", "GET", "ReadWrite", "10"),
        ("applicationWriteLimit", "POST", "Write", "300"),
    ] {
        let settings = json!({"throttling": "small", name: 2, "duplicateCreate": "returnExisting"});
        let bed = Bed::with(settings.clone()).await;
        let (other, third) = ("11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002");
        let same = elsewhere(&bed, other, APP, &settings).await;
        let stranger = elsewhere(&bed, third, "another", &settings).await;
        let path = format!("/v1.0/servicePrincipals/{SP}/synchronization/jobs");
        let ask = async |token: &str| {
            let body = (method == "POST").then(|| json!({"templateId": "scim"}));
            bed.send(method, &path, body, token, &[]).await.unwrap()
        };
        assert_eq!((ask(&bed.token).await.status < 300, ask(&same).await.status < 300), (true, true));
        let refused = ask(&same).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, wait), "{name}");
        assert_eq!(refused.header("x-ms-throttle-scope"), format!("Application/{kind}/{APP}/{other}"));
        assert!(ask(&stranger).await.status < 300, "another application has buckets of its own");
    }
}

#[tokio::test]
async fn a_tenant_has_a_bucket_of_writes_over_all_applications() {
    let settings = json!({"throttling": "small", "tenantWriteLimit": 2, "duplicateCreate": "returnExisting"});
    let bed = Bed::with(settings.clone()).await;
    let second = elsewhere(&bed, TENANT, "another", &settings).await;
    let path = format!("/v1.0/servicePrincipals/{SP}/synchronization/jobs");
    let create =
        async |token: &str| bed.send("POST", &path, Some(json!({"templateId": "scim"})), token, &[]).await.unwrap();
    assert_eq!((create(&bed.token).await.status, create(&second).await.status), (201, 201));
    let refused = create(&second).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "300"));
    assert_eq!(refused.header("x-ms-throttle-scope"), format!("Tenant/Write/another/{TENANT}"));
    bed.advance(300).await;
    assert_eq!(create(&second).await.status, 201);
}

#[tokio::test]
async fn the_wait_comes_in_every_form_or_not_at_all() {
    for (form, expected) in [("seconds", "10"), ("none", ""), ("fractional", "10.000"), ("date", "GMT")] {
        let settings =
            json!({"throttling": "small", "resourceUnitLimit": 1, "retryAfter": form, "throttledCode": "unknownError"});
        let bed = Bed::with(settings).await;
        bed.sync("GET", "jobs", None).await;
        let refused = bed.sync("GET", "jobs", None).await;
        assert_eq!((refused.status, refused.code().as_str()), (429, "UnknownError"));
        let wait = refused.header("retry-after");
        assert!(if form == "date" { wait.ends_with(expected) } else { wait == expected }, "{form}: {wait}");
    }
}

#[tokio::test]
async fn applications_cost_more_and_a_selection_less() {
    let bed = Bed::with(json!({"throttling": "small"})).await;
    let cost = async |path: &str| bed.call("GET", path, None).await.header("x-ms-resource-unit").to_owned();
    assert_eq!(cost("applications").await, "2");
    assert_eq!(cost("applications?$select=id").await, "1");
    assert_eq!(cost(&format!("servicePrincipals/{SP}?$select=id")).await, "1");
}
