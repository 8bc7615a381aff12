//! When the schema is read.

use super::*;

#[test]
fn the_schema_is_read_when_something_may_have_changed_and_not_at_each_poll() {
    let desired = wish(json!({}));
    let hour = 60 * MINUTE;
    let checked = |age| View { checked: Some((hash(&desired), age)), ..View::default() };
    let recalled = |outcome, age| View { recalled: Some((compared(&desired, outcome), age)), ..View::default() };
    let in_place = || Compared::Differs(differs(&[]));
    let faulty = || Compared::Faulty(Fault::Invalid, vec!["It is wrong.".to_owned()]);
    let risky = || Compared::Differs(Difference { risks: vec!["risk".to_owned()], ..one_line() });
    let drifted =
        || Compared::Differs(Difference { lines: Vec::new(), drifted: vec!["userName".to_owned()], ..one_line() });
    let pending = |found, age| View { recalled: recalled(Compared::Differs(one_line()), found).recalled, ..saved(age) };
    let cases = [
        ("never read", View::default(), true),
        ("checked, by status", checked(5 * hour), false),
        ("checked long ago", checked(6 * hour), true),
        ("another wish was checked", View { checked: Some(("x".to_owned(), hour)), ..View::default() }, true),
        ("in place, as remembered", recalled(in_place(), 5 * hour), false),
        ("in place long ago", recalled(in_place(), 6 * hour), true),
        ("wrong", recalled(faulty(), 59 * MINUTE), false),
        ("wrong for an hour", recalled(faulty(), hour), true),
        ("risky", recalled(risky(), 59 * MINUTE), false),
        ("risky, confirmed", View { confirmed: Some("c1".to_owned()), ..recalled(risky(), MINUTE) }, true),
        ("drifted", recalled(drifted(), 59 * MINUTE), false),
        ("drifted for an hour", recalled(drifted(), hour), true),
        ("pending", pending(MINUTE, 9 * MINUTE), false),
        ("pending, and found while the save may not have shown yet", pending(7 * MINUTE, 9 * MINUTE), true),
        ("due", pending(MINUTE, 10 * MINUTE), true),
        (
            "of another wish",
            View { recalled: Some((Comparison::new("x", in_place()), MINUTE)), ..View::default() },
            true,
        ),
    ];
    for (name, view, expected) in cases {
        let (steps, ..) = pass(&desired, World { mappings: view, ..running() }, &in_place());
        assert_eq!(reads(&steps) > 0, expected, "{name}: {steps:?}");
    }
    let mut asked = World { mappings: checked(hour), ..running() };
    asked.requests.reconcile = Some("now".to_owned());
    assert_eq!(reads(&pass(&desired, asked, &in_place()).0), 1, "somebody asks for a look");
}

#[test]
fn mode_plan_reads_a_schema_that_differs_once_an_hour() {
    let desired = wish(json!({"mode": "Plan"}));
    for (age, expected) in [(59 * MINUTE, 0), (60 * MINUTE, 1)] {
        let recalled = Some((compared(&desired, Compared::Differs(one_line())), age));
        let world = World { mappings: View { recalled, ..View::default() }, ..running() };
        let (steps, _, verdict) = pass(&desired, world, &Compared::Differs(one_line()));
        assert_eq!((reads(&steps), saves(&steps), verdict.reason), (expected, 0, Reason::ChangesPlanned), "{age:?}");
    }
}
