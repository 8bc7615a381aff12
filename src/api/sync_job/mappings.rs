//! Attribute mappings as a SyncJob declares them: an overlay over the schema of the job. What is not written here is not this
//! SyncJob's and stays as it is.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::form::{AttributeName, ExpressionText, FilterOperator, SchemaObjectName};

/// The part of the job's schema that this SyncJob owns.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct Mappings {
    /// Name of the synchronization rule. Default: the one rule that has the object mapping; where several have it, the name
    /// is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<SchemaObjectName>")]
    pub rule_name: Option<String>,
    /// What becomes of attribute mappings that are not listed. Default: Merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<MappingPolicy>,
    /// What becomes of an entry that is taken out of this list, and of all of them when the job is let go. Default: Restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_release: Option<OnRelease>,
    /// The object mappings that this SyncJob changes, by their two names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["sourceObjectName".into(), "targetObjectName".into()]))]
    pub object_mappings: Vec<ObjectMapping>,
    /// The organizational units that are in scope (Cloud Sync). Default: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_filter: Option<ContainerFilter>,
    /// The groups whose members are in scope (Cloud Sync). Default: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_filter: Option<GroupFilter>,
    /// What expressions must come to. The service evaluates them; nothing is saved while one fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub tests: Vec<MappingTest>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MappingPolicy {
    /// They stay as they are.
    Merge,
    /// They are removed from the object mappings that list at least one.
    Exact,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnRelease {
    /// What was there before comes back, unless somebody has changed it meanwhile.
    Restore,
    /// It stays as this SyncJob made it.
    Keep,
}

/// One object mapping: which objects of the source become which objects of the target.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.flowTypes) || size(self.flowTypes) > 0")
    .field_path(".flowTypes")
    .message("`flowTypes` must not be empty: to switch off the provisioning of such objects, set `enabled: false`"))]
pub struct ObjectMapping {
    /// Name of the source object, such as `User`.
    #[schemars(with = "SchemaObjectName")]
    pub source_object_name: String,
    /// Name of the target object, such as `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`.
    #[schemars(with = "SchemaObjectName")]
    pub target_object_name: String,
    /// Whether such objects are provisioned at all. Default: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What the service may do in the target, at least one of these. Default: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub flow_types: Option<Vec<ObjectFlowType>>,
    /// Which objects are in scope, by their attributes. Written, it replaces the whole filter; without groups there is none.
    /// Default: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeFilter>,
    /// Attributes that are added to the source or the target where they are missing. They are not taken away while anything
    /// uses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["side".into(), "name".into()]))]
    pub attribute_definitions: Vec<AttributeDefinition>,
    /// Attribute mappings, by their target attribute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["targetAttributeName".into()]))]
    pub attribute_mappings: Vec<AttributeMapping>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectFlowType {
    /// Objects are created.
    Add,
    /// Objects are changed.
    Update,
    /// Objects are deleted, or disabled, as the connector does.
    Delete,
}

/// A filter: an object is in scope if all clauses of one group hold for it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct ScopeFilter {
    /// The groups of clauses, of which one must hold.
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub groups: Vec<ScopeGroup>,
}

/// Clauses that must all hold.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct ScopeGroup {
    /// Name of the group, as the portal shows it.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// The clauses.
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub clauses: Vec<ScopeClause>,
}

/// One comparison of an attribute of the source.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct ScopeClause {
    /// Name of the attribute of the source.
    #[schemars(with = "AttributeName")]
    pub attribute: String,
    /// Graph's name of the operator, such as `EQUALS`, `NOT EQUALS`, `IS TRUE`, `IS NULL` or `REGEX MATCH`.
    #[schemars(with = "FilterOperator")]
    pub operator: String,
    /// What it is compared with; none for operators that compare with nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub values: Vec<String>,
}

/// An attribute that the source or the target has beyond what the template knows.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct AttributeDefinition {
    /// Which of the two objects has it.
    pub side: Side,
    /// Its name. Case matters.
    #[schemars(with = "AttributeName")]
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub type_: AttributeType,
    /// Whether it has several values. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multivalued: Option<bool>,
    /// Whether an object must have it. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Whether case matters when its values are compared. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_exact: Option<bool>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The source object.
    Source,
    /// The target object.
    Target,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeType {
    String,
    Integer,
    Reference,
    Binary,
    Boolean,
    DateTime,
}

/// How one attribute of the target gets its value. Members that are not written stay as they are.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.state) || self.state != 'Absent' || (!has(self.expression) && !has(self.defaultValue) && !has(self.matchingPriority) && !has(self.flowType) && !has(self.flowBehavior))")
        .message("an attribute mapping with `state: Absent` must have no other member than `targetAttributeName`: it is removed"),
    validation = Rule::new("has(self.state) || has(self.expression) || has(self.defaultValue) || has(self.matchingPriority) || has(self.flowType) || has(self.flowBehavior)")
        .message("an attribute mapping must say something of the attribute: `expression`, `defaultValue`, `matchingPriority`, `flowType`, `flowBehavior` or `state`"),
)]
pub struct AttributeMapping {
    /// Name of the attribute of the target, such as `userName` or `emails[type eq "work"].value`.
    #[schemars(with = "AttributeName")]
    pub target_attribute_name: String,
    /// Whether there is such a mapping. Default: Present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MappingState>,
    /// Where the value comes from, in Entra ID's words: `[mail]` is an attribute of the source, `"Member"` a constant,
    /// `Join(" ", [givenName], [surname])` a function. A mapping that is not there yet needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ExpressionText>")]
    pub expression: Option<String>,
    /// The value where the expression comes to none. The service uses it only when it creates an object. Empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub default_value: Option<String>,
    /// The place of this attribute among those that objects are matched by, 1 first; 0 takes it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub matching_priority: Option<i32>,
    /// When the value is written. Graph's default is Always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_type: Option<AttributeFlowType>,
    /// Whether the value is written again although it has not changed. Graph's default is FlowWhenChanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_behavior: Option<FlowBehavior>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MappingState {
    /// There is one.
    Present,
    /// There is none.
    Absent,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeFlowType {
    /// Whenever it flows.
    Always,
    /// When the object is created.
    ObjectAddOnly,
    /// Values are added to a multi-valued attribute and never removed.
    MultiValueAddOnly,
    /// Single values are added and never removed.
    ValueAddOnly,
    /// When the object does not have the attribute yet.
    AttributeAddOnly,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowBehavior {
    /// When it has changed.
    FlowWhenChanged,
    /// At each cycle.
    FlowAlways,
}

/// Organizational units.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct ContainerFilter {
    /// Distinguished names, such as `OU=People,DC=example,DC=com`. Empty: all are in scope.
    #[schemars(length(max = 64), inner(length(min = 1, max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub included_containers: Vec<String>,
}

/// Groups.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct GroupFilter {
    /// Distinguished names of the groups. Empty: all are in scope.
    #[schemars(length(max = 64), inner(length(min = 1, max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub included_groups: Vec<String>,
}

/// What one expression must come to.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct MappingTest {
    /// Name of the test, for messages.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// Target object of the object mapping that is meant. Default: the only one that lists the attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<SchemaObjectName>")]
    pub target_object_name: Option<String>,
    /// Target attribute whose declared expression is evaluated.
    #[schemars(with = "AttributeName")]
    pub target_attribute_name: String,
    /// Attributes of the source with one value each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {"type": "string", "maxLength": 4096}))]
    pub given: BTreeMap<String, String>,
    /// Attributes of the source with several values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16, "additionalProperties" = {
        "type": "array", "maxItems": 64, "x-kubernetes-list-type": "atomic", "items": {"type": "string", "maxLength": 4096},
    }))]
    pub given_collections: BTreeMap<String, Vec<String>>,
    /// The values that it must come to, in this order; empty: none.
    #[schemars(length(max = 64), inner(length(max = 4096)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub expect: Vec<String>,
}
