//! Answers of Graph and of the login service as bytes (CONTRACT §4.2, §6, §8.1).

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::super::wire::Refusal;
use super::jobs::{Job, Principal, State};

pub type Response = http::Response<Bytes>;

/// Stands in bodies of errors. No log, status or event may hold it.
pub const CANARY: &str = "canary-body-7d1f";
const NEVER: &str = "0001-01-01T00:00:00Z";

pub fn json(status: u16, body: impl Into<Bytes>) -> Response {
    let builder = http::Response::builder().status(status).header("content-type", "application/json");
    builder.header("request-id", "8f1c2a50-6f0e-4d7e-9d1b-2f3a4b5c6d7e").body(body.into()).unwrap()
}

pub fn no_content() -> Response {
    http::Response::builder().status(204).body(Bytes::new()).unwrap()
}

pub fn error(status: u16, code: &str, message: &str) -> Response {
    let inner = json!({"request-id": "8f1c2a50-6f0e-4d7e-9d1b-2f3a4b5c6d7e", "detail": CANARY});
    json(status, json!({"error": {"code": code, "message": message, "innerError": inner}}).to_string())
}

/// What stands between says it, or the limits do.
pub fn refusal(refusal: Refusal) -> Response {
    let mut response = match refusal.status {
        401 => error(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
        429 => error(429, "TooManyRequests", ""),
        502 => http::Response::builder().status(502).body(Bytes::from(format!("<html>{CANARY}</html>"))).unwrap(),
        503 => error(503, "ServiceUnavailable", "The service is unavailable."),
        504 => error(504, "GatewayTimeout", ""),
        status => error(status, "InternalServerError", "Something went wrong."),
    };
    if let Some(wait) = refusal.wait {
        response.headers_mut().insert("retry-after", http::HeaderValue::from(wait));
    }
    response
}

pub fn principal(principal: &Principal) -> Response {
    let body = json!({"id": principal.id, "appId": principal.app_id, "displayName": "An application"});
    json(200, body.to_string())
}

pub fn templates(templates: &[String]) -> Response {
    let value: Vec<_> = templates.iter().map(|id| json!({"id": id, "default": false, "factoryTag": id})).collect();
    json(200, json!({"value": value}).to_string())
}

pub fn jobs<'a>(jobs: impl Iterator<Item = (&'a Job, State)>, epoch: Timestamp) -> Response {
    let mut body = String::with_capacity(1024);
    body.push_str(r#"{"value":["#);
    for (index, (one, state)) in jobs.enumerate() {
        if index > 0 {
            body.push(',');
        }
        job_into(&mut body, one, state, epoch);
    }
    body.push_str("]}");
    json(200, body)
}

pub fn job(status: u16, job: &Job, state: State, epoch: Timestamp) -> Response {
    let mut body = String::with_capacity(512);
    job_into(&mut body, job, state, epoch);
    json(status, body)
}

/// The samples of CONTRACT §4.2: a new job, one that was started and has not run, and one that has.
fn job_into(body: &mut String, job: &Job, state: State, epoch: Timestamp) {
    let interval = if state.lived { "PT20M" } else { "PT40M" };
    let began = Timestamp::from_second(epoch.as_second() + i64::try_from(job.created.as_secs()).unwrap()).unwrap();
    let (code, steady) = match (state.quarantine, state.scheduled.name(), state.lived) {
        (true, "Active", _) => ("Quarantine", NEVER.to_owned()),
        (_, "Active", true) => ("Active", began.to_string()),
        (_, "Active", false) => ("NotRun", NEVER.to_owned()),
        (_, _, true) => ("Paused", began.to_string()),
        (_, _, false) => ("Paused", NEVER.to_owned()),
    };
    let execution = match (state.lived, state.scheduled.name()) {
        (true, _) => format!(
            r#"{{"activityIdentifier":"a","state":"Succeeded","countExported":3,"countEntitled":3,"countImported":3,"countEscrowed":0,"timeBegan":"{began}","timeEnded":"{began}","error":null}}"#
        ),
        (false, "Active") => format!(
            r#"{{"activityIdentifier":null,"state":"Failed","countExported":0,"timeBegan":"{NEVER}","timeEnded":"{NEVER}","error":{{"code":"None","message":"","tenantActionable":false}}}}"#
        ),
        (false, _) => "null".to_owned(),
    };
    let quarantine = if state.quarantine {
        format!(
            r#"{{"reason":"EncounteredQuarantineException","currentBegan":"{began}","seriesBegan":"{began}","seriesCount":1,"nextAttempt":"{began}","error":{{"code":"SystemForCrossDomainIdentityManagementCredentialValidationUnavailable","message":"No.","tenantActionable":true}}}}"#
        )
    } else {
        "null".to_owned()
    };
    let (id, template, scheduled, pruned) = (&job.id, &job.template, state.scheduled.name(), state.escrows_pruned);
    write!(
        body,
        r#"{{"id":"{id}","templateId":"{template}","schedule":{{"expiration":null,"interval":"{interval}","state":"{scheduled}"}},"status":{{"countSuccessiveCompleteFailures":0,"escrowsPruned":{pruned},"code":"{code}","lastExecution":{execution},"lastSuccessfulExecution":null,"lastSuccessfulExecutionWithExports":null,"quarantine":{quarantine},"steadyStateFirstAchievedTime":"{steady}","steadyStateLastAchievedTime":"{steady}","troubleshootingUrl":null,"progress":[],"synchronizedEntryCountByType":[]}},"synchronizationJobSettings":[]}}"#
    )
    .unwrap();
}

/// A token that names its tenant, and whose rest nobody may repeat anywhere.
pub fn token(tenant: &str, application: &str, number: u64, seconds: u64) -> (String, Response) {
    let roles = ["Synchronization.ReadWrite.All", "Application.Read.All"];
    let claims = json!({"tid": tenant, "appid": application, "jti": number, "roles": roles});
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    let token = format!("e30.{claims}.canary-token-{number}");
    let body = json!({"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token});
    (token, json(200, body.to_string()))
}

pub fn login_error(status: u16, error: &str, code: u32) -> Response {
    let description = format!("AADSTS{code}: It was refused.\r\nTrace ID: {CANARY}");
    json(status, json!({"error": error, "error_description": description, "error_codes": [code]}).to_string())
}
