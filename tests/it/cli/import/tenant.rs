//! A whole tenant of two hundred jobs.

use serde_json::{Value, json};

use super::super::Review;
use super::documents;
use crate::stack::plane::shared;

const APPS: usize = 260;
const TEMPLATES: [&str; 4] = ["BoxOutDelta", "scim", "gsuite", "Azure2Azure"];

/// Four in five have a job; some have two of different templates, share a name, or have odd values.
async fn seed(review: &Review) -> usize {
    let mut count = 0;
    for number in 0..APPS {
        let template = TEMPLATES[number % TEMPLATES.len()];
        let mut jobs = json!({});
        if number % 5 != 0 {
            let state = ["Active", "Paused", "Disabled"][number % 3];
            jobs[format!("{template}.7f0c.{number}")] = json!({"scheduleState": state});
        }
        if number % 26 == 1 {
            jobs[format!("aws.7f0c.{number}")] = json!({"scheduleState": "Active"});
        }
        count += jobs.as_object().unwrap().len();
        let name = ["yes", "012", "1e3", "null", "Gehälter 2024", "12:30:45"].get(number % 40).copied();
        let notified = json!({"Enabled": number % 2 == 0, "Recipients": "ops@example.com", "DeleteThresholdEnabled": true, "DeleteThresholdValue": number + 1});
        let odd =
            ["yes", "0x1F", "~", "1_000", "2026-01-01", "- a: b", "=", "a: b # c", "'\"", "\u{1f600}"][number % 10];
        let secrets = json!([{"key": "SyncAll", "value": if number % 2 == 0 { "True" } else { "false" }},
            {"key": "SkipOutOfScopeDeletions", "value": "False"}, {"key": "Domain", "value": odd},
            {"key": "SyncNotificationSettings", "value": notified.to_string()}, {"key": "SecretToken", "value": "s"}]);
        let secrets = if number % 7 == 0 { json!([]) } else { secrets };
        let mut body = json!({"jobs": jobs, "secrets": secrets});
        if let Some(name) = name {
            body["displayName"] = name.into();
        }
        review.principal(number, &body).await;
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_two_hundred_jobs_is_imported_admitted_and_nothing_would_change() {
    let review = Review::begin().await;
    let count = seed(&review).await;
    assert!(count >= 200, "{count}");
    review.control.put_tenant(&review.demo.tenant_id, &json!({"pageSize": 100})).await.unwrap();
    let run = review.import(&["--output-dir", "jobs", "--credentials"]).await;
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    // Those of the demo, the application itself, and ours.
    let last = run.err.lines().last().unwrap();
    assert_eq!(last, format!("read {0} of {0} service principals, {count} jobs", APPS + 4));
    assert!(run.err.lines().all(|line| line.starts_with("read ")), "{}", run.err);
    assert_eq!((review.arrived("listServicePrincipals").await, review.files("jobs").len()), (3, count));
    assert_eq!(review.arrived("getSecrets").await, arrived_for_jobs());
    assert_eq!(review.written().await, Vec::<Value>::new());

    review.nothing_would_change("jobs", count).await;

    let stream = review.import(&["--credentials"]).await;
    assert_eq!(documents(&stream.out).len(), count, "the same as one stream");
    let jobs = review.dir.path().join("jobs").display().to_string();
    let admit = move || {
        shared().try_kubectl(&["create", "--dry-run=server", "--validate=strict", "--namespace=default", "-f", &jobs])
    };
    let admitted = tokio::task::spawn_blocking(admit).await.unwrap().unwrap();
    assert_eq!(admitted.lines().count(), count, "{admitted}");
}

/// How many service principals have jobs, and are asked for their settings.
fn arrived_for_jobs() -> usize {
    (0..APPS).filter(|number| number % 5 != 0 || number % 26 == 1).count()
}
