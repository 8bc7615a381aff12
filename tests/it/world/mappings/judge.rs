//! What must hold of mappings: nothing of others is changed, nobody's change is undone against the policy, nothing is saved
//! twice, too often or without a difference, what is risky needs a threshold or its confirmation, and at rest all is in place
//! or given back, or it is said why not.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::By;
use super::super::graph::Graph;
use super::super::graph::schemas::{Look, Schemas, Sent, Stored};
use super::super::invariants::{Evidence, Violation};
use super::super::play::Play;
use super::values::{Values, differing, values};
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
    /// Two operators are at work at once.
    pub split: bool,
    pub lost: bool,
}

impl<'a> Case<'a> {
    /// The saves of operators, in the order in which they were sent.
    pub fn saves(&self, found: &mut Vec<Violation>) -> Vec<Save<'a>> {
        let mut saves = Vec::new();
        for sent in &self.schemas.sent {
            let from = sent.at.saturating_sub(PASS);
            let of = |look: &&Look| look.by == sent.by && look.job == sent.job && (from..sent.at).contains(&look.at);
            let Some(look) = self.schemas.looks.iter().rev().find(of) else {
                let what = "a schema was saved without a look at it".to_owned();
                found.push(Violation { rule: "unread", at: sent.at, what });
                continue;
            };
            let (before, after) = (values(&look.schema), values(&sent.schema));
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
        pairs.find(|pair| changes(&pair[0], &pair[1], place)).map(|pair| (&pair[0], &pair[1]))
    }

    /// The first version of an operator that changed what a place means, with the one before it.
    pub fn first_change_of_ours(&self, job: usize, place: &str) -> Option<(&'a Stored, &'a Stored)> {
        let mut pairs = self.schemas.versions(job).windows(2);
        let ours = pairs.find(|pair| pair[1].by.is_operator() && changes(&pair[0], &pair[1], place));
        ours.map(|pair| (&pair[0], &pair[1]))
    }
}

fn changes(before: &Stored, after: &Stored, place: &str) -> bool {
    differing(&values(&before.schema), &values(&after.schema)).iter().any(|known| known == place)
}

/// All rules.
pub fn judge(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let graph: &Graph = &play.ends.graph;
    let service = graph.service();
    let lost = play.ends.api.revisions().changes.iter().any(|(_, by, _, _)| *by == By::Person);
    let unshown = evidence.bounds.serve + PASS;
    let case = Case { evidence, schemas: &service.schemas, unshown, split: play.scene.split, lost };
    let saves = case.saves(found);
    saves::judge(&case, &saves, found);
    rest::judge(&case, &saves, found);
}

/// The jobs that have, or had, a schema that somebody asked for.
pub fn jobs(case: &Case<'_>) -> BTreeSet<usize> {
    (0..case.evidence.jobs.len()).filter(|job| !case.schemas.versions(*job).is_empty()).collect()
}
