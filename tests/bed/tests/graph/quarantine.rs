//! Quarantine: how a job gets in, how retries thin out, how it comes out, and what happens after 28 days (CONTRACT §4.4).

use serde_json::{Value, json};

use super::support::{Bed, SP, TENANT, state};

const HOUR: u64 = 3600;

impl Bed {
    async fn target(&self, target: Value) {
        self.control
            .raw("PUT", &format!("tenants/{TENANT}/servicePrincipals/{SP}/target"), Some(&target))
            .await
            .unwrap();
    }

    /// A running job whose target rejects the credentials from now on, after the cycle that notices.
    async fn quarantined(&self) -> String {
        let id = self.running().await;
        self.target(json!({"verdict": "rejected"})).await;
        self.advance(20 * 60 + 10).await;
        assert_eq!(state(&self.job(&id).await), ("Quarantine", "Active"));
        id
    }
}

#[tokio::test]
async fn rejected_credentials_lead_into_quarantine_and_good_ones_out_of_it() {
    let bed = Bed::new().await;
    let id = bed.quarantined().await;
    let status = bed.job(&id).await["status"].clone();
    assert_eq!(status["quarantine"]["reason"], "EncounteredQuarantineException");
    assert_eq!(
        (&status["lastExecution"]["state"], &status["countSuccessiveCompleteFailures"]),
        (&json!("Failed"), &json!(1))
    );
    bed.target(json!({})).await;
    bed.advance(6 * HOUR + 60).await;
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("Active", "Active"));
    assert_eq!(job["status"]["quarantine"], Value::Null);
}

#[tokio::test]
async fn retries_thin_out_to_once_a_day() {
    for (setting, minutes) in [
        ("fiveMinutes", vec![5, 6 * 60, 12 * 60, 24 * 60, 24 * 60]),
        ("sixHours", vec![6 * 60, 12 * 60, 24 * 60, 24 * 60]),
    ] {
        let bed = Bed::with(json!({"quarantineRetries": setting})).await;
        let id = bed.quarantined().await;
        for (wait, count) in minutes.into_iter().zip(1..) {
            let status = bed.job(&id).await["status"].clone();
            let quarantine = &status["quarantine"];
            assert_eq!(
                (&quarantine["seriesCount"], &status["countSuccessiveCompleteFailures"]),
                (&json!(count), &json!(count))
            );
            let at = |time: &Value| time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
            let (began, next) = (at(&quarantine["currentBegan"]), at(&quarantine["nextAttempt"]));
            assert_eq!(next.duration_since(began).as_mins(), wait);
            assert_eq!(at(&quarantine["seriesBegan"]) == began, count == 1);
            assert_eq!(at(&status["lastExecution"]["timeEnded"]).duration_since(began).as_millis(), 60);
            let attempt = json!({"freeze": true, "at": next, "advanceSeconds": 2});
            bed.control.raw("POST", "clock", Some(&attempt)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn after_four_weeks_the_job_is_disabled_until_it_is_started() {
    let bed = Bed::new().await;
    let id = bed.quarantined().await;
    bed.advance(28 * 24 * HOUR - HOUR).await;
    assert_eq!(state(&bed.job(&id).await), ("Quarantine", "Active"));
    bed.advance(HOUR).await;
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("Quarantine", "Disabled"));
    bed.advance(7 * 24 * HOUR).await;
    let later = bed.job(&id).await;
    assert_eq!(later["status"]["quarantine"], job["status"]["quarantine"], "nothing is tried any more");
    assert_eq!(bed.act(&id, "start").await, 204);
    assert_eq!(state(&bed.job(&id).await), ("Active", "Active"));
}

#[tokio::test]
async fn an_administrators_start_or_restart_lifts_it() {
    let bed = Bed::new().await;
    let id = bed.quarantined().await;
    let scope = json!({"criteria": {"resetScope": "Watermark"}});
    assert_eq!(bed.sync("POST", &format!("jobs/{id}/restart"), Some(scope)).await.status, 204);
    assert_eq!(state(&bed.job(&id).await).0, "Quarantine", "the scope does not name it");
    let scope = json!({"criteria": {"resetScope": "QuarantineState"}});
    bed.sync("POST", &format!("jobs/{id}/restart"), Some(scope)).await;
    assert_eq!(state(&bed.job(&id).await).0, "Active");
}

#[tokio::test]
async fn too_many_deletes_wait_for_a_restart_that_forces_them() {
    let bed = Bed::with(json!({"deletionGuard": "unlessDisabled"})).await;
    let id = bed.running().await;
    bed.target(json!({"pendingDeletes": 501})).await;
    bed.advance(41 * 60).await;
    assert_eq!(bed.job(&id).await["status"]["quarantine"]["reason"], "TooManyDeletes");
    let scope = json!({"criteria": {"resetScope": "ForceDeletes, QuarantineState"}});
    bed.sync("POST", &format!("jobs/{id}/restart"), Some(scope)).await;
    bed.advance(400).await;
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("Active", "Active"));
    assert_eq!(job["status"]["lastExecution"]["countExported"], 501);
}

#[tokio::test]
async fn the_deletion_threshold_rides_among_the_secrets() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let settings = json!({"DeleteThresholdEnabled": true, "DeleteThresholdValue": 10}).to_string();
    let secrets = json!({"value": [
        {"key": "BaseAddress", "value": "https://a.test"}, {"key": "SecretToken", "value": "x"},
        {"key": "SyncNotificationSettings", "value": settings},
    ]});
    assert_eq!(bed.sync("PUT", "secrets", Some(secrets)).await.status, 204);
    bed.target(json!({"pendingDeletes": 11})).await;
    bed.advance(41 * 60).await;
    assert_eq!(bed.job(&id).await["status"]["quarantine"]["reason"], "TooManyDeletes");
}

impl Bed {
    /// What a cycle makes of so many deletions under these notification settings.
    async fn deletes(&self, id: &str, settings: Option<Value>, deletes: u64) -> Value {
        let mut secrets = json!([
            {"key": "BaseAddress", "value": "https://a.test"}, {"key": "SecretToken", "value": "x"},
        ]);
        if let Some(settings) = settings {
            let pair = json!({"key": "SyncNotificationSettings", "value": settings.to_string()});
            secrets.as_array_mut().unwrap().push(pair);
        }
        assert_eq!(self.sync("PUT", "secrets", Some(json!({"value": secrets}))).await.status, 204);
        self.act(id, "start").await;
        self.target(json!({"pendingDeletes": deletes})).await;
        self.control.run_cycle(TENANT, SP, id, None).await.unwrap();
        let status = self.job(id).await["status"].clone();
        self.target(json!({})).await;
        status
    }
}

#[tokio::test]
async fn without_a_request_for_the_guard_ten_thousand_deletions_go_through() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    bed.control.put_job(TENANT, SP, &id, &json!({"synchronizationJobSettings": [
        {"name": "QuarantineTooManyDeletes", "value": "True"}, {"name": "QuarantineTooManyDeletesThreshold", "value": "5"},
    ]})).await.unwrap();
    for settings in [
        None,
        Some(json!({"Enabled": true, "Recipients": "a@b.test"})),
        Some(json!({"DeleteThresholdEnabled": false, "DeleteThresholdValue": 10})),
    ] {
        let status = bed.deletes(&id, settings, 10_000).await;
        assert_eq!((&status["quarantine"], &status["lastExecution"]["countExported"]), (&Value::Null, &json!(10_000)));
    }
}

#[tokio::test]
async fn the_guard_can_be_on_unless_it_is_disabled() {
    let bed = Bed::with(json!({"deletionGuard": "unlessDisabled"})).await;
    let id = bed.running().await;
    assert_eq!(bed.deletes(&id, None, 500).await["quarantine"]["reason"], "TooManyDeletes");
    assert_eq!(bed.deletes(&id, None, 499).await["quarantine"], Value::Null);
    let off = json!({"DeleteThresholdEnabled": "False"});
    assert_eq!(bed.deletes(&id, Some(off), 10_000).await["quarantine"], Value::Null);
}

#[tokio::test]
async fn the_number_is_of_the_secret_or_of_the_job_or_the_default() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let on = json!({"DeleteThresholdEnabled": true});
    let held = async |settings: &Value, deletes: u64| {
        !bed.deletes(&id, Some(settings.clone()), deletes).await["quarantine"].is_null()
    };
    assert!(!held(&on, 499).await && held(&on, 500).await);
    // Written whole, the settings name a number, and the job's own is never asked.
    let settings = json!({"notificationsReadBack": "asSent", "deleteThresholdDefault": 40});
    bed.control.put_tenant(TENANT, &settings).await.unwrap();
    assert!(!held(&on, 39).await && held(&on, 40).await);
    let pair = json!([{"name": "QuarantineTooManyDeletesThreshold", "value": "30"}]);
    bed.control.put_job(TENANT, SP, &id, &json!({"synchronizationJobSettings": pair})).await.unwrap();
    assert!(!held(&on, 29).await && held(&on, 30).await);
    let number = json!({"DeleteThresholdEnabled": "true", "DeleteThresholdValue": "10"});
    assert!(!held(&number, 9).await && held(&number, 10).await);
}

#[tokio::test]
async fn a_control_call_quarantines_with_any_reason() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let body =
        json!({"reason": "QuarantinedOnDemand", "error": {"code": "ByMicrosoft", "message": "m"}, "seriesCount": 3});
    bed.control.quarantine_job(TENANT, SP, &id, &body).await.unwrap();
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("Quarantine", "Active"));
    let quarantine = &job["status"]["quarantine"];
    assert_eq!((&quarantine["reason"], &quarantine["seriesCount"]), (&json!("QuarantinedOnDemand"), &json!(3)));
    assert_eq!(quarantine["error"]["code"], "ByMicrosoft");
}

#[tokio::test]
async fn a_control_call_runs_a_cycle_with_any_result() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let result = json!({"state": "EntryLevelErrors", "counts": {"entitled": 20, "escrowed": 3, "exported": 5}});
    bed.control.run_cycle(TENANT, SP, &id, Some(&result)).await.unwrap();
    let last = bed.job(&id).await["status"]["lastExecution"].clone();
    assert_eq!(
        (&last["state"], &last["countEscrowed"], &last["countExported"]),
        (&json!("EntryLevelErrors"), &json!(3), &json!(5))
    );
    let failed = json!({"state": "Failed", "reason": "EncounteredEscrowProportionThreshold"});
    bed.control.run_cycle(TENANT, SP, &id, Some(&failed)).await.unwrap();
    assert_eq!(bed.job(&id).await["status"]["quarantine"]["reason"], "EncounteredEscrowProportionThreshold");
    bed.control.run_cycle(TENANT, SP, &id, None).await.unwrap();
    assert_eq!(state(&bed.job(&id).await), ("Active", "Active"));
}
