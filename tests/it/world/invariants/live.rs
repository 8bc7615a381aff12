//! What must happen in the end, and how much it may cost: L1 to L4 and what belongs to them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::By;
use super::super::api::{Change, Version, Write};
use super::super::graph::{Call, Did, Job, LAG_MAX, Operation};
use super::safe::runs_as_declared;
use super::{Evidence, Violation, principal};

/// From a read to the arrival of the request that it allowed, where nothing is wrong.
const UNDER_WAY: Duration = Duration::from_secs(2);
const HOUR: Duration = Duration::from_secs(3600);

/// L1: what is declared is there, once, and runs as declared; what was deleted is gone.
pub fn all_is_as_declared(evidence: &Evidence, found: &mut Vec<Violation>) {
    if evidence.end < evidence.calm + evidence.bounds.converge {
        return;
    }
    let at = evidence.end;
    let mut groups: BTreeMap<(String, String), Vec<&Version>> = BTreeMap::new();
    for object in &evidence.objects {
        if object.is_deleting() {
            if !is_stuck_for_a_reason(evidence, object) {
                found.push(Violation {
                    rule: "L1",
                    at,
                    what: format!("the deletion of {:?} does not end", object.key),
                });
            }
        } else if matches!(object.spec("mode"), None | Some("Manage")) {
            let template = object.spec("templateId").unwrap_or_default().to_ascii_lowercase();
            groups.entry((principal(object).to_ascii_lowercase(), template)).or_default().push(object);
        }
    }
    for ((principal, template), objects) in groups {
        if let Some(what) = undeclared(evidence, &principal, &template, &objects) {
            found.push(Violation { rule: "L1", at, what: format!("{template} of {principal}: {what}") });
        }
    }
}

/// A ghost cannot be deleted.
fn is_stuck_for_a_reason(evidence: &Evidence, object: &Version) -> bool {
    evidence.jobs.iter().any(|job| job.ghost && job.is_there() && evidence.same_principal(object, job))
}

fn undeclared(evidence: &Evidence, principal: &str, template: &str, objects: &[&Version]) -> Option<String> {
    let known = |offered: &String| offered.eq_ignore_ascii_case(template);
    let of = evidence.principals.iter().position(|known| known.exists && known.id.eq_ignore_ascii_case(principal))?;
    if !evidence.principals[of].templates.iter().any(known) {
        return None;
    }
    let there = evidence.jobs.iter().enumerate();
    let alike = |job: &Job| job.principal == of && job.is_there() && job.template.eq_ignore_ascii_case(template);
    let jobs: Vec<(usize, &Job)> = there.filter(|(_, job)| alike(job)).collect();
    let holders = |job: &Job| objects.iter().filter(|object| evidence.records(object, job)).count();
    match jobs.iter().find(|(_, job)| holders(job) > 0) {
        Some((_, job)) if holders(job) > 1 => Some(format!("{} has {} holders", job.id, holders(job))),
        Some((number, job)) => {
            let holder = objects.iter().find(|object| evidence.records(object, job))?;
            (!runs_as_declared(evidence, *number, holder)).then(|| format!("{} does not run as declared", job.id))
        }
        // Somebody's job is in the way, or one whose record was taken away: a person decides.
        None if jobs.iter().any(|(_, job)| !job.by.is_operator() || evidence.record_was_taken(job)) => None,
        None if may_lack_its_job(evidence, of, template, objects) => None,
        None => Some(format!("no SyncJob of {} has a job", objects.len())),
    }
}

/// Where people deleted the job, or only an adoption was wanted.
fn may_lack_its_job(evidence: &Evidence, principal: usize, template: &str, objects: &[&Version]) -> bool {
    let deleted = evidence.ledger.effects.iter().any(|effect| {
        let job = &evidence.jobs[effect.job];
        let alike = job.principal == principal && job.template.eq_ignore_ascii_case(template);
        alike && effect.did == Did::Deleted && !effect.by.is_operator()
    });
    let raced = evidence.jobs.iter().any(|job| {
        let alike = job.principal == principal && job.template.eq_ignore_ascii_case(template);
        alike && deleted_while_it_was_let_go(evidence, job)
    });
    let only = objects.iter().all(|object| {
        let adoption = &object.value["spec"]["adoption"];
        adoption["policy"] == "Only" || adoption["jobId"].is_string()
    });
    deleted || raced || only || objects.iter().any(|object| was_adopted_late(evidence, object))
}

/// What another operator deleted has no tombstone in this one, and lists that lag still show it, the one after the intent too.
fn was_adopted_late(evidence: &Evidence, object: &Version) -> bool {
    let adopted = |write: &&Write| write.after.uid == object.uid && write.after.status("jobOrigin") == Some("Adopted");
    let Some(adoption) = evidence.history.iter().find(adopted) else { return false };
    let intends = |write: &&Write| {
        write.after.uid == object.uid && write.by == adoption.by && write.after.value["status"]["intent"].is_object()
    };
    let intent = evidence.history.iter().filter(|write| write.at <= adoption.at).rfind(intends);
    let looked = |call: &Call| {
        let meanwhile = intent.is_some_and(|intent| (intent.at..=adoption.at).contains(&call.at));
        call.operation == Operation::ListJobs && call.by == adoption.by && meanwhile
    };
    if !evidence.ledger.calls.iter().any(looked) {
        return false;
    }
    evidence.ledger.effects.iter().filter(|effect| effect.did == Did::Deleted).any(|effect| {
        let of_another = effect.by.is_operator() && effect.by != adoption.by;
        let lagged = (adoption.at.saturating_sub(LAG_MAX)..=adoption.at).contains(&effect.at);
        of_another && lagged && adoption.after.status("jobId") == Some(&*evidence.jobs[effect.job].id)
    })
}

/// Graph accepts no fencing token: of two operators at work, one may have read the SyncJob and be about to delete its job while
/// the other one lets that SyncJob go.
fn deleted_while_it_was_let_go(evidence: &Evidence, job: &Job) -> bool {
    evidence.ledger.effects.iter().filter(|effect| effect.did == Did::Deleted).any(|effect| {
        let of_job = evidence.jobs[effect.job].id == job.id && effect.by.is_operator();
        of_job
            && evidence.history.iter().filter(|write| write.change == Change::Deleted).any(|write| {
                let by_another = write.by.is_operator() && write.by != effect.by;
                by_another
                    && evidence.records(&write.after, job)
                    && (write.at..write.at + UNDER_WAY).contains(&effect.at)
            })
    })
}

/// The writes by which somebody other than an operator asked for something.
fn edits(evidence: &Evidence) -> impl Iterator<Item = &Write> {
    let generation = |write: &Write| write.before.as_ref().map(|before| (before.generation(), before.uid.clone()));
    // A restore takes back what was asked for.
    let taken_back = |edit: &Write| {
        let older = |other: &Write| {
            other.at > edit.at
                && other.after.uid == edit.after.uid
                && other.after.generation() < edit.after.generation()
        };
        evidence.history.iter().any(older)
    };
    evidence.history.iter().filter(move |write| {
        let after = (write.after.generation(), write.after.uid.clone());
        let edits = !write.by.is_operator() && write.change != Change::Deleted && generation(write) != Some(after);
        edits && !taken_back(write)
    })
}

/// L2: an edit is served in time once nothing is wrong, whatever state the others are in.
pub fn edits_are_served(evidence: &Evidence, found: &mut Vec<Violation>) {
    for edit in edits(evidence) {
        let (from, until) = (edit.at, edit.at.max(evidence.calm) + evidence.bounds.serve);
        let key = Some(&edit.after.key);
        let written = evidence.requests.iter().any(|request| {
            request.by.is_operator() && request.key.as_ref() == key && (from..=until).contains(&request.at)
        });
        let asked = evidence.ledger.calls.iter().any(|call| {
            call.principal.eq_ignore_ascii_case(principal(&edit.after)) && (from..=until).contains(&call.at)
        });
        let uid = &edit.after.uid;
        // What is gone again, finalizers or not, wants nothing any more.
        let gone = evidence.history.iter().any(|write| {
            write.after.uid == *uid && write.change == Change::Deleted && (from..=until).contains(&write.at)
        });
        if until <= evidence.end && !written && !asked && !gone {
            found.push(Violation { rule: "L2", at: edit.at, what: format!("{:?} is not served", edit.after.key) });
        }
    }
}

/// No object waits for a first word: what its spec asks for is answered on it in time.
pub fn nothing_waits_unwritten(evidence: &Evidence, found: &mut Vec<Violation>) {
    // A restore brings the answer to what it asks for along.
    let says = |edit: &&Write| answers(&edit.after, &edit.after);
    for edit in edits(evidence).filter(|edit| !edit.after.is_deleting() && !says(edit)) {
        let (until, uid) = (edit.at.max(evidence.calm) + evidence.bounds.serve, &edit.after.uid);
        let answered = evidence.history.iter().any(|write| {
            let same = write.after.uid == *uid && (edit.at..=until).contains(&write.at);
            let answers = write.by.is_operator() && answers(&write.after, &edit.after);
            same && (write.change == Change::Deleted || write.after.is_deleting() || answers)
        });
        if until <= evidence.end && !answered {
            found.push(Violation { rule: "unwritten", at: edit.at, what: format!("{:?} waits", edit.after.key) });
        }
    }
}

/// Whether the status of this version answers what the spec of that one asks for. What is suspended by then is not looked at.
fn answers(version: &Version, asked: &Version) -> bool {
    let status = &version.value["status"];
    let mut conditions = status["conditions"].as_array().into_iter().flatten();
    let suspended = conditions.any(|one| one["type"] == "Suspended" && one["status"] == "True");
    status["observedGeneration"].as_i64() >= Some(asked.generation())
        || suspended && version.spec("mode") == Some("Suspended")
}

/// L3: at rest nothing is written anywhere.
pub fn silence(evidence: &Evidence, from: Duration, found: &mut Vec<Violation>) {
    for request in evidence.requests.iter().filter(|request| request.at >= from && request.by.is_operator()) {
        let writes = request.verb.writes() || request.verb == super::super::api::Verb::Event;
        if writes {
            let what = format!("{:?} of {:?} at rest", request.verb, request.key);
            found.push(Violation { rule: "L3", at: request.at, what });
        }
    }
    for call in evidence.ledger.calls.iter().filter(|call| call.at >= from && call.operation.writes()) {
        let what = format!("{:?} of {} at rest", call.operation, call.about);
        found.push(Violation { rule: "L3", at: call.at, what });
    }
}

/// L3: what waits, and what is settled, costs no more requests than its budget.
pub fn calls_are_bounded(evidence: &Evidence, from: Duration, found: &mut Vec<Violation>) {
    let time = evidence.end.saturating_sub(from);
    let objects = u32::try_from(evidence.objects.len().max(1)).unwrap();
    let part = time.as_secs_f64() / HOUR.as_secs_f64();
    let most = f64::from(evidence.bounds.requests_per_hour * objects) * part + f64::from(objects);
    let calls = evidence.ledger.calls.iter().filter(|call| call.at >= from && call.by.is_operator()).count();
    let watches = |verb| verb == super::super::api::Verb::Watch || verb == super::super::api::Verb::Lease;
    let requests = evidence.requests.iter().filter(|one| one.at >= from && one.by.is_operator() && !watches(one.verb));
    for (kind, count) in [("Graph", calls), ("the API server", requests.count())] {
        if f64::from(u32::try_from(count).unwrap()) > most {
            let what = format!("{count} requests to {kind} in {time:?} for {objects} objects");
            found.push(Violation { rule: "L3", at: evidence.end, what });
        }
    }
}

/// L4: events, watches and requests in flight are bounded.
pub fn bounded(evidence: &Evidence, found: &mut Vec<Violation>) {
    let (burst, period) = evidence.bounds.events;
    let mut events: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, _, event) in evidence.events.iter().filter(|(_, by, _)| by.is_operator()) {
        *events.entry(event["regarding"]["uid"].as_str().unwrap_or_default()).or_default() += 1;
    }
    let more = u32::try_from(evidence.end.as_secs() / period.as_secs().max(1)).unwrap_or(u32::MAX);
    for (uid, count) in events.into_iter().filter(|(_, count)| *count > burst.saturating_add(more)) {
        found.push(Violation { rule: "L4", at: evidence.end, what: format!("{count} events about {uid}") });
    }
    for (by, open) in evidence.watches.iter().filter(|(_, open)| *open > evidence.bounds.watches) {
        found.push(Violation { rule: "L4", at: evidence.end, what: format!("{by:?} has {open} watches open") });
    }
    let calls = &evidence.ledger.calls;
    let until = |call: &Call| call.until.unwrap_or(call.at + evidence.bounds.call_timeout);
    for call in calls.iter().filter(|call| call.operation != Operation::LogIn) {
        let with = |other: &&Call| other.by == call.by && other.at <= call.at && until(other) > call.at;
        let others = calls.iter().filter(|other| other.operation != Operation::LogIn).filter(with).count();
        if others > evidence.bounds.in_flight {
            found.push(Violation { rule: "L4", at: call.at, what: format!("{others} requests in flight") });
            return;
        }
    }
}

/// What a person changed so shortly before a call may be shown during its pass, which is then followed by another one.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// A call that failed is not repeated before a pause, unless somebody changed something meanwhile.
pub fn a_failed_call_is_not_repeated_at_once(evidence: &Evidence, found: &mut Vec<Violation>) {
    let calls = &evidence.ledger.calls;
    for (index, call) in calls.iter().enumerate().filter(|(_, call)| call.operation.writes()) {
        // A token that is refused is replaced and the call, which was not carried out, repeated: once.
        let failed = call.heard == 0 || call.heard >= 400 && call.heard != 401;
        let (Some(until), true) = (call.until, failed) else { continue };
        let again = calls[index + 1..].iter().find(|other| {
            other.by == call.by
                && (other.operation, &other.about, &other.principal) == (call.operation, &call.about, &call.principal)
                && sender(evidence, other) == sender(evidence, call)
        });
        let Some(again) = again.filter(|again| again.at < until + evidence.bounds.backoff) else { continue };
        // A process that was cut off is shown all that was changed since it last looked.
        let shortly = call.at.saturating_sub(SHOWN_WITHIN);
        let last = evidence.ledger.calls.iter().rfind(|other| other.by == call.by && other.at < shortly);
        let shown = last.map_or(shortly, |last| last.at)..=again.at;
        let changed = |write: &Write| matches!(write.by, By::Person) && shown.contains(&write.at);
        let rotated = evidence.rotations.iter().any(|at| shown.contains(at));
        if !rotated && !evidence.history.iter().any(changed) {
            let what = format!(
                "{:?} of {} {:?} after it failed",
                call.operation,
                call.about,
                again.at.checked_sub(until).unwrap()
            );
            found.push(Violation { rule: "repeated", at: again.at, what });
        }
    }
}

/// On behalf of whom a request was sent, where two SyncJobs may send the same one.
fn sender<'a>(evidence: &'a Evidence, call: &'a Call) -> Option<&'a str> {
    if call.operation == Operation::SaveSecrets {
        let ours = |write: &&Write| principal(&write.after).eq_ignore_ascii_case(&call.principal);
        let mut uids = evidence.history.iter().filter(ours).map(|write| &write.after.uid);
        let first = uids.next();
        // A save does not show for which SyncJob it is sent.
        return uids.any(|uid| Some(uid) != first).then_some(&*call.request);
    }
    if call.operation != Operation::CreateJob {
        return None;
    }
    let named = |write: &&Write| super::nonce(&write.after) == Some(&*call.request);
    evidence.history.iter().find(named).map(|write| &*write.after.uid)
}
