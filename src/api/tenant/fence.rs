//! Which namespaces may use a cluster tenant, and for what. Nothing is allowed that is not written.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::form::{Guid, LabelValue, ShortName};
use crate::api::sync_job::policy::Mode;

/// Lets namespaces use the tenant: those that are named, or those that a selector matches.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    // With both it would be open whether either is enough.
    validation = Rule::new("has(self.namespaces) != has(self.namespaceSelector)")
        .message("a grant must have either `namespaces` or `namespaceSelector`: write a second grant for the other, and `namespaceSelector: {}` to allow all namespaces"),
)]
pub struct NamespaceGrant {
    /// Names of namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<ShortName>>", length(min = 1, max = 256))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub namespaces: Option<Vec<String>>,
    /// Labels of namespaces; `{}` stands for all namespaces. Whoever may write the labels of a namespace can open the fence
    /// for it, so prefer names, or the label `kubernetes.io/metadata.name`, which the API server itself sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<NamespaceSelector>,
    /// Object ids of the only service principals that these namespaces may use. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Guid>>", length(min = 1, max = 256))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub service_principal_ids: Option<Vec<String>>,
    /// The only modes that SyncJobs of these namespaces may have. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub modes: Option<Vec<Mode>>,
}

/// Labels that a namespace must have: all that is written here.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Labels with their values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, LabelValue>>", extend("maxProperties" = 16))]
    pub match_labels: Option<BTreeMap<String, String>>,
    /// Requirements on labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub match_expressions: Option<Vec<LabelRequirement>>,
}

/// A requirement on one label.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)")
        .message("`values` must be there with the operators 'In' and 'NotIn', and must be absent with 'Exists' and 'DoesNotExist'")
        .field_path(".values"),
)]
pub struct LabelRequirement {
    /// Key of the label.
    #[schemars(length(min = 1, max = 317))]
    pub key: String,
    /// How the label is compared.
    pub operator: LabelOperator,
    /// What it is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<LabelValue>>", length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub values: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelOperator {
    /// The label is there and has one of the values.
    In,
    /// The label is not there, or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
}

impl LabelOperator {
    const fn name(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
        }
    }
}

/// Kubernetes' own type, which `kube::core::Selector` evaluates.
impl From<&NamespaceSelector> for LabelSelector {
    fn from(selector: &NamespaceSelector) -> Self {
        let requirement = |one: &LabelRequirement| LabelSelectorRequirement {
            key: one.key.clone(),
            operator: one.operator.name().to_owned(),
            values: one.values.clone(),
        };
        Self {
            match_labels: selector.match_labels.clone(),
            match_expressions: selector
                .match_expressions
                .as_ref()
                .map(|requirements| requirements.iter().map(requirement).collect()),
        }
    }
}
