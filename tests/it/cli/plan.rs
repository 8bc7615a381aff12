//! What would change, and how it is said.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Review, WIKI, run_with, sync_job};

const BOX_JOB: &str = "BoxOutDelta.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.5b9a1c44-0e2f-4a6b-b1d7-93c2f0e8a655";

fn reason<'a>(document: &'a Value, field: &str) -> &'a str {
    document["items"][0][field]["reason"].as_str().unwrap_or_default()
}

/// As `kubectl get -o yaml` prints it: with the job's id, and the run state that was reached.
fn with_status(manifest: &str) -> String {
    format!(
        "{manifest}status: {{observedGeneration: 1, jobId: {BOX_JOB}, jobBoundTime: '2026-01-01T10:00:00Z', jobOrigin: Created, run: {{state: Running, requestedTime: '2026-01-01T10:00:00Z', reachedTime: '2026-01-01T10:02:00Z'}}}}\n"
    )
}

#[tokio::test]
async fn nothing_to_change_is_exit_code_0() {
    let review = Review::begin().await;
    let box_ = &review.demo.service_principal_id;
    review.job(box_, BOX_JOB, "Active").await;
    review.write("box.yaml", &with_status(&sync_job("box", box_, "BoxOutDelta", "")));
    let run = review.plan(&["-f", "."]).await;
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, "Plan: no changes, 1 unchanged.\n", ""));
    assert_eq!(review.written().await, Vec::<Value>::new());
}

/// One to be created, one to be paused whose job is assumed, one that nothing would change, one that cannot be planned.
async fn a_pull_request() -> Review {
    let review = Review::begin().await;
    let box_ = &review.demo.service_principal_id;
    review.job(box_, BOX_JOB, "Active").await;
    review.job(WIKI, "scim.7f0c.1", "Active").await;
    let documents = [
        sync_job("box", box_, "BoxOutDelta", "state: Paused"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n".to_owned(),
        sync_job("box-scim", box_, "scim", ""),
    ];
    review.write("jobs/box.yaml", &documents.join("---\n"));
    let wiki = json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob", "metadata": {"name": "wiki"},
        "spec": {"servicePrincipalId": WIKI, "templateId": "SCIM"}});
    review.write("jobs/more/wiki.json", &json!({"apiVersion": "v1", "kind": "List", "items": [wiki]}).to_string());
    review.write("jobs/more/wrong.yml", &sync_job("wiki-salesforce", WIKI, "Salesforce", ""));
    review.write("jobs/README.md", "kind: SyncJob");
    review
}

#[tokio::test]
async fn a_plan_is_read_in_a_pull_request() {
    let review = a_pull_request().await;
    let run = review.plan(&["-f", "jobs"]).await;
    assert_eq!((run.code, run.err.as_str()), (1, ""), "what cannot be planned wins over changes");
    assert_snapshot!("text", run.out);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plan.md")).unwrap();
    assert!(page.contains(&run.out), "docs/plan.md shows another plan");
    assert_eq!(review.arrived("listJobs").await, 2, "once for each service principal");
    assert_eq!(review.written().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_plan_is_read_by_a_program() {
    let review = a_pull_request().await;
    let run = review.plan(&["-f", "jobs", "-o", "json"]).await;
    assert_eq!((run.code, run.err.as_str()), (1, ""));
    assert_snapshot!("json", run.out);
}

#[tokio::test]
async fn a_change_is_exit_code_2_and_is_only_told() {
    let review = Review::begin().await;
    let manifest = sync_job("box", &review.demo.service_principal_id, "BoxOutDelta", "");
    let run = run_with(review.as_application(&["-f", "-"]), &manifest).await;
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.out.contains("identity/box (standard input, document 1)"), "{}", run.out);
    assert!(run.out.contains("+ Create a job from template 'BoxOutDelta'."), "{}", run.out);
    assert!(run.out.ends_with("Plan: 2 changes in 1 SyncJob, 0 unchanged.\n"), "{}", run.out);
    assert!(!run.out.contains('\u{1b}'), "no colours where there is no terminal");
    assert_eq!(review.written().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_pause_by_somebody_else_is_noted_and_corrected_only_if_that_is_declared() {
    let review = Review::begin().await;
    let box_ = review.demo.service_principal_id.clone();
    review.job(&box_, BOX_JOB, "Paused").await;
    review.write("box.yaml", &with_status(&sync_job("box", &box_, "BoxOutDelta", "")));
    let (code, document) = review.plan_json().await;
    assert_eq!((code, reason(&document, "note")), (0, "PausedOutOfBand"), "{document}");
    review.write("box.yaml", &with_status(&sync_job("box", &box_, "BoxOutDelta", "outOfBandPolicy: Correct")));
    let (code, document) = review.plan_json().await;
    assert_eq!((code, &document["items"][0]["changes"][0]["action"]), (2, &Value::from("StartJob")), "{document}");
}

#[tokio::test]
async fn a_recorded_job_that_is_gone_is_created_anew_only_if_that_is_declared() {
    let review = Review::begin().await;
    let box_ = review.demo.service_principal_id.clone();
    review.write("box.yaml", &with_status(&sync_job("box", &box_, "BoxOutDelta", "")));
    let (code, document) = review.plan_json().await;
    assert_eq!((code, reason(&document, "blocked")), (1, "JobMissing"), "{document}");
    review.write("box.yaml", &with_status(&sync_job("box", &box_, "BoxOutDelta", "missingJobPolicy: Recreate")));
    let (code, document) = review.plan_json().await;
    let changes = document["items"][0]["changes"].as_array().unwrap();
    let actions: Vec<&str> = changes.iter().map(|change| change["action"].as_str().unwrap()).collect();
    assert_eq!((code, actions), (2, vec!["ForgetJob", "CreateJob", "StartJob"]), "{document}");
}

#[tokio::test]
async fn a_requested_restart_is_planned_although_nobody_can_look_beyond_it() {
    let review = Review::begin().await;
    let box_ = &review.demo.service_principal_id;
    review.job(box_, BOX_JOB, "Active").await;
    let manifest = with_status(&sync_job("box", box_, "BoxOutDelta", ""));
    let asked = "namespace: identity, annotations: {entrain.dev/restart-requested-at: '1'}";
    review.write("box.yaml", &manifest.replace("namespace: identity", asked));
    let (code, document) = review.plan_json().await;
    assert_eq!((code, &document["items"][0]["changes"][0]["action"]), (2, &Value::from("RestartJob")), "{document}");
    assert_eq!((&document["items"][0]["changes"][1], review.arrived("listJobs").await), (&Value::Null, 1));
}

#[tokio::test]
async fn whose_of_several_jobs_is_not_guessed_but_named() {
    let review = Review::begin().await;
    let box_ = review.demo.service_principal_id.clone();
    review.job(&box_, BOX_JOB, "Active").await;
    review.job(&box_, "BoxOutDelta.7f0c.2", "Active").await;
    review.write("box.yaml", &sync_job("box", &box_, "BoxOutDelta", ""));
    let (code, document) = review.plan_json().await;
    assert_eq!((code, reason(&document, "blocked")), (1, "Ambiguous"), "{document}");
    let said = document["items"][0]["blocked"]["message"].as_str().unwrap();
    assert!(said.contains(BOX_JOB) && said.contains("'BoxOutDelta.7f0c.2'"), "{said}");
    let named = format!("adoption: {{policy: Only, jobId: {BOX_JOB}}}");
    review.write("box.yaml", &sync_job("box", &box_, "BoxOutDelta", &named));
    let (code, document) = review.plan_json().await;
    let item = &document["items"][0];
    assert_eq!((code, &item["jobId"], &item["assumed"]), (0, &BOX_JOB.into(), &true.into()), "{document}");
}

#[tokio::test]
async fn modes_that_change_nothing_are_said_to_change_nothing() {
    let review = Review::begin().await;
    let box_ = review.demo.service_principal_id.clone();
    for (mode, noted) in [("Suspended", "Suspended"), ("Observe", "NothingToObserve"), ("Plan", "ChangesPlanned")] {
        review.write("box.yaml", &sync_job("box", &box_, "BoxOutDelta", &format!("mode: {mode}")));
        let (code, document) = review.plan_json().await;
        assert_eq!((code, reason(&document, "note")), (0, noted), "{document}");
        assert_eq!(document["summary"]["unchangedSyncJobs"], 1);
    }
}

#[tokio::test]
async fn what_belongs_to_another_tenant_is_named_and_not_planned() {
    let review = Review::begin().await;
    let tenant = |name: &str, id: &str| {
        format!(
            "apiVersion: entrain.dev/v1alpha1\nkind: ClusterEntraTenant\nmetadata: {{name: {name}}}\nspec: {{tenantId: {id}, credential: {{operatorIdentity: {{}}}}}}\n"
        )
    };
    let reference = |name: &str| format!("tenantRef: {{kind: ClusterEntraTenant, name: {name}}}");
    let documents = [
        tenant("own", &review.demo.tenant_id),
        tenant("other", "11111111-2222-3333-4444-555555555555"),
        sync_job("box", &review.demo.service_principal_id, "BoxOutDelta", &reference("own")),
        sync_job("wiki", WIKI, "scim", &reference("other")),
    ];
    review.write("all.yaml", &documents.join("---\n"));
    let run = review.plan(&["-f", ".", "--output", "json"]).await;
    let document: Value = serde_json::from_str(&run.out).unwrap();
    let items = document["items"].as_array().unwrap();
    assert!(
        items[0]["blocked"].is_null() && items[0]["changes"].as_array().is_some_and(|it| !it.is_empty()),
        "{items:#?}"
    );
    assert_eq!(items[1]["blocked"]["reason"], "TenantMismatch", "{items:#?}");
    assert_eq!(review.arrived("listJobs").await, 1, "nothing is asked for the other tenant");
}
