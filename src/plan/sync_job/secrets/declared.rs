//! What a SyncJob declares of credentials and settings, parsed.

use crate::api::{CredentialValidation, RestartAfterChange, SyncJobSpec};
use crate::plan::sync_job::secrets::settings::Settings;

/// Credentials and settings as declared. What is absent is not this SyncJob's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub credentials: Vec<Credential>,
    pub validation: CredentialValidation,
    pub settings: Settings,
    pub restart: RestartAfterChange,
}

/// A credential and where its value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// As written; keys are compared without case.
    pub key: String,
    pub source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the spec: no secret.
    Value(String),
    /// In a Secret of the same namespace.
    Secret { name: String, key: String },
}

impl Default for Declared {
    fn default() -> Self {
        Self {
            credentials: Vec::new(),
            validation: CredentialValidation::Warn,
            settings: Settings::default(),
            restart: RestartAfterChange::Manual,
        }
    }
}

impl Declared {
    /// Whether anything is declared that is kept in the set.
    pub fn is_any(&self) -> bool {
        !self.credentials.is_empty() || self.settings != Settings::default()
    }

    /// Names of the Secrets that are needed, each once.
    pub fn secrets(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .credentials
            .iter()
            .filter_map(|credential| match &credential.source {
                Source::Secret { name, .. } => Some(name.as_str()),
                Source::Value(_) => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// From how many deletions on the service holds them back.
    pub fn delete_threshold(&self) -> Option<u32> {
        self.settings.delete_threshold
    }

    /// Repeats what admission checks: an object may be older than the rules.
    pub(in crate::plan) fn parse(spec: &SyncJobSpec) -> Result<Self, &'static str> {
        let mut credentials: Vec<Credential> = Vec::new();
        for credential in spec.credentials.iter().flatten() {
            let source = match (&credential.value, &credential.value_from) {
                (Some(value), None) if value != "*" && !value.is_empty() => Source::Value(value.clone()),
                (None, Some(from)) => {
                    let of = from.secret_key_ref.clone();
                    Source::Secret { name: of.name, key: of.key }
                }
                (Some(_), None) => return Err("spec.credentials must not hold the value '*' or an empty one"),
                (None, None) | (Some(_), Some(_)) => {
                    return Err("spec.credentials must have either `value` or `valueFrom` for each key");
                }
            };
            if credentials.iter().any(|known| known.key.eq_ignore_ascii_case(&credential.key)) {
                return Err("spec.credentials must name each key once");
            }
            credentials.push(Credential { key: credential.key.clone(), source });
        }
        Ok(Self {
            credentials,
            validation: spec.credential_validation.unwrap_or(CredentialValidation::Warn),
            settings: Settings::parse(spec)?,
            restart: spec.restart_after_change.unwrap_or(RestartAfterChange::Manual),
        })
    }
}
