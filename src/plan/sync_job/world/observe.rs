//! The world as it is when a pass begins: what the object says, what this process remembers, and who else is there. Pure, so
//! that the searches run what the operator runs.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{IntentOrigin, IntentView, Rival, Rivals, RunView, Sibling, World};
use crate::api::{CONFIRM, CredentialsStatus, Identity, MappingsStatus, RestartResult, RunRecord, SyncJobStatus};
use crate::plan::common::now::Now;
use crate::plan::sync_job::mappings;
use crate::plan::sync_job::memory::{Begun, Memory, SeenIntent};
use crate::plan::sync_job::running::requests::{self, Requests};
use crate::plan::sync_job::secrets::{Saved, Tag, Tested, View, tags};

/// What the cluster shows of a SyncJob.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub status: Option<&'a SyncJobStatus>,
    pub deletion_requested: bool,
    /// Whether our finalizer is on it.
    pub finalizer: bool,
    pub annotations: &'a BTreeMap<String, String>,
    /// The tenant that calls for it go to, as far as that is known without asking.
    pub tenant: Option<&'a str>,
}

/// The other SyncJobs of the service principal that hold an intent or a job: those of the same template, and the rest.
pub type Others = (Vec<Rival>, Vec<Sibling>);

impl World {
    pub fn observe(shown: Shown<'_>, (rivals, siblings): Others, memory: &mut Memory, now: Now) -> Self {
        let status = shown.status;
        let identity = status.map(|status| status.identity.clone()).unwrap_or_default();
        let report = status.map(|status| status.report.clone()).unwrap_or_default();
        let since = |time: &Time| now.since_stored(time.0);
        memory.meet(shown.deletion_requested && identity.job_id.is_some(), now);
        let bound = identity.job_id.is_some();
        let seen = identity.intent.as_ref().map(|intent| memory.remember(&intent.nonce, now));
        let record_lost = memory.lost(&identity, now);
        let asked = Requests::parse(shown.annotations);
        let unsent = asked.restart.as_ref().is_some_and(|asked| memory.restart_unsent.as_ref() == Some(&asked.token));
        Self {
            deletion_requested: shown.deletion_requested,
            finalizer: shown.finalizer,
            intent: identity.intent.zip(seen.as_ref()).map(|(intent, seen)| IntentView {
                baseline: intent.baseline,
                adopt: intent.adopt_job_id,
                origin: if memory.unsent.contains(&seen.nonce) { IntentOrigin::Unsent } else { IntentOrigin::Unknown },
                age: now.since(seen.since),
            }),
            created: seen.and_then(|seen| seen.created),
            job_deleted: identity.job_id.is_some() && memory.deleted == identity.job_id,
            origin: identity.job_origin,
            record_lost,
            bound_for: identity.job_bound_time.as_ref().map_or(Duration::ZERO, since),
            tenant: shown.tenant.map(str::to_owned),
            recorded_tenant: identity.tenant_id,
            seen: status.is_some_and(was_seen),
            lived: report.job_lived_time.is_some(),
            missing_for: report.job_missing_since_time.as_ref().map(since),
            service_principal_lost: report.service_principal_lost_time.is_some(),
            job_id: identity.job_id,
            rivals: Rivals::Cached(rivals),
            siblings,
            absences: memory.absences,
            absent_for: memory.absent_since.map_or(Duration::ZERO, |at| now.since(at)),
            no_login_for: memory.no_login_since.map_or(Duration::ZERO, |at| now.since(at)),
            delete_unknown_for: memory.delete_unknown.map(|at| now.since(at)),
            run: run(status.and_then(|status| status.report.run.as_ref()), memory, now),
            requests: asked,
            answers: answers(status, memory),
            unseen: requests::unseen(status),
            restart_due: unsent,
            secrets: secrets(report.credentials, bound, memory, now),
            mappings: mappings(report.mappings, shown.annotations, memory, now),
            failures: memory.failures,
            failures_in_deletion: memory.failures_in_deletion,
            ..Self::unobserved()
        }
    }
}

impl Memory {
    /// An object that is being deleted when this process first meets it may have been worked on by another one, whose last
    /// request nobody knows.
    fn meet(&mut self, job_is_being_deleted: bool, now: Now) {
        if !self.met && job_is_being_deleted {
            self.delete_unknown = Some(now.monotonic);
        }
        self.met = true;
    }

    /// Since when this process knew a record that is not there any more.
    fn lost(&self, identity: &Identity, now: Now) -> Option<Duration> {
        let nothing_held = identity.job_id.is_none() && identity.intent.is_none();
        self.recorded.as_ref().filter(|_| nothing_held).map(|(_, since)| now.since(*since))
    }

    fn remember(&mut self, nonce: &str, now: Now) -> SeenIntent {
        let known = self.intent.take().filter(|seen| seen.nonce == nonce);
        let seen = known.unwrap_or_else(|| SeenIntent { nonce: nonce.to_owned(), since: now.monotonic, created: None });
        self.intent = Some(seen.clone());
        seen
    }
}

/// What status says of credentials and settings, and what this process knows better.
fn secrets(status: Option<CredentialsStatus>, bound: bool, memory: &Memory, now: Now) -> View {
    let met = status.is_some();
    let CredentialsStatus { keys, saved_time, test, scope_in_force, foreign_keys: _ } = status.unwrap_or_default();
    let unwritten = memory.saved.as_ref();
    let known = match unwritten {
        Some(saved) => tags(&saved.saved.credentials),
        None => keys.into_iter().map(|known| (known.key, Tag(known.fingerprint))).collect(),
    };
    let time = unwritten.map(|saved| saved.time.clone()).or(saved_time);
    View {
        inherited: bound && unwritten.is_none(),
        masked_before: memory.masked.iter().map(|(key, at)| (key.clone(), now.since(*at))).collect(),
        known,
        met,
        saved: unwritten.map(|saved| Saved { age: now.since(saved.at), ..saved.saved.clone() }),
        saved_time: time.map(|time| (time.clone(), now.since_stored(time.0))),
        tested: test.map(|test| Tested {
            result: test.result,
            code: test.code,
            fingerprint: Tag(test.fingerprint),
            age: now.since_stored(test.time.0),
        }),
        scope_in_force,
        restart_unclear: memory.begun == Some(Begun::Perhaps),
        begun: memory.begun == Some(Begun::Certainly),
        doubt: memory.save_in_doubt.map(|since| now.since(since)),
        ..View::default()
    }
}

/// What status says of the owned part of the schema, and what this process knows better.
fn mappings(
    status: Option<MappingsStatus>,
    annotations: &BTreeMap<String, String>,
    memory: &Memory,
    now: Now,
) -> mappings::View {
    let shown = status.clone().unwrap_or_default();
    let checked_at = shown.checked_time.map(|time| now.since_stored(time.0));
    let unwritten = memory.schema_saved.as_ref();
    let by_status = shown.saved_time.map(|time| (Some(time.clone()), now.since_stored(time.0)));
    mappings::View {
        status,
        checked: shown.checked_hash.zip(checked_at).filter(|_| unwritten.is_none()),
        recalled: memory.compared.as_ref().map(|(compared, at)| (compared.clone(), now.since(*at))),
        saved: unwritten.map(|saved| (Some(saved.time.clone()), now.since(saved.at))).or(by_status),
        revision: unwritten.map(|saved| saved.revision.clone()).or(shown.revision),
        without_effect: memory.schema_without_effect.clone(),
        confirmed: annotations.get(CONFIRM).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()),
        ..mappings::View::default()
    }
}

/// A request of this process that did not get into status yet; else what status says.
fn run(status: Option<&RunRecord>, memory: &Memory, now: Now) -> Option<RunView> {
    let unwritten = memory.run.map(|(state, at)| RunView { state, asked: Some(now.since(at)), reached: false });
    unwritten.or_else(|| {
        status.map(|run| RunView {
            state: run.state,
            asked: run.requested_time.as_ref().map(|time| now.since_stored(time.0)),
            reached: run.reached_time.is_some(),
        })
    })
}

/// This process knows the outcome of a restart before status shows it.
fn answers(status: Option<&SyncJobStatus>, memory: &Memory) -> crate::api::Answers {
    let mut answers = status.map(requests::answers_of).unwrap_or_default();
    if let (Some(handled), Some(answer)) = (&mut answers.last_handled_restart, &memory.answer)
        && handled.token == answer.token
        && handled.result == RestartResult::Requested
    {
        handled.clone_from(answer);
    }
    answers
}

/// Versions that did not record the tenant did not record this either; they showed only what a list had shown.
fn was_seen(status: &SyncJobStatus) -> bool {
    let (identity, report) = (&status.identity, &status.report);
    let shown = report.job.as_ref().map(|job| &job.id);
    let by_list = shown.is_some() && shown == identity.job_id.as_ref();
    report.job_seen_time.is_some() || identity.tenant_id.is_none() && by_list
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::plan::Remember;

    /// The first save of a process may be overtaken by one that another process sent before it.
    #[test]
    fn a_process_that_has_not_saved_the_set_of_a_job_that_was_there_does_not_know_what_is_under_way() {
        let now = Now { wall: Timestamp::UNIX_EPOCH, monotonic: Duration::ZERO };
        let saved = Remember::SecretsSaved {
            credentials: Vec::new(),
            settings: crate::plan::secrets::settings::Settings::default(),
            changes_settings: false,
            last_word: false,
        };
        for (bound, saves, inherited) in [(true, false, true), (true, true, false), (false, false, false)] {
            let mut memory = Memory::default();
            if saves {
                memory.note(saved.clone(), now);
            }
            let identity = Identity { job_id: bound.then(|| "scim.1".to_owned()), ..Identity::default() };
            let status = SyncJobStatus { identity, ..SyncJobStatus::default() };
            let annotations = BTreeMap::new();
            let shown = Shown {
                status: Some(&status),
                deletion_requested: false,
                finalizer: true,
                annotations: &annotations,
                tenant: None,
            };
            let world = World::observe(shown, Others::default(), &mut memory, now);
            assert_eq!(world.secrets.inherited, inherited, "bound {bound}, saves {saves}");
        }
    }
}
