//! Restarts that a saved change needs: at most one for each, and only where it is needed.

use super::*;
use crate::api::{Execution, JobError, QuarantineStatus, Reason, RunState, Scope};

const REFUSED: &str = "SystemForCrossDomainIdentityManagementInvalidCredentials";
const SAVED: &str = "2026-11-24T10:00:00Z";

/// A quarantine for this code; the last cycle ended at this time.
fn quarantined(code: &str, ended: &str) -> ObservedJob {
    let mut job = job("Active");
    let error = || Some(JobError { code: code.to_owned(), message: String::new() });
    job.shown.quarantine = Some(QuarantineStatus {
        reason: "EncounteredQuarantineException".to_owned(),
        message: String::new(),
        since_time: None,
        next_attempt_time: None,
        disabled_after_time: None,
        error: error(),
    });
    job.shown.last_execution = Some(Execution {
        state: "Failed".to_owned(),
        began_time: None,
        ended_time: Some(time(ended)),
        entitled_count: 0,
        imported_count: 0,
        exported_count: 0,
        escrowed_count: 0,
        error: error(),
    });
    job
}

/// Others were saved an hour ago, after the quarantine began.
fn since(job: ObservedJob) -> World {
    let mut world = World { jobs: Some(vec![job]), ..saved("1") };
    world.secrets.saved_time = Some((time(SAVED), hours(1)));
    world
}

/// The scopes of the restarts of a pass.
fn restarts(desired: &Desired, world: World) -> (Vec<Option<String>>, World, Verdict) {
    let (steps, world, verdict) = Answers::new(token("1"), live(desired)).pass(desired, world);
    let restarts = changes(&steps).into_iter().filter_map(|change| match change {
        Change::RestartAfterChange { scope, .. } => Some(scope.clone()),
        Change::CreateJob
        | Change::StartJob { .. }
        | Change::PauseJob { .. }
        | Change::RestartJob { .. }
        | Change::DeleteJob { .. }
        | Change::TestCredentials { .. }
        | Change::SaveSecrets { .. }
        | Change::SaveMappings { .. }
        | Change::ReleaseMappings { .. } => None,
    });
    (restarts.collect(), world, verdict)
}

fn live(desired: &Desired) -> Vec<LiveSecret> {
    let scope = desired
        .content
        .settings
        .scope
        .map(|scope| setting(SettingKey::SyncAll, if scope == Scope::All { "true" } else { "false" }));
    [in_place(), scope.into_iter().collect()].concat()
}

#[test]
fn a_quarantine_for_credentials_is_lifted_once_after_new_ones_were_saved() {
    let lift = || vec![Some("QuarantineState".to_owned())];
    let before = "2026-11-24T09:00:00Z";
    let asked = |minutes: u64| {
        let asked = Some(Duration::from_secs(minutes * 60));
        World {
            run: Some(RunView { asked, ..RunView::asked(RunState::Running) }),
            ..since(quarantined(REFUSED, before))
        }
    };
    let never = World { secrets: saved("1").secrets, ..since(quarantined(REFUSED, before)) };
    let stopped = ObservedJob { schedule_state: Some("Disabled".to_owned()), ..quarantined(REFUSED, before) };
    let cases = vec![
        ("new ones were saved", since(quarantined(REFUSED, before)), lift()),
        (
            "new ones are saved in this pass",
            World { jobs: Some(vec![quarantined(REFUSED, before)]), ..saved("0") },
            lift(),
        ),
        ("for another reason", since(quarantined("TooManyFailures", before)), vec![]),
        ("the service has tried since", since(quarantined(REFUSED, "2026-11-24T10:00:01Z")), vec![]),
        ("none were saved", never, vec![]),
        ("the job is stopped", since(stopped), vec![]),
        ("a restart was asked for since", asked(59), vec![]),
        ("a restart was asked for before", asked(61), lift()),
    ];
    let automatic = wish(json!({"restartAfterChange": "Automatic"}));
    for (name, world, expected) in cases {
        assert_eq!(restarts(&automatic, world.clone()).0, expected, "{name}");
        assert_eq!(restarts(&wish(json!({})), world.clone()).0, Vec::new(), "{name}, Manual");
        let paused = wish(json!({"restartAfterChange": "Automatic", "state": "Paused"}));
        assert_eq!(restarts(&paused, world).0, Vec::new(), "{name}, Paused");
    }
}

#[test]
fn a_lifted_quarantine_is_not_lifted_again_in_the_next_pass() {
    let automatic = wish(json!({"restartAfterChange": "Automatic"}));
    let old = || quarantined(REFUSED, "2026-11-24T09:00:00Z");
    let (first, after, _) = restarts(&automatic, since(old()));
    assert_eq!(first.len(), 1);
    // Status keeps when the restart was asked for; the job is still shown as it was.
    for minutes in [0, 3, 50] {
        let asked = Some(Duration::from_secs(minutes * 60));
        let run = after.run.map(|run| RunView { asked, ..run });
        assert_eq!(restarts(&automatic, World { run, ..since(old()) }).0, Vec::new(), "{minutes} min");
    }
}

#[test]
fn manual_names_the_scope_of_the_restart_that_lifts_a_quarantine() {
    let message = |world| restarts(&wish(json!({})), world).2.message;
    let after = message(since(quarantined(REFUSED, "2026-11-24T09:00:00Z")));
    assert!(after.contains("New credentials were saved since") && after.contains("QuarantineState"), "{after}");
    let tried = message(since(quarantined(REFUSED, "2026-11-24T11:00:00Z")));
    assert!(!tried.contains("New credentials"), "{tried}");
}

#[test]
fn a_narrower_scope_needs_one_restart_and_a_wider_one_none() {
    let declared = |scope: &str, restart: &str| wish(json!({"scope": scope, "restartAfterChange": restart}));
    let in_force = |scope: Option<Scope>| {
        let mut world = saved("1");
        world.secrets.scope_in_force = scope;
        world
    };
    let cases = [
        ("Assigned", Some(Scope::All), 1),
        ("Assigned", None, 1),
        ("Assigned", Some(Scope::Assigned), 0),
        ("All", Some(Scope::Assigned), 0),
        ("All", Some(Scope::All), 0),
    ];
    for (scope, before, count) in cases {
        let (made, after, _) = restarts(&declared(scope, "Automatic"), in_force(before));
        assert_eq!(made, vec![None; count], "{before:?} to {scope}");
        let known = crate::plan::sync_job::secrets::in_force(after.bound_job(), &after.secrets);
        let again = restarts(&declared(scope, "Automatic"), in_force(known));
        assert_eq!(again.0, Vec::new(), "{before:?} to {scope}, a pass later");
        let (made, _, verdict) = restarts(&declared(scope, "Manual"), in_force(before));
        assert_eq!(
            (made.len(), verdict.reason == Reason::RestartNeeded),
            (0, count == 1),
            "{before:?} to {scope}, Manual"
        );
    }
}

#[test]
fn a_job_that_has_not_begun_needs_no_restart() {
    let mut world = World { run: None, lived: false, jobs: Some(vec![job("Disabled")]), ..saved("1") };
    world.secrets.scope_in_force = Some(Scope::All);
    let (made, after, verdict) =
        restarts(&wish(json!({"scope": "Assigned", "restartAfterChange": "Automatic"})), world);
    assert_eq!((made, verdict.reason), (Vec::new(), Reason::Starting));
    let fresh = crate::plan::sync_job::secrets::in_force(Some(&job("Disabled")), &after.secrets);
    assert_eq!(fresh, Some(Scope::Assigned));
}

/// Somebody paused it: the start that follows is theirs to ask for.
#[test]
fn a_job_that_somebody_paused_is_not_restarted_for_a_scope() {
    let mut paused = job("Paused");
    paused.shown.last_success_time = Some(time(SAVED));
    let mut world = World { jobs: Some(vec![paused]), ..saved("1") };
    world.secrets.scope_in_force = Some(Scope::All);
    let (made, ..) = restarts(&wish(json!({"scope": "Assigned", "restartAfterChange": "Automatic"})), world);
    assert_eq!(made, Vec::new());
}

#[test]
fn a_restart_whose_answer_was_lost_is_not_sent_again_and_a_person_learns_of_it() {
    let automatic = wish(json!({"scope": "Assigned", "restartAfterChange": "Automatic"}));
    let mut world = saved("1");
    (world.secrets.scope_in_force, world.secrets.restart_unclear) = (Some(Scope::All), true);
    let (sent, _, verdict) = restarts(&automatic, world.clone());
    assert!(sent.is_empty() && verdict.reason == Reason::RestartNeeded, "{verdict:?}");
    assert!(verdict.message.contains("its answer was lost"), "{}", verdict.message);
    world.secrets.restart_unclear = false;
    assert_eq!(restarts(&automatic, world).0, [None]);
}
