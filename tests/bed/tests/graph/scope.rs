//! Who is in scope: `SyncAll`, `SkipOutOfScopeDeletions` and the deletion guard (CONTRACT §3.9, §3.10).

use serde_json::{Value, json};

use super::support::{Bed, SP, TENANT, state};

impl Bed {
    /// Those who are assigned are 10, and everybody is 100.
    async fn with_scope(settings: Value) -> Self {
        let bed = Self::with(settings).await;
        bed.put_target(json!({"entries": 10, "everybody": 100})).await;
        bed
    }

    /// Credentials, and these in addition.
    async fn scoped(&self, others: &[(&str, &str)]) {
        let mut set = vec![("BaseAddress", "https://a.test"), ("SecretToken", "x")];
        set.extend(others);
        assert_eq!(self.put_secrets(&set).await.status, 204);
    }

    /// Entitled and exported entries of the next cycle.
    async fn cycle(&self, id: &str) -> (u64, u64) {
        self.control.run_cycle(TENANT, SP, id, None).await.unwrap();
        let last = self.job(id).await["status"]["lastExecution"].clone();
        (last["countEntitled"].as_u64().unwrap(), last["countExported"].as_u64().unwrap())
    }

    /// With this scope, spelt as the API has it.
    async fn restart(&self, id: &str, scope: &str) {
        let body = json!({"criteria": {"resetScope": scope}});
        assert_eq!(self.sync("POST", &format!("jobs/{id}/restart"), Some(body)).await.status, 204);
    }

    async fn started(&self) -> String {
        let id = self.create("scim").await;
        assert_eq!(self.act(&id, "start").await, 204);
        id
    }
}

#[tokio::test]
async fn from_everybody_to_assigned_takes_a_restart_and_back_the_next_cycle() {
    let bed = Bed::with_scope(json!({})).await;
    bed.scoped(&[("SyncAll", "true")]).await;
    let id = bed.started().await;
    assert_eq!(bed.cycle(&id).await, (100, 100));
    bed.scoped(&[("SyncAll", "False")]).await;
    assert_eq!(bed.cycle(&id).await, (100, 0), "not before a restart");
    bed.act(&id, "pause").await;
    bed.act(&id, "start").await;
    assert_eq!(bed.cycle(&id).await, (100, 0), "a start is none");
    bed.restart(&id, "QuarantineState").await;
    assert_eq!(bed.cycle(&id).await, (10, 90), "the others leave the target");
    let users = bed.job(&id).await["status"]["synchronizedEntryCountByType"][0]["value"].clone();
    assert_eq!(users, 10);
    assert_eq!(bed.cycle(&id).await, (10, 0), "once");
    bed.scoped(&[("SyncAll", "TRUE")]).await;
    assert_eq!(bed.cycle(&id).await, (100, 90));
    assert_eq!(bed.cycle(&id).await, (100, 0));
}

#[tokio::test]
async fn from_assigned_to_everybody_can_take_a_restart_too() {
    let bed = Bed::with_scope(json!({"syncAllWidens": "afterRestart"})).await;
    bed.scoped(&[("SyncAll", "false")]).await;
    let id = bed.started().await;
    assert_eq!(bed.cycle(&id).await, (10, 10));
    bed.scoped(&[("SyncAll", "true")]).await;
    assert_eq!(bed.cycle(&id).await, (10, 0));
    bed.restart(&id, "QuarantineState").await;
    assert_eq!(bed.cycle(&id).await, (100, 90));
}

#[tokio::test]
async fn without_sync_all_those_are_in_scope_who_are_assigned_or_everybody() {
    for (setting, entitled) in [("assigned", 10), ("everybody", 100)] {
        let bed = Bed::with_scope(json!({"syncAllAbsent": setting})).await;
        let id = bed.started().await;
        assert_eq!(bed.cycle(&id).await.0, entitled, "{setting}");
    }
}

#[tokio::test]
async fn out_of_scope_entries_stay_where_the_secret_says_so_but_not_across_tenants() {
    let bed = Bed::with_scope(json!({})).await;
    bed.scoped(&[("SyncAll", "true")]).await;
    let id = bed.started().await;
    bed.cycle(&id).await;
    bed.scoped(&[("SyncAll", "false"), ("SkipOutOfScopeDeletions", "True")]).await;
    bed.restart(&id, "QuarantineState").await;
    assert_eq!(bed.cycle(&id).await, (10, 0));

    let bed = Bed::with_scope(json!({})).await;
    bed.put_sp(json!({"templates": ["Azure2Azure"]})).await;
    bed.put_target(json!({"entries": 10, "everybody": 100})).await;
    let partner = ("CompanyId", "11111111-2222-4333-8444-555555555555");
    let policy = ("AuthenticationType", "SyncPolicy");
    bed.put_secrets(&[partner, policy, ("SyncAll", "true")]).await;
    let id = bed.create("Azure2Azure").await;
    bed.act(&id, "start").await;
    assert_eq!(bed.cycle(&id).await, (100, 100));
    bed.put_secrets(&[partner, policy, ("SyncAll", "false"), ("SkipOutOfScopeDeletions", "True")]).await;
    bed.restart(&id, "QuarantineState").await;
    assert_eq!(bed.cycle(&id).await, (10, 90));
}

#[tokio::test]
async fn the_guard_holds_back_who_leaves_with_the_scope_or_counts_deletions_only() {
    let guard = r#"{"DeleteThresholdEnabled":true,"DeleteThresholdValue":90}"#;
    for (setting, code) in [("scopeToo", "Quarantine"), ("deletionsOnly", "Active")] {
        let bed = Bed::with_scope(json!({"deletionGuardReach": setting})).await;
        bed.scoped(&[("SyncAll", "true"), ("SyncNotificationSettings", guard)]).await;
        let id = bed.started().await;
        bed.cycle(&id).await;
        bed.scoped(&[("SyncAll", "false"), ("SyncNotificationSettings", guard)]).await;
        bed.restart(&id, "QuarantineState").await;
        bed.cycle(&id).await;
        let job = bed.job(&id).await;
        assert_eq!(state(&job).0, code, "{setting}");
        if setting == "scopeToo" {
            assert_eq!(job["status"]["quarantine"]["reason"], "TooManyDeletes");
            bed.restart(&id, "ForceDeletes, QuarantineState").await;
            assert_eq!(bed.cycle(&id).await, (10, 90));
        }
    }
}
