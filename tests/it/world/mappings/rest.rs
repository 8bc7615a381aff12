//! At rest each declared value is in place, and each value that is declared no longer is as it was, or it is said why not.

use super::super::By;
use super::super::api::Version;
use super::super::graph::schemas::Stored;
use super::super::graph::template::RULE;
use super::super::graph::{LAG_MAX as LAG, Operation};
use super::super::invariants::Violation;
use super::super::run::QUIET;
use super::claims::{Wanted, declared, holders, lacking, manages};
use super::judge::{Case, Save, jobs};
use super::values::meaning;
use entrain::plan::mappings::SAVE_SPACING;
use entrain::plan::settings::CORRECTION_SPACING;

pub fn judge(case: &Case<'_>, saves: &[Save<'_>], found: &mut Vec<Violation>) {
    reads_are_seldom(case, found);
    if case.evidence.end < case.evidence.calm + case.evidence.bounds.converge {
        return;
    }
    for job in jobs(case).into_iter().filter(|job| case.evidence.jobs[*job].is_there()) {
        let of = &case.evidence.jobs[job];
        let holder =
            case.evidence.objects.iter().find(|object| object.status("jobId") == Some(&*of.id) && manages(object));
        if let Some(holder) = holder {
            in_place(case, saves, job, holder, found);
        }
        given_back(case, job, holder.map(|holder| &**holder), found);
    }
}

/// While nothing happens, a schema is read once by each process for each SyncJob at most: after hours.
fn reads_are_seldom(case: &Case<'_>, found: &mut Vec<Violation>) {
    let evidence = case.evidence;
    let from = evidence.end.saturating_sub(QUIET);
    if evidence.calm > from || evidence.history.iter().any(|write| write.at > from) {
        return;
    }
    let reads =
        evidence.ledger.calls.iter().filter(|call| call.at > from && call.operation == Operation::ReadSchema).count();
    let parses = evidence
        .ledger
        .calls
        .iter()
        .filter(|call| call.at > from && call.operation == Operation::ParseExpression)
        .count();
    let most = evidence.objects.len() * if case.split { 2 } else { 1 };
    if reads > most || parses > 8 * most {
        let what = format!("{reads} reads of a schema and {parses} of expressions at rest");
        found.push(Violation { rule: "reads", at: evidence.end, what });
    }
}

fn in_place(case: &Case<'_>, saves: &[Save<'_>], job: usize, holder: &Version, found: &mut Vec<Violation>) {
    let Some(stored) = case.schemas.now(job) else { return };
    let lacking = lacking(&declared(holder), case.values(&stored.schema), RULE);
    if lacking.is_empty() {
        return;
    }
    let applied = condition(holder);
    if let Some((_, reason)) = applied.as_ref().filter(|(status, _)| status != "True")
        && is_justified(case, saves, job, holder, reason)
    {
        return;
    }
    // What a person did later than the last look is not known yet: the next look is hours away.
    let looked = case.schemas.looks.iter().rev().find(|look| look.job == job).map(|look| look.at);
    let unknown = |place: &String| {
        let of = case.last_change(job, place, case.evidence.end);
        of.is_some_and(|(_, change)| {
            change.by == By::Person && looked.is_none_or(|looked| change.at > looked.saturating_sub(LAG))
        })
    };
    if lacking.iter().all(unknown) {
        return;
    }
    let what = format!("{:?} lacks {lacking:?}, and says {applied:?}", holder.key);
    found.push(Violation { rule: "mappings", at: case.evidence.end, what });
}

/// Status and reason of what is said of mappings.
fn condition(object: &Version) -> Option<(String, String)> {
    let conditions = object.value["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|one| one["type"] == "MappingsApplied")?;
    Some((found["status"].as_str()?.to_owned(), found["reason"].as_str()?.to_owned()))
}

fn is_justified(case: &Case<'_>, saves: &[Save<'_>], job: usize, holder: &Version, reason: &str) -> bool {
    let evidence = case.evidence;
    let recently = |within: std::time::Duration| {
        saves.iter().any(|save| save.sent.job == job && save.sent.at + within + LAG >= evidence.end)
    };
    let wish = &holder.value["spec"]["mappings"];
    match reason {
        "MappingsChangedOutOfBand" => {
            let theirs = |stored: &Stored| stored.by == By::Person;
            let changed = case.schemas.versions(job).iter().any(theirs);
            changed && (holder.spec("outOfBandPolicy") != Some("Correct") || recently(CORRECTION_SPACING))
        }
        "RiskyChange" => {
            let guarded = holder.value["spec"]["deleteThreshold"].as_u64().is_some_and(|most| most > 0);
            let confirm = &holder.value["status"]["mappings"]["confirm"];
            !guarded && !confirm.is_null() && *confirm != holder.value["metadata"]["annotations"]["entrain.dev/confirm"]
        }
        "MappingInvalid" | "RuleReadOnly" | "MappingAmbiguous" => {
            wish.to_string().contains("WRONG") || wish.to_string().contains("Contact")
        }
        "MappingTestFailed" => wish["tests"].to_string().contains("fails"),
        "MappingsRefused" => case.schemas.refuses,
        "MappingsPending" => recently(SAVE_SPACING),
        _ => false,
    }
}

/// A value that was declared and is so no longer is as it was before an operator changed it first, or as a person left it.
fn given_back(case: &Case<'_>, job: usize, holder: Option<&Version>, found: &mut Vec<Violation>) {
    let evidence = case.evidence;
    let Some(stored) = case.schemas.now(job) else { return };
    let all = holders(evidence, &evidence.jobs[job], std::time::Duration::ZERO, evidence.end);
    let now: Vec<String> = holder.map(declared).unwrap_or_default().into_iter().map(|(place, _)| place).collect();
    let keeps = all.iter().any(|object| object.value["spec"]["mappings"]["onRelease"] == "Keep");
    let said = evidence
        .events
        .iter()
        .any(|(_, _, event)| event["reason"] == "MappingsLeft" || event["reason"] == "MappingsNotRestored");
    let waits = holder.and_then(condition).is_some_and(|(status, _)| status != "True")
        || holder.is_some_and(|holder| !is_settled(holder));
    // The Event about a refused restoration is lost with a process that ends just then.
    let refused = holder.is_none() && case.schemas.refuses;
    if keeps || said || waits || refused || case.lost {
        return;
    }
    let values_now = case.values(&stored.schema);
    let mut places: Vec<(String, Wanted)> = all.iter().flat_map(|object| declared(object)).collect();
    places.retain(|(place, _)| !now.contains(place));
    places.sort_by(|one, other| one.0.cmp(&other.0));
    places.dedup_by(|one, other| one.0 == other.0);
    for (place, _) in places {
        let full = format!("{RULE}|{place}");
        let Some((before, ours)) = case.first_change_of_ours(job, &full) else { continue };
        let theirs = case.last_change(job, &full, evidence.end).is_some_and(|(_, change)| change.by == By::Person);
        let then = case.values(&before.schema);
        let same = then.contains_key(&full) == values_now.contains_key(&full)
            && (full.ends_with("targetAttributeName")
                || meaning(&full, then.get(&full)) == meaning(&full, values_now.get(&full)));
        if !same && !theirs && !was_before(case, job, &full, ours) {
            let what =
                format!("{full} was {:?}, is declared no longer, and is {:?}", then.get(&full), values_now.get(&full));
            found.push(Violation { rule: "release", at: evidence.end, what });
        }
    }
}

/// Whether the value that is there now is one that a person put there before any look showed the first change of ours: as far
/// as an operator can know, that is what was there before.
fn was_before(case: &Case<'_>, job: usize, place: &str, ours: &Stored) -> bool {
    let of = |schema| meaning(place, case.values(schema).get(place));
    let Some(now) = case.schemas.now(job) else { return false };
    let mut pairs = case.schemas.versions(job).windows(2).filter(|pair| pair[1].at > ours.at);
    let theirs = pairs.find(|pair| pair[1].by == By::Person && case.changes(&pair[0], &pair[1], place));
    theirs.filter(|pair| of(&pair[1].schema) == of(&now.schema)).is_some_and(|pair| {
        let between = |at: std::time::Duration| at > ours.at && at <= pair[1].at;
        let shows_ours = |schema| of(schema) == of(&ours.schema);
        !case.schemas.looks.iter().any(|look| look.job == job && between(look.at) && shows_ours(&look.schema))
    })
}

/// Whether a SyncJob does not say that something is wrong with it as a whole.
fn is_settled(object: &Version) -> bool {
    let conditions = object.value["status"]["conditions"].as_array().into_iter().flatten();
    conditions.filter(|one| one["type"] == "Ready").all(|one| one["status"] == "True")
}
