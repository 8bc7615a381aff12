//! A small REST client with the admin's token, for readiness checks and for what a test needs beside a typed client.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Method, StatusCode};
use serde_json::Value;

use super::{PlaneError, Ready};

const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Admin {
    client: Client,
    server: String,
}

impl Admin {
    /// The client of a plane that is ready.
    pub fn new(ready: &Ready) -> Result<Self, PlaneError> {
        let ca = std::fs::read_to_string(&ready.ca);
        let ca = ca.map_err(|error| PlaneError::File { path: ready.ca.clone(), error })?;
        Self::with(ready.server.clone(), &ca, Some(&ready.admin_token))
    }

    pub(super) fn with(server: String, ca_pem: &str, token: Option<&str>) -> Result<Self, PlaneError> {
        let mut headers = HeaderMap::new();
        // Tokens of a plane are hexadecimal, so the conversion cannot fail for one of ours.
        if let Some(Ok(mut value)) = token.map(|token| HeaderValue::from_str(&format!("Bearer {token}"))) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let builder = Client::builder().no_proxy().timeout(TIMEOUT).default_headers(headers);
        let client = builder.tls_certs_only([Certificate::from_pem(ca_pem.as_bytes())?]).build()?;
        Ok(Self { client, server })
    }

    /// Status and body; a body that is no JSON comes back as a JSON string.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.server));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let (status, text) = (response.status(), response.text().await?);
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    pub async fn get(&self, path: &str) -> Result<(StatusCode, Value), reqwest::Error> {
        self.send(Method::GET, path, None).await
    }

    pub(super) async fn is_ok(&self, path: &str) -> bool {
        self.get(path).await.is_ok_and(|(status, _)| status == StatusCode::OK)
    }
}
