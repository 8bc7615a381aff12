//! What Graph shows in place of a value that it does not show.

/// Keys whose values Graph does not show (`synchronizationSecret`; those of `SecretToken` and `ClientSecret` are observed).
/// What it shows in their place differs.
#[rustfmt::skip]
const MASKED: [&str; 12] = [
    "Password", "SecretToken", "ClientSecret", "ConsumerSecret", "TokenKey", "ConsumerKey", "ConnectionString",
    "Oauth2AccessToken", "Oauth2RefreshToken", "Oauth2ClientSecret", "Oauth2AuthorizationCode",
    "SyncAgentCompatibilityKey",
];

/// Whether a value is not the one that is stored, or may not be.
pub fn is_masked(key: &str, text: &str) -> bool {
    MASKED.iter().any(|masked| masked.eq_ignore_ascii_case(key))
        || text.is_empty()
        || text.contains("***")
        || text.chars().all(|c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_mask_is_not_taken_for_a_value() {
        for (key, text) in [
            ("SecretToken", "*"),
            ("secrettoken", "t0ken"),
            ("Url", "*"),
            ("Url", "***"),
            ("UserName", "a***"),
            ("BaseAddress", ""),
            ("Password", "readable"),
        ] {
            assert!(is_masked(key, text), "{key} {text}");
        }
        for (key, text) in [("BaseAddress", "https://scim.example.test/v2"), ("SyncAll", "false"), ("UserName", "a*b")]
        {
            assert!(!is_masked(key, text), "{key} {text}");
        }
    }
}
