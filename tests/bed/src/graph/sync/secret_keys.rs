//! The names that a secret can have, which ones are masked, and which are JSON (CONTRACT §3.10).

use crate::graph::model::settings::MaskedKeys;

/// Keys whose values were seen to come back masked.
const OBSERVED: [&str; 2] = ["SecretToken", "ClientSecret"];

/// Further keys whose values are secrets by their names.
const SECRET_LIKE: [&str; 11] = [
    "Password",
    "ConsumerSecret",
    "TokenKey",
    "ConsumerKey",
    "ConnectionString",
    "Oauth2AccessToken",
    "Oauth2RefreshToken",
    "Oauth2ClientSecret",
    "Oauth2AuthorizationCode",
    "SyncAgentCompatibilityKey",
    "Oauth2ClientId",
];

#[rustfmt::skip]
const OTHERS: [&str; 32] = [
    "None", "UserName", "AppKey", "BaseAddress", "Url", "Domain", "Server", "ClientIdentifier", "TokenExpiration",
    "Oauth2AccessTokenCreationTime", "Oauth2RedirectUri", "ApplicationTemplateIdentifier", "Oauth2TokenExchangeUri",
    "Oauth2AuthorizationUri", "AuthenticationType", "SyncAll", "SyncNotificationSettings", "SkipOutOfScopeDeletions",
    "UpdateKeyOnSoftDelete", "SynchronizationSchedule", "EnforceDomain", "PerformInboundEntitlementGrants",
    "HardDeletesEnabled", "ValidateDomain", "TestReferences", "SingleSignOnType", "Sandbox", "InstanceName",
    "CompanyId", "SystemOfRecord", "SandboxName", "SyncAgentADContainer",
];

/// The key as the list spells it.
pub fn canonical(key: &str) -> Option<&'static str> {
    OBSERVED.iter().chain(&SECRET_LIKE).chain(&OTHERS).find(|known| known.eq_ignore_ascii_case(key)).copied()
}

/// Whether the value of this key is never read back.
pub fn is_masked(key: &str, which: MaskedKeys) -> bool {
    let among = |keys: &[&str]| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
    among(&OBSERVED) || (which == MaskedKeys::SecretLike && among(&SECRET_LIKE))
}
