//! What SyncJobs declare of credentials and settings, and what the Secrets that they name held, by time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::super::api::{Content, Key, Version};
use super::super::graph::secrets::{self, NOTIFICATIONS, Set, is_masked};
use super::super::invariants::Evidence;

/// Each setting in the spec, and its key in the set.
const SETTINGS: [(&str, &str); 4] = [
    ("scope", "SyncAll"),
    ("outOfScopeDeletions", "SkipOutOfScopeDeletions"),
    ("notifications", NOTIFICATIONS),
    ("deleteThreshold", NOTIFICATIONS),
];

/// Where a value is.
#[derive(Clone, Debug)]
enum Source {
    Value(String),
    Secret(Key, String),
}

/// What one version of a SyncJob declares.
pub struct Claim<'a> {
    pub object: &'a Version,
    credentials: Vec<(String, Source)>,
}

impl Claim<'_> {
    /// `None` for a SyncJob that saves nothing: of another mode, being deleted, or without content.
    fn of(object: &Version) -> Option<Claim<'_>> {
        let spec = &object.value["spec"];
        let manages = matches!(object.spec("mode"), None | Some("Manage")) && !object.is_deleting();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let credential = |one: &Value| {
            let from = &one["valueFrom"]["secretKeyRef"];
            let source = match one["value"].as_str() {
                Some(value) => Source::Value(value.to_owned()),
                None => Source::Secret(Key::new(&object.key.namespace, &text(&from["name"])), text(&from["key"])),
            };
            (text(&one["key"]), source)
        };
        let credentials: Vec<_> = spec["credentials"].as_array().into_iter().flatten().map(credential).collect();
        let declares = !credentials.is_empty() || SETTINGS.iter().any(|(member, _)| !spec[member].is_null());
        (manages && declares).then_some(Claim { object, credentials })
    }

    /// Whether it is one of a job.
    pub fn is_bound(&self) -> bool {
        self.object.status("jobId").is_some()
    }

    pub fn requires_a_test(&self) -> bool {
        self.object.spec("credentialValidation") == Some("Require") && !self.credentials.is_empty()
    }

    /// The declared keys, in lower case.
    pub fn keys(&self) -> BTreeSet<String> {
        let settings = SETTINGS.iter().filter(|(member, _)| !self.object.value["spec"][member].is_null());
        let settings = settings.map(|(_, key)| key.to_ascii_lowercase());
        self.credentials.iter().map(|(key, _)| key.to_ascii_lowercase()).chain(settings).collect()
    }

    pub fn declares_recipients(&self) -> bool {
        self.object.value["spec"]["notifications"].is_object()
    }

    pub fn credentials(&self) -> impl Iterator<Item = &str> {
        self.credentials.iter().map(|(key, _)| key.as_str())
    }

    fn settings(&self) -> Vec<&Value> {
        SETTINGS.iter().map(|(member, _)| &self.object.value["spec"][member]).collect()
    }

    /// Whether the settings of a set are as declared.
    pub fn settings_hold(&self, set: &Set) -> bool {
        let spec = &self.object.value["spec"];
        let truth =
            |key: &str| secrets::value(set, key).and_then(|text| text.to_ascii_lowercase().parse::<bool>().ok());
        let scope = spec["scope"].as_str().is_none_or(|scope| truth("SyncAll") == Some(scope == "All"));
        let deletions = spec["outOfScopeDeletions"].as_str();
        let deletions = deletions.is_none_or(|what| truth("SkipOutOfScopeDeletions") == Some(what == "Skip"));
        let notifications: Value =
            serde_json::from_str(secrets::value(set, NOTIFICATIONS).unwrap_or_default()).unwrap_or_default();
        let guarded = spec["deleteThreshold"].as_u64().is_none_or(|most| {
            let value = notifications["DeleteThresholdValue"].as_u64();
            notifications["DeleteThresholdEnabled"] == (most > 0) && (most == 0 || value == Some(most))
        });
        let told = spec["notifications"]["recipients"].as_array().is_none_or(|recipients| {
            let wanted: Vec<&str> = recipients.iter().filter_map(Value::as_str).collect();
            let there = notifications["Recipients"].as_str().unwrap_or_default();
            let there: Vec<&str> = there.split([',', ';']).map(str::trim).filter(|one| !one.is_empty()).collect();
            notifications["Enabled"].as_bool().unwrap_or_default() != wanted.is_empty()
                && (wanted.is_empty() || wanted == there)
        });
        scope && deletions && guarded && told
    }
}

/// The claims on one service principal.
pub struct Claims<'a> {
    pub evidence: &'a Evidence,
    pub principal: &'a str,
    /// Every change of a Secret.
    pub changes: Vec<(Duration, Key, Option<Content>)>,
}

impl<'a> Claims<'a> {
    fn is_ours(&self, object: &Version) -> bool {
        object.spec("servicePrincipalId").is_some_and(|named| named.eq_ignore_ascii_case(self.principal))
    }

    pub fn at(&self, at: Duration) -> Vec<Claim<'a>> {
        let objects = self.evidence.objects_at(at).into_iter().filter(|object| self.is_ours(object));
        objects.filter_map(|object| Claim::of(object)).collect()
    }

    /// Those that were in force at some moment of this time.
    pub fn within(&self, from: Duration, to: Duration) -> Vec<Claim<'a>> {
        let mut claims = self.at(from);
        let written = self.evidence.history.iter().filter(|write| write.at > from && write.at <= to);
        let written = written.map(|write| &*write.after).filter(|object| self.is_ours(object));
        claims.extend(written.filter_map(Claim::of));
        claims
    }

    /// The value at a moment, as it can be sent.
    fn value(&self, source: &Source, at: Duration) -> Option<String> {
        match source {
            Source::Value(value) => Some(value.clone()),
            Source::Secret(name, key) => {
                let known = self.changes.iter().rev().find(|(since, of, _)| *since <= at && of == name);
                let value = known.and_then(|(_, _, content)| content.as_ref()?.get(key));
                value.filter(|value| !value.is_empty() && *value != "*").cloned()
            }
        }
    }

    /// The value that a key is declared to have.
    pub fn declared(&self, claim: &Claim<'_>, key: &str, at: Duration) -> Option<String> {
        let (_, source) = claim.credentials.iter().find(|(known, _)| known.eq_ignore_ascii_case(key))?;
        self.value(source, at)
    }

    /// Whether this value was the declared one at some moment of this time.
    fn had(&self, source: &Source, value: &str, from: Duration, to: Duration) -> bool {
        let changes = self.changes.iter().map(|(at, _, _)| *at).filter(|at| *at > from && *at <= to);
        std::iter::once(from).chain(changes).any(|at| self.value(source, at).as_deref() == Some(value))
    }

    /// The declared keys whose values in a set were declared at no moment of this time.
    pub fn lacking(&self, claim: &Claim<'_>, set: &Set, from: Duration, to: Duration) -> Vec<String> {
        let holds = |key: &str, source: &Source| {
            secrets::value(set, key).is_some_and(|value| self.had(source, value, from, to))
        };
        let lacking = claim.credentials.iter().filter(|(key, source)| !holds(key, source));
        lacking.map(|(key, _)| key.clone()).collect()
    }

    pub fn holds(&self, claim: &Claim<'_>, set: &Set, from: Duration, to: Duration) -> bool {
        self.lacking(claim, set, from, to).is_empty() && claim.settings_hold(set)
    }

    /// Whether a value that is declared is missing.
    pub fn has_gap(&self, claim: &Claim<'_>, at: Duration) -> bool {
        claim.credentials.iter().any(|(_, source)| self.value(source, at).is_none())
    }

    /// Whether two SyncJobs with a job declare different things.
    pub fn differ(&self, at: Duration) -> bool {
        let claims: Vec<Claim<'_>> = self.at(at).into_iter().filter(Claim::is_bound).collect();
        let values = |claim: &Claim<'_>| -> BTreeMap<String, Option<String>> {
            let pairs = claim.credentials.iter();
            pairs.map(|(key, source)| (key.to_ascii_lowercase(), self.value(source, at))).collect()
        };
        let gap = |claim: &Claim<'_>| self.has_gap(claim, at);
        let differ = |one: &Claim<'_>, other: &Claim<'_>| {
            gap(one) || gap(other) || values(one) != values(other) || one.settings() != other.settings()
        };
        claims.iter().enumerate().any(|(index, one)| claims[..index].iter().any(|other| differ(one, other)))
    }

    /// Whether they differed all the time.
    pub fn differed(&self, from: Duration, to: Duration) -> bool {
        let inside = |at: &Duration| *at > from && *at <= to;
        let written = self.evidence.history.iter().map(|write| write.at).filter(inside);
        let changed = self.changes.iter().map(|(at, _, _)| *at).filter(inside);
        std::iter::once(from).chain(written).chain(changed).all(|at| self.differ(at))
    }

    /// Keys that are masked, and that nobody declares.
    pub fn masked(set: &Set, declared: &BTreeSet<String>) -> Vec<String> {
        set.keys().filter(|key| is_masked(key) && !declared.contains(&key.to_ascii_lowercase())).cloned().collect()
    }
}
