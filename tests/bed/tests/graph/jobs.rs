//! Jobs: what a new one looks like, what a second create does, how actions change one (CONTRACT §4).

use serde_json::{Value, json};

use super::support::{Bed, SP, TENANT, state};

#[tokio::test]
async fn a_new_job_is_paused_before_any_secret_is_saved() {
    let bed = Bed::new().await;
    let path = format!("tenants/{TENANT}/servicePrincipals/{SP}/secrets");
    bed.control.raw("PUT", &path, Some(&json!({"value": []}))).await.unwrap();
    let answer = bed.sync("POST", "jobs", Some(json!({"templateId": "scim"}))).await;
    let job = answer.json();
    assert_eq!((answer.status, state(&job)), (201, ("Paused", "Disabled")));
    assert_eq!(job["schedule"]["interval"], "PT40M");
    assert_eq!(job["status"]["lastExecution"], Value::Null);
    assert_eq!(job["status"]["steadyStateFirstAchievedTime"], "0001-01-01T00:00:00Z");
    let context = job["@odata.context"].as_str().unwrap();
    assert!(context.ends_with(&format!("servicePrincipals('{SP}')/synchronization/jobs/$entity")), "{context}");
}

#[tokio::test]
async fn a_new_job_can_be_not_configured_until_secrets_are_saved() {
    let bed = Bed::with(json!({"newJob": "byCredentials"})).await;
    bed.control.put_service_principal(TENANT, "bare", &json!({"appId": "a", "templates": ["scim"]})).await.unwrap();
    let root = "servicePrincipals/bare/synchronization";
    let job = bed.call("POST", &format!("{root}/jobs"), Some(json!({"templateId": "scim"}))).await.json();
    assert_eq!(state(&job), ("NotConfigured", "Disabled"));
    let secrets =
        json!({"value": [{"key": "BaseAddress", "value": "https://a.test"}, {"key": "SecretToken", "value": "x"}]});
    assert_eq!(bed.call("PUT", &format!("{root}/secrets"), Some(secrets)).await.status, 204);
    let path = format!("{root}/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(state(&bed.call("GET", &path, None).await.json()), ("Paused", "Disabled"));
}

#[tokio::test]
async fn the_first_code_of_a_job_can_be_fixed() {
    for (setting, code) in [("paused", "Paused"), ("notConfigured", "NotConfigured")] {
        let bed = Bed::with(json!({"newJob": setting})).await;
        let id = bed.create("scim").await;
        assert_eq!(bed.job(&id).await["status"]["code"], code);
    }
}

#[tokio::test]
async fn a_started_job_shows_an_execution_that_looks_like_a_failure() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    assert_eq!(bed.act(&id, "start").await, 204);
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("NotRun", "Active"));
    let last = &job["status"]["lastExecution"];
    assert_eq!((&last["state"], &last["error"]["code"]), (&json!("Failed"), &json!("None")));
    assert_eq!(last["timeBegan"], "0001-01-01T00:00:00Z");
}

#[tokio::test]
async fn cycles_run_on_the_clock_and_count() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let job = bed.job(&id).await;
    let first = job["status"]["steadyStateFirstAchievedTime"].clone();
    assert_ne!(first, "0001-01-01T00:00:00Z");
    assert_eq!(job["status"]["lastExecution"]["state"], "Succeeded");
    assert_eq!(job["status"]["lastExecution"]["countExported"], 14);
    assert_eq!(job["status"]["synchronizedEntryCountByType"][0]["value"], 14);
    bed.advance(40 * 60).await;
    let later = bed.job(&id).await;
    assert_eq!(later["status"]["steadyStateFirstAchievedTime"], first);
    assert_ne!(later["status"]["steadyStateLastAchievedTime"], first);
    assert_eq!(later["status"]["lastExecution"]["countExported"], 0);
    assert_eq!(later["status"]["lastSuccessfulExecutionWithExports"]["countExported"], 14);
}

#[tokio::test]
async fn some_templates_run_every_twenty_minutes() {
    let bed = Bed::new().await;
    bed.put_sp(json!({"templates": ["gsuite"]})).await;
    let id = bed.create("gsuite").await;
    assert_eq!(bed.job(&id).await["schedule"]["interval"], "PT20M");
}

#[tokio::test]
async fn a_template_that_is_not_offered_is_refused_as_the_switch_says() {
    for (setting, status, code) in [
        ("badRequest", 400, "BadRequest"),
        ("unknownError", 400, "UnknownError"),
        ("notFound", 404, "ResourceNotFound"),
    ] {
        let bed = Bed::with(json!({"wrongTemplate": setting})).await;
        let answer = bed.sync("POST", "jobs", Some(json!({"templateId": "Nope"}))).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
        assert_eq!(bed.ledger("createJob").await, 0);
    }
}

#[tokio::test]
async fn an_alias_template_shows_another_id() {
    let bed = Bed::new().await;
    bed.put_sp(json!({"templates": ["AD2AADProvisioning", "Azure2Azure_Preview"]})).await;
    let id = bed.create("AD2AADProvisioning").await;
    assert!(id.starts_with("AD2AADProvisioning."));
    assert_eq!(bed.job(&id).await["templateId"], "ADDCInPassthrough");
    let old = bed.sync("POST", "jobs", Some(json!({"templateId": "Azure2Azure_Preview"}))).await;
    assert_eq!(old.status, 400, "an old template can be read but not used");
}

#[tokio::test]
async fn a_pause_waits_for_the_cycle_in_flight() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    bed.act(&id, "start").await;
    bed.advance(400).await;
    assert_eq!(bed.act(&id, "pause").await, 204);
    assert_eq!(state(&bed.job(&id).await), ("NotRun", "Active"));
    bed.advance(20 * 60).await;
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("Paused", "Paused"));
    assert_eq!(job["status"]["lastExecution"]["state"], "Succeeded", "the cycle ran to its end");
    assert_eq!(bed.act(&id, "start").await, 204);
    assert_eq!(state(&bed.job(&id).await), ("Active", "Active"), "it goes on where it was");
}

#[tokio::test]
async fn a_pause_can_take_effect_at_once_and_leave_disabled() {
    let bed = Bed::with(json!({"pauseTakesEffect": "atOnce", "pauseLeaves": "disabled"})).await;
    let id = bed.create("scim").await;
    bed.act(&id, "start").await;
    bed.advance(400).await;
    bed.act(&id, "pause").await;
    assert_eq!(state(&bed.job(&id).await), ("Paused", "Disabled"));
}

#[tokio::test]
async fn a_repeated_action_is_ignored_or_refused() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let before = bed.job(&id).await;
    assert_eq!(bed.act(&id, "start").await, 204);
    assert_eq!(bed.job(&id).await, before);
    let ledger = bed.control.raw("GET", "ledger?operation=startJob", None).await.unwrap();
    assert_eq!(ledger["value"][1]["noChange"], true);

    let bed =
        Bed::with(json!({"startRunning": "refused", "pausePaused": "refused", "restartNeverStarted": "refused"})).await;
    let id = bed.create("scim").await;
    assert_eq!(bed.act(&id, "pause").await, 409);
    assert_eq!(bed.act(&id, "restart").await, 400);
    bed.act(&id, "start").await;
    assert_eq!(bed.act(&id, "start").await, 409);
}

#[tokio::test]
async fn a_start_without_credentials_runs_into_quarantine_or_is_refused() {
    let bed = Bed::new().await;
    bed.control
        .raw("PUT", &format!("tenants/{TENANT}/servicePrincipals/{SP}/secrets"), Some(&json!({"value": []})))
        .await
        .unwrap();
    let id = bed.create("scim").await;
    assert_eq!(bed.act(&id, "start").await, 204);
    bed.advance(310).await;
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("Quarantine", "Active"));
    assert_eq!(job["status"]["quarantine"]["error"]["code"], "CredentialsMissing");

    bed.control.put_tenant(TENANT, &json!({"startWithoutCredentials": "refused"})).await.unwrap();
    let other = bed.create("BoxOutDelta").await;
    let answer = bed.sync("POST", &format!("jobs/{other}/start"), None).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "CredentialsMissing"));
}

#[tokio::test]
async fn a_start_of_a_running_job_can_stop_it() {
    let bed = Bed::with(json!({"startRunning": "stops"})).await;
    let id = bed.running().await;
    assert_eq!(bed.act(&id, "start").await, 204);
    assert_eq!(state(&bed.job(&id).await), ("Paused", "Paused"));
    let starts = bed.control.raw("GET", "ledger?operation=startJob", None).await.unwrap();
    assert_eq!(starts["value"][1]["detail"], json!({"stopped": true}));
    assert_eq!(bed.act(&id, "start").await, 204);
    assert_eq!(state(&bed.job(&id).await), ("Active", "Active"));
}

#[tokio::test]
async fn an_empty_scope_is_the_usual_one_and_none_is_a_start() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let restart = async |scope: &str| {
        let body = json!({"criteria": {"resetScope": scope}});
        assert_eq!(bed.sync("POST", &format!("jobs/{id}/restart"), Some(body)).await.status, 204);
        bed.job(&id).await
    };
    let before = bed.job(&id).await;
    assert_eq!(restart("None").await, before, "a running job has nothing to start");
    bed.act(&id, "pause").await;
    let job = restart("None").await;
    assert_eq!(state(&job), ("Active", "Active"));
    assert_eq!(job["status"]["lastExecution"], before["status"]["lastExecution"]);
    bed.control.quarantine_job(TENANT, SP, &id, &json!({})).await.unwrap();
    assert_eq!(state(&restart("None").await), ("Active", "Active"));
    let job = restart("").await;
    assert_eq!(state(&job), ("NotRun", "Active"));
    assert_eq!(job["status"]["steadyStateFirstAchievedTime"], "0001-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_missing_job_is_a_404_of_the_form_that_the_switch_says() {
    for (setting, code) in [
        ("resourceNotFound", "ResourceNotFound"),
        ("requestResourceNotFound", "Request_ResourceNotFound"),
        ("unknownError", "UnknownError"),
    ] {
        let bed = Bed::with(json!({"missingJob": setting})).await;
        for (method, path) in [("GET", "jobs/nope"), ("DELETE", "jobs/nope"), ("GET", "jobs/nope/schema")] {
            let answer = bed.sync(method, path, None).await;
            assert_eq!((answer.status, answer.code().as_str()), (404, code), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_pause_in_quarantine_clears_it_or_keeps_it() {
    for (setting, kept) in [("cleared", false), ("kept", true)] {
        let bed = Bed::with(json!({"pausedQuarantine": setting})).await;
        let id = bed.running().await;
        bed.control.quarantine_job(TENANT, SP, &id, &json!({})).await.unwrap();
        assert_eq!(bed.act(&id, "pause").await, 204);
        let job = bed.job(&id).await;
        assert_eq!((state(&job), job["status"]["quarantine"].is_object()), (("Paused", "Paused"), kept));
        assert_eq!(bed.act(&id, "start").await, 204);
        assert_eq!(bed.job(&id).await["status"]["quarantine"], Value::Null);
    }
}

#[tokio::test]
async fn a_restart_reads_its_scope_and_begins_anew() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let restart = async |scope: Value| bed.sync("POST", &format!("jobs/{id}/restart"), Some(scope)).await.status;
    assert_eq!(restart(json!({"criteria": {"resetScope": "Everything"}})).await, 400);
    assert_eq!(restart(json!({"criteria": {"resetScope": "escrows,QuarantineState"}})).await, 204);
    assert_eq!(bed.job(&id).await["status"]["code"], "Active", "without Watermark there is no new beginning");
    assert_eq!(bed.act(&id, "restart").await, 204);
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("NotRun", "Active"));
    assert_eq!(job["status"]["steadyStateFirstAchievedTime"], "0001-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_deleted_job_is_gone_and_the_secrets_stay() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    assert_eq!(bed.sync("DELETE", &format!("jobs/{id}"), None).await.status, 204);
    assert_eq!(bed.sync("DELETE", &format!("jobs/{id}"), None).await.status, 404);
    assert_eq!(bed.act(&id, "start").await, 404);
    assert_eq!(bed.sync("GET", "jobs", None).await.json()["value"], json!([]));
    let secrets = bed.sync("GET", "secrets", None).await.json();
    assert_eq!(secrets["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn query_options_on_jobs_are_ignored_or_refused() {
    let bed = Bed::new().await;
    assert_eq!(bed.sync("GET", "jobs?$top=1&$filter=x", None).await.status, 200);
    bed.control.put_tenant(TENANT, &json!({"queryOptionsOnJobs": "refused"})).await.unwrap();
    assert_eq!(bed.sync("GET", "jobs?$top=1", None).await.status, 400);
}

#[tokio::test]
async fn jobs_are_filtered_by_template() {
    let bed = Bed::new().await;
    bed.put_sp(json!({"templates": ["scim", "AD2AADProvisioning"]})).await;
    let (scim, cloud) = (bed.create("scim").await, bed.create("AD2AADProvisioning").await);
    let listed = async |template: &str| {
        let path = format!("jobs?$filter=templateId eq '{template}'");
        let found = bed.sync("GET", &path, None).await.json()["value"].clone();
        found.as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed("scim").await, [scim.as_str()]);
    assert_eq!(listed("AD2AADProvisioning").await, [cloud.as_str()], "the name that was sent");
    assert_eq!(listed("ADDCInPassthrough").await, [cloud.as_str()], "the name that is shown");
    assert_eq!(listed("other").await, Vec::<String>::new());
}

#[tokio::test]
async fn paths_are_taken_in_any_letter_case() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    let path = format!("serviceprincipals/{SP}/Synchronization/JOBS/{id}");
    assert_eq!(bed.call("GET", &path, None).await.json()["id"], id);
    let fault = json!({"operation": "getJob", "servicePrincipalId": SP, "action": {"respond": {"status": 503}}});
    bed.control.put_fault(&fault).await.unwrap();
    assert_eq!(bed.call("GET", &path, None).await.status, 503, "a fault knows the service principal too");
    let unknown = bed.call("GET", &format!("serviceprincipals/{SP}/SYNCHRONIZATION/nope"), None).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "UnknownError"));
    let other = bed.call("GET", &path.replace("scim", "SCIM"), None).await;
    assert_eq!(other.status, 503, "the same route");
    bed.control.clear_faults().await.unwrap();
    assert_eq!(bed.call("GET", &path.replace("scim", "SCIM"), None).await.status, 404, "ids keep their case");
}

#[tokio::test]
async fn every_path_works_with_a_slash_at_its_end_and_on_beta() {
    let bed = Bed::new().await;
    assert_eq!(bed.sync("POST", "jobs/", Some(json!({"templateId": "scim"}))).await.status, 201);
    let beta = format!("/beta/servicePrincipals/{SP}/synchronization/jobs/");
    let jobs = bed.send("GET", &beta, None, &bed.token, &[]).await.unwrap().json();
    assert_eq!(jobs["value"].as_array().unwrap().len(), 1);
}
