//! A week of the service's clock: what a SyncJob costs the API server while its job lives.

use reqwest::Method;
use serde_json::{Value, json};

use super::Rig;
use crate::stack::audit::{self, Write};
use crate::stack::read::{ready, says};

const REPORT: &str = "entrain/report";
const IDENTITY: &str = "entrain/identity";
const REQUESTS: &str = "entrain/requests";

/// Just short of three cycles, so that looks meet cycles at many phases.
const STEP_MINUTES: u64 = 115;
const DAY_MINUTES: u64 = 24 * 60;
/// What is shown of cycles that are like the ones before is at most six hours old.
const REFRESHES_IN_A_DAY: usize = 4;

impl Rig {
    /// Has the operator look, and answers with the object once the look is answered. The report of that look may still be
    /// under way.
    pub async fn look(&mut self) -> Value {
        let (token, name) = (uuid::Uuid::new_v4().to_string(), "entrain.dev/reconcile-requested-at");
        let path = format!("/apis/entrain.dev/v1alpha1/namespaces/{}/syncjobs/box", self.namespace);
        loop {
            let mut object = self.get("box").await;
            object["metadata"]["annotations"][name] = json!(token);
            let (status, answer) = self.admin.send(Method::PUT, &path, Some(&object)).await.unwrap();
            if status.is_success() {
                break;
            }
            assert_eq!(status.as_u16(), 409, "only a write of the operator may come between: {answer}");
        }
        self.until("box", "has looked", |object| object["status"]["lastHandledReconcile"] == token.as_str()).await
    }

    /// Has the operator look, and answers with the object as its report left it. A look that is asked for too early makes
    /// the report of the one before a conflict, so looks go on until there was none.
    pub async fn shown(&mut self) -> Value {
        let conflicts = |rig: &Self| audit::writes(&rig.namespace).iter().filter(|write| write.code == 409).count();
        let mut before = conflicts(self);
        self.look().await;
        loop {
            let object = self.look().await;
            let now = conflicts(self);
            if now == before {
                return object;
            }
            before = now;
        }
    }
}

/// A job that lives, and what has been counted so far.
struct Life {
    rig: Rig,
    id: String,
    /// Minutes of the service's clock since the first look.
    minutes: u64,
    /// What the connected application makes of the secrets.
    verdict: &'static str,
    /// The cycles of a step find other counts than those of the step before.
    restless: bool,
    /// What people need to know, and the reports that it cost.
    news: Vec<(&'static str, usize)>,
    effects: usize,
}

impl Life {
    /// A job whose initial cycle is over and reported, on a clock that moves only with the steps of the test.
    async fn begin() -> Self {
        let mut rig = Rig::idle().await;
        // The operator measures the life of its token on its own clock, which goes slowly here.
        let settings = json!({"tokenLifetimeSeconds": 14 * DAY_MINUTES * 60});
        rig.control.put_tenant(&rig.demo.tenant_id, &settings).await.unwrap();
        rig.control.freeze_clock().await.unwrap();
        rig.start_operator();
        let id = rig.running(&[]).await;
        rig.control.advance_clock(30 * 60).await.unwrap();
        rig.look().await;
        let lives = |object: &Value| object["status"]["job"]["lastSuccessTime"].is_string();
        rig.until("box", "tells of the initial cycle", lives).await;
        // Half a minute past a whole minute, when no cycle begins or ends.
        rig.control.advance_clock(30).await.unwrap();
        rig.look().await;
        let effects = rig.wrote_anything().await.len();
        Self { rig, id, minutes: 0, verdict: "accepted", restless: true, news: Vec::new(), effects }
    }

    fn writes(&self) -> Vec<Write> {
        audit::writes(&self.rig.namespace).into_iter().filter(|write| write.code == 200).collect()
    }

    fn reports(&self) -> usize {
        self.writes().iter().filter(|write| write.manager == REPORT).count()
    }

    /// The reports so far, with that of a look of now.
    async fn mark(&mut self) -> usize {
        self.rig.shown().await;
        self.reports()
    }

    async fn advance(&mut self, minutes: u64) {
        let number = if self.restless { self.minutes } else { 0 };
        let (tenant, sp) = (&self.rig.demo.tenant_id, &self.rig.demo.service_principal_id);
        let target = json!({"verdict": self.verdict, "entries": 14 + number, "changes": number, "escrows": number % 7});
        let path = format!("tenants/{tenant}/servicePrincipals/{sp}/target");
        self.rig.control.raw("PUT", &path, Some(&target)).await.unwrap();
        self.rig.control.advance_clock(minutes * 60).await.unwrap();
        self.minutes += minutes;
        self.rig.look().await;
    }

    async fn advance_until(&mut self, minutes: u64) {
        while self.minutes < minutes {
            self.advance(STEP_MINUTES).await;
        }
    }

    /// Waits until something shows, and notes what it cost since the mark: at most so many reports, and at least one.
    async fn shows(&mut self, what: &'static str, mark: usize, at_most: usize, is: impl Fn(&Value) -> bool) {
        self.rig.until("box", what, is).await;
        let cost = self.mark().await - mark;
        assert!((1..=at_most).contains(&cost), "'{what}' cost {cost} reports");
        self.news.push((what, cost));
    }

    async fn in_portal(&self, action: &str) {
        let (tenant, sp) = (&self.rig.demo.tenant_id, &self.rig.demo.service_principal_id);
        let path = format!("tenants/{tenant}/servicePrincipals/{sp}/jobs/{}/{action}", self.id);
        self.rig.control.raw("POST", &path, None).await.unwrap();
    }

    /// The target refuses the credentials for some hours; the service tries again after 5 minutes, 6 hours and 12 hours.
    async fn quarantine(&mut self) {
        let mark = self.mark().await;
        self.verdict = "rejected";
        self.advance(STEP_MINUTES).await;
        self.shows("quarantined", mark, 1, |object| ready(object, "False", "Quarantined")).await;
        let attempt = |object: &Value| object["status"]["quarantine"]["nextAttemptTime"].clone();
        let first = attempt(&self.rig.get("box").await);
        assert!(first.is_string(), "{first}");
        let mark = self.mark().await;
        self.advance_until(self.minutes + 6 * 60).await;
        self.shows("tried again, and the next attempt is hours away", mark, 1, |object| attempt(object) != first).await;
        let mark = self.mark().await;
        self.verdict = "accepted";
        self.advance_until(self.minutes + 12 * 60).await;
        self.shows("lifted", mark, 1, |object| ready(object, "True", "Running")).await;
        assert!(says(&self.rig.get("box").await, "Healthy", "True", "InService"));
    }

    async fn pause_and_start(&mut self) {
        let mark = self.mark().await;
        self.in_portal("pause").await;
        // A cycle in flight ends first.
        self.advance(2).await;
        self.shows("paused in the portal", mark, 1, |object| ready(object, "False", "PausedOutOfBand")).await;
        let mark = self.mark().await;
        self.advance_until(self.minutes + 10 * 60).await;
        assert_eq!(self.mark().await - mark, 0, "a paused job has no news");
        self.in_portal("start").await;
        self.rig.look().await;
        self.shows("started in the portal", mark, 1, |object| ready(object, "True", "Running")).await;
    }

    /// The service principal is deleted and restored; its jobs come back 40 minutes after it.
    async fn lose_and_restore(&mut self) {
        let (tenant, sp) = (self.rig.demo.tenant_id.clone(), self.rig.service_principal());
        let mark = self.mark().await;
        self.rig.control.delete_service_principal(&tenant, &sp).await.unwrap();
        self.rig.look().await;
        let lost = |object: &Value| says(object, "Stalled", "True", "ServicePrincipalNotFound");
        // It is not called stalled at once, so this is two.
        self.shows("lost with its service principal", mark, 2, lost).await;
        let mark = self.mark().await;
        self.advance_until(self.minutes + 10 * 60).await;
        assert_eq!(self.mark().await - mark, 0, "what is lost has no news");

        self.rig.control.restore_service_principal(&tenant, &sp).await.unwrap();
        self.rig.look().await;
        let missing = |object: &Value| says(object, "Stalled", "True", "JobMissing");
        // Several lists lack it before it is called missing, so this is two.
        self.shows("missing although its service principal is back", mark, 2, missing).await;
        let mark = self.mark().await;
        self.advance(30).await;
        assert_eq!(self.mark().await - mark, 0, "what is missing has no news");
        self.advance(15).await;
        self.shows("back", mark, 1, |object| ready(object, "True", "Running")).await;
    }

    /// Nothing but reports of this number and answers to the looks was written since, and nothing to Graph.
    async fn cost(&mut self, before: &[Write], refreshes: usize) {
        self.mark().await;
        let writes = self.writes().split_off(before.len());
        let by = |manager: &str| writes.iter().filter(|write| write.manager == manager).count();
        assert_eq!(by(IDENTITY), 0, "{writes:#?}");
        assert_eq!(by(REPORT) + by(REQUESTS), writes.len(), "{writes:#?}");
        assert!(by(REQUESTS) > 0, "the looks are answered, so the log tells managers apart");
        let for_news: usize = self.news.iter().map(|(_, cost)| cost).sum();
        let others = by(REPORT) - for_news;
        assert!((1..=refreshes).contains(&others), "{others} reports that tell nothing new, and {:?}", self.news);
        let effects = self.rig.wrote_anything().await;
        assert_eq!(effects.len(), self.effects, "{:#?}", &effects[self.effects..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_job_that_lives_through_a_week_costs_a_write_for_each_thing_that_people_need_to_know() {
    let mut life = Life::begin().await;
    life.mark().await;
    let before = life.writes();
    life.advance_until(DAY_MINUTES).await;
    life.quarantine().await;
    life.advance_until(3 * DAY_MINUTES).await;
    life.pause_and_start().await;
    life.advance_until(4 * DAY_MINUTES).await;
    life.lose_and_restore().await;
    life.advance_until(7 * DAY_MINUTES).await;
    life.cost(&before, 7 * REFRESHES_IN_A_DAY).await;
    let told: Vec<&str> = life.news.iter().map(|(what, _)| *what).collect();
    let expected = [
        "quarantined",
        "tried again, and the next attempt is hours away",
        "lifted",
        "paused in the portal",
        "started in the portal",
        "lost with its service principal",
        "missing although its service principal is back",
        "back",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_cycles_that_are_alike_costs_no_more_than_a_report_every_six_hours() {
    let mut life = Life::begin().await;
    life.restless = false;
    life.mark().await;
    let before = life.writes();
    life.advance_until(DAY_MINUTES).await;
    life.cost(&before, REFRESHES_IN_A_DAY).await;
}
