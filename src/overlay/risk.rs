//! Which changes can deprovision people. Both for what is wished and for what is given back.

use std::fmt;

use serde_json::Value;

use super::document::member;
use super::expression::Forms;
use super::meaning::{Clause, clauses, flag, flow_types, names, number, same};
use super::path::{Member, Subject};

/// A change that can deprovision people, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Risk {
    /// A filter is new or lets fewer objects through.
    NarrowerScope { subject: Subject },
    /// Such objects are no longer provisioned.
    ObjectsOff { subject: Subject },
    /// Objects are matched by something else: those that match nothing are created once more, or let go.
    MatchingChanged { subject: Subject },
    /// The service may delete objects of the target that it could not delete before.
    DeletionsAdded { subject: Subject },
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NarrowerScope { subject } => write!(f, "{subject}: fewer objects may be in scope"),
            Self::ObjectsOff { subject } => write!(f, "{subject}: such objects are no longer provisioned"),
            Self::MatchingChanged { subject } => write!(f, "{subject}: objects are matched by something else"),
            Self::DeletionsAdded { subject } => write!(f, "{subject}: the service may delete in the target"),
        }
    }
}

/// The risks of a subject's change from one state to another.
pub(super) fn of(subject: &Subject, before: Option<&Value>, after: Option<&Value>, forms: &Forms) -> Vec<Risk> {
    let both = |part| (before.and_then(|whole| member(whole, part)), after.and_then(|whole| member(whole, part)));
    let risk = |real: bool, risk: fn(Subject) -> Risk| real.then(|| risk(subject.clone()));
    let found = match subject {
        Subject::Rule { .. } => {
            let narrower = Member::OF_RULE.into_iter().map(both).any(|(before, after)| fewer_names(before, after));
            vec![risk(narrower, |subject| Risk::NarrowerScope { subject })]
        }
        Subject::Objects { .. } => {
            let (enabled, types, scope) = (both(Member::Enabled), both(Member::FlowTypes), both(Member::Scope));
            let deletes = |types| flow_types(types).contains(&"Delete");
            vec![
                risk(flag(enabled.0) && !flag(enabled.1), |subject| Risk::ObjectsOff { subject }),
                risk(!deletes(types.0) && deletes(types.1), |subject| Risk::DeletionsAdded { subject }),
                risk(narrower(scope.0, scope.1), |subject| Risk::NarrowerScope { subject }),
            ]
        }
        Subject::Attribute { .. } => {
            let (priority, source) = (both(Member::MatchingPriority), both(Member::Source));
            let (old, new) = (number(priority.0), number(priority.1));
            let other = old != new || old > 0 && !same(Member::Source, source.0, source.1, forms);
            vec![risk(other, |subject| Risk::MatchingChanged { subject })]
        }
        Subject::Definition { .. } => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

/// Whether a list of containers or groups lets fewer through. An empty one lets all through.
fn fewer_names(before: Option<&Value>, after: Option<&Value>) -> bool {
    let (before, after) = (names(before), names(after));
    !after.is_empty() && (before.is_empty() || !before.iter().all(|name| after.contains(name)))
}

/// Whether a filter may let fewer through. One group of it must hold, so that each old group must be there still, or one with
/// some of its clauses. A filter without groups lets all through.
fn narrower(before: Option<&Value>, after: Option<&Value>) -> bool {
    fn groups(value: Option<&Value>) -> Vec<Vec<Clause<'_>>> {
        value.and_then(Value::as_array).into_iter().flatten().map(clauses).collect()
    }
    let (before, after) = (groups(before), groups(after));
    let kept = |old: &Vec<Clause<'_>>| after.iter().any(|new| new.iter().all(|clause| old.contains(clause)));
    !after.is_empty() && (before.is_empty() || !before.iter().all(kept))
}
