//! The token route of a virtual machine's metadata service (graph-api §8.4). A real one has an address of its own.

use serde_json::json;

use super::{application_grant, token};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;

pub fn token(call: &mut Call<'_>) -> Answered {
    let refused = |code: &str, text: &str| Reply::json(400, json!({"error": code, "error_description": text}));
    let request = call.request;
    if !request.header("metadata").eq_ignore_ascii_case("true") {
        return Err(refused("bad_request_102", "Required metadata header not specified"));
    }
    if request.query("api-version").is_none() {
        return Err(refused("invalid_request", "Required query variable 'api-version' is missing"));
    }
    let resource = request.query("resource").unwrap_or_default().trim_end_matches('/').to_owned();
    if resource != call.model.origin {
        return Err(refused("invalid_resource", "AADSTS500011: The resource principal was not found in the tenant."));
    }
    let wanted = request.query("client_id");
    let found = call.model.tenants.iter().find_map(|(id, tenant)| {
        let known = tenant.applications.keys().find(|app| wanted.is_none_or(|wanted| wanted == app.as_str()))?;
        Some((id.clone(), known.clone()))
    });
    let grant = found.and_then(|(tenant, app)| application_grant(call.model, &tenant, &app));
    let grant = grant.ok_or_else(|| refused("invalid_request", "Identity not found"))?;
    let (now, life) = (call.now(), call.model.settings(&grant.tenant).token_lifetime_seconds);
    let second = super::second(now);
    Ok(Reply::ok(json!({
        "access_token": token::issue(call.model, &grant, life), "expires_in": life.to_string(),
        "expires_on": (second + life).to_string(), "not_before": second.to_string(), "resource": resource, "token_type": "Bearer",
    })))
}
