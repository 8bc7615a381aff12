//! Faults that are switched on at run time, and the control API itself (CONTRACT §12).

use std::time::Duration;

use bed::graph::Seed;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::support::{APP, Bed, SECRET, SP, TENANT};

async fn jobs(bed: &Bed) -> usize {
    bed.sync("GET", "jobs", None).await.json()["value"].as_array().unwrap().len()
}

/// One create under a fault; whether there was an answer, and its status.
async fn create(bed: &Bed, action: Value) -> Option<u16> {
    bed.fault("createJob", action).await;
    let path = format!("servicePrincipals/{SP}/synchronization/jobs");
    bed.try_call("POST", &path, Some(json!({"templateId": "scim"}))).await.ok().map(|answer| answer.status)
}

#[tokio::test]
async fn an_answer_is_replaced_before_or_after_the_effect() {
    let bed = Bed::new().await;
    assert_eq!(create(&bed, json!({"respond": {"status": 504}})).await, Some(504));
    assert_eq!(jobs(&bed).await, 0);
    assert_eq!(create(&bed, json!({"respond": {"status": 504, "commit": true}})).await, Some(504));
    assert_eq!(jobs(&bed).await, 1);
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_the_effect() {
    let bed = Bed::with(json!({"duplicateCreate": "secondJob", "jobIds": "random"})).await;
    assert_eq!(create(&bed, json!({"drop": {}})).await, None);
    assert_eq!(jobs(&bed).await, 0);
    assert_eq!(create(&bed, json!({"drop": {"commit": true}})).await, None);
    assert_eq!(jobs(&bed).await, 1);
    assert_eq!(create(&bed, json!({"cutBody": {"afterBytes": 10}})).await, None);
    assert_eq!(jobs(&bed).await, 2);
}

#[tokio::test]
async fn an_effect_comes_after_the_connection_is_gone() {
    let bed = Bed::new().await;
    assert_eq!(create(&bed, json!({"lateCommit": {"millis": 1}})).await, None);
    while jobs(&bed).await == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_answer_never_comes() {
    let bed = Bed::new().await;
    bed.fault("createJob", json!({"hang": {"commit": true}})).await;
    let path = format!("servicePrincipals/{SP}/synchronization/jobs");
    let call = bed.call("POST", &path, Some(json!({"templateId": "scim"})));
    tokio::pin!(call);
    loop {
        tokio::select! {
            answer = &mut call => panic!("{answer:?}"),
            count = jobs(&bed) => if count == 1 { break },
        }
    }
}

#[tokio::test]
async fn slow_huge_and_compressed_bodies_are_still_the_body() {
    let bed = Bed::new().await;
    for action in [json!({"slowBody": {"chunkBytes": 50, "millis": 1}}), json!({"delay": {"millis": 1}})] {
        bed.fault("listJobs", action).await;
        assert_eq!(jobs(&bed).await, 0);
    }
    bed.fault("listJobs", json!({"hugeBody": {"bytes": 2_000_000}})).await;
    assert_eq!(bed.sync("GET", "jobs", None).await.text.len(), 2_000_000);
    bed.fault("listJobs", json!({"compressedBody": {"bytes": 5_000_000}})).await;
    let answer = bed.sync("GET", "jobs", None).await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert!(answer.text.len() < 50_000, "this client does not unpack");
}

#[tokio::test]
async fn a_delay_is_shorter_or_longer_by_its_jitter() {
    let (bed, mut shorter) = (Bed::new().await, 0);
    for _ in 0..8 {
        bed.fault("listJobs", json!({"delay": {"millis": 100, "jitterMillis": 90}})).await;
        let began = Instant::now();
        assert_eq!(jobs(&bed).await, 0);
        assert!(began.elapsed() >= Duration::from_millis(10));
        shorter += usize::from(began.elapsed() < Duration::from_millis(100));
    }
    assert!(shorter > 0);
}

#[tokio::test]
async fn bodies_are_mangled_in_every_way() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    let mangled = async |how: &str| {
        bed.fault("getJob", json!({"mangle": how})).await;
        bed.sync("GET", &format!("jobs/{id}"), None).await
    };
    assert_eq!(mangled("unknownEnums").await.json()["status"]["code"], "Hibernating");
    assert_eq!(mangled("extraFields").await.json()["new"]["a"], json!([1, null]));
    assert_eq!(mangled("emptyStatus").await.json()["status"], json!({}));
    let nulls = mangled("nulls").await.json();
    assert_eq!((&nulls["id"], &nulls["status"]), (&json!(id), &Value::Null));
    assert!(serde_json::from_str::<Value>(&mangled("truncatedJson").await.text).is_err());
    assert_eq!(mangled("html").await.header("content-type"), "text/html");
    let wrong = mangled("wrongContentType").await;
    assert_eq!((wrong.header("content-type"), &wrong.json()["id"]), ("text/html", &json!(id)));
    assert!(mangled("bom").await.text.starts_with('\u{feff}'));
    assert_eq!(mangled("emptyBody").await.text, "");
    bed.fault("listTemplates", json!({"mangle": "emptyTemplates"})).await;
    assert_eq!(bed.sync("GET", "templates", None).await.json()["value"], json!([]));
}

#[tokio::test]
async fn links_and_redirects_lead_astray() {
    let bed = Bed::new().await;
    bed.fault("listJobs", json!({"foreignNextLink": {"url": "https://other.example.test/x"}})).await;
    assert_eq!(bed.sync("GET", "jobs", None).await.json()["@odata.nextLink"], "https://other.example.test/x");
    bed.fault("listJobs", json!({"nextLinkLoop": {}})).await;
    let link = bed.sync("GET", "jobs", None).await.json()["@odata.nextLink"].clone();
    assert_eq!(link, format!("{}/v1.0/servicePrincipals/{SP}/synchronization/jobs", bed.url));
    bed.fault("listJobs", json!({"redirect": {"location": "https://other.example.test/", "status": 307}})).await;
    let answer = bed.sync("GET", "jobs", None).await;
    assert_eq!((answer.status, answer.header("location")), (307, "https://other.example.test/"));
}

#[tokio::test]
async fn a_fault_meets_only_the_calls_that_it_names() {
    let bed = Bed::new().await;
    let answer = json!({"respond": {"status": 503}});
    let fault = |name: &str, value: &str| json!({"operation": "listJobs", name: value, "action": answer});
    for (name, other, same) in [("servicePrincipalId", "x", SP), ("tenantId", "x", TENANT), ("callerAppId", "x", APP)] {
        bed.control.put_fault(&fault(name, other)).await.unwrap();
        assert_eq!(bed.sync("GET", "jobs", None).await.status, 200, "{name}");
        let id = bed.control.add_fault(&fault(name, same)).await.unwrap();
        assert_eq!(bed.sync("GET", "jobs", None).await.status, 503, "{name}");
        bed.control.clear_fault(&id).await.unwrap();
    }
    let counted = json!({"operation": "*", "skip": 1, "times": 1, "action": answer});
    bed.control.put_fault(&counted).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(bed.sync("GET", "jobs", None).await.status);
    }
    assert_eq!(seen, [200, 503, 200]);
}

#[tokio::test]
async fn what_the_control_api_does_not_know_it_refuses() {
    let bed = Bed::new().await;
    let refused = async |method: &str, path: &str, body: Value| {
        let error = bed.control.raw(method, path, Some(&body)).await.unwrap_err();
        error.to_string()
    };
    let tenant = format!("tenants/{TENANT}");
    assert!(refused("PUT", &tenant, json!({"pageSise": 1})).await.contains("pageSise"));
    assert!(refused("PUT", &tenant, json!({"duplicateCreate": "third"})).await.contains("third"));
    assert!(
        refused("PUT", &format!("{tenant}/servicePrincipals/x"), json!({"template": []})).await.contains("template")
    );
    assert!(
        refused("PUT", &format!("{tenant}/servicePrincipals/{SP}/jobs/j"), json!({"state": "x"}))
            .await
            .contains("state")
    );
    assert!(refused("POST", "faults", json!({"operation": "nope", "action": {"drop": {}}})).await.contains("nope"));
    assert!(
        refused("POST", "faults", json!({"operation": "*", "action": {"drop": {"comit": true}}}))
            .await
            .contains("comit")
    );
    assert!(refused("POST", "nope", json!({})).await.contains("control call"));
}

#[tokio::test]
async fn the_portal_makes_changes_and_removes_jobs_as_somebody_else() {
    let bed = Bed::new().await;
    let root = format!("tenants/{TENANT}/servicePrincipals/{SP}/jobs");
    let made = bed.control.raw("POST", &root, Some(&json!({"templateId": "scim"}))).await.unwrap();
    let id = made["id"].as_str().unwrap();
    for (action, state) in [("start", "Active"), ("pause", "Paused")] {
        bed.control.raw("POST", &format!("{root}/{id}/{action}"), None).await.unwrap();
        assert_eq!(bed.job(id).await["schedule"]["state"], state);
    }
    bed.control.delete_job(TENANT, SP, id).await.unwrap();
    assert_eq!(jobs(&bed).await, 0);
    let ledger = bed.control.raw("GET", "ledger?callerAppId=portal", None).await.unwrap();
    let done: Vec<&str> =
        ledger["value"].as_array().unwrap().iter().map(|entry| entry["operation"].as_str().unwrap()).collect();
    assert_eq!(done, ["createJob", "startJob", "pauseJob", "deleteJob"]);
}

#[tokio::test]
async fn any_part_of_a_job_can_be_put_until_the_job_changes() {
    let bed = Bed::new().await;
    let parts = json!({
        "templateId": "scim", "scheduleState": "Active", "code": "Active",
        "status": {"countSuccessiveCompleteFailures": 7, "progress": [{"completedUnits": 1, "totalUnits": 0}]},
        "schedule": {"interval": "PT1H"},
    });
    bed.control.put_job(TENANT, SP, "scim.any.id", &parts).await.unwrap();
    let job = bed.job("scim.any.id").await;
    assert_eq!((&job["schedule"]["interval"], &job["schedule"]["state"]), (&json!("PT1H"), &json!("Active")));
    assert_eq!(job["status"]["countSuccessiveCompleteFailures"], 7);
    bed.act("scim.any.id", "pause").await;
    let job = bed.job("scim.any.id").await;
    assert_eq!(
        (&job["schedule"]["interval"], &job["status"]["countSuccessiveCompleteFailures"]),
        (&json!("PT40M"), &json!(0))
    );
}

#[tokio::test]
async fn ledger_and_calls_are_filtered_and_cleared() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    bed.act(&id, "start").await;
    let find =
        async |query: &str| bed.control.raw("GET", query, None).await.unwrap()["value"].as_array().unwrap().clone();
    let first = find("ledger").await[0].clone();
    assert_eq!(
        (&first["operation"], &first["callerAppId"], &first["jobId"]),
        (&json!("createJob"), &json!(APP), &json!(id))
    );
    assert_eq!(find(&format!("ledger?since={}", first["sequence"])).await.len(), 1);
    assert_eq!(find(&format!("ledger?servicePrincipalId={SP}&operation=startJob")).await.len(), 1);
    assert_eq!(find("ledger?servicePrincipalId=x").await.len(), 0);
    assert_eq!(find("calls?operation=token").await.len(), 1);
    bed.control.raw("DELETE", "ledger", None).await.unwrap();
    bed.act(&id, "pause").await;
    assert_eq!(find("ledger").await[0]["sequence"], 3, "numbers go on");
}

#[tokio::test]
async fn a_seed_is_the_bodies_of_the_control_api() {
    let seed: Seed = serde_json::from_str(include_str!("../../seeds/example.json")).unwrap();
    let mut bed = Bed::start(Some(seed)).await;
    let app = json!({"secrets": [{"value": SECRET}], "roles": ["Synchronization.Read.All"]});
    bed.control.put_application(TENANT, APP, &app).await.unwrap();
    bed.sign_in().await;
    let job = bed.sync("GET", "jobs", None).await.json()["value"][0].clone();
    assert_eq!(
        (&job["status"]["code"], &job["status"]["quarantine"]["reason"]),
        (&json!("Quarantine"), &json!("EncounteredQuarantineException"))
    );
    assert!(serde_json::from_value::<Seed>(json!({"tenants": {}, "more": 1})).is_err());
}

#[tokio::test]
async fn the_clock_goes_on_from_where_it_stood() {
    let bed = Bed::new().await;
    let read = async || bed.control.raw("GET", "clock", None).await.unwrap();
    let stood = read().await;
    assert_eq!((&read().await, &stood["frozen"]), (&stood, &json!(true)));
    bed.control.resume_clock().await.unwrap();
    while read().await["now"] == stood["now"] {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(read().await["now"].as_str() > stood["now"].as_str());
}
