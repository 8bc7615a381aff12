//! Who may do what, and how a refusal looks (CONTRACT §2.1, §6.3).

use serde_json::{Value, json};

use super::support::{APP, Answer, Bed, SP, TENANT};

const USER: &str = "11111111-2222-4333-8444-555555555555";

impl Bed {
    pub async fn granted(&mut self, roles: &[&str]) {
        self.put_app(roles).await;
        self.sign_in().await;
    }

    async fn try_create(&self) -> Answer {
        self.sync("POST", "jobs", Some(json!({"templateId": "scim"}))).await
    }

    /// A token of a user with these scopes and directory roles.
    pub async fn user(&mut self, scopes: &[&str], roles: &[&str]) {
        self.control
            .raw("PUT", &format!("tenants/{TENANT}/users/{USER}"), Some(&json!({"roles": roles})))
            .await
            .unwrap();
        let wanted = json!({"scopes": scopes, "appId": APP});
        let token =
            self.control.raw("POST", &format!("tenants/{TENANT}/users/{USER}/token"), Some(&wanted)).await.unwrap();
        token["access_token"].as_str().unwrap().clone_into(&mut self.token);
    }
}

#[tokio::test]
async fn a_missing_permission_is_an_empty_unknown_error_or_a_403() {
    let mut bed = Bed::new().await;
    bed.granted(&[]).await;
    let answer = bed.sync("GET", "jobs", None).await;
    assert_eq!(
        (answer.status, answer.code().as_str(), &answer.json()["error"]["message"]),
        (401, "UnknownError", &json!(""))
    );
    bed.control.put_tenant(TENANT, &json!({"missingPermission": "denied403"})).await.unwrap();
    let answer = bed.sync("GET", "jobs", None).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "Authorization_RequestDenied"));
}

#[tokio::test]
async fn reading_does_not_allow_writing() {
    let mut bed = Bed::new().await;
    bed.granted(&["Synchronization.Read.All"]).await;
    assert_eq!(bed.sync("GET", "jobs", None).await.status, 200);
    assert_eq!(bed.try_create().await.status, 401);
    assert_eq!(bed.ledger("createJob").await, 0);
    bed.granted(&["Synchronization.ReadWrite.All"]).await;
    assert_eq!(bed.try_create().await.status, 201);
    assert_eq!(
        bed.call("GET", &format!("servicePrincipals/{SP}"), None).await.status,
        403,
        "the directory is not jobs"
    );
}

#[tokio::test]
async fn owned_by_counts_for_owners_of_the_service_principal() {
    let mut bed = Bed::new().await;
    bed.granted(&["Application.ReadWrite.OwnedBy"]).await;
    assert_eq!(bed.try_create().await.status, 401);
    let oid = claims(&bed.token)["oid"].clone();
    let owners = json!({"value": [oid]});
    bed.control.raw("PUT", &format!("tenants/{TENANT}/servicePrincipals/{SP}/owners"), Some(&owners)).await.unwrap();
    assert_eq!(bed.try_create().await.status, 201);
    let path = format!("servicePrincipals/{SP}/synchronization/jobs/x");
    assert_eq!(bed.call("PATCH", &path, Some(json!({}))).await.code(), "UnknownError");
    bed.control.put_tenant(TENANT, &json!({"ownedBy": "refused"})).await.unwrap();
    assert_eq!(bed.try_create().await.status, 401, "the bug that was reported");
}

#[tokio::test]
async fn broad_roles_are_accepted_or_refused() {
    let mut bed = Bed::new().await;
    bed.granted(&["Directory.ReadWrite.All"]).await;
    assert_eq!(bed.try_create().await.status, 201);
    bed.control.put_tenant(TENANT, &json!({"broadRoles": "refused"})).await.unwrap();
    assert_eq!(bed.try_create().await.status, 401);
}

#[tokio::test]
async fn a_user_needs_a_directory_role_and_a_scope() {
    let mut bed = Bed::with(json!({"duplicateCreate": "returnExisting"})).await;
    let (scope, administrator) = ("Synchronization.ReadWrite.All", "Application Administrator");
    for role in [administrator, "Cloud Application Administrator", "Hybrid Identity Administrator"] {
        bed.user(&[scope], &[role]).await;
        assert_eq!(bed.try_create().await.status, 201, "{role}");
    }
    for (scopes, roles) in [(vec![scope], vec![]), (vec![scope], vec!["Global Reader"])] {
        bed.user(&scopes, &roles).await;
        for answer in [bed.try_create().await, bed.sync("GET", "jobs", None).await] {
            let message = answer.json()["error"]["message"].clone();
            assert_eq!((answer.status, answer.code().as_str(), message), (401, "UnknownError", json!("")));
        }
    }
    bed.user(&["Synchronization.Read.All"], &[administrator]).await;
    assert_eq!(bed.try_create().await.status, 401);
    bed.control.put_tenant(TENANT, &json!({"missingPermission": "denied403"})).await.unwrap();
    assert_eq!(bed.try_create().await.code(), "Authorization_RequestDenied");
    let payload = claims(&bed.token);
    assert_eq!((&payload["scp"], &payload["oid"]), (&json!("Synchronization.Read.All"), &json!(USER)));
    assert!(payload["wids"].is_array() && payload.get("roles").is_none());
}

#[tokio::test]
async fn with_the_role_a_general_scope_is_enough_or_a_synchronization_scope_is_needed_too() {
    let mut bed = Bed::with(json!({"duplicateCreate": "returnExisting"})).await;
    for (setting, scope, read, write) in [
        ("roleDecides", "Application.Read.All", 200, 401),
        ("roleDecides", "Directory.ReadWrite.All", 200, 201),
        ("roleDecides", "User.Read", 401, 401),
        ("scopeToo", "Application.Read.All", 401, 401),
        ("scopeToo", "Directory.ReadWrite.All", 401, 401),
        ("scopeToo", "Synchronization.ReadWrite.All", 200, 201),
    ] {
        let settings = json!({"personScopes": setting, "duplicateCreate": "returnExisting"});
        bed.control.put_tenant(TENANT, &settings).await.unwrap();
        bed.user(&[scope], &["Cloud Application Administrator"]).await;
        let seen = (bed.sync("GET", "jobs", None).await.status, bed.try_create().await.status);
        assert_eq!(seen, (read, write), "{setting} {scope}");
    }
}

#[tokio::test]
async fn custom_security_attributes_need_one_more_permission() {
    let mut bed = Bed::new().await;
    bed.put_sp(json!({"customSecurityAttributes": true})).await;
    let id = bed.create("scim").await;
    assert_eq!(bed.sync("GET", &format!("jobs/{id}/schema"), None).await.status, 401);
    bed.granted(&["Synchronization.ReadWrite.All", "CustomSecAttributeProvisioning.Read.All"]).await;
    let schema = bed.sync("GET", &format!("jobs/{id}/schema"), None).await;
    assert_eq!(schema.status, 200);
    assert_eq!(bed.sync("PUT", &format!("jobs/{id}/schema"), Some(schema.json())).await.status, 401);
}

/// The payload of a token.
pub fn claims(token: &str) -> Value {
    use base64::Engine;
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
