//! What must hold of every save of a schema.

use std::time::Duration;

use serde_json::Value;

use super::super::By;
use super::super::api::Version;
use super::super::graph::{Call, Operation};
use super::super::invariants::Violation;
use super::claims::{Wanted, covers, declared, holders};
use super::judge::{Case, Save};
use super::values::{groups, meaning, member, within_rule};
use entrain::plan::mappings::SAVE_SPACING;
use entrain::plan::settings::CORRECTION_SPACING;

/// Times in status are in seconds.
const ROUNDED: Duration = Duration::from_secs(2);
/// The longest time from the record of a save to its request. Where nobody has the answer, only the record is known.
const RECORDED_BEFORE: Duration = Duration::from_secs(30);

pub fn judge(case: &Case<'_>, saves: &[Save<'_>], found: &mut Vec<Violation>) {
    for save in saves {
        nothing_of_others_is_changed(case, save, found);
        something_differs(save, found);
        what_is_risky_is_wanted(case, save, found);
        nobodys_change_is_undone(case, save, found);
    }
    seldom(case, saves, found);
    corrections_are_spaced(case, saves, found);
}

/// What no SyncJob declares, or has declared, is sent as it was read. A save that is carried out late, or is made from a read
/// that lags, cannot know more.
fn nothing_of_others_is_changed(case: &Case<'_>, save: &Save<'_>, found: &mut Vec<Violation>) {
    let job = &case.evidence.jobs[save.sent.job];
    let held = holders(case.evidence, job, Duration::ZERO, save.sent.at);
    // What was declared before the job was on record counts: a pass goes on with the spec that it began with.
    let known = case.evidence.history.iter().filter(|write| write.at <= save.sent.at).map(|write| &write.after);
    let claims: Vec<_> = known
        .filter(|object| held.iter().any(|holder| holder.uid == object.uid))
        .map(|object| declared(object))
        .collect();
    let places = save.before.keys().chain(save.after.keys());
    for place in places.filter(|place| save.before.get(*place) != save.after.get(*place)) {
        let mapping = format!("{}|targetAttributeName", place.rsplit_once('|').map_or("", |(mapping, _)| mapping));
        let one_sided = save.before.contains_key(&mapping) != save.after.contains_key(&mapping);
        if !claims.iter().any(|claim| covers(claim, place, one_sided)) {
            let (was, is) = (save.before.get(place), save.after.get(place));
            let what = format!("{place} was read as {was:?} and is sent as {is:?}, and no SyncJob declares it");
            found.push(Violation { rule: "unowned", at: save.sent.at, what });
        }
    }
}

fn something_differs(save: &Save<'_>, found: &mut Vec<Violation>) {
    if save.changed.is_empty() {
        let what = "a save that changes nothing".to_owned();
        found.push(Violation { rule: "superfluous", at: save.sent.at, what });
    }
}

/// The changes of a save that can deprovision people.
fn risky(save: &Save<'_>) -> Vec<String> {
    let is_risky = |place: &&String| {
        let (before, after) = (save.before.get(*place), save.after.get(*place));
        let (was, is) = (meaning(place, before), meaning(place, after));
        match member(place) {
            "enabled" => was == "true" && is == "false",
            "flowTypes" => !was.contains("Delete") && is.contains("Delete"),
            "scope" => {
                let (old, new) = (groups(before), groups(after));
                let kept = |(_, old): &(String, Vec<String>)| {
                    new.iter().any(|(_, new)| new.iter().all(|one| old.contains(one)))
                };
                !new.is_empty() && (old.is_empty() || !old.iter().all(kept))
            }
            "matchingPriority" => was != is,
            "source" => {
                let priority = place.replace("|source", "|matchingPriority");
                save.before.get(&priority).and_then(Value::as_i64).unwrap_or_default() > 0
            }
            _ => false,
        }
    };
    save.changed.iter().filter(is_risky).cloned().collect()
}

fn what_is_risky_is_wanted(case: &Case<'_>, save: &Save<'_>, found: &mut Vec<Violation>) {
    let risks = risky(save);
    if risks.is_empty() {
        return;
    }
    let (at, job) = (save.sent.at, &case.evidence.jobs[save.sent.job]);
    let claims = holders(case.evidence, job, at.saturating_sub(case.unshown), at);
    let threshold = |object: &Version| object.value["spec"]["deleteThreshold"].as_u64().is_some_and(|most| most > 0);
    if claims.iter().any(|object| threshold(object) || is_confirmed(case, save, object)) {
        return;
    }
    let what = format!("{risks:?} without a threshold and without a confirmation of exactly this");
    found.push(Violation { rule: "risk", at, what });
}

/// Whether a person confirmed what an operator had shown when the schema was as it is now, for what is declared now.
fn is_confirmed(case: &Case<'_>, save: &Save<'_>, object: &Version) -> bool {
    let Some(hash) = object.value["metadata"]["annotations"]["entrain.dev/confirm"].as_str() else { return false };
    let history = case.evidence.history.iter().filter(|write| write.at < save.sent.at && write.after.uid == object.uid);
    let has_it = |value: &Value| value["status"]["mappings"]["confirm"] == hash;
    let mut published = history.filter(|write| write.by.is_operator() && has_it(&write.after.value));
    published.any(|write| {
        let looks = case.schemas.looks.iter().rev();
        let recent = looks.filter(|look| look.at <= write.at && look.job == save.sent.job && look.by == write.by);
        let wish = declared(&write.after);
        let same_wish = |place: &String| {
            let within = within_rule(place);
            let wanted = wish.iter().find(|(known, _)| known == within).map(|(_, wanted)| wanted);
            wanted.is_none_or(|wanted| *wanted == Wanted::Meaning(meaning(place, save.after.get(place))))
        };
        recent.take(3).any(|look| {
            let then = case.values(&look.schema);
            let unchanged = |place: &String| meaning(place, then.get(place)) == meaning(place, save.before.get(place));
            save.changed.iter().all(|place| unchanged(place) && same_wish(place))
        })
    })
}

/// What a person changed on purpose stays, as long as what is declared for it is the same and people do not ask for corrections.
fn nobodys_change_is_undone(case: &Case<'_>, save: &Save<'_>, found: &mut Vec<Violation>) {
    let (at, job) = (save.sent.at, save.sent.job);
    let claims = holders(case.evidence, &case.evidence.jobs[job], at.saturating_sub(case.unshown), at);
    let asks = |object: &&std::sync::Arc<Version>| object.spec("outOfBandPolicy") == Some("Correct");
    if claims.iter().any(asks) || case.lost {
        return;
    }
    for place in &save.changed {
        let Some((before, theirs)) = case.last_change(job, place, save.look.at) else { continue };
        if theirs.by.is_operator() {
            continue;
        }
        let within = within_rule(place);
        let wish = |object: &Version| declared(object).into_iter().find(|(known, _)| known == within);
        let wanted = claims.iter().rev().find_map(|object| wish(object));
        let declared_then = |at| {
            let then = holders(case.evidence, &case.evidence.jobs[job], at, at);
            then.iter().any(|object| wish(object) == wanted)
        };
        // What the operator carried along before this was declared is not what it put there.
        let ours = case.schemas.versions(job).iter().find(|stored| {
            stored.by.is_operator()
                && declared_then(stored.at)
                && meaning(place, case.values(&stored.schema).get(place))
                    == meaning(place, case.values(&before.schema).get(place))
        });
        // Before a read shows what was saved, a value that is as it was before looks as if nothing had been saved.
        let was_seen = case.schemas.looks.iter().any(|look| {
            let shown = || {
                meaning(place, case.values(&look.schema).get(place))
                    == meaning(place, case.values(&before.schema).get(place))
            };
            ours.is_some_and(|ours| look.at > ours.at) && look.at <= theirs.at && look.job == job && shown()
        });
        let since = holders(case.evidence, &case.evidence.jobs[job], theirs.at.saturating_sub(case.unshown), at);
        let wishes: Vec<_> = since.iter().map(|object| wish(object)).collect();
        let unchanged = wishes.windows(2).all(|pair| pair[0] == pair[1]) && wishes.iter().all(Option::is_some);
        if was_seen && unchanged {
            let what = format!("{place}, which a person changed at {:?}, is changed back", theirs.at);
            found.push(Violation { rule: "respect", at, what });
        }
    }
}

/// One save in ten minutes for each job, whatever becomes of its answer. What is let go of does not wait.
fn seldom(case: &Case<'_>, saves: &[Save<'_>], found: &mut Vec<Violation>) {
    let done: Vec<&Save<'_>> = saves.iter().filter(|save| save.stored.is_some()).collect();
    for (index, save) in done.iter().enumerate() {
        let (at, job) = (save.sent.at, save.sent.job);
        let Some(earlier) = done[..index].iter().rev().find(|earlier| earlier.sent.job == job) else { continue };
        let claims = holders(case.evidence, &case.evidence.jobs[job], at.saturating_sub(case.unshown), at);
        let goes = claims.iter().any(|object| object.is_deleting());
        let two = case.split && earlier.sent.by != save.sent.by;
        let answered =
            |call: &&Call| call.operation == Operation::SaveSchema && call.at == earlier.sent.at && call.heard > 0;
        let known = case.evidence.ledger.calls.iter().find(answered).map_or(RECORDED_BEFORE, |_| ROUNDED);
        if at + known < earlier.sent.at + SAVE_SPACING && !goes && !two {
            let what = format!("a save {:?} after the one before it", at.checked_sub(earlier.sent.at).unwrap());
            found.push(Violation { rule: "spacing", at, what });
        }
    }
}

/// A save that only puts back what somebody else changed comes once an hour at most.
fn corrections_are_spaced(case: &Case<'_>, saves: &[Save<'_>], found: &mut Vec<Violation>) {
    let corrects = |save: &&Save<'_>| {
        let back = |place: &String| {
            let theirs = case.last_change(save.sent.job, place, save.look.at);
            theirs.is_some_and(|(before, after)| {
                let ours = case
                    .schemas
                    .versions(save.sent.job)
                    .iter()
                    .filter(|stored| stored.by.is_operator() && stored.at <= before.at);
                let as_before = |stored: &super::super::graph::schemas::Stored| {
                    meaning(place, case.values(&stored.schema).get(place)) == meaning(place, save.after.get(place))
                };
                after.by == By::Person && ours.into_iter().any(as_before)
            })
        };
        !save.changed.is_empty() && save.changed.iter().all(back)
    };
    let all: Vec<&Save<'_>> = saves.iter().filter(|save| save.stored.is_some()).filter(corrects).collect();
    for pair in all.windows(2).filter(|pair| pair[0].sent.job == pair[1].sent.job) {
        let two = case.split && pair[0].sent.by != pair[1].sent.by;
        if pair[1].sent.at + ROUNDED < pair[0].sent.at + CORRECTION_SPACING && !two {
            let what =
                format!("a correction {:?} after another", pair[1].sent.at.checked_sub(pair[0].sent.at).unwrap());
            found.push(Violation { rule: "corrections", at: pair[1].sent.at, what });
        }
    }
}
