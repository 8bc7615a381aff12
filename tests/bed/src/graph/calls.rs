//! One request: which operation it is, who calls, whether a fault meets it, what it does, and how the answer looks.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::faults::{self, Action, Mangle};
use super::jobs::{self, Answer, error};
use super::model::{Caller, Model};
use super::{Shared, login};

/// A request as it came.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    /// Percent-decoded segments, without empty ones.
    pub segments: Vec<String>,
    pub query: String,
    pub authorization: String,
    pub client_request_id: String,
    pub body: Vec<u8>,
}

/// What leaves.
pub enum Outcome {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// The head and the first bytes of a body that is never finished.
    CutBody {
        status: u16,
        body: Vec<u8>,
    },
    /// The connection ends without an answer.
    Cut,
}

/// The operation of a request, named as in the ledger.
fn operation(request: &Request) -> &'static str {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let get = request.method == Method::GET;
    match (request.method.as_str(), segments.as_slice()) {
        ("POST", [_, "oauth2", "v2.0", "token"]) => "token",
        ("GET", [_, "v2.0", ".well-known", "openid-configuration"]) => "openidConfiguration",
        ("GET", ["metadata", "endpoints"]) => "metadata",
        (_, ["v1.0" | "beta", rest @ ..]) => match (request.method.as_str(), rest) {
            ("GET", ["servicePrincipals"]) => "listServicePrincipals",
            ("GET", ["servicePrincipals", _]) => "getServicePrincipal",
            ("GET", ["servicePrincipals", _, "synchronization", "templates"]) => "listTemplates",
            ("GET", ["servicePrincipals", _, "synchronization", "jobs"]) => "listJobs",
            ("POST", ["servicePrincipals", _, "synchronization", "jobs"]) => "createJob",
            ("GET", ["servicePrincipals", _, "synchronization", "jobs", _]) => "getJob",
            ("DELETE", ["servicePrincipals", _, "synchronization", "jobs", _]) => "deleteJob",
            ("POST", ["servicePrincipals", _, "synchronization", "jobs", _, "start"]) => "startJob",
            ("POST", ["servicePrincipals", _, "synchronization", "jobs", _, "pause"]) => "pauseJob",
            ("POST", ["servicePrincipals", _, "synchronization", "jobs", _, "restart"]) => "restartJob",
            _ if get => "unknownRead",
            _ => "unknownWrite",
        },
        _ => "unknownRead",
    }
}

fn service_principal(request: &Request) -> Option<&str> {
    (request.segments.get(1)? == "servicePrincipals").then(|| request.segments.get(2).map(String::as_str))?
}

/// Answers a request to login or Graph.
pub async fn handle(shared: &Shared, request: Request) -> Outcome {
    let operation = operation(&request);
    let request_id = Uuid::new_v4().to_string();
    let fault = {
        let mut model = lock(shared);
        let target = service_principal(&request).map(str::to_owned);
        faults::take(&mut model.faults, operation, target.as_deref())
    };
    let run = || perform(&mut lock(shared), operation, &request, &request_id);
    let note = |status: u16| log(&mut lock(shared), operation, &request, status);
    match fault {
        None => {
            let answer = run();
            note(answer.0);
            render(answer, &request_id, &request, Vec::new())
        }
        Some(action) => meet(action, shared, operation, &request, &request_id).await,
    }
}

async fn meet(
    action: Action,
    shared: &Shared,
    operation: &'static str,
    request: &Request,
    request_id: &str,
) -> Outcome {
    let run = || perform(&mut lock(shared), operation, request, request_id);
    log(&mut lock(shared), operation, request, 0);
    match action {
        Action::Respond { status, code, message, headers, body, commit } => {
            if commit {
                run();
            }
            let headers = headers
                .into_iter()
                .map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
                .collect();
            let answer = error(status, &code, &message);
            match (render(answer, request_id, request, headers), body) {
                (Outcome::Answer { status, headers, .. }, Some(body)) => {
                    Outcome::Answer { status, headers, body: body.into_bytes() }
                }
                (outcome, _) => outcome,
            }
        }
        Action::Drop { commit } => {
            if commit {
                run();
            }
            Outcome::Cut
        }
        Action::Hang { commit } => {
            if commit {
                run();
            }
            std::future::pending().await
        }
        Action::Delay { millis } => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            render(run(), request_id, request, Vec::new())
        }
        Action::LateCommit { millis } => {
            let (shared, request, request_id) = (shared.clone(), request.clone(), request_id.to_owned());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                perform(&mut lock(&shared), operation, &request, &request_id);
            });
            Outcome::Cut
        }
        Action::Redirect { location } => {
            render((302, Value::Null), request_id, request, vec![("location".to_owned(), location)])
        }
        Action::ForeignNextLink { url } => {
            let (status, mut body) = run();
            body["@odata.nextLink"] = json!(url);
            render((status, body), request_id, request, Vec::new())
        }
        Action::CutBody { after_bytes } => {
            let (status, body) = run();
            Outcome::CutBody { status, body: body.to_string().into_bytes().into_iter().take(after_bytes).collect() }
        }
        Action::Mangle(mangle) => mangled(run(), mangle, request_id, request),
    }
}

fn mangled(answer: Answer, mangle: Mangle, request_id: &str, request: &Request) -> Outcome {
    let (status, mut body) = answer;
    let raw = match mangle {
        Mangle::Html => "<html><body>An error page</body></html>".to_owned(),
        Mangle::TruncatedJson => {
            let text = body.to_string();
            text.chars().take(text.chars().count() / 2).collect()
        }
        Mangle::UnknownEnums | Mangle::ExtraFields | Mangle::EmptyStatus => {
            let single = body.get("value").is_none();
            let change = |job: &mut Value| match mangle {
                Mangle::UnknownEnums => job["status"]["code"] = json!("Hibernating"),
                Mangle::ExtraFields => job["new"] = json!({"a": [1, null]}),
                _ => job["status"] = json!({}),
            };
            if single {
                change(&mut body);
            } else {
                body["value"].as_array_mut().into_iter().flatten().for_each(change);
            }
            body.to_string()
        }
    };
    match render((status, Value::Null), request_id, request, Vec::new()) {
        Outcome::Answer { status, headers, .. } => Outcome::Answer { status, headers, body: raw.into_bytes() },
        outcome => outcome,
    }
}

fn render(answer: Answer, request_id: &str, request: &Request, extra: Vec<(String, String)>) -> Outcome {
    let (status, mut body) = answer;
    if body["error"].is_object() {
        body["error"]["innerError"] = json!({"date": jiff::Timestamp::now().to_string(), "request-id": request_id, "client-request-id": request.client_request_id});
    }
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("request-id".to_owned(), request_id.to_owned()),
        ("client-request-id".to_owned(), request.client_request_id.clone()),
        ("x-ms-ags-diagnostic".to_owned(), r#"{"ServerInfo":{"DataCenter":"Simulated","Ring":"0"}}"#.to_owned()),
    ];
    headers.extend(extra);
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    Outcome::Answer { status, headers, body }
}

fn log(model: &mut Model, operation: &str, request: &Request, status: u16) {
    let entry = json!({"operation": operation, "time": model.now().to_string(), "status": status,
        "servicePrincipalId": service_principal(request), "clientRequestId": request.client_request_id});
    model.calls.push(entry);
}

/// Does what the operation does, as the service would.
fn perform(model: &mut Model, operation: &str, request: &Request, request_id: &str) -> Answer {
    let tenant = request.segments.first().map(String::as_str).unwrap_or_default();
    match operation {
        "token" => return login::token(model, tenant, &String::from_utf8_lossy(&request.body)).0,
        "openidConfiguration" => return openid(model, tenant),
        "metadata" => return metadata(model),
        _ => {}
    }
    let Some(caller) = login::caller(model, &request.authorization) else {
        return error(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.");
    };
    if let Some(refusal) = permitted(model, &caller, operation) {
        return refusal;
    }
    graph(model, &caller, operation, request, request_id)
}

fn graph(model: &mut Model, caller: &Caller, operation: &str, request: &Request, request_id: &str) -> Answer {
    if operation == "listServicePrincipals" {
        return list_service_principals(model, caller, &request.query);
    }
    let sp = service_principal(request).unwrap_or_default();
    let Some(found) = model.service_principal(&caller.tenant_id, sp).cloned() else {
        return error(
            404,
            "Request_ResourceNotFound",
            "Resource does not exist or one of its queried reference-property objects are not present.",
        );
    };
    let ids = (request_id, request.client_request_id.as_str());
    let job = request.segments.get(5).map(String::as_str).unwrap_or_default();
    match operation {
        "getServicePrincipal" => (200, json!({"id": sp, "appId": found.app_id, "displayName": found.display_name})),
        "listTemplates" => {
            let templates: Vec<Value> = found.templates.iter().map(|id| json!({"id": id, "applicationId": found.app_id, "default": true, "discoverable": true, "factoryTag": id, "metadata": []})).collect();
            (200, json!({"value": templates}))
        }
        "listJobs" => (
            200,
            json!({"value": model.visible_jobs(&caller.tenant_id, sp).iter().map(jobs::render).collect::<Vec<_>>()}),
        ),
        "getJob" => match model.visible_jobs(&caller.tenant_id, sp).iter().find(|known| known.id == job) {
            Some(known) => (200, jobs::render(known)),
            None => error(404, "ResourceNotFound", "The synchronization job does not exist."),
        },
        "createJob" => match serde_json::from_slice(&request.body) {
            Ok(body) => jobs::create(model, caller, sp, &body, ids),
            Err(_) => error(400, "BadRequest", "The body is not JSON."),
        },
        "startJob" | "pauseJob" | "restartJob" | "deleteJob" => jobs::change(model, caller, sp, job, operation, ids),
        _ => {
            let inner = json!({"Message": format!("No HTTP resource was found that matches the request URI '/{}'.", request.segments.join("/"))});
            error(404, "UnknownError", &inner.to_string())
        }
    }
}

/// `None` if the caller may; the tenant's mode says how a refusal looks.
fn permitted(model: &Model, caller: &Caller, operation: &str) -> Option<Answer> {
    let any = |wanted: &[&str]| caller.roles.iter().any(|role| wanted.contains(&role.as_str()));
    let allowed = match operation {
        "listServicePrincipals" | "getServicePrincipal" => {
            any(&["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"])
        }
        "listJobs" | "getJob" | "listTemplates" | "unknownRead" => {
            any(&["Synchronization.Read.All", "Synchronization.ReadWrite.All"])
        }
        _ => any(&["Synchronization.ReadWrite.All"]),
    };
    let mode =
        model.tenants.get(&caller.tenant_id).map(|tenant| tenant.missing_permission.as_str()).unwrap_or_default();
    (!allowed).then(|| match mode {
        "denied403" => error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
        _ => error(401, "UnknownError", ""),
    })
}

fn list_service_principals(model: &Model, caller: &Caller, query: &str) -> Answer {
    let filter = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "$filter")
        .map(|(_, value)| value.into_owned());
    let wanted = filter
        .as_deref()
        .and_then(|filter| filter.strip_prefix("appId eq '"))
        .and_then(|rest| rest.strip_suffix('\''))
        .map(str::to_owned);
    let tenant = model.tenants.get(&caller.tenant_id);
    let all = tenant.into_iter().flat_map(|tenant| &tenant.service_principals);
    let value: Vec<Value> = all
        .filter(|(_, found)| !found.deleted && wanted.as_ref().is_none_or(|wanted| *wanted == found.app_id))
        .map(|(id, found)| json!({"id": id, "appId": found.app_id, "displayName": found.display_name}))
        .collect();
    (200, json!({"value": value}))
}

fn openid(model: &Model, tenant: &str) -> Answer {
    let base = format!("{}/{tenant}", model.origin);
    (
        200,
        json!({"issuer": format!("{base}/v2.0"), "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"), "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"), "tenant_region_scope": "EU"}),
    )
}

fn metadata(model: &Model) -> Answer {
    let origin = &model.origin;
    (
        200,
        json!({"name": "Simulated", "resourceManager": origin, "microsoftGraphResourceId": origin,
        "authentication": {"loginEndpoint": origin, "audiences": [origin], "tenant": "common", "identityProvider": "AAD"}}),
    )
}

pub fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Model> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
