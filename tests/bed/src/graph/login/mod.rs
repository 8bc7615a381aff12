//! Login: tokens for applications, discovery documents, the metadata of a cloud, managed identities (CONTRACT §8).

pub mod aadsts;
mod assertion;
mod certificate;
mod discovery;
mod imds;
pub mod token;

use std::collections::BTreeMap;

use serde_json::json;

use self::aadsts::Refusal;
use super::http::call::{Answered, Call};
use super::http::reply::Reply;
use super::http::request::Request;
use super::http::route::Line;
use super::model::tenant::Application;
use super::model::{Caller, Model};
use super::permissions::Access;
use token::Grant;

pub const ROUTES: &[Line] = &[
    ("POST", "{tenant}/oauth2/v2.0/token", "token", Access::Open, token_request),
    ("GET", "{tenant}/v2.0/.well-known/openid-configuration", "openidConfiguration", Access::Open, discovery::openid),
    ("GET", "common/discovery/instance", "instanceDiscovery", Access::Open, discovery::instance),
    ("GET", "metadata/endpoints", "metadata", Access::Open, discovery::metadata),
    ("GET", "metadata/identity/oauth2/token", "managedIdentityToken", Access::Open, imds::token),
];

/// Who bears the token of this request, or the 401 that says what is wrong with it.
pub fn caller(model: &Model, request: &Request) -> Result<Caller, Reply> {
    token::verify(model, request.header("authorization"))
}

/// Who the request says it is from, unverified: faults and the call log go by it.
pub fn presumed_caller(request: &Request) -> Option<Caller> {
    if request.segments.last().is_some_and(|last| last == "token") && request.method == hyper::Method::POST {
        let form = request.form();
        let client = form.iter().find(|(name, _)| name == "client_id").map(|(_, value)| value.clone());
        let tenant_id = request.segments.first().cloned().unwrap_or_default();
        return Some(Caller { tenant_id, app_id: client.unwrap_or_default(), ..Caller::default() });
    }
    token::claims(request.header("authorization").strip_prefix("Bearer ")?).map(|claims| token::caller_of(&claims))
}

/// The fields of a token request.
struct Form(BTreeMap<String, String>);

impl Form {
    fn field(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

fn token_request(call: &mut Call<'_>) -> Answered {
    let form = Form(call.request.form().into_iter().collect());
    let tenant = call.param("tenant").to_owned();
    match grant(call.model, &tenant, &form) {
        Err(refusal) => Err(aadsts::refuse(refusal.0, refusal.1, call.now())),
        Ok(grant) => {
            let settings = call.model.settings(&grant.tenant);
            let life = settings.token_lifetime_seconds;
            let expires = if settings.expires_in_as_text { json!(life.to_string()) } else { json!(life) };
            Ok(Reply::ok(json!({"token_type": "Bearer", "expires_in": expires, "ext_expires_in": expires,
                "access_token": token::issue(call.model, &grant, life)})))
        }
    }
}

fn grant(model: &mut Model, tenant_name: &str, form: &Form) -> Result<Grant, Refusal> {
    if matches!(tenant_name, "common" | "organizations" | "consumers") {
        return Err((900_023, "Specified tenant identifier is not valid for this flow."));
    }
    let tenant_id = model.tenant_id(tenant_name).ok_or((90002, "Tenant not found. Check the tenant id."))?;
    if form.field("grant_type").is_empty() {
        return Err((900_144, "The request body must contain the following parameter: 'grant_type'."));
    }
    if form.field("grant_type") != "client_credentials" {
        return Err((70003, "The app requested an unsupported grant type."));
    }
    if form.field("client_id").is_empty() {
        return Err((900_144, "The request body must contain the following parameter: 'client_id'."));
    }
    let client = form.field("client_id");
    let app = model.tenants.get(&tenant_id).and_then(|tenant| tenant.applications.get(client)).cloned();
    let app = app.ok_or((700_016, "Application was not found in the directory."))?;
    admitted(&app)?;
    let audience = audience(model, form.field("scope"))?;
    credential(model, &tenant_id, client, &app, form)?;
    let object_id = model.tenants.get(&tenant_id).map(|tenant| tenant.principal_of(client)).unwrap_or_default();
    Ok(Grant {
        tenant: tenant_id,
        app_id: client.to_owned(),
        object_id,
        audience,
        roles: app.roles,
        delegated: None,
        handles_challenges: form.field("claims").to_lowercase().contains("\"cp1\""),
    })
}

fn admitted(app: &Application) -> Result<(), Refusal> {
    if app.disabled {
        return Err((7_000_112, "The application is disabled."));
    }
    if !app.service_principal {
        return Err((7_000_229, "The client application is missing a service principal in the tenant."));
    }
    if app.public_client {
        return Err((
            700_025,
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        ));
    }
    Ok(())
}

/// Client credentials ask for one resource, with `/.default`.
fn audience(model: &Model, scope: &str) -> Result<String, Refusal> {
    if scope.is_empty() {
        return Err((900_144, "The request body must contain the following parameter: 'scope'."));
    }
    let resource = scope.strip_suffix("/.default").ok_or((
        1_002_012,
        "The provided value for scope is not valid. Client credential flows must end in /.default.",
    ))?;
    if resource.trim_end_matches('/') != model.origin {
        return Err((500_011, "The resource principal named in the scope was not found in the tenant."));
    }
    Ok(model.origin.clone())
}

fn credential(model: &mut Model, tenant: &str, client: &str, app: &Application, form: &Form) -> Result<(), Refusal> {
    let presented = form.field("client_assertion");
    if !presented.is_empty() {
        if form.field("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
            return Err((900_144, "The request body must contain the following parameter: 'client_assertion_type'."));
        }
        return assertion::check(model, tenant, client, app, presented);
    }
    let secret = form.field("client_secret");
    if secret.is_empty() {
        return Err((7_000_218, "The request body must contain 'client_assertion' or 'client_secret'."));
    }
    match app.secrets.iter().find(|known| known.value == secret && !known.revoked) {
        Some(known) if known.expired => Err((7_000_222, "The provided client secret keys are expired.")),
        Some(_) => Ok(()),
        None => Err((7_000_215, "Invalid client secret provided. Send the secret's value, not its id.")),
    }
}

/// The grant that a control call or IMDS makes without a credential.
pub fn application_grant(model: &Model, tenant: &str, client: &str) -> Option<Grant> {
    let known = model.tenants.get(tenant)?;
    let app = known.applications.get(client)?;
    Some(Grant {
        tenant: tenant.to_owned(),
        app_id: client.to_owned(),
        object_id: known.principal_of(client),
        audience: model.origin.clone(),
        roles: app.roles.clone(),
        delegated: None,
        handles_challenges: false,
    })
}

/// The time as login writes it.
fn login_time(now: jiff::Timestamp) -> String {
    now.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A time as a token's claims hold it.
fn second(now: jiff::Timestamp) -> i64 {
    now.as_second()
}
