//! Whether the target takes the credentials (CONTRACT §2.5): asked by clients, and by every cycle.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::catalog::{self, Template};
use super::gate;
use super::secrets::{self, Pair};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::job::Trouble;
use crate::graph::model::tenant::{Secret, Target, Verdict};

/// What a connector says that has not got all it needs.
pub fn missing(template: &Template, secrets: &[Secret]) -> Option<Trouble> {
    let needed = template.configuration_fields.iter().filter(|field| !field.optional);
    let absent = needed.filter(|field| secrets::value(secrets, &field.name).is_none()).count();
    let unconsented = template.oauth && secrets.is_empty();
    (absent > 0 || unconsented)
        .then(|| Trouble::new("CredentialsMissing", "The credentials are missing or incomplete."))
}

/// What is wrong with these credentials, if anything.
pub fn verdict(template: &Template, target: &Target, secrets: &[Secret]) -> Option<Trouble> {
    if let Some(trouble) = missing(template, secrets) {
        return Some(trouble);
    }
    let salesforce = template.factory_tag == "Salesforce";
    let rejected = || {
        let code = if salesforce {
            "SalesforceInvalidCredentials"
        } else {
            "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable"
        };
        target.error.clone().unwrap_or_else(|| Trouble::new(code, "The target rejected the credentials."))
    };
    if !target.accepts.is_empty() {
        let good = target.accepts.iter().all(|(key, value)| secrets::value(secrets, key) == Some(value));
        return (!good).then(rejected);
    }
    match target.verdict {
        Verdict::Accepted => None,
        Verdict::Rejected => Some(rejected()),
        Verdict::Unreachable => Some(
            target
                .error
                .clone()
                .unwrap_or_else(|| Trouble::new("CredentialValidationUnavailable", "The target cannot be reached.")),
        ),
    }
}

/// A Boolean, which scripts send as text.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(value) => Ok(value),
        Value::String(text) => text.to_lowercase().parse().map_err(D::Error::custom),
        _ => Err(D::Error::custom("a Boolean is expected")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Validate {
    #[serde(default, deserialize_with = "truth")]
    use_saved_credentials: bool,
    credentials: Option<Vec<Pair>>,
    template_id: Option<String>,
}

/// Both forms: of a job, and of the collection, which names the template. Nothing is saved.
pub fn validate(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let asked: Validate = call.body()?;
    let template_id = if call.param("job").is_empty() {
        let wanted = asked.template_id.ok_or_else(|| Reply::bad_request("The parameter 'templateId' is required."))?;
        let offered = call.principal()?.templates.iter().find(|known| known.eq_ignore_ascii_case(&wanted)).cloned();
        offered.ok_or_else(|| Reply::bad_request("The template is not available for this service principal."))?
    } else {
        call.job()?.template_id.clone()
    };
    let template = catalog::template(call.tenant()?, &template_id);
    let settings = call.settings();
    let principal = call.principal()?;
    let (target, saved) = (principal.target.clone(), principal.secrets.clone());
    let tested = if asked.use_saved_credentials {
        saved
    } else {
        secrets::filled(secrets::accepted(asked.credentials.unwrap_or_default(), &settings)?)
    };
    match verdict(&template, &target, &tested) {
        None => Ok(Reply::no_content()),
        Some(trouble) => Err(Reply::error(400, &trouble.code, &trouble.message)),
    }
}

#[derive(Deserialize)]
struct Acquire {
    credentials: Vec<Pair>,
}

/// Turns an authorization code into stored tokens.
pub fn acquire(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let asked: Acquire = call.body()?;
    if !asked.credentials.iter().any(|pair| pair.key.eq_ignore_ascii_case("Oauth2AuthorizationCode")) {
        return Err(Reply::bad_request("The credentials hold no 'Oauth2AuthorizationCode'."));
    }
    let now = call.now();
    let principal = call.principal()?;
    let mut secrets = principal.secrets.clone();
    for key in ["Oauth2AccessToken", "Oauth2RefreshToken"] {
        secrets.retain(|secret| secret.key != key);
        secrets.push(Secret { key: key.to_owned(), value: uuid::Uuid::new_v4().to_string() });
    }
    principal.save_secrets(now, secrets);
    call.commit(None, json!({"keys": ["Oauth2AccessToken", "Oauth2RefreshToken"]}));
    Ok(Reply::no_content())
}
