//! What becomes of mappings when their job goes.

use super::*;

#[test]
fn a_job_that_stays_gets_its_mappings_back_and_the_deletion_always_ends() {
    let owning = |view: View| World { mappings: view, deletion_requested: true, ..running() };
    let steps = |over, world| pass(&wish(over), world, &Compared::Differs(differs(&[]))).0;
    let gives_back =
        |steps: &[Step]| steps.iter().any(|step| matches!(step, Step::Change(Change::ReleaseMappings { .. })));
    let lets_go = |steps: &[Step], restored: bool| {
        let id = JOB.to_owned();
        let leaving = if restored { Leaving::Retained { id } } else { Leaving::Unrestored { id } };
        steps.last() == Some(&Step::Record(Record::RemoveFinalizer { leaving }))
    };
    let keep = json!({"mappings": {"onRelease": "Keep"}});
    let delete = json!({"deletionPolicy": "Delete"});
    let cases = [
        ("owned", json!({}), owning(saved(MINUTE)), true),
        ("owned, and nothing is declared any more", json!({"mappings": null}), owning(saved(MINUTE)), true),
        ("never saved", json!({}), owning(View::default()), false),
        ("to be kept", keep, owning(saved(MINUTE)), false),
        ("given up", json!({}), World { failures_in_deletion: 8, ..owning(saved(MINUTE)) }, false),
        ("in another tenant", json!({}), World { tenant: Some("t2".to_owned()), ..owning(saved(MINUTE)) }, false),
    ];
    for (name, over, world, expected) in cases {
        let steps = steps(over, world);
        assert_eq!(gives_back(&steps), expected, "{name}: {steps:?}");
        assert!(lets_go(&steps, !["given up", "in another tenant"].contains(&name)), "{name}: {steps:?}");
    }
    let settings = Settings::default();
    let trouble =
        Trouble { kind: TroubleKind::GraphUnavailable, detail: "No.".to_owned(), trace: None, retry_after: None };
    let failing = World { trouble: Some(trouble), failures_in_deletion: 7, ..owning(saved(MINUTE)) };
    let verdict = crate::plan::sync_job::decide(&wish(json!({})), &failing, &settings);
    assert!(verdict.step.is_none() && verdict.standing == Standing::Passing && verdict.wake != Wake::OnChange);
    let patient = World { definition_going: Some(false), ..owning(saved(MINUTE)) };
    assert!(!gives_back(&steps(delete, patient)), "a job that goes needs no mappings");
}

#[test]
fn a_job_that_is_another_one_by_now_has_nothing_of_what_was_saved() {
    let desired = wish(json!({}));
    let world = World { mappings: View { checked: Some((hash(&desired), MINUTE)), ..saved(MINUTE) }, ..running() };
    let facts = [
        Fact::JobForgotten { id: JOB.to_owned() },
        Fact::OriginRecorded { id: JOB.to_owned(), origin: JobOrigin::Adopted },
    ];
    for fact in facts {
        let after = world.clone().with(fact, &desired);
        assert_eq!(after.mappings, View::default());
    }
}

/// There is nothing to be saved, which may only be because Graph does not show yet what was saved.
#[test]
fn what_was_saved_just_now_is_not_forgotten_because_it_does_not_show() {
    let desired = wish(json!({"mappings": null}));
    let outcome = Compared::Differs(Difference { lets_go: true, owned: 0, ..differs(&[]) });
    for (age, waits) in [(2 * MINUTE, true), (3 * MINUTE, false)] {
        let (steps, world, verdict) = pass(&desired, World { mappings: saved(age), ..running() }, &outcome);
        let kept = status(&desired, &world, &Settings::default(), Timestamp::UNIX_EPOCH).is_some();
        let waited = verdict.reason == Reason::SavingMappings;
        assert_eq!((reads(&steps), waited, kept), (1, waits, waits), "{age:?}: {verdict:?}");
        let recalled = world.mappings.seen.map(|seen| (seen, Duration::ZERO));
        let later = World { mappings: View { recalled, ..saved(age) }, ..running() };
        assert_eq!(reads(&pass(&desired, later, &outcome).0), usize::from(waits), "{age:?}: it is looked at once more");
    }
}

/// Status says that something may be owned before the first save is sent.
#[test]
fn what_status_announced_is_looked_for_although_nothing_is_declared_any_more() {
    let desired = wish(json!({"mappings": null}));
    for (status, expected) in [(Some(MappingsStatus::default()), 1), (None, 0)] {
        let world = World { mappings: View { status, ..View::default() }, ..running() };
        let (steps, ..) = pass(&desired, world, &Compared::Differs(one_line()));
        assert_eq!((reads(&steps), saves(&steps)), (expected, expected), "{steps:?}");
    }
}
