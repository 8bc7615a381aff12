//! What must never happen: S1 to S7.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::api::{Change, Version};
use super::super::graph::{Did, Job, Scheduled};
use super::{Evidence, Violation, nonce, principal, retains};
use entrain::plan::settings::CORRECTION_SPACING;

/// All that a canary begins with.
const CANARY: &str = "canary-";

/// Reasons for which a job is not started.
const OF_CREDENTIALS: [&str; 9] = [
    "SecretNotFound",
    "SecretKeyMissing",
    "SecretInvalid",
    "CredentialsConflict",
    "CredentialsIncomplete",
    "CredentialsNotKept",
    "CredentialsRejectedByTarget",
    "CredentialsUntested",
    "RequestRefused",
];

/// The same of mappings.
const OF_MAPPINGS: [&str; 8] = [
    "MappingInvalid",
    "MappingAmbiguous",
    "RuleReadOnly",
    "MappingTestFailed",
    "MappingsRefused",
    "MappingsPending",
    "MappingsChangedOutOfBand",
    "RiskyChange",
];

/// S1: of one template and service principal never more than one job of ours runs.
pub fn one_started_job(evidence: &Evidence, found: &mut Vec<Violation>) {
    let mut running: BTreeMap<usize, bool> = BTreeMap::new();
    // A job whose record somebody took away cannot be told from somebody else's while lists lag.
    let taken = |job: usize| evidence.record_was_taken(&evidence.jobs[job]);
    for effect in evidence.ledger.effects.iter().filter(|effect| !taken(effect.job)) {
        match effect.did {
            Did::Created if effect.by.is_operator() => drop(running.insert(effect.job, false)),
            Did::Started | Did::Restarted if effect.by.is_operator() || running.contains_key(&effect.job) => {
                running.insert(effect.job, true);
            }
            Did::Paused => drop(running.get_mut(&effect.job).map(|is| *is = false)),
            Did::Deleted | Did::Replaced => drop(running.remove(&effect.job)),
            Did::Created | Did::Started | Did::Restarted => {}
        }
        let key = |job: usize| (evidence.jobs[job].principal, evidence.jobs[job].template.to_ascii_lowercase());
        let alike = running.iter().filter(|(job, is)| **is && key(**job) == key(effect.job)).count();
        if alike > 1 && running.get(&effect.job) == Some(&true) {
            let what = format!("{alike} jobs of {:?} run", key(effect.job));
            found.push(Violation { rule: "S1", at: effect.at, what });
        }
    }
}

/// S1 and S2 once all is quiet: one job of ours for each template and service principal, and every job of ours has a SyncJob.
pub fn one_job_and_no_leak(evidence: &Evidence, found: &mut Vec<Violation>) {
    let known = |job: &&Job| job.is_there() && job.by.is_operator() && !evidence.record_was_taken(job);
    let ours: Vec<&Job> = evidence.jobs.iter().filter(known).collect();
    for (index, job) in ours.iter().enumerate() {
        let alike =
            |other: &&&Job| other.principal == job.principal && other.template.eq_ignore_ascii_case(&job.template);
        if ours[..index].iter().any(|other| alike(&other)) {
            found.push(Violation { rule: "S1", at: evidence.end, what: format!("a second job {} is left", job.id) });
        }
        let held = evidence.objects.iter().any(|object| evidence.records(object, job));
        let exists = evidence.principals[job.principal].exists;
        if !held && exists && !may_be_left(evidence, job) {
            found.push(Violation { rule: "S2", at: evidence.end, what: format!("nobody holds {}", job.id) });
        }
    }
}

/// Whether a job of ours may stay although no SyncJob holds it.
fn may_be_left(evidence: &Evidence, job: &Job) -> bool {
    let named = |object: &Version| evidence.records(object, job) || nonce(object) == Some(&*job.request);
    let let_go = evidence
        .history
        .iter()
        .any(|write| write.change == Change::Deleted && named(&write.after) && retains(&write.after));
    let reported =
        evidence.history.iter().any(|write| named(&write.after) && evidence.left_behind.contains(&write.after.uid));
    // What people do to a job under the same id, or to its record, takes it out of our hands.
    let others =
        evidence.ledger.effects.iter().any(|effect| {
            !effect.by.is_operator() && evidence.jobs[effect.job].id == job.id && effect.did == Did::Deleted
        });
    // What became of an intent is not looked into while nothing is to be done.
    let suspended = evidence
        .objects
        .iter()
        .any(|object| nonce(object) == Some(&*job.request) && object.spec("mode") == Some("Suspended"));
    let_go
        || reported
        || suspended
        || job.ghost
        || others
        || evidence.definition_going
        || evidence.record_was_taken(job)
}

/// S3: nothing is deleted, stopped or restarted that we did not make or were not to adopt, or that another SyncJob holds.
pub fn nothing_of_others_is_touched(evidence: &Evidence, found: &mut Vec<Violation>) {
    for effect in evidence.ledger.effects.iter().filter(|effect| effect.by.is_operator() && effect.did != Did::Created)
    {
        let job = &evidence.jobs[effect.job];
        let call = evidence.ledger.calls.iter().find(|call| call.request == effect.request && call.by == effect.by);
        let sent = call.map_or(effect.at, |call| call.at);
        let before = evidence.objects_at(sent);
        let held = before.iter().any(|object| evidence.records(object, job));
        let made = job.by.is_operator() && before.iter().any(|object| nonce(object) == Some(&*job.request));
        // A person took the record away, and the watch of the operator lags.
        let taken = job.by.is_operator() && effect.did != Did::Deleted && evidence.record_was_taken(job);
        if !held && !made && !taken && effect.did != Did::Replaced {
            let what = format!("{:?} of {}, which no SyncJob held", effect.did, job.id);
            found.push(Violation { rule: "S3", at: effect.at, what });
        }
        let ends = matches!(effect.did, Did::Deleted | Did::Replaced);
        let now = evidence.objects_at(effect.at);
        if let (true, Some(holder)) =
            (ends, now.iter().find(|object| evidence.records(object, job) && !object.is_deleting()))
        {
            // The holder itself may give its job up, but not by deleting it.
            let what = format!("{:?} of {}, which {:?} holds", effect.did, job.id, holder.key);
            found.push(Violation { rule: "S3", at: effect.at, what });
        }
    }
    for write in evidence.history.iter().filter(|write| write.by.is_operator()) {
        adopted_as_permitted(evidence, write.before.as_ref(), &write.after, write.at, found);
    }
}

fn adopted_as_permitted(
    evidence: &Evidence,
    before: Option<&Arc<Version>>,
    after: &Version,
    at: std::time::Duration,
    found: &mut Vec<Violation>,
) {
    let recorded = after.status("jobId");
    if recorded.is_none() || before.as_ref().is_some_and(|before| before.status("jobId") == recorded) {
        return;
    }
    let mut jobs = evidence.jobs.iter().rev();
    let there = |job: &&Job| evidence.records(after, job) && job.created <= at && job.gone.is_none_or(|gone| gone > at);
    let Some(job) = jobs.find(there) else { return };
    let policy = after.value["spec"]["adoption"]["policy"].as_str().unwrap_or("Never");
    if !job.by.is_operator() && !matches!(policy, "IfExists" | "Only") {
        let what = format!("{:?} recorded {}, which somebody else made", after.key, job.id);
        found.push(Violation { rule: "S3", at, what });
    }
}

/// S4: a recorded id is never exchanged for another, and is given up only for a job that is gone, or with an event.
pub fn ids_change_by_steps(evidence: &Evidence, found: &mut Vec<Violation>) {
    for write in evidence.history.iter().filter(|write| write.by.is_operator() && write.change == Change::Modified) {
        let Some(before) = &write.before else { continue };
        let Some(old) = before.status("jobId") else { continue };
        let new = write.after.status("jobId");
        let at = write.at;
        if new.is_some_and(|new| new != old) {
            found.push(Violation { rule: "S4", at, what: format!("{:?}: {old} became {new:?}", before.key) });
        }
        let shown =
            |job: &&Job| evidence.records(before, job) && job.created <= at && job.gone.is_none_or(|gone| gone > at);
        let evented = evidence.events.iter().any(|(_, _, event)| event["regarding"]["uid"] == *before.uid);
        if new.is_none() && evidence.jobs.iter().any(|job| shown(&job)) && !evented {
            found.push(Violation { rule: "S4", at, what: format!("{:?} gave {old} up in silence", before.key) });
        }
    }
}

/// S5: no secret, token or body of an error in what is written.
pub fn nothing_secret_is_written(evidence: &Evidence, found: &mut Vec<Violation>) {
    for write in evidence.history.iter().filter(|write| write.by.is_operator()) {
        if std::str::from_utf8(&write.after.json).is_ok_and(|text| text.contains(CANARY)) {
            found.push(Violation { rule: "S5", at: write.at, what: format!("{:?} holds a canary", write.after.key) });
        }
    }
    for (at, _, event) in evidence.events.iter().filter(|(_, by, _)| by.is_operator()) {
        if event.to_string().contains(CANARY) {
            found.push(Violation { rule: "S5", at: *at, what: "an event holds a canary".to_owned() });
        }
    }
}

/// S6: no operator asks for a service principal that no SyncJob named by then.
pub fn only_declared_principals_are_asked(evidence: &Evidence, found: &mut Vec<Violation>) {
    for call in evidence.ledger.calls.iter().filter(|call| call.by.is_operator() && !call.principal.is_empty()) {
        let named = evidence.history.iter().take_while(|write| write.at <= call.at);
        if !named.into_iter().any(|write| principal(&write.after).eq_ignore_ascii_case(&call.principal)) {
            let what = format!("{:?} at {}, which no SyncJob names", call.operation, call.principal);
            found.push(Violation { rule: "S6", at: call.at, what });
        }
    }
}

/// S7: before an operator lets an object go, its job is gone, retained, or another SyncJob's; and no request of it makes one
/// later.
pub fn jobs_go_before_their_finalizer(evidence: &Evidence, found: &mut Vec<Violation>) {
    let released = |change, by: super::By| change == Change::Deleted && by.is_operator();
    for write in evidence.history.iter().filter(|write| released(write.change, write.by)) {
        let (object, at) = (&write.after, write.at);
        if retains(object) || evidence.definition_going || evidence.left_behind.contains(&object.uid) {
            continue;
        }
        let versions = evidence.history.iter().filter(|other| other.after.uid == object.uid && other.at <= at);
        let nonces: Vec<&str> = versions.filter_map(|other| nonce(&other.after)).collect();
        let left = evidence.jobs.iter().filter(|job| {
            let own = evidence.records(object, job) && job.created <= at || nonces.contains(&&*job.request);
            let exists = evidence.principals[job.principal].exists;
            own && exists && !job.ghost && job.gone.is_none_or(|gone| gone > at)
        });
        for job in left {
            let elsewhere = |object: &Version, uid: &str| evidence.records(object, job) && object.uid != uid;
            let now = evidence.objects_at(at.max(job.created));
            let later = evidence.objects.iter();
            if !now.into_iter().chain(later).any(|other| elsewhere(other, &object.uid))
                && !evidence.record_was_taken(job)
            {
                found.push(Violation { rule: "S7", at, what: format!("{:?} is gone and left {}", object.key, job.id) });
            }
        }
    }
}

/// Whether a job runs as its holder declares, as far as nobody else had a hand in it.
pub fn runs_as_declared(evidence: &Evidence, number: usize, holder: &Version) -> bool {
    let (job, effects) = (&evidence.jobs[number], &evidence.ledger.effects);
    let last = |operators: bool| {
        let of = effects.iter().rev().filter(|effect| effect.job == number && effect.by.is_operator() == operators);
        of.map(|effect| effect.at).next()
    };
    let others = last(false).is_some();
    // A storage that was restored has lost who asked for what.
    let restored = evidence.history.iter().any(|write| {
        let older = write.before.as_ref().is_some_and(|before| before.number > write.after.number);
        older && write.after.uid == holder.uid
    });
    // What somebody else changed is brought back once an hour at most.
    let just_corrected = last(true).is_some_and(|at| at + CORRECTION_SPACING > evidence.end);
    let (state, wanted) = (job.now(), holder.spec("state").unwrap_or("Running"));
    let excused = others && (just_corrected || holder.spec("outOfBandPolicy") != Some("Correct"))
        || state.escrows_pruned
        || state.quarantine
        || restored
        || state.scheduled == Scheduled::Disabled && waits_for_its_set(holder)
        || stands_next_to_anothers(evidence, job);
    excused || (state.scheduled == Scheduled::Active) == (wanted == "Running")
}

/// Whether a SyncJob reports that its credentials, settings or mappings are not in place; that this is so is judged elsewhere.
pub fn waits_for_its_set(holder: &Version) -> bool {
    let conditions = holder.value["status"]["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|one| one["type"] == "Ready" && one["status"] == "False");
    let known = |reason: &str| OF_CREDENTIALS.contains(&reason) || OF_MAPPINGS.contains(&reason);
    ready.any(|one| one["reason"].as_str().is_some_and(known))
}

/// A job that never ran is not started next to one that somebody else made, or whose record somebody took away.
fn stands_next_to_anothers(evidence: &Evidence, job: &Job) -> bool {
    evidence.jobs.iter().any(|other| {
        let alike = other.principal == job.principal && other.template.eq_ignore_ascii_case(&job.template);
        let anothers = !other.by.is_operator() || evidence.record_was_taken(other);
        alike && other.is_there() && anothers && job.now().scheduled == Scheduled::Disabled
    })
}
