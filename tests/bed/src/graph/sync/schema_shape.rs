//! The members of a schema at each level, with what stands for one that is left out (CONTRACT §3.8).

use serde_json::{Value, json};

/// What a member is.
pub enum Member {
    Plain(Absent),
    One(&'static Shape),
    Many(&'static Shape),
}

/// What a plain member is where nobody gave it.
#[derive(Clone, Copy)]
pub enum Absent {
    /// It may be missing, and is not made up.
    Missing,
    Null,
    No,
    Zero,
    Empty,
    List,
    Text(&'static str),
}

/// The members of an object, and those that its order among others follows from.
pub struct Shape {
    pub members: &'static [(&'static str, Member)],
    pub sorted_by: &'static [&'static str],
}

impl Member {
    /// The value of a member that is missing; none if it stays so.
    pub fn default(&self) -> Option<Value> {
        match self {
            Self::One(_) | Self::Plain(Absent::Null) => Some(Value::Null),
            Self::Many(_) | Self::Plain(Absent::List) => Some(json!([])),
            Self::Plain(Absent::Missing) => None,
            Self::Plain(Absent::No) => Some(json!(false)),
            Self::Plain(Absent::Zero) => Some(json!(0)),
            Self::Plain(Absent::Empty) => Some(json!("")),
            Self::Plain(Absent::Text(text)) => Some(json!(text)),
        }
    }
}

use Absent::{Empty, List, Missing, No, Null, Text, Zero};
use Member::{Many, One, Plain};

const PAIR: Shape = Shape { members: &[("key", Plain(Empty)), ("value", Plain(Null))], sorted_by: &["key"] };
static METADATA: Shape = PAIR;
static API_EXPRESSION: Shape = PAIR;

pub static SCHEMA: Shape = Shape {
    members: &[
        ("id", Plain(Missing)),
        ("version", Plain(Missing)),
        ("provisioningTaskIdentifier", Plain(Missing)),
        ("synchronizationRules", Many(&RULE)),
        ("directories", Many(&DIRECTORY)),
    ],
    sorted_by: &[],
};

pub static RULE: Shape = Shape {
    members: &[
        ("id", Plain(Missing)),
        ("name", Plain(Null)),
        ("priority", Plain(Zero)),
        ("editable", Plain(No)),
        ("sourceDirectoryName", Plain(Null)),
        ("targetDirectoryName", Plain(Null)),
        ("containerFilter", One(&CONTAINER_FILTER)),
        ("groupFilter", One(&GROUP_FILTER)),
        ("metadata", Many(&METADATA)),
        ("objectMappings", Many(&OBJECT_MAPPING)),
    ],
    sorted_by: &["priority", "id"],
};

static CONTAINER_FILTER: Shape = Shape { members: &[("includedContainers", Plain(List))], sorted_by: &[] };
static GROUP_FILTER: Shape = Shape { members: &[("includedGroups", Plain(List))], sorted_by: &[] };

static OBJECT_MAPPING: Shape = Shape {
    members: &[
        ("name", Plain(Null)),
        ("enabled", Plain(No)),
        ("flowTypes", Plain(Text("None"))),
        ("sourceObjectName", Plain(Empty)),
        ("targetObjectName", Plain(Empty)),
        ("scope", One(&FILTER)),
        ("attributeMappings", Many(&ATTRIBUTE_MAPPING)),
        ("metadata", Many(&METADATA)),
    ],
    sorted_by: &["sourceObjectName", "targetObjectName"],
};

static ATTRIBUTE_MAPPING: Shape = Shape {
    members: &[
        ("targetAttributeName", Plain(Empty)),
        ("source", One(&SOURCE)),
        ("defaultValue", Plain(Null)),
        ("matchingPriority", Plain(Zero)),
        ("exportMissingReferences", Plain(No)),
        ("flowBehavior", Plain(Text("FlowWhenChanged"))),
        ("flowType", Plain(Text("Always"))),
    ],
    sorted_by: &["targetAttributeName"],
};

static SOURCE: Shape = Shape {
    members: &[
        ("type", Plain(Text("Attribute"))),
        ("name", Plain(Empty)),
        ("expression", Plain(Empty)),
        ("parameters", Many(&PARAMETER)),
    ],
    sorted_by: &[],
};

/// Arguments keep their order.
static PARAMETER: Shape = Shape { members: &[("key", Plain(Empty)), ("value", One(&SOURCE))], sorted_by: &[] };

static FILTER: Shape = Shape {
    members: &[
        ("groups", Many(&FILTER_GROUP)),
        ("categoryFilterGroups", Many(&FILTER_GROUP)),
        ("inputFilterGroups", Many(&FILTER_GROUP)),
    ],
    sorted_by: &[],
};

static FILTER_GROUP: Shape =
    Shape { members: &[("name", Plain(Null)), ("clauses", Many(&CLAUSE))], sorted_by: &["name"] };

static CLAUSE: Shape = Shape {
    members: &[("operatorName", Plain(Empty)), ("sourceOperandName", Plain(Empty)), ("targetOperand", One(&OPERAND))],
    sorted_by: &["sourceOperandName", "operatorName"],
};

static OPERAND: Shape = Shape { members: &[("values", Plain(List))], sorted_by: &[] };

static DIRECTORY: Shape = Shape {
    members: &[
        ("id", Plain(Missing)),
        ("name", Plain(Empty)),
        ("readOnly", Plain(No)),
        ("version", Plain(Null)),
        ("discoveryDateTime", Plain(Null)),
        ("discoverabilities", Plain(Text("None"))),
        ("objects", Many(&OBJECT)),
    ],
    sorted_by: &["name"],
};

static OBJECT: Shape = Shape {
    members: &[
        ("name", Plain(Empty)),
        ("supportedApis", Plain(List)),
        ("attributes", Many(&ATTRIBUTE)),
        ("metadata", Many(&METADATA)),
    ],
    sorted_by: &["name"],
};

static ATTRIBUTE: Shape = Shape {
    members: &[
        ("name", Plain(Empty)),
        ("type", Plain(Text("String"))),
        ("anchor", Plain(No)),
        ("caseExact", Plain(No)),
        ("multivalued", Plain(No)),
        ("required", Plain(No)),
        ("flowNullValues", Plain(No)),
        ("mutability", Plain(Text("ReadWrite"))),
        ("defaultValue", Plain(Null)),
        ("apiExpressions", Many(&API_EXPRESSION)),
        ("referencedObjects", Many(&REFERENCED)),
        ("metadata", Many(&METADATA)),
    ],
    sorted_by: &["name"],
};

static REFERENCED: Shape = Shape {
    members: &[("referencedObjectName", Plain(Empty)), ("referencedProperty", Plain(Null))],
    sorted_by: &["referencedObjectName"],
};
