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

    #[test]
    fn secrets_are_left_out_wherever_they_stand() {
        for text in [
            "Authorization: Bearer canary",
            "authorization : Digest username=\"canary\", response=\"canary\"\r\nX: y",
            "{\"Authorization\":\"canary canary\"}",
            r#"{\"Authorization\":\"canary canary\"}"#,
            "Cookie: a=canary; b=canary",
            "X-Api-Key: canary",
            "the header was Bearer canary",
            "the header was 'bearer' \"canary\"",
            "got Bearer%20canary",
            "Basic canary==",
            "X-Auth-Token: canary",
            "{\"SecretToken\": \"ca\\\"canary canary\", \"a\": 1}",
            r#"{\"key\":\"SecretToken\"}, {\"clientSecret\":\"canary canary\"}"#,
            "password=canary",
            "password = 'canary canary'",
            "Pwd: canary,canary;canary",
            "https://canary:canary@scim.example.test/v2",
            "https://canary@scim.example.test",
            "https://scim.example.test/v2?filter=userName%20eq%20canary&b=canary#canary",
            "GET /Users?id=canary",
            "no user canary@example.test, canary.of+x@sub.example.test",
            "«canary@пример.испытание»",
            "the key ca-canary-0123456789",
            "https://scim.example.test/tenants/canary0123456789/Users",
            "eyJcanary.eyJcanary.canary",
            "canary/canary+canary/7==",
            "canarycanary0123\u{7}canarycanary0123",
        ] {
            let shown = redacted(text);
            assert!(!shown.contains("canary") && shown.contains(HIDDEN), "{text}: {shown}");
            assert!(!shown.contains(char::is_control), "{text}: {shown}");
        }
        let digits = GUID.replace('-', "");
        assert_eq!(redacted(&digits), HIDDEN, "a GUID without hyphens may be a token");
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "Insufficient privileges to complete the operation.",
            &format!("Resource '{GUID}' does not exist or one of its queried properties is not present."),
            &format!("Too many requests from Identifier:{GUID} under category:aadgraph.app.tenant_large."),
            &format!("https://graph.microsoft.com/v1.0/servicePrincipals/{GUID}/synchronization/jobs"),
            "https://scim-7.tenant-12345678.example.test:8443/scim/v2 answered 503 Service Unavailable",
            "Please retry again later, at 2026-11-20T10:00:00.1234567Z.",
            "Requested value 'TenantId' was not found.",
            "The template 'SystemForCrossDomainIdentityManagement' is not available.",
            "Access token has expired or is not yet valid.",
            "",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn the_words_around_a_secret_stay() {
        for (text, shown) in [
            ("It was Bearer abc, and was refused", "It was Bearer […] and was refused"),
            ("see https://a.example.test/v2?x=1 for joe@example.test", "see https://a.example.test/v2?[…] for […]"),
            ("https://joe:pass@a.example.test/v2", "https://[…]@a.example.test/v2"),
            ("{\"password\":\"a b\",\"user\":7}", "{\"password\":[…]\",\"user\":7}"),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_word_and_what_is_left_is_short() {
        let url = format!("https://a.example.test/?{}", "x".repeat(READ_CHARS_MAX - 40));
        let shown = redacted(&format!("{url} canary{}", "0123456789".repeat(9)));
        assert_eq!(shown, "https://a.example.test/?[…] […]", "not the part of a token that is left of it");
        assert_eq!(redacted(&"canary".repeat(READ_CHARS_MAX)), HIDDEN);
        let long = redacted(&"a word ".repeat(READ_CHARS_MAX));
        assert!(long.chars().count() <= TEXT_CHARS_MAX && long.starts_with("a word a word"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_token_is_never_shown(
            before in "\\PC{0,30}",
            after in "\\PC{0,30}",
            sides in prop::sample::select(vec![("\"", "\""), (" ", "\n"), ("'", "'"), ("(", ")"), ("=", "&"), (":", ",")]),
            token in "[A-Za-z0-9_~+/-]{8}[0-9][A-Za-z0-9_~+/-]{7,60}={0,2}",
        ) {
            prop_assume!(Uuid::try_parse(&token).is_err());
            let shown = redacted(&format!("{before}{}{token}{}{after}", sides.0, sides.1));
            prop_assert!(!shown.contains(&token[..12]) && !shown.contains(&token[token.len() - 8..]), "{}", shown);
        }

        #[test]
        fn any_text_becomes_a_short_line(text in "\\PC{0,600}|[\\u{0}-\\u{ff}]{0,600}") {
            let shown = redacted(&text);
            prop_assert!(shown.chars().count() <= TEXT_CHARS_MAX && !shown.contains(char::is_control));
        }
    }
}
