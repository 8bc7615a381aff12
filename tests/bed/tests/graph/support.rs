//! A simulator with a frozen clock and one tenant, and a client that signs in as its application.

use bed::graph::{Control, Options, Simulator};
use reqwest::{Certificate, Client, Method};
use serde_json::{Value, json};

pub const TENANT: &str = "7f0c2b1e-5c1d-4d0a-9a53-0d6f4b8a2e11";
pub const APP: &str = "0b8e4c53-6d0a-4f0e-9f52-8a4f3f1f7a10";
pub const SECRET: &str = "s~cret+with/odd characters";
pub const SP: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

pub struct Bed {
    pub control: Control,
    pub http: Client,
    pub url: String,
    pub token: String,
    _simulator: Simulator,
}

impl Bed {
    /// A tenant with these settings; its service principal has saved secrets and offers `scim` and `BoxOutDelta`.
    pub async fn with(mut settings: Value) -> Self {
        let mut bed = Self::start(None).await;
        // Tests move the clock by weeks, and few are about the life of a token.
        settings.as_object_mut().unwrap().entry("tokenLifetimeSeconds").or_insert(json!(10_000_000));
        bed.control.freeze_clock().await.unwrap();
        bed.control.put_tenant(TENANT, &settings).await.unwrap();
        let roles = ["Synchronization.ReadWrite.All", "Application.ReadWrite.All"];
        bed.put_app(&roles).await;
        bed.put_sp(json!({})).await;
        bed.sign_in().await;
        bed
    }

    pub async fn new() -> Self {
        Self::with(json!({})).await
    }

    pub async fn start(seed: Option<bed::graph::Seed>) -> Self {
        let simulator = Simulator::start(Options { seed, ..Options::default() }).await.unwrap();
        let ready = simulator.ready().clone();
        let ca = Certificate::from_pem(&std::fs::read(&ready.ca).unwrap()).unwrap();
        let http = Client::builder()
            .tls_certs_merge([ca])
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let control = Control::new(&ready).unwrap();
        Self { control, http, url: ready.url, token: String::new(), _simulator: simulator }
    }

    pub async fn put_app(&self, roles: &[&str]) {
        let app = json!({"displayName": "entrain", "secrets": [{"value": SECRET}], "roles": roles});
        self.control.put_application(TENANT, APP, &app).await.unwrap();
    }

    /// The service principal, with what differs from the usual one.
    pub async fn put_sp(&self, other: Value) {
        let mut body = json!({
            "appId": "6b5e1f3a-0000-4000-8000-000000000001", "displayName": "Wiki", "templates": ["scim", "BoxOutDelta"],
            "secrets": [
                {"key": "BaseAddress", "value": "https://scim.example.test/v2"}, {"key": "SecretToken", "value": "t0ken"},
            ],
        });
        for (name, value) in other.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.control.put_service_principal(TENANT, SP, &body).await.unwrap();
    }

    pub async fn sign_in(&mut self) {
        let answer = self.login(TENANT, &[("client_id", APP), ("client_secret", SECRET)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["access_token"].as_str().unwrap().clone_into(&mut self.token);
    }

    /// A token request; grant type and scope are added unless they are given.
    pub async fn login(&self, tenant: &str, fields: &[(&str, &str)]) -> Answer {
        let scope = format!("{}/.default", self.url);
        let mut form = vec![("grant_type", "client_credentials"), ("scope", scope.as_str())];
        form.retain(|(name, _)| !fields.iter().any(|(given, _)| given == name));
        form.extend(fields);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .http
            .post(format!("{}/{tenant}/oauth2/v2.0/token", self.url))
            .header("content-type", "application/x-www-form-urlencoded");
        read(request.body(body)).await.unwrap()
    }

    /// A call below the version root.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.try_call(method, path, body).await.unwrap()
    }

    pub async fn try_call(&self, method: &str, path: &str, body: Option<Value>) -> reqwest::Result<Answer> {
        self.send(method, &format!("/v1.0/{path}"), body, &self.token, &[]).await
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        token: &str,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let method: Method = method.parse().unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request).await
    }

    /// A call below the synchronization of the service principal.
    pub async fn sync(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call(method, &format!("servicePrincipals/{SP}/synchronization/{path}"), body).await
    }

    pub async fn create(&self, template: &str) -> String {
        let answer = self.sync("POST", "jobs", Some(json!({"templateId": template}))).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    pub async fn job(&self, id: &str) -> Value {
        let answer = self.sync("GET", &format!("jobs/{id}"), None).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// `start`, `pause` or another action without a body.
    pub async fn act(&self, id: &str, action: &str) -> u16 {
        self.sync("POST", &format!("jobs/{id}/{action}"), None).await.status
    }

    pub async fn advance(&self, seconds: u64) {
        self.control.advance_clock(seconds).await.unwrap();
    }

    pub async fn fault(&self, operation: &str, action: Value) {
        self.control.put_fault(&json!({"operation": operation, "times": 1, "action": action})).await.unwrap();
    }

    /// A job that was started and has completed its first cycle.
    pub async fn running(&self) -> String {
        let id = self.create("scim").await;
        assert_eq!(self.act(&id, "start").await, 204);
        self.advance(300 + 20 * 60).await;
        assert_eq!(self.job(&id).await["status"]["code"], "Active");
        id
    }

    pub async fn ledger(&self, operation: &str) -> usize {
        let ledger = self.control.raw("GET", &format!("ledger?operation={operation}"), None).await.unwrap();
        ledger["value"].as_array().unwrap().len()
    }
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Ok(Answer { status, headers, text: answer.text().await? })
}

/// Code and schedule state.
pub fn state(job: &Value) -> (&str, &str) {
    (job["status"]["code"].as_str().unwrap(), job["schedule"]["state"].as_str().unwrap())
}
