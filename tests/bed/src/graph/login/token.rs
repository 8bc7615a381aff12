//! Access tokens: signed JWTs whose claims a client may read (CONTRACT §2.1, §6.4, §8.1).

use std::sync::LazyLock;

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::graph::http::reply::Reply;
use crate::graph::model::{Caller, Delegated, Model};

/// Signs tokens; made anew for each process.
static KEY: LazyLock<Option<hmac::Key>> =
    LazyLock::new(|| hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new()).ok());

/// What a token says.
#[derive(Clone, Debug)]
pub struct Grant {
    pub tenant: String,
    pub app_id: String,
    pub object_id: String,
    pub audience: String,
    pub roles: Vec<String>,
    pub delegated: Option<Delegated>,
    /// The client announced that it can handle a claims challenge.
    pub handles_challenges: bool,
}

pub fn issue(model: &Model, grant: &Grant, life: i64) -> String {
    let (origin, second) = (&model.origin, super::second(model.now()));
    let mut claims = json!({
        "aud": grant.audience, "iss": format!("{origin}/{}/", grant.tenant), "tid": grant.tenant, "appid": grant.app_id,
        "oid": grant.object_id, "sub": grant.object_id, "iat": second, "nbf": second, "exp": second + life,
        "idtyp": if grant.delegated.is_some() { "user" } else { "app" }, "ver": "1.0",
        "uti": Uuid::new_v4().simple().to_string(), "generation": model.token_generation,
    });
    // Without a grant there is no claim at all.
    if !grant.roles.is_empty() {
        claims["roles"] = json!(grant.roles);
    }
    if let Some(user) = &grant.delegated {
        claims["scp"] = user.scopes.join(" ").into();
        claims["wids"] = json!(user.directory_roles);
    }
    if grant.handles_challenges {
        claims["xms_cc"] = json!(["cp1"]);
    }
    let part = |value: &Value| BASE64.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"typ": "JWT", "alg": "HS256"})), part(&claims));
    let signature = BASE64.encode(sign(&signed));
    format!("{signed}.{signature}")
}

fn sign(text: &str) -> Vec<u8> {
    KEY.as_ref().map(|key| hmac::sign(key, text.as_bytes()).as_ref().to_vec()).unwrap_or_default()
}

/// The claims of a JWT, unverified.
pub fn claims(token: &str) -> Option<Value> {
    part(token, 1)
}

/// A part of a JWT: 0 is the header, 1 the claims.
pub fn part(token: &str, index: usize) -> Option<Value> {
    serde_json::from_slice(&BASE64.decode(token.split('.').nth(index)?).ok()?).ok()
}

pub fn caller_of(claims: &Value) -> Caller {
    let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    let list = |name: &str| -> Vec<String> {
        claims[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let delegated = claims["scp"].as_str().map(|scopes| Delegated {
        scopes: scopes.split(' ').map(str::to_owned).collect(),
        directory_roles: list("wids"),
    });
    Caller { tenant_id: text("tid"), app_id: text("appid"), object_id: text("oid"), roles: list("roles"), delegated }
}

/// Who bears this token, if it is ours and still good.
pub fn verify(model: &Model, authorization: &str) -> Result<Caller, Reply> {
    let refused = |text: &str| {
        Reply::error(401, "InvalidAuthenticationToken", text).with("www-authenticate", r#"Bearer realm="""#)
    };
    let token = authorization.strip_prefix("Bearer ").ok_or_else(|| refused("Access token is empty."))?;
    let signed = token
        .rsplit_once('.')
        .filter(|(signed, signature)| BASE64.decode(signature).is_ok_and(|signature| signature == sign(signed)));
    let claims = signed.and_then(|_| claims(token)).ok_or_else(|| refused("CompactToken parsing failed."))?;
    if claims["aud"] != *model.origin {
        return Err(refused("Access token validation failure. Invalid audience."));
    }
    if claims["exp"].as_i64() <= Some(super::second(model.now())) {
        return Err(refused("Lifetime validation failed, the token is expired."));
    }
    let caller = caller_of(&claims);
    if claims["generation"].as_u64() < Some(model.token_generation) {
        let challenged = model.settings(&caller.tenant_id).claims_challenges && claims["xms_cc"][0] == "cp1";
        return Err(if challenged {
            challenge(model)
        } else {
            refused("Lifetime validation failed, the token is expired.")
        });
    }
    Ok(caller)
}

/// Continuous access evaluation: the client must come back with a token that is younger than the event.
fn challenge(model: &Model) -> Reply {
    let claims =
        json!({"access_token": {"nbf": {"essential": true, "value": super::second(model.tokens_revoked).to_string()}}});
    let header = format!(
        r#"Bearer realm="", authorization_uri="{}/common/oauth2/authorize", error="insufficient_claims", claims="{}""#,
        model.origin,
        STANDARD.encode(claims.to_string())
    );
    let text = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp.";
    Reply::error(401, "InvalidAuthenticationToken", text).with("www-authenticate", header)
}
