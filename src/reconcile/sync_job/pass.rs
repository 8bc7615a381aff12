//! One pass over one SyncJob: observe; decide, carry out and learn; report.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use tokio::time::Instant;

use super::effect::{carry_out, without_login};
use super::scene::Scene;
use super::{observe, publish, record};
use crate::api::SyncJob;
use crate::cluster::object::Handle;
use crate::graph;
use crate::plan::report::End;
use crate::plan::{
    Change, Decider, Desired, Fact, Guard, Managed, Next, Outcome, Pass, Record, Refusals, Refused, Remember, Settings,
    Step, Trouble, Verdict, Wake, World,
};
use crate::reconcile::context::Context;
use crate::reconcile::ended::Ended;
use crate::reconcile::memory::Entry;
use crate::reconcile::tenants::{Age, Login};

/// No step begins later than this in a pass. The settle window is longer than the longest pass: this, and the longest step.
const STEPS_WITHIN: Duration = Duration::from_secs(60);

/// The steps of a pass and where they led.
type Course = (World, Verdict, Vec<(Step, Fact)>);

/// `turn` orders its calls among those of the tenant.
pub(in crate::reconcile) async fn run(object: Arc<SyncJob>, turn: graph::Turn, context: &Context) -> Ended {
    let Some(uid) = object.uid() else { return Ended::well(Wake::OnChange) };
    let mut entry = context.memories.take(&uid);
    let now = context.clock.now();
    let object = entry.freshest(object, now);
    let mut handle = Handle::new(context.client.clone(), object.clone());
    let desired = Desired::parse(&object.spec);
    let login = context.tenants.login(&object, Age::Recent).await;
    let login = login.map(|login| login.for_call_of(turn));
    let tenant = login.as_ref().ok().and_then(|login| login.client.known_tenant());
    let wish = desired.as_ref().ok();
    let world = observe::world(&object, wish, tenant.as_deref(), &mut entry.memory, &context.stores, now);
    let (world, verdict, done) = match &desired {
        Ok(desired) => manage(desired, world, &mut entry, &mut handle, login.as_ref(), context).await,
        Err(refusals) => refuse(refusals, world, &handle, context).await,
    };
    entry.vault.close();
    let end = End { desired: wish, world: &world, verdict: &verdict, done: &done };
    let gone = done.iter().any(|(_, fact)| fact.ends_the_object());
    let outcome = publish::publish(&end, gone, &mut entry.memory, &mut handle, context).await;
    if gone {
        return Ended::well(Wake::OnChange);
    }
    let now = context.clock.now();
    entry.memory.end(&world, &verdict, now);
    let ended = ended(&end, outcome, &mut entry, &context.settings);
    let written = !Arc::ptr_eq(handle.object(), &object);
    if written {
        entry.written = Some((handle.object().clone(), now.monotonic));
    }
    context.memories.put(&uid, entry);
    ended
}

/// What is not written yet waits no longer than a failure does.
fn ended(end: &End<'_>, outcome: publish::Outcome, entry: &mut Entry, settings: &Settings) -> Ended {
    let poll = end.desired.map_or(Duration::MAX, |desired| desired.poll_interval);
    let wake = entry.memory.wake(end.verdict, poll);
    let troubled = end.world.trouble.is_some() || end.world.refusal.is_some();
    match outcome {
        publish::Outcome::Written => Ended { failed: troubled, wake, freed: None },
        // Somebody else wrote at the same time, which is no failure.
        publish::Outcome::Overtaken => Ended { failed: troubled, wake: wake.sooner(Wake::backoff(0)), freed: None },
        publish::Outcome::Unwritten if settings.without.lacks(Guard::UnwrittenRetried) => {
            Ended { failed: troubled, wake, freed: None }
        }
        publish::Outcome::Unwritten => Ended::badly(wake.sooner(entry.memory.unwritten(end.verdict))),
    }
}

async fn manage(
    desired: &Desired,
    world: World,
    entry: &mut Entry,
    handle: &mut Handle<SyncJob>,
    login: Result<&Login, &Trouble>,
    context: &Context,
) -> Course {
    let began = Instant::now();
    let decided_on = handle.object().clone();
    let mut pass = Pass::new(Managed { desired, settings: &context.settings }, world);
    let mut intent_recorded = None;
    while let Next::Do(step) = pass.next_step() {
        if began.elapsed() > STEPS_WITHIN || !may_go_on(&step, (&decided_on, handle.object()), login, context).await {
            pass.interrupt();
            break;
        }
        let learnt = match login {
            Ok(login) => {
                let nonce = entry.memory.nonce().map(str::to_owned);
                let (world, decided_on) = (pass.world(), &*decided_on);
                let (vault, desk) = (&*entry.vault, &*entry.desk);
                let scene = Scene { desired, world, decided_on, nonce, intent_recorded, login, vault, desk, context };
                carry_out(&step, &scene, handle).await
            }
            Err(barred) => without_login(&step, barred, handle, context).await.into(),
        };
        for what in learnt.remember {
            if matches!(what, Remember::IntentRecorded { .. }) {
                intent_recorded = Some(Instant::now());
            }
            entry.memory.note(what, context.clock.now());
        }
        log(&step, &learnt.fact, &decided_on);
        pass.learn(learnt.fact);
    }
    report_circles(&pass, &decided_on);
    pass.into_parts()
}

/// All that may be left to do is to let the object go.
async fn refuse(refusals: &Refusals, world: World, handle: &Handle<SyncJob>, context: &Context) -> Course {
    let policy = handle.object().spec.deletion_policy;
    let mut pass = Pass::new(Refused { refusals, policy, settings: &context.settings }, world);
    while let Next::Do(leaving) = pass.next_step() {
        pass.learn(record::release(&leaving, handle, context).await);
    }
    report_circles(&pass, handle.object());
    let (world, verdict, done) = pass.into_parts();
    let step = |leaving| Step::Record(Record::RemoveFinalizer { leaving });
    (world, verdict.ended(), done.into_iter().map(|(leaving, fact)| (step(leaving), fact)).collect())
}

fn report_circles<D: Decider>(pass: &Pass<D>, object: &SyncJob) {
    if pass.goes_round_in_circles() {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        tracing::error!(namespace, name, "a pass takes more steps than any pass should");
    }
}

/// The fence before a step that changes something: besides `may_begin`, the login is still permitted, and the wish is still
/// the one that was decided on. An object that the watch does not show is gone, or not known well enough.
async fn may_go_on(
    step: &Step,
    (decided_on, written): (&SyncJob, &SyncJob),
    login: Result<&Login, &Trouble>,
    context: &Context,
) -> bool {
    if !may_begin(step, context.may_send(), *context.shutdown.borrow()) {
        return false;
    }
    if !step.begins_something() {
        return true;
    }
    // The answer to a write of ours can show an edit before the watch does.
    if written.metadata.generation > decided_on.metadata.generation {
        return false;
    }
    if let Ok(login) = login
        && !context.settings.without.lacks(Guard::TenantFence)
        && !context.tenants.still_permits(decided_on, login).await
    {
        return false;
    }
    let key = kube::runtime::reflector::ObjectRef::from_obj(decided_on);
    context.stores.get(&key).is_some_and(|current| {
        let (current, known) = (&current.metadata, &decided_on.metadata);
        current.uid == known.uid
            && current.generation <= known.generation
            && current.deletion_timestamp.is_some() == known.deletion_timestamp.is_some()
    })
}

/// The lease is held for long enough, and the operator is not stopping, unless the step carries out what was recorded.
/// What only records an effect that has happened always goes on.
fn may_begin(step: &Step, fence_is_open: bool, stopping: bool) -> bool {
    !step.begins_something() || fence_is_open && (!stopping || step.carries_out_a_record())
}

fn log(step: &Step, fact: &Fact, object: &SyncJob) {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let (failed, outcome) = (fact.is_failure(), fact.outcome());
    let outcome = &*outcome;
    match step {
        Step::Change(
            Change::CreateJob
            | Change::StartJob { .. }
            | Change::PauseJob { .. }
            | Change::RestartJob { .. }
            | Change::DeleteJob { .. }
            | Change::TestCredentials { .. }
            | Change::SaveSecrets { .. }
            | Change::RestartAfterChange { .. }
            | Change::SaveMappings { .. }
            | Change::ReleaseMappings { .. },
        ) => {
            let message = if failed { "could not write to Graph" } else { "wrote to Graph" };
            tracing::info!(namespace, name, ?step, outcome, "{message}");
        }
        Step::Look(_) | Step::Record(_) => tracing::debug!(namespace, name, ?step, outcome, "step"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_way_out_nothing_new_begins_and_what_was_recorded_is_carried_out() {
        let (record, create) = (Step::Record(Record::Intent { baseline: Vec::new() }), Step::Change(Change::CreateJob));
        let restart = Step::Change(Change::RestartJob { id: "x".to_owned(), scope: None });
        let (start, bind) = (
            Step::Change(Change::StartJob { id: "x".to_owned() }),
            Step::Record(Record::BindJob { id: "x".to_owned() }),
        );
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
