//! One pass over one SyncJob: observe; decide, act and fold, a bounded number of times; report.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use tokio::time::Instant;

use super::memory::Entry;
use super::{Context, act, observe};
use crate::api::{Reason, SyncJob};
use crate::cluster::{self, write};
use crate::plan::report::{self, End};
use crate::plan::{
    Desired, Fact, Plan, Refusals, Standing, Step, Trouble, TroubleKind, Wake, World, decide, events, refused, requests,
};

/// More steps than the longest way through `decide` has; a pass that needs more goes round in circles.
const STEPS_MAX: usize = 16;

/// No step begins later than this in a pass. The settle window is longer than the longest pass: this, and the longest step.
const STEPS_WITHIN: Duration = Duration::from_secs(60);

/// The state of a pass.
pub(super) struct Pass {
    /// The object as it was read, or as our last write of this pass left it.
    pub object: Arc<SyncJob>,
    pub entry: Entry,
    /// When the intent of this pass was recorded; its request leaves shortly after, or not at all.
    pub intent_recorded: Option<Instant>,
}

/// How a pass ended.
pub(super) struct Ended {
    /// In trouble.
    pub failed: bool,
    pub wake: Wake,
}

pub(super) async fn run(object: Arc<SyncJob>, context: &Context) -> Ended {
    let Some(uid) = object.uid() else { return Ended { failed: false, wake: Wake::OnChange } };
    let entry = context.memory.take(&uid);
    let object = observe::freshest(object, &entry);
    let mut pass = Pass { object, entry, intent_recorded: None };
    let desired = Desired::parse(&pass.object.spec);
    let tenant = context.graph().known_tenant();
    let world =
        observe::world(&pass.object, desired.as_ref().ok(), tenant.as_deref(), &mut pass.entry, &context.stores);
    let (world, plan, done) = steps(&desired, world, &mut pass, context).await;
    let gone = done.iter().any(|(_, fact)| *fact == Fact::FinalizerRemoved);
    let on_record = tell(&desired, &world, &plan, &done, &mut pass, context).await;
    if gone {
        return Ended { failed: false, wake: Wake::OnChange };
    }
    remember(&world, &mut pass);
    context.memory.put(&uid, pass.entry);
    // An object that nothing is written on yet does not wait for its next poll.
    let wake = if on_record { plan.wake } else { Wake::After(context.settings.slow_retry) };
    Ended { failed: world.trouble.is_some() || world.refusal.is_some(), wake }
}

async fn steps(
    desired: &Result<Desired, Refusals>,
    mut world: World,
    pass: &mut Pass,
    context: &Context,
) -> (World, Plan, Vec<(Step, Fact)>) {
    let mut done = Vec::new();
    let began = Instant::now();
    loop {
        let plan = match desired {
            Ok(desired) => decide(desired, &world, &context.settings),
            Err(refusals) => refused(refusals, &world, pass.object.spec.deletion_policy, &context.settings),
        };
        let Some(step) = plan.step.clone() else { return (world, plan, done) };
        if done.len() == STEPS_MAX {
            return in_circles(world, plan, done);
        }
        if began.elapsed() > STEPS_WITHIN || !may_go_on(&step, pass, context) {
            return (world, cut_short(plan), done);
        }
        let fact = act::act(&step, desired.as_ref().ok(), &world, pass, context).await;
        log(&step, &fact, &pass.object);
        let over = matches!(fact, Fact::FinalizerRemoved);
        match (desired, &fact) {
            (Ok(desired), _) => world = world.with(fact.clone(), desired),
            (Err(_), Fact::Trouble(trouble)) => world.trouble = Some(trouble.clone()),
            (Err(_), _) => {}
        }
        done.push((step, fact));
        if over {
            return (world, Plan { step: None, ..plan }, done);
        }
    }
}

fn cut_short(plan: Plan) -> Plan {
    Plan { step: None, standing: Standing::Passing, reason: Reason::Interrupted, ..plan }
}

/// Always a defect, and waited out like a failure, so that it costs little.
fn in_circles(mut world: World, plan: Plan, done: Vec<(Step, Fact)>) -> (World, Plan, Vec<(Step, Fact)>) {
    tracing::error!(step = ?plan.step, "a pass takes more steps than any pass should");
    world.trouble = Some(Trouble {
        kind: TroubleKind::ObjectChanged,
        detail: "The pass took more steps than any pass should.".to_owned(),
        trace: None,
        retry_after: None,
    });
    let wake = Wake::backoff(world.failures);
    (world, Plan { wake, ..cut_short(plan) }, done)
}

/// The fence before a step that changes something: besides `may_begin`, the wish is still the one that was decided on.
fn may_go_on(step: &Step, pass: &Pass, context: &Context) -> bool {
    if !may_begin(step, context.fence.is_open(), *context.shutdown.borrow()) {
        return false;
    }
    if !step.begins_something() {
        return true;
    }
    let key = kube::runtime::reflector::ObjectRef::from_obj(&*pass.object);
    context.stores.get(&key).is_none_or(|current| {
        current.uid() == pass.object.uid()
            && (current.metadata.generation <= pass.object.metadata.generation)
            && (current.metadata.deletion_timestamp.is_some() == pass.object.metadata.deletion_timestamp.is_some())
    })
}

/// The lease is held for long enough, and the operator is not on its way out, unless the step carries out what was recorded.
/// What only records an effect that has happened always goes on.
fn may_begin(step: &Step, fence_is_open: bool, stopping: bool) -> bool {
    !step.begins_something() || fence_is_open && (!stopping || step.carries_out_a_record())
}

fn remember(world: &World, pass: &mut Pass) {
    pass.entry.failures =
        if world.trouble.is_some() || world.refusal.is_some() { world.failures.saturating_add(1) } else { 0 };
    pass.entry.absences = world.absences;
    match (world.absences, pass.entry.absent_since) {
        (0, _) => pass.entry.absent_since = None,
        (_, None) => pass.entry.absent_since = Some(Instant::now()),
        (_, Some(_)) => {}
    }
    if world.intent.is_none() {
        pass.entry.intent = None;
        // A write of an intent whose answer was lost may still show up.
        if world.trouble.is_none() {
            pass.entry.unsent.clear();
        }
    }
}

/// Writes status if it would say something new, and sends the events. `false` if a request that came with the object could
/// not be recorded, and nothing else was written therefore.
async fn tell(
    desired: &Result<Desired, Refusals>,
    world: &World,
    plan: &Plan,
    done: &[(Step, Fact)],
    pass: &mut Pass,
    context: &Context,
) -> bool {
    let old = pass.object.status.clone().unwrap_or_default();
    let gone = done.iter().any(|(_, fact)| *fact == Fact::FinalizerRemoved);
    let desired = desired.as_ref().ok();
    let report = (!gone).then(|| {
        let generation = pass.object.metadata.generation.unwrap_or_default();
        let end = End { desired, world, plan, done };
        report::report(&old, generation, &end, &context.settings, Timestamp::now())
    });
    let answers = (!gone).then(|| requests::answers(desired, world));
    for event in events(&old, plan, report.as_ref(), answers.as_ref(), done) {
        context.events.send(&pass.object, event.warning, event.reason, event.action, &event.note);
    }
    if let Some(answers) = answers.filter(|answers| !answers.are_in(&old)) {
        let written = write::answers(&context.client, &pass.object, &answers).await;
        // The report gives the object a history. A request that came with the object is on record before it has one, or
        // the next pass would carry it out.
        if !wrote(written, "requests answered", plan, pass) && world.unseen {
            return false;
        }
    }
    if let Some(report) = report.filter(|report| !report.is_said_by(&old)) {
        let written = write::report(&context.client, &pass.object, &report).await;
        if wrote(written, "status changed", plan, pass) {
            pass.entry.run = None;
        }
    }
    true
}

/// Whether a write of status was done.
fn wrote(written: Result<SyncJob, cluster::Error>, what: &str, plan: &Plan, pass: &mut Pass) -> bool {
    let (namespace, name) = (pass.object.namespace().unwrap_or_default(), pass.object.name_any());
    match written {
        Ok(object) => {
            tracing::info!(namespace, name, reason = plan.reason.name(), message = plan.told(), "{what}");
            pass.wrote(object);
            return true;
        }
        // Whoever changed the object woke us, or its deletion will: the next pass tells.
        Err(cluster::Error::Changed | cluster::Error::Gone) => pass.entry.written = None,
        Err(cluster::Error::Unavailable(error) | cluster::Error::Refused(error)) => {
            tracing::warn!(namespace, name, error, "status could not be written");
        }
    }
    false
}

fn log(step: &Step, fact: &Fact, object: &SyncJob) {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let failed = matches!(
        fact,
        Fact::Trouble(_)
            | Fact::NotFound
            | Fact::DeleteNotFound
            | Fact::DeleteUnknown(_)
            | Fact::CreateRefused(_)
            | Fact::CreateUnknown(_)
    );
    let outcome = match fact {
        Fact::JobCreated(job) => format!("created {}", job.id),
        Fact::Trouble(trouble) | Fact::CreateRefused(trouble) | Fact::CreateUnknown(trouble) => trouble.told(),
        Fact::RestartAnswered { message, .. } => message.clone(),
        Fact::NotFound | Fact::DeleteNotFound => "not found".to_owned(),
        Fact::DeleteUnknown(trouble) => trouble.told(),
        Fact::FinalizerAdded
        | Fact::FinalizerRemoved
        | Fact::TenantKnown { .. }
        | Fact::TenantRecorded
        | Fact::JobsListed(_)
        | Fact::JobsRecalled(_)
        | Fact::ServicePrincipalLookedUp { .. }
        | Fact::DefinitionLookedUp { .. }
        | Fact::TemplatesListed(_)
        | Fact::IntentRecorded { .. }
        | Fact::IntentCleared
        | Fact::AdoptionRecorded { .. }
        | Fact::JobAdopted { .. }
        | Fact::OriginRecorded { .. }
        | Fact::JobForgotten
        | Fact::RivalsRead { .. }
        | Fact::JobBound { .. }
        | Fact::BindLost { .. }
        | Fact::RunStateRequested
        | Fact::RestartRecorded { .. }
        | Fact::JobDeleted => "done".to_owned(),
    };
    if step.writes_to_graph() {
        let message = if failed { "could not write to Graph" } else { "wrote to Graph" };
        tracing::info!(namespace, name, ?step, outcome, "{message}");
    } else {
        tracing::debug!(namespace, name, ?step, outcome, "step");
    }
}

impl Pass {
    /// Notes an object as one of our writes left it.
    pub fn wrote(&mut self, object: SyncJob) {
        let object = Arc::new(object);
        self.object = object.clone();
        self.entry.written = Some(object);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_way_out_nothing_new_begins_and_what_was_recorded_is_carried_out() {
        let (record, create) = (Step::RecordIntent { baseline: Vec::new() }, Step::CreateJob);
        let restart = Step::RestartJob { id: "x".to_owned(), scope: None };
        let (start, bind) = (Step::StartJob { id: "x".to_owned() }, Step::BindJob { id: "x".to_owned() });
        for (step, while_stopping) in
            [(&record, false), (&start, false), (&create, true), (&restart, true), (&bind, true)]
        {
            assert_eq!(may_begin(step, true, true), while_stopping, "{step:?}");
            assert!(may_begin(step, true, false), "{step:?}");
        }
        for step in [&record, &create, &restart, &start] {
            assert!(!may_begin(step, false, false), "{step:?} behind a closed fence");
        }
        assert!(may_begin(&bind, false, true), "what has happened is recorded");
    }
}
