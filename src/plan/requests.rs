//! What people ask for by annotation: each new token is acted on once, and answered in status. A restart discards
//! progress, so it is sent at most once: it is recorded before it leaves and never repeated.

use std::collections::BTreeMap;

use serde::Serialize;

use super::decide::Plan;
use super::desired::Desired;
use super::observed::ObservedJob;
use super::step::Step;
use super::world::World;
use crate::api::{
    HandledRestart, Mode, RECONCILE_REQUESTED_AT, RESTART_REQUESTED_AT, RESTART_SCOPE, Reason, RestartResult, RunState,
    SyncJobStatus,
};

/// The longest token that status can hold.
const TOKEN_CHARS_MAX: usize = 256;
/// The parts of Graph's `resetScope` that make sense when a person asks (`synchronizationJobRestartCriteria`).
const SCOPES: &[&str] = &["Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes"];

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Requests {
    pub reconcile: Option<String>,
    pub restart: Option<RestartRequest>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RestartRequest {
    pub token: String,
    /// As Graph wants it (`None`: the portal's restart), or what is wrong with it.
    pub scope: Result<Option<String>, String>,
}

impl Requests {
    pub fn parse(annotations: &BTreeMap<String, String>) -> Self {
        let token = |name| annotations.get(name).filter(|value| !value.is_empty()).map(|value| capped(value));
        Self {
            reconcile: token(RECONCILE_REQUESTED_AT),
            restart: token(RESTART_REQUESTED_AT)
                .map(|token| RestartRequest { token, scope: scope(annotations.get(RESTART_SCOPE)) }),
        }
    }
}

fn capped(text: &str) -> String {
    text.chars().take(TOKEN_CHARS_MAX).collect()
}

fn scope(text: Option<&String>) -> Result<Option<String>, String> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let parts: Result<Vec<&str>, String> = text
        .split(',')
        .map(|part| {
            let known = SCOPES.iter().find(|scope| scope.eq_ignore_ascii_case(part.trim()));
            known.copied().ok_or_else(|| {
                format!(
                    "`{RESTART_SCOPE}` must be a list of {}, separated by commas; '{}' is none of them.",
                    SCOPES.join(", "),
                    capped(part.trim())
                )
            })
        })
        .collect();
    parts.map(|parts| Some(parts.join(", ")))
}

/// The answers, as status keeps them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_restart: Option<HandledRestart>,
}

impl Answers {
    /// Whether status says all this already.
    pub fn are_in(&self, status: &SyncJobStatus) -> bool {
        self.last_handled_reconcile == status.last_handled_reconcile
            && self.last_handled_restart == status.last_handled_restart
    }
}

/// The answers at the end of a pass.
pub fn answers(desired: &Desired, world: &World) -> Answers {
    Answers {
        last_handled_reconcile: world.requests.reconcile.clone().or_else(|| world.handled_reconcile.clone()),
        last_handled_restart: restart_answer(desired, world).or_else(|| world.handled_restart.clone()),
    }
}

fn restart_answer(desired: &Desired, world: &World) -> Option<HandledRestart> {
    let request = world.requests.restart.as_ref()?;
    let handled = world.handled_restart.as_ref().filter(|handled| handled.token == request.token);
    let (result, message) = match handled {
        None => (RestartResult::Refused, refusal(request, desired, world)?),
        Some(handled) if handled.result == RestartResult::Requested && !world.restart_due => (
            RestartResult::Unknown,
            "The operator ended before the restart was answered, and a restart is never repeated. Look at the job; if it was not restarted, ask again with a new value.".to_owned(),
        ),
        Some(_) => return None,
    };
    Some(HandledRestart { token: request.token.clone(), result, message })
}

/// Why a restart is not sent, if that is certain.
fn refusal(request: &RestartRequest, desired: &Desired, world: &World) -> Option<String> {
    if let Err(reason) = &request.scope {
        return Some(reason.clone());
    }
    if desired.mode != Mode::Manage {
        return Some(format!(
            "In mode {:?} nothing is changed in Graph. Set `spec.mode` to Manage and ask again.",
            desired.mode
        ));
    }
    if desired.run_state == RunState::Paused {
        return Some(
            "The job is declared Paused, and a restart would start it. Set `spec.state` to Running and ask again."
                .to_owned(),
        );
    }
    if world.job_id.is_none() {
        return Some("There was no job yet that could be restarted.".to_owned());
    }
    None
}

/// The next step towards a restart that was asked for and may be sent.
pub(super) fn restart(job: &ObservedJob, desired: &Desired, world: &World) -> Option<Plan> {
    let request = world.requests.restart.as_ref()?;
    let scope = request.scope.clone().ok()?;
    let handled = world.handled_restart.as_ref().is_some_and(|handled| handled.token == request.token);
    let step = if !handled && refusal(request, desired, world).is_none() {
        Step::RecordRestart { token: request.token.clone() }
    } else if handled && world.restart_due {
        Step::RestartJob { id: job.id.clone(), scope }
    } else {
        return None;
    };
    Some(Plan::take(step, Reason::Starting, "Restarting the job, as requested."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Requests {
        Requests::parse(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_scope_is_spelt_as_graph_wants_it_or_refused_in_words() {
        let scope = |text| parse(&[(RESTART_REQUESTED_AT, "1"), (RESTART_SCOPE, text)]).restart.unwrap().scope;
        assert_eq!(scope("watermark,quarantinestate"), Ok(Some("Watermark, QuarantineState".to_owned())));
        assert_eq!(scope(" "), Ok(None));
        for wrong in ["None", "ConnectorDataStore", "Full;Escrows", "Full,"] {
            assert!(scope(wrong).unwrap_err().contains("must be a list of Escrows"), "{wrong}");
        }
    }

    #[test]
    fn an_empty_token_asks_for_nothing_and_a_long_one_is_cut() {
        assert_eq!(parse(&[(RESTART_REQUESTED_AT, ""), (RECONCILE_REQUESTED_AT, "")]), Requests::default());
        let long = "x".repeat(5000);
        assert_eq!(parse(&[(RECONCILE_REQUESTED_AT, &long)]).reconcile.unwrap().len(), TOKEN_CHARS_MAX);
    }
}
