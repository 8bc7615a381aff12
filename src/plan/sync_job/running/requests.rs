//! What people ask for by annotation, and what status says of it.

use std::collections::BTreeMap;

use crate::api::SyncJobStatus;
use crate::api::{Answers, HandledRestart, RECONCILE_REQUESTED_AT, RESTART_REQUESTED_AT, RESTART_SCOPE, RestartResult};
use crate::plan::sync_job::running::token::{self, capped};

pub use crate::plan::sync_job::running::token::RestartRequest;

/// The requests that an object carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Requests {
    pub reconcile: Option<String>,
    pub restart: Option<RestartRequest>,
}

impl Requests {
    pub fn parse(annotations: &BTreeMap<String, String>) -> Self {
        let value = |name| annotations.get(name).filter(|value| !value.is_empty());
        let apart = annotations.get(RESTART_SCOPE).map(String::as_str);
        let restart = value(RESTART_REQUESTED_AT).filter(|value| !value.trim().is_empty());
        Self {
            reconcile: value(RECONCILE_REQUESTED_AT).map(|value| capped(value)),
            restart: restart.map(|value| RestartRequest::parse(value, apart)),
        }
    }
}

/// Whether the operator never wrote down having seen the object: it is new, or was moved or restored without its status.
pub fn unseen(status: Option<&SyncJobStatus>) -> bool {
    status.is_none_or(|status| {
        status.report.observed_generation.unwrap_or(-1) < 0
            && status.answers.last_handled_reconcile.is_none()
            && status.answers.last_handled_restart.is_none()
            && status.answers.handled_restarts.is_empty()
    })
}

/// The restart tokens that were answered, the newest first. A status of an operator that kept only the last one has that.
pub fn handled(status: &SyncJobStatus) -> Vec<String> {
    let last = status.answers.last_handled_restart.as_ref().map(|last| &last.token);
    let missing = last.filter(|last| !status.answers.handled_restarts.contains(last));
    missing.into_iter().chain(&status.answers.handled_restarts).cloned().collect()
}

/// The answers as status keeps them, with the tokens that an older version did not list.
pub fn answers_of(status: &SyncJobStatus) -> Answers {
    Answers { handled_restarts: handled(status), ..status.answers.clone() }
}

/// What is known, and one more restart.
pub(in crate::plan) fn with(restart: HandledRestart, known: &Answers) -> Answers {
    Answers {
        last_handled_reconcile: known.last_handled_reconcile.clone(),
        handled_restarts: token::remembered(&known.handled_restarts, &restart.token),
        last_handled_restart: Some(restart),
    }
}

/// The record that comes before a restart is sent.
pub fn recording(token: &str, known: &Answers) -> Answers {
    let message = "The restart is about to be requested.".to_owned();
    with(HandledRestart { token: token.to_owned(), result: RestartResult::Requested, message }, known)
}
