//! One pass over one SyncJob: observe; decide, act and fold, a bounded number of times; report.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use tokio::time::Instant;

use super::memory::Entry;
use super::{Context, act, observe};
use crate::api::SyncJob;
use crate::cluster::{self, write};
use crate::plan::report::{self, Report};
use crate::plan::{Desired, Fact, Plan, Refusals, Standing, Step, Wake, World, decide, refused};

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

pub(super) async fn run(object: Arc<SyncJob>, context: &Context) -> Wake {
    let Some(uid) = object.uid() else { return Wake::OnChange };
    let entry = context.memory.take(&uid);
    let object = observe::freshest(object, &entry);
    let mut pass = Pass { object, entry, intent_recorded: None };
    let desired = Desired::parse(&pass.object.spec);
    let world = observe::world(&pass.object, desired.as_ref().ok(), &mut pass.entry, &context.store);
    let (world, plan, done) = steps(&desired, world, &mut pass, context).await;
    let gone = done.iter().any(|(_, fact)| *fact == Fact::FinalizerRemoved);
    tell(&desired, &world, &plan, &done, &mut pass, context).await;
    if gone {
        return Wake::OnChange;
    }
    remember(&world, &mut pass);
    context.memory.put(&uid, pass.entry);
    plan.wake
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
            Err(refusals) => refused(refusals, &world, pass.object.spec.effective_deletion_policy()),
        };
        let Some(step) = plan.step.clone() else { return (world, plan, done) };
        if done.len() == STEPS_MAX || began.elapsed() > STEPS_WITHIN || !may_go_on(&step, pass, context) {
            let plan =
                Plan { step: None, standing: Standing::Passing, reason: crate::api::Reason::Interrupted, ..plan };
            return (world, plan, done);
        }
        let fact = act::act(&step, desired.as_ref().ok(), &world, pass, context).await;
        log(&step, &fact, &pass.object);
        if let Ok(desired) = desired {
            world = world.with(fact.clone(), desired);
        }
        let over = matches!(fact, Fact::FinalizerRemoved);
        done.push((step, fact));
        if over || desired.is_err() {
            return (world, Plan { step: None, ..plan }, done);
        }
    }
}

/// The fence before a step that changes something: the wish is still the one that was decided on, and the operator is
/// not on its way out. What only records an effect that has happened always goes on.
fn may_go_on(step: &Step, pass: &Pass, context: &Context) -> bool {
    let begins_something = step.writes_to_graph() && !matches!(step, Step::DeleteSurplus { .. })
        || matches!(step, Step::RecordIntent { .. });
    if !begins_something {
        return true;
    }
    if *context.shutdown.borrow() {
        return false;
    }
    let key = kube::runtime::reflector::ObjectRef::from_obj(&*pass.object);
    context.store.get(&key).is_none_or(|current| {
        current.uid() == pass.object.uid()
            && (current.metadata.generation <= pass.object.metadata.generation)
            && (current.metadata.deletion_timestamp.is_some() == pass.object.metadata.deletion_timestamp.is_some())
    })
}

fn remember(world: &World, pass: &mut Pass) {
    pass.entry.failures =
        if world.trouble.is_some() || world.refusal.is_some() { world.failures.saturating_add(1) } else { 0 };
    pass.entry.absences = world.absences;
    if world.intent.is_none() && world.surplus.is_none() {
        pass.entry.intent = None;
        // A write of an intent whose answer was lost may still show up.
        if world.trouble.is_none() {
            pass.entry.unsent.clear();
        }
    }
}

/// Writes status if it would say something new, and sends the events.
async fn tell(
    desired: &Result<Desired, Refusals>,
    world: &World,
    plan: &Plan,
    done: &[(Step, Fact)],
    pass: &mut Pass,
    context: &Context,
) {
    let old = pass.object.status.clone().unwrap_or_default();
    for event in report::events(&old, plan, done) {
        context.events.send(&pass.object, event.warning, event.reason, event.action, &event.note);
    }
    if done.iter().any(|(_, fact)| *fact == Fact::FinalizerRemoved) {
        return;
    }
    let generation = pass.object.metadata.generation.unwrap_or_default();
    let report =
        report::report(&old, generation, desired.as_ref().ok(), world, plan, &context.settings, Timestamp::now());
    if report.is_said_by(&old) {
        return;
    }
    publish(&report, plan, pass, context).await;
}

async fn publish(report: &Report, plan: &Plan, pass: &mut Pass, context: &Context) {
    let (namespace, name) = (pass.object.namespace().unwrap_or_default(), pass.object.name_any());
    match write::report(&context.client, &pass.object, report).await {
        Ok(object) => {
            tracing::info!(namespace, name, reason = plan.reason.name(), message = plan.message, "status changed");
            pass.wrote(object);
        }
        // Whoever changed the object woke us, or its deletion will: the next pass tells.
        Err(cluster::Error::Changed | cluster::Error::Gone) => pass.entry.written = None,
        Err(cluster::Error::Unavailable(error)) => {
            tracing::warn!(namespace, name, error, "status could not be written");
        }
    }
}

fn log(step: &Step, fact: &Fact, object: &SyncJob) {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    if step.writes_to_graph() {
        tracing::info!(namespace, name, ?step, ?fact, "wrote to Graph");
    } else {
        tracing::debug!(namespace, name, ?step, ?fact, "step");
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
