//! What one manifest says.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::{Review, WIKI};
use super::{BOX_JOB, documents, named};

/// Settings in the spellings that the service uses, and credentials of which one is not shown.
fn set() -> Value {
    let notifications = json!({"Enabled": "true", "Recipients": "ops@example.com; iam@example.com",
        "DeleteThresholdEnabled": true, "DeleteThresholdValue": "500", "HumanResourcesLookaheadQueryEnabled": false});
    json!([
        {"key": "BaseAddress", "value": "https://wiki.example.test/scim"}, {"key": "SecretToken", "value": "canary"},
        {"key": "SyncAll", "value": "False"}, {"key": "SkipOutOfScopeDeletions", "value": "True"},
        {"key": "SyncNotificationSettings", "value": notifications.to_string()},
    ])
}

#[tokio::test]
async fn one_service_principal_is_written_as_it_is() {
    let review = Review::begin().await;
    let (tenant, box_) = (&review.demo.tenant_id, review.demo.service_principal_id.clone());
    review.job(&box_, BOX_JOB, "Active").await;
    review.job(WIKI, "scim.7f0c.1", "Active").await;
    review.control.put_secrets(tenant, &box_, &set()).await.unwrap();
    let arguments = ["--service-principal", &format!("/servicePrincipals/{}", box_.to_uppercase()), "--credentials"];
    let arguments =
        [&arguments[..], &["--namespace", "identity", "--tenant-ref", "ClusterEntraTenant/contoso"]].concat();
    let run = review.import(&[&arguments[..], &["--mode", "Plan"]].concat()).await;
    assert_eq!((run.code, run.err.as_str()), (0, "read 1 of 1 service principal, 1 job\n"), "{}", run.out);
    assert_snapshot!("one", run.out);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/import.md")).unwrap();
    assert!(page.contains(&run.out), "docs/import.md shows another manifest");
    assert!(!run.out.contains("canary"));
    review.write("jobs/box.yaml", &run.out);
    review.nothing_would_change_with_secrets("jobs").await;
    assert_eq!(review.written().await, Vec::<Value>::new());
}

impl Review {
    /// Mode Plan is a note in a plan.
    async fn nothing_would_change_with_secrets(&self, path: &str) {
        let run = self.plan(&["-f", path]).await;
        assert_eq!(run.code, 0, "{}{}", run.out, run.err);
        assert!(run.out.ends_with("Plan: no changes, 1 unchanged.\n") && !run.out.contains("Would"), "{}", run.out);
    }
}

#[tokio::test]
async fn without_flags_a_manifest_has_no_namespace_no_tenant_no_mode_and_no_credentials() {
    let review = Review::begin().await;
    let box_ = review.demo.service_principal_id.clone();
    review.job(&box_, BOX_JOB, "Paused").await;
    let run = review.import(&["--service-principal", &box_]).await;
    let expected = json!({"servicePrincipalId": box_, "templateId": "BoxOutDelta", "state": "Paused",
        "deletionPolicy": "Retain", "adoption": {"policy": "Only", "jobId": BOX_JOB}});
    let object = named(&documents(&run.out), "box");
    assert_eq!(
        (run.code, &object["spec"], &object["metadata"]),
        (0, &expected, &json!({"name": "box"})),
        "{}",
        run.err
    );
    let absent = "# Graph shows no value of: scope, outOfScopeDeletions, notifications, deleteThreshold.\n";
    assert!(run.out.contains(absent), "{}", run.out);
}

/// An absent `state` means Running: a job that turned out to be paused later would be started.
#[tokio::test]
async fn a_job_whose_run_state_is_unknown_is_only_observed() {
    let review = Review::begin().await;
    let box_ = review.demo.service_principal_id.clone();
    for (mode, expected) in [("Manage", "Observe"), ("Observe", "Observe"), ("Plan", "Plan")] {
        let job = json!({"schedule": {"state": "Hibernating\nspec: {}"}});
        review.control.put_job(&review.demo.tenant_id, &box_, BOX_JOB, &job).await.unwrap();
        let run = review.import(&["--service-principal", &box_, "--mode", mode]).await;
        let spec = named(&documents(&run.out), "box")["spec"].clone();
        assert_eq!((run.code, &spec["state"], &spec["mode"]), (0, &Value::Null, &expected.into()), "{}", run.out);
        assert!(run.out.contains("# `state` is left out") && run.out.contains("'Hibernating"), "{}", run.out);
    }
    let mode =
        named(&documents(&review.import(&["--service-principal", &box_]).await.out), "box")["spec"]["mode"].clone();
    assert_eq!(mode, "Observe");
}

#[tokio::test]
async fn a_template_that_graph_does_not_name_is_that_of_the_id() {
    let review = Review::begin().await;
    let id = review.principal(1, &json!({})).await;
    let jobs = json!({"value": [{"id": "customappsso.7f0c.1", "templateId": null, "schedule": {"state": "Active"}}]});
    review.fault("listJobs", json!({"respond": {"status": 200, "body": jobs.to_string()}})).await;
    let run = review.import(&["--service-principal", &id]).await;
    assert_eq!(named(&documents(&run.out), "app-1")["spec"]["templateId"], "customappsso", "{}{}", run.out, run.err);
    review.write("a.yaml", &run.out);
    review.nothing_would_change("a.yaml", 1).await;
}

#[tokio::test]
async fn of_two_jobs_of_one_template_one_is_declared_and_the_other_is_a_comment() {
    let review = Review::begin().await;
    let jobs = json!({"scim.7f0c.1": {"scheduleState": "Paused"}, "scim.7f0c.2": {"scheduleState": "Active"},
        "BoxOutDelta.7f0c.1": {"scheduleState": "Active"}});
    review.principal(1, &json!({"jobs": jobs})).await;
    let run = review.import(&["--output-dir", "jobs"]).await;
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(
        run.err.contains("'App 1' (c0000000-0000-4000-8000-000000000001): There are several jobs of one template"),
        "{}",
        run.err
    );
    let scim = "app-1-scim-c0000000.yaml";
    assert_eq!(review.files("jobs"), ["app-1-boxoutdelta.yaml", scim]);
    let text = review.read(&format!("jobs/{scim}"));
    let objects = documents(&text);
    assert_eq!(
        (objects.len(), &objects[0]["spec"]["adoption"]["jobId"]),
        (1, &"scim.7f0c.2".into()),
        "the one that runs"
    );
    // What was written as a comment is a manifest as well.
    let below = text.split_once("A further job").unwrap().1.lines().skip(1);
    let other: String = below.map(|line| line.strip_prefix("# ").unwrap().to_owned() + "\n").collect();
    assert_eq!(documents(&other)[0]["spec"]["adoption"]["jobId"], "scim.7f0c.1");
    review.nothing_would_change("jobs", 2).await;
}

/// What the service shows in forms that no field would leave as it is stays undeclared.
#[tokio::test]
async fn odd_settings_are_left_out_or_compared_as_the_operator_compares_them() {
    let review = Review::begin().await;
    let of_notifications = [
        r#"{"Enabled":true,"Recipients":"a@x.test,a@x.test"}"#,
        r#"{"enabled":"FALSE","Recipients":"a@x.test","deletethresholdenabled":"False"}"#,
        r#"{"Enabled":true,"Recipients":"B@x.test; a@x.test","DeleteThresholdEnabled":true,"DeleteThresholdValue":"500"}"#,
        r#"{"Enabled":true,"Recipients":"","DeleteThresholdEnabled":true,"DeleteThresholdValue":0}"#,
        r#"{"Recipients":"a@x.test","DeleteThresholdEnabled":true,"DeleteThresholdValue":5.5}"#,
        "no JSON",
    ];
    for (number, text) in of_notifications.iter().enumerate() {
        let switch = ["true", "FALSE ", "maybe", "", "True", "1"][number];
        let secrets = json!([{"key": "SyncAll", "value": switch}, {"key": "skipoutofscopedeletions", "value": switch},
            {"key": "SyncNotificationSettings", "value": text}, {"key": "SecretToken", "value": "s"}]);
        let template = if number == 0 { "Azure2Azure" } else { "scim" };
        let job = format!("{template}.7f0c.{number}");
        review.principal(number, &json!({"secrets": secrets, "jobs": {job: {"scheduleState": "Active"}}})).await;
    }
    let run = review.import(&["--output-dir", "jobs"]).await;
    assert_eq!(run.code, 0, "{}", run.err);
    review.nothing_would_change("jobs", of_notifications.len()).await;
    let declared = documents(&review.read("jobs/app-2.yaml"))[0]["spec"].clone();
    assert_eq!(
        (&declared["notifications"]["recipients"], &declared["deleteThreshold"]),
        (&json!(["B@x.test", "a@x.test"]), &json!(500))
    );
    assert!(review.read("jobs/app-0.yaml").contains("# Left out: `outOfScopeDeletions`: "));
}
