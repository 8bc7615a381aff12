//! The person who is logged in to the Azure CLI, for whom a script stands in.

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::{Review, Run, run, sync_job, tool};

const ROLES: [&str; 3] =
    ["Application Administrator", "Cloud Application Administrator", "Hybrid Identity Administrator"];
const PERSON: &str = "c0ffee00-1d2e-4f3a-8b4c-5d6e7f809102";

struct Desk {
    review: Review,
    tools: TempDir,
}

impl Desk {
    /// With an `az` that does what the script says, and writes down how it was called.
    async fn with_az(script: &str) -> Self {
        let review = Review::begin().await;
        review.write("box.yaml", &sync_job("box", &review.demo.service_principal_id, "BoxOutDelta", ""));
        let desk = Self { review, tools: tempfile::tempdir().unwrap() };
        tool(desk.tools.path(), "az", &format!("echo \"$@\" >> '{}'\n{script}", desk.calls().display()));
        desk
    }

    fn calls(&self) -> PathBuf {
        self.tools.path().join("calls")
    }

    /// With a token for a person who holds these directory roles.
    async fn logged_in(roles: &[&str]) -> Self {
        let desk = Self::with_az("cat \"$(dirname \"$0\")/answer\"").await;
        let user = format!("tenants/{}/users/{PERSON}", desk.review.demo.tenant_id);
        let control = &desk.review.control;
        control.raw("PUT", &user, Some(&json!({"roles": roles}))).await.unwrap();
        let wanted = json!({"scopes": ["Synchronization.Read.All"]});
        let token = control.raw("POST", &format!("{user}/token"), Some(&wanted)).await.unwrap();
        let answer =
            json!({"accessToken": token["access_token"], "expires_on": 4_102_444_800_i64, "tokenType": "Bearer"});
        std::fs::write(desk.tools.path().join("answer"), answer.to_string()).unwrap();
        desk
    }

    /// Only the tools of this desk and those of the system that the script uses are on PATH.
    async fn plan(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let mut command = self.review.command(arguments);
        command.env("PATH", format!("{}:/bin:/usr/bin", self.tools.path().display())).envs(variables.iter().copied());
        run(command).await
    }
}

#[tokio::test]
async fn a_person_who_is_logged_in_plans_without_any_variable() {
    let desk = Desk::logged_in(&ROLES[1..2]).await;
    let run = desk.plan(&["-f", "."], &[]).await;
    assert_eq!(run.code, 2, "{}{}", run.out, run.err);
    let calls = std::fs::read_to_string(desk.calls()).unwrap();
    let scope = format!("--scope {}/.default", desk.review.simulator.ready().url);
    assert!(calls.contains(&scope) && !calls.contains("--tenant"), "{calls}");
    assert_eq!((calls.lines().count(), desk.review.written().await), (1, vec![]), "one login, and nothing written");
}

#[tokio::test]
async fn the_flag_prefers_the_person_to_an_application_and_the_tenant_is_passed_on() {
    let desk = Desk::logged_in(&ROLES[1..2]).await;
    let tenant = desk.review.demo.tenant_id.clone();
    let application =
        [("AZURE_TENANT_ID", tenant.as_str()), ("AZURE_CLIENT_ID", "x"), ("AZURE_CLIENT_SECRET", "wrong")];
    let run = desk.plan(&["-f", ".", "--as", "person"], &application).await;
    assert_eq!(run.code, 2, "{}{}", run.out, run.err);
    let calls = std::fs::read_to_string(desk.calls()).unwrap();
    assert!(calls.contains(&format!("--tenant {tenant}")), "{calls}");
}

#[tokio::test]
async fn each_of_the_three_roles_is_enough() {
    for role in ROLES {
        let run = Desk::logged_in(&[role]).await.plan(&["-f", "."], &[]).await;
        assert_eq!(run.code, 2, "{role}: {}{}", run.out, run.err);
    }
}

fn names_the_roles(run: &Run) {
    let roles = format!("one of the roles {}, {} or {}.", ROLES[0], ROLES[1], ROLES[2]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.out.contains(&roles) && run.out.contains("PermissionMissing"), "{}", run.out);
    assert!(run.out.contains("Synchronization.ReadWrite.All"), "{}", run.out);
}

#[tokio::test]
async fn a_person_without_a_role_learns_the_three() {
    let desk = Desk::logged_in(&["Global Reader"]).await;
    names_the_roles(&desk.plan(&["-f", "."], &[]).await);
    // Graph has also been seen to refuse a person as it refuses an application.
    let desk = Desk::logged_in(&ROLES[..1]).await;
    desk.review.fault("listJobs", json!({"respond": {"status": 401, "code": "UnknownError", "message": ""}})).await;
    names_the_roles(&desk.plan(&["-f", "."], &[]).await);
}

#[tokio::test]
async fn a_person_who_may_not_look_up_a_service_principal_learns_that_permission_too() {
    let desk = Desk::logged_in(&ROLES).await;
    desk.review.write("box.yaml", &sync_job("box", "11111111-2222-4333-8444-555555555555", "scim", ""));
    let run = desk.plan(&["-f", "."], &[]).await;
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.out.contains("Reading the service principal failed: Graph answered 403"), "{}", run.out);
    assert!(run.out.contains("Application.Read.All to look up"), "{}", run.out);
}

#[tokio::test]
async fn whoever_is_not_logged_in_learns_how() {
    let desk = Desk::with_az("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1").await;
    let run = desk.plan(&["-f", "."], &[]).await;
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("az answered: ERROR: Please run 'az login'"), "{}", run.err);
    assert!(run.err.contains("`az login --allow-no-subscriptions`"), "{}", run.err);
    let calls = std::fs::read_to_string(desk.calls()).unwrap();
    assert_eq!(calls.lines().count(), 1, "a refusal is remembered");
}

#[tokio::test]
async fn whoever_has_no_tool_learns_which_there_are() {
    let desk = Desk::with_az("").await;
    std::fs::remove_file(desk.tools.path().join("az")).unwrap();
    let mut command = desk.review.command(&["-f", "."]);
    command.env("PATH", desk.tools.path());
    let run = run(command).await;
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("neither the Azure CLI (az) nor the Azure Developer CLI (azd)"), "{}", run.err);
}

#[tokio::test]
async fn an_expired_login_is_told_by_its_code_and_an_answer_is_never_printed() {
    let expired = "echo 'ERROR: AADSTS700082: The refresh token has expired due to inactivity.' >&2; exit 1";
    let run = Desk::with_az(expired).await.plan(&["-f", "."], &[]).await;
    assert!(run.code == 1 && run.err.contains("AADSTS700082"), "{}", run.err);
    let odd = "echo '{\"accessToken\": {\"canary\": 1}, \"canary\": \"canary\"}'";
    let run = Desk::with_az(odd).await.plan(&["-f", "."], &[]).await;
    assert!(run.code == 1 && run.err.contains("az answered: its answer cannot be read"), "{}", run.err);
    assert!(!run.err.contains("canary") && !run.out.contains("canary"), "{}", run.err);
}
