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
    #[serde(skip_serializing_if = "Option::is_none")]
    template_id: Option<&'a str>,
    use_saved_credentials: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<Vec<Pair<'a>>>,
}

/// What is tested, and for the jobs of which template if no job says so.
pub(super) struct Tests<'a> {
    pub template: Option<&'a str>,
    pub tested: Tested<'a>,
}

pub(super) fn of_set(set: &[SecretPair]) -> Option<Bytes> {
    written(&Set { value: pairs(set) }, room(set))
}

pub(super) fn of_test(tests: &Tests<'_>) -> Option<Bytes> {
    let set = match tests.tested {
        Tested::Saved => None,
        Tested::Supplied(set) => Some(set),
    };
    let test = Test { template_id: tests.template, use_saved_credentials: set.is_none(), credentials: set.map(pairs) };
    let template = tests.template.map_or(0, str::len) * ESCAPE_BYTES_MAX;
    written(&test, template + room(set.unwrap_or_default()))
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
        let test = |template, tested| of_test(&Tests { template, tested }).unwrap();
        assert_eq!(of_set(&set).unwrap(), format!(r#"{{"value":{pairs}}}"#));
        assert_eq!(of_set(&[]).unwrap(), r#"{"value":[]}"#);
        assert_eq!(test(None, Tested::Saved), r#"{"useSavedCredentials":true}"#);
        assert_eq!(
            test(Some("scim"), Tested::Supplied(&set)),
            format!(r#"{{"templateId":"scim","useSavedCredentials":false,"credentials":{pairs}}}"#)
        );
    }

    proptest! {
        #[test]
        fn there_is_room_for_every_set(pairs in proptest::collection::vec(("\\PC{0,9}|[\u{0}-\u{1f}]{0,40}", "\\PC{0,9}|[\u{0}-\u{1f}]{0,40}"), 0..9), template in "[\u{0}-\u{1f}]{0,300}") {
            let set: Vec<SecretPair> = pairs.iter().map(|(key, value)| pair(key, value)).collect();
            prop_assert!(of_set(&set).unwrap().len() <= room(&set));
            let test = of_test(&Tests { template: Some(&template), tested: Tested::Supplied(&set) }).unwrap();
            prop_assert!(test.len() <= room(&set) + template.len() * ESCAPE_BYTES_MAX);
        }
    }
}
