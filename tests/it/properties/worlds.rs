//! Worlds, wishes and outcomes, made up: also such as no pass can meet.

use std::time::Duration;

use entrain::api::{
    DeletionPolicy, HandledRestart, JobOrigin, MissingJobPolicy, Mode, OutOfBandPolicy, RestartResult, RunState,
};
use entrain::plan::desired::Adoption;
use entrain::plan::ids::{ServicePrincipalId, TemplateId};
use entrain::plan::requests::{Requests, RestartRequest};
use entrain::plan::secrets::Declared;
use entrain::plan::{
    Change, Desired, Fact, IntentOrigin, IntentView, Look, ObservedJob, Record, Rival, Rivals, RunView, Shown, Sibling,
    Step, Trouble, TroubleKind, World,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::{mappings, secrets};

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
    TroubleKind::Busy,
    TroubleKind::ObjectChanged,
    TroubleKind::ClusterUnavailable,
    TroubleKind::ClusterRefused,
];

prop_compose! {
    pub fn wish()(
        paused in any::<bool>(),
        deletion in option::of(prop::sample::select(vec![DeletionPolicy::Delete, DeletionPolicy::Retain])),
        mode in prop_oneof![4 => Just(Mode::Manage), 1 => Just(Mode::Observe), 1 => Just(Mode::Plan), 1 => Just(Mode::Suspended)],
        adoption in prop_oneof![
            2 => Just(Adoption::Never), 1 => Just(Adoption::IfExists), 1 => Just(Adoption::Only), 1 => id().prop_map(Adoption::Named),
        ],
        correct in any::<bool>(),
        recreate in any::<bool>(),
        content in prop_oneof![2 => Just(Declared::default()), 1 => secrets::declared()],
        mappings in mappings::wish(),
    ) -> Desired {
        let service_principal = ServicePrincipalId::parse("2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f").unwrap();
        Desired {
            run_state: if paused { RunState::Paused } else { RunState::Running },
            deletion_policy: deletion,
            mode,
            adoption,
            content,
            mappings,
            out_of_band: if correct { OutOfBandPolicy::Correct } else { OutOfBandPolicy::Respect },
            missing_job: if recreate { MissingJobPolicy::Recreate } else { MissingJobPolicy::Report },
            ..Desired::new(service_principal, TemplateId::parse("BoxOutDelta").unwrap())
        }
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
    pub fn job()(
        id in id(),
        template in option::of(prop::sample::select(vec!["BoxOutDelta", "boxoutdelta", "scim"])),
        code in option::of(prop::sample::select(vec!["Active", "Paused", "Quarantine", "Hibernating"])),
        state in option::of(prop::sample::select(vec!["Active", "Disabled", "Paused", "Hibernating", ""])),
        (held, pruned, lived, in_flight) in (any::<bool>(), prop::bool::weighted(0.1), any::<bool>(), prop::bool::weighted(0.1)),
        quarantine in option::weighted(0.3, prop::sample::select(vec!["TooManyDeletes", "EncounteredQuarantineException"])),
    ) -> ObservedJob {
        let past = Time(Timestamp::from_second(1_700_000_000).unwrap());
        let quarantine = quarantine.map(|reason| serde_json::from_value(json!({"reason": reason, "message": "So."})).unwrap());
        let steady = lived.then_some(past);
        let shown = Shown { steady_state_since_time: steady, cycle_running: in_flight, quarantine, ..Shown::default() };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        ObservedJob {
            id,
            template_id: owned(template),
            code: owned(code),
            schedule_state: owned(state),
            held_by_other: held,
            escrows_pruned: pruned,
            shown: Box::new(shown),
            ..ObservedJob::default()
        }
    }
}

prop_compose! {
    pub fn trouble()(kind in prop::sample::select(KINDS.to_vec()), retry_after in option::of(seconds())) -> Trouble {
        Trouble { kind, detail: "Something failed.".to_owned(), trace: None, retry_after }
    }
}

prop_compose! {
    pub fn rival()(job_id in option::of(id()), precedes in any::<bool>()) -> Rival {
        Rival { name: "elsewhere/other".to_owned(), job_id, precedes }
    }
}

prop_compose! {
    fn sibling()(job_id in option::of(id())) -> Sibling {
        Sibling { name: "elsewhere/sibling".to_owned(), job_id }
    }
}

fn tenant() -> impl Strategy<Value = Option<String>> {
    option::weighted(0.9, prop::sample::select(vec!["t1", "t1", "t1", "t2"])).prop_map(|id| id.map(str::to_owned))
}

prop_compose! {
    /// What is remembered of the recorded job, and which tenant is in force.
    fn memory()(
        (tenant, recorded, seen, lived) in (tenant(), tenant(), any::<bool>(), any::<bool>()),
        (missing, absent, deletion) in (option::of(seconds()), seconds(), option::weighted(0.2, seconds())),
        origin in option::of(prop::sample::select(vec![JobOrigin::Created, JobOrigin::Adopted, JobOrigin::Replaced])),
    ) -> World {
        World {
            tenant, recorded_tenant: recorded, seen, lived, missing_for: missing, absent_for: absent,
            delete_unknown_for: deletion, origin, ..World::unobserved()
        }
    }
}

prop_compose! {
    pub fn intent()(
        baseline in vec(id(), 0..3),
        adopt in option::weighted(0.3, id()),
        origin in prop::sample::select(vec![
            IntentOrigin::Recorded, IntentOrigin::Unsent, IntentOrigin::Refused, IntentOrigin::Unknown,
        ]),
        age in seconds(),
    ) -> IntentView {
        IntentView { baseline, adopt, origin, age }
    }
}

prop_compose! {
    fn run()(paused in any::<bool>(), asked in option::of(seconds()), reached in any::<bool>()) -> RunView {
        RunView { state: if paused { RunState::Paused } else { RunState::Running }, asked, reached }
    }
}

fn restart_result() -> impl Strategy<Value = RestartResult> {
    prop::sample::select(vec![
        RestartResult::Requested,
        RestartResult::Accepted,
        RestartResult::Refused,
        RestartResult::Unknown,
        RestartResult::Ignored,
    ])
}

/// What was asked for by annotation, and what came of it.
#[derive(Clone, Debug)]
struct Restart {
    request: Option<RestartRequest>,
    last: Option<HandledRestart>,
    answered: Vec<String>,
    /// It is recorded and still to be sent.
    due: bool,
    unseen: bool,
}

impl Restart {
    fn put_into(self, world: &mut World) {
        world.requests = Requests { reconcile: None, restart: self.request };
        (world.answers.last_handled_restart, world.answers.handled_restarts) = (self.last, self.answered);
        (world.restart_due, world.unseen) = (self.due, self.unseen);
    }
}

/// Few tokens, so that they meet; two of them are times.
fn token() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["1", "2026-11-25T03:59:21Z", "2026-11-26T03:59:21Z"]).prop_map(str::to_owned)
}

prop_compose! {
    fn restart()(
        request in option::of((token(), prop::sample::select(vec![Some(None), Some(Some("ForceDeletes")), None]))),
        last in option::of((token(), restart_result())),
        answered in vec(token(), 0..2),
        (due, unseen) in (any::<bool>(), prop::bool::weighted(0.2)),
    ) -> Restart {
        let scope = |scope: Option<Option<&str>>| scope.map(|scope| scope.map(str::to_owned)).ok_or_else(|| "It is wrong.".to_owned());
        let request = request.map(|(token, good)| RestartRequest { token, scope: scope(good) });
        let last = last.map(|(token, result)| HandledRestart { token, result, message: "Said.".to_owned() });
        Restart { request, last, answered, due, unseen }
    }
}

prop_compose! {
    /// Any world, also those that no pass can meet.
    pub fn world()(
        (deletion_requested, finalizer, not_found, job_deleted) in (any::<bool>(), prop::bool::weighted(0.8), any::<bool>(), any::<bool>()),
        (intent, job_id, bound_for, read) in (option::of(intent()), option::of(id()), seconds(), any::<bool>()),
        (rivals, jobs, absences) in (vec(rival(), 0..3), option::of(vec(job(), 0..4)), 0..6_u32),
        (exists, templates) in (option::of(any::<bool>()), option::of(vec(prop::sample::select(vec!["BoxOutDelta", "scim"]), 0..3))),
        (created, run, siblings, memory) in (option::of(job()), option::of(run()), vec(sibling(), 0..2), memory()),
        (answer, lost, recalled, restart) in (any::<bool>(), any::<bool>(), any::<bool>(), restart()),
        (delete_not_found, going) in (any::<bool>(), option::of(prop::bool::weighted(0.2))),
        (trouble, refusal, failures) in (option::weighted(0.3, trouble()), option::weighted(0.1, trouble()), 0..40_u32),
        (secrets, mappings) in (secrets::view(), mappings::learnt()),
    ) -> World {
        let mut world = memory;
        (world.secrets, world.mappings) = (secrets, mappings);
        world.siblings = siblings;
        world.from_answer = answer;
        (world.delete_not_found, world.definition_going) = (delete_not_found, going);
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
        world.run = run;
        world.service_principal_lost = lost;
        world.jobs_recalled = recalled;
        restart.put_into(&mut world);
        world.trouble = trouble;
        world.refusal = refusal;
        world.failures = failures;
        world
    }
}

prop_compose! {
    /// What observation can find at the beginning of a pass.
    pub fn beginning()(
        (deletion_requested, finalizer) in (any::<bool>(), any::<bool>()),
        (intent, bound, bound_for) in (option::of(intent()), option::of(id()), seconds()),
        (rivals, absences, failures) in (vec(rival(), 0..2), 0..6_u32, 0..10_u32),
        (run, restart, lost, memory) in (option::of(run()), restart(), any::<bool>(), memory()),
        siblings in vec(sibling(), 0..2),
        (secrets, mappings) in (secrets::view(), mappings::view()),
    ) -> World {
        let mut world = memory;
        (world.secrets, world.mappings) = (secrets, mappings);
        world.siblings = siblings;
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
        world.run = run;
        world.service_principal_lost = lost;
        restart.put_into(&mut world);
        world
    }
}

/// What may come of a step: one number chooses among the plausible, the rest fills it.
#[derive(Clone, Debug)]
pub struct Luck {
    choice: u8,
    jobs: Vec<ObservedJob>,
    job: ObservedJob,
    rivals: Vec<Rival>,
    trouble: Trouble,
    secrets: secrets::Luck,
    mappings: mappings::Luck,
}

prop_compose! {
    pub fn luck()(
        choice in 0..6_u8,
        jobs in vec(job(), 0..3),
        job in job(),
        rivals in vec(rival(), 0..2),
        trouble in trouble(),
        (secrets, mappings) in (secrets::luck(), mappings::luck()),
    ) -> Luck {
        Luck { choice, jobs, job, rivals, trouble, secrets, mappings }
    }
}

pub fn outcome(step: &Step, wish: &Desired, luck: Luck) -> Fact {
    let Luck { choice, jobs, job, rivals, trouble, secrets, mappings } = luck;
    match (step, choice) {
        (Step::Change(Change::DeleteJob { .. }), 0) => Fact::DeleteNotFound,
        (Step::Change(Change::DeleteJob { .. }), 2) => Fact::DeleteUnknown(trouble),
        (Step::Change(Change::CreateJob), 0) => Fact::CreateRefused(trouble),
        (Step::Change(Change::CreateJob), 1) => Fact::CreateUnknown(trouble),
        (Step::Record(Record::BindJob { id }), 0) => Fact::BindLost { id: id.clone() },
        (Step::Look(Look::Jobs | Look::RecentJobs | Look::Templates), 0) => Fact::NotFound,
        (Step::Look(Look::RecentJobs), 2..4) => Fact::JobsRecalled(jobs),
        (Step::Change(Change::RestartJob { .. }), 2) => {
            Fact::RestartAnswered { result: RestartResult::Unknown, message: "No answer.".to_owned() }
        }
        (_, 1) => Fact::Trouble(trouble),
        (Step::Look(Look::Credentials), _) => secrets.wanted(&wish.content),
        (Step::Look(Look::Secrets), _) => secrets.live(),
        (Step::Look(Look::Schema), _) => mappings.read(wish),
        (Step::Change(Change::TestCredentials { .. }), _) => secrets.tested(),
        (Step::Look(look), _) => seen(*look, choice, jobs, rivals),
        (Step::Record(record), _) => record.done(),
        (Step::Change(change), _) => mappings::changed(change, choice, trouble).unwrap_or_else(|| change.done(|| job)),
    }
}

fn seen(look: Look, choice: u8, jobs: Vec<ObservedJob>, rivals: Vec<Rival>) -> Fact {
    match (look, choice) {
        (Look::Jobs | Look::RecentJobs, _) => Fact::JobsListed(jobs),
        (Look::ServicePrincipal, _) => Fact::ServicePrincipalLookedUp { exists: choice.is_multiple_of(2) },
        (Look::Templates, 2) => Fact::TemplatesListed(vec!["scim".to_owned()]),
        (Look::Templates, _) => Fact::TemplatesListed(vec!["BoxOutDelta".to_owned()]),
        (Look::Rivals, 2) => Fact::RivalsRead { rivals, siblings: Vec::new() },
        (Look::Rivals, _) => Fact::RivalsRead { rivals: Vec::new(), siblings: Vec::new() },
        (Look::Tenant, _) => Fact::TenantKnown { id: if choice.is_multiple_of(2) { "t1" } else { "t2" }.to_owned() },
        (Look::Definition, _) => Fact::DefinitionLookedUp { going: choice == 2 },
        (Look::Credentials | Look::Secrets | Look::Schema, _) => unreachable!("answered before"),
        (Look::Namespace, _) => Fact::NamespaceLookedUp { terminating: choice == 2 },
    }
}
