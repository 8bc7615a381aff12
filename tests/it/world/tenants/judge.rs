//! What must hold of tenants: whose token a request carries, that no write passes a closed fence, how often a refused secret
//! is presented, and how a namespace ends.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::super::By;
use super::super::api::{Change, Kind, Shown, Verb, Version};
use super::super::graph::{Call, Operation};
use super::super::invariants::{Evidence, Violation};
use super::super::play::Play;
use super::scenes::{LABEL, SECRET_OF};

/// Events of one moment: the watch hands over what it shows at once.
const MOMENT: Duration = Duration::from_millis(1);
/// The answer to a list may be on its way for so long.
const LIST_ARRIVES: Duration = Duration::from_secs(11);
/// A secret that was refused is not presented again for a minute.
const BACKOFF: Duration = Duration::from_secs(55);
/// Where nothing goes wrong, a tenant that has trouble costs the others no more than this.
const UNDISTURBED: Duration = Duration::from_secs(20);

pub fn judge(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    tokens_stay_with_their_tenant(evidence, found);
    no_write_passes_a_closed_fence(play, evidence, found);
    no_write_passes_a_label_unasked(play, evidence, found);
    refused_secrets_rest(evidence, found);
    others_are_undisturbed(play, evidence, found);
    namespaces_end(play, evidence, found);
    tenants_are_ready(play, evidence, found);
    nothing_secret_is_written(play, found);
    tenants_are_silent(play, evidence, found);
}

/// The SyncJobs that name a service principal, as they were.
fn named<'a>(evidence: &'a Evidence, principal: &'a str) -> impl Iterator<Item = &'a Version> {
    let names =
        move |object: &&Version| object.spec("servicePrincipalId").is_some_and(|id| id.eq_ignore_ascii_case(principal));
    evidence.history.iter().map(|write| &*write.after).filter(names)
}

fn tenant_of(object: &Version) -> &str {
    object.value["spec"]["tenantRef"]["name"].as_str().unwrap_or_default()
}

/// No request carries the token of another tenant object, even of the same application.
fn tokens_stay_with_their_tenant(evidence: &Evidence, found: &mut Vec<Violation>) {
    for call in evidence.ledger.calls.iter().filter(|call| call.operation != Operation::LogIn) {
        let secret = call.login.as_ref().map_or("", |login| &*login.secret);
        let of = |tenant: &str| secret.starts_with(&format!("{SECRET_OF}{tenant}-"));
        if !named(evidence, &call.principal).any(|object| of(tenant_of(object))) {
            let what = format!("{:?} at {} with the token of {secret:?}", call.operation, call.principal);
            found.push(Violation { rule: "token", at: call.at, what });
        }
    }
}

/// The writes to Graph for SyncJobs of a cluster-wide tenant, with one of those SyncJobs.
fn fenced(evidence: &Evidence) -> impl Iterator<Item = (&Call, &Version)> {
    let calls = evidence.ledger.calls.iter().filter(|call| call.operation.writes() && call.by.is_operator());
    calls.filter_map(|call| {
        let object = named(evidence, &call.principal).next()?;
        let kind = &object.value["spec"]["tenantRef"]["kind"];
        (kind == Kind::ClusterEntraTenant.name()).then_some((call, object))
    })
}

/// What was last shown to this operator by then, as far as it is known to have arrived.
fn last_shown(shown: &[Shown], by: By, at: Duration) -> Option<&Shown> {
    let mut known = shown.iter().filter(|shown| shown.by == by && shown.at <= at).rev();
    known.find(|shown| !shown.listed || grants(&shown.object) || shown.at + LIST_ARRIVES <= at)
}

fn names_apps(grant: &Value) -> bool {
    grant["namespaces"].as_array().into_iter().flatten().any(|name| name == "apps")
}

fn grants(tenant: &Version) -> bool {
    tenant.value["spec"]["allowedNamespaces"].as_array().into_iter().flatten().any(names_apps)
}

fn selects(tenant: &Version) -> bool {
    let grants = tenant.value["spec"]["allowedNamespaces"].as_array();
    grants.into_iter().flatten().any(|grant| grant["namespaceSelector"].is_object())
}

/// No write leaves for an object after the watch of its operator has shown that the grant is gone.
fn no_write_passes_a_closed_fence(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let store = play.ends.api.of(Kind::ClusterEntraTenant);
    for (call, object) in fenced(evidence) {
        let Some(shown) = last_shown(&store.shown, call.by, call.at) else { continue };
        if !grants(&shown.object) && !selects(&shown.object) && shown.at + MOMENT < call.at {
            let what = format!("{:?} for {:?}, whose grant was gone at {:?}", call.operation, object.key, shown.at);
            found.push(Violation { rule: "grant", at: call.at, what });
        }
    }
}

/// Before each write the labels of the namespace are read, after whatever was written of the SyncJob before, and grant it.
fn no_write_passes_a_label_unasked(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let by_label = play.ends.api.of(Kind::ClusterEntraTenant).objects.values().any(|tenant| selects(tenant));
    if !by_label {
        return;
    }
    let surroundings = play.ends.api.surroundings();
    for (call, object) in fenced(evidence) {
        let look = surroundings.reads.iter().rev().find(|read| {
            let of = read.verb == Verb::Namespace && read.key.name == object.key.namespace;
            of && read.by == call.by && read.at < call.at
        });
        let written = evidence
            .history
            .iter()
            .rev()
            .find(|write| write.by == call.by && write.after.key == object.key && write.at < call.at);
        let fresh = look.filter(|look| written.is_none_or(|written| written.at < look.at));
        if fresh.is_none_or(|look| look.labels.get(LABEL).is_none_or(|label| label != "identity")) {
            let what =
                format!("{:?} for {:?}, on a look at {:?}", call.operation, object.key, look.map(|look| look.at));
            found.push(Violation { rule: "label", at: call.at, what });
        }
    }
}

/// A secret that was refused is presented again after its back-off, however many SyncJobs want a login.
fn refused_secrets_rest(evidence: &Evidence, found: &mut Vec<Violation>) {
    let mut last: BTreeMap<(By, &str), Duration> = BTreeMap::new();
    for call in evidence.ledger.calls.iter().filter(|call| call.operation == Operation::LogIn && call.heard == 401) {
        let Some(login) = &call.login else { continue };
        let before = last.insert((call.by, &login.secret), call.at);
        if before.is_some_and(|before| call.at < before + BACKOFF) {
            let what = format!("{:?} was refused at {before:?} and is presented again", login.secret);
            found.push(Violation { rule: "login", at: call.at, what });
        }
    }
}

/// A tenant that is throttled, or has no login, costs the others nothing.
fn others_are_undisturbed(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let about = matches!(play.scene.name, "a throttled tenant" | "a tenant without a login");
    if !about || !play.schedule.faults().is_empty() {
        return;
    }
    for write in evidence.history.iter().filter(|write| write.by == By::Person && write.after.key.name == "a") {
        let paused = write.after.spec("state") == Some("Paused");
        let wanted = if paused { Operation::PauseJob } else { Operation::StartJob };
        let within = write.at..write.at + UNDISTURBED;
        let sent = |call: &Call| call.operation == wanted && call.heard == 204 && within.contains(&call.at);
        if !evidence.ledger.calls.iter().any(|call| tenant_one(call) && sent(call)) {
            let what = format!("{wanted:?} did not come in time");
            found.push(Violation { rule: "undisturbed", at: write.at, what });
        }
    }
}

fn tenant_one(call: &Call) -> bool {
    call.login.as_ref().is_some_and(|login| login.secret.starts_with(&format!("{SECRET_OF}one-")))
}

/// A namespace that is deleted ends, and a job that could be deleted is.
fn namespaces_end(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    if evidence.end >= evidence.calm + evidence.bounds.converge {
        for kind in [Kind::EntraTenant, Kind::ClusterEntraTenant] {
            for object in play.ends.api.of(kind).objects.values().filter(|object| object.is_deleting()) {
                let what = format!("the deletion of {kind:?} {:?} does not end", object.key);
                found.push(Violation { rule: "stuck", at: evidence.end, what });
            }
        }
    }
    // The token outlives its Secret, as long as the process does and nothing is refused.
    if play.scene.name == "a namespace that dies" && play.schedule.faults().is_empty() {
        for uid in &evidence.left_behind {
            let what = format!("the job of {uid} was left behind, and there was a token");
            found.push(Violation { rule: "left", at: evidence.end, what });
        }
    }
}

/// A tenant whose secret is in force says so.
fn tenants_are_ready(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    if evidence.end < evidence.calm + evidence.bounds.converge {
        return;
    }
    for kind in [Kind::EntraTenant, Kind::ClusterEntraTenant] {
        for object in play.ends.api.of(kind).objects.values().filter(|object| !object.is_deleting()) {
            let mut conditions = object.value["status"]["conditions"].as_array().into_iter().flatten();
            let ready = conditions.find(|condition| condition["type"] == "Ready");
            if ready.is_none_or(|ready| ready["status"] != "True") {
                let what = format!("{kind:?} {:?} says {:?}", object.key, ready.map(|ready| &ready["reason"]));
                found.push(Violation { rule: "ready", at: evidence.end, what });
            }
        }
    }
}

fn nothing_secret_is_written(play: &Play, found: &mut Vec<Violation>) {
    for kind in [Kind::EntraTenant, Kind::ClusterEntraTenant] {
        for write in play.ends.api.of(kind).history.iter().filter(|write| write.by.is_operator()) {
            if write.change != Change::Deleted && write.after.value["status"].to_string().contains("canary-") {
                let what = format!("{:?} holds a canary", write.after.key);
                found.push(Violation { rule: "S5", at: write.at, what });
            }
        }
    }
}

/// At rest nothing is written of tenants.
fn tenants_are_silent(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let from = evidence.end.saturating_sub(super::super::run::QUIET);
    for kind in [Kind::EntraTenant, Kind::ClusterEntraTenant] {
        let store = play.ends.api.of(kind);
        for request in store.requests.iter().filter(|request| request.at >= from && request.by.is_operator()) {
            if request.verb.writes() {
                let what = format!("{:?} of {kind:?} {:?} at rest", request.verb, request.key);
                found.push(Violation { rule: "L3", at: request.at, what });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::super::graph::LoggedIn;
    use super::super::super::invariants::story::Story;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn token_speaks_of_a_call_with_the_token_of_another_tenant_object() {
        for (secret, broken) in [("canary-secret-one-1", 0), ("canary-secret-two-1", 1), ("", 1)] {
            let story = Story::begin();
            story.declare("a", &json!({"tenantRef": {"name": "one"}}));
            story.calls(Operation::ListJobs, "", "", 200);
            let login = LoggedIn { secret: secret.to_owned(), ..LoggedIn::default() };
            story.does(|tenant, _| tenant.ledger.calls.last_mut().unwrap().login = Some(Arc::new(login)));
            let mut found = Vec::new();
            tokens_stay_with_their_tenant(&story.evidence(), &mut found);
            assert_eq!(found.len(), broken, "{secret}: {found:?}");
            assert!(found.iter().all(|violation| violation.rule == "token"));
        }
    }
}
