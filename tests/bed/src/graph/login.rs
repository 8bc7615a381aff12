//! The token endpoint: client secrets and federated tokens, AADSTS errors, signed tokens (graph-api §8.1, §8.5).

use std::collections::HashMap;
use std::sync::LazyLock;

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::jobs::Answer;
use super::model::{Application, Caller, Model};

const LIFE_SECS: i64 = 3600;

/// Signs tokens; made anew for each process.
static KEY: LazyLock<Option<hmac::Key>> =
    LazyLock::new(|| hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new()).ok());

/// Answers a token request. The caller is what the call log names.
pub fn token(model: &Model, tenant: &str, form: &str) -> (Answer, Caller) {
    let form: HashMap<String, String> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let client = field("client_id");
    let caller = Caller { tenant_id: tenant.to_owned(), app_id: client.to_owned(), ..Caller::default() };
    let answer = match check(model, tenant, client, &form) {
        Err((code, status, error, text)) => refuse(status, code, error, text),
        Ok(app) => issue(model, tenant, client, app),
    };
    (answer, caller)
}

type Refusal = (u32, u16, &'static str, &'static str);

fn check<'a>(
    model: &'a Model,
    tenant: &str,
    client: &str,
    form: &HashMap<String, String>,
) -> Result<&'a Application, Refusal> {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let tenant = model.tenants.get(tenant).ok_or((90002, 400, "invalid_request", "Tenant not found."))?;
    let app = tenant.applications.get(client).ok_or((
        700_016,
        400,
        "unauthorized_client",
        "The application isn't in this directory.",
    ))?;
    if field("grant_type") != "client_credentials" {
        return Err((900_144, 400, "invalid_request", "The grant type is missing."));
    }
    if field("scope") != format!("{}/.default", model.origin) {
        return Err((500_011, 400, "invalid_resource", "The resource principal named in the scope wasn't found."));
    }
    if !field("client_assertion").is_empty() {
        return assertion(app, field("client_assertion")).map(|()| app);
    }
    match app.secrets.iter().find(|secret| secret.value == field("client_secret")) {
        Some(secret) if secret.expired => {
            Err((7_000_222, 401, "invalid_client", "The provided client secret keys are expired."))
        }
        Some(secret) if !secret.revoked => Ok(app),
        _ => Err((
            7_000_215,
            401,
            "invalid_client",
            "Invalid client secret provided. Ensure it's the secret \"value\", not its id.",
        )),
    }
}

/// A federated token must match one of the application's credentials to the letter.
fn assertion(app: &Application, token: &str) -> Result<(), Refusal> {
    let claims = claims(token).unwrap_or_default();
    let audience = claims["aud"].as_str().or_else(|| claims["aud"][0].as_str()).unwrap_or_default();
    let (issuer, subject) = (claims["iss"].as_str().unwrap_or_default(), claims["sub"].as_str().unwrap_or_default());
    if claims["exp"].as_i64().is_some_and(|expires| expires < Timestamp::now().as_second()) {
        return Err((700_024, 401, "invalid_client", "The client assertion isn't within its valid time range."));
    }
    let known = &app.federated_credentials;
    if !known.iter().any(|credential| credential.issuer == issuer) {
        return Err((700_211, 401, "invalid_client", "No matching federated identity record found for the issuer."));
    }
    if !known.iter().any(|credential| credential.issuer == issuer && credential.subject == subject) {
        return Err((700_213, 401, "invalid_client", "No matching federated identity record found for the subject."));
    }
    if !known.iter().any(|credential| credential.audience == audience) {
        return Err((700_212, 401, "invalid_client", "No matching federated identity record found for the audience."));
    }
    Ok(())
}

fn refuse(status: u16, code: u32, error: &str, text: &str) -> Answer {
    let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
    let time = Timestamp::now();
    let description =
        format!("AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {time}");
    let body = json!({"error": error, "error_description": description, "error_codes": [code], "timestamp": time.to_string(),
        "trace_id": trace, "correlation_id": correlation, "error_uri": format!("https://login.example.test/error?code={code}")});
    (status, body)
}

fn issue(model: &Model, tenant: &str, client: &str, app: &Application) -> Answer {
    let now = model.now().as_second();
    let object_id = Uuid::new_v5(&Uuid::NAMESPACE_OID, client.as_bytes()).to_string();
    let claims = json!({"aud": model.origin, "iss": format!("{}/{tenant}/", model.origin), "tid": tenant, "appid": client, "oid": object_id,
        "idtyp": "app", "roles": app.roles, "iat": now, "nbf": now, "exp": now + LIFE_SECS, "issuedMillis": model.now().as_millisecond()});
    let part = |value: &Value| BASE64.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"typ": "JWT", "alg": "HS256"})), part(&claims));
    let token = format!("{signed}.{}", BASE64.encode(sign(&signed)));
    (200, json!({"token_type": "Bearer", "expires_in": LIFE_SECS, "ext_expires_in": LIFE_SECS, "access_token": token}))
}

fn sign(text: &str) -> Vec<u8> {
    KEY.as_ref().map(|key| hmac::sign(key, text.as_bytes()).as_ref().to_vec()).unwrap_or_default()
}

fn claims(token: &str) -> Option<Value> {
    serde_json::from_slice(&BASE64.decode(token.split('.').nth(1)?).ok()?).ok()
}

/// Who bears this token; `None` if it is not ours, expired or revoked.
pub fn caller(model: &Model, authorization: &str) -> Option<Caller> {
    let token = authorization.strip_prefix("Bearer ")?;
    let (signed, signature) = token.rsplit_once('.')?;
    if BASE64.decode(signature).ok()? != sign(signed) {
        return None;
    }
    let claims = claims(token)?;
    let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    let live = claims["exp"].as_i64()? > model.now().as_second()
        && claims["issuedMillis"].as_i64()? >= model.tokens_from.as_millisecond();
    let roles = claims["roles"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    live.then(|| Caller { tenant_id: text("tid"), app_id: text("appid"), object_id: text("oid"), roles })
}
