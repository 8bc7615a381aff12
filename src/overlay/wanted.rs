//! A wish, resolved: which values of which subjects of the schema it wants. The names are those of the schema.

use serde_json::Value;

use super::path::{Member, Path, Subject};

/// All that is wanted of one subject.
pub(super) struct Group {
    pub(super) subject: Subject,
    pub(super) existence: Option<Existence>,
    pub(super) values: Vec<Want>,
}

/// Whether a subject must be there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Existence {
    /// It is added where it is missing, in this form.
    Present(Value),
    Absent,
}

impl Existence {
    /// As a wish that is remembered.
    pub(super) fn wish(&self) -> &'static str {
        match self {
            Self::Present(_) => "Present",
            Self::Absent => "Absent",
        }
    }
}

/// One value that is wanted. None is the service's default.
#[derive(Clone)]
pub(super) struct Want {
    pub(super) member: Member,
    pub(super) value: Option<Value>,
    /// As it was written. A wish that is still the same shows that a difference is somebody else's change.
    pub(super) wish: String,
}

impl Group {
    pub(super) fn new(subject: Subject, existence: Option<Existence>) -> Self {
        Self { subject, existence, values: Vec::new() }
    }

    pub(super) fn want(&mut self, member: Member, value: Option<Value>) {
        let wish = value.as_ref().map(Value::to_string).unwrap_or_default();
        self.values.push(Want { member, value, wish });
    }

    /// Whether a value that was owned is owned still. An existence is so only in the same direction.
    pub(super) fn holds(&self, path: &Path, remembered: &str) -> bool {
        match path.member {
            Member::Existence => self.existence.as_ref().is_some_and(|wanted| wanted.wish() == remembered),
            Member::Source
            | Member::DefaultValue
            | Member::MatchingPriority
            | Member::FlowType
            | Member::FlowBehavior
            | Member::Enabled
            | Member::FlowTypes
            | Member::Scope
            | Member::ContainerFilter
            | Member::GroupFilter => self.values.iter().any(|want| want.member == path.member),
        }
    }
}
