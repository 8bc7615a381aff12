//! The part of a job's schema that a SyncJob owns: when it is read, when it is saved, and why not. No document comes here:
//! what a comparison came to is decided from, line by line.

mod decide;
mod release;
mod shown;
#[cfg(test)]
mod tests;
mod wish;
mod words;

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::MappingsStatus;
use crate::plan::common::settings::Settings;

pub(in crate::plan) use decide::{course, may_start, unread};
pub(in crate::plan) use release::{giving_back, unrestored};
pub(in crate::plan) use shown::{condition, status};
pub use wish::Wish;
pub(in crate::plan) use words::planned;

/// Each save has the service evaluate all accounts again, so that changes are collected for this long.
pub const SAVE_SPACING: Duration = Duration::from_secs(600);
/// How long a schema that was as declared is taken to be so.
pub const CHECKED_FOR: Duration = Duration::from_secs(6 * 3600);
/// How long a wish that cannot be carried out waits before the schema is read again: somebody may have changed it there.
pub const HELD_FOR: Duration = Duration::from_secs(3600);

/// What a look at the schema came to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Comparison {
    /// Hash of the wish that was compared.
    pub wish: String,
    pub outcome: Compared,
    /// The revision of a save that got no answer, if the schema shows that it was carried out, whatever is wished now.
    pub carried_out: Option<String>,
    /// How long ago a save was sent whose answer was lost. It may be carried out late.
    pub tried: Option<Duration>,
}

impl Comparison {
    pub fn new(wish: &str, outcome: Compared) -> Self {
        Self { wish: wish.to_owned(), outcome, carried_out: None, tried: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Compared {
    /// The wish does not fit the schema: all that is wrong with it.
    Faulty(Fault, Vec<String>),
    /// Tests that failed, with what they came to.
    TestsFailed(Vec<String>),
    Differs(Difference),
}

/// What is wrong with a wish, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    Invalid,
    Ambiguous,
    ReadOnly,
}

/// How the schema differs from the wish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Difference {
    /// What a save would change, one line for each value; none if there is nothing to save.
    pub lines: Vec<String>,
    /// Owned values that somebody changed and that stay that way.
    pub drifted: Vec<String>,
    /// Values that could not be given back, because somebody changed them.
    pub left: Vec<String>,
    /// Why the change can deprovision people.
    pub risks: Vec<String>,
    /// Names this change, and no other.
    pub confirmation: String,
    /// Values that this SyncJob owns.
    pub owned: usize,
    /// Whether a save would only revert what somebody else changed.
    pub corrects: bool,
    /// Whether values are owned no longer and nothing has to be saved for that: they are as they were before. So soon after a
    /// save, Graph may only not show yet what it saved.
    pub lets_go: bool,
}

/// What came of giving everything back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Released {
    /// The first are as they were before; the others could not be given back, with why.
    Restored { lines: Vec<String>, left: Vec<String> },
    /// They stay as they are, because of this.
    Kept(String),
}

impl Difference {
    /// Whether the schema has all that was put there.
    pub fn is_in_place(&self) -> bool {
        self.lines.is_empty() && self.drifted.is_empty() && self.left.is_empty() && !self.lets_go
    }
}

/// What is known of the owned part of the schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Status, as far as it speaks of this job.
    pub status: Option<MappingsStatus>,
    /// Since when the schema has been as declared for the wish of this hash, by status.
    pub checked: Option<(String, Duration)>,
    /// What this process found at an earlier pass, and how long ago.
    pub recalled: Option<(Comparison, Duration)>,
    /// What the look of this pass came to.
    pub seen: Option<Comparison>,
    /// When the schema was last saved, and how long ago that is.
    pub saved: Option<(Option<Time>, Duration)>,
    /// The revision that the last save is kept in.
    pub revision: Option<String>,
    /// The revision of a save that certainly had no effect, as this process knows.
    pub without_effect: Option<String>,
    /// The schema was saved in this pass.
    pub saved_now: bool,
    /// Why Graph refused to save the schema in this pass.
    pub refused: Option<String>,
    /// The value of `entrain.dev/confirm`.
    pub confirmed: Option<String>,
    /// What came of giving everything back.
    pub released: Option<Released>,
}

impl std::hash::Hash for View {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.checked, &self.recalled, &self.seen, self.saved.as_ref().map(|(_, age)| age)).hash(state);
        (&self.revision, self.saved_now, &self.refused, &self.confirmed, &self.released).hash(state);
    }
}

impl View {
    /// Whether anything of the schema is this SyncJob's, or may be.
    pub fn owns(&self) -> bool {
        self.status.is_some() || self.revision.is_some()
    }

    /// Whether the schema was saved so lately, as seen from a look this long ago, that the look may be of the one before.
    pub(in crate::plan) fn lags(&self, age: Duration, settings: &Settings) -> bool {
        self.saved.as_ref().is_some_and(|(_, saved)| saved.saturating_sub(age) < settings.settle_window)
    }

    /// What this pass, or an earlier one of this process, found.
    pub(in crate::plan) fn found(&self) -> Option<&Comparison> {
        self.seen.as_ref().or(self.recalled.as_ref().map(|(recalled, _)| recalled))
    }

    /// The difference that was found.
    pub(in crate::plan) fn difference(&self) -> Option<&Difference> {
        match &self.found()?.outcome {
            Compared::Differs(difference) => Some(difference),
            Compared::Faulty(..) | Compared::TestsFailed(_) => None,
        }
    }

    /// What a look comes to after a save of what was found.
    pub(in crate::plan) fn saved_as_wished(&self) -> Option<Comparison> {
        let (found, difference) = (self.found()?, self.difference()?);
        let saved = Difference { lines: Vec::new(), risks: Vec::new(), ..difference.clone() };
        Some(Comparison::new(&found.wish, Compared::Differs(saved)))
    }

    /// The schema was read. A save whose answer was lost counts as one: it may have had its effect, or have it yet.
    pub(in crate::plan) fn see(&mut self, comparison: Comparison) {
        let last = self.saved.as_ref().map(|(_, age)| *age);
        if let Some(tried) = comparison.tried.filter(|tried| last.is_none_or(|last| *tried < last)) {
            self.saved = Some((None, tried));
        }
        if comparison.carried_out.is_some() {
            self.revision.clone_from(&comparison.carried_out);
        }
        self.seen = Some(comparison);
    }

    /// The schema was saved, and has to be read again.
    pub fn save(&mut self, revision: String) {
        (self.seen, self.recalled, self.checked) = (None, None, None);
        (self.saved, self.saved_now, self.revision) = (Some((None, Duration::ZERO)), true, Some(revision));
    }

    /// The job is another one by now, although its id may be the same.
    pub fn forget(&mut self) {
        *self = Self { confirmed: self.confirmed.take(), ..Self::default() };
    }
}
