//! A restart that somebody asked for: recorded before it is sent, sent once, and repeated only if it certainly had no effect.

use super::scene::{Learnt, Scene, unwritten};
use crate::api::{HandledRestart, MANAGER_REQUESTS, RestartResult, RunState, SyncJob};
use crate::cluster::object::Handle;
use crate::graph::{Kind, Processed};
use crate::plan::requests::recording;
use crate::plan::{Fact, Guard, Remember};
use crate::reconcile::trouble::graph_trouble;

pub(super) async fn record(token: &str, done: Fact, scene: &Scene<'_>, handle: &mut Handle<SyncJob>) -> Learnt {
    let answers = recording(token, &scene.world.answers);
    if scene.lacks(Guard::RestartRecord) {
        return Learnt::and(done, [Remember::RestartUnsent { token: token.to_owned() }]);
    }
    match handle.apply_status(MANAGER_REQUESTS, &answers).await {
        Ok(()) => Learnt::and(done, [Remember::RestartUnsent { token: token.to_owned() }]),
        Err(error) => unwritten(&error, "recording the restart").into(),
    }
}

pub(super) async fn send(id: &str, scope: Option<&str>, done: Fact, scene: &Scene<'_>) -> Learnt {
    let answer = scene.graph().restart_job(scene.service_principal(), id, scope, &|| scene.may_send()).await;
    scene.jobs_changed();
    let token = scene.world.answers.last_handled_restart.as_ref().map(|handled| handled.token.clone());
    let token = token.unwrap_or_default();
    let error = match answer {
        Ok(()) => return answered(scene, done, token, [Remember::RestartSent, Remember::RunAsked(RunState::Running)]),
        Err(error) => error,
    };
    let trouble = graph_trouble(&error);
    match (error.processed, error.kind) {
        (Processed::Unknown, _) => {
            let message = format!(
                "{} The job may or may not have been restarted. A restart is never repeated; look at the job, and ask again with a new value if need be.",
                trouble.detail_with_trace()
            );
            answered(
                scene,
                Fact::RestartAnswered { result: RestartResult::Unknown, message },
                token,
                [Remember::RestartSent],
            )
        }
        (Processed::No, Kind::Forbidden | Kind::Unauthorized | Kind::NotFound | Kind::Rejected) => {
            let refused =
                Fact::RestartAnswered { result: RestartResult::Refused, message: trouble.detail_with_trace() };
            answered(scene, refused, token, [Remember::RestartSent])
        }
        (Processed::No, _) => Learnt::and(Fact::Trouble(trouble), [Remember::RestartUnsent { token }]),
    }
}

/// The answer is kept until status says it.
fn answered<const N: usize>(scene: &Scene<'_>, fact: Fact, token: String, remember: [Remember; N]) -> Learnt {
    let mut learnt = Learnt::and(fact, remember);
    if let Fact::RestartAnswered { result, message } = &learnt.fact
        && !scene.lacks(Guard::AnswerKept)
    {
        let answer = HandledRestart { token, result: *result, message: message.clone() };
        learnt.remember.push(Remember::RestartAnswered(answer));
    }
    learnt
}
