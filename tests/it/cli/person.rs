//! The person who is logged in to the Azure CLI, for whom a script stands in.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Review, Run, run, sync_job, tool};

const ROLES: [&str; 3] =
    ["Application Administrator", "Cloud Application Administrator", "Hybrid Identity Administrator"];

struct Desk {
    review: Review,
    tools: TempDir,
}

impl Desk {
    /// With an `az` that does what the script says, and writes down how it was called.
    async fn with_az(script: &str) -> Self {
        let desk = Self::without_tools().await;
        let calls = desk.calls();
        tool(desk.tools.path(), "az", &format!("echo \"$@\" >> '{}'\n{script}", calls.display()));
        desk
    }

    async fn without_tools() -> Self {
        let review = Review::begin().await;
        review.write("box.yaml", &sync_job("box", &review.demo.service_principal_id, "BoxOutDelta", ""));
        Self { review, tools: tempfile::tempdir().unwrap() }
    }

    fn calls(&self) -> PathBuf {
        self.tools.path().join("calls")
    }

    /// With a token that Graph accepts.
    async fn logged_in() -> Self {
        let desk = Self::with_az("cat \"$(dirname \"$0\")/answer\"").await;
        desk.answer(&token(&desk.review).await);
        desk
    }

    /// From now on `az` prints this token, in the form of its `get-access-token`.
    fn answer(&self, token: &str) {
        let answer = json!({"accessToken": token, "expires_on": 4_102_444_800_i64, "tokenType": "Bearer"});
        std::fs::write(self.tools.path().join("answer"), answer.to_string()).unwrap();
    }

    /// Only the tools of this desk and those of the system that the script uses are on PATH.
    async fn plan(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let mut command = self.review.command(arguments);
        command.env("PATH", format!("{}:/bin:/usr/bin", self.tools.path().display())).envs(variables.iter().copied());
        run(command).await
    }
}

/// A bearer token of the simulator.
async fn token(review: &Review) -> String {
    let (ready, demo) = (review.simulator.ready(), &review.demo);
    let ca = reqwest::Certificate::from_pem(&std::fs::read(&ready.ca).unwrap()).unwrap();
    let http = reqwest::Client::builder().tls_certs_merge([ca]).no_proxy().build().unwrap();
    let scope = format!("{}/.default", ready.url);
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &demo.client_id)
        .append_pair("client_secret", &demo.client_secret)
        .append_pair("scope", &scope)
        .finish();
    let url = format!("{}/{}/oauth2/v2.0/token", ready.login, demo.tenant_id);
    let request = http.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_who_is_logged_in_plans_without_any_variable() {
    let desk = Desk::logged_in().await;
    let run = desk.plan(&["-f", "."], &[]).await;
    assert_eq!(run.code, 2, "{}{}", run.out, run.err);
    let calls = std::fs::read_to_string(desk.calls()).unwrap();
    let scope = format!("--scope {}/.default", desk.review.simulator.ready().url);
    assert!(calls.contains(&scope) && !calls.contains("--tenant"), "{calls}");
    assert_eq!((calls.lines().count(), desk.review.written().await), (1, vec![]), "one login, and nothing written");
}

#[tokio::test]
async fn the_flag_prefers_the_person_to_an_application_and_the_tenant_is_passed_on() {
    let desk = Desk::logged_in().await;
    let tenant = desk.review.demo.tenant_id.clone();
    let application =
        [("AZURE_TENANT_ID", tenant.as_str()), ("AZURE_CLIENT_ID", "x"), ("AZURE_CLIENT_SECRET", "wrong")];
    let run = desk.plan(&["-f", ".", "--as", "person"], &application).await;
    assert_eq!(run.code, 2, "{}{}", run.out, run.err);
    let calls = std::fs::read_to_string(desk.calls()).unwrap();
    assert!(calls.contains(&format!("--tenant {tenant}")), "{calls}");
}

#[tokio::test]
async fn a_person_who_is_refused_learns_the_three_roles() {
    for (status, code) in [(401, "UnknownError"), (403, "Authorization_RequestDenied")] {
        let desk = Desk::logged_in().await;
        desk.review.fault("listJobs", json!({"respond": {"status": status, "code": code, "message": "no"}})).await;
        let run = desk.plan(&["-f", "."], &[]).await;
        assert_eq!(run.code, 1, "{}", run.err);
        let missing: Vec<&str> = ROLES.into_iter().filter(|role| !run.out.contains(role)).collect();
        assert_eq!(missing, Vec::<&str>::new(), "{}", run.out);
        assert!(run.out.contains("PermissionMissing") && run.out.contains("Synchronization.ReadWrite.All"));
    }
}

#[tokio::test]
async fn whoever_is_not_logged_in_learns_how() {
    let desk = Desk::with_az("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1").await;
    let run = desk.plan(&["-f", "."], &[]).await;
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("az said: ERROR: Please run 'az login'"), "{}", run.err);
    assert!(run.err.contains("`az login --allow-no-subscriptions`"), "{}", run.err);
    let calls = std::fs::read_to_string(desk.calls()).unwrap();
    assert_eq!(calls.lines().count(), 1, "a refusal is remembered");
}

#[tokio::test]
async fn an_expired_login_is_told_by_its_code_and_an_answer_is_never_printed() {
    let expired = "echo 'ERROR: AADSTS700082: The refresh token has expired due to inactivity.' >&2; exit 1";
    let run = Desk::with_az(expired).await.plan(&["-f", "."], &[]).await;
    assert!(run.code == 1 && run.err.contains("AADSTS700082"), "{}", run.err);
    let odd = "echo '{\"accessToken\": {\"canary\": 1}, \"canary\": \"canary\"}'";
    let run = Desk::with_az(odd).await.plan(&["-f", "."], &[]).await;
    assert!(run.code == 1 && run.err.contains("az said: its answer cannot be read"), "{}", run.err);
    assert!(!run.err.contains("canary") && !run.out.contains("canary"), "{}", run.err);
}
