//! What people read.

use super::*;

#[test]
fn status_says_what_the_next_process_may_rely_on() {
    let desired = wish(json!({}));
    let now = Timestamp::UNIX_EPOCH;
    let seen = |difference| {
        let view = View { seen: Some(compared(&desired, Compared::Differs(difference))), ..saved(20 * MINUTE) };
        status(&desired, &World { mappings: view, ..running() }, &Settings::default(), now).unwrap()
    };
    let in_place = seen(differs(&[]));
    assert_eq!((in_place.checked_hash, in_place.owned), (Some(hash(&desired)), 1));
    let drifted = seen(Difference { drifted: vec!["userName".to_owned()], ..differs(&[]) });
    assert_eq!((drifted.checked_hash, drifted.changed_out_of_band), (None, vec!["userName".to_owned()]));
    let risky = seen(Difference { risks: vec!["risk".to_owned()], ..one_line() });
    assert_eq!((risky.checked_hash, risky.confirm), (None, Some("c1".to_owned())));
    let before = MappingsStatus { owned: 3, confirm: Some("c1".to_owned()), ..MappingsStatus::default() };
    let view = View { status: Some(before), saved_now: true, ..saved(Duration::ZERO) };
    let after = status(&desired, &World { mappings: view, ..running() }, &Settings::default(), now).unwrap();
    assert_eq!((after.owned, after.confirm), (3, None), "the confirmation was for what is saved now");
    let released = wish(json!({"mappings": null}));
    let view = View {
        seen: Some(compared(&released, Compared::Differs(Difference { owned: 0, ..differs(&[]) }))),
        ..saved(MINUTE)
    };
    assert_eq!(
        status(&released, &World { mappings: view, ..running() }, &Settings::default(), now),
        None,
        "nothing is owned any more"
    );
}

#[test]
fn the_condition_speaks_of_what_is_known() {
    let desired = wish(json!({}));
    let said = |view| condition(&desired, &World { mappings: view, ..running() }, &Settings::default());
    let seen = |outcome| said(View { seen: Some(compared(&desired, outcome)), ..View::default() });
    let in_place = seen(Compared::Differs(differs(&[]))).unwrap();
    assert_eq!((in_place.0, in_place.1), ("True", Reason::MappingsInPlace));
    let wrong = seen(Compared::Faulty(Fault::ReadOnly, vec!["It is wrong.".to_owned()])).unwrap();
    assert_eq!((wrong.0, wrong.1), ("False", Reason::RuleReadOnly));
    let after = said(View { saved_now: true, ..saved(Duration::ZERO) }).unwrap();
    assert_eq!((after.0, after.1), ("Unknown", Reason::SavingMappings));
    assert_eq!(said(View::default()), None, "nothing is known before the first look");
    let refused = said(View { refused: Some("Graph refused it.".to_owned()), ..View::default() }).unwrap();
    assert_eq!((refused.0, refused.1), ("False", Reason::MappingsRefused));
}

#[test]
fn a_plan_has_a_line_for_each_value_also_of_what_waits_for_a_confirmation() {
    let desired = wish(json!({}));
    let lines = ["userName: [userPrincipalName] → [mail]", "title: [jobTitle] → (none)"];
    for risks in [Vec::new(), vec!["risk".to_owned()]] {
        let outcome = Compared::Differs(Difference { risks, ..differs(&lines) });
        let view = View { seen: Some(compared(&desired, outcome)), ..View::default() };
        let plan = preview(&desired, &World { mappings: view, ..running() }, &Settings::default());
        let messages: Vec<&str> = plan.changes.iter().map(|change| change.message.as_str()).collect();
        assert_eq!(messages, lines);
    }
}

#[test]
fn a_long_plan_is_cut_with_a_count() {
    let lines = |count: usize| {
        let line =
            |number| PlannedChange { action: ChangeAction::SaveMappings, message: format!("a{number}: b → c") };
        (0..count).map(line).collect::<Vec<_>>()
    };
    let start = PlannedChange { action: ChangeAction::StartJob, message: "Start job 'x'.".to_owned() };
    let shown = planned([lines(100), vec![start.clone()]].concat());
    assert_eq!((shown.len(), &shown[39]), (41, &start));
    assert_eq!(shown.last().unwrap().message, "… and 61 more values; `entrain plan` shows all of them.");
    assert_eq!(planned(lines(40)), lines(40));
}

#[test]
fn a_plan_of_an_adoption_shows_the_mappings_of_the_job_that_would_be_adopted() {
    let desired = wish(json!({"mode": "Plan", "adoption": {"policy": "IfExists"}}));
    let one = |id: &str| ObservedJob { id: id.to_owned(), template_id: Some("scim".to_owned()), ..job("Active") };
    let world = |jobs| World {
        job_id: None,
        origin: None,
        run: None,
        seen: false,
        lived: false,
        jobs: Some(jobs),
        ..running()
    };
    let (steps, end, verdict) = pass(&desired, world(vec![one(JOB)]), &Compared::Differs(one_line()));
    assert_eq!((reads(&steps), verdict.reason), (1, Reason::ChangesPlanned), "{steps:?}");
    let plan = preview(&desired, &end, &Settings::default()).changes;
    let messages: Vec<&str> = plan.iter().map(|change| change.message.as_str()).collect();
    assert_eq!(messages, ["Adopt job 'scim.1'.", "userName: [userPrincipalName] → [mail]"]);
    let (steps, _, verdict) = pass(&desired, world(vec![one("scim.1"), one("scim.2")]), &Compared::Differs(one_line()));
    assert_eq!((reads(&steps), verdict.reason), (0, Reason::Ambiguous));
}
