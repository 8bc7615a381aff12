//! The secrets of a service principal: replaced as a whole, read back masked (CONTRACT §2.4, §3.10).

use serde::Deserialize;
use serde_json::{Value, json};

use super::{catalog, create, gate};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::job::Code;
use crate::graph::model::settings::{Accepts, NewJob, SecretMask};
use crate::graph::model::tenant::Secret;

/// Keys whose values are never read back.
#[rustfmt::skip]
const SECRET_KEYS: [&str; 13] = [
    "Password", "SecretToken", "ClientSecret", "ConsumerSecret", "TokenKey", "ConsumerKey", "ConnectionString",
    "Oauth2AccessToken", "Oauth2RefreshToken", "Oauth2ClientSecret", "Oauth2AuthorizationCode",
    "SyncAgentCompatibilityKey", "Oauth2ClientId",
];

#[rustfmt::skip]
const OTHER_KEYS: [&str; 32] = [
    "None", "UserName", "AppKey", "BaseAddress", "Url", "Domain", "Server", "ClientIdentifier", "TokenExpiration",
    "Oauth2AccessTokenCreationTime", "Oauth2RedirectUri", "ApplicationTemplateIdentifier", "Oauth2TokenExchangeUri",
    "Oauth2AuthorizationUri", "AuthenticationType", "SyncAll", "SyncNotificationSettings", "SkipOutOfScopeDeletions",
    "UpdateKeyOnSoftDelete", "SynchronizationSchedule", "EnforceDomain", "PerformInboundEntitlementGrants",
    "HardDeletesEnabled", "ValidateDomain", "TestReferences", "SingleSignOnType", "Sandbox", "InstanceName",
    "CompanyId", "SystemOfRecord", "SandboxName", "SyncAgentADContainer",
];

#[derive(Deserialize)]
struct Put {
    value: Vec<Pair>,
}

#[derive(Deserialize)]
pub struct Pair {
    pub key: String,
    pub value: Option<String>,
}

/// Pairs with a value; an unknown key is refused where the tenant is set so.
pub fn accepted(pairs: Vec<Pair>, unknown: Accepts) -> Result<Vec<Secret>, Reply> {
    let known = |key: &str| SECRET_KEYS.iter().chain(&OTHER_KEYS).any(|known| known.eq_ignore_ascii_case(key));
    if let Some(pair) = pairs.iter().find(|pair| unknown == Accepts::Refused && !known(&pair.key)) {
        return Err(Reply::bad_request(&format!("The secret key '{}' is not known.", pair.key)));
    }
    let filled = pairs.into_iter().filter_map(|pair| {
        let value = pair.value.filter(|value| !value.is_empty())?;
        Some(Secret { key: pair.key, value })
    });
    Ok(filled.collect())
}

pub fn put(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let (settings, now) = (call.settings(), call.now());
    let secrets = accepted(call.body::<Put>()?.value, settings.unknown_secret_keys)?;
    let keys: Vec<String> = secrets.iter().map(|secret| secret.key.clone()).collect();
    call.principal()?.secrets = secrets;
    if settings.new_job == NewJob::ByCredentials {
        let tenant = call.tenant()?.clone();
        let principal = call.principal()?;
        let snapshot = principal.clone();
        for job in principal.jobs.iter_mut().filter(|job| job.is_live() && job.now().code == Code::NotConfigured) {
            let code = create::first_code(&settings, &snapshot, &catalog::template(&tenant, &job.template_id));
            job.change(now, |state| state.code = code);
        }
    }
    // Values stay out of the ledger.
    call.commit(None, json!({"keys": keys}));
    Ok(Reply::no_content())
}

pub fn get(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let (mask, id) = (call.settings().secret_mask, call.principal_id());
    let secrets = call.principal()?.secrets.clone();
    let shown: Vec<Value> =
        secrets.iter().map(|secret| json!({"key": secret.key, "value": masked(secret, mask)})).collect();
    Ok(Reply::ok(call.entity(&format!("servicePrincipals('{id}')/synchronization/secrets"), json!({"value": shown}))))
}

fn masked(secret: &Secret, mask: SecretMask) -> String {
    if !SECRET_KEYS.iter().any(|key| key.eq_ignore_ascii_case(&secret.key)) {
        return secret.value.clone();
    }
    match mask {
        SecretMask::Star => "*".to_owned(),
        SecretMask::Empty => String::new(),
        SecretMask::FirstLetter => format!("{}***", secret.value.chars().next().unwrap_or('*')),
    }
}

pub fn value<'a>(secrets: &'a [Secret], key: &str) -> Option<&'a str> {
    secrets.iter().find(|secret| secret.key.eq_ignore_ascii_case(key)).map(|secret| secret.value.as_str())
}

/// What the notification settings, which ride among the secrets, say of the deletion guard: whether it is on, and its
/// number. Each can be a text.
pub fn deletion_guard(secrets: &[Secret]) -> (Option<bool>, Option<u64>) {
    let settings: Value =
        value(secrets, "SyncNotificationSettings").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let (enabled, number) = (&settings["DeleteThresholdEnabled"], &settings["DeleteThresholdValue"]);
    let text = |value: &Value| value.as_str().map(str::to_lowercase);
    (enabled.as_bool().or_else(|| text(enabled)?.parse().ok()), number.as_u64().or_else(|| text(number)?.parse().ok()))
}
