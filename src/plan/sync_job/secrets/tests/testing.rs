//! Tests of credentials against the target: when they are made, and what follows.

use super::*;
use crate::api::Reason;
use crate::plan::common::standing::Standing;
use crate::plan::sync_job::secrets::condition;
use crate::plan::sync_job::step::TestOf;

const RESULTS: [CredentialTestResult; 5] = [
    CredentialTestResult::Accepted,
    CredentialTestResult::Rejected,
    CredentialTestResult::Unreachable,
    CredentialTestResult::NoAnswer,
    CredentialTestResult::Unclear,
];

fn valid(desired: &Desired, world: &World) -> (&'static str, Reason) {
    let (status, reason, message) = condition(desired, world, &Settings::default()).unwrap();
    assert!(message.ends_with('.'), "{message}");
    (status, reason)
}

fn reason_of(result: CredentialTestResult) -> (&'static str, Reason) {
    match result {
        CredentialTestResult::Accepted => ("True", Reason::CredentialsAccepted),
        CredentialTestResult::Rejected => ("False", Reason::CredentialsRejectedByTarget),
        CredentialTestResult::Unreachable => ("False", Reason::TargetUnreachable),
        CredentialTestResult::NoAnswer | CredentialTestResult::Unclear => ("Unknown", Reason::CredentialsUntested),
    }
}

/// A job that was just created, and is to be started.
fn stopped() -> World {
    World { jobs: Some(vec![job("Disabled")]), run: None, lived: false, ..running() }
}

#[test]
fn warn_saves_and_starts_whatever_the_test_came_to_and_says_so() {
    let desired = wish(json!({}));
    for result in RESULTS {
        let answers = Answers { test: result, ..Answers::new(token("1"), vec![]) };
        let (steps, world, verdict) = answers.pass(&desired, stopped());
        let made = changes(&steps);
        assert!(matches!(made[0], Change::TestCredentials { of: TestOf::Declared, .. }), "{made:?}");
        assert!(matches!(made[1..], [Change::SaveSecrets { .. }, Change::StartJob { .. }]), "{result:?}: {made:?}");
        assert_eq!((verdict.reason, valid(&desired, &world)), (Reason::Starting, reason_of(result)), "{result:?}");
    }
}

#[test]
fn require_neither_saves_nor_starts_before_the_target_has_accepted() {
    let desired = wish(json!({"credentialValidation": "Require"}));
    for result in RESULTS {
        let answers = Answers { test: result, ..Answers::new(token("1"), vec![]) };
        let (steps, world, verdict) = answers.pass(&desired, stopped());
        let made = changes(&steps);
        if result == CredentialTestResult::Accepted {
            assert!(matches!(made[1..], [Change::SaveSecrets { .. }, Change::StartJob { .. }]), "{made:?}");
            continue;
        }
        assert!(matches!(made[..], [Change::TestCredentials { .. }]), "{result:?}: {made:?}");
        let (status, reason) = reason_of(result);
        // An outage of the target fails no rollout at once.
        let stuck = result == CredentialTestResult::Rejected;
        let standing = if stuck { Standing::Stuck } else { Standing::Blocked };
        assert_eq!((verdict.standing, verdict.reason), (standing, reason), "{result:?}");
        assert_eq!(valid(&desired, &world), (status, reason), "{result:?}");
    }
}

/// Somebody else saved them, or an operator that validated otherwise.
#[test]
fn require_starts_nothing_with_saved_credentials_that_were_not_accepted() {
    let desired = wish(json!({"credentialValidation": "Require"}));
    for result in RESULTS {
        let mut world = World { secrets: saved("1").secrets, ..stopped() };
        world.secrets.tested = None;
        let answers = Answers { test: result, ..Answers::new(token("1"), in_place()) };
        let (steps, _, verdict) = answers.pass(&desired, world);
        let made = changes(&steps);
        assert!(matches!(made[0], Change::TestCredentials { of: TestOf::Saved, .. }), "{made:?}");
        let starts = made.iter().any(|change| matches!(change, Change::StartJob { .. }));
        assert_eq!(starts, result == CredentialTestResult::Accepted, "{result:?}: {verdict:?}");
    }
}

#[test]
fn skip_tests_nothing() {
    let desired = wish(json!({"credentialValidation": "Skip"}));
    let answers = Answers { test: CredentialTestResult::Rejected, ..Answers::new(token("1"), vec![]) };
    let (steps, world, _) = answers.pass(&desired, stopped());
    assert!(matches!(changes(&steps)[..], [Change::SaveSecrets { .. }, Change::StartJob { .. }]), "{steps:?}");
    assert_eq!(valid(&desired, &world), ("Unknown", Reason::CredentialsUntested));
}

#[test]
fn settings_alone_are_saved_without_a_test() {
    let desired = settings(json!({"scope": "All", "credentialValidation": "Require"}));
    let (steps, ..) = Answers::new(nothing(), vec![]).pass(&desired, stopped());
    assert!(matches!(changes(&steps)[..], [Change::SaveSecrets { .. }, Change::StartJob { .. }]), "{steps:?}");
}

/// The test of one version says nothing about the next, one that succeeded is not repeated, and others are at each poll.
#[test]
fn a_test_is_made_once_for_each_version_and_repeated_at_polls_until_it_succeeds() {
    let desired = wish(json!({}));
    let of = |version: &str, result, minutes| Some(tested(version, result, minutes));
    let cases = [
        (None, true),
        (of("1", CredentialTestResult::Accepted, 9_000), false),
        (of("0", CredentialTestResult::Accepted, 0), true),
        (of("1", CredentialTestResult::Rejected, 9), false),
        (of("1", CredentialTestResult::Rejected, 10), true),
        (of("1", CredentialTestResult::NoAnswer, 9), false),
        (of("1", CredentialTestResult::NoAnswer, 10), true),
    ];
    for (before, made) in cases {
        let mut world = saved("1");
        world.secrets.tested.clone_from(&before);
        let (steps, ..) = Answers::new(token("1"), in_place()).pass(&desired, world);
        let tests = changes(&steps).iter().any(|change| matches!(change, Change::TestCredentials { .. }));
        assert_eq!(tests, made, "{before:?}");
    }
}

/// New credentials that the target rejected are neither saved nor tried more often than at polls.
#[test]
fn under_require_a_failed_test_is_repeated_at_polls() {
    let desired = wish(json!({"credentialValidation": "Require"}));
    for (minutes, made) in [(0, false), (9, false), (10, true)] {
        let mut world = saved("0");
        world.secrets.tested = Some(tested("1", CredentialTestResult::Rejected, minutes));
        let answers = Answers { test: CredentialTestResult::Rejected, ..Answers::new(token("1"), in_place()) };
        let (steps, _, verdict) = answers.pass(&desired, world);
        assert_eq!((changes(&steps).len(), verdict.standing), (usize::from(made), Standing::Stuck), "{minutes} min");
        assert!(verdict.wake.delay() <= desired.poll_interval, "{minutes} min: {verdict:?}");
    }
}
