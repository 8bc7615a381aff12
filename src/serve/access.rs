//! Who may read `/metrics`: what a request brings, what is remembered of it, and how it is answered. Nobody is asked here.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

/// How long a right that was taken away goes on to work.
const ALLOWED_FOR: Duration = Duration::from_secs(60);
/// How long a right that was given does not work yet.
const REFUSED_FOR: Duration = Duration::from_secs(10);
/// There are few who scrape; the rest would be somebody who tries tokens.
const REMEMBERED_MAX: usize = 256;

/// What the API server made of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    /// It is nobody's.
    Unauthenticated,
    /// It is somebody's who may not.
    Forbidden,
}

impl Verdict {
    pub(super) fn of(authenticated: bool, may: bool) -> Self {
        match (authenticated, may) {
            (false, _) => Self::Unauthenticated,
            (true, false) => Self::Forbidden,
            (true, true) => Self::Allowed,
        }
    }

    fn lasts(self) -> Duration {
        if self == Self::Allowed { ALLOWED_FOR } else { REFUSED_FOR }
    }

    /// The answer to who is not let in.
    pub(super) fn refusal(self) -> Option<Response> {
        match self {
            Self::Allowed => None,
            Self::Unauthenticated => Some(unauthenticated()),
            Self::Forbidden => Some(StatusCode::FORBIDDEN.into_response()),
        }
    }
}

pub(super) fn unauthenticated() -> Response {
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response()
}

/// The bearer token of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then_some(token)
}

/// What stands for a token where it is remembered: its hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; SHA256_OUTPUT_LEN]);

impl Key {
    pub(super) fn of(token: &str) -> Self {
        let mut key = [0; SHA256_OUTPUT_LEN];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(key)
    }
}

/// The last verdicts, for a short time.
#[derive(Default)]
pub(super) struct Verdicts(HashMap<Key, (Verdict, Instant)>);

impl Verdicts {
    pub(super) fn recall(&self, key: Key, now: Instant) -> Option<Verdict> {
        let (verdict, until) = self.0.get(&key)?;
        (*until > now).then_some(*verdict)
    }

    /// Where there is no room left, refusals are forgotten before rights: trying tokens must not cost a scraper its own.
    pub(super) fn remember(&mut self, key: Key, verdict: Verdict, now: Instant) {
        if self.0.len() >= REMEMBERED_MAX {
            self.0.retain(|_, (_, until)| *until > now);
        }
        if self.0.len() >= REMEMBERED_MAX {
            self.0.retain(|_, (verdict, _)| *verdict == Verdict::Allowed);
        }
        if self.0.len() >= REMEMBERED_MAX {
            self.0.clear();
        }
        self.0.insert(key, (verdict, now + verdict.lasts()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(authorization: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, authorization.parse().unwrap())]);
        bearer(&headers).map(str::to_owned)
    }

    #[test]
    fn a_token_is_taken_from_the_bearer_scheme_only() {
        for (header, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Bearer ", None),
            ("Bearer", None),
            ("Basic abc", None),
            ("abc", None),
        ] {
            assert_eq!(presented(header).as_deref(), token, "{header}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn who_is_not_let_in_is_told_whether_a_token_or_a_right_is_missing() {
        let told =
            |authenticated, may| Verdict::of(authenticated, may).refusal().map(|answer| answer.status().as_u16());
        assert_eq!((told(true, true), told(true, false), told(false, false)), (None, Some(403), Some(401)));
        assert_eq!(told(false, true), Some(401), "a right of nobody is none");
    }

    #[test]
    fn a_verdict_is_forgotten_a_right_later_than_a_refusal() {
        let (mut verdicts, now) = (Verdicts::default(), Instant::now());
        let [allowed, refused] = ["allowed", "refused"].map(Key::of);
        verdicts.remember(allowed, Verdict::Allowed, now);
        verdicts.remember(refused, Verdict::Forbidden, now);
        let at = |seconds| {
            let then = now + Duration::from_secs(seconds);
            (verdicts.recall(allowed, then), verdicts.recall(refused, then))
        };
        assert_eq!(at(9), (Some(Verdict::Allowed), Some(Verdict::Forbidden)));
        assert_eq!(at(10), (Some(Verdict::Allowed), None));
        assert_eq!(at(60), (None, None));
    }

    #[test]
    fn trying_tokens_neither_fills_the_memory_nor_costs_a_scraper_its_verdict() {
        let (mut verdicts, now) = (Verdicts::default(), Instant::now());
        verdicts.remember(Key::of("scraper"), Verdict::Allowed, now);
        for number in 0..10 * REMEMBERED_MAX {
            verdicts.remember(Key::of(&number.to_string()), Verdict::Unauthenticated, now);
            assert!(verdicts.0.len() <= REMEMBERED_MAX);
        }
        assert_eq!(verdicts.recall(Key::of("scraper"), now), Some(Verdict::Allowed));
        for number in 0..10 * REMEMBERED_MAX {
            verdicts.remember(Key::of(&number.to_string()), Verdict::Allowed, now);
            assert!(verdicts.0.len() <= REMEMBERED_MAX);
        }
    }
}
