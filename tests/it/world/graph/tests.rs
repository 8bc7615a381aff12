//! What the Graph in memory promises, asked over HTTP messages.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::world::schedule::{Choice, Mix};

const SP: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";

struct Talk {
    graph: Graph,
    token: String,
}

impl Talk {
    async fn begin(schedule: Schedule, world: (Ids, Duplicate)) -> Self {
        let clock = Clock::start("2026-11-26T10:00:00Z".parse().unwrap());
        let graph = Graph::new(clock, schedule, world);
        graph.principal(SP, &["scim", "BoxOutDelta"]);
        let mut talk = Self { graph, token: String::new() };
        talk.log_in().await;
        talk
    }

    async fn quiet() -> Self {
        Self::begin(Schedule::quiet(), WORLDS[0]).await
    }

    async fn log_in(&mut self) {
        let request = http::Request::post("https://login.example/t/oauth2/v2.0/token").body(Bytes::new()).unwrap();
        let answer = self.graph.exchange(0, request).await.unwrap();
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        self.token = body["access_token"].as_str().unwrap_or_default().to_owned();
    }

    async fn ask(&self, method: &str, below: &str, body: &str) -> (u16, Value) {
        let uri = format!("https://graph.example/v1.0/servicePrincipals/{SP}{below}");
        let request = http::Request::builder().method(method).uri(uri).header("client-request-id", "nonce-1");
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let answer = self.graph.exchange(0, request.body(Bytes::from(body.to_owned())).unwrap()).await.unwrap();
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    async fn create(&self) -> (u16, Value) {
        self.ask("POST", "/synchronization/jobs", r#"{"templateId":"scim"}"#).await
    }

    async fn listed(&self) -> Vec<String> {
        let (status, body) = self.ask("GET", "/synchronization/jobs", "").await;
        assert_eq!(status, 200);
        let jobs = body["value"].as_array().unwrap();
        jobs.iter().map(|job| job["schedule"]["state"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_created_started_paused_restarted_and_deleted() {
    let talk = Talk::quiet().await;
    assert_eq!(talk.listed().await, Vec::<String>::new());
    let (status, job) = talk.create().await;
    let id = job["id"].as_str().unwrap();
    assert_eq!((status, &job["status"]["code"], &job["templateId"]), (201, &json!("Paused"), &json!("scim")));
    let act = async |what: &str| talk.ask("POST", &format!("/synchronization/jobs/{id}/{what}"), "{}").await.0;
    assert_eq!((act("start").await, talk.listed().await), (204, vec!["Active".to_owned()]));
    assert_eq!((act("pause").await, talk.listed().await), (204, vec!["Paused".to_owned()]));
    assert_eq!((act("restart").await, talk.listed().await), (204, vec!["Active".to_owned()]));
    let delete = async || talk.ask("DELETE", &format!("/Synchronization/Jobs/{id}/"), "").await.0;
    assert_eq!((delete().await, delete().await, act("start").await), (204, 404, 404));
    let service = talk.graph.service();
    let did: Vec<Did> = service.tenant.ledger.effects.iter().map(|effect| effect.did).collect();
    assert_eq!(did, [Did::Created, Did::Started, Did::Paused, Did::Restarted, Did::Deleted]);
    assert!(
        service.tenant.ledger.effects.iter().all(|effect| effect.by == By::Operator(0) && effect.request == "nonce-1")
    );
    let calls = &service.tenant.ledger.calls;
    assert_eq!((calls[0].operation, calls[0].heard, calls.last().unwrap().heard), (Operation::LogIn, 200, 404));
}

#[tokio::test(start_paused = true)]
async fn principals_templates_and_unknown_routes_are_answered() {
    let talk = Talk::quiet().await;
    let (status, body) = talk.ask("GET", "", "").await;
    assert_eq!((status, &body["id"]), (200, &json!(SP)));
    let (_, templates) = talk.ask("GET", "/synchronization/templates", "").await;
    assert_eq!(templates["value"][1]["id"], json!("BoxOutDelta"));
    assert_eq!(talk.ask("PATCH", "/synchronization/jobs/x", "").await.0, 404);
    assert_eq!(talk.ask("POST", "/synchronization/jobs", r#"{"templateId":"other"}"#).await.0, 400);
    talk.graph.act(|tenant, _| tenant.principals[0].exists = false);
    assert_eq!((talk.ask("GET", "", "").await.0, talk.create().await.0), (404, 404));
}

#[tokio::test(start_paused = true)]
async fn tokens_are_asked_for_and_end() {
    let mut talk = Talk::quiet().await;
    tokio::time::sleep(Duration::from_secs(3599)).await;
    assert_eq!(talk.ask("GET", "", "").await.0, 200);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(talk.ask("GET", "", "").await.0, 401);
    talk.log_in().await;
    assert_eq!(talk.ask("GET", "", "").await.0, 200);
    talk.graph.service().revoke();
    assert_eq!(talk.ask("GET", "", "").await.1["error"]["code"], json!("InvalidAuthenticationToken"));
    talk.graph.service().login_refused = Some(("invalid_client", 7_000_215));
    talk.log_in().await;
    assert_eq!(talk.token, "");
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_for_all_requests_until_its_end() {
    let talk = Talk::quiet().await;
    talk.graph.throttle(Duration::from_secs(20));
    assert_eq!((talk.create().await.0, talk.ask("GET", "", "").await.0), (429, 429));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(talk.create().await.0, 201);
}

#[tokio::test(start_paused = true)]
async fn the_product_reads_these_jobs() {
    let talk = Talk::quiet().await;
    talk.create().await;
    for state in [0, 1, 2, 3] {
        talk.graph.act(|tenant, now| match state {
            1 => tenant.start(0, By::Person, "", now),
            2 => tenant.change(0, now, |state| state.lived = true),
            3 => tenant.change(0, now, |state| state.quarantine = true),
            _ => {}
        });
        let (_, body) = talk.ask("GET", "/synchronization/jobs", "").await;
        let job: entrain::graph::Job = serde_json::from_value(body["value"][0].clone()).unwrap();
        let status = job.status.unwrap();
        let code = ["Paused", "NotRun", "Active", "Quarantine"][state];
        assert_eq!((status.code.as_deref(), status.quarantine.is_some()), (Some(code), state == 3));
    }
}

/// Draws: a login without trouble, then these.
fn after_login(draws: &[(Site, u32, u32)]) -> Schedule {
    let login = [(Site::Login, 9, 0), (Site::Replica, 2, 0), (Site::Latency, 8, 0)];
    let draws = login.iter().chain(draws).map(|&(site, of, took)| Choice { site, of, took });
    Schedule::recorded(&draws.collect::<Vec<_>>(), Mix::everywhere(9, 1000))
}

#[tokio::test(start_paused = true)]
async fn a_created_job_is_unseen_and_a_list_is_stale_as_drawn() {
    let unseen = [(Site::GraphCreate, 14, 0), (Site::Replica, 3, 2), (Site::Replica, 16, 7), (Site::Latency, 8, 0)];
    let talk = Talk::begin(after_login(&unseen), WORLDS[0]).await;
    talk.create().await;
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(talk.listed().await.len(), 0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(talk.listed().await.len(), 1);
    let stale = [
        (Site::GraphCreate, 14, 0),
        (Site::Replica, 3, 0),
        (Site::Latency, 8, 0),
        (Site::GraphRead, 9, 0),
        (Site::Replica, 2, 1),
        (Site::Replica, 16, 0),
        (Site::Hidden, 2, 0),
        (Site::Latency, 8, 0),
    ];
    let talk = Talk::begin(after_login(&stale), WORLDS[0]).await;
    talk.create().await;
    assert_eq!((talk.listed().await.len(), talk.listed().await.len()), (0, 1), "one replica lags, the other does not");
}

#[tokio::test(start_paused = true)]
async fn lists_lack_the_jobs_for_a_while_only() {
    let hidden = Mix { sites: vec![Site::Hidden], ..Mix::everywhere(u32::MAX, 1000) };
    let talk = Talk::begin(Schedule::mixed(1, hidden), WORLDS[0]).await;
    talk.create().await;
    let mut shown = Vec::new();
    for _ in 0..11 {
        shown.push(talk.listed().await.len());
        tokio::time::sleep(Duration::from_secs(31)).await;
    }
    assert_eq!(shown, [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_is_lost_has_its_effect() {
    let lost = [(Site::GraphCreate, 19, 7)];
    let talk = Talk::begin(after_login(&lost), WORLDS[0]).await;
    assert!(tokio::time::timeout(Duration::from_secs(30), talk.create()).await.is_err());
    assert_eq!(talk.listed().await.len(), 1);
    let call = talk.graph.service().tenant.ledger.calls[1].clone();
    assert_eq!((call.operation, call.about.as_str(), call.heard, call.until), (Operation::CreateJob, "scim", 0, None));
}

#[tokio::test(start_paused = true)]
async fn a_ghost_cannot_be_deleted() {
    let talk = Talk::quiet().await;
    let (_, job) = talk.create().await;
    talk.graph.act(|tenant, _| tenant.jobs[0].ghost = true);
    let below = format!("/synchronization/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!((talk.ask("DELETE", &below, "").await.0, talk.listed().await.len()), (500, 1));
}
