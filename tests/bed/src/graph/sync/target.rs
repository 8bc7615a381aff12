//! What the target makes of credentials, and how a test and a cycle report it: with codes of their own (CONTRACT §2.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::catalog::Template;
use super::{connection, secrets};
use crate::graph::model::job::Trouble;
use crate::graph::model::settings::{OutageInCycles, Settings};
use crate::graph::model::target::{Target, Values, Verdict};
use crate::graph::model::tenant::Secret;

/// Why credentials fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The connector lacks some, and asks nobody.
    Missing,
    Target(Verdict),
}

impl Cause {
    /// How it is named in the ledger.
    pub fn name(self) -> String {
        match self {
            Self::Missing => "missing".to_owned(),
            Self::Target(verdict) => verdict.name(),
        }
    }
}

/// Why these credentials fail, if they do.
pub fn cause(template: &Template, target: &Target, secrets: &[Secret], settings: &Settings) -> Option<Cause> {
    if connection::lacks(template, secrets) {
        return Some(Cause::Missing);
    }
    if let Some(verdict) = connection::flaw(template, secrets, settings) {
        return Some(Cause::Target(verdict));
    }
    if target.accepts.is_empty() || !target.verdict.judges() {
        return (target.verdict != Verdict::Accepted).then_some(Cause::Target(target.verdict));
    }
    let good = |(key, values): (&String, &Values)| secrets::value(secrets, key).is_some_and(|value| values.has(value));
    let rejected = if target.verdict == Verdict::Forbidden { Verdict::Forbidden } else { Verdict::Rejected };
    (!target.accepts.iter().all(good)).then_some(Cause::Target(rejected))
}

/// Connectors that are known to have codes of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connector {
    Scim,
    Salesforce,
    Other,
}

fn connector(template: &Template) -> Connector {
    match template.factory_tag.as_str() {
        "Salesforce" => Connector::Salesforce,
        "ServiceNow" | "gsuite" | "Azure2Azure" | "AD2AAD" | "AAD2AD" | "API2AAD" => Connector::Other,
        _ => Connector::Scim,
    }
}

const SCIM: &str = "SystemForCrossDomainIdentityManagement";

/// What a connector says that has not got all it needs.
pub fn missing() -> Trouble {
    Trouble::new("CredentialsMissing", "The credentials are missing or incomplete.")
}

/// What a test says. Its message repeats what the target answered.
pub fn in_test(template: &Template, target: &Target, secrets: &[Secret], cause: Cause) -> Trouble {
    let verdict = match cause {
        Cause::Missing => return missing(),
        Cause::Target(verdict) => verdict,
    };
    if let Some(given) = target.test_error.as_ref().or(target.error.as_ref()) {
        return given.clone();
    }
    let unavailable = "CredentialValidationUnavailable";
    let code = match (connector(template), verdict) {
        (_, Verdict::Unresolvable | Verdict::OauthUnset) => unavailable.to_owned(),
        (Connector::Scim, Verdict::Rejected | Verdict::Forbidden) => format!("{SCIM}CredentialValidationFailure"),
        (Connector::Scim, _) => format!("{SCIM}{unavailable}"),
        (Connector::Salesforce, Verdict::Rejected | Verdict::Forbidden) => "SalesforceInvalidCredentials".to_owned(),
        (Connector::Salesforce | Connector::Other, _) => unavailable.to_owned(),
    };
    Trouble::new(&code, &message(target, secrets, verdict))
}

/// What a cycle says, in its execution and in the quarantine.
pub fn in_cycle(template: &Template, target: &Target, cause: Cause, settings: &Settings) -> Trouble {
    let verdict = match cause {
        Cause::Missing => return missing(),
        Cause::Target(verdict) => verdict,
    };
    if let Some(given) = &target.error {
        return given.clone();
    }
    let outage = matches!(verdict, Verdict::ServerError | Verdict::Throttled | Verdict::Hangs | Verdict::Unreachable);
    let incompatible = verdict == Verdict::Incompatible
        || (outage && settings.outage_in_cycles == OutageInCycles::ServiceIncompatible);
    let (prefix, valid_url) = match connector(template) {
        Connector::Scim => (SCIM, "Please provide a valid tenant URL for your application."),
        Connector::Salesforce => ("Salesforce", "The credentials are invalid."),
        Connector::Other => ("", "The credentials are invalid."),
    };
    if incompatible {
        let text =
            format!("The target does not answer as the protocol has it. Response Content: {}", content(target, &[]));
        return Trouble::new(&format!("{prefix}ServiceIncompatible"), &text);
    }
    Trouble::new(&format!("{prefix}InvalidCredentials"), valid_url)
}

/// The status of the target's answer, if there was one.
pub fn status(target: &Target, cause: Cause) -> Option<u16> {
    match cause {
        Cause::Missing => None,
        Cause::Target(verdict) => verdict.status().map(|usual| target.status.unwrap_or(usual)),
    }
}

/// Resource, operation, status, headers and content: whatever the foreign server wrote is in it.
fn message(target: &Target, secrets: &[Secret], verdict: Verdict) -> String {
    let base = secrets::value(secrets, "BaseAddress").unwrap_or("https://target.example.test");
    let probe = format!("{base}/Users?filter=userName+eq+%22AzureAD_Test-{}%22", Uuid::new_v4());
    let host = url::Url::parse(base).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let Some(status) = status(target, Cause::Target(verdict)) else {
        return match verdict {
            Verdict::Unresolvable => format!("The remote name could not be resolved: '{host}'."),
            Verdict::OauthUnset => "Supported CredentialLocationInRequest is required.".to_owned(),
            Verdict::Hangs => format!("Resource: {probe}\r\nOperation: GET\r\nThe operation has timed out."),
            _ => format!("Resource: {probe}\r\nOperation: GET\r\nUnable to connect to the remote server."),
        };
    };
    let words = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
    let mut headers =
        vec![format!("x-request-id: {}", Uuid::new_v4()), "content-type: application/scim+json".to_owned()];
    if let Some(sent) = authorization(secrets).filter(|_| target.echoes) {
        headers.push(format!("x-authorization: {sent}"));
    }
    if !target.canary.is_empty() {
        headers.push(format!("x-canary: {}", target.canary));
    }
    format!(
        "Received response from Web resource.\r\nResource: {probe}\r\nOperation: GET\r\nResponse Status Code: {}\r\n\
         Response Headers: {}\r\nResponse Content: {}",
        words.replace(' ', ""),
        headers.join("\r\n"),
        content(target, secrets),
    )
}

/// The body that the target answers with.
fn content(target: &Target, secrets: &[Secret]) -> Value {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "detail": format!("The request of Alice Example <alice@example.test> failed. {}", target.canary),
    });
    if let Some(sent) = authorization(secrets).filter(|_| target.echoes) {
        body["request"] = json!({"headers": {"Authorization": sent}});
    }
    body
}

/// The header that a connector sends with these credentials.
fn authorization(all: &[Secret]) -> Option<String> {
    let value = |key: &str| secrets::value(all, key);
    let bearer = || ["SecretToken", "Oauth2AccessToken", "ClientSecret"].iter().find_map(|key| value(key));
    if let (Some(name), Some(password)) = (value("UserName"), value("Password")) {
        return Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))));
    }
    bearer().map(|token| format!("Bearer {token}"))
}
