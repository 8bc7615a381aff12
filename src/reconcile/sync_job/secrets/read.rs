//! The set as Graph shows it, as tags.

use secrecy::ExposeSecret;

use crate::cluster::fingerprint::FingerprintKey;
use crate::graph::{self, SecretPair};
use crate::plan::Fact;
use crate::plan::secrets::{LiveSecret, LiveValue, SettingKey, Tag, Text, meaning};
use crate::reconcile::sync_job::scene::Scene;
use crate::reconcile::sync_job::translate::found;
use crate::reconcile::trouble::cluster_trouble;

pub(super) const READING_THE_KEY: &str = "reading the key of fingerprints, the Secret 'entrain-fingerprint'";

pub(in crate::reconcile::sync_job) async fn live(scene: &Scene<'_>) -> Fact {
    let key = match scene.context.fingerprints.key().await {
        Ok(key) => key,
        Err(error) => return Fact::Trouble(cluster_trouble(&error, READING_THE_KEY)),
    };
    found(scene.graph().list_secrets(scene.service_principal()).await, |set| {
        let live: Vec<LiveSecret> = set.iter().map(|pair| observed(pair, key)).collect();
        scene.vault.keep_live(set);
        Fact::SecretsRead(live)
    })
}

pub(super) fn observed(pair: &SecretPair, key: &FingerprintKey) -> LiveSecret {
    let text = pair.value.expose_secret();
    let value = if graph::is_masked(&pair.key, text) {
        LiveValue::Masked
    } else if SettingKey::named(&pair.key).is_some() {
        LiveValue::Setting(Text(text.to_owned()))
    } else {
        LiveValue::Shown(tag(key, &pair.key, text))
    };
    LiveSecret { key: pair.key.clone(), value }
}

/// Two spellings of one value have one tag, and one value has another tag under each key.
pub(super) fn tag(key: &FingerprintKey, name: &str, value: &str) -> Tag {
    Tag(key.tag(&[&name.to_ascii_lowercase(), &meaning::of(value)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_compare_by_meaning_and_tell_keys_apart() {
        let key = FingerprintKey::for_tests([1; 32]);
        assert_eq!(tag(&key, "Domain", r#"{"domain":"a"}"#), tag(&key, "domain", r#"{ "Domain": "a" }"#));
        assert_ne!(tag(&key, "UserName", "a"), tag(&key, "Password", "a"));
        assert_ne!(tag(&key, "UserName", "a"), tag(&key, "UserName", "b"));
    }
}
