//! At rest the set has every declared value, or a condition says why not, and what it says is so.

use std::collections::BTreeSet;

use super::super::By;
use super::super::api::Version;
use super::super::graph::secrets::{self, TOKEN, is_known, is_masked};
use super::super::invariants::{Violation, waits_for_its_set};
use super::claims::{Claim, Claims};
use super::judge::Case;
use entrain::plan::settings::CORRECTION_SPACING;

pub fn in_place(case: &Case<'_>, found: &mut Vec<Violation>) {
    let evidence = case.evidence();
    let end = evidence.end;
    if end < evidence.calm + evidence.bounds.converge {
        return;
    }
    for claim in case.claims.at(end).iter().filter(|claim| claim.is_bound()) {
        let there = evidence.jobs.iter().any(|job| job.is_there() && claim.object.status("jobId") == Some(&*job.id));
        let lacking = lacking(case, claim);
        if !there || lacking.is_empty() && !waits_for_its_set(claim.object) {
            continue;
        }
        let reasons = reasons(claim.object);
        if !reasons.iter().any(|reason| is_justified(case, claim, reason)) {
            let what = format!("{:?} lacks {lacking:?}, and says {reasons:?}", claim.object.key);
            found.push(Violation { rule: "content", at: end, what });
        }
    }
}

/// The declared keys that are not in place. A value that nobody is shown and that a person replaced later is not missed.
fn lacking(case: &Case<'_>, claim: &Claim<'_>) -> Vec<String> {
    let (end, versions) = (case.evidence().end, case.versions());
    let stored = versions.last().map(|last| last.set.clone()).unwrap_or_default();
    let mut lacking = case.claims.lacking(claim, &stored, end, end);
    lacking.retain(|key| {
        let value = secrets::value(&stored, key);
        let differs = |version: &&secrets::Stored| secrets::value(&version.set, key) != value;
        let since = versions.iter().rposition(|version| differs(&version));
        let (before, replaced) =
            since.map_or((&[][..], versions.first()), |at| (&versions[..=at], versions.get(at + 1)));
        let was_saved = before.iter().any(|version| !case.claims.lacking(claim, &version.set, end, end).contains(key));
        let by_person = replaced.is_some_and(|version| version.by == By::Person);
        !(is_masked(key) && value.is_some() && was_saved && by_person)
    });
    if !claim.settings_hold(&stored) {
        lacking.push("settings".to_owned());
    }
    lacking
}

/// Of the conditions that report trouble.
fn reasons(object: &Version) -> Vec<String> {
    let conditions = object.value["status"]["conditions"].as_array().into_iter().flatten();
    let trouble = conditions
        .filter(|one| (one["type"] == "Ready" || one["type"] == "CredentialsValid") && one["status"] != "True");
    trouble.filter_map(|one| Some(one["reason"].as_str()?.to_owned())).collect()
}

fn is_justified(case: &Case<'_>, claim: &Claim<'_>, reason: &str) -> bool {
    let (end, versions) = (case.evidence().end, case.versions());
    let stored = versions.last().map(|last| last.set.clone()).unwrap_or_default();
    // Nothing is saved where the service does not know a key.
    if claim.credentials().any(|key| !is_known(key)) {
        return true;
    }
    match reason {
        "SecretNotFound" | "SecretKeyMissing" | "SecretInvalid" => case.claims.has_gap(claim, end),
        "CredentialsConflict" => case.claims.differ(end),
        "CredentialsIncomplete" => {
            let declared: BTreeSet<String> = claim.keys();
            !Claims::masked(&stored, &declared).is_empty()
        }
        // Somebody else has changed the set since our last save.
        "CredentialsNotKept" => {
            let ours = versions.iter().rposition(|version| version.by.is_operator());
            let theirs = versions[ours.map_or(0, |at| at + 1)..].iter();
            theirs.clone().any(|version| version.at + CORRECTION_SPACING >= end)
        }
        "CredentialsRejectedByTarget" => {
            let taken = |token: String| case.sets.accepted.is_empty() || case.sets.accepted.contains(&token);
            claim.requires_a_test() && !case.claims.declared(claim, TOKEN, end).is_some_and(taken)
        }
        _ => false,
    }
}
