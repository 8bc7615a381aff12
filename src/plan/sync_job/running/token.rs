//! The value that asks for a restart: a token, and the scope that belongs to this token and to no other.

use jiff::Timestamp;

use crate::api::{RESTART_REQUESTED_AT, RESTART_SCOPE};

/// The longest token that status can hold.
pub(in crate::plan) const TOKEN_CHARS_MAX: usize = 256;
/// How many answered tokens status can hold. The CRD bounds the list by the same number.
pub(in crate::plan) const TOKENS_MAX: usize = 16;
/// The parts of Graph's `resetScope` that make sense when a person asks (`synchronizationJobRestartCriteria`).
const SCOPES: &[&str] = &["Escrows", "Watermark", "QuarantineState", "Full", FORCE_DELETES];
const FORCE_DELETES: &str = "ForceDeletes";

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RestartRequest {
    /// The whole value, scope included, so that the same token with another scope is another request.
    pub token: String,
    /// As Graph wants it (`None`: the portal's restart), or what is wrong with it.
    pub scope: Result<Option<String>, String>,
}

impl RestartRequest {
    /// Reads `<token>` or `<token> scope=<list>`. `apart` is the annotation that held the scope apart from the token.
    pub(in crate::plan) fn parse(value: &str, apart: Option<&str>) -> Self {
        let value = value.trim();
        let too_long = value.chars().count() > TOKEN_CHARS_MAX;
        let scope = match apart.map(str::trim).filter(|apart| !apart.is_empty()) {
            Some(_) | None if too_long => Err(format!(
                "The value of `{RESTART_REQUESTED_AT}` must be no longer than {TOKEN_CHARS_MAX} characters."
            )),
            Some(apart) => Err(misplaced(value, apart)),
            None => scope_of(value),
        };
        Self { token: capped(value), scope }
    }

    /// Whether deletions are carried out that the service holds back.
    pub(in crate::plan) fn forces_deletes(&self) -> bool {
        let scope = self.scope.as_ref().ok().and_then(Option::as_deref);
        scope.is_some_and(|scope| scope.split(", ").any(|part| part == FORCE_DELETES))
    }
}

pub(in crate::plan) fn capped(text: &str) -> String {
    text.chars().take(TOKEN_CHARS_MAX).collect()
}

/// The token without its scope, and what follows it.
fn split(value: &str) -> (&str, &str) {
    value.split_once(char::is_whitespace).map_or((value, ""), |(token, rest)| (token, rest.trim()))
}

fn scope_of(value: &str) -> Result<Option<String>, String> {
    let (token, rest) = split(value);
    // Whatever stands where the scope should be must not become a restart with another scope.
    let list = rest.strip_prefix("scope=").filter(|_| !token.to_ascii_lowercase().contains("scope="));
    match list {
        Some(list) => parts(list).map(|parts| Some(parts.join(", "))),
        None if rest.is_empty() && !token.to_ascii_lowercase().contains("scope=") => Ok(None),
        None => Err(format!(
            "`{RESTART_REQUESTED_AT}` must be a token without spaces, alone or followed by its scope, such as '2026-11-25T03:59:21Z scope=Watermark,QuarantineState'."
        )),
    }
}

fn parts(list: &str) -> Result<Vec<&'static str>, String> {
    list.split(',')
        .map(|part| {
            let known = SCOPES.iter().find(|scope| scope.eq_ignore_ascii_case(part.trim()));
            known.copied().ok_or_else(|| {
                format!(
                    "The scope in `{RESTART_REQUESTED_AT}` must be a list of {}, separated by commas; '{}' is none of them.",
                    SCOPES.join(", "),
                    capped(part.trim())
                )
            })
        })
        .collect()
}

fn misplaced(value: &str, apart: &str) -> String {
    let scope = parts(apart).map_or_else(|_| "Watermark,QuarantineState".to_owned(), |parts| parts.join(","));
    format!(
        "`{RESTART_SCOPE}` has no effect, because it would go with every later restart as well; nothing was restarted. Remove it, and write the scope into the value: `{RESTART_REQUESTED_AT}: {} scope={scope}`.",
        split(value).0
    )
}

/// The time that a token begins with (RFC 3339), if it does.
pub(in crate::plan) fn time(token: &str) -> Option<Timestamp> {
    const SECONDS_END: usize = "2026-11-25T03:59:21".len();
    let rest = token.get(SECONDS_END..)?;
    let fraction = rest.strip_prefix('.').map_or(0, |digits| 1 + digits.bytes().take_while(u8::is_ascii_digit).count());
    let offset = if rest.get(fraction..)?.starts_with(['Z', 'z']) { 1 } else { "+00:00".len() };
    token.get(..SECONDS_END + fraction + offset)?.parse().ok()
}

/// The answered tokens with one more in front. Of those that do not fit, the one with the latest time stays: by it, an
/// older request is recognised after its own token was forgotten.
pub(in crate::plan) fn remembered(answered: &[String], token: &str) -> Vec<String> {
    let others = answered.iter().filter(|other| *other != token).cloned();
    let mut all: Vec<String> = std::iter::once(token.to_owned()).chain(others).collect();
    let latest = all.iter().enumerate().filter_map(|(at, token)| Some((time(token)?, std::cmp::Reverse(at)))).max();
    if let Some((_, std::cmp::Reverse(at))) = latest.filter(|(_, at)| at.0 >= TOKENS_MAX) {
        all.swap(at, TOKENS_MAX - 1);
    }
    all.truncate(TOKENS_MAX);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(value: &str) -> Result<Option<String>, String> {
        RestartRequest::parse(value, None).scope
    }

    #[test]
    fn a_scope_is_spelt_as_graph_wants_it_or_refused_in_words() {
        let graphs = Ok(Some("Watermark, QuarantineState".to_owned()));
        assert_eq!(scope("1 scope=watermark,quarantinestate"), graphs);
        assert_eq!(scope("2026-11-25T03:59:21Z  scope=Watermark, QuarantineState"), graphs);
        assert_eq!(scope("1"), Ok(None));
        for wrong in ["None", "ConnectorDataStore", "Full;Escrows", "Full,", ""] {
            assert!(scope(&format!("1 scope={wrong}")).unwrap_err().contains("must be a list of Escrows"), "{wrong}");
        }
    }

    #[test]
    fn what_only_resembles_a_scope_never_becomes_a_restart_without_one() {
        for wrong in ["1 Scope=Full", "1 Full", "1,scope=Full", "scope=Full", "scope=Full scope=Full", "1 scope: Full"]
        {
            assert!(scope(wrong).unwrap_err().contains("must be a token without spaces"), "{wrong}");
        }
    }

    #[test]
    fn a_scope_apart_from_its_token_is_refused_with_the_value_to_write() {
        let refused = |value, apart| RestartRequest::parse(value, Some(apart)).scope.unwrap_err();
        assert!(refused("7", "escrows, Full").contains("`entrain.dev/restart-requested-at: 7 scope=Escrows,Full`"));
        assert!(refused("7 scope=Full", "Everything").contains(": 7 scope=Watermark,QuarantineState`"));
        assert_eq!(RestartRequest::parse("7", Some(" ")).scope, Ok(None));
    }

    #[test]
    fn a_value_that_status_cannot_hold_is_refused() {
        let long = RestartRequest::parse(&"x".repeat(5000), None);
        assert_eq!(long.token.len(), TOKEN_CHARS_MAX);
        assert!(long.scope.unwrap_err().contains("no longer than 256"));
    }

    #[test]
    fn the_same_token_with_another_scope_is_another_request() {
        assert_ne!(RestartRequest::parse("1", None).token, RestartRequest::parse("1 scope=Full", None).token);
    }

    #[test]
    fn a_time_is_read_where_a_token_begins_with_one() {
        let read = |token| time(token).map(|time| time.to_string());
        assert_eq!(read("2026-11-25T03:59:21Z scope=Full").as_deref(), Some("2026-11-25T03:59:21Z"));
        assert_eq!(read("2026-11-25T05:59:21.5+02:00-again").as_deref(), Some("2026-11-25T03:59:21.5Z"));
        for none in ["", "1", "2026-11-25", "2026-13-25T03:59:21Z", "the 2026-11-25T03:59:21Z", "äöüäöüäöüäöüäöü"]
        {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn the_latest_time_is_remembered_longer_than_other_tokens() {
        let mut answered = vec!["2026-11-25T03:59:21Z".to_owned()];
        for number in 0..40 {
            answered = remembered(&answered, &number.to_string());
        }
        assert_eq!((answered.len(), answered[0].as_str()), (TOKENS_MAX, "39"));
        assert!(answered.iter().any(|token| token == "2026-11-25T03:59:21Z"));
        answered = remembered(&answered, "2026-11-26T03:59:21Z");
        for number in 0..40 {
            answered = remembered(&answered, &format!("b{number}"));
        }
        let times: Vec<&String> = answered.iter().filter(|token| time(token).is_some()).collect();
        assert_eq!(times, ["2026-11-26T03:59:21Z"]);
    }
}
