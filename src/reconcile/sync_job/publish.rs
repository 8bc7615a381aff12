//! The end of a pass, published: status where it would say something new, and Events.

use kube::ResourceExt;

use crate::api::{Answers, MANAGER_REPORT, MANAGER_REQUESTS, SyncJob};
use crate::cluster;
use crate::cluster::object::Handle;
use crate::plan::report::{End, can_wait, report};
use crate::plan::{Memory, Verdict, answers, events, requests};
use crate::reconcile::context::Context;

/// Whether status says what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Written,
    /// The object changed or went; the watch shows it.
    Overtaken,
    Unwritten,
}

/// Writes status and sends the Events of a pass. A restart that was asked for when the object came is put on record before
/// anything else: the report gives the object a history, and the next pass would carry the restart out.
pub(super) async fn publish(
    end: &End<'_>,
    gone: bool,
    memory: &mut Memory,
    handle: &mut Handle<SyncJob>,
    context: &Context,
) -> Outcome {
    let object = handle.object().clone();
    let old = object.status.clone().unwrap_or_default();
    if gone {
        let last = events(&old, end.verdict, None, None, end.done);
        send(&last, &object, context);
        if end.done.iter().any(|(_, fact)| fact.leaves_without_login()) {
            let namespace = object.namespace().unwrap_or_default();
            for event in &last {
                context.events.send_about_namespace(&namespace, event.warning, event.reason, event.action, &event.note);
            }
        }
        return Outcome::Written;
    }
    let generation = object.metadata.generation.unwrap_or_default();
    let report = report(&old.report, generation, end, &context.settings, context.clock.now().wall);
    let answers = answers(end.desired, end.world);
    send(&events(&old, end.verdict, Some(&report), Some(&answers), end.done), &object, context);
    let known = requests::answers_of(&old);
    // A look that somebody asked for is acknowledged when status shows what it came to.
    let before = Answers { last_handled_reconcile: known.last_handled_reconcile.clone(), ..answers.clone() };
    let mut outcome = Outcome::Written;
    if before != known {
        outcome = answered(&before, end, &object, memory, handle).await;
    }
    if outcome == Outcome::Written && !report.says(&old.report) && !can_wait(&old.report, &report, end.verdict) {
        let written = handle.describe(MANAGER_REPORT, &report).await;
        outcome = outcome_of(written, "status changed", end.verdict, &object);
        if outcome == Outcome::Written {
            memory.report_written();
        }
    }
    if outcome == Outcome::Written && answers != before {
        outcome = answered(&answers, end, &object, memory, handle).await;
    }
    outcome
}

async fn answered(
    answers: &Answers,
    end: &End<'_>,
    object: &SyncJob,
    memory: &mut Memory,
    handle: &mut Handle<SyncJob>,
) -> Outcome {
    let written = handle.describe(MANAGER_REQUESTS, answers).await;
    let outcome = outcome_of(written, "requests answered", end.verdict, object);
    if outcome == Outcome::Written {
        memory.answers_written();
    }
    outcome
}

fn send(events: &[crate::plan::Event], object: &SyncJob, context: &Context) {
    for event in events {
        context.events.send(object, event.warning, event.reason, event.action, &event.note);
    }
}

fn outcome_of(written: Result<(), cluster::Error>, what: &str, verdict: &Verdict, object: &SyncJob) -> Outcome {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    match written {
        Ok(()) => {
            tracing::info!(
                namespace,
                name,
                reason = verdict.reason.name(),
                message = verdict.message_with_trace(),
                "{what}"
            );
            Outcome::Written
        }
        Err(cluster::Error::Changed | cluster::Error::Gone) => Outcome::Overtaken,
        Err(cluster::Error::Unavailable(error) | cluster::Error::Refused(error)) => {
            tracing::warn!(namespace, name, error, "status could not be written");
            Outcome::Unwritten
        }
    }
}
