//! Start, pause and restart (CONTRACT §3.6, §4.3).

use serde::Deserialize;
use serde_json::{Value, json};

use super::credentials;
use super::{catalog, gate, lifecycle};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::job::{Job, ScheduleState};
use crate::graph::model::settings::{Repeated, RestartNeverStarted, StartRunning, StartWithoutCredentials};

fn already(state: &str) -> Reply {
    Reply::error(409, "Conflict", &format!("The synchronization job is already {state}."))
}

pub fn start(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let (settings, now) = (call.settings(), call.now());
    let job = call.job()?.clone();
    let template = catalog::template(call.tenant()?, &job.template_id);
    let missing = credentials::missing(&template, &call.principal()?.secrets);
    if let (Some(trouble), StartWithoutCredentials::Refused) = (missing, settings.start_without_credentials) {
        return Err(Reply::error(400, &trouble.code, &trouble.message));
    }
    match settings.start_running {
        StartRunning::Refused if is_running(&job) => Err(already("started")),
        StartRunning::Stops if is_running(&job) => {
            changed(call, true, |job| lifecycle::stop(job, &settings, now), json!({"stopped": true}))
        }
        _ => changed(call, !is_running(&job), |job| lifecycle::start(job, &settings, now), Value::Null),
    }
}

/// Neither paused nor in quarantine.
fn is_running(job: &Job) -> bool {
    job.is_active() && job.now().quarantine.is_none() && !job.pausing
}

pub fn pause(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let (settings, now) = (call.settings(), call.now());
    let job = call.job()?.clone();
    let stopped = !job.is_active() || job.pausing;
    if stopped && settings.pause_paused == Repeated::Refused {
        return Err(already("paused"));
    }
    changed(call, !stopped, |job| lifecycle::pause(job, &settings, now), Value::Null)
}

fn changed(call: &mut Call<'_>, changes: bool, change: impl FnOnce(&mut Job), detail: Value) -> Answered {
    let job = call.job_again()?;
    if changes {
        change(job);
    }
    let job = job.clone();
    if changes {
        call.commit(Some(&job), detail);
    } else {
        call.commit_no_change(Some(&job), Value::Null);
    }
    Ok(Reply::no_content())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Restart {
    criteria: Option<Criteria>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Criteria {
    reset_scope: Option<String>,
}

/// What a restart forgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope(u32);

impl Scope {
    const FLAGS: [(&'static str, u32); 7] = [
        ("None", 0),
        ("ConnectorDataStore", 1),
        ("Escrows", 2),
        ("Watermark", 4),
        ("QuarantineState", 8),
        ("Full", 15),
        ("ForceDeletes", 32),
    ];

    /// What the portal's button does.
    const DEFAULT: Self = Self(2 | 4 | 8);

    /// Forgets nothing: a start.
    const NONE: Self = Self(0);

    /// One string of flags, with or without spaces, in any case; an empty one is the default.
    fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self::DEFAULT);
        }
        let flag =
            |name: &str| Self::FLAGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, bits)| bits);
        text.split(',').map(|name| flag(name.trim())).try_fold(0, |all, bits| Some(all | bits?)).map(Self)
    }

    pub fn has(self, name: &str) -> bool {
        Self::FLAGS.iter().any(|(known, bits)| *known == name && *bits != 0 && self.0 & bits == *bits)
    }
}

pub fn restart(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let asked = match call.json()? {
        Value::Null => None,
        _ => call.body::<Restart>()?.criteria.and_then(|criteria| criteria.reset_scope),
    };
    let text = asked.as_deref().unwrap_or_default();
    let scope =
        Scope::parse(text).ok_or_else(|| Reply::bad_request(&format!("The reset scope '{text}' is not known.")))?;
    // A restart brings the jobs of a restored service principal back at once.
    call.principal()?.restored = None;
    let (settings, now) = (call.settings(), call.now());
    let job = call.job()?.clone();
    let never = !job.now().started && job.now().schedule == ScheduleState::Disabled;
    if never && settings.restart_never_started == RestartNeverStarted::Refused {
        return Err(Reply::bad_request("The synchronization job was never started."));
    }
    let detail = json!({"resetScope": asked});
    if scope == Scope::NONE {
        return changed(call, !is_running(&job), |job| lifecycle::start(job, &settings, now), detail);
    }
    changed(call, true, |job| lifecycle::restart(job, &settings, scope, now), detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_one_string_of_flags() {
        let scope = Scope::parse("Watermark,escrows, QuarantineState").unwrap();
        assert_eq!(scope, Scope::DEFAULT);
        assert!(Scope::parse("Full").unwrap().has("ConnectorDataStore"));
        assert!(!scope.has("ForceDeletes") && !scope.has("Full") && !scope.has("None"));
        assert_eq!(Scope::parse("Watermark, Everything"), None);
        assert_eq!((Scope::parse(" "), Scope::parse("none")), (Some(Scope::DEFAULT), Some(Scope::NONE)));
    }
}
