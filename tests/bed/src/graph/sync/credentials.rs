//! Tests of credentials, saved or given (CONTRACT §2.5), and the exchange of a code for tokens.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::secrets::{self, Pair};
use super::target::{self, Cause};
use super::{catalog, gate};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::clock::{after, seconds};
use crate::graph::model::settings::ValidationStatus;
use crate::graph::model::target::Verdict;
use crate::graph::model::tenant::Secret;

/// How long a test waits for a target that hangs.
const HANGS_SECONDS: u64 = 30;

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
    let cause = target::cause(&template, &target, &tested, &settings);
    let trouble = cause.map(|cause| target::in_test(&template, &target, &tested, cause));
    let job = if call.param("job").is_empty() { None } else { Some(call.job_again()?.clone()) };
    // What the target answered stays out of the ledger, as values do.
    let detail = json!({
        "form": if job.is_some() { "job" } else { "collection" }, "saved": asked.use_saved_credentials,
        "keys": secrets::keys(&tested),
        "verdict": cause.map_or_else(|| "accepted".to_owned(), Cause::name),
        "code": trouble.as_ref().map(|trouble| &trouble.code),
    });
    call.commit(job.as_ref(), detail);
    let takes = if cause == Some(Cause::Target(Verdict::Hangs)) { HANGS_SECONDS } else { 0 };
    // A connector that lacks something asks nobody, and need not wait.
    if cause != Some(Cause::Missing) {
        call.answers_at = Some(after(call.now(), seconds(target.seconds.unwrap_or(takes))));
    }
    match (trouble, cause) {
        (Some(trouble), Some(cause)) => {
            let status = status(settings.validation_status, target::status(&target, cause));
            Err(Reply::error(status, &trouble.code, &trouble.message))
        }
        _ => Ok(Reply::no_content()),
    }
}

fn status(how: ValidationStatus, of_target: Option<u16>) -> u16 {
    match how {
        ValidationStatus::BadRequest => 400,
        ValidationStatus::NotFound => 404,
        ValidationStatus::ServerError => 500,
        ValidationStatus::Target => of_target.filter(|status| *status >= 400).unwrap_or(400),
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
