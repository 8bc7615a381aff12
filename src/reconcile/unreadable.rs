//! SyncJobs that cannot be read. No pass is made over them; that they cannot be read is said on the object itself, and one
//! that is being deleted is let go only where that loses nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Context, observe};
use crate::api::{FINALIZER, MANAGER_REPORT, MANAGER_REQUESTS, Reason, SyncJob};
use crate::cluster::stored::{Stored, Unreadable};
use crate::cluster::watch::Stores;
use crate::cluster::{self, object};
use crate::plan::report::{End, report};
use crate::plan::{Memory, answers, requests, unreadable};

type Key = ObjectRef<SyncJob>;

/// How often what could not be written is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Reports what the watch tells, until it ends.
pub(super) async fn report_all(mut told: UnboundedReceiver<Unreadable>, context: Arc<Context>) {
    let mut unwritten: HashMap<Key, Unreadable> = HashMap::new();
    let mut logged: HashMap<Key, String> = HashMap::new();
    let mut ticks = tokio::time::interval(RETRY);
    loop {
        tokio::select! {
            biased;
            next = told.recv() => {
                let Some(object) = next else { return };
                let key = Key::from_obj(&object.stand_in());
                if logged.insert(key.clone(), object.fault.clone()).as_ref() != Some(&object.fault) {
                    log(&key, &object);
                }
                unwritten.insert(key, object);
            }
            _ = ticks.tick() => {
                let shown = context.stores.state();
                logged.retain(|key, _| shown.iter().any(|object| Key::from_obj(&**object) == *key));
            }
        }
        for (key, object) in std::mem::take(&mut unwritten) {
            if let Err(error) = handle(&object, &context).await {
                tracing::warn!(object = %key, %error, "status could not be written");
                unwritten.insert(key, object);
            }
        }
    }
}

fn log(key: &Key, object: &Unreadable) {
    let version = object.stand_in().resource_version();
    tracing::warn!(object = %key, version, fault = object.fault, "a SyncJob cannot be read; the others are worked on");
}

/// One write at most: each is shown by the watch, which leads to the next.
async fn handle(object: &Unreadable, context: &Context) -> Result<(), cluster::Error> {
    let stand_in = object.stand_in();
    let written = if is_free(object, &stand_in) {
        release(&stand_in, context).await
    } else {
        report_fault(object, &stand_in, context).await
    };
    match written {
        // The watch shows the version that the write was too late for.
        Err(cluster::Error::Changed | cluster::Error::Gone) => Ok(()),
        other => other,
    }
}

/// Whether it is being deleted and nothing is lost with it: it holds no job, or the job is to stay.
fn is_free(object: &Unreadable, stand_in: &SyncJob) -> bool {
    stand_in.metadata.deletion_timestamp.is_some()
        && stand_in.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
        && (object.holds_nothing() || object.retains())
}

async fn release(stand_in: &SyncJob, context: &Context) -> Result<(), cluster::Error> {
    object::release_unread::<SyncJob, Stored>(&context.client, stand_in, FINALIZER).await?;
    if let Some(id) = stand_in.status.as_ref().and_then(|status| status.identity.job_id.as_ref()) {
        let event = unreadable::retained(id);
        context.events.send(stand_in, event.warning, event.reason, event.action, &event.note);
    }
    Ok(())
}

async fn report_fault(unreadable: &Unreadable, stand_in: &SyncJob, context: &Context) -> Result<(), cluster::Error> {
    let old = stand_in.status.clone().unwrap_or_default();
    let now = context.clock.now();
    let world = observe::world(stand_in, None, None, &mut Memory::default(), &Stores::of(&[]), now);
    // First, because a report gives the object a history, and what came with it would be carried out once it can be read.
    let answers = answers(None, &world);
    if world.unseen && answers != requests::answers_of(&old) {
        return object::apply_unread::<SyncJob, Stored>(&context.client, stand_in, MANAGER_REQUESTS, &answers).await;
    }
    let verdict = unreadable::verdict(&unreadable.fault, world.deletion_requested && world.finalizer);
    let end = End { desired: None, world: &world, verdict: &verdict, done: &[] };
    let generation = stand_in.metadata.generation.unwrap_or_default();
    let report = report(&old.report, generation, &end, &context.settings, now.wall);
    let Some(status) = unreadable.with_conditions(report.observed_generation.unwrap_or(-1), &report.conditions) else {
        return Ok(());
    };
    object::apply_unread::<SyncJob, Stored>(&context.client, stand_in, MANAGER_REPORT, &status).await?;
    context.events.send(stand_in, true, Reason::InvalidSpec.name(), "Reconcile", &verdict.told());
    Ok(())
}
