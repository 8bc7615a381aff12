//! The set as Graph shows it, as tags.

use secrecy::ExposeSecret;

use crate::cluster::fingerprint::FingerprintKey;
use crate::graph::SecretPair;
use crate::plan::Fact;
use crate::plan::secrets::{LiveSecret, LiveValue, SettingKey, Tag, Text, meaning};
use crate::reconcile::sync_job::scene::Scene;
use crate::reconcile::sync_job::translate::found;
use crate::reconcile::trouble::cluster_trouble;

pub(super) const READING_THE_KEY: &str = "reading the key of fingerprints, the Secret 'entrain-fingerprint'";

/// Keys whose values Graph does not show (`synchronizationSecret`; those of `SecretToken` and `ClientSecret` are observed).
/// What it shows in their place differs.
#[rustfmt::skip]
const MASKED: [&str; 12] = [
    "Password", "SecretToken", "ClientSecret", "ConsumerSecret", "TokenKey", "ConsumerKey", "ConnectionString",
    "Oauth2AccessToken", "Oauth2RefreshToken", "Oauth2ClientSecret", "Oauth2AuthorizationCode",
    "SyncAgentCompatibilityKey",
];

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
    let value = if is_masked(&pair.key, text) {
        LiveValue::Masked
    } else if SettingKey::named(&pair.key).is_some() {
        LiveValue::Setting(Text(text.to_owned()))
    } else {
        LiveValue::Shown(tag(key, &pair.key, text))
    };
    LiveSecret { key: pair.key.clone(), value }
}

/// Whether a value is not the one that is stored, or may not be.
pub(super) fn is_masked(key: &str, text: &str) -> bool {
    MASKED.iter().any(|masked| masked.eq_ignore_ascii_case(key))
        || text.is_empty()
        || text.contains("***")
        || text.chars().all(|c| c == '*')
}

/// Two spellings of one value have one tag, and one value has another tag under each key.
pub(super) fn tag(key: &FingerprintKey, name: &str, value: &str) -> Tag {
    Tag(key.tag(&[&name.to_ascii_lowercase(), &meaning::of(value)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_mask_is_not_taken_for_a_value() {
        for (key, text) in [
            ("SecretToken", "*"),
            ("secrettoken", "t0ken"),
            ("Url", "*"),
            ("Url", "***"),
            ("UserName", "a***"),
            ("BaseAddress", ""),
            ("Password", "readable"),
        ] {
            assert!(is_masked(key, text), "{key} {text}");
        }
        for (key, text) in [("BaseAddress", "https://scim.example.test/v2"), ("SyncAll", "false"), ("UserName", "a*b")]
        {
            assert!(!is_masked(key, text), "{key} {text}");
        }
    }

    #[test]
    fn tags_compare_by_meaning_and_tell_keys_apart() {
        let key = FingerprintKey::for_tests([1; 32]);
        assert_eq!(tag(&key, "Domain", r#"{"domain":"a"}"#), tag(&key, "domain", r#"{ "Domain": "a" }"#));
        assert_ne!(tag(&key, "UserName", "a"), tag(&key, "Password", "a"));
        assert_ne!(tag(&key, "UserName", "a"), tag(&key, "UserName", "b"));
    }
}
