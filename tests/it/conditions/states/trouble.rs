//! What other sides do: throttle, fail, refuse. Before there is a job, and while one runs.

use std::time::Duration;

use entrain::graph::Operation;
use entrain::plan::{Change, Record, Step, Trouble, TroubleKind};

use super::{State, also_lasting, lasting, passed, running, running_until, state};
use crate::conditions::graph::{any_call, trouble};
use crate::conditions::story::Story;

fn list(kind: TroubleKind, status: Option<u16>, code: &str, message: &str) -> Trouble {
    trouble(kind, Operation::ListJobs, status, code, message)
}

pub(super) fn throttled() -> Trouble {
    let trouble = list(TroubleKind::Throttled, Some(429), "TooManyRequests", "");
    Trouble { retry_after: Some(Duration::from_secs(120)), ..trouble }
}

fn unavailable() -> Trouble {
    list(TroubleKind::GraphUnavailable, Some(503), "ServiceUnavailable", "")
}

fn unreachable() -> Trouble {
    list(TroubleKind::GraphUnavailable, None, "", "The connection was refused")
}

fn login_unavailable() -> Trouble {
    list(TroubleKind::LoginUnavailable, None, "", "No answer within 30 seconds")
}

fn permission_missing() -> Trouble {
    list(TroubleKind::Forbidden, Some(403), "Authorization_RequestDenied", "Insufficient privileges")
}

fn credentials_rejected() -> Trouble {
    list(TroubleKind::LoginRefused, None, "AADSTS7000215", "Invalid client secret provided")
}

fn token_rejected() -> Trouble {
    list(TroubleKind::TokenRejected, Some(401), "InvalidAuthenticationToken", "")
}

fn before(trouble: Trouble) -> Story {
    let mut story = Story::new();
    story.graph.fails = Some((any_call, trouble));
    passed(story)
}

fn after(trouble: Trouble) -> Story {
    running_until(|story| story.graph.fails = Some((any_call, trouble)))
}

pub(super) fn states() -> Vec<State> {
    let mut states = vec![
        state("throttled-before-ready", "429 before there is a job", before(throttled())),
        state("throttled-before-ready-for-long", "429 before there is a job, for hours", hours(before(throttled()))),
        state("throttled-after-ready", "429 while the job runs", after(throttled())),
        state("unavailable-before-ready", "5xx before there is a job", before(unavailable())),
        state("unavailable-after-ready", "5xx while the job runs, for hours", hours(after(unavailable()))),
        state(
            "unreachable-before-ready",
            "No connection before there is a job, for hours",
            hours(before(unreachable())),
        ),
        state("unreachable-after-ready", "No connection while the job runs", after(unreachable())),
        state("login-unavailable", "The login service does not answer, for hours", hours(before(login_unavailable()))),
    ];
    states.extend(also_lasting("permission-missing", "A permission is missing", || before(permission_missing())));
    states.push(state("permission-missing-throttled", "The same, and a 429 in between", throttled_between()));
    states.extend(also_lasting("permission-lost", "A permission was taken away while the job ran", || {
        after(permission_missing())
    }));
    states.extend(also_lasting("credentials-rejected", "The login service refuses the credentials", || {
        before(credentials_rejected())
    }));
    states.extend(also_lasting("token-rejected", "Graph refuses fresh tokens", || before(token_rejected())));
    states.extend(also_lasting("start-refused", "Graph refuses to start the job", start_refused));
    states.push(state("permission-granted", "The permission is there at last", {
        let mut story = lasting(before(permission_missing()));
        story.graph.fails = None;
        story.wait(2);
        passed(story)
    }));
    states.push(state("cluster-unavailable", "The Kubernetes API does not take a write", {
        let said = "While recording the intent: the API server did not answer.".to_owned();
        let trouble = Trouble { kind: TroubleKind::ClusterUnavailable, detail: said, trace: None, retry_after: None };
        let mut story = Story::new();
        story.graph.fails = Some((|step| matches!(step, Step::Record(Record::Intent { .. })), trouble));
        passed(story)
    }));
    states.push(state("interrupted", "The object changed under the operator's hands", {
        let said = "While adding the finalizer: the object changed.".to_owned();
        let trouble = Trouble { kind: TroubleKind::ObjectChanged, detail: said, trace: None, retry_after: None };
        let mut story = Story::new();
        story.graph.fails = Some((|step| *step == Step::Record(Record::AddFinalizer), trouble));
        passed(story)
    }));
    states
}

fn hours(mut story: Story) -> Story {
    story.wait(240);
    passed(story)
}

fn start_refused() -> Story {
    let mut story = Story::new();
    let said = "The application has no credentials for provisioning";
    let trouble = trouble(TroubleKind::Rejected, Operation::StartJob, Some(400), "CredentialsMissing", said);
    story.graph.fails = Some((|step| matches!(step, Step::Change(Change::StartJob { .. })), trouble));
    passed(story)
}

/// The permission is missing for long, and one request in between is throttled.
fn throttled_between() -> Story {
    let mut story = lasting(before(permission_missing()));
    story.graph.fails = Some((any_call, throttled()));
    story.wait(1);
    passed(story)
}

#[test]
fn a_429_in_between_does_not_begin_the_grace_anew() {
    let mut story = throttled_between();
    story.graph.fails = Some((any_call, permission_missing()));
    story.wait(1);
    story.pass();
    let told: Vec<&str> = story.status().report.conditions.iter().map(|condition| condition.type_.as_str()).collect();
    assert_eq!(told, ["Ready", "Stalled"]);
}

/// A story whose end is the same as that of one without any trouble.
#[test]
fn trouble_that_has_passed_leaves_no_trace() {
    let mut story = after(throttled());
    story.graph.fails = None;
    story.wait(2);
    story.pass();
    assert_eq!(story.status(), running().status());
}
