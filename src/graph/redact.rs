//! Texts that others wrote, without what may be a secret or personal data in them.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use uuid::Uuid;

use super::error::{TEXT_CHARS_MAX, capped};

/// What stands in place of a part that is left out.
const HIDDEN: &str = "[…]";
/// The rest of a longer text is left out.
const READ_CHARS_MAX: usize = 16 * TEXT_CHARS_MAX;
/// A word of this length that has a digit is taken for a token.
const OPAQUE_CHARS_MIN: usize = 16;
const GUID_CHARS: usize = 36;

/// What is left out, and what is put in its place. Rather too much of a text is left out than too little.
const PATTERNS: [(&str, &str); 6] = [
    // A header to the end of its line, whatever its scheme.
    (r#"(?im)((?:authorization|cookie|api-?key)[\\"']*\s*[:=]).*$"#, "$1 […]"),
    // A scheme and its value.
    (r#"(?i)\b(bearer|basic|digest|negotiate|ntlm)(?:[\s:=+"'\\]|%20)+[^\s"']+"#, "$1 […]"),
    // A member, a field or an argument that is named like a secret.
    (
        r#"(?i)((?:passw(?:or)?d|passphrase|pwd|secret|token|api_?key|credential|signature|\bsig)[\w-]*[\\"']*\s*[:=]\s*)(?:\\*"(?:[^"\\]|\\.)*|'[^']*|[^\s"']+)"#,
        "$1[…]",
    ),
    // Who logs in at an address.
    (r#"(?i)([a-z][a-z0-9+.-]*://)[^\s/?#"'<>]*@"#, "$1[…]@"),
    // The arguments of an address.
    (r#"\?[^\s"'<>]+"#, "?[…]"),
    // An e-mail address, which is also the name of a user.
    (r#"[^\s"'<>(){}\[\],;:=|/\\]+@[^\s"'<>(){}\[\],;:=|/\\]+"#, HIDDEN),
];
/// Scheme and host of an address with its path, or a word that is long.
const LONG: &str = r#"(?i)([a-z][a-z0-9+.-]*://[^\s/?#"'<>]+)([^\s"'<>]*)|[^\s"'<>(){}\[\],;:=|\\]{16,}"#;

struct Rules {
    patterns: Vec<(Regex, &'static str)>,
    long: Regex,
}

static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| {
    let patterns = PATTERNS.iter().map(|(pattern, place)| Some((Regex::new(pattern).ok()?, *place)));
    Some(Rules { patterns: patterns.collect::<Option<_>>()?, long: Regex::new(LONG).ok()? })
});

/// A text of Graph or of a target for a person: one line of at most 256 characters, without credentials, tokens, e-mail
/// addresses and the arguments of addresses.
pub fn redacted(text: &str) -> String {
    let Some(rules) = RULES.as_ref() else { return HIDDEN.to_owned() };
    let mut text = beginning(text);
    for (pattern, place) in &rules.patterns {
        text = pattern.replace_all(&text, *place).into_owned();
    }
    capped(&rules.long.replace_all(&text, long))
}

/// A text up to a space: half a token may be too short to be recognised.
fn beginning(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(READ_CHARS_MAX) else { return text.to_owned() };
    let whole = text[..end].rfind(char::is_whitespace).map_or("", |space| &text[..space]);
    format!("{whole} {HIDDEN}")
}

/// The host of an address stays, and of its path what is no token; so does a GUID.
fn long(found: &Captures<'_>) -> String {
    match (found.get(1), found.get(2)) {
        (Some(host), Some(path)) => {
            let path: Vec<&str> = path.as_str().split('/').map(unless_opaque).collect();
            format!("{}{}", host.as_str(), path.join("/"))
        }
        _ => unless_opaque(&found[0]).to_owned(),
    }
}

fn unless_opaque(word: &str) -> &str {
    let bare = word.trim_matches('.');
    let opaque = bare.chars().count() >= OPAQUE_CHARS_MIN
        && (bare.starts_with("eyJ") || bare.chars().any(char::is_numeric))
        && !is_guid(bare);
    if opaque { HIDDEN } else { word }
}

/// In the form with hyphens: 32 digits without them may be a token.
fn is_guid(word: &str) -> bool {
    word.len() == GUID_CHARS && Uuid::try_parse(word).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GUID: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";

    #[test]
    fn every_pattern_is_one() {
        assert!(RULES.is_some());
    }
}
