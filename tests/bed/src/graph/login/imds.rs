//! The token route of a virtual machine's metadata service (CONTRACT §8.4). A real one has an address of its own.

use serde_json::json;

use super::{application_grant, token};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::http::request::Request;
use crate::graph::model::tenant::Tenant;
use crate::graph::model::{Identity, Model};

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
    let fitting = identities(call.model, request);
    if fitting.len() > 1 {
        let text = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in \
            the token request";
        return Err(refused("invalid_request", text));
    }
    let found = fitting.first();
    let grant = found.and_then(|found| application_grant(call.model, &found.tenant, &found.client));
    let grant = grant.ok_or_else(|| refused("invalid_request", "Identity not found"))?;
    let (now, life) = (call.now(), call.model.settings(&grant.tenant).token_lifetime_seconds);
    let second = super::second(now);
    Ok(Reply::ok(json!({
        "access_token": token::issue(call.model, &grant, life), "expires_in": life.to_string(),
        "expires_on": (second + life).to_string(), "not_before": second.to_string(), "resource": resource, "token_type": "Bearer",
    })))
}

/// The identities of the machine that the request can mean: one that it names, else all.
fn identities(model: &Model, request: &Request) -> Vec<Identity> {
    let every = || {
        let of_tenant = |(id, tenant): (&String, &Tenant)| {
            let identity =
                |client: &String| Identity { tenant: id.clone(), client: client.clone(), ..Identity::default() };
            tenant.applications.keys().map(identity).collect::<Vec<_>>()
        };
        model.tenants.iter().flat_map(of_tenant).collect()
    };
    let object = |identity: &Identity| {
        let derived = || model.tenants.get(&identity.tenant).map(|tenant| tenant.principal_of(&identity.client));
        identity.object.clone().or_else(derived)
    };
    let named = |name: &str, own: Option<&str>| request.query(name).is_none_or(|wanted| own == Some(wanted));
    let fits = |identity: &Identity| {
        named("client_id", Some(&identity.client))
            && named("object_id", object(identity).as_deref())
            && named("msi_res_id", identity.resource.as_deref())
    };
    model.identities.clone().unwrap_or_else(every).into_iter().filter(fits).collect()
}
