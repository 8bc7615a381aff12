//! The claims of a JWT, read without validating it: who receives the token does that. Whatever a claim holds, what is
//! returned of it is short and of one line.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::super::error::capped;

/// More roles are not listed.
const ROLES_MAX: usize = 100;

pub(in crate::graph) struct Claims(Value);

impl Claims {
    /// Nothing if the text is no JWT; a token may be opaque.
    pub fn of(token: &str) -> Option<Self> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&payload).ok().map(Self)
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.0[name].as_str().map(capped)
    }

    /// The audience, or the first of several.
    pub fn audience(&self) -> Option<String> {
        self.text("aud").or_else(|| self.0["aud"][0].as_str().map(capped))
    }

    /// The roles that an access token grants, sorted.
    pub fn roles(&self) -> Vec<String> {
        let roles = self.0["roles"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut roles: Vec<String> = roles.take(ROLES_MAX).map(capped).collect();
        roles.sort();
        roles.dedup();
        roles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(payload: &Value) -> Claims {
        Claims::of(&format!("e30.{}.x", URL_SAFE_NO_PAD.encode(payload.to_string()))).unwrap()
    }

    #[test]
    fn claims_are_short_and_of_one_line_whatever_they_hold() {
        let long = "x".repeat(10_000);
        let claims = claims(
            &serde_json::json!({"iss": long, "sub": "a\nb", "aud": ["first", "second"], "roles": ["b", "a", 1, "b"]}),
        );
        assert_eq!(claims.text("iss").unwrap().len(), 256);
        assert_eq!(claims.text("sub").as_deref(), Some("a b"));
        assert_eq!(claims.audience().as_deref(), Some("first"));
        assert_eq!(claims.roles(), ["a", "b"]);
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_nothing() {
        let claims = claims(&serde_json::json!({"iss": 1, "aud": "one", "roles": "Synchronization.Read.All"}));
        assert_eq!((claims.text("iss"), claims.text("sub")), (None, None));
        assert_eq!(claims.audience().as_deref(), Some("one"));
        assert!(claims.roles().is_empty());
        assert!(Claims::of("opaque").is_none() && Claims::of("a.!.b").is_none());
    }
}
