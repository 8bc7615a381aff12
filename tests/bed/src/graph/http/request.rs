//! A request as it came.

use std::io;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request as HttpRequest};
use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    /// As sent, without the query.
    pub path: String,
    /// Percent-decoded, without empty ones.
    pub segments: Vec<String>,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Request {
    pub async fn read(request: HttpRequest<Incoming>) -> io::Result<Self> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
        Ok(Self::new(parts.method, parts.uri.path(), parts.uri.query().unwrap_or_default(), parts.headers, body))
    }

    pub fn new(method: Method, path: &str, query: &str, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self {
            method,
            path: path.to_owned(),
            segments: path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers,
            body,
        }
    }

    /// Empty if it is missing or no text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is empty.
    pub fn json(&self) -> serde_json::Result<Value> {
        if self.body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&self.body) }
    }

    /// The body as a form.
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The service principal that the path names.
    pub fn service_principal(&self) -> Option<&str> {
        self.segments
            .get(1)?
            .eq_ignore_ascii_case("servicePrincipals")
            .then(|| self.segments.get(2).map(String::as_str))?
    }
}

fn decode(segment: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", segment.replace('+', "%2B").replace('&', "%26")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
