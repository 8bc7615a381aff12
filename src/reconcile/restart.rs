//! A restart that somebody asked for: recorded before it is sent, sent once, and repeated only if it certainly had no effect.

use tokio::time::Instant;

use super::Context;
use super::act::changed;
use super::pass::Pass;
use super::translate::graph_trouble;
use crate::api::{RestartResult, RunState};
use crate::cluster::write;
use crate::graph::{Kind, Processed};
use crate::plan::requests::Answers;
use crate::plan::{Desired, Fact, World};

pub(super) async fn record(token: &str, world: &World, pass: &mut Pass, context: &Context) -> Fact {
    let answers = Answers::recording(token, world);
    match write::answers(&context.client, &pass.object, &answers).await {
        Ok(object) => {
            pass.wrote(object);
            pass.entry.restart_unsent = Some(token.to_owned());
            Fact::RestartRecorded { token: token.to_owned() }
        }
        Err(error) => changed(&error, "recording the restart", pass),
    }
}

pub(super) async fn send(
    id: &str,
    scope: Option<&str>,
    desired: &Desired,
    world: &World,
    pass: &mut Pass,
    context: &Context,
) -> Fact {
    let service_principal = desired.service_principal.as_str();
    pass.entry.restart_unsent = None;
    let answer = context.graph().restart_job(service_principal, id, scope, &|| context.may_send()).await;
    context.listings.changed(service_principal);
    let error = match answer {
        Ok(()) => {
            pass.entry.run = Some((RunState::Running, Instant::now()));
            let scope = scope.unwrap_or("of the portal");
            let message = format!("Restarted job '{id}' with the scope {scope}.");
            return Fact::RestartAnswered { result: RestartResult::Accepted, message };
        }
        Err(error) => error,
    };
    let trouble = graph_trouble(&error);
    match (error.processed, error.kind) {
        (Processed::Unknown, _) => Fact::RestartAnswered {
            result: RestartResult::Unknown,
            message: format!(
                "{} The job may or may not have been restarted. A restart is never repeated; look at the job, and ask again with a new value if need be.",
                trouble.told()
            ),
        },
        (Processed::No, Kind::Forbidden | Kind::Unauthorized | Kind::NotFound | Kind::Rejected) => {
            Fact::RestartAnswered { result: RestartResult::Refused, message: trouble.told() }
        }
        (Processed::No, _) => {
            let token = world.handled_restart.as_ref().map(|handled| handled.token.clone());
            pass.entry.restart_unsent = token;
            Fact::Trouble(trouble)
        }
    }
}
