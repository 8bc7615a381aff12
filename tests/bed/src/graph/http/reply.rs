//! What a handler answers, and how it leaves: envelope and headers of CONTRACT §6.1 and §12.3.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::request::Request;
use crate::graph::model::Ids;

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    Empty,
    Json(Value),
    Text(String),
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), content: Content::Json(body) }
    }

    pub fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), content: Content::Empty }
    }

    pub fn text(status: u16, text: &str) -> Self {
        Self { status, headers: Vec::new(), content: Content::Text(text.to_owned()) }
    }

    /// Graph's envelope; the inner error is added when it leaves.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, json!({"error": {"code": code, "message": message}}))
    }

    pub fn bad_request(message: &str) -> Self {
        Self::error(400, "BadRequest", message)
    }

    /// A directory object that is not there, or not yet.
    pub fn object_not_found(id: &str) -> Self {
        let text =
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
        Self::error(404, "Request_ResourceNotFound", &text)
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The body, to be changed; null if there is none.
    pub fn body(&self) -> Value {
        if let Content::Json(body) = &self.content { body.clone() } else { Value::Null }
    }

    /// Adds what every answer carries. Login and Graph name the request in different members.
    pub fn finish(mut self, request: &Request, ids: &Ids, now: Timestamp) -> Self {
        if let Content::Json(body) = &mut self.content
            && let Some(error) = body.get_mut("error").and_then(Value::as_object_mut)
        {
            let inner = error.entry("innerError").or_insert_with(|| json!({}));
            inner["date"] = now.strftime("%Y-%m-%dT%H:%M:%S").to_string().into();
            inner["request-id"] = ids.request.clone().into();
            inner["client-request-id"] = ids.client_request.clone().into();
        }
        let content_type = match &self.content {
            Content::Json(_) if request.segments.first().is_some_and(|first| first == "v1.0" || first == "beta") => {
                "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
            }
            Content::Json(_) => "application/json; charset=utf-8",
            Content::Text(_) => "text/plain",
            Content::Empty => "",
        };
        if !content_type.is_empty() && !self.headers.iter().any(|(name, _)| name == "content-type") {
            self = self.with("content-type", content_type);
        }
        self.with("request-id", ids.request.clone())
            .with("client-request-id", ids.client_request.clone())
            .with("date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
            .with("x-ms-ags-diagnostic", r#"{"ServerInfo":{"DataCenter":"Simulated","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"SIM00000"}}"#)
    }

    pub fn bytes(&self) -> Vec<u8> {
        match &self.content {
            Content::Empty => Vec::new(),
            Content::Json(body) => body.to_string().into_bytes(),
            Content::Text(text) => text.clone().into_bytes(),
        }
    }
}
