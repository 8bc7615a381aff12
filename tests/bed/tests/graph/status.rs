//! What a job shows of its cycles, and odd forms of its JSON (CONTRACT §3.3 to §3.5, §4.2, §4.3).

use serde_json::{Value, json};

use super::support::{Bed, SP, TENANT, state};

const ZERO: &str = "0001-01-01T00:00:00Z";

async fn target(bed: &Bed, target: Value) {
    let path = format!("tenants/{TENANT}/servicePrincipals/{SP}/target");
    bed.control.raw("PUT", &path, Some(&target)).await.unwrap();
}

/// A job in the middle of its first cycle.
async fn in_first_cycle(bed: &Bed) -> String {
    let id = bed.create("scim").await;
    assert_eq!(bed.act(&id, "start").await, 204);
    bed.advance(300 + 10 * 60).await;
    id
}

#[tokio::test]
async fn a_new_job_shows_the_interval_of_its_template_or_the_longest_there_is() {
    for (setting, interval) in [("template", "PT40M"), ("never", "P10675199DT2H48M5.4775807S")] {
        let bed = Bed::with(json!({"newJobInterval": setting})).await;
        let id = bed.create("scim").await;
        let job = bed.job(&id).await;
        assert_eq!((&job["schedule"]["interval"], state(&job)), (&json!(interval), ("Paused", "Disabled")));
        assert_eq!(job["status"]["troubleshootingUrl"], Value::Null);
        bed.act(&id, "start").await;
        assert_eq!(bed.job(&id).await["schedule"]["interval"], "PT40M");
    }
}

#[tokio::test]
async fn a_cycle_in_flight_is_an_execution_without_an_end() {
    for (setting, shown) in [("failed", "Failed"), ("succeeded", "Succeeded")] {
        let bed = Bed::with(json!({"runningCycle": setting})).await;
        let id = in_first_cycle(&bed).await;
        let job = bed.job(&id).await;
        assert_eq!(state(&job), ("NotRun", "Active"));
        let last = &job["status"]["lastExecution"];
        assert_eq!((&last["state"], &last["timeEnded"], &last["error"]), (&json!(shown), &json!(ZERO), &Value::Null));
        assert_ne!(last["timeBegan"], ZERO);
        assert_eq!((&last["countEntitled"], &last["countExported"]), (&json!(7), &json!(7)), "half of 14, so far");
        bed.advance(10 * 60).await;
        let done = bed.job(&id).await["status"]["lastExecution"].clone();
        assert_eq!(
            (&done["activityIdentifier"], &done["timeBegan"]),
            (&last["activityIdentifier"], &last["timeBegan"])
        );
        assert_eq!((&done["state"], &done["countExported"]), (&json!("Succeeded"), &json!(14)));
        assert_ne!(done["timeEnded"], ZERO);
    }
}

#[tokio::test]
async fn a_later_cycle_in_flight_shows_no_end_or_the_one_before() {
    for (setting, kept) in [("never", false), ("previous", true)] {
        let bed = Bed::with(json!({"runningCycleEnd": setting})).await;
        let id = bed.running().await;
        let first = bed.job(&id).await["status"]["lastExecution"].clone();
        bed.advance(20 * 60 + 30).await;
        let last = bed.job(&id).await["status"]["lastExecution"].clone();
        assert_ne!(last["activityIdentifier"], first["activityIdentifier"]);
        assert_eq!(last["timeEnded"], if kept { first["timeEnded"].clone() } else { json!(ZERO) });
        let at = |time: &Value| time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert!(at(&last["timeEnded"]) < at(&last["timeBegan"]));
    }
}

#[tokio::test]
async fn a_cycle_in_flight_can_stay_hidden() {
    let bed = Bed::with(json!({"runningCycle": "hidden"})).await;
    let id = in_first_cycle(&bed).await;
    assert_eq!(bed.job(&id).await["status"]["lastExecution"]["timeBegan"], ZERO);
}

#[tokio::test]
async fn progress_is_filled_during_the_initial_cycle_only() {
    let bed = Bed::new().await;
    let id = in_first_cycle(&bed).await;
    let progress = bed.job(&id).await["status"]["progress"].clone();
    assert_eq!((&progress[0]["completedUnits"], &progress[0]["totalUnits"]), (&json!(7), &json!(14)));
    bed.advance(10 * 60).await;
    assert_eq!(bed.job(&id).await["status"]["progress"], json!([]));
    bed.advance(20 * 60 + 30).await;
    let later = bed.job(&id).await["status"].clone();
    assert_eq!((&later["lastExecution"]["timeEnded"], &later["progress"]), (&json!(ZERO), &json!([])));
}

#[tokio::test]
async fn the_last_success_has_an_end_and_one_count_or_is_whole() {
    for (setting, whole) in [("endOnly", false), ("whole", true)] {
        let bed = Bed::with(json!({"lastSuccessful": setting})).await;
        let id = bed.running().await;
        let status = bed.job(&id).await["status"].clone();
        let (last, success) = (&status["lastExecution"], &status["lastSuccessfulExecution"]);
        assert_eq!((&success["timeEnded"], &success["countExported"]), (&last["timeEnded"], &json!(14)));
        assert_eq!(success["timeBegan"] == ZERO, !whole);
        assert_eq!(success["activityIdentifier"].is_null(), !whole);
        assert_eq!(success["countEntitled"], if whole { 14 } else { 0 });
        assert_eq!(status["lastSuccessfulExecutionWithExports"]["countEntitled"], 14);
    }
}

#[tokio::test]
async fn a_cycle_succeeds_with_entries_that_wait_for_another_attempt() {
    let bed = Bed::new().await;
    target(&bed, json!({"escrows": 15, "groups": 3})).await;
    let id = bed.running().await;
    let status = bed.job(&id).await["status"].clone();
    let last = &status["lastExecution"];
    assert_eq!((&last["state"], &last["error"]), (&json!("Succeeded"), &Value::Null));
    assert_eq!((&last["countEscrowed"], &last["countEscrowedRaw"]), (&json!(15), &json!(15)));
    let rows = json!([{"key": "Users to customappsso", "value": 14}, {"key": "Groups to customappsso", "value": 3}]);
    assert_eq!(status["synchronizedEntryCountByType"], rows);
    let result = json!({"counts": {"escrowed": 0, "escrowedRaw": 11}});
    bed.control.run_cycle(TENANT, SP, &id, Some(&result)).await.unwrap();
    let last = bed.job(&id).await["status"]["lastExecution"].clone();
    assert_eq!((&last["countEscrowed"], &last["countEscrowedRaw"]), (&json!(0), &json!(11)));
}

#[tokio::test]
async fn the_service_pauses_a_job_whose_initial_cycle_dropped_entries_in_error() {
    let bed = Bed::new().await;
    target(&bed, json!({"escrowsPruned": true})).await;
    let id = bed.create("scim").await;
    bed.act(&id, "start").await;
    bed.advance(300 + 20 * 60).await;
    let job = bed.job(&id).await;
    assert_eq!((state(&job), &job["status"]["escrowsPruned"]), (("Paused", "Paused"), &json!(true)));
    assert_eq!(job["status"]["lastExecution"]["state"], "Succeeded");
    bed.advance(24 * 3600).await;
    assert_eq!(bed.job(&id).await["status"], job["status"], "it waits for a person");
    assert_eq!(bed.act(&id, "start").await, 204);
    bed.advance(400).await;
    let job = bed.job(&id).await;
    assert_eq!((state(&job), &job["status"]["escrowsPruned"]), (("Active", "Active"), &json!(false)));
}

#[tokio::test]
async fn a_control_call_ends_an_initial_cycle_with_dropped_entries() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    bed.act(&id, "start").await;
    let result = json!({"escrowsPruned": true, "counts": {"entitled": 20}});
    bed.control.run_cycle(TENANT, SP, &id, Some(&result)).await.unwrap();
    let job = bed.job(&id).await;
    assert_eq!((state(&job), &job["status"]["escrowsPruned"]), (("Paused", "Paused"), &json!(true)));
    bed.act(&id, "start").await;
    let refusal = bed.control.run_cycle(TENANT, SP, &id, Some(&result)).await.unwrap_err().to_string();
    assert!(refusal.contains("initial cycle"), "{refusal}");
}

#[tokio::test]
async fn any_part_of_a_job_can_be_null_or_of_another_kind() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    let put = async |body: Value| {
        bed.control.put_job(TENANT, SP, &id, &body).await.unwrap();
        bed.job(&id).await
    };
    assert_eq!(put(json!({"schedule": {"state": null}})).await["schedule"]["state"], Value::Null);
    assert_eq!(
        put(json!({"schedule": {"state": "unknownFutureValue"}})).await["schedule"]["state"],
        "unknownFutureValue"
    );
    let job = put(json!({"schedule": null})).await;
    assert_eq!((&job["schedule"], &job["status"]["code"]), (&Value::Null, &json!("Paused")));
    let quarantine = json!({"reason": "", "currentBegan": "", "nextAttempt": "", "seriesBegan": "", "seriesCount": 0});
    let job = put(json!({"status": {"code": "Paused", "quarantine": quarantine}})).await;
    assert_eq!((&job["status"]["code"], &job["status"]["quarantine"]), (&json!("Paused"), &quarantine));
    let counts = json!({"countSuccessiveCompleteFailures": "3", "lastExecution": {"countExported": 12.0}});
    let path = format!("servicePrincipals/{SP}/synchronization/jobs/{id}");
    put(json!({"status": counts})).await;
    let text = bed.call("GET", &path, None).await.text;
    assert!(
        text.contains(r#""countSuccessiveCompleteFailures":"3""#) && text.contains(r#""countExported":12.0"#),
        "{text}"
    );
    assert_eq!(put(json!({"synchronizationJobSettings": null})).await["synchronizationJobSettings"], Value::Null);
    assert_eq!(put(json!({"status": null})).await["status"], Value::Null);
    let wrong = bed.control.put_job(TENANT, SP, &id, &json!({"schedule": 3})).await.unwrap_err().to_string();
    assert!(wrong.contains("an object or null"), "{wrong}");
    bed.act(&id, "start").await;
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("NotRun", "Active"), "what a test set is gone when the job changes");
}

#[tokio::test]
async fn a_template_decides_how_many_settings_its_jobs_have_and_how_often_they_run() {
    let bed = Bed::new().await;
    bed.put_sp(json!({"templates": ["aWSSingleSignon", "scim", "AD2AADProvisioning", "Old"]})).await;
    let old = json!({"interval": "PT2M", "jobSettings": []});
    bed.control.raw("PUT", &format!("tenants/{TENANT}/templates/Old"), Some(&old)).await.unwrap();
    for (template, count, interval) in
        [("aWSSingleSignon", 1, "PT40M"), ("scim", 2, "PT40M"), ("AD2AADProvisioning", 9, "PT20M"), ("Old", 0, "PT2M")]
    {
        let id = bed.create(template).await;
        let job = bed.job(&id).await;
        let settings = job["synchronizationJobSettings"].as_array().unwrap();
        assert_eq!((settings.len(), &job["schedule"]["interval"]), (count, &json!(interval)), "{template}");
        if let Some(domain) = settings.iter().find(|setting| setting["name"] == "Domain") {
            let inner: Value = serde_json::from_str(domain["value"].as_str().unwrap()).unwrap();
            assert_eq!(inner["DomainFQDN"], "ad.example.test");
        }
    }
}

#[tokio::test]
async fn a_step_of_the_clock_runs_every_cycle_that_is_due() {
    let bed = Bed::new().await;
    bed.control.resume_clock().await.unwrap();
    target(&bed, json!({"changes": 3})).await;
    let id = bed.create("scim").await;
    bed.act(&id, "start").await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        bed.control.advance_clock(24 * 3600 + 300).await.unwrap();
        let status = bed.job(&id).await["status"].clone();
        assert_eq!(status["lastSuccessfulExecution"]["countExported"], 3, "not the first cycle any more");
        let now = bed.control.raw("GET", "clock", None).await.unwrap()["now"].as_str().unwrap().to_owned();
        let at = |time: &Value| time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let behind = at(&json!(now)).duration_since(at(&status["steadyStateLastAchievedTime"]));
        assert!(behind.as_mins() <= 41, "the last cycle ended {behind:#} ago");
        seen.push(status["lastExecution"]["activityIdentifier"].clone());
        assert_ne!(status["steadyStateFirstAchievedTime"], status["steadyStateLastAchievedTime"]);
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
}
