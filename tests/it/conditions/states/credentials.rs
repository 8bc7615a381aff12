//! Credentials and settings: what a test of them comes to, why they are not saved, and what a save needs afterwards.

use entrain::api::CredentialTestResult;
use entrain::plan::secrets::{Gap, LiveValue};
use serde_json::{Value, json};

use super::{State, also_lasting, passed, state};
use crate::conditions::graph::{put, scim, tag_of, without_token};
use crate::conditions::story::Story;

const REFUSED: &str = "SystemForCrossDomainIdentityManagementCredentialValidationFailure";
const UNAVAILABLE: &str = "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable";

/// A SyncJob that declares an address and a token, both of which are there.
fn declared(over: Value) -> Story {
    let mut story = Story::with(json!({"credentials": [
        {"key": "BaseAddress", "value": "https://scim.example.test/v2"},
        {"key": "SecretToken", "valueFrom": {"secretKeyRef": {"name": "box-scim", "key": "token"}}},
    ]}));
    story.set(over);
    story.graph.wanted = scim("1");
    story
}

/// The credentials were saved, and the service schedules the job.
fn started(mut story: Story) -> Story {
    story.pass();
    story.graph.shows("Active");
    story.wait(2);
    passed(story)
}

/// What is seen when something happened to a job that ran.
fn running_until(over: Value, change: impl FnOnce(&mut Story)) -> Story {
    let mut story = started(declared(over));
    story.wait(20);
    change(&mut story);
    passed(story)
}

fn tested(over: Value, result: CredentialTestResult, code: Option<&'static str>) -> Story {
    let mut story = declared(over);
    story.graph.test = (result, code);
    started(story)
}

/// A test that does not succeed before there are any credentials: the job waits.
fn waiting(result: CredentialTestResult, code: Option<&'static str>) -> Story {
    let mut story = declared(json!({"credentialValidation": "Require"}));
    story.graph.test = (result, code);
    passed(story)
}

pub(super) fn states() -> Vec<State> {
    let mut states = tests();
    states.extend(tests_that_may_pass());
    states.extend(values());
    states.extend(the_set());
    states.extend(afterwards());
    states
}

fn tests() -> Vec<State> {
    let require = || json!({"credentialValidation": "Require"});
    let rejected = (CredentialTestResult::Rejected, Some(REFUSED));
    let warned = |result, code| tested(json!({}), result, code);
    vec![
        state("credentials-accepted", "Saved, and accepted by the target", started(declared(json!({})))),
        state(
            "credentials-rejected-by-target",
            "Rejected by the target; validation Warn",
            warned(rejected.0, rejected.1),
        ),
        state("credentials-rejected-required", "Rejected; validation Require", waiting(rejected.0, rejected.1)),
        state("credentials-rejected-later", "New ones rejected while the job runs; validation Require", {
            running_until(require(), |story| {
                story.graph.wanted = scim("2");
                story.graph.test = rejected;
            })
        }),
        state("credentials-corrected", "Rejected, and corrected in the Secret", {
            let mut story = waiting(rejected.0, rejected.1);
            story.graph.wanted = scim("2");
            story.graph.test = (CredentialTestResult::Accepted, None);
            story.wait(10);
            started(story)
        }),
        state(
            "target-unreachable",
            "The target was not reached; validation Warn",
            warned(CredentialTestResult::Unreachable, Some(UNAVAILABLE)),
        ),
        state(
            "credentials-test-unanswered",
            "The test gave no answer; validation Warn",
            warned(CredentialTestResult::NoAnswer, None),
        ),
        state(
            "credentials-test-unclear",
            "The test ended with an unknown code; validation Warn",
            warned(CredentialTestResult::Unclear, Some("SomethingNew")),
        ),
        state("credentials-untested", "Not tested; validation Skip", {
            started(declared(json!({"credentialValidation": "Skip"})))
        }),
    ]
}

/// A target that does not answer may do so later, so that it has some time before anybody has to act.
fn tests_that_may_pass() -> Vec<State> {
    let unreached =
        also_lasting("target-unreachable-required", "The target was not reached; validation Require", || {
            waiting(CredentialTestResult::Unreachable, Some(UNAVAILABLE))
        });
    let unanswered =
        also_lasting("credentials-test-unanswered-required", "The test gave no answer; validation Require", || {
            waiting(CredentialTestResult::NoAnswer, None)
        });
    Vec::from(unreached).into_iter().chain(unanswered).collect()
}

/// Values that are missing.
fn values() -> Vec<State> {
    let secret = || "box-scim".to_owned();
    let gap = |gap: &dyn Fn() -> Gap| {
        let mut story = declared(json!({}));
        story.graph.wanted = without_token(gap());
        passed(story)
    };
    let no_secret = || Gap::NoSecret { secret: secret() };
    let mut states = Vec::from(also_lasting("secret-not-found", "There is no such Secret", || gap(&no_secret)));
    states.extend(also_lasting("secret-key-missing", "The Secret lacks the key", || {
        gap(&|| Gap::NoKey { secret: secret(), key: "token".to_owned() })
    }));
    states.extend(also_lasting("secret-invalid", "The value cannot be sent", || {
        let why = "is empty, and an empty value is never sent";
        gap(&|| Gap::Invalid { secret: secret(), key: "token".to_owned(), why })
    }));
    states.push(state("secret-gone", "The Secret is deleted while the job runs", {
        running_until(json!({}), |story| story.graph.wanted = without_token(no_secret()))
    }));
    states.push(state("secret-made", "The Secret appears", {
        let mut story = gap(&no_secret);
        story.graph.wanted = scim("1");
        story.wait(1);
        started(story)
    }));
    states
}

/// What the service principal has, and who else declares it.
fn the_set() -> Vec<State> {
    let foreign = |story: &mut Story| put(&mut story.graph.secrets, "ClientSecret", LiveValue::Masked);
    let mut lagging = started(declared(json!({})));
    let before = lagging.graph.secrets.clone();
    lagging.edit(json!({"scope": "Assigned"}));
    lagging.wait(10);
    lagging.pass();
    lagging.graph.secrets = before;
    lagging.wait(1);
    vec![
        state("credentials-saving", "Saved a moment ago, and not shown yet", passed(lagging)),
        state("credentials-incomplete", "The set holds a credential that is not declared and cannot be read", {
            let mut story = declared(json!({}));
            foreign(&mut story);
            passed(story)
        }),
        state("credentials-incomplete-in-place", "The same, and nothing has to be saved", {
            running_until(json!({}), foreign)
        }),
        state("credentials-conflict", "Another SyncJob of the service principal declares other credentials", {
            running_until(json!({}), |story| story.graph.wanted.others = vec!["elsewhere/box-groups".to_owned()])
        }),
        state("credentials-not-kept", "Somebody changed what was saved less than an hour ago", {
            running_until(json!({}), |story| {
                put(&mut story.graph.secrets, "BaseAddress", LiveValue::Shown(tag_of("other")));
            })
        }),
        state("credentials-corrected-after-an-hour", "Somebody changed it more than an hour ago", {
            running_until(json!({}), |story| {
                story.wait(60);
                put(&mut story.graph.secrets, "BaseAddress", LiveValue::Shown(tag_of("other")));
            })
        }),
        state("credentials-planned", "Plan: Manage would save them", {
            running_until(json!({}), |story| {
                story.edit(json!({"mode": "Plan", "notifications": {"recipients": ["ops@example.com"]}}));
                story.graph.wanted = scim("2");
            })
        }),
    ]
}

/// What a save needs afterwards.
fn afterwards() -> Vec<State> {
    let narrowed = |restart: &str| {
        running_until(json!({"scope": "All", "restartAfterChange": restart}), |story| {
            story.edit(json!({"scope": "Assigned"}));
        })
    };
    let quarantined = |restart: &str| {
        let over = json!({"restartAfterChange": restart});
        let mut story = running_until(over, |story| story.graph.quarantine("EncounteredQuarantineException"));
        story.graph.wanted = scim("2");
        story.wait(10);
        passed(story)
    };
    vec![
        state("restart-needed", "The scope became narrower; restartAfterChange Manual", narrowed("Manual")),
        state("restarted-for-the-scope", "The same; restartAfterChange Automatic", narrowed("Automatic")),
        state(
            "quarantined-with-new-credentials",
            "In quarantine, with new credentials saved and restartAfterChange Manual",
            quarantined("Manual"),
        ),
        state("restarted-in-quarantine", "The same, with restartAfterChange Automatic", quarantined("Automatic")),
    ]
}
