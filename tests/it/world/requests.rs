//! What becomes of restarts that people ask for, and how soon a create request follows its intent.

use std::collections::BTreeSet;
use std::time::Duration;

use super::By;
use super::api::Write;
use super::graph::secrets::{Stored, value};
use super::graph::{Call, Did, Operation};
use super::invariants::{Evidence, Violation};
use super::play::Play;
use super::schedule::Site;

const ASKED: &str = "entrain.dev/restart-requested-at";
/// A create request leaves within 15 s of the answer to its intent.
const SEND_WITHIN: Duration = Duration::from_secs(15);
/// That answer comes at once, or, where something is wrong with writes, within their time limit.
const ANSWERED: Duration = Duration::from_secs(1);
const ANSWERED_LATE: Duration = Duration::from_secs(10);
/// A process that lives on for this long has written what it was answered.
const WRITES_WITHIN: Duration = Duration::from_secs(11 * 60);

pub fn judge(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    creates_leave_soon(play, evidence, found);
    restarts_are_sent_once(play, evidence, found);
    restarts_are_answered(play, evidence, found);
}

fn creates_leave_soon(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let slow = play.schedule.faults().iter().any(|(_, choice)| choice.site == Site::ApiWrite);
    let within = SEND_WITHIN + if slow { ANSWERED_LATE } else { ANSWERED };
    for call in evidence.ledger.calls.iter().filter(|call| call.operation == Operation::CreateJob) {
        let intent = evidence.history.iter().find(|write| nonce(&write.after.value) == Some(&*call.request));
        match intent {
            Some(intent) if call.at <= intent.at + within => {}
            Some(intent) => {
                let what =
                    format!("a create request left {:?} after its intent", call.at.checked_sub(intent.at).unwrap());
                found.push(Violation { rule: "late", at: call.at, what });
            }
            None => {
                found.push(Violation { rule: "intent", at: call.at, what: "a create request without one".to_owned() });
            }
        }
    }
}

/// Each value that asks for a restart is acted on once at most.
fn restarts_are_sent_once(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let asked = |value: &serde_json::Value| value["metadata"]["annotations"][ASKED].as_str().map(str::to_owned);
    let tokens: BTreeSet<(String, String)> = evidence
        .history
        .iter()
        .filter_map(|write| Some((write.after.uid.clone(), asked(&write.after.value)?)))
        .collect();
    let ours = |did| evidence.ledger.effects.iter().filter(move |effect| effect.did == did && effect.by.is_operator());
    let restarts = ours(Did::Restarted).count();
    if restarts > tokens.len() + for_changes(play, evidence) {
        let at = ours(Did::Restarted).next_back().map_or(Duration::ZERO, |effect| effect.at);
        let what = format!("{restarts} restarts, {} were asked for", tokens.len());
        found.push(Violation { rule: "restart", at, what });
    }
}

/// Each scope that becomes narrower is followed by one restart where that is declared. A process that ends may have sent one
/// that nobody knows of.
fn for_changes(play: &Play, evidence: &Evidence) -> usize {
    let automatic = |write: &Write| write.after.spec("restartAfterChange") == Some("Automatic");
    if !evidence.history.iter().any(automatic) {
        return 0;
    }
    let assigned = |stored: &Stored| {
        let scope = value(&stored.set, "SyncAll");
        scope.is_some_and(|text| text.eq_ignore_ascii_case("false"))
    };
    let service = play.ends.graph.service();
    let narrowed = service.sets.versions(0).windows(2).filter(|pair| !assigned(&pair[0]) && assigned(&pair[1]));
    narrowed.count() + play.ends_of_lives.len()
}

/// The last value has an answer, and a restart whose acceptance was heard by a process that lived on is not called unknown.
fn restarts_are_answered(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let removed = evidence.history.iter().any(|write| {
        let had = |value: &serde_json::Value| value["status"]["lastHandledRestart"].is_object();
        !write.by.is_operator() && write.before.as_ref().is_some_and(|old| had(&old.value)) && !had(&write.after.value)
    });
    if removed {
        return;
    }
    for object in evidence.objects.iter().filter(|object| !object.is_deleting()) {
        let Some(token) = object.value["metadata"]["annotations"][ASKED].as_str() else { continue };
        let answer = &object.value["status"]["lastHandledRestart"];
        if answer["token"].as_str() != Some(token) || answer["result"] == "Requested" {
            let what = format!("{:?} asks for restart {token:?}, answered: {answer}", object.key);
            found.push(Violation { rule: "answer", at: evidence.end, what });
        }
        let calls = &evidence.ledger.calls;
        let heard = |call: &&Call| call.operation == Operation::RestartJob && (200..300).contains(&call.heard);
        let Some(last) = calls.iter().rev().find(heard) else { continue };
        let lived = play.lived(last.by) >= last.at + WRITES_WITHIN;
        let asked = evidence.history.iter().find(|write| write.after.value["metadata"]["annotations"][ASKED] == token);
        let for_this = asked.is_some_and(|asked| asked.at <= last.at);
        if lived && for_this && answer["result"] != "Accepted" {
            let what = format!("{:?} was restarted, and says {}", object.key, answer["result"]);
            found.push(Violation { rule: "answer", at: evidence.end, what });
        }
    }
}

fn nonce(value: &serde_json::Value) -> Option<&str> {
    value["status"]["intent"]["nonce"].as_str()
}

impl Play {
    /// Until when a process lived.
    fn lived(&self, by: By) -> Duration {
        let running = self.places.iter().flatten().any(|process| By::Operator(process.number) == by);
        let ended = self.ends_of_lives.iter().find(|(number, _)| By::Operator(*number) == by).map(|(_, at)| *at);
        if running { self.now() } else { ended.unwrap_or_default() }
    }
}
