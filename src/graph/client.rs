//! The calls, and lists read page by page.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use http::Method;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::call::{Call, MaySend, parse};
use super::error::{Error, Kind, Operation};
use super::observer::{Nobody, Observer};
use super::send::Sender;
use super::tenant;
use super::token::{self, Tokens};
use super::transport::{self, Https, Transport};
use super::wire::{Job, Page, ServicePrincipal, Template};
use super::{Credential, Endpoints, login};

const PAGES_MAX: usize = 100;
/// The tools that log a person in are programs that take seconds to begin.
const TOOLS_TIMEOUT_MIN: Duration = Duration::from_secs(30);
/// The size of a list, all its pages together.
const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct Options {
    pub endpoints: Endpoints,
    /// Certificate authorities that are trusted beside the system's, as PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// How many requests may be in flight at the same time; the limits of these endpoints are not published.
    pub in_flight_max: usize,
    /// How long a call may wait until it is one of them.
    pub turn_timeout: Duration,
    /// The longest time of the requests of one call, from the sending on.
    pub call_timeout: Duration,
    /// The longest time of a list, all its pages together.
    pub list_timeout: Duration,
    /// The longest time of one login. A call that waits for a login does so outside of its own time.
    pub login_timeout: Duration,
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
            in_flight_max: 16,
            turn_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_secs(30),
            list_timeout: Duration::from_secs(60),
            login_timeout: Duration::from_secs(10),
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
    /// Once it is known.
    tenant: OnceLock<String>,
    sender: Sender,
    list_timeout: Duration,
}

impl Client {
    /// Over HTTPS.
    pub fn new(options: Options, credential: Credential) -> Result<Self, SetupError> {
        let https = Https::new(options.ca_pem.as_deref()).map_err(|error| SetupError(transport::describe(error)))?;
        Ok(Self::with_transport(options, credential, Arc::new(https)))
    }

    /// Over another transport, which carries the requests to Graph and those of the login. All time limits count tokio's
    /// time.
    pub fn with_transport(options: Options, credential: Credential, transport: Arc<dyn Transport>) -> Self {
        let root = options.endpoints.graph.clone();
        let tenant = credential.tenant().and_then(tenant::id).map_or_else(OnceLock::new, OnceLock::from);
        let login_timeout = match credential {
            Credential::Person { .. } => options.login_timeout.max(TOOLS_TIMEOUT_MIN),
            Credential::ClientSecret { .. } | Credential::WorkloadIdentity { .. } => options.login_timeout,
        };
        let tokens = Tokens::new(token::Settings {
            log_in: login::with(transport.clone(), options.endpoints, credential),
            login_timeout,
            login_retry: options.login_retry,
            observer: options.observer.clone(),
        });
        let in_flight_max = options.in_flight_max.max(1);
        let (gate, slots) = (Mutex::default(), Semaphore::new(in_flight_max));
        let (turn_timeout, call_timeout, observer) = (options.turn_timeout, options.call_timeout, options.observer);
        let sender =
            Sender { transport, root, tokens, gate, slots, in_flight_max, turn_timeout, call_timeout, observer };
        Self(Arc::new(Inner { tenant, sender, list_timeout: options.list_timeout }))
    }

    /// Until when Graph asked to wait, if that lies ahead: every call before that instant fails without being sent.
    pub fn closed_until(&self) -> Option<Instant> {
        self.0.sender.closed_until()
    }

    /// Id of the tenant that calls go to, in lower case, if the credential names it or it was learnt before.
    pub fn known_tenant(&self) -> Option<String> {
        self.0.tenant.get().cloned()
    }

    /// The same, learnt from a token where the credential names a domain or nothing. Logs in if need be; nothing is sent to
    /// Graph.
    pub async fn tenant(&self) -> Result<String, Error> {
        if let Some(tenant) = self.known_tenant() {
            return Ok(tenant);
        }
        let call = Call::get(Operation::LogIn, self.0.sender.root.clone());
        let held = self.0.sender.token(&call).await?;
        let tenant = tenant::of_token(held.token.expose_secret());
        let tenant = tenant.ok_or_else(|| call.failed(Kind::Malformed, "the token names no tenant"))?;
        Ok(self.0.tenant.get_or_init(|| tenant).clone())
    }

    /// All jobs of a service principal.
    pub async fn list_jobs(&self, service_principal: &str) -> Result<Vec<Job>, Error> {
        let url = self.0.sender.url(&["servicePrincipals", service_principal, "synchronization", "jobs"]);
        self.list(Operation::ListJobs, url).await
    }

    /// All templates that a service principal offers.
    pub async fn list_templates(&self, service_principal: &str) -> Result<Vec<Template>, Error> {
        let url = self.0.sender.url(&["servicePrincipals", service_principal, "synchronization", "templates"]);
        self.list(Operation::ListTemplates, url).await
    }

    pub async fn get_service_principal(&self, service_principal: &str) -> Result<ServicePrincipal, Error> {
        let url = self.0.sender.url(&["servicePrincipals", service_principal]);
        let call = Call::get(Operation::GetServicePrincipal, url);
        let answer = self.0.sender.send(&call).await?;
        parse(&call, &answer)
    }

    /// Creates a job; it is not started. Sent once: whether an error leaves a job behind is what `Error::processed` says.
    pub async fn create_job(
        &self,
        service_principal: &str,
        template_id: &str,
        client_request_id: Uuid,
        may_send: MaySend<'_>,
    ) -> Result<Job, Error> {
        let body = json!({"templateId": template_id});
        let url = self.0.sender.url(&["servicePrincipals", service_principal, "synchronization", "jobs"]);
        let (operation, body) = (Operation::CreateJob, Some(&body));
        let call = Call { operation, method: Method::POST, url, body, client_request_id, may_send, until: None };
        let answer = self.0.sender.send(&call).await?;
        parse(&call, &answer)
    }

    pub async fn start_job(&self, service_principal: &str, job: &str, may_send: MaySend<'_>) -> Result<(), Error> {
        self.act(Operation::StartJob, Method::POST, service_principal, &[job, "start"], None, may_send).await
    }

    pub async fn pause_job(&self, service_principal: &str, job: &str, may_send: MaySend<'_>) -> Result<(), Error> {
        self.act(Operation::PauseJob, Method::POST, service_principal, &[job, "pause"], None, may_send).await
    }

    /// Restarts a job, which discards progress. `reset_scope` is a comma-separated list of
    /// `synchronizationJobRestartScope`; `None` resets what the portal's restart resets.
    pub async fn restart_job(
        &self,
        service_principal: &str,
        job: &str,
        reset_scope: Option<&str>,
        may_send: MaySend<'_>,
    ) -> Result<(), Error> {
        let body = match reset_scope {
            Some(scope) => json!({"criteria": {"resetScope": scope}}),
            None => json!({}),
        };
        self.act(Operation::RestartJob, Method::POST, service_principal, &[job, "restart"], Some(&body), may_send).await
    }

    /// Deletes a job. That it is not there is an error of kind `NotFound`: only the caller knows whether that is good.
    pub async fn delete_job(&self, service_principal: &str, job: &str, may_send: MaySend<'_>) -> Result<(), Error> {
        self.act(Operation::DeleteJob, Method::DELETE, service_principal, &[job], None, may_send).await
    }

    async fn act(
        &self,
        operation: Operation,
        method: Method,
        service_principal: &str,
        below_jobs: &[&str],
        body: Option<&Value>,
        may_send: MaySend<'_>,
    ) -> Result<(), Error> {
        let mut segments = vec!["servicePrincipals", service_principal, "synchronization", "jobs"];
        segments.extend(below_jobs);
        let url = self.0.sender.url(&segments);
        let client_request_id = Uuid::new_v4();
        let call = Call { operation, method, url, body, client_request_id, may_send, until: None };
        self.0.sender.send(&call).await.map(drop)
    }

    /// Reads every page or nothing, within one time limit and one limit of size for all pages.
    async fn list<T: DeserializeOwned>(&self, operation: Operation, first: Url) -> Result<Vec<T>, Error> {
        let (mut items, mut seen, mut next, mut bytes) = (Vec::new(), HashSet::new(), first, 0);
        let until = Some(Instant::now() + self.0.list_timeout);
        loop {
            let call = Call { until, ..Call::get(operation, next.clone()) };
            let refuse = |message| Err(Error::unsent(Kind::Refused, operation, call.client_request_id, message));
            if seen.len() == PAGES_MAX || !seen.insert(next.clone()) {
                return refuse("the list of pages does not end");
            }
            let answer = self.0.sender.send(&call).await?;
            bytes += answer.len();
            if bytes > LIST_BYTES_MAX {
                return refuse("the pages of the list are larger than 16 MiB together");
            }
            let page: Page<T> = parse(&call, &answer)?;
            items.extend(page.value);
            let Some(link) = page.next_link else { return Ok(items) };
            match Url::parse(&link) {
                Ok(link) if link.origin() == self.0.sender.root.origin() => next = link,
                _ => return refuse("the next page is said to be at another host; it was not asked"),
            }
        }
    }
}
