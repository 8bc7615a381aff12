//! One application in one tenant: what all its calls share. The calls themselves stand in a file for each family.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use secrecy::ExposeSecret;
use url::Url;

use super::breaker::Availability;
use super::budget::Rates;
use super::call::Caller;
use super::endpoints::Endpoints;
use super::error::{Error, Kind};
use super::limits::{ApplicationLimits, LimitSettings, Limits};
use super::login::credential::Credential;
use super::login::token::{self, Tokens};
use super::login::{self, tenant};
use super::observer::{Ignore, Observer};
use super::operation::Operation;
use super::request::{Call, Priority};
use super::transport::{self, Https, Transport};

/// The tools that log a person in are programs that take seconds to begin.
const TOOLS_TIMEOUT_MIN: Duration = Duration::from_secs(30);

/// How a client calls.
#[derive(Clone, Debug)]
pub struct Options {
    pub endpoints: Endpoints,
    /// Certificate authorities that are trusted in addition to the system's, as PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// How many requests may be in flight at the same time; the limits of these endpoints are not published.
    pub in_flight_max: usize,
    /// How long a call may wait to become one of them.
    pub slot_timeout: Duration,
    /// The longest time of the requests of one call, from the sending on.
    pub call_timeout: Duration,
    /// The longest time of a list, all its pages together.
    pub list_timeout: Duration,
    /// The longest time of one login. A call that waits for a login does so outside of its own time.
    pub login_timeout: Duration,
    /// How long a rejected login is cached before it is tried again.
    pub login_retry: Duration,
    /// Is notified of calls and logins.
    pub observer: Arc<dyn Observer>,
}

impl Options {
    /// The usual ones.
    pub fn new(endpoints: Endpoints) -> Self {
        Self {
            endpoints,
            ca_pem: None,
            in_flight_max: 16,
            slot_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_secs(30),
            list_timeout: Duration::from_secs(60),
            login_timeout: Duration::from_secs(10),
            login_retry: Duration::from_secs(60),
            observer: Arc::new(Ignore),
        }
    }

    /// Limits that no other client shares.
    pub fn own_limits(&self) -> Limits {
        let settings = LimitSettings { in_flight_max: self.in_flight_max, rates: Rates::documented() };
        Limits::new(settings, ApplicationLimits::default(), self.observer.clone())
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("cannot create the HTTP client: {0}")]
pub struct SetupError(String);

/// One application in one tenant. Clones share the token, the limits and the connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    priority: Priority,
}

struct Inner {
    /// Root of Graph without a version, ending in a slash.
    root: Url,
    /// Once it is known.
    tenant: OnceLock<String>,
    caller: Caller,
    list_timeout: Duration,
}

impl Client {
    /// Over HTTPS.
    pub fn new(options: Options, credential: Credential) -> Result<Self, SetupError> {
        let https = Https::new(options.ca_pem.as_deref()).map_err(|error| SetupError(transport::describe(error)))?;
        let limits = options.own_limits();
        Ok(Self::with_transport(options, credential, Arc::new(https), limits))
    }

    /// Over another transport, which carries the requests to Graph and those of the login. All time limits count tokio's
    /// time. `limits` are those of the application in the tenant: all its clients share them.
    pub fn with_transport(
        options: Options,
        credential: Credential,
        transport: Arc<dyn Transport>,
        limits: Limits,
    ) -> Self {
        let root = options.endpoints.graph.clone();
        let tenant = credential.tenant().and_then(tenant::id).map_or_else(OnceLock::new, OnceLock::from);
        let login_timeout = match credential {
            Credential::Person { .. } => options.login_timeout.max(TOOLS_TIMEOUT_MIN),
            Credential::ClientSecret { .. } | Credential::WorkloadIdentity { .. } => options.login_timeout,
        };
        let probe_max = login_timeout + options.slot_timeout + options.call_timeout;
        let tokens = Tokens::new(token::Settings {
            log_in: login::with(transport.clone(), options.endpoints, credential),
            login_timeout,
            login_retry: options.login_retry,
            gate: limits.gate().clone(),
            observer: options.observer.clone(),
        });
        let caller = Caller {
            transport,
            tokens,
            limits,
            probe_max,
            slot_timeout: options.slot_timeout,
            call_timeout: options.call_timeout,
            observer: options.observer,
        };
        let inner = Inner { root, tenant, caller, list_timeout: options.list_timeout };
        Self { inner: Arc::new(inner), priority: Priority::default() }
    }

    /// The same client, whose calls are this urgent.
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> Self {
        Self { inner: self.inner.clone(), priority }
    }

    /// Whether calls of this client are sent now.
    pub fn availability(&self) -> Availability {
        self.inner.caller.limits.availability_for(self.priority)
    }

    /// Id of the tenant that calls go to, in lower case, if the credential names it or it was learnt before.
    pub fn known_tenant(&self) -> Option<String> {
        self.inner.tenant.get().cloned()
    }

    /// The same, learnt from a token where the credential names a domain or nothing. Logs in if need be; nothing is sent to
    /// Graph.
    pub async fn tenant(&self) -> Result<String, Error> {
        if let Some(tenant) = self.known_tenant() {
            return Ok(tenant);
        }
        let call = Call::read(Operation::LogIn, self.inner.root.clone());
        let held = self.inner.caller.token_only(&call).await?;
        let tenant = tenant::of_token(held.token.expose_secret());
        let tenant = tenant.ok_or_else(|| call.failed(Kind::Malformed, "the token names no tenant"))?;
        Ok(self.inner.tenant.get_or_init(|| tenant).clone())
    }

    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Bytes, Error> {
        self.inner.caller.send(&Call { priority: self.priority, ..call.clone() }).await
    }

    /// An address of Graph. Path segments are percent-encoded, whatever they hold.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.inner.root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().push("v1.0").extend(segments);
        }
        url
    }

    /// Whether an address is one of the Graph that this client calls: a token goes nowhere else.
    pub(super) fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.inner.root.origin()
    }

    pub(super) fn list_timeout(&self) -> Duration {
        self.inner.list_timeout
    }
}
