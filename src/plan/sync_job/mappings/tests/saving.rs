//! What is saved, and what speaks against it.

use super::*;

/// A name, what is known before, and how often a pass saves and what it says.
type Case<'a> = (&'a str, View, usize, Reason);

/// The schema is as in `outcome` in each of these.
fn expect(over: &Value, outcome: &Compared, cases: Vec<Case<'_>>) {
    for (name, view, expected, reason) in cases {
        let desired = wish(over.clone());
        let mut world = World { mappings: view, ..running() };
        world.secrets.saved_now = true;
        let (steps, _, verdict) = pass(&desired, world, outcome);
        assert_eq!((saves(&steps), verdict.reason), (expected, reason), "{name}: {steps:?}");
        assert!(reads(&steps) == 1, "{name}: one look is enough, {steps:?}");
    }
}

#[test]
fn what_differs_is_saved_once_and_what_is_wrong_is_not() {
    let drifted = Difference { lines: Vec::new(), drifted: vec!["userName".to_owned()], ..one_line() };
    let faulty = |fault| Compared::Faulty(fault, vec!["It is wrong.".to_owned()]);
    for (name, outcome, saves, reason) in [
        ("as declared", Compared::Differs(differs(&[])), 0, Reason::Running),
        ("another source", Compared::Differs(one_line()), 1, Reason::SavingMappings),
        ("nothing fits", faulty(Fault::Invalid), 0, Reason::MappingInvalid),
        ("a double", faulty(Fault::Ambiguous), 0, Reason::MappingAmbiguous),
        ("a rule that is read-only", faulty(Fault::ReadOnly), 0, Reason::RuleReadOnly),
        ("a test fails", Compared::TestsFailed(vec!["no".to_owned()]), 0, Reason::MappingTestFailed),
        ("drifted", Compared::Differs(drifted), 0, Reason::MappingsChangedOutOfBand),
    ] {
        expect(&json!({}), &outcome, vec![(name, View::default(), saves, reason)]);
    }
}

#[test]
fn what_can_deprovision_people_needs_a_threshold_or_the_confirmation_of_exactly_this() {
    let risky = Compared::Differs(Difference { risks: vec!["fewer users are in scope".to_owned()], ..one_line() });
    let confirmed = |value: &str| View { confirmed: Some(value.to_owned()), ..View::default() };
    let without = vec![
        ("neither", View::default(), 0, Reason::RiskyChange),
        ("another change is confirmed", confirmed("c9"), 0, Reason::RiskyChange),
        ("this one is confirmed", confirmed("c1"), 1, Reason::SavingMappings),
    ];
    expect(&json!({}), &risky, without);
    let threshold = vec![("a threshold", View::default(), 1, Reason::SavingMappings)];
    expect(&json!({"deleteThreshold": 5}), &risky, threshold);
    let off = vec![("a threshold that is off", View::default(), 0, Reason::RiskyChange)];
    expect(&json!({"deleteThreshold": 0}), &risky, off);
}

#[test]
fn changes_are_collected_for_ten_minutes_and_corrections_for_an_hour() {
    let changes = vec![
        ("saved a moment ago", saved(MINUTE), 0, Reason::SavingMappings),
        ("saved five minutes ago", saved(5 * MINUTE), 0, Reason::MappingsPending),
        ("saved ten minutes ago", saved(10 * MINUTE), 1, Reason::SavingMappings),
    ];
    expect(&json!({}), &Compared::Differs(one_line()), changes);
    let corrections = vec![
        ("corrected lately", saved(50 * MINUTE), 0, Reason::MappingsChangedOutOfBand),
        ("corrected an hour ago", saved(60 * MINUTE), 1, Reason::SavingMappings),
    ];
    expect(&json!({}), &Compared::Differs(correction()), corrections);
}

#[test]
fn a_job_is_started_with_its_mappings_or_not_at_all() {
    let fresh = || World { jobs: Some(vec![job("Disabled")]), run: None, lived: false, ..running() };
    let drifted = Difference { lines: Vec::new(), drifted: vec!["userName".to_owned()], ..one_line() };
    let cases = [
        ("in place", Compared::Differs(differs(&[])), true),
        ("wrong", Compared::Faulty(Fault::Invalid, vec!["It is wrong.".to_owned()]), false),
        ("saved, and not shown yet", Compared::Differs(one_line()), false),
        ("changed by a person, on purpose", Compared::Differs(drifted), true),
    ];
    for (name, outcome, starts) in cases {
        let (steps, _, verdict) = pass(&wish(json!({})), fresh(), &outcome);
        let started = steps.iter().any(|step| matches!(step, Step::Change(Change::StartJob { .. })));
        assert_eq!(started, starts, "{name}: {steps:?} {verdict:?}");
    }
}

#[test]
fn nothing_is_read_for_who_declares_nothing_and_owns_nothing() {
    let desired = wish(json!({"mappings": null}));
    let (steps, _, verdict) = pass(&desired, running(), &Compared::Differs(one_line()));
    assert_eq!((steps, verdict.reason), (Vec::new(), Reason::Running));
    let owning = World { mappings: saved(60 * MINUTE), ..running() };
    let (steps, ..) = pass(&desired, owning, &Compared::Differs(one_line()));
    assert_eq!(saves(&steps), 1, "what was owned is given back");
}

#[test]
fn a_save_is_looked_at_soon_also_where_something_else_is_wrong() {
    let desired = wish(json!({}));
    let mut ill = job("Active");
    (ill.code, ill.shown) = (Some("Quarantine".to_owned()), Box::default());
    let world =
        World { jobs: Some(vec![ill]), mappings: View { saved_now: true, ..saved(Duration::ZERO) }, ..running() };
    let verdict = crate::plan::sync_job::decide(&desired, &world, &Settings::default());
    assert_eq!(verdict.reason, Reason::Quarantined);
    assert_eq!(verdict.wake, Wake::soon_after(Duration::ZERO));
}
