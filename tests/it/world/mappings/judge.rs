//! What must hold of mappings: nothing of others is changed, nobody's change is undone against the policy, nothing is saved
//! twice, too often or without a difference, what is risky needs a threshold or its confirmation, and at rest all is in place
//! or given back, or it is said why not.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::By;
use super::super::graph::Graph;
use super::super::graph::schemas::{Look, Schemas, Sent, Stored};
use super::super::invariants::{Evidence, Violation};
use super::super::play::Play;
use super::super::scene::Act;
use super::values::{Values, differing, differs, values};
use super::{rest, saves};

/// From the first look of a pass to its last request.
pub const PASS: Duration = Duration::from_secs(150);

/// A save, with the read that it was made from.
pub struct Save<'a> {
    pub sent: &'a Sent,
    pub look: &'a Look,
    pub before: Values,
    pub after: Values,
    /// The places that mean something else in it.
    pub changed: Vec<String>,
    /// What became of it.
    pub stored: Option<&'a Stored>,
}

pub struct Case<'a> {
    pub evidence: &'a Evidence,
    pub schemas: &'a Schemas,
    /// For so long an operator may not have been shown what is declared.
    pub unshown: Duration,
    /// Two operators are at work at once, for a time at least.
    pub split: bool,
    pub lost: bool,
    /// The values of every version, by where its schema is: to list them anew for each rule takes most of a run.
    flat: HashMap<*const Value, Values>,
}

impl<'a> Case<'a> {
    /// The values of a schema that was stored.
    pub fn values(&self, schema: &Arc<Value>) -> &Values {
        &self.flat[&Arc::as_ptr(schema)]
    }

    pub fn changes(&self, before: &Stored, after: &Stored, place: &str) -> bool {
        let (before, after) = (self.values(&before.schema), self.values(&after.schema));
        differs(before, after, place)
    }

    /// The saves of operators, in the order in which they were sent.
    pub fn saves(&self, found: &mut Vec<Violation>) -> Vec<Save<'a>> {
        let mut saves = Vec::new();
        let all = &self.schemas.sent;
        // A request whose token was refused is sent once more under the same name.
        let again = |at: usize, sent: &Sent| all[at + 1..].iter().any(|later| later.request == sent.request);
        for (_, sent) in all.iter().enumerate().filter(|(at, sent)| !again(*at, sent)) {
            let from = sent.at.saturating_sub(PASS);
            let of = |look: &&Look| look.by == sent.by && look.job == sent.job && (from..sent.at).contains(&look.at);
            let Some(look) = self.schemas.looks.iter().rev().find(of) else {
                let what = "a schema was saved without a look at it".to_owned();
                found.push(Violation { rule: "unread", at: sent.at, what });
                continue;
            };
            let (before, after) = (self.values(&look.schema).clone(), values(&sent.schema));
            let mut versions = self.schemas.versions(sent.job).iter();
            let stored = versions.find(|stored| stored.by == sent.by && stored.request == sent.request);
            saves.push(Save { sent, look, changed: differing(&before, &after), before, after, stored });
        }
        saves
    }

    /// The version that changed what a place means last, at this moment, with the one before it.
    pub fn last_change(&self, job: usize, place: &str, until: Duration) -> Option<(&'a Stored, &'a Stored)> {
        let versions = self.schemas.versions(job);
        let mut pairs = versions.windows(2).rev().filter(|pair| pair[1].at <= until);
        pairs.find(|pair| self.changes(&pair[0], &pair[1], place)).map(|pair| (&pair[0], &pair[1]))
    }

    /// The first version of an operator that changed what a place means, with the one before it.
    pub fn first_change_of_ours(&self, job: usize, place: &str) -> Option<(&'a Stored, &'a Stored)> {
        let mut pairs = self.schemas.versions(job).windows(2);
        let ours = pairs.find(|pair| pair[1].by.is_operator() && self.changes(&pair[0], &pair[1], place));
        ours.map(|pair| (&pair[0], &pair[1]))
    }
}

/// All rules.
pub fn judge(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let graph: &Graph = &play.ends.graph;
    let service = graph.service();
    let lost = play.ends.api.revisions().changes.iter().any(|(_, by, _, _)| *by == By::Person);
    let unshown = evidence.bounds.serve + PASS;
    let stored = (0..evidence.jobs.len()).flat_map(|job| service.schemas.versions(job));
    let flat = stored.map(|stored| (Arc::as_ptr(&stored.schema), values(&stored.schema))).collect();
    let hands_over = (play.scene.acts)().iter().any(|(_, _, act)| matches!(act, Act::Handover));
    let split = play.scene.split || hands_over;
    let case = Case { evidence, schemas: &service.schemas, unshown, split, lost, flat };
    let saves = case.saves(found);
    saves::judge(&case, &saves, found);
    rest::judge(&case, &saves, found);
}

/// The jobs that have, or had, a schema that somebody asked for.
pub fn jobs(case: &Case<'_>) -> BTreeSet<usize> {
    (0..case.evidence.jobs.len()).filter(|job| !case.schemas.versions(*job).is_empty()).collect()
}
