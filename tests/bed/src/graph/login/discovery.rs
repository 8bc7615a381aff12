//! Documents that say where things are: OpenID configuration, instance discovery, the metadata of a cloud.
#![expect(clippy::unnecessary_wraps, reason = "handlers have one signature")]

use serde_json::json;

use super::aadsts;
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;

pub fn openid(call: &mut Call<'_>) -> Answered {
    let tenant = call.param("tenant").to_owned();
    let Some(id) = call.model.tenant_id(&tenant) else {
        let mut refusal = aadsts::refuse(90002, "Tenant not found. Check the tenant id.", call.now());
        let mut body = refusal.body();
        body["error"] = "invalid_tenant".into();
        refusal.content = crate::graph::http::reply::Content::Json(body);
        return Err(refusal);
    };
    let origin = &call.model.origin;
    Ok(Reply::ok(json!({
        "issuer": format!("{origin}/{id}/v2.0"), "token_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{origin}/{tenant}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_types_supported": ["code"], "tenant_region_scope": "EU",
    })))
}

/// What a client asks that does not know the authority.
pub fn instance(call: &mut Call<'_>) -> Answered {
    let host = call.model.origin.trim_start_matches("https://").to_owned();
    let endpoint = format!("{}/common/v2.0/.well-known/openid-configuration", call.model.origin);
    Ok(Reply::ok(json!({
        "tenant_discovery_endpoint": endpoint, "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    })))
}

/// What a client asks that was told nothing but a metadata host.
pub fn metadata(call: &mut Call<'_>) -> Answered {
    let origin = &call.model.origin;
    Ok(Reply::ok(json!({
        "name": "Simulated", "resourceManager": origin, "microsoftGraphResourceId": origin,
        "authentication": {"loginEndpoint": origin, "audiences": [origin], "tenant": "common", "identityProvider": "AAD"},
    })))
}
