//! Who may read `/metrics`: the token of a request, the cached verdict on it, and the response. The API server is asked
//! elsewhere.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

/// How long an allowed token is cached, and so how long a revoked right still works.
const ALLOWED_FOR: Duration = Duration::from_secs(60);
/// How long a refused token is cached, and so how long a new right does not work yet.
const REFUSED_FOR: Duration = Duration::from_secs(10);
/// Few clients scrape; more tokens than this are attempts to guess one.
const REMEMBERED_MAX: usize = 256;

/// The API server's verdict on a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    /// It belongs to no user.
    Unauthenticated,
    /// It belongs to a user who may not read metrics.
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

    /// The response for a request that is refused.
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

/// The hash of a token, which stands for it in the cache.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; SHA256_OUTPUT_LEN]);

impl Key {
    pub(super) fn of(token: &str) -> Self {
        let mut key = [0; SHA256_OUTPUT_LEN];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(key)
    }
}

/// Cached verdicts.
#[derive(Default)]
pub(super) struct Verdicts(HashMap<Key, (Verdict, Instant)>);

impl Verdicts {
    pub(super) fn recall(&self, key: Key, now: Instant) -> Option<Verdict> {
        let (verdict, until) = self.0.get(&key)?;
        (*until > now).then_some(*verdict)
    }

    /// When the cache is full, refusals are evicted first: guessing tokens must not evict the verdict on a scraper.
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
    fn a_refusal_shows_whether_a_token_or_a_right_is_missing() {
        let status =
            |authenticated, may| Verdict::of(authenticated, may).refusal().map(|answer| answer.status().as_u16());
        assert_eq!((status(true, true), status(true, false), status(false, false)), (None, Some(403), Some(401)));
        assert_eq!(status(false, true), Some(401), "a right of nobody is none");
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
