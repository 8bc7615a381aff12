//! The life of a SyncJob while nothing goes wrong.

use serde_json::{Value, json};

use super::plane::repository;
use super::read::{calls, effects, is_ready, job_id, manifest, ready, time};
use super::rig::Rig;
use super::{audit, read};

async fn apply_samples(rig: &Rig) {
    let samples = repository().join("config/samples").display().to_string();
    rig.kubectl(&["apply", "-f", &samples]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_become_jobs_that_kubectl_waits_for_and_shows() {
    let rig = Rig::start().await;
    apply_samples(&rig).await;
    rig.kubectl(&["wait", "--for=condition=Ready", "--timeout=60s", "syncjob", "--all"]).await;

    let created = effects(&rig.control, "createJob").await;
    assert_eq!(created.len(), 2, "{created:#?}");
    let (running, paused) = (rig.get("box").await, rig.get("scim-paused").await);
    assert!(ready(&running, "True", "Running") && ready(&paused, "True", "Paused"), "{running:#}\n{paused:#}");
    for object in [&running, &paused] {
        let id = job_id(object).unwrap();
        assert!(created.iter().any(|entry| entry["jobId"] == id), "{id} is not in {created:#?}");
        assert!(object["status"]["intent"].is_null(), "{object:#}");
    }
    let started = effects(&rig.control, "startJob").await;
    assert_eq!(started.len(), 1, "a paused job is never started: {started:#?}");

    let table = rig.kubectl(&["get", "syncjobs"]).await;
    assert!(table.lines().all(|line| line.chars().count() <= 120), "{table}");
    assert!(table.contains(job_id(&running).unwrap()) && table.contains("JOB ID"), "{table}");
    let wide = rig.kubectl(&["get", "sj", "-o", "wide"]).await;
    assert!(
        wide.contains("BoxOutDelta") && wide.contains("Retain") && wide.contains("scheduled by the service"),
        "{wide}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn describe_tells_the_story_in_conditions_and_events() {
    let mut rig = Rig::start().await;
    apply_samples(&rig).await;
    let id = job_id(&rig.until("box", "is ready", is_ready).await).unwrap().to_owned();
    let mut story = String::new();
    // Events are written apart from the loop.
    for _ in 0..200 {
        story = rig.kubectl(&["describe", "syncjob", "box"]).await;
        if story.contains("Running  ") && story.contains("JobStarted") {
            break;
        }
    }
    for part in
        ["JobCreated", "JobStarted", "The job is scheduled by the service.", "Type:                  Ready", &id]
    {
        assert!(story.contains(part), "'{part}' is missing in\n{story}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_started_only_after_its_id_was_recorded() {
    let mut rig = Rig::start().await;
    apply_samples(&rig).await;
    rig.until("box", "is ready", is_ready).await;
    let sp = rig.demo.service_principal_id.clone();
    let of_box = |entries: Vec<Value>| entries.into_iter().find(|entry| entry["servicePrincipalId"] == sp).unwrap();
    let created = time(&of_box(effects(&rig.control, "createJob").await));
    let started = time(&of_box(effects(&rig.control, "startJob").await));

    let writes = audit::writes(&rig.namespace);
    let of_box: Vec<_> = writes.iter().filter(|write| write.name == "box").collect();
    assert!(of_box.iter().all(|write| write.code == 200), "{of_box:#?}");
    let before: Vec<_> =
        of_box.iter().filter(|write| write.answered < created).map(|write| write.subresource.as_str()).collect();
    assert_eq!(before, ["", "status"], "the finalizer, then the intent, before there can be a job");
    let bound = of_box.iter().find(|write| write.received > created).unwrap();
    assert!(bound.subresource == "status" && bound.answered < started, "{of_box:#?}, but started at {started}");
    assert!(of_box.len() <= 5, "a SyncJob costs at most five writes: {of_box:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_sync_job_deletes_its_job_unless_it_is_retained() {
    let mut rig = Rig::start().await;
    apply_samples(&rig).await;
    let id = job_id(&rig.until("box", "is ready", is_ready).await).unwrap().to_owned();
    rig.until("scim-paused", "is ready", is_ready).await;
    rig.delete("box").await;
    rig.delete("scim-paused").await;
    rig.until("box", "is gone", Value::is_null).await;
    rig.until("scim-paused", "is gone", Value::is_null).await;
    let deleted = effects(&rig.control, "deleteJob").await;
    assert_eq!(deleted.len(), 1, "{deleted:#?}");
    assert_eq!(deleted[0]["jobId"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_job_that_is_deleted_and_applied_again_gets_a_new_job_under_the_same_id() {
    let mut rig = Rig::start().await;
    apply_samples(&rig).await;
    let first = job_id(&rig.until("box", "is ready", is_ready).await).unwrap().to_owned();
    rig.kubectl(&["delete", "syncjob", "box"]).await;
    apply_samples(&rig).await;
    let second = job_id(&rig.until("box", "is ready again", is_ready).await).unwrap().to_owned();
    assert_eq!(first, second, "an id is a function of template, tenant and application");
    let of_box =
        effects(&rig.control, "createJob").await.into_iter().filter(|entry| entry["templateId"] == "BoxOutDelta");
    assert_eq!(of_box.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_state_pauses_the_job_and_starts_it_again() {
    let mut rig = Rig::start().await;
    apply_samples(&rig).await;
    rig.until("box", "is ready", is_ready).await;
    rig.edit("box", &json!({"state": "Paused"})).await;
    rig.until("box", "is paused", |object| ready(object, "True", "Paused")).await;
    assert_eq!(effects(&rig.control, "pauseJob").await.len(), 1);
    rig.edit("box", &json!({"state": null})).await;
    rig.until("box", "runs", |object| ready(object, "True", "Running")).await;
    assert_eq!(effects(&rig.control, "startJob").await.len(), 2);
    assert_eq!(calls(&rig.control, "createJob").await.len(), 2, "one for each sample");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_is_immutable_is_refused_by_the_api_server() {
    let rig = Rig::idle().await;
    apply_samples(&rig).await;
    for (field, value) in [("templateId", "scim"), ("servicePrincipalId", "a4d1c0de-1f2e-4a3b-9c4d-5e6f70818293")] {
        let patch = json!({"spec": {field: value}}).to_string();
        let arguments = ["-n", &rig.namespace, "patch", "syncjob", "box", "--type=merge", "-p", &patch];
        let message = rig.plane.try_kubectl(&arguments).unwrap_err();
        assert!(message.contains(&format!("`{field}` must not change")), "{message}");
    }
    assert_eq!(rig.get("box").await["status"]["observedGeneration"], -1, "nobody has looked at it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_of_what_never_became_a_job_needs_no_graph() {
    let mut rig = Rig::start().await;
    rig.control.revoke_secrets(&rig.demo.tenant_id, &rig.demo.client_id).await.unwrap();
    apply_samples(&rig).await;
    rig.until("box", "is told why", |object| read::condition(object, "Ready")["reason"] == "CredentialsRejected").await;
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_form_and_the_case_of_an_id_do_not_matter() {
    let mut rig = Rig::start().await;
    let id = format!("/servicePrincipals/{}", rig.demo.service_principal_id.to_uppercase());
    rig.apply(&manifest("loud", &id, "boxoutdelta", &[])).await;
    let object = rig.until("loud", "is ready", is_ready).await;
    assert_eq!(object["status"]["servicePrincipalId"], rig.demo.service_principal_id);
}
