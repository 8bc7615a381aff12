//! What status says of the credentials and settings of the service principal: names, fingerprints, times; never a value.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::content::Scope;

/// The set of credentials and settings, as far as it concerns this SyncJob.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsStatus {
    /// The declared credentials as they were last saved, or found to be saved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["key".into()]))]
    pub keys: Vec<KeyFingerprint>,
    /// Keys of the set that are neither declared credentials nor declared settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub foreign_keys: Vec<String>,
    /// When the set was last saved by this SyncJob; absent as long as it was only found to be as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_time: Option<Time>,
    /// What the last test of the declared credentials came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<CredentialTest>,
    /// The scope that the job has last begun from the start with, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_in_force: Option<Scope>,
}

/// A credential that is saved.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct KeyFingerprint {
    /// Name of the key.
    #[schemars(length(min = 1, max = 64))]
    pub key: String,
    /// Keyed fingerprint of the value (HMAC-SHA256, shortened). The same value has the same fingerprint in one installation
    /// only.
    #[schemars(length(min = 1, max = 64))]
    pub fingerprint: String,
}

/// The service's test of credentials against the target.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CredentialTest {
    /// What it came to.
    pub result: CredentialTestResult,
    /// The service's code, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub code: Option<String>,
    /// When it was made.
    pub time: Time,
    /// Fingerprint of all declared credentials together, as they were tested.
    #[schemars(length(min = 1, max = 64))]
    pub fingerprint: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialTestResult {
    /// The target accepts them.
    Accepted,
    /// The target rejects them, or the connector says that some are missing.
    Rejected,
    /// The service could not reach the target, or did not understand its answer.
    Unreachable,
    /// The test gave no answer in time.
    NoAnswer,
    /// The service answered with a code that this version does not know.
    Unclear,
}
