//! What must hold of credentials and settings: nothing that cannot be read is lost, what can be read is carried over, no mask
//! is sent, who differs saves nothing, and a job is started with what it needs.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::super::By;
use super::super::api::{Api, Read, Verb};
use super::super::graph::secrets::{self, Look, NOTIFICATIONS, Sent, Set, Sets, is_masked};
use super::super::graph::{Did, Effect, Graph};
use super::super::invariants::{Evidence, Violation};
use super::super::play::Play;
use super::super::scene::PRINCIPAL;
use super::claims::{Claim, Claims};
use super::justified::in_place;

/// The number of `PRINCIPAL`.
const NUMBER: usize = 0;
/// From the first look of a pass to its last request.
const PASS: Duration = Duration::from_secs(150);

/// What a run is judged by.
pub struct Case<'a> {
    pub claims: Claims<'a>,
    pub sets: &'a Sets,
    /// For so long an operator may not have been shown what is declared.
    pub unshown: Duration,
}

impl Case<'_> {
    pub fn evidence(&self) -> &Evidence {
        self.claims.evidence
    }

    pub fn versions(&self) -> &[secrets::Stored] {
        self.sets.versions(NUMBER)
    }

    /// The claims that a request at this moment can be about.
    fn claims_of(&self, at: Duration) -> Vec<Claim<'_>> {
        self.claims.within(at.saturating_sub(self.unshown), at)
    }

    fn saves(&self) -> impl Iterator<Item = &Sent> {
        self.sets.sent.iter().filter(|sent| !sent.test && sent.principal == NUMBER)
    }

    fn looks(&self, by: By) -> impl DoubleEndedIterator<Item = &Look> {
        self.sets.looks.iter().filter(move |look| look.by == by && look.principal == NUMBER)
    }
}

/// All rules.
pub fn judge(api: &Api, graph: &Graph, evidence: &Evidence, found: &mut Vec<Violation>) {
    let service = graph.service();
    let changes = api.surroundings().changes.clone();
    let claims = Claims { evidence, principal: PRINCIPAL, changes };
    let case = Case { claims, sets: &service.sets, unshown: evidence.bounds.serve + PASS };
    no_mask_is_sent(&case, found);
    what_was_shown_is_kept(&case, found);
    nothing_masked_is_lost(&case, found);
    who_differs_saves_nothing(&case, found);
    required_tests_come_first(&case, found);
    starts_wait(&case, found);
    in_place(&case, found);
}

/// Where Secrets are watched, a rotation is looked at within seconds.
pub fn rotations_are_noticed(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let surroundings = play.ends.api.surroundings();
    for (at, key, _) in surroundings.changes.iter().filter(|(at, _, _)| at.as_secs() > 0) {
        let until = at.max(&evidence.calm).saturating_add(evidence.bounds.serve);
        let looks = |read: &&Read| read.verb == Verb::Secret && read.key == *key && (*at..=until).contains(&read.at);
        if until <= evidence.end && !surroundings.reads.iter().any(|read| looks(&read)) {
            let what = format!("nobody looked at {key:?} after it was changed");
            found.push(Violation { rule: "rotation", at: *at, what });
        }
    }
}

/// Neither a mask nor an empty value, saved or tested.
fn no_mask_is_sent(case: &Case<'_>, found: &mut Vec<Violation>) {
    for sent in &case.sets.sent {
        for (key, value) in &sent.set {
            if value.is_empty() || value.contains("***") || value.chars().all(|one| one == '*') {
                found.push(Violation { rule: "mask", at: sent.at, what: format!("{value:?} was sent as {key}") });
            }
        }
    }
}

/// A save carries over what its pass was shown, and is not sent where that cannot be done.
fn what_was_shown_is_kept(case: &Case<'_>, found: &mut Vec<Violation>) {
    for sent in case.saves() {
        let declared: BTreeSet<String> = case.claims_of(sent.at).iter().flat_map(Claim::keys).collect();
        let recipients = case.claims_of(sent.at).iter().any(Claim::declares_recipients);
        let looks = case.looks(sent.by).filter(|look| (sent.at.saturating_sub(PASS)..sent.at).contains(&look.at));
        let outcomes: Vec<Result<(), String>> =
            looks.map(|look| carried(&look.set, &sent.set, &declared, recipients)).collect();
        if outcomes.iter().any(Result::is_ok) {
            continue;
        }
        let why = outcomes.into_iter().rev().find_map(Result::err);
        let what = why.unwrap_or_else(|| "a save without a look".to_owned());
        found.push(Violation { rule: "foreign", at: sent.at, what });
    }
}

fn carried(shown: &Set, sent: &Set, declared: &BTreeSet<String>, recipients: bool) -> Result<(), String> {
    let is_declared = |key: &str| declared.contains(&key.to_ascii_lowercase());
    for (key, value) in shown.iter().filter(|(key, _)| !is_declared(key)) {
        if is_masked(key) {
            return Err(format!("{key} was shown, is not declared, and cannot be read"));
        }
        if secrets::value(sent, key) != Some(value) {
            return Err(format!("{key} was shown as {value:?} and is sent as {:?}", secrets::value(sent, key)));
        }
    }
    if let Some(key) = sent.keys().find(|key| !is_declared(key) && secrets::value(shown, key).is_none()) {
        return Err(format!("{key} is sent, and was neither declared nor shown"));
    }
    let members = |set: &Set| -> Value {
        serde_json::from_str(secrets::value(set, NOTIFICATIONS).unwrap_or_default()).unwrap_or_default()
    };
    let (before, after) = (members(shown), members(sent));
    let mut kept = before.as_object().into_iter().flatten().filter(|(name, _)| {
        let ours = recipients && matches!(name.as_str(), "Enabled" | "Recipients");
        !(ours || name.starts_with("DeleteThreshold"))
    });
    match kept.find(|(name, value)| after[name.as_str()] != **value) {
        Some((name, value)) => Err(format!("{name} of the notifications was {value} and is {}", after[name.as_str()])),
        None => Ok(()),
    }
}

/// What cannot be read and nobody declares is in the set after a save, unless its operator was never shown it.
fn nothing_masked_is_lost(case: &Case<'_>, found: &mut Vec<Violation>) {
    for pair in case.versions().windows(2).filter(|pair| pair[1].by.is_operator()) {
        let (before, after) = (&pair[0], &pair[1]);
        let Some(sent) = case.saves().find(|sent| sent.request == after.request && sent.by == after.by) else {
            continue;
        };
        let declared: BTreeSet<String> = case.claims_of(sent.at).iter().flat_map(Claim::keys).collect();
        for key in Claims::masked(&before.set, &declared) {
            let shown = case.looks(sent.by).find(|look| look.at < sent.at && look.set.contains_key(&key));
            if let (None, Some(shown)) = (secrets::value(&after.set, &key), shown) {
                let what = format!("{key} is lost, which its operator was shown at {:?}", shown.at);
                found.push(Violation { rule: "masked", at: after.at, what });
            }
        }
    }
}

/// SyncJobs that have declared different things for longer than a watch may lag save nothing.
fn who_differs_saves_nothing(case: &Case<'_>, found: &mut Vec<Violation>) {
    for sent in case.saves() {
        if case.claims.differed(sent.at.saturating_sub(case.unshown), sent.at) {
            let what = "a save, although SyncJobs of the service principal differ".to_owned();
            found.push(Violation { rule: "conflict", at: sent.at, what });
        }
    }
}

/// Where a test is required, no credential is replaced that the target was not tried with.
fn required_tests_come_first(case: &Case<'_>, found: &mut Vec<Violation>) {
    for sent in case.saves() {
        let claims = case.claims_of(sent.at);
        if !claims.iter().all(Claim::requires_a_test) {
            continue;
        }
        let keys: BTreeSet<&str> = claims.iter().flat_map(Claim::credentials).collect();
        let same = |set: &Set| keys.iter().all(|key| secrets::value(set, key) == secrets::value(&sent.set, key));
        let stored = case.versions().iter().any(|stored| stored.at < sent.at && same(&stored.set));
        let tested = case.sets.tests.iter().any(|test| test.accepted && test.at < sent.at && same(&test.set));
        if !stored && !tested {
            let what = "a save of credentials that must pass a test and did not".to_owned();
            found.push(Violation { rule: "untested", at: sent.at, what });
        }
    }
}

/// A job is started first when its set has been as declared, and, where that is required, tested.
fn starts_wait(case: &Case<'_>, found: &mut Vec<Violation>) {
    let evidence = case.evidence();
    let is_start = |effect: &&Effect| effect.did == Did::Started && evidence.jobs[effect.job].by.is_operator();
    let mut seen = BTreeSet::new();
    for effect in evidence.ledger.effects.iter().filter(is_start) {
        if !seen.insert(effect.job) || !effect.by.is_operator() {
            continue;
        }
        let call = evidence.ledger.calls.iter().find(|call| call.request == effect.request && call.by == effect.by);
        let (sent, job) = (call.map_or(effect.at, |call| call.at), &evidence.jobs[effect.job]);
        let claims = case.claims_of(sent);
        let holders: Vec<&Claim<'_>> =
            claims.iter().filter(|claim| claim.object.status("jobId") == Some(&*job.id)).collect();
        let from = sent.saturating_sub(case.unshown);
        let ready = |claim: &&&Claim<'_>| {
            let holds = |set: &Set| case.claims.holds(claim, set, from, sent);
            let saved = case.versions().iter().any(|stored| stored.at <= sent && holds(&stored.set));
            let passed = |set: &Set| case.claims.lacking(claim, set, from, sent).is_empty();
            let mut tests = case.sets.tests.iter().filter(|test| test.at <= sent && test.accepted);
            saved && (!claim.requires_a_test() || tests.any(|test| passed(&test.set)))
        };
        if !holders.is_empty() && !holders.iter().any(|claim| ready(&claim)) {
            let what = format!("{} was started without its credentials and settings", job.id);
            found.push(Violation { rule: "start", at: effect.at, what });
        }
    }
}
