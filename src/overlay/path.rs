//! What of a schema can be owned, and by which names it is found again. Positions and ids do not last: the service sorts
//! lists and stamps ids.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A thing of the schema. The names are the schema's own, not those of the wish, which may differ in case.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// A synchronization rule.
    Rule { rule: String },
    /// An object mapping.
    Objects { rule: String, source: String, target: String },
    /// An attribute mapping.
    Attribute { rule: String, source: String, target: String, attribute: String },
    /// An attribute of an object of a directory.
    Definition { directory: String, object: String, attribute: String },
}

/// The part of a subject that is owned on its own.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub enum Member {
    /// That the subject is there at all, or is not.
    Existence,
    /// Where the value of an attribute comes from.
    Source,
    DefaultValue,
    MatchingPriority,
    FlowType,
    FlowBehavior,
    Enabled,
    FlowTypes,
    /// The groups of the filter. Its other members are no part of it.
    Scope,
    ContainerFilter,
    GroupFilter,
}

/// An owned value.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    pub subject: Subject,
    pub member: Member,
}

impl Member {
    /// Those of an attribute mapping, apart from its existence.
    pub(super) const OF_ATTRIBUTE: [Self; 5] =
        [Self::Source, Self::DefaultValue, Self::MatchingPriority, Self::FlowType, Self::FlowBehavior];
    pub(super) const OF_OBJECTS: [Self; 3] = [Self::Enabled, Self::FlowTypes, Self::Scope];
    pub(super) const OF_RULE: [Self; 2] = [Self::ContainerFilter, Self::GroupFilter];

    /// Graph's names from the subject down to the value.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Existence => &[],
            Self::Source => &["source"],
            Self::DefaultValue => &["defaultValue"],
            Self::MatchingPriority => &["matchingPriority"],
            Self::FlowType => &["flowType"],
            Self::FlowBehavior => &["flowBehavior"],
            Self::Enabled => &["enabled"],
            Self::FlowTypes => &["flowTypes"],
            Self::Scope => &["scope", "groups"],
            Self::ContainerFilter => &["containerFilter", "includedContainers"],
            Self::GroupFilter => &["groupFilter", "includedGroups"],
        }
    }
}

impl Subject {
    /// The members that can be owned, apart from existence.
    pub(super) fn members(&self) -> &'static [Member] {
        match self {
            Self::Rule { .. } => &Member::OF_RULE,
            Self::Objects { .. } => &Member::OF_OBJECTS,
            Self::Attribute { .. } => &Member::OF_ATTRIBUTE,
            Self::Definition { .. } => &[],
        }
    }

    /// The target attribute, if it is an attribute mapping of these objects.
    pub(super) fn attribute_of(&self, objects: &Self) -> Option<&str> {
        let Self::Attribute { rule, source, target, attribute } = self else { return None };
        let Self::Objects { rule: of_rule, source: of_source, target: of_target } = objects else { return None };
        (rule == of_rule && source == of_source && target == of_target).then_some(attribute)
    }

    pub(super) fn path(&self, member: Member) -> Path {
        Path { subject: self.clone(), member }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule { rule } => write!(f, "rule {rule}"),
            Self::Objects { source, target, .. } => write!(f, "{source} → {target}"),
            Self::Attribute { source, target, attribute, .. } => write!(f, "{source} → {target}, {attribute}"),
            Self::Definition { directory, object, attribute } => {
                write!(f, "attribute {attribute} of {object} in {directory}")
            }
        }
    }
}
