//! What the status of a tenant says, case by case.

use super::*;
use crate::api::tenant::{Cloud, CredentialKind};
use crate::plan::common::trouble::TroubleKind;
use crate::plan::tenant::LogInWith;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT: &str = "66666666-7777-8888-9999-000000000000";

fn wish() -> Wish {
    let login = LogInWith::WorkloadIdentity { client_id: None, service_account: "entrain-workload".to_owned() };
    Wish { tenant_id: TENANT.to_owned(), cloud: Cloud::Global, login, grants: None, rate_limit: None, suspended: false }
}

fn now() -> Timestamp {
    "2026-11-26T12:00:00.5Z".parse().unwrap()
}

fn presented(not_after: Option<&str>) -> Presented {
    let text = |text: &str| Some(text.to_owned());
    Presented {
        kind: Some(CredentialKind::WorkloadIdentity),
        client_id: text(CLIENT),
        issuer: text("https://issuer.example/"),
        subject: text("system:serviceaccount:identity:entrain-workload"),
        audience: text("api://AzureADTokenExchange"),
        not_after: not_after.map(|at| at.parse().unwrap()),
    }
}

fn logged_in(roles: &[&str]) -> Outcome {
    let roles = roles.iter().map(|&role| role.to_owned()).collect();
    Outcome::LoggedIn { tenant: Some(TENANT.to_owned()), roles, obtained: now() }
}

fn failed(kind: TroubleKind, code: &str) -> Outcome {
    let trouble = Trouble { kind, detail: "Logging in failed.".to_owned(), trace: None, retry_after: None };
    Outcome::Failed { trouble, code: code.to_owned() }
}

fn after(old: &TenantStatus, outcome: &Outcome, presented: &Presented) -> TenantStatus {
    let wish = wish();
    let end = End {
        wish: Ok(&wish),
        generation: 3,
        deletion_requested: false,
        users: 2,
        outcome,
        presented: Some(presented),
    };
    report(old, &end, now())
}

/// Type, status and reason of each condition.
fn said(status: &TenantStatus) -> Vec<(String, String, String)> {
    let one = |condition: &Condition| (condition.type_.clone(), condition.status.clone(), condition.reason.clone());
    status.conditions.iter().map(one).collect()
}

fn has(status: &TenantStatus, kind: &str, is: &str, reason: &str) -> bool {
    said(status).contains(&(kind.to_owned(), is.to_owned(), reason.to_owned()))
}

#[test]
fn a_login_that_works_says_what_its_token_permits() {
    let all = ["Application.Read.All", "Synchronization.ReadWrite.All"];
    let status = after(&TenantStatus::default(), &logged_in(&all), &presented(None));
    assert!(has(&status, "Ready", "True", "LoggedIn") && has(&status, "PermissionsGranted", "True", "RolesGranted"));
    assert_eq!(status.observed_generation, Some(3));
    let of = |roles: &[&str]| after(&TenantStatus::default(), &logged_in(roles), &presented(None)).permissions.unwrap();
    assert_eq!(of(&["Application.ReadWrite.OwnedBy"]).missing, Vec::<String>::new());
    assert_eq!(of(&["Synchronization.ReadWrite.All"]).missing, ["Application.Read.All"]);
    assert_eq!(of(&["Synchronization.Read.All", "Application.Read.All"]).missing, ["Synchronization.ReadWrite.All"]);
    let none = after(&TenantStatus::default(), &logged_in(&[]), &presented(None));
    assert!(has(&none, "Ready", "True", "LoggedIn") && has(&none, "PermissionsGranted", "False", "RolesMissing"));
}

#[test]
fn a_certificate_is_reported_for_two_weeks_before_it_expires() {
    let reason = |not_after: &str| {
        let status = after(&TenantStatus::default(), &logged_in(&WRITERS), &presented(Some(not_after)));
        status.conditions[0].reason.clone()
    };
    assert_eq!(reason("2026-12-10T11:59:59Z"), "CertificateExpiring");
    assert_eq!(reason("2026-12-10T12:00:02Z"), "LoggedIn");
}

#[test]
fn a_token_for_another_tenant_is_no_login() {
    let other = Outcome::LoggedIn { tenant: Some(CLIENT.to_owned()), roles: Vec::new(), obtained: now() };
    let status = after(&TenantStatus::default(), &other, &presented(None));
    assert!(has(&status, "Ready", "False", "TenantMismatch") && has(&status, "Stalled", "True", "TenantMismatch"));
}

#[test]
fn a_missing_federated_credential_comes_with_the_command_that_makes_it() {
    let outcome = failed(TroubleKind::LoginRefused, "AADSTS700213");
    let status = after(&TenantStatus::default(), &outcome, &presented(None));
    assert!(has(&status, "Reconciling", "True", "FederatedCredentialMissing"), "it may be on its way");
    let message = &status.conditions[0].message;
    for part in [CLIENT, "https://issuer.example/", "system:serviceaccount:identity:entrain-workload"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn every_code_has_its_reason_and_an_unknown_one_is_a_refusal() {
    let certificate = Presented { kind: Some(CredentialKind::Certificate), ..presented(None) };
    let reason = |code: &str, presented: &Presented| {
        after(&TenantStatus::default(), &failed(TroubleKind::LoginRefused, code), presented).conditions[0]
            .reason
            .clone()
    };
    for (code, expected) in [
        ("AADSTS7000215", "ClientSecretWrong"),
        ("AADSTS7000222", "ClientSecretExpired"),
        ("AADSTS700212", "FederatedAudienceMismatch"),
        ("AADSTS700016", "ApplicationNotFound"),
        ("AADSTS90002", "TenantIdUnknown"),
        ("SecretNotFound", "SecretNotFound"),
        ("TokenRequestForbidden", "TokenRequestForbidden"),
        ("ImdsIdentityAmbiguous", "ManagedIdentityAmbiguous"),
        ("AADSTS424242", "CredentialsRejected"),
        ("", "CredentialsRejected"),
    ] {
        assert_eq!(reason(code, &presented(None)), expected, "{code}");
    }
    assert_eq!(reason("AADSTS700027", &certificate), "CertificateNotRegistered");
    assert_eq!(reason("AADSTS50013", &presented(None)), "CredentialsRejected", "no certificate was presented");
}

#[test]
fn trouble_that_passes_keeps_what_was_true_before_and_a_renewal_writes_nothing() {
    let before = after(&TenantStatus::default(), &logged_in(&WRITERS), &presented(None));
    let troubled = after(&before, &failed(TroubleKind::LoginUnavailable, ""), &presented(None));
    assert!(has(&troubled, "Ready", "True", "LoggedIn") && has(&troubled, "Reconciling", "True", "LoginUnavailable"));
    assert_eq!(troubled.permissions, before.permissions);
    let later = Outcome::LoggedIn {
        tenant: None,
        roles: WRITERS.map(str::to_owned).into(),
        obtained: now() + jiff::SignedDuration::from_hours(1),
    };
    assert!(after(&before, &later, &presented(None)).says(&before), "the same login an hour later");
}

#[test]
fn a_credential_that_cannot_be_read_is_named_all_the_same() {
    let wish = wish();
    let outcome = failed(TroubleKind::LoginRefused, "ServiceAccountNotFound");
    let end =
        End { wish: Ok(&wish), generation: 3, deletion_requested: true, users: 1, outcome: &outcome, presented: None };
    let status = report(&TenantStatus::default(), &end, now());
    assert_eq!(status.login.clone().unwrap().kind, Some(CredentialKind::WorkloadIdentity));
    assert!(status.conditions.iter().any(|condition| condition.message.starts_with("1 SyncJob names this tenant.")));
}
