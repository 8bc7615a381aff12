//! Properties of the plan: `decide` is total and careful in every world, and what is reported agrees with itself.

mod mappings;
mod overlay;
mod overlay_worlds;
mod secrets;
mod worlds;

use std::time::Duration;

use entrain::api::{DeletionPolicy, JobOrigin, MissingJobPolicy, Mode, Reason, Report, RunState, SyncJobSpec};
use entrain::plan::desired::Adoption;
use entrain::plan::report::{End, report};
use entrain::plan::secrets::Declared;
use entrain::plan::{
    Change, Desired, Fact, IntentOrigin, Leaving, Look, Managed, Next, ObservedJob, Pass, Record, Rivals, Settings,
    Standing, Step, Verdict, World, decide, preview,
};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use worlds::{beginning, luck, outcome, trouble, wish, world};

/// More than a pass may take.
const STEPS_MAX: usize = 16;

/// What must be true of a step in the world in which it is chosen.
fn careful(step: &Step, wish: &Desired, world: &World) -> Result<(), String> {
    let demand = |held: bool, what: &str| if held { Ok(()) } else { Err(format!("{step:?} {what} in {world:?}")) };
    let holds = matches!(step, Step::Record(Record::BindJob { .. } | Record::AdoptJob { .. }));
    demand(!(step.begins_something() || holds) || world.finalizer, "without the finalizer")?;
    let holds_something = world.job_id.is_some() || world.intent.is_some();
    let elsewhere = world.tenant.is_some() && world.recorded_tenant.is_some() && world.tenant != world.recorded_tenant;
    let lets_go = matches!(
        step,
        Step::Record(Record::RemoveFinalizer {
            leaving: Leaving::Nothing | Leaving::Retained { .. } | Leaving::Unrestored { .. }
        })
    );
    demand(!(holds_something && elsewhere) || lets_go, "for a record of another tenant")?;
    let unmanaged = wish.mode != Mode::Manage;
    demand(
        !unmanaged || matches!(step, Step::Look(_)) || matches!(step, Step::Record(Record::RemoveFinalizer { .. })),
        "in a mode that changes nothing",
    )?;
    secrets::careful(step, wish, world)?;
    mappings::careful(step, wish, world)?;
    match step {
        Step::Change(Change::CreateJob) => {
            let adoption = world.intent.as_ref().is_some_and(|intent| intent.adopt.is_some());
            demand(!adoption, "although a job is to be adopted")?;
            let recorded = world.intent.as_ref().is_some_and(|intent| intent.origin == IntentOrigin::Recorded);
            demand(recorded, "without an intent of this pass")?;
            demand(world.rivals == Rivals::Read(Vec::new()), "without having read that there is no rival")?;
            demand(world.created.is_none() && world.job_id.is_none(), "although there is a job")?;
            demand(world.trouble.is_none() && !world.deletion_requested, "in trouble or deletion")
        }
        Step::Record(Record::Intent { .. }) => {
            demand(world.job_id.is_none() && world.jobs.is_some(), "without having looked")?;
            demand(!world.deletion_requested, "in deletion")
        }
        Step::Record(Record::BindJob { id }) => {
            demand(world.job_id.is_none() && world.intent.is_some(), "without an intent")?;
            demand(
                !world.rivals.known().iter().any(|rival| rival.job_id.as_ref() == Some(id)) || world.created.is_some(),
                "held by another",
            )
        }
        Step::Record(Record::Adoption { .. } | Record::AdoptJob { .. }) => careful_adoption(step, wish, world),
        Step::Record(Record::ForgetJob { id }) => {
            demand(wish.missing_job == MissingJobPolicy::Recreate && world.seen, "unasked, or never seen")?;
            let a_day = world.missing_for.is_some_and(|since| since >= Duration::from_secs(24 * 3600));
            demand(a_day && world.service_principal_exists == Some(true), "too early")?;
            demand(world.job_id.as_ref() == Some(id) && world.bound_job().is_none() && world.absences >= 3, "too early")
        }
        Step::Record(Record::Restart { .. }) | Step::Change(Change::RestartJob { .. }) => {
            careful_restart(step, wish, world)
        }
        Step::Change(Change::StartJob { id } | Change::PauseJob { id }) => careful_run(step, id, world),
        Step::Change(Change::DeleteJob { .. }) | Step::Record(Record::RemoveFinalizer { .. }) => {
            lets_go_carefully(step, world)
        }
        Step::Change(
            Change::TestCredentials { .. }
            | Change::SaveSecrets { .. }
            | Change::RestartAfterChange { .. }
            | Change::SaveMappings { .. }
            | Change::ReleaseMappings { .. },
        )
        | Step::Look(_)
        | Step::Record(Record::AddFinalizer | Record::Tenant { .. } | Record::ClearIntent) => Ok(()),
        Step::Record(Record::Origin { .. }) => {
            demand(world.bound_job().is_some_and(|job| !job.lives()), "of a job that lives")
        }
    }
}

/// What must be true of a step towards an adoption.
fn careful_adoption(step: &Step, wish: &Desired, world: &World) -> Result<(), String> {
    let demand = |held: bool, what: &str| if held { Ok(()) } else { Err(format!("{step:?} {what} in {world:?}")) };
    match step {
        Step::Record(Record::Adoption { .. }) => {
            demand(wish.adoption != Adoption::Never, "although nothing may be adopted")?;
            demand(world.job_id.is_none() && !world.deletion_requested, "although there is a job")
        }
        Step::Record(Record::AdoptJob { id }) => {
            let intended = world.intent.as_ref().is_some_and(|intent| intent.adopt.as_ref() == Some(id));
            demand(intended, "without an intent")?;
            demand(world.rivals == Rivals::Read(Vec::new()), "without having read that there is no rival")?;
            demand(world.jobs.iter().flatten().any(|job| &job.id == id), "unseen")
        }
        _ => Ok(()),
    }
}

/// What must be true of a start and of a pause.
fn careful_run(step: &Step, id: &str, world: &World) -> Result<(), String> {
    let demand = |held: bool, what: &str| if held { Ok(()) } else { Err(format!("{step:?} {what} in {world:?}")) };
    let (job, starts) = (world.bound_job(), matches!(step, Step::Change(Change::StartJob { .. })));
    demand(!(starts && job.is_some_and(ObservedJob::quarantined)), "of a job in quarantine")?;
    demand(!(starts && job.is_some_and(|job| job.escrows_pruned)), "of a job that the service stopped")?;
    let opposite = if starts { RunState::Paused } else { RunState::Running };
    let state = job.and_then(ObservedJob::run_state);
    // A lagging list may show the run state of the job that had the id before.
    let never_started = world.run.is_none() && world.bound_for < Settings::default().settle_window;
    let predecessor = starts && state == Some(RunState::Running) && never_started;
    demand(state == Some(opposite) || predecessor, "that is so already, or unknown")?;
    demand(world.job_id.as_deref() == Some(id), "of a job that is not recorded")?;
    demand(!world.deletion_requested, "in deletion")
}

/// What must be true of the steps that cannot be undone.
fn lets_go_carefully(step: &Step, world: &World) -> Result<(), String> {
    let demand = |held: bool, what: &str| if held { Ok(()) } else { Err(format!("{step:?} {what} in {world:?}")) };
    demand(world.deletion_requested, "although nobody deletes it")?;
    if let Step::Change(Change::DeleteJob { id }) = step {
        demand(world.job_id.as_ref() == Some(id), "of a job that is not recorded")?;
        demand(world.definition_going == Some(false), "while the CRD may be going")?;
        return demand(world.jobs.is_some() || world.not_found, "without a look");
    }
    let retained = matches!(
        step,
        Step::Record(Record::RemoveFinalizer { leaving: Leaving::Retained { .. } | Leaving::Unrestored { .. } })
    );
    let held = world.job_id.is_some() && !retained;
    demand(!held || world.job_deleted || world.absences >= 3, "on the word of a single answer")?;
    let window = Settings::default().settle_window;
    demand(!held || world.delete_unknown_for.is_none_or(|since| since >= window), "while a deletion may take effect")
}

/// A step that failed is not tried again in the same pass.
fn moves_on(failed: Option<&Step>, next: &Verdict) -> Result<(), String> {
    let same = failed.is_some() && failed == next.step.as_ref();
    if same { Err(format!("the step that failed comes next: {next:?}")) } else { Ok(()) }
}

/// What must be true of a step towards a restart.
fn careful_restart(step: &Step, wish: &Desired, world: &World) -> Result<(), String> {
    let demand = |held: bool, what: &str| if held { Ok(()) } else { Err(format!("{step:?} {what} in {world:?}")) };
    match step {
        Step::Record(Record::Restart { token }) => {
            let last = world.answers.last_handled_restart.as_ref().is_some_and(|handled| &handled.token == token);
            demand(!last && !world.answers.handled_restarts.contains(token), "that was answered before")?;
            demand(!world.unseen, "that came with the object")?;
            demand(world.bound_job().is_some() && wish.run_state == RunState::Running, "unduly")
        }
        Step::Change(Change::RestartJob { id, scope }) => {
            let held_back = |job: &ObservedJob| {
                job.quarantined() && job.shown.quarantine.as_ref().is_some_and(|shown| shown.reason == "TooManyDeletes")
            };
            let forced = scope.as_deref().is_some_and(|scope| scope.contains("ForceDeletes"));
            let shown = !world.jobs_recalled && world.bound_job().is_some_and(held_back);
            demand(!forced || shown, "of deletions that Graph does not show to be held back")?;
            demand(world.restart_due && world.job_id.as_ref() == Some(id), "unrecorded")
        }
        _ => Ok(()),
    }
}

/// A plan without a step says why and never asks at once again.
fn explained(verdict: &Verdict) -> Result<(), String> {
    let well =
        verdict.message.ends_with('.') && verdict.message.len() < 32_768 && Reason::ALL.contains(&verdict.reason);
    if !well {
        return Err(format!("badly explained: {verdict:?}"));
    }
    let calm =
        verdict.step.is_some() || verdict.wake.with_jitter(0).is_none_or(|delay| delay >= Duration::from_millis(900));
    if calm { Ok(()) } else { Err(format!("a hot loop: {verdict:?}")) }
}

fn status_of(report: &Report, kind: &str) -> Option<String> {
    let mut found = report.conditions.iter().filter(|condition| condition.type_ == kind);
    let status = found.next().map(|condition| condition.status.clone());
    assert!(found.next().is_none(), "{kind} is there twice");
    status
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decide_has_a_careful_answer_for_every_world(wish in wish(), world in world()) {
        let world = mappings::fit(&wish, world);
        let plan = decide(&wish, &world, &Settings::default());
        explained(&plan).map_err(TestCaseError::fail)?;
        if let Some(step) = &plan.step {
            careful(step, &wish, &world).map_err(TestCaseError::fail)?;
            if matches!(step, Step::Change(Change::DeleteJob { .. })) {
                let written_out = wish.deletion_policy == Some(DeletionPolicy::Delete);
                let created = !matches!(world.origin, Some(JobOrigin::Adopted | JobOrigin::Replaced));
                prop_assert!(written_out || wish.deletion_policy.is_none() && created);
            }
        }
    }

    #[test]
    fn a_pass_ends_is_careful_throughout_and_asks_for_a_job_at_most_once(
        wish in wish(), start in beginning(), lucks in vec(luck(), STEPS_MAX + 1),
    ) {
        let settings = Settings::default();
        let mut pass = Pass::new(Managed { desired: &wish, settings: &settings }, start);
        let mut failed = None;
        for luck in lucks {
            explained(pass.verdict()).map_err(TestCaseError::fail)?;
            moves_on(failed.as_ref(), pass.verdict()).map_err(TestCaseError::fail)?;
            let Next::Do(step) = pass.next_step() else { break };
            careful(&step, &wish, pass.world()).map_err(TestCaseError::fail)?;
            let fact = outcome(&step, &wish, luck);
            failed = matches!(fact, Fact::Trouble(_)).then_some(step);
            pass.learn(fact);
        }
        prop_assert_eq!(pass.next_step(), Next::End);
        prop_assert!(!pass.goes_round_in_circles(), "the pass goes round in circles in {:?}", pass.world());
        let count = |is: fn(&Step) -> bool| pass.done().iter().filter(|(step, _)| is(step)).count();
        let created = count(|step| *step == Step::Change(Change::CreateJob));
        let restarted = count(|step| matches!(step, Step::Change(Change::RestartJob { .. })));
        prop_assert!(created <= 1 && restarted <= 1);
    }

    #[test]
    fn mappings_are_saved_and_given_back_with_care(
        wish in wish(), start in mappings::calm(), threshold in option::of(0..2_u32), lucks in vec(luck(), STEPS_MAX + 1),
    ) {
        let mut wish = Desired { content: Declared::default(), ..wish };
        wish.content.settings.delete_threshold = threshold;
        let settings = Settings::default();
        let mut pass = Pass::new(Managed { desired: &wish, settings: &settings }, mappings::fit(&wish, start));
        for luck in lucks {
            explained(pass.verdict()).map_err(TestCaseError::fail)?;
            let Next::Do(step) = pass.next_step() else { break };
            careful(&step, &wish, pass.world()).map_err(TestCaseError::fail)?;
            let fact = outcome(&step, &wish, luck);
            pass.learn(fact);
        }
        prop_assert!(!pass.goes_round_in_circles(), "the pass goes round in circles: {:?}", pass.done());
        let count = |is: fn(&Step) -> bool| pass.done().iter().filter(|(step, _)| is(step)).count();
        let read = count(|step| *step == Step::Look(Look::Schema));
        let saved = count(|step| matches!(step, Step::Change(Change::SaveMappings { .. })));
        let released = count(|step| matches!(step, Step::Change(Change::ReleaseMappings { .. })));
        prop_assert!(read <= 1 && saved <= 1 && released <= 1, "{:?}", pass.done());
    }

    #[test]
    fn a_job_is_let_go_of_in_the_end_although_its_mappings_cannot_be_given_back(
        wish in wish(), start in mappings::calm(), trouble in trouble(), jobs in vec(luck(), STEPS_MAX),
    ) {
        let wish = Desired { deletion_policy: Some(DeletionPolicy::Retain), ..wish };
        let start = World { deletion_requested: true, finalizer: true, failures: 0, ..start };
        let gone = (0..=mappings::TRIES).any(|failures_in_deletion| {
            let settings = Settings::default();
            let mut pass = Pass::new(Managed { desired: &wish, settings: &settings }, World { failures_in_deletion, ..start.clone() });
            for luck in jobs.clone() {
                let Next::Do(step) = pass.next_step() else { break };
                pass.learn(match &step {
                    Step::Record(record) => record.done(),
                    Step::Look(_) => outcome(&step, &wish, luck),
                    Step::Change(_) => Fact::Trouble(trouble.clone()),
                });
            }
            pass.done().iter().any(|(_, fact)| matches!(fact, Fact::FinalizerRemoved { .. }))
        });
        prop_assert!(gone);
    }

    #[test]
    fn conditions_agree_with_themselves_and_a_second_report_says_nothing_new(
        wish in wish(), before in world(), after in world(), generation in 1..5_i64, elapsed in 0..1000_i64,
    ) {
        let (settings, start) = (Settings::default(), Timestamp::from_second(1_800_000_000).unwrap());
        let first = decide(&wish, &before, &settings);
        let end = |world, plan| End { desired: Some(&wish), world, verdict: plan, done: &[] };
        let old = report(&Report::default(), generation, &end(&before, &first), &settings, start);

        let now = start + jiff::SignedDuration::from_secs(elapsed);
        let plan = decide(&wish, &after, &settings);
        let reported = report(&old, generation, &end(&after, &plan), &settings, now);
        let (ready, reconciling, stalled) = (status_of(&reported, "Ready"), status_of(&reported, "Reconciling"), status_of(&reported, "Stalled"));
        prop_assert!(ready.is_some());
        prop_assert!(reconciling.is_none() || stalled.is_none(), "{:?}", reported.conditions);
        prop_assert!(reconciling.as_deref().is_none_or(|status| status == "True"));
        prop_assert!(stalled.as_deref().is_none_or(|status| status == "True"));
        let keeps = matches!(plan.standing, Standing::Passing | Standing::Suspended);
        let kept = keeps && status_of(&old, "Ready").as_deref() == Some("True");
        prop_assert_eq!(ready.as_deref() == Some("True"), plan.standing == Standing::Settled || kept);
        let suspended = plan.standing == Standing::Suspended;
        prop_assert_eq!(status_of(&reported, "Suspended").is_some(), suspended);
        prop_assert_eq!(reported.observed_generation, if suspended { old.observed_generation } else { Some(generation) });

        let again = report(&reported, generation, &end(&after, &plan), &settings, now);
        prop_assert!(again.says(&reported), "{:?} after {:?}", again, reported);
    }

    #[test]
    fn a_preview_ends_and_changes_nothing_where_nothing_is_left_to_do(wish in wish(), world in world()) {
        let wish = Desired { mode: Mode::Plan, ..wish };
        let preview = preview(&wish, &world, &Settings::default());
        prop_assert!(preview.changes.len() < STEPS_MAX);
        let plan = decide(&wish, &world, &Settings::default());
        if plan.reason == Reason::NothingToChange {
            prop_assert_eq!(preview.changes, vec![]);
        }
    }

    #[test]
    fn only_well_formed_ids_become_a_wish(sp in "(/servicePrincipals/)?[0-9a-fA-F-]{30,40}", template in "[A-Za-z0-9._-]{0,12}") {
        let spec = json!({"servicePrincipalId": sp, "templateId": template});
        if let Ok(wish) = Desired::parse(&serde_json::from_value::<SyncJobSpec>(spec).unwrap()) {
            let id = wish.service_principal.as_str();
            prop_assert!(id.len() == 36 && id == id.to_ascii_lowercase() && sp.to_ascii_lowercase().ends_with(id));
            prop_assert!(!template.is_empty() && wish.template.as_str() == template);
        }
    }
}
