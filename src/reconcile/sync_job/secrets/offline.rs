//! The same comparison where there is no cluster: values in Secrets are not known, and tags are good for one run.

use super::read::{observed, tag};
use crate::cluster::fingerprint::FingerprintKey;
use crate::graph::SecretPair;
use crate::plan::secrets::{Source, Wanted, WantedKey, WantedValue};
use crate::plan::{Desired, Fact};

/// Makes the tags of one run.
pub(crate) struct Offline(FingerprintKey);

impl Offline {
    pub(crate) fn new() -> Self {
        Self(FingerprintKey::of_one_run())
    }

    /// The set as Graph shows it.
    pub(crate) fn live(&self, set: &[SecretPair]) -> Fact {
        Fact::SecretsRead(set.iter().map(|pair| observed(pair, &self.0)).collect())
    }

    /// What is declared.
    pub(crate) fn declared(&self, desired: &Desired) -> Fact {
        let wanted = desired.content.credentials.iter().map(|credential| {
            let value = match &credential.source {
                Source::Value(value) => WantedValue::Known(tag(&self.0, &credential.key, value)),
                Source::Secret { .. } => WantedValue::NotRead,
            };
            WantedKey { key: credential.key.clone(), value }
        });
        Fact::CredentialsRead(Wanted {
            credentials: wanted.collect(),
            fingerprint: None,
            known: Vec::new(),
            others: Vec::new(),
            holders: Vec::new(),
        })
    }
}
