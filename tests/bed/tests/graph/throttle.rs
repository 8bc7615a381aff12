//! Throttling (graph-api §7): buckets for each application and tenant, and what a 429 says.

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
async fn provisioning_on_demand_is_allowed_five_times_in_ten_seconds() {
    let bed = Bed::with(json!({"throttling": "medium"})).await;
    let id = bed.create("scim").await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(
            bed.sync("POST", &format!("jobs/{id}/provisionOnDemand"), Some(json!({"parameters": []}))).await.status,
        );
    }
    assert_eq!(seen, [400, 400, 400, 400, 400, 429]);
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
