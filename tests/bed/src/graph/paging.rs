//! Pages of a collection with opaque links to the next (CONTRACT §5.2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use super::http::call::{Answered, Call};
use super::http::reply::Reply;
use super::model::settings::Accepts;

/// The page that the request asks for. The link holds all that the first request said.
pub fn page(call: &Call<'_>, context: &str, items: Vec<Value>) -> Answered {
    let start = match call.request.query("$skiptoken") {
        None => 0,
        Some(token) => match (offset(token), call.settings().foreign_skip_tokens) {
            (Some(start), _) => start,
            (None, Accepts::Accepted) => 0,
            (None, Accepts::Refused) => return Err(Reply::bad_request("The skip token is not valid.")),
        },
    };
    let asked = call.request.query("$top").and_then(|top| top.parse().ok());
    let size = match (call.settings().page_size, asked) {
        (0, asked) => asked.unwrap_or(usize::MAX),
        (size, asked) => asked.map_or(size, |asked: usize| asked.min(size)),
    }
    .max(1);
    let rest = items.len().saturating_sub(start);
    let mut body = json!({"@odata.context": context});
    if rest > size {
        body["@odata.nextLink"] = link(call, start + size).into();
    }
    body["value"] = items.into_iter().skip(start).take(size).collect();
    Ok(Reply::ok(body))
}

fn link(call: &Call<'_>, start: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.request.query.iter().filter(|(name, _)| name != "$skiptoken") {
        query.append_pair(name, value);
    }
    query.append_pair("$skiptoken", &BASE64.encode(format!("page:{start}")));
    format!("{}{}?{}", call.model.origin, call.request.path, query.finish())
}

fn offset(token: &str) -> Option<usize> {
    let text = String::from_utf8(BASE64.decode(token).ok()?).ok()?;
    text.strip_prefix("page:")?.parse().ok()
}
