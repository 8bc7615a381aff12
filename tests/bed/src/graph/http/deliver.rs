//! From a request to what leaves: the log, the faults, the token, permissions, throttling, the handler.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::reply::{Content, Reply};
use super::request::Request;
use super::route::{self, Found};
use crate::graph::faults::{self, Action, Target};
use crate::graph::login::{self, aadsts};
use crate::graph::model::{Caller, Ids, Model, clock};
use crate::graph::permissions::{self, Access};
use crate::graph::{Shared, batch, lock, throttle};

const LOOKS_AT_CLOCK_EVERY: Duration = Duration::from_millis(5);

/// What leaves.
pub enum Outcome {
    Answer(Reply),
    /// A body in pieces, with a pause after each; a `cut` one is never finished.
    Pieces {
        reply: Reply,
        pieces: Vec<Vec<u8>>,
        pause: Duration,
        cut: bool,
    },
    /// Bytes as they are.
    Raw {
        reply: Reply,
        bytes: Vec<u8>,
    },
    /// The connection ends without an answer.
    Cut,
}

/// A request on its way, with what is known of it before it is carried out.
#[derive(Clone)]
struct Passing {
    request: Request,
    ids: Ids,
    operation: &'static str,
    logged: u64,
}

/// Answers a request to login or Graph.
pub async fn handle(shared: &Shared, request: Request) -> Outcome {
    let found = route::find(&request);
    let read = request.method == hyper::Method::GET;
    let unknown = if read { route::UNKNOWN_READ } else { route::UNKNOWN_WRITE };
    let operation = found.as_ref().map_or(unknown, |found| found.route.operation);
    let ids =
        Ids { request: Uuid::new_v4().to_string(), client_request: request.header("client-request-id").to_owned() };
    let (passing, fault) = {
        let mut model = lock(shared);
        model.settle();
        let who = login::presumed_caller(&request);
        let tenant = who.as_ref().map(|who| model.tenant_id(&who.tenant_id).unwrap_or_else(|| who.tenant_id.clone()));
        let target = Target {
            operation,
            service_principal: request.service_principal(),
            tenant: tenant.as_deref(),
            caller: who.as_ref().map(|who| who.app_id.as_str()),
        };
        let fault = faults::take(&mut model.faults, &target);
        let logged = log(&mut model, operation, &request, &ids, who.as_ref());
        if let Some(fault) = &fault {
            model.calls.set(logged, "fault", fault.id.clone().into());
        }
        (Passing { request, ids, operation, logged }, fault)
    };
    let outcome = match fault {
        None => Outcome::Answer(carry_out(shared, &passing).await),
        Some(fault) => meet(fault.action, shared, &passing).await,
    };
    let status = match &outcome {
        Outcome::Answer(reply) | Outcome::Pieces { reply, .. } | Outcome::Raw { reply, .. } => reply.status,
        Outcome::Cut => 0,
    };
    lock(shared).calls.set(passing.logged, "status", status.into());
    outcome
}

fn log(model: &mut Model, operation: &str, request: &Request, ids: &Ids, who: Option<&Caller>) -> u64 {
    let entry = json!({
        "time": clock::text(model.now()), "operation": operation, "status": 0,
        "method": request.method.as_str(), "path": request.path,
        "tenantId": who.map(|who| &who.tenant_id), "callerAppId": who.map(|who| &who.app_id),
        "servicePrincipalId": request.service_principal(),
        "requestId": ids.request, "clientRequestId": ids.client_request,
    });
    model.calls.push(entry)
}

/// Carries the request out and finishes the reply.
async fn carry_out(shared: &Shared, passing: &Passing) -> Reply {
    let Passing { request, ids, .. } = passing;
    let reply = if passing.operation == batch::OPERATION {
        let admitted = enter(&mut lock(shared), passing).map(drop);
        match admitted {
            Ok(()) => batch::run(shared, request).await,
            Err(refusal) => refusal,
        }
    } else {
        let (reply, answers_at) = perform(&mut lock(shared), passing);
        wait_until(shared, answers_at).await;
        reply
    };
    finished(shared, reply, request, ids)
}

/// Until the virtual clock has come so far: a frozen one has to be moved.
async fn wait_until(shared: &Shared, instant: Option<Timestamp>) {
    while instant.is_some_and(|instant| lock(shared).now() < instant) {
        tokio::time::sleep(LOOKS_AT_CLOCK_EVERY).await;
    }
}

fn finished(shared: &Shared, reply: Reply, request: &Request, ids: &Ids) -> Reply {
    let now = lock(shared).now();
    reply.finish(request, ids, now)
}

/// Does what the operation does, as the service would. The time is when the answer leaves.
fn perform(model: &mut Model, passing: &Passing) -> (Reply, Option<Timestamp>) {
    model.settle();
    let (caller, headers, found) = match enter(model, passing) {
        Ok(entered) => entered,
        Err(refusal) => return (refusal, None),
    };
    let Some(Found { route, params }) = found else { return (route::unknown(&passing.request), None) };
    let (request, ids, operation) = (&passing.request, &passing.ids, route.operation);
    let mut call = Call { model, request, caller, ids, operation, params, answers_at: None };
    let mut reply = (route.handler)(&mut call).unwrap_or_else(|refusal| refusal);
    let answers_at = call.answers_at;
    reply.headers.extend(headers);
    (reply, answers_at)
}

type Entered = (Caller, Vec<(String, String)>, Option<Found>);

/// The gates before a handler: token, throttle, permission.
fn enter(model: &mut Model, passing: &Passing) -> Result<Entered, Reply> {
    let request = &passing.request;
    let found = route::find(request);
    let unknown = if request.method == hyper::Method::GET { Access::Read } else { Access::Write };
    let access = found.as_ref().map_or(unknown, |found| found.route.access);
    if access == Access::Open {
        return Ok((Caller::default(), Vec::new(), found));
    }
    let caller = login::caller(model, request)?;
    let headers = throttle::check(model, &caller, passing.operation, request)?;
    let service_principal = found.as_ref().and_then(|found| {
        found.params.iter().find(|(name, _)| *name == "sp" || *name == "app").map(|(_, value)| value.clone())
    });
    if found.is_some() {
        permissions::check(model, &caller, access, service_principal.as_deref())?;
    }
    Ok((caller, headers, found))
}

async fn meet(action: Action, shared: &Shared, passing: &Passing) -> Outcome {
    let request = &passing.request;
    let plain = |reply: Reply| Outcome::Answer(finished(shared, reply, request, &passing.ids));
    match action {
        Action::Respond { commit, .. } | Action::Drop { commit } | Action::Hang { commit } => {
            if commit {
                carry_out(shared, passing).await;
            }
            match action {
                Action::Respond { status, code, message, headers, body, .. } => {
                    plain(respond(status, &code, &message, headers, body))
                }
                Action::Drop { .. } => Outcome::Cut,
                _ => std::future::pending().await,
            }
        }
        Action::Delay { millis, jitter_millis } => {
            let drawn = lock(shared).next_read() % (2 * jitter_millis + 1);
            tokio::time::sleep(Duration::from_millis((millis + drawn).saturating_sub(jitter_millis))).await;
            Outcome::Answer(carry_out(shared, passing).await)
        }
        Action::LateCommit { millis } => {
            let (shared, passing) = (shared.clone(), passing.clone());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                carry_out(&shared, &passing).await;
            });
            Outcome::Cut
        }
        Action::Redirect { location, status } => {
            plain(Reply { status, headers: Vec::new(), content: Content::Empty }.with("location", location))
        }
        Action::Aadsts { code } => {
            let now = lock(shared).now();
            plain(aadsts::refuse(code, "Injected.", now))
        }
        Action::PlainTooManyRequests { retry_after_seconds } => {
            plain(Reply::text(429, "Too Many Requests").with("retry-after", retry_after_seconds.to_string()))
        }
        _ => {
            let reply = carry_out(shared, passing).await;
            let origin = lock(shared).origin.clone();
            change(action, reply, &origin, request)
        }
    }
}

fn respond(
    status: u16,
    code: &str,
    message: &str,
    headers: serde_json::Map<String, Value>,
    body: Option<String>,
) -> Reply {
    let mut reply = match body {
        None => Reply::error(status, code, message),
        Some(text) => match serde_json::from_str(&text) {
            Ok(json) => Reply::json(status, json),
            Err(_) => Reply::text(status, &text),
        },
    };
    for (name, value) in headers {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        reply.headers.push((name.to_lowercase(), value));
    }
    reply
}

/// The actions that let the request through and spoil the answer.
fn change(action: Action, mut reply: Reply, origin: &str, request: &Request) -> Outcome {
    match action {
        Action::ForeignNextLink { url } => Outcome::Answer(linked(reply, &url)),
        Action::NextLinkLoop {} => Outcome::Answer(linked(reply, &format!("{origin}{}", request.path))),
        Action::Mangle(mangle) => {
            reply.headers.retain(|(name, _)| name != "content-type" || !replaces_type(mangle));
            Outcome::Answer(mangle.apply(reply))
        }
        Action::CutBody { after_bytes } => {
            let bytes = reply.bytes().into_iter().take(after_bytes).collect();
            Outcome::Pieces { reply, pieces: vec![bytes], pause: Duration::ZERO, cut: true }
        }
        Action::SlowBody { chunk_bytes, millis } => {
            let pieces = reply.bytes().chunks(chunk_bytes.max(1)).map(<[u8]>::to_vec).collect();
            Outcome::Pieces { reply, pieces, pause: Duration::from_millis(millis), cut: false }
        }
        Action::HugeBody { bytes } => {
            let mut body = reply.bytes();
            body.resize(body.len().max(bytes), b' ');
            Outcome::Raw { reply, bytes: body }
        }
        Action::CompressedBody { bytes } => {
            let mut body = reply.bytes();
            body.resize(body.len().max(bytes), b' ');
            Outcome::Raw { reply: reply.with("content-encoding", "gzip"), bytes: super::serve::gzip(&body) }
        }
        _ => Outcome::Answer(reply),
    }
}

fn replaces_type(mangle: faults::Mangle) -> bool {
    use faults::Mangle::{Bom, Html, TruncatedJson, WrongContentType};
    matches!(mangle, Html | WrongContentType | TruncatedJson | Bom)
}

fn linked(mut reply: Reply, url: &str) -> Reply {
    if let Content::Json(body) = &mut reply.content {
        body["@odata.nextLink"] = url.into();
    }
    reply
}
