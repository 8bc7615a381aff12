//! Who may read, write and test secrets, and what the ledger keeps of it (CONTRACT §2.1, §2.4, §2.5).

use serde_json::{Value, json};

use super::permissions::claims;
use super::support::{Bed, SP, TENANT};

const READ: &str = "Synchronization.Read.All";
const WRITE: &str = "Synchronization.ReadWrite.All";
const OWNED: &str = "Application.ReadWrite.OwnedBy";

impl Bed {
    /// Statuses of a read, a write, a test with a job and a test without one.
    async fn access(&self, job: &str) -> [u16; 4] {
        let set = json!({"value": [
            {"key": "BaseAddress", "value": "https://a.test"}, {"key": "SecretToken", "value": "t0ken"},
        ]});
        let saved = json!({"useSavedCredentials": true, "templateId": "scim"});
        let with = format!("jobs/{job}/validateCredentials");
        [
            self.sync("GET", "secrets", None).await.status,
            self.sync("PUT", "secrets", Some(set)).await.status,
            self.sync("POST", &with, Some(saved.clone())).await.status,
            self.sync("POST", "jobs/validateCredentials", Some(saved)).await.status,
        ]
    }

    async fn own(&self) {
        let owners = json!({"value": [claims(&self.token)["oid"]]});
        let path = format!("tenants/{TENANT}/servicePrincipals/{SP}/owners");
        self.control.raw("PUT", &path, Some(&owners)).await.unwrap();
    }
}

#[tokio::test]
async fn an_application_needs_to_write_or_to_own_for_each_of_these_calls() {
    let mut bed = Bed::new().await;
    let job = bed.create("scim").await;
    for (roles, statuses) in [
        (vec![], [401; 4]),
        (vec!["Application.Read.All"], [401; 4]),
        (vec![READ], [401; 4]),
        (vec![OWNED], [401; 4]),
        (vec![WRITE], [200, 204, 204, 204]),
        (vec!["Directory.ReadWrite.All"], [200, 204, 204, 204]),
    ] {
        bed.granted(&roles).await;
        assert_eq!(bed.access(&job).await, statuses, "{roles:?}");
    }
    bed.granted(&[OWNED]).await;
    bed.own().await;
    assert_eq!(bed.access(&job).await, [200, 204, 204, 204], "an owner");
    assert_eq!(bed.ledger("putSecrets").await, 3, "a refusal changes nothing");
}

#[tokio::test]
async fn a_read_of_secrets_needs_what_a_write_needs_or_what_a_read_needs() {
    let mut bed = Bed::new().await;
    bed.granted(&[READ]).await;
    for (setting, read) in [("asWrite", 401), ("asRead", 200)] {
        bed.settings(json!({"readSecrets": setting})).await;
        assert_eq!(bed.sync("GET", "secrets", None).await.status, read, "{setting}");
        assert_eq!(bed.put_secrets(&[("SyncAll", "true")]).await.status, 401, "{setting}");
    }
    bed.settings(json!({"missingPermission": "denied403"})).await;
    let answer = bed.sync("GET", "secrets", None).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "Authorization_RequestDenied"));
}

#[tokio::test]
async fn ownership_is_enough_for_a_test_without_a_job_or_it_is_not() {
    let mut bed = Bed::new().await;
    let job = bed.create("scim").await;
    bed.granted(&[OWNED]).await;
    bed.own().await;
    for (setting, without) in [("asWrite", 204), ("writeAll", 401)] {
        bed.settings(json!({"validateWithoutJob": setting})).await;
        assert_eq!(bed.access(&job).await, [200, 204, 204, without], "{setting}");
    }
    bed.granted(&[WRITE]).await;
    assert_eq!(bed.access(&job).await, [200, 204, 204, 204], "writeAll");
}

#[tokio::test]
async fn a_person_needs_a_role_and_a_scope_that_writes() {
    let mut bed = Bed::new().await;
    let job = bed.create("scim").await;
    let (all, administrator) = ([200, 204, 204, 204], "Cloud Application Administrator");
    for (setting, scope, role, statuses) in [
        ("roleDecides", WRITE, administrator, all),
        ("roleDecides", "Application.ReadWrite.All", administrator, all),
        ("roleDecides", "Application.Read.All", administrator, [401; 4]),
        ("roleDecides", READ, administrator, [401; 4]),
        ("roleDecides", WRITE, "Global Reader", [401; 4]),
        ("scopeToo", WRITE, "Hybrid Identity Administrator", all),
        ("scopeToo", "Application.ReadWrite.All", administrator, [401; 4]),
    ] {
        bed.settings(json!({"personScopes": setting})).await;
        bed.user(&[scope], &[role]).await;
        assert_eq!(bed.access(&job).await, statuses, "{setting} {scope} {role}");
    }
    bed.settings(json!({"readSecrets": "asRead", "validateWithoutJob": "writeAll"})).await;
    bed.user(&[READ], &[administrator]).await;
    assert_eq!(bed.access(&job).await, [200, 401, 401, 401]);
    bed.user(&[WRITE], &[administrator]).await;
    assert_eq!(bed.access(&job).await, all);
}

#[tokio::test]
async fn the_ledger_has_the_keys_of_a_put_and_no_value() {
    let bed = Bed::new().await;
    bed.put_secrets(&[("BaseAddress", "https://hidden.test"), ("SECRETTOKEN", "hidden"), ("SyncAll", "")]).await;
    let noted = bed.control.effects("putSecrets").await.unwrap();
    assert_eq!(
        noted[0]["detail"],
        json!({"keys": ["BaseAddress", "SecretToken"], "sent": ["BaseAddress", "SecretToken", "SyncAll"]})
    );
    assert_eq!((&noted[0]["servicePrincipalId"], &noted[0]["jobId"]), (&json!(SP), &Value::Null));
    assert!(!bed.control.ledger().await.unwrap().to_string().contains("hidden"));
    assert!(!bed.control.calls().await.unwrap().to_string().contains("hidden"));
}

#[tokio::test]
async fn a_person_in_the_portal_changes_one_secret_and_leaves_the_others() {
    let bed = Bed::with(json!({"secretsLagMillis": 30_000})).await;
    let change = async |set: Value| bed.control.change_secrets(TENANT, SP, &set).await;
    change(json!([{"key": "secretToken", "value": "of the portal"}])).await.unwrap();
    let (before, after) = (bed.shown_secrets().await, bed.true_secrets().await);
    assert_eq!(after[1], json!({"key": "SecretToken", "value": "of the portal"}));
    assert_eq!(before[1], json!({"key": "SecretToken", "value": "*"}), "a client cannot see the difference");
    let pair = r#"{"DeleteThresholdEnabled":true,"DeleteThresholdValue":5}"#;
    change(json!([{"key": "SyncAll", "value": "true"}, {"key": "BaseAddress", "value": ""}])).await.unwrap();
    change(json!([{"key": "SyncNotificationSettings", "value": pair}])).await.unwrap();
    assert_eq!(bed.shown_secrets().await, before, "replicas lag as after a PUT");
    bed.advance(30).await;
    let shown = bed.shown_secrets().await;
    let keys: Vec<&str> = shown.as_array().unwrap().iter().map(|pair| pair["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["SecretToken", "SyncAll", "SyncNotificationSettings"]);
    assert!(shown[2]["value"].as_str().unwrap().starts_with(r#"{"Enabled":false,"DeleteThresholdEnabled":true"#));
    assert!(change(json!([{"key": "Nope", "value": "x"}])).await.is_err());
    let noted = bed.control.effects("putSecrets").await.unwrap();
    assert_eq!((noted.len(), &noted[0]["callerAppId"]), (3, &json!("portal")));
    bed.control.put_secrets(TENANT, SP, &json!([{"key": "SyncAll", "value": "false"}])).await.unwrap();
    assert_eq!(bed.shown_secrets().await, json!([{"key": "SyncAll", "value": "false"}]), "a stage is set at once");
}

#[tokio::test]
async fn a_target_is_changed_in_part() {
    let bed = Bed::new().await;
    bed.put_target(json!({"verdict": "rejected", "entries": 3})).await;
    bed.control.patch_target(TENANT, SP, &json!({"verdict": "accepted"})).await.unwrap();
    let id = bed.create("scim").await;
    bed.act(&id, "start").await;
    bed.control.run_cycle(TENANT, SP, &id, None).await.unwrap();
    assert_eq!(bed.job(&id).await["status"]["lastExecution"]["countExported"], 3);
    assert!(bed.control.patch_target(TENANT, SP, &json!({"verdict": "maybe"})).await.is_err());
    assert!(bed.control.patch_target(TENANT, SP, &json!({"colour": 1})).await.is_err());
}
