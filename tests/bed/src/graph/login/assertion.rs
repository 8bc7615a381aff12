//! Client assertions: signed with a registered certificate (CONTRACT §8.2), or a token of a trusted issuer (§8.3).

use jiff::SignedDuration;
use serde_json::Value;

use super::aadsts::Refusal;
use super::certificate::{self, Registered};
use super::token::{claims, part};
use crate::graph::model::Model;
use crate::graph::model::settings::{Cloud, NewFederatedCredential};
use crate::graph::model::tenant::{Application, FederatedCredential};

/// The clouds that have an audience of their own.
const CLOUDS: [Cloud; 3] = [Cloud::Global, Cloud::UsGov, Cloud::China];
/// Clocks may differ by this much.
const SKEW_SECS: i64 = 300;

const INVALID: Refusal = (50013, "The assertion is not valid.");
const OUTSIDE_ITS_TIME: Refusal = (700_024, "Client assertion is not within its valid time range.");
const BAD_SIGNATURE: Refusal = (
    700_027,
    "The certificate with identifier used to sign the client assertion is not registered on the application, or the signature is wrong.",
);

pub fn check(model: &mut Model, tenant: &str, client: &str, app: &Application, assertion: &str) -> Result<(), Refusal> {
    let (header, claims) = (part(assertion, 0).ok_or(INVALID)?, claims(assertion).ok_or(INVALID)?);
    in_time(&claims, super::second(model.now()))?;
    // An assertion that a client signs names the client as its issuer; a federated one names somebody else.
    if claims["iss"] == client || header.get("x5t").is_some() || header.get("x5t#S256").is_some() {
        signed_by_certificate(model, tenant, client, app, (&header, &claims), assertion)
    } else {
        let found = federated(app, model.settings(tenant).cloud, &header, &claims)?;
        known_here(model, tenant, found)?;
        match &found.jwks {
            Some(keys) if !certificate::signed_by_one_of(keys, &header, assertion) => {
                Err((50013, "The signature of the assertion cannot be verified with the issuer's keys."))
            }
            _ => Ok(()),
        }
    }
}

fn in_time(claims: &Value, now: i64) -> Result<(), Refusal> {
    let expires = claims["exp"].as_i64().ok_or(INVALID)?;
    let from = claims["nbf"].as_i64().or_else(|| claims["iat"].as_i64()).unwrap_or(now);
    if expires + SKEW_SECS < now || from - SKEW_SECS > now { Err(OUTSIDE_ITS_TIME) } else { Ok(()) }
}

fn signed_by_certificate(
    model: &mut Model,
    tenant: &str,
    client: &str,
    app: &Application,
    (header, claims): (&Value, &Value),
    assertion: &str,
) -> Result<(), Refusal> {
    let live = app.certificates.iter().filter(|certificate| !certificate.revoked);
    let registered: Vec<Registered> = live.filter_map(|known| certificate::read(&known.pem)).collect();
    let signer = registered.iter().find(|known| known.is_named_by(header)).ok_or(BAD_SIGNATURE)?;
    if !signer.signed(header, assertion) {
        return Err(BAD_SIGNATURE);
    }
    if signer.expired(super::second(model.now())) {
        return Err((700_027, "The certificate that signed the client assertion is expired."));
    }
    if claims["iss"] != client || claims["sub"] != client {
        return Err((50048, "Subject must match Issuer claim in the client assertion."));
    }
    let endpoint = format!("{}/{tenant}/oauth2/v2.0/token", model.origin);
    let audiences = [endpoint.clone(), format!("{}/{tenant}/v2.0", model.origin)];
    if !audiences.iter().any(|audience| claims["aud"] == *audience) {
        return Err((50013, "The audience of the assertion must be the token endpoint."));
    }
    let id = claims["jti"].as_str().filter(|id| !id.is_empty()).ok_or((50013, "The assertion has no 'jti'."))?;
    let now = super::second(model.now());
    model.assertions.retain(|_, expires| *expires + SKEW_SECS >= now);
    let expires = claims["exp"].as_i64().unwrap_or_default();
    if model.assertions.insert(format!("{client}/{id}"), expires).is_some() {
        return Err((50013, "The assertion was presented before."));
    }
    Ok(())
}

/// A federated token must match one of the application's credentials to the letter.
fn federated<'a>(
    app: &'a Application,
    cloud: Cloud,
    header: &Value,
    claims: &Value,
) -> Result<&'a FederatedCredential, Refusal> {
    let audience = claims["aud"].as_str().or_else(|| claims["aud"][0].as_str()).unwrap_or_default();
    let (issuer, subject) = (claims["iss"].as_str().unwrap_or_default(), claims["sub"].as_str().unwrap_or_default());
    if header["alg"] != "RS256" {
        return Err((50013, "The assertion must be signed with RS256."));
    }
    let of_issuer: Vec<&FederatedCredential> =
        app.federated_credentials.iter().filter(|known| known.issuer == issuer).collect();
    if of_issuer.is_empty() {
        return Err((700_211, "No matching federated identity record found for presented assertion issuer."));
    }
    let of_subject: Vec<&FederatedCredential> =
        of_issuer.iter().copied().filter(|known| known.subject == subject).collect();
    if of_subject.is_empty() {
        let by_case = of_issuer.iter().any(|known| known.subject.eq_ignore_ascii_case(subject));
        let code = if by_case { 7_002_138 } else { 700_213 };
        return Err((code, "No matching federated identity record found for presented assertion subject."));
    }
    let of_another_cloud =
        CLOUDS.map(Cloud::exchange_audience).contains(&audience) && audience != cloud.exchange_audience();
    let found = of_subject.iter().copied().find(|known| known.audience == audience && !of_another_cloud);
    found.ok_or((700_212, "No matching federated identity record found for presented assertion audience."))
}

/// For some time after its creation, not every replica knows a federated credential.
fn known_here(model: &mut Model, tenant: &str, found: &FederatedCredential) -> Result<(), Refusal> {
    let settings = model.settings(tenant);
    let new = SignedDuration::from_secs(settings.new_federated_credential_seconds.try_into().unwrap_or(i64::MAX));
    if found.created.is_none_or(|created| model.now().duration_since(created) >= new) {
        return Ok(());
    }
    model.federated_lookups += 1;
    let refused = match settings.new_federated_credential {
        NewFederatedCredential::Flapping => model.federated_lookups % 2 == 1,
        NewFederatedCredential::Refused => true,
    };
    if refused {
        return Err((70021, "No matching federated identity record found for presented assertion."));
    }
    Ok(())
}
