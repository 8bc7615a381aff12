//! `$batch` (CONTRACT §5.3): up to 20 requests under one token, some of which wait for others.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use hyper::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Shared;
use super::http::call::{Answered, Call};
use super::http::deliver::{self, Outcome};
use super::http::reply::Reply;
use super::http::request::Request;
use super::http::route::Line;
use super::permissions::Access;

pub const OPERATION: &str = "batch";
const PARTS_MAX: usize = 20;

pub const ROUTES: &[Line] = &[("POST", "$batch", OPERATION, Access::Token, misplaced)];

/// The parts pass through the whole of `deliver`, so the batch is carried out there and not by a handler.
fn misplaced(_: &mut Call<'_>) -> Answered {
    Err(Reply::error(500, "InternalServerError", ""))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    requests: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// Runs the parts in order. Parts are answered one by one and may be refused one by one.
pub fn run<'a>(shared: &'a Shared, outer: &'a Request) -> BoxFuture<'a, Reply> {
    // Boxed, because a part passes through the function that called this one.
    Box::pin(run_parts(shared, outer))
}

async fn run_parts(shared: &Shared, outer: &Request) -> Reply {
    let batch: Batch = match serde_json::from_slice(&outer.body) {
        Ok(batch) => batch,
        Err(error) => return Reply::bad_request(&format!("Invalid batch payload format: {error}.")),
    };
    if let Err(refusal) = check(&batch.requests) {
        return refusal;
    }
    let version = outer.segments.first().cloned().unwrap_or_default();
    let mut statuses: BTreeMap<String, u16> = BTreeMap::new();
    let mut responses = Vec::new();
    for part in batch.requests {
        let failed =
            part.depends_on.iter().any(|id| statuses.get(&id.to_lowercase()).is_none_or(|status| *status >= 400));
        let (status, response) = if failed {
            let error = Reply::error(424, "FailedDependency", "A request that this one depends on failed.");
            (424, json!({"id": part.id, "status": 424, "headers": {}, "body": error.body()}))
        } else {
            answered(shared, outer, &version, &part).await
        };
        statuses.insert(part.id.to_lowercase(), status);
        // Answers come in any order; the last first is an order that nobody takes for granted.
        responses.insert(0, response);
    }
    Reply::ok(json!({"responses": responses}))
}

fn check(parts: &[Part]) -> Result<(), Reply> {
    if parts.is_empty() || parts.len() > PARTS_MAX {
        return Err(Reply::bad_request(&format!("A batch holds between 1 and {PARTS_MAX} requests.")));
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for part in parts {
        if part.id.is_empty() || seen.contains(&part.id.to_lowercase()) {
            return Err(Reply::bad_request("Request ids must be unique and not empty."));
        }
        if part.depends_on.iter().any(|id| !seen.contains(&id.to_lowercase())) {
            return Err(Reply::bad_request("'dependsOn' names a request that does not come before."));
        }
        let typed = part.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        if part.body.is_some() && !typed {
            return Err(Reply::bad_request("Content-Type is required where there is a body."));
        }
        seen.insert(part.id.to_lowercase());
    }
    let dependent = parts.iter().filter(|part| !part.depends_on.is_empty()).count();
    let chain = parts.windows(2).all(|pair| pair[1].depends_on == [pair[0].id.clone()]);
    let star = parts.iter().skip(1).all(|part| part.depends_on.is_empty() || part.depends_on == [parts[0].id.clone()]);
    if dependent > 0 && !chain && !star {
        return Err(Reply::bad_request("Requests must depend on each other all in a row, all on one, or not at all."));
    }
    Ok(())
}

async fn answered(shared: &Shared, outer: &Request, version: &str, part: &Part) -> (u16, Value) {
    let method = Method::from_bytes(part.method.as_bytes()).unwrap_or(Method::GET);
    let (path, query) = part.url.split_once('?').unwrap_or((&part.url, ""));
    let mut headers = HeaderMap::new();
    for name in ["authorization", "client-request-id"] {
        if let Some(value) = outer.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, value) in &part.headers {
        let name = hyper::header::HeaderName::from_bytes(name.as_bytes());
        let value = hyper::header::HeaderValue::from_str(value.as_str().unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
    let body = part.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let request = Request::new(method, &format!("/{version}/{}", path.trim_start_matches('/')), query, headers, body);
    let reply = match deliver::handle(shared, request).await {
        Outcome::Answer(reply) | Outcome::Pieces { reply, .. } | Outcome::Raw { reply, .. } => reply,
        Outcome::Cut => Reply::error(504, "UnknownError", ""),
    };
    let headers: Map<String, Value> = reply.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    (reply.status, json!({"id": part.id, "status": reply.status, "headers": headers, "body": reply.body()}))
}
