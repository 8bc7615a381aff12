//! Which secrets a connector needs, and which of them it refuses before it asks the target (CONTRACT §3.10, §10).

use serde_json::Value;
use uuid::Uuid;

use super::catalog::Template;
use super::secrets;
use crate::graph::model::settings::{OauthAccessToken, Settings};
use crate::graph::model::target::Verdict;
use crate::graph::model::tenant::Secret;

/// What a client needs to fetch tokens itself, in place of a `SecretToken`.
const OAUTH: [&str; 3] = ["Oauth2ClientId", "Oauth2ClientSecret", "Oauth2TokenExchangeUri"];
/// The first token.
const SEED: [&str; 2] = ["Oauth2AccessToken", "Oauth2AccessTokenCreationTime"];

fn has(all: &[Secret], key: &str) -> bool {
    secrets::value(all, key).is_some()
}

/// Whether OAuth client credentials stand where the connector asks for a token.
fn by_oauth(template: &Template, all: &[Secret]) -> bool {
    let asks = template.configuration_fields.iter().any(|field| field.name.eq_ignore_ascii_case("SecretToken"));
    asks && !has(all, "SecretToken") && OAUTH.iter().any(|key| has(all, key))
}

/// Whether the connector has not got all it needs.
pub fn lacks(template: &Template, all: &[Secret]) -> bool {
    let oauth = by_oauth(template, all);
    let needed = |name: &str| !(oauth && name.eq_ignore_ascii_case("SecretToken"));
    let fields = template.configuration_fields.iter().filter(|field| !field.optional && needed(&field.name));
    let unconsented = template.oauth && all.is_empty();
    unconsented || fields.map(|field| &field.name).any(|name| !has(all, name))
}

/// What is wrong with the values that it has.
pub fn flaw(template: &Template, all: &[Secret], settings: &Settings) -> Option<Verdict> {
    if by_oauth(template, all) {
        let seeded = settings.oauth_access_token == OauthAccessToken::Fetched || SEED.iter().all(|key| has(all, key));
        return (!seeded || !OAUTH.iter().all(|key| has(all, key))).then_some(Verdict::OauthUnset);
    }
    let value = |key: &str| secrets::value(all, key).unwrap_or_default();
    let good = match template.factory_tag.as_str() {
        "Azure2Azure" => {
            let by_policy = |kind: &str| kind.is_empty() || kind == "SyncPolicy";
            Uuid::parse_str(value("CompanyId")).is_ok() && by_policy(value("AuthenticationType"))
        }
        "AD2AAD" => names(value("Domain"), "domain") && names(value("AppKey"), "appKeyScenario"),
        "AAD2AD" => names(value("Domain"), "domain"),
        _ => true,
    };
    (!good).then_some(Verdict::Rejected)
}

/// Whether this is JSON text that gives the member a text.
fn names(text: &str, member: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|json| json[member].as_str().is_some_and(|value| !value.is_empty()))
}
