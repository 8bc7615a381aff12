//! Properties of the plan: `decide` is total and careful in every world, and what is told agrees with itself.

use std::time::Duration;

use entrain::api::{Reason, SyncJobSpec, SyncJobStatus};
use entrain::plan::report::{Report, report};
use entrain::plan::{
    Desired, Fact, IntentOrigin, IntentView, ObservedJob, Plan, Rival, Rivals, Settings, Standing, Step, Trouble,
    TroubleKind, World, decide,
};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

/// More than a pass may take.
const STEPS_MAX: usize = 16;
const SERVICE_PRINCIPAL: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";
const KINDS: &[TroubleKind] = &[
    TroubleKind::Throttled,
    TroubleKind::GraphUnavailable,
    TroubleKind::LoginUnavailable,
    TroubleKind::LoginRefused,
    TroubleKind::TokenRejected,
    TroubleKind::Unauthorized,
    TroubleKind::Forbidden,
    TroubleKind::NotFound,
    TroubleKind::Conflict,
    TroubleKind::Rejected,
    TroubleKind::ObjectChanged,
    TroubleKind::ClusterUnavailable,
];

prop_compose! {
    fn wish()(paused in any::<bool>(), retain in any::<bool>()) -> Desired {
        let spec = json!({
            "servicePrincipalId": SERVICE_PRINCIPAL, "templateId": "BoxOutDelta",
            "state": if paused { "Paused" } else { "Running" },
            "deletionPolicy": if retain { "Retain" } else { "Delete" },
        });
        Desired::parse(&serde_json::from_value::<SyncJobSpec>(spec).unwrap()).unwrap()
    }
}

fn seconds() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(0), 1..200_u64, 800..1000_u64, Just(100_000)].prop_map(Duration::from_secs)
}

/// Few ids, so that they meet.
fn id() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["BoxOutDelta.1", "BoxOutDelta.2", "scim.1", "opaque"]).prop_map(str::to_owned)
}

prop_compose! {
    fn job()(
        id in id(),
        template in option::of(prop::sample::select(vec!["BoxOutDelta", "boxoutdelta", "scim"])),
        code in option::of(prop::sample::select(vec!["Active", "Paused", "Quarantine", "Hibernating"])),
        state in option::of(prop::sample::select(vec!["Active", "Disabled", "Paused"])),
    ) -> ObservedJob {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        ObservedJob { id, template_id: owned(template), code: owned(code), schedule_state: owned(state), interval: None }
    }
}

prop_compose! {
    fn trouble()(kind in prop::sample::select(KINDS.to_vec()), retry_after in option::of(seconds())) -> Trouble {
        Trouble { kind, detail: "Something failed.".to_owned(), retry_after }
    }
}

prop_compose! {
    fn rival()(job_id in option::of(id()), precedes in any::<bool>()) -> Rival {
        Rival { name: "elsewhere/other".to_owned(), job_id, precedes }
    }
}

prop_compose! {
    fn intent()(
        baseline in vec(id(), 0..3),
        origin in prop::sample::select(vec![
            IntentOrigin::Recorded, IntentOrigin::Unsent, IntentOrigin::Refused, IntentOrigin::Unknown,
        ]),
        age in seconds(),
    ) -> IntentView {
        IntentView { baseline, origin, age }
    }
}

prop_compose! {
    /// Any world, also those that no pass can meet.
    fn world()(
        (deletion_requested, finalizer, not_found, job_deleted) in (any::<bool>(), prop::bool::weighted(0.8), any::<bool>(), any::<bool>()),
        (intent, job_id, bound_for, read) in (option::of(intent()), option::of(id()), seconds(), any::<bool>()),
        (rivals, jobs, absences) in (vec(rival(), 0..3), option::of(vec(job(), 0..4)), 0..6_u32),
        (exists, templates) in (option::of(any::<bool>()), option::of(vec(prop::sample::select(vec!["BoxOutDelta", "scim"]), 0..3))),
        (created, surplus, run_requested) in (option::of(job()), option::weighted(0.1, id()), option::of(seconds())),
        (trouble, refusal, failures) in (option::weighted(0.3, trouble()), option::weighted(0.1, trouble()), 0..40_u32),
    ) -> World {
        let mut world = World::unobserved();
        world.deletion_requested = deletion_requested;
        world.finalizer = finalizer;
        world.not_found = not_found;
        world.job_deleted = job_deleted;
        world.intent = intent;
        world.job_id = job_id;
        world.bound_for = bound_for;
        world.rivals = if read { Rivals::Read(rivals) } else { Rivals::Cached(rivals) };
        world.jobs = jobs;
        world.absences = absences;
        world.service_principal_exists = exists;
        world.templates = templates.map(|ids| ids.into_iter().map(str::to_owned).collect());
        world.created = created;
        world.surplus = surplus;
        world.run_requested = run_requested;
        world.trouble = trouble;
        world.refusal = refusal;
        world.failures = failures;
        world
    }
}

prop_compose! {
    /// What observation can find at the beginning of a pass.
    fn beginning()(
        (deletion_requested, finalizer) in (any::<bool>(), any::<bool>()),
        (intent, bound, bound_for) in (option::of(intent()), option::of(id()), seconds()),
        (rivals, absences, failures) in (vec(rival(), 0..2), 0..6_u32, 0..10_u32),
        run_requested in option::of(seconds()),
    ) -> World {
        let mut world = World::unobserved();
        world.deletion_requested = deletion_requested;
        world.finalizer = finalizer;
        world.intent = intent.filter(|_| bound.is_none());
        if let Some(intent) = world.intent.as_mut().filter(|intent| !matches!(intent.origin, IntentOrigin::Unsent)) {
            intent.origin = IntentOrigin::Unknown;
        }
        world.job_id = bound;
        world.bound_for = bound_for;
        world.rivals = Rivals::Cached(rivals);
        world.absences = absences;
        world.failures = failures;
        world.run_requested = run_requested;
        world
    }
}

/// What may come of a step: one number chooses among the plausible, the rest fills it.
#[derive(Clone, Debug)]
struct Luck {
    choice: u8,
    jobs: Vec<ObservedJob>,
    job: ObservedJob,
    rivals: Vec<Rival>,
    trouble: Trouble,
}

prop_compose! {
    fn luck()(choice in 0..6_u8, jobs in vec(job(), 0..3), job in job(), rivals in vec(rival(), 0..2), trouble in trouble()) -> Luck {
        Luck { choice, jobs, job, rivals, trouble }
    }
}

fn outcome(step: &Step, luck: Luck) -> Fact {
    let Luck { choice, jobs, job, rivals, trouble } = luck;
    match (step, choice) {
        (Step::CreateJob, 0) => Fact::CreateRefused(trouble),
        (Step::CreateJob, 1) => Fact::CreateUnknown(trouble),
        (Step::BindJob { id }, 0) => Fact::BindLost { id: id.clone() },
        (Step::ListJobs | Step::ListTemplates | Step::DeleteJob { .. }, 0) => Fact::NotFound,
        (_, 1) => Fact::Trouble(trouble),
        (Step::AddFinalizer, _) => Fact::FinalizerAdded,
        (Step::ListJobs, _) => Fact::JobsListed(jobs),
        (Step::LookUpServicePrincipal, _) => Fact::ServicePrincipalLookedUp { exists: choice % 2 == 0 },
        (Step::ListTemplates, 2) => Fact::TemplatesListed(vec!["scim".to_owned()]),
        (Step::ListTemplates, _) => Fact::TemplatesListed(vec!["BoxOutDelta".to_owned()]),
        (Step::RecordIntent { baseline }, _) => Fact::IntentRecorded { baseline: baseline.clone() },
        (Step::ReadRivals, 2) => Fact::RivalsRead(rivals),
        (Step::ReadRivals, _) => Fact::RivalsRead(Vec::new()),
        (Step::CreateJob, _) => Fact::JobCreated(job),
        (Step::ClearIntent, _) => Fact::IntentCleared,
        (Step::BindJob { id }, _) => Fact::JobBound { id: id.clone() },
        (Step::StartJob { .. } | Step::PauseJob { .. }, _) => Fact::RunStateRequested,
        (Step::DeleteJob { .. }, _) => Fact::JobDeleted,
        (Step::DeleteSurplus { .. }, _) => Fact::SurplusDeleted,
        (Step::RemoveFinalizer { .. }, _) => Fact::FinalizerRemoved,
        #[allow(unreachable_patterns, reason = "steps to come")]
        _ => Fact::Trouble(trouble),
    }
}

/// What must be true of a step in the world in which it is chosen.
fn careful(step: &Step, world: &World) -> Result<(), String> {
    let demand = |held: bool, what: &str| if held { Ok(()) } else { Err(format!("{step:?} {what} in {world:?}")) };
    let begins = step.writes_to_graph() || matches!(step, Step::RecordIntent { .. } | Step::BindJob { .. });
    let surplus = matches!(step, Step::DeleteSurplus { .. });
    demand(!begins || surplus || world.finalizer, "without the finalizer")?;
    match step {
        Step::CreateJob => {
            let recorded = world.intent.as_ref().is_some_and(|intent| intent.origin == IntentOrigin::Recorded);
            demand(recorded, "without an intent of this pass")?;
            demand(world.rivals == Rivals::Read(Vec::new()), "without having read that there is no rival")?;
            demand(world.created.is_none() && world.job_id.is_none(), "although there is a job")?;
            demand(world.trouble.is_none() && !world.deletion_requested, "in trouble or deletion")
        }
        Step::RecordIntent { .. } => {
            demand(world.job_id.is_none() && world.jobs.is_some(), "without having looked")?;
            demand(!world.deletion_requested, "in deletion")
        }
        Step::BindJob { id } => {
            demand(world.job_id.is_none() && world.intent.is_some(), "without an intent")?;
            demand(
                !world.rivals.known().iter().any(|rival| rival.job_id.as_ref() == Some(id)) || world.created.is_some(),
                "held by another",
            )
        }
        Step::StartJob { id } | Step::PauseJob { id } => {
            demand(world.job_id.as_ref() == Some(id), "of a job that is not recorded")?;
            demand(!world.deletion_requested && world.bound_job().is_some(), "unseen")
        }
        Step::DeleteJob { id } => {
            demand(world.deletion_requested && world.job_id.as_ref() == Some(id), "of a job that is not to go")
        }
        Step::RemoveFinalizer { .. } => demand(world.deletion_requested, "although nobody deletes it"),
        _ => Ok(()),
    }
}

/// A plan without a step says why and never asks at once again.
fn told(plan: &Plan) -> Result<(), String> {
    let well = plan.message.ends_with('.') && plan.message.len() < 32_768 && Reason::ALL.contains(&plan.reason);
    if !well {
        return Err(format!("badly told: {plan:?}"));
    }
    let calm = plan.step.is_some() || plan.wake.spread(0).is_none_or(|delay| delay >= Duration::from_millis(900));
    if calm { Ok(()) } else { Err(format!("a hot loop: {plan:?}")) }
}

fn written(report: &Report, identity: &SyncJobStatus) -> SyncJobStatus {
    SyncJobStatus {
        conditions: report.conditions.clone(),
        observed_generation: Some(report.observed_generation),
        job: report.job.clone(),
        deletion_policy: report.deletion_policy,
        ..identity.clone()
    }
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
        let plan = decide(&wish, &world, &Settings::default());
        told(&plan).map_err(TestCaseError::fail)?;
        if let Some(step) = &plan.step {
            careful(step, &world).map_err(TestCaseError::fail)?;
            if matches!(step, Step::DeleteJob { .. }) {
                prop_assert_eq!(wish.deletion_policy, entrain::api::DeletionPolicy::Delete);
            }
        }
    }

    #[test]
    fn a_pass_ends_is_careful_throughout_and_asks_for_a_job_at_most_once(
        wish in wish(), start in beginning(), lucks in vec(luck(), STEPS_MAX + 1),
    ) {
        let (mut world, mut created) = (start, 0);
        let mut ended = false;
        for luck in lucks {
            let plan = decide(&wish, &world, &Settings::default());
            told(&plan).map_err(TestCaseError::fail)?;
            let Some(step) = plan.step else { ended = true; break };
            careful(&step, &world).map_err(TestCaseError::fail)?;
            created += usize::from(step == Step::CreateJob);
            let fact = outcome(&step, luck);
            if fact == Fact::FinalizerRemoved { ended = true; break }
            world = world.with(fact, &wish);
        }
        prop_assert!(ended, "the pass goes round in circles in {:?}", world);
        prop_assert!(created <= 1);
    }

    #[test]
    fn conditions_agree_with_themselves_and_a_second_report_says_nothing_new(
        wish in wish(), before in world(), after in world(), generation in 1..5_i64, elapsed in 0..1000_i64,
    ) {
        let (settings, start) = (Settings::default(), Timestamp::from_second(1_800_000_000).unwrap());
        let first = decide(&wish, &before, &settings);
        let old = report(&SyncJobStatus::default(), generation, Some(&wish), &before, &first, &settings, start);
        let status = written(&old, &SyncJobStatus::default());

        let now = start + jiff::SignedDuration::from_secs(elapsed);
        let plan = decide(&wish, &after, &settings);
        let told = report(&status, generation, Some(&wish), &after, &plan, &settings, now);
        let (ready, reconciling, stalled) = (status_of(&told, "Ready"), status_of(&told, "Reconciling"), status_of(&told, "Stalled"));
        prop_assert!(ready.is_some());
        prop_assert!(reconciling.is_none() || stalled.is_none(), "{:?}", told.conditions);
        prop_assert!(reconciling.as_deref().is_none_or(|status| status == "True"));
        prop_assert!(stalled.as_deref().is_none_or(|status| status == "True"));
        let kept = plan.standing == Standing::Passing && status_of(&old, "Ready").as_deref() == Some("True");
        prop_assert_eq!(ready.as_deref() == Some("True"), plan.standing == Standing::Settled || kept);
        prop_assert_eq!(told.observed_generation, generation);

        let status = written(&told, &status);
        let again = report(&status, generation, Some(&wish), &after, &plan, &settings, now);
        prop_assert!(again.is_said_by(&status), "{:?} after {:?}", again, told);
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
