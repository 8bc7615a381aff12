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
use super::login::claims::Claims;
use super::login::presented::{LoggedIn, Presented};
use super::login::source::Source;
use super::login::token::{self, Tokens};
use super::login::wall::WallClock;
use super::login::{Logins, tenant};
use super::observer::{Ignore, Observer};
use super::operation::Operation;
use super::request::{Call, Priority, Turn};
use super::transport::{self, Https, Transport};

/// A login reads its credential and presents it, and does so once more after a refusal.
const LOGIN_STEPS_MAX: u32 = 4;

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
    /// The same for a test of credentials, which lasts as long as the target takes.
    pub test_timeout: Duration,
    /// The longest time of a list, all its pages together.
    pub list_timeout: Duration,
    /// The longest time of one step of a login: reading the credential, and presenting it. A call that waits for a login
    /// does so outside of its own time.
    pub login_timeout: Duration,
    /// The time of day.
    pub wall: WallClock,
    /// How long a rejected login is cached before it is tried again.
    pub login_retry: Duration,
    /// Is notified of calls and logins.
    pub observer: Arc<dyn Observer>,
    /// Whose login it is, as errors name it; nobody's in particular without a name.
    pub login_of: Option<Arc<str>>,
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
            test_timeout: Duration::from_secs(40),
            list_timeout: Duration::from_secs(60),
            login_timeout: Duration::from_secs(10),
            wall: WallClock::machine(),
            login_retry: Duration::from_secs(60),
            observer: Arc::new(Ignore),
            login_of: None,
        }
    }

    /// The transport that trusts the authorities of these options; several clients may share it.
    pub fn https(&self) -> Result<Arc<dyn Transport>, SetupError> {
        let https = Https::new(self.ca_pem.as_deref(), &self.endpoints.imds);
        let https = https.map_err(|error| SetupError(transport::describe(error)))?;
        Ok(Arc::new(https))
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
    turn: Turn,
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
    /// Over HTTPS. The tenant is an id or a domain; without one it is the credential's own.
    pub fn new(options: Options, source: Arc<dyn Source>, tenant: Option<String>) -> Result<Self, SetupError> {
        let (transport, limits) = (options.https()?, options.own_limits());
        Ok(Self::with_transport(options, source, tenant, transport, limits))
    }

    /// Over another transport, which carries the requests to Graph and those of the login. All time limits count tokio's
    /// time. `limits` are those of the application in the tenant: all its clients share them.
    pub fn with_transport(
        options: Options,
        source: Arc<dyn Source>,
        tenant: Option<String>,
        transport: Arc<dyn Transport>,
        limits: Limits,
    ) -> Self {
        let root = options.endpoints.graph.clone();
        let known = tenant.as_deref().and_then(tenant::id).map_or_else(OnceLock::new, OnceLock::from);
        let probe_max = options.login_timeout * LOGIN_STEPS_MAX + options.slot_timeout + options.call_timeout;
        let (endpoints, wall) = (options.endpoints, options.wall);
        let log_in = Logins { transport: transport.clone(), endpoints, tenant, source, wall };
        let tokens = Tokens::new(token::Settings {
            log_in: Arc::new(log_in),
            login_timeout: options.login_timeout,
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
            target_timeout: options.test_timeout,
            observer: options.observer,
            login_of: options.login_of,
        };
        let inner = Inner { root, tenant: known, caller, list_timeout: options.list_timeout };
        Self { inner: Arc::new(inner), turn: Turn::default() }
    }

    /// The same client, whose calls are this urgent.
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> Self {
        self.with_turn(Turn { priority, ..self.turn })
    }

    /// The same client, whose calls wait in this lane and are this urgent.
    #[must_use]
    pub fn with_turn(&self, turn: Turn) -> Self {
        Self { inner: self.inner.clone(), turn }
    }

    /// Whether both are the same client, however urgent their calls are.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Whether calls of this client are sent now.
    pub fn availability(&self) -> Availability {
        self.inner.caller.limits.availability_for(self.turn.priority)
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
        let tenant = self.log_in().await?.tenant;
        let tenant = tenant.ok_or_else(|| call.failed(Kind::Malformed, "the token names no tenant"))?;
        Ok(self.inner.tenant.get_or_init(|| tenant).clone())
    }

    /// Logs in if there is no usable token. Nothing is sent to Graph.
    pub async fn log_in(&self) -> Result<LoggedIn, Error> {
        let held = self.inner.caller.token_only(&Call::read(Operation::LogIn, self.inner.root.clone())).await?;
        let token = held.token.expose_secret();
        let roles = Claims::of(token).map(|claims| claims.roles()).unwrap_or_default();
        Ok(LoggedIn { tenant: tenant::of_token(token), roles, obtained: held.obtained })
    }

    /// What was presented at the last login, refused or not.
    pub fn presented(&self) -> Option<Presented> {
        self.inner.caller.tokens.presented()
    }

    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Bytes, Error> {
        self.inner.caller.send(&Call { turn: self.turn, ..call.clone() }).await
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
