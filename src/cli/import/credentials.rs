//! The credentials of the connector, as far as Graph shows them and a SyncJob can hold them.

use secrecy::ExposeSecret;

use super::held::{is_key, is_value};
use crate::api::JobCredential;
use crate::graph::{SecretPair, is_masked};
use crate::plan::secrets::SettingKey;

/// How many credentials a SyncJob may declare.
const CREDENTIALS_MAX: usize = 40;

/// What becomes of each key of the set that is no setting.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Credentials {
    pub shown: Vec<JobCredential>,
    /// Keys whose values Graph does not show.
    pub hidden: Vec<String>,
    /// Keys that have no place.
    pub left_out: Vec<String>,
}

/// The credentials of a set.
pub(super) fn read(set: &[SecretPair]) -> Credentials {
    let mut read = Credentials::default();
    for SecretPair { key, value } in set.iter().filter(|pair| SettingKey::named(&pair.key).is_none()) {
        let value = value.expose_secret();
        let once = set.iter().filter(|other| other.key.eq_ignore_ascii_case(key)).count() == 1;
        if !is_key(key) || !once {
            read.left_out.push(key.clone());
        } else if is_masked(key, value) {
            read.hidden.push(key.clone());
        } else if is_value(value) && read.shown.len() < CREDENTIALS_MAX {
            read.shown.push(JobCredential { key: key.clone(), value: Some(value.to_owned()), value_from: None });
        } else {
            read.left_out.push(key.clone());
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_shown_and_fits_is_written_and_no_setting() {
        let pairs = [
            ("BaseAddress", "https://a.test"),
            ("SecretToken", "readable"),
            ("UserName", "***"),
            ("syncall", "true"),
            ("Domain", "a"),
            ("domain", "b"),
            ("odd key", "a"),
            ("Long", &"a".repeat(4097)),
        ];
        let set = pairs.map(|(key, value)| SecretPair { key: key.to_owned(), value: value.into() });
        let read = read(&set);
        assert_eq!(read.shown.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["BaseAddress"]);
        assert_eq!(read.hidden, ["SecretToken", "UserName"]);
        assert_eq!(read.left_out, ["Domain", "domain", "odd key", "Long"]);
    }

    #[test]
    fn there_are_not_more_than_a_sync_job_may_declare() {
        let set: Vec<SecretPair> =
            (0..42).map(|number| SecretPair { key: format!("Key{number}"), value: "a".into() }).collect();
        let read = read(&set);
        assert_eq!((read.shown.len(), read.left_out.len()), (40, 2));
    }
}
