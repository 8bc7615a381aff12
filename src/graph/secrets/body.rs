//! What is sent about credentials, written into memory that is wiped when the request is over.

use bytes::Bytes;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use serde::Serialize;

use super::shapes::{SecretPair, Tested};

/// The longest escape of a byte in JSON, and what stands around a pair or a whole body.
const ESCAPE_BYTES_MAX: usize = 6;
const FRAME_BYTES_MAX: usize = 256;

#[derive(Serialize)]
struct Pair<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Set<'a> {
    value: Vec<Pair<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Test<'a> {
    use_saved_credentials: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<Vec<Pair<'a>>>,
}

pub(super) fn of_set(set: &[SecretPair]) -> Option<Bytes> {
    written(&Set { value: pairs(set) }, room(set))
}

pub(super) fn of_test(tested: Tested<'_>) -> Option<Bytes> {
    let set = match tested {
        Tested::Saved => None,
        Tested::Supplied(set) => Some(set),
    };
    let test = Test { use_saved_credentials: set.is_none(), credentials: set.map(pairs) };
    written(&test, room(set.unwrap_or_default()))
}

fn pairs(set: &[SecretPair]) -> Vec<Pair<'_>> {
    set.iter().map(|pair| Pair { key: &pair.key, value: pair.value.expose_secret() }).collect()
}

/// Enough for the whole text: one that grows leaves copies of itself behind.
fn room(set: &[SecretPair]) -> usize {
    let pair = |pair: &SecretPair| (pair.key.len() + pair.value.expose_secret().len()) * ESCAPE_BYTES_MAX;
    FRAME_BYTES_MAX + set.iter().map(|each| FRAME_BYTES_MAX + pair(each)).sum::<usize>()
}

fn written(body: &impl Serialize, room: usize) -> Option<Bytes> {
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    serde_json::to_writer(&mut *text, body).ok()?;
    Some(Bytes::from_owner(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(key: &str, value: &str) -> SecretPair {
        SecretPair { key: key.to_owned(), value: value.into() }
    }

    #[test]
    fn a_body_has_the_form_of_its_request() {
        let set = [pair("BaseAddress", "https://scim.example.test"), pair("SecretToken", "a\"b")];
        let pairs =
            r#"[{"key":"BaseAddress","value":"https://scim.example.test"},{"key":"SecretToken","value":"a\"b"}]"#;
        assert_eq!(of_set(&set).unwrap(), format!(r#"{{"value":{pairs}}}"#));
        assert_eq!(of_set(&[]).unwrap(), r#"{"value":[]}"#);
        assert_eq!(of_test(Tested::Saved).unwrap(), r#"{"useSavedCredentials":true}"#);
        assert_eq!(
            of_test(Tested::Supplied(&set)).unwrap(),
            format!(r#"{{"useSavedCredentials":false,"credentials":{pairs}}}"#)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn there_is_room_for_every_set(pairs in proptest::collection::vec(("\\PC{0,9}|[\u{0}-\u{1f}]{0,40}", "\\PC{0,9}|[\u{0}-\u{1f}]{0,40}"), 0..9)) {
            let set: Vec<SecretPair> = pairs.iter().map(|(key, value)| pair(key, value)).collect();
            prop_assert!(of_set(&set).unwrap().len() <= room(&set));
            prop_assert!(of_test(Tested::Supplied(&set)).unwrap().len() <= room(&set));
        }
    }
}
