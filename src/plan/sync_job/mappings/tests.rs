//! Tables of when a schema is read and saved, and why not. Nothing runs here but the decisions.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::*;
use crate::api::{ChangeAction, JobOrigin, PlannedChange, Reason, RunState, SyncJobSpec};
use crate::plan::common::pass::{Next, Pass};
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::trouble::{Trouble, TroubleKind};
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::secrets::Wanted;
use crate::plan::sync_job::step::{Change, Leaving, Look, Record, Step, Verdict};
use crate::plan::sync_job::world::{RunView, World};
use crate::plan::sync_job::{Desired, Fact, Managed, ObservedJob, preview};

const JOB: &str = "scim.1";
const TENANT: &str = "7f0c2b1e-5c1d-4d0a-9a53-0d6f4b8a2e11";
const MINUTE: Duration = Duration::from_secs(60);

fn wish(over: Value) -> Desired {
    let mapping = json!({"targetAttributeName": "userName", "expression": "[mail]"});
    let object = json!({"sourceObjectName": "User", "targetObjectName": "User", "attributeMappings": [mapping]});
    let base = json!({
        "servicePrincipalId": "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f", "templateId": "scim",
        "mappings": {"objectMappings": [object]},
    });
    let (Value::Object(mut spec), Value::Object(over)) = (base, over) else { panic!("a spec is an object") };
    spec.extend(over);
    spec.retain(|_, value| !value.is_null());
    let spec: SyncJobSpec = serde_json::from_value(Value::Object(spec)).unwrap();
    Desired::parse(&spec).unwrap()
}

/// A job that runs as declared.
fn running() -> World {
    World {
        finalizer: true,
        tenant: Some(TENANT.to_owned()),
        job_id: Some(JOB.to_owned()),
        recorded_tenant: Some(TENANT.to_owned()),
        seen: true,
        lived: true,
        origin: Some(JobOrigin::Adopted),
        jobs: Some(vec![job("Active")]),
        run: Some(RunView { asked: None, reached: true, ..RunView::asked(RunState::Running) }),
        ..World::unobserved()
    }
}

fn job(state: &str) -> ObservedJob {
    ObservedJob { id: JOB.to_owned(), schedule_state: Some(state.to_owned()), ..ObservedJob::default() }
}

fn differs(lines: &[&str]) -> Difference {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    Difference { confirmation: format!("c{}", lines.len()), lines, owned: 1, ..Difference::default() }
}

fn one_line() -> Difference {
    differs(&["userName: [userPrincipalName] → [mail]"])
}

fn compared(desired: &Desired, outcome: Compared) -> Comparison {
    let hash = desired.mappings.as_ref().map_or_else(|| Wish::nothing().hash, |wish| wish.hash.clone());
    Comparison { wish: hash, outcome, tried: None }
}

fn hash(desired: &Desired) -> String {
    compared(desired, Compared::TestsFailed(Vec::new())).wish
}

/// The steps of one pass in which the schema shows `outcome`, and after a save what was wished for.
fn pass(desired: &Desired, world: World, outcome: &Compared) -> (Vec<Step>, World, Verdict) {
    let settings = Settings::default();
    let mut pass = Pass::new(Managed { desired, settings: &settings }, world);
    while let Next::Do(step) = pass.next_step() {
        pass.learn(match &step {
            Step::Look(Look::Schema) => Fact::SchemaRead(compared(desired, outcome.clone())),
            Step::Look(Look::Jobs | Look::RecentJobs) => Fact::JobsListed(vec![job("Active")]),
            Step::Look(Look::Credentials) => Fact::CredentialsRead(Wanted {
                credentials: Vec::new(),
                fingerprint: None,
                known: Vec::new(),
                others: Vec::new(),
                holders: Vec::new(),
            }),
            Step::Look(Look::Secrets) => Fact::SecretsRead(Vec::new()),
            Step::Record(record @ (Record::RemoveFinalizer { .. } | Record::AddFinalizer)) => record.done(),
            Step::Change(change) => change.done(|| job("Disabled")),
            other @ (Step::Look(_) | Step::Record(_)) => panic!("{other:?}"),
        });
    }
    let (world, verdict, done) = pass.into_parts();
    (done.into_iter().map(|(step, _)| step).collect(), world, verdict)
}

fn reads(steps: &[Step]) -> usize {
    steps.iter().filter(|step| **step == Step::Look(Look::Schema)).count()
}

fn saves(steps: &[Step]) -> usize {
    steps.iter().filter(|step| matches!(step, Step::Change(Change::SaveMappings { .. }))).count()
}

fn saved(age: Duration) -> View {
    View { saved: Some((Some(Time(Timestamp::UNIX_EPOCH)), age)), revision: Some("r".to_owned()), ..View::default() }
}

/// A drift that is to be corrected.
fn correction() -> Difference {
    Difference { corrects: true, ..one_line() }
}

#[test]
fn what_differs_is_saved_once_unless_something_speaks_against_it() {
    let risky = Difference { risks: vec!["fewer users are in scope".to_owned()], ..one_line() };
    let drifted = Difference { lines: Vec::new(), drifted: vec!["userName".to_owned()], ..one_line() };
    let confirmed = |value: &str| View { confirmed: Some(value.to_owned()), ..View::default() };
    let faulty = |fault| Compared::Faulty(fault, vec!["It is wrong.".to_owned()]);
    let threshold = json!({"deleteThreshold": 5, "state": "Running"});
    let (none, no_guard) = (json!({}), json!({"deleteThreshold": 0}));
    let cases = [
        ("as declared", &none, View::default(), Compared::Differs(differs(&[])), 0, Reason::Running),
        ("another source", &none, View::default(), Compared::Differs(one_line()), 1, Reason::SavingMappings),
        ("nothing fits", &none, View::default(), faulty(Fault::Invalid), 0, Reason::MappingInvalid),
        ("a double", &none, View::default(), faulty(Fault::Ambiguous), 0, Reason::MappingAmbiguous),
        ("a rule that is read-only", &none, View::default(), faulty(Fault::ReadOnly), 0, Reason::RuleReadOnly),
        (
            "a test fails",
            &none,
            View::default(),
            Compared::TestsFailed(vec!["no".to_owned()]),
            0,
            Reason::MappingTestFailed,
        ),
        ("risky", &none, View::default(), Compared::Differs(risky.clone()), 0, Reason::RiskyChange),
        (
            "risky, another one confirmed",
            &none,
            confirmed("c9"),
            Compared::Differs(risky.clone()),
            0,
            Reason::RiskyChange,
        ),
        ("risky, confirmed", &none, confirmed("c1"), Compared::Differs(risky.clone()), 1, Reason::SavingMappings),
        (
            "risky, with a threshold",
            &threshold,
            View::default(),
            Compared::Differs(risky.clone()),
            1,
            Reason::SavingMappings,
        ),
        (
            "risky, with the guard off",
            &no_guard,
            View::default(),
            Compared::Differs(risky.clone()),
            0,
            Reason::RiskyChange,
        ),
        ("drifted", &none, View::default(), Compared::Differs(drifted), 0, Reason::MappingsChangedOutOfBand),
        ("saved a moment ago", &none, saved(MINUTE), Compared::Differs(one_line()), 0, Reason::SavingMappings),
        ("saved five minutes ago", &none, saved(5 * MINUTE), Compared::Differs(one_line()), 0, Reason::MappingsPending),
        ("saved ten minutes ago", &none, saved(10 * MINUTE), Compared::Differs(one_line()), 1, Reason::SavingMappings),
        (
            "corrected lately",
            &none,
            saved(50 * MINUTE),
            Compared::Differs(correction()),
            0,
            Reason::MappingsChangedOutOfBand,
        ),
        (
            "corrected an hour ago",
            &none,
            saved(60 * MINUTE),
            Compared::Differs(correction()),
            1,
            Reason::SavingMappings,
        ),
    ];
    for (name, over, view, outcome, expected, reason) in cases {
        let desired = wish(over.clone());
        let mut world = World { mappings: view, ..running() };
        world.secrets.saved_now = true;
        let (steps, _, verdict) = pass(&desired, world, &outcome);
        assert_eq!((saves(&steps), verdict.reason), (expected, reason), "{name}: {steps:?}");
        assert!(reads(&steps) == 1, "{name}: one look is enough, {steps:?}");
    }
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
        (
            "pending",
            View { recalled: recalled(Compared::Differs(one_line()), MINUTE).recalled, ..saved(9 * MINUTE) },
            false,
        ),
        (
            "due",
            View { recalled: recalled(Compared::Differs(one_line()), MINUTE).recalled, ..saved(10 * MINUTE) },
            true,
        ),
        (
            "of another wish",
            View {
                recalled: Some((Comparison { wish: "x".to_owned(), outcome: in_place(), tried: None }, MINUTE)),
                ..View::default()
            },
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
fn nothing_is_read_for_who_declares_nothing_and_owns_nothing() {
    let desired = wish(json!({"mappings": null}));
    let (steps, _, verdict) = pass(&desired, running(), &Compared::Differs(one_line()));
    assert_eq!((steps, verdict.reason), (Vec::new(), Reason::Running));
    let owning = World { mappings: saved(60 * MINUTE), ..running() };
    let (steps, ..) = pass(&desired, owning, &Compared::Differs(one_line()));
    assert_eq!(saves(&steps), 1, "what was owned is given back");
}

#[test]
fn status_says_what_the_next_process_may_rely_on() {
    let desired = wish(json!({}));
    let now = Timestamp::UNIX_EPOCH;
    let seen = |difference| {
        let view = View { seen: Some(compared(&desired, Compared::Differs(difference))), ..saved(20 * MINUTE) };
        status(&desired, &World { mappings: view, ..running() }, now).unwrap()
    };
    let in_place = seen(differs(&[]));
    assert_eq!((in_place.checked_hash, in_place.owned), (Some(hash(&desired)), 1));
    let drifted = seen(Difference { drifted: vec!["userName".to_owned()], ..differs(&[]) });
    assert_eq!((drifted.checked_hash, drifted.changed_out_of_band), (None, vec!["userName".to_owned()]));
    let risky = seen(Difference { risks: vec!["risk".to_owned()], ..one_line() });
    assert_eq!((risky.checked_hash, risky.confirm), (None, Some("c1".to_owned())));
    let released = wish(json!({"mappings": null}));
    let view = View {
        seen: Some(compared(&released, Compared::Differs(Difference { owned: 0, ..differs(&[]) }))),
        ..saved(MINUTE)
    };
    assert_eq!(status(&released, &World { mappings: view, ..running() }, now), None, "nothing is owned any more");
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
fn a_job_that_stays_gets_its_mappings_back_and_the_deletion_always_ends() {
    let owning = |view: View| World { mappings: view, deletion_requested: true, ..running() };
    let steps = |over, world| pass(&wish(over), world, &Compared::Differs(differs(&[]))).0;
    let gives_back =
        |steps: &[Step]| steps.iter().any(|step| matches!(step, Step::Change(Change::ReleaseMappings { .. })));
    let lets_go = |steps: &[Step]| {
        let leaving = Leaving::Retained { id: JOB.to_owned() };
        steps.last() == Some(&Step::Record(Record::RemoveFinalizer { leaving }))
    };
    let keep = json!({"mappings": {"onRelease": "Keep"}});
    let delete = json!({"deletionPolicy": "Delete"});
    let cases = [
        ("owned", json!({}), owning(saved(MINUTE)), true),
        ("owned, and nothing is declared any more", json!({"mappings": null}), owning(saved(MINUTE)), true),
        ("never saved", json!({}), owning(View::default()), false),
        ("to be kept", keep, owning(saved(MINUTE)), false),
        ("given up", json!({}), World { failures: 8, ..owning(saved(MINUTE)) }, false),
    ];
    for (name, over, world, expected) in cases {
        let steps = steps(over, world);
        assert_eq!((gives_back(&steps), lets_go(&steps)), (expected, true), "{name}: {steps:?}");
    }
    let settings = Settings::default();
    let trouble =
        Trouble { kind: TroubleKind::GraphUnavailable, detail: "No.".to_owned(), trace: None, retry_after: None };
    let failing = World { trouble: Some(trouble), failures: 7, ..owning(saved(MINUTE)) };
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
fn mode_plan_reads_a_schema_that_differs_once_an_hour() {
    let desired = wish(json!({"mode": "Plan"}));
    for (age, expected) in [(59 * MINUTE, 0), (60 * MINUTE, 1)] {
        let recalled = Some((compared(&desired, Compared::Differs(one_line())), age));
        let world = World { mappings: View { recalled, ..View::default() }, ..running() };
        let (steps, _, verdict) = pass(&desired, world, &Compared::Differs(one_line()));
        assert_eq!((reads(&steps), saves(&steps), verdict.reason), (expected, 0, Reason::ChangesPlanned), "{age:?}");
    }
}
