//! Credentials and settings of the connector, as a SyncJob declares them. Graph keeps both in one set of secrets of the
//! service principal. What is not declared is not this SyncJob's and stays as it is.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::form::{GraphKey, Recipient};
use crate::api::tenant::form::{KeyOfSecret, ObjectName};

/// One credential of the connector: a key that Graph knows, and its value.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.value) != has(self.valueFrom)")
        .message("a credential must have either `value` or `valueFrom`"),
    // Those that Graph shows in no answer: they would stand in every copy of the manifest.
    validation = Rule::new("!has(self.value) || !(self.key.lowerAscii() in ['password', 'secrettoken', 'clientsecret', 'consumersecret', 'tokenkey', 'consumerkey', 'connectionstring', 'oauth2accesstoken', 'oauth2refreshtoken', 'oauth2clientsecret', 'oauth2authorizationcode', 'syncagentcompatibilitykey'])")
        .message("`value` must not be used for this key, whose value is a secret: put it into a Secret, and name that in `valueFrom.secretKeyRef`")
        .reason(Reason::FieldValueForbidden)
        .field_path(".value"),
    validation = Rule::new("!(self.key.lowerAscii() in ['syncall', 'skipoutofscopedeletions', 'syncnotificationsettings'])")
        .message("`key` must not name a setting, which has a field of its own: `scope` for SyncAll, `outOfScopeDeletions` for SkipOutOfScopeDeletions, `notifications` and `deleteThreshold` for SyncNotificationSettings")
        .reason(Reason::FieldValueForbidden)
        .field_path(".key"),
)]
pub struct JobCredential {
    /// Name of the key in Graph, such as `BaseAddress` or `SecretToken`. Case does not matter.
    #[schemars(with = "GraphKey")]
    pub key: String,
    /// The value, for keys that are no secret. Exactly one of `value` and `valueFrom` must be present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<super::form::PlainValue>")]
    pub value: Option<String>,
    /// Where the value is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<CredentialSource>,
}

/// Where the value of a credential is.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CredentialSource {
    /// A key of a Secret in the namespace of the SyncJob.
    pub secret_key_ref: SecretKeyRef,
}

/// A key of a Secret in the same namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(with = "ObjectName")]
    pub name: String,
    /// Key in the Secret.
    #[schemars(with = "KeyOfSecret")]
    pub key: String,
}

// A description of the type would hide that of the field, and with it the default. So would one of the enums below.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialValidation {
    /// They are saved, and the condition CredentialsValid says what the test came to.
    Warn,
    /// They are not saved, and the job is not started.
    Require,
    /// They are not tested.
    Skip,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All users and groups.
    All,
    /// Only those that are assigned to the application.
    Assigned,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutOfScopeDeletions {
    /// They are disabled or deleted, as the connector does.
    Process,
    /// They are left as they are.
    Skip,
}

/// Who is notified by e-mail when the service puts the job in quarantine.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Notifications {
    /// E-mail addresses. An empty list turns notifications off.
    #[schemars(with = "Vec<Recipient>", length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub recipients: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestartAfterChange {
    /// It does not: the condition Ready has the reason RestartNeeded and names the scope to use.
    Manual,
    /// It does, once for each change, and only where the service needs it.
    Automatic,
}
