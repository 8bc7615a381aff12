//! JSON as a short text: compressed, and in base64.

use std::io::{Read, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::de::DeserializeOwned;

/// An object may have one and a half times as much; the rest is room for what else it holds.
const PACKED_BYTES_MAX: usize = 1024 * 1024;
/// A schema has at most half of it; a text that unpacks to more than it looks would take all memory.
const UNPACKED_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Why there is no text, or none that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it has no content")]
    Absent,
    #[error("it is no gzip in base64")]
    NotPacked,
    #[error("it is not what this version writes, or nested too deeply")]
    NotReadable,
    #[error("it is larger than {} MiB", UNPACKED_BYTES_MAX / (1024 * 1024))]
    UnpackedTooLarge,
    #[error("compressed it is larger than {} MiB", PACKED_BYTES_MAX / (1024 * 1024))]
    PackedTooLarge,
}

pub(super) fn pack(text: &str) -> Result<String, Flaw> {
    if text.len() as u64 > UNPACKED_BYTES_MAX {
        return Err(Flaw::UnpackedTooLarge);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).map_err(|_| Flaw::NotPacked)?;
    let packed = BASE64_STANDARD.encode(packed);
    if packed.len() > PACKED_BYTES_MAX {
        return Err(Flaw::PackedTooLarge);
    }
    Ok(packed)
}

/// Without a document in between: what the type does not have takes no memory.
pub(super) fn unpack<T: DeserializeOwned>(packed: &str) -> Result<T, Flaw> {
    serde_json::from_slice(&text(packed)?).map_err(|_| Flaw::NotReadable)
}

/// Whether it is this text that was packed.
pub(super) fn holds(packed: &str, content: &str) -> bool {
    text(packed).is_ok_and(|text| text == content.as_bytes())
}

fn text(packed: &str) -> Result<Vec<u8>, Flaw> {
    let packed = BASE64_STANDARD.decode(packed).map_err(|_| Flaw::NotPacked)?;
    let (mut text, mut decoder) = (Vec::new(), GzDecoder::new(&*packed).take(UNPACKED_BYTES_MAX + 1));
    decoder.read_to_end(&mut text).map_err(|_| Flaw::NotPacked)?;
    if text.len() as u64 > UNPACKED_BYTES_MAX {
        return Err(Flaw::UnpackedTooLarge);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Compressed, whatever is in it.
    fn packed(text: &[u8]) -> String {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        BASE64_STANDARD.encode(encoder.finish().unwrap())
    }

    #[test]
    fn other_tools_can_read_it() {
        let text = pack(r#"{"a":0.1,"b":[1,null,"ä"]}"#).unwrap();
        let mut read = String::new();
        GzDecoder::new(&*BASE64_STANDARD.decode(&text).unwrap()).read_to_string(&mut read).unwrap();
        assert_eq!(read, r#"{"a":0.1,"b":[1,null,"ä"]}"#);
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_something_else() {
        let whole = packed(b"{}");
        assert_eq!(unpack::<Value>(&whole), Ok(json!({})));
        for (text, flaw) in [
            ("", Flaw::NotPacked),
            ("{}", Flaw::NotPacked),
            (&BASE64_STANDARD.encode("{}"), Flaw::NotPacked),
            (&BASE64_STANDARD.encode(&BASE64_STANDARD.decode(&whole).unwrap()[..12]), Flaw::NotPacked),
            (&packed(b"{"), Flaw::NotReadable),
            (&packed(b""), Flaw::NotReadable),
        ] {
            assert_eq!(unpack::<Value>(text), Err(flaw), "{text}");
        }
    }

    #[test]
    fn what_unpacks_to_more_than_it_looks_is_not_unpacked() {
        let bomb = packed(&vec![b' '; usize::try_from(UNPACKED_BYTES_MAX).unwrap() + 1]);
        assert!(bomb.len() < PACKED_BYTES_MAX / 4);
        assert_eq!(unpack::<Value>(&bomb), Err(Flaw::UnpackedTooLarge));
    }

    #[test]
    fn what_would_not_be_unpacked_is_not_kept() {
        let large = " ".repeat(usize::try_from(UNPACKED_BYTES_MAX).unwrap() + 1);
        assert_eq!(pack(&large), Err(Flaw::UnpackedTooLarge));
    }

    #[test]
    fn one_mebibyte_is_the_limit_of_what_is_stored() {
        // Letters without a pattern take three quarters of their length, and in base64 a third more.
        let noise = |length: usize| {
            let mut random = fastrand::Rng::with_seed(7);
            (0..length).map(|_| char::from(random.alphanumeric() as u8)).collect::<String>()
        };
        assert!(pack(&noise(900 * 1024)).unwrap().len() > 800 * 1024);
        assert_eq!(pack(&noise(1200 * 1024)), Err(Flaw::PackedTooLarge));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_packed_comes_back(text in "\\PC{0,200}", number in any::<i64>()) {
            let content = json!({"text": text, "number": number, text.clone(): [text]});
            let packed = pack(&content.to_string()).unwrap();
            prop_assert_eq!(unpack(&packed), Ok(content.clone()));
            prop_assert!(holds(&packed, &content.to_string()));
            prop_assert!(!holds(&packed, "null"));
        }
    }
}
