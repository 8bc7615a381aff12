//! The calls. Each walks the same way: gate, a free slot, token, one request, and the answer read as what it is.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::Method;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::Instrument;
use url::Url;
use uuid::Uuid;

use super::error::{Error, Kind, Operation, Processed, classify, code_and_message, processed};
use super::gate::Gate;
use super::observer::{Nobody, Observer, Seen};
use super::token::{Held, Tokens};
use super::transport::{self, ReadError};
use super::wire::{Job, Page, ServicePrincipal, Template};
use super::{Credential, Endpoints, retry_after};

/// Requests under way at the same time; the limits of these endpoints are not published.
const IN_FLIGHT_MAX: usize = 4;
const PAGES_MAX: usize = 100;
/// A 401 without a reason may come from a token that is older than a role: one of this age is replaced.
const TOKEN_RENEW_AGE: Duration = Duration::from_secs(300);

#[derive(Clone, Debug)]
pub struct Options {
    pub endpoints: Endpoints,
    /// Certificate authorities that are trusted beside the system's, as PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// The longest time of one call, all its waiting included.
    pub call_timeout: Duration,
    /// How long a refused login is remembered before it is tried again.
    pub login_retry: Duration,
    /// Who is told of calls.
    pub observer: Arc<dyn Observer>,
}

impl Options {
    pub fn new(endpoints: Endpoints) -> Self {
        Self {
            endpoints,
            ca_pem: None,
            call_timeout: Duration::from_secs(30),
            login_retry: Duration::from_secs(60),
            observer: Arc::new(Nobody),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made: {0}")]
pub struct SetupError(String);

/// One application in one tenant. Clones share the token, the gate and the connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    root: Url,
    tokens: Tokens,
    gate: Mutex<Gate>,
    slots: Semaphore,
    call_timeout: Duration,
    observer: Arc<dyn Observer>,
}

/// A call before it is sent.
struct Call<'a> {
    operation: Operation,
    method: Method,
    url: Url,
    body: Option<&'a Value>,
    client_request_id: Uuid,
}

impl Client {
    pub fn new(options: Options, credential: Credential) -> Result<Self, SetupError> {
        let http =
            transport::client(options.ca_pem.as_deref()).map_err(|error| SetupError(transport::describe(error)))?;
        let root = options.endpoints.graph.clone();
        let tokens =
            Tokens::new(http.clone(), options.endpoints, credential, options.login_retry, options.observer.clone());
        let (gate, slots) = (Mutex::default(), Semaphore::new(IN_FLIGHT_MAX));
        let (call_timeout, observer) = (options.call_timeout, options.observer);
        Ok(Self(Arc::new(Inner { http, root, tokens, gate, slots, call_timeout, observer })))
    }

    /// All jobs of a service principal.
    pub async fn list_jobs(&self, service_principal: &str) -> Result<Vec<Job>, Error> {
        let url = self.0.url(&["servicePrincipals", service_principal, "synchronization", "jobs"]);
        self.list(Operation::ListJobs, url).await
    }

    /// All templates that a service principal offers.
    pub async fn list_templates(&self, service_principal: &str) -> Result<Vec<Template>, Error> {
        let url = self.0.url(&["servicePrincipals", service_principal, "synchronization", "templates"]);
        self.list(Operation::ListTemplates, url).await
    }

    pub async fn get_service_principal(&self, service_principal: &str) -> Result<ServicePrincipal, Error> {
        let url = self.0.url(&["servicePrincipals", service_principal]);
        let call = Call::get(Operation::GetServicePrincipal, url);
        let answer = self.0.send(&call).await?;
        parse(&call, &answer)
    }

    /// Creates a job; it is not started. Sent once: whether an error leaves a job behind is what `Error::processed` says.
    pub async fn create_job(
        &self,
        service_principal: &str,
        template_id: &str,
        client_request_id: Uuid,
    ) -> Result<Job, Error> {
        let body = json!({"templateId": template_id});
        let url = self.0.url(&["servicePrincipals", service_principal, "synchronization", "jobs"]);
        let call =
            Call { operation: Operation::CreateJob, method: Method::POST, url, body: Some(&body), client_request_id };
        let answer = self.0.send(&call).await?;
        parse(&call, &answer)
    }

    pub async fn start_job(&self, service_principal: &str, job: &str) -> Result<(), Error> {
        self.act(Operation::StartJob, Method::POST, service_principal, &[job, "start"], None).await
    }

    pub async fn pause_job(&self, service_principal: &str, job: &str) -> Result<(), Error> {
        self.act(Operation::PauseJob, Method::POST, service_principal, &[job, "pause"], None).await
    }

    /// Restarts a job, which discards progress. `reset_scope` is a comma-separated list of
    /// `synchronizationJobRestartScope`; `None` resets what the portal's restart resets.
    pub async fn restart_job(
        &self,
        service_principal: &str,
        job: &str,
        reset_scope: Option<&str>,
    ) -> Result<(), Error> {
        let body = match reset_scope {
            Some(scope) => json!({"criteria": {"resetScope": scope}}),
            None => json!({}),
        };
        self.act(Operation::RestartJob, Method::POST, service_principal, &[job, "restart"], Some(&body)).await
    }

    /// Deletes a job. That it is not there is an error of kind `NotFound`: only the caller knows whether that is good.
    pub async fn delete_job(&self, service_principal: &str, job: &str) -> Result<(), Error> {
        self.act(Operation::DeleteJob, Method::DELETE, service_principal, &[job], None).await
    }

    async fn act(
        &self,
        operation: Operation,
        method: Method,
        service_principal: &str,
        below_jobs: &[&str],
        body: Option<&Value>,
    ) -> Result<(), Error> {
        let mut segments = vec!["servicePrincipals", service_principal, "synchronization", "jobs"];
        segments.extend(below_jobs);
        let url = self.0.url(&segments);
        let call = Call { operation, method, url, body, client_request_id: Uuid::new_v4() };
        self.0.send(&call).await.map(drop)
    }

    /// Reads every page or nothing.
    async fn list<T: DeserializeOwned>(&self, operation: Operation, first: Url) -> Result<Vec<T>, Error> {
        let (mut items, mut seen, mut next) = (Vec::new(), HashSet::new(), first);
        loop {
            let call = Call::get(operation, next.clone());
            let refuse = |message| Err(Error::unsent(Kind::Refused, operation, call.client_request_id, message));
            if seen.len() == PAGES_MAX || !seen.insert(next.clone()) {
                return refuse("the list of pages does not end");
            }
            let page: Page<T> = parse(&call, &self.0.send(&call).await?)?;
            items.extend(page.value);
            let Some(link) = page.next_link else { return Ok(items) };
            match Url::parse(&link) {
                Ok(link) if link.origin() == self.0.root.origin() => next = link,
                _ => return refuse("the next page is said to be at another host; it was not asked"),
            }
        }
    }
}

impl Call<'_> {
    fn get(operation: Operation, url: Url) -> Self {
        Self { operation, method: Method::GET, url, body: None, client_request_id: Uuid::new_v4() }
    }

    fn failed(&self, kind: Kind, message: &str) -> Error {
        Error::unsent(kind, self.operation, self.client_request_id, message)
    }
}

/// A success that does not say what it should may still have had its effect.
fn parse<T: DeserializeOwned>(call: &Call<'_>, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| Error {
        processed: Processed::Unknown,
        ..call.failed(Kind::Malformed, "the answer cannot be read")
    })
}

/// An answer that is no success, or the lack of one.
enum Failure {
    /// 401 for this token; the request was not carried out.
    TokenRejected(Error, Held),
    Final(Error),
}

impl Inner {
    /// Path segments are percent-encoded, whatever they hold.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().push("v1.0").extend(segments);
        }
        url
    }

    async fn send(&self, call: &Call<'_>) -> Result<Vec<u8>, Error> {
        let (mut sent, mut status, began) = (false, None, Instant::now());
        let span = tracing::debug_span!("graph", operation = call.operation.name(), otel.kind = "client");
        let within = self.send_within(call, &mut sent, &mut status).instrument(span);
        let answer = match tokio::time::timeout(self.call_timeout, within).await {
            Ok(answer) => answer,
            Err(_) => Err(Error {
                processed: if sent { Processed::Unknown } else { Processed::No },
                ..call.failed(Kind::Network, "no answer in time")
            }),
        };
        let class = answer.as_ref().map_or_else(|error| error.kind.name(), |_| "success");
        self.observer.call(&Seen { operation: call.operation, class, status, took: began.elapsed() });
        answer
    }

    /// A token that Graph calls invalid is replaced and the request, which was not carried out, repeated: once.
    async fn send_within(&self, call: &Call<'_>, sent: &mut bool, status: &mut Option<u16>) -> Result<Vec<u8>, Error> {
        self.pass_gate(call)?;
        let _slot = self.slots.acquire().await.map_err(|_| call.failed(Kind::Network, "the client is closed"))?;
        self.pass_gate(call)?;
        for last in [false, true] {
            let token = self.token(call).await?;
            match self.exchange(call, token, sent, status).await {
                Ok(body) => return Ok(body),
                Err(Failure::TokenRejected(error, held)) => {
                    self.tokens.evict(held.number);
                    *sent = false;
                    if last {
                        return Err(error);
                    }
                }
                Err(Failure::Final(error)) => return Err(error),
            }
        }
        Err(call.failed(Kind::TokenRejected, ""))
    }

    fn pass_gate(&self, call: &Call<'_>) -> Result<(), Error> {
        match self.gate.lock().unwrap_or_else(PoisonError::into_inner).closed(Instant::now()) {
            None => Ok(()),
            Some(until) => Err(Error {
                retry_at: Some(until),
                ..call.failed(Kind::Throttled, "Graph asked to wait, and nothing was sent")
            }),
        }
    }

    async fn token(&self, call: &Call<'_>) -> Result<Held, Error> {
        self.tokens.get().await.map_err(|(error, until)| Error {
            code: error.code,
            retry_at: Some(until),
            ..call.failed(error.kind, &error.message)
        })
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        token: Held,
        sent: &mut bool,
        answered: &mut Option<u16>,
    ) -> Result<Vec<u8>, Failure> {
        let mut request = self
            .http
            .request(call.method.clone(), call.url.clone())
            .bearer_auth(token.token.expose_secret())
            .header("accept", "application/json")
            .header("client-request-id", call.client_request_id.to_string());
        if let Some(body) = call.body {
            request = request.json(body);
        }
        *sent = true;
        let response = request.send().await.map_err(|error| {
            let processed = if error.is_connect() || error.is_builder() { Processed::No } else { Processed::Unknown };
            Failure::Final(Error { processed, ..call.failed(Kind::Network, &transport::describe(error)) })
        })?;
        let mut error = header_facts(call, &response);
        let status = response.status().as_u16();
        *answered = Some(status);
        let wait = header(&response, "retry-after");
        let body = match transport::read(response).await {
            Ok(body) => body,
            Err(reason) => {
                let kind = if matches!(reason, ReadError::TooLarge) { Kind::Refused } else { Kind::Network };
                let processed = if status < 300 { Processed::Unknown } else { processed(status) };
                return Err(Failure::Final(Error { kind, processed, message: reason.to_string(), ..error }));
            }
        };
        if matches!(status, 200 | 201 | 202 | 204) {
            self.gate.lock().unwrap_or_else(PoisonError::into_inner).answered();
            return Ok(body);
        }
        (error.code, error.message) = code_and_message(&body);
        error.kind = classify(status, &error.code);
        error.processed = processed(status);
        let wait = wait.and_then(|wait| retry_after::parse(&wait, error.date.as_deref(), SystemTime::now()));
        error.retry_at = self.close_gate(error.kind, wait);
        Err(self.judge(error, token))
    }

    fn judge(&self, error: Error, token: Held) -> Failure {
        match error.kind {
            Kind::TokenRejected => Failure::TokenRejected(error, token),
            Kind::Unauthorized | Kind::Forbidden if token.issued.elapsed() > TOKEN_RENEW_AGE => {
                self.tokens.evict(token.number);
                Failure::Final(error)
            }
            _ => Failure::Final(error),
        }
    }

    /// A 429 closes the gate for every call of this client, and so does another answer that names an instant.
    fn close_gate(&self, kind: Kind, wait: Option<Duration>) -> Option<Instant> {
        let named = kind == Kind::Unavailable && wait.is_some();
        (kind == Kind::Throttled || named).then(|| {
            let chance = f64::from((Uuid::new_v4().as_u128() % 1000) as u16) / 1000.0;
            let until =
                self.gate.lock().unwrap_or_else(PoisonError::into_inner).throttled(Instant::now(), wait, chance);
            self.observer.gate_closed(until);
            until
        })
    }
}

/// The beginning of an error: what the headers of an answer say.
fn header_facts(call: &Call<'_>, response: &reqwest::Response) -> Error {
    Error {
        status: Some(response.status().as_u16()),
        request_id: header(response, "request-id").map(|id| super::error::capped(&id)),
        date: header(response, "date").map(|date| super::error::capped(&date)),
        ..call.failed(Kind::Malformed, "")
    }
}

fn header(response: &reqwest::Response, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
