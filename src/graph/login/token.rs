//! The token in use: single flight for logins, renewal ahead of the end, and a failed login cached.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use secrecy::SecretString;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::super::answer::Exchange;
use super::super::error::{Error, Kind};
use super::super::gate::Gate;
use super::super::observer::{LoginResult, Observer};
use super::offer::{Fingerprint, Offer};
use super::presented::Presented;
use super::refusal::{LoginError, Service};
use super::refusals::{Refusals, Refused, UNAVAILABLE_RETRY, worth_another};

/// A longer life is not believed: tokens live for a day or a little more at most (continuous access evaluation).
pub(super) const LIFE_MAX: Duration = Duration::from_secs(48 * 3600);
/// A token is not handed out when less than this is left of it.
const LIFE_MIN: Duration = Duration::from_secs(30);
/// The part of a token's life after which it is renewed, and the part by which chance has that earlier: replicas and
/// applications that began together do not log in together for ever.
const RENEW_AFTER: f64 = 0.9;
const RENEW_JITTER: f64 = 0.05;

/// A 401 without a reason may come from a token that is older than a role: one of this age is replaced.
const RENEW_AGE: Duration = Duration::from_secs(300);

/// A token as it was issued.
pub(in crate::graph) struct Issued {
    pub token: SecretString,
    pub life: Duration,
    /// By the clock on the wall.
    pub obtained: Timestamp,
}

/// The two steps of a login.
pub(in crate::graph) trait LogIn: Send + Sync {
    /// Reads what there is to log in with.
    fn offer(&self) -> BoxFuture<'_, Result<Offer, LoginError>>;
    /// Logs in with it, once.
    fn present<'a>(&'a self, offer: &'a Offer) -> BoxFuture<'a, Result<Issued, LoginError>>;
}

/// Why there is no token, and when it makes sense to ask again.
pub(in crate::graph) type NoToken = (LoginError, Instant);

/// A token, and which one it is.
#[derive(Clone)]
pub(in crate::graph) struct Held {
    pub token: SecretString,
    pub number: u64,
    pub issued: Instant,
    pub obtained: Timestamp,
    /// Graph has carried out a request with it.
    accepted: bool,
    renew: Instant,
    expires: Instant,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    refusals: Refusals,
    number: u64,
    /// How many logins have ended.
    ended: u64,
    /// When Graph last rejected a token that was then given up.
    rejected: Option<Instant>,
    presented: Option<Presented>,
}

impl State {
    fn hold(&mut self, issued: Issued, now: Instant) -> Held {
        let life = issued.life.min(LIFE_MAX);
        self.number += 1;
        let held = Held {
            token: issued.token,
            number: self.number,
            issued: now,
            obtained: issued.obtained,
            accepted: false,
            renew: now + life.mul_f64(RENEW_AFTER - RENEW_JITTER * fastrand::f64()),
            expires: now + life,
        };
        self.held = Some(held.clone());
        self.refusals.clear();
        held
    }
}

/// How logins are made, and how long their failures are cached.
pub(in crate::graph) struct Settings {
    pub log_in: Arc<dyn LogIn>,
    /// The longest time of one step of a login.
    pub login_timeout: Duration,
    /// How long a rejected login is cached.
    pub login_retry: Duration,
    /// Is notified of logins without an answer.
    pub gate: Arc<Gate>,
    pub observer: Arc<dyn Observer>,
}

#[derive(Clone)]
pub(in crate::graph) struct Tokens(Arc<Shared>);

struct Shared {
    settings: Settings,
    state: Mutex<State>,
    single_flight: Arc<tokio::sync::Mutex<()>>,
}

impl Tokens {
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Shared { settings, state: Mutex::default(), single_flight: Arc::default() }))
    }

    /// A token that is good now; or why there is none, and when it makes sense to ask again.
    pub async fn get(&self) -> Result<Held, NoToken> {
        let before = self.0.state().ended;
        if let Some(held) = self.usable() {
            self.renew_ahead(&held);
            return Ok(held);
        }
        self.0.remembered()?;
        let flight = self.0.single_flight.clone().lock_owned().await;
        if let Some(answer) = self.0.ended_since(before) {
            return answer;
        }
        self.0.remembered()?;
        let login = self.log_in(flight);
        login.await.unwrap_or_else(|_| {
            Err((LoginError::unavailable("the login was cut short"), Instant::now() + UNAVAILABLE_RETRY))
        })
    }

    /// The token that is good now, without a login.
    pub fn usable(&self) -> Option<Held> {
        self.0.state().held.clone().filter(|held| held.expires > Instant::now() + LIFE_MIN)
    }

    /// What was presented at the last login.
    pub fn presented(&self) -> Option<Presented> {
        self.0.state().presented.clone()
    }

    /// Takes note of what came of a request with this token, and says whether another token is worth a try.
    pub fn learn(&self, held: &Held, exchange: &Exchange) -> bool {
        let Err(error) = &exchange.result else {
            self.accept(held.number);
            return false;
        };
        match error.kind {
            Kind::TokenRejected => return self.reject(held.number, error),
            Kind::Unauthorized | Kind::Forbidden if held.issued.elapsed() > RENEW_AGE => self.evict(held.number),
            Kind::Unauthorized
            | Kind::Forbidden
            | Kind::Throttled
            | Kind::Unavailable
            | Kind::Network
            | Kind::NotFound
            | Kind::Conflict
            | Kind::Rejected
            | Kind::LoginRefused
            | Kind::LoginUnavailable
            | Kind::Malformed
            | Kind::Refused
            | Kind::Withheld
            | Kind::Busy => {}
        }
        false
    }

    fn accept(&self, number: u64) {
        if let Some(held) = self.0.state().held.as_mut().filter(|held| held.number == number) {
            held.accepted = true;
        }
    }

    /// Forgets the token if it is still the one in use.
    fn evict(&self, number: u64) {
        let mut state = self.0.state();
        if state.held.as_ref().is_some_and(|held| held.number == number) {
            state.held = None;
        }
    }

    /// Graph called this token invalid.
    ///
    /// One rejection costs one login. If the next token is rejected too before any request succeeded with it, Graph
    /// accepts none, and that is cached for the time of `login_retry`. If the next one is accepted for
    /// other requests, a login does not help this one, and the token is kept.
    fn reject(&self, number: u64, error: &Error) -> bool {
        let (mut state, now) = (self.0.state(), Instant::now());
        let retry = self.0.settings.login_retry;
        let Some(held) = state.held.as_ref().filter(|held| held.number == number) else { return true };
        let again = state.rejected.is_some_and(|last| now.duration_since(last) < retry * 2);
        let accepted = held.accepted;
        if again && accepted && now.duration_since(held.issued) < retry {
            return false;
        }
        state.held = None;
        state.rejected = Some(now);
        if again && !accepted {
            let (kind, code, message) = (Kind::TokenRejected, error.code.clone(), error.message.clone());
            let error = LoginError { kind, code, message, retry_after: None, service: Service::Answers };
            state.refusals.set(Refused::until(error, now + retry));
            return false;
        }
        true
    }

    /// Begins a renewal if it is time for one. No call waits for it, because the token at hand is good.
    fn renew_ahead(&self, held: &Held) {
        if held.renew > Instant::now() || self.0.remembered().is_err() {
            return;
        }
        let Ok(flight) = self.0.single_flight.clone().try_lock_owned() else { return };
        // The one before may have ended between the two looks.
        if self.usable().is_some_and(|usable| usable.number == held.number) && self.0.remembered().is_ok() {
            drop(self.log_in(flight));
        }
    }

    /// A login in a task of its own: once begun it ends and is remembered, even if its caller gives up.
    fn log_in(&self, flight: OwnedMutexGuard<()>) -> tokio::task::JoinHandle<Result<Held, NoToken>> {
        let shared = self.0.clone();
        tokio::spawn(async move {
            let answer = shared.log_in().await;
            drop(flight);
            answer
        })
    }
}

/// A login, and the failure that has no login.
enum Ended {
    Issued(Issued),
    Failed(LoginError, Option<Fingerprint>),
    /// The material is the one that was refused before.
    Unchanged(Refused),
}

impl Shared {
    /// Reads the credential and presents it. A refusal makes it read once more, because the credential may just have been
    /// replaced.
    async fn attempt(&self) -> Ended {
        let offer = match self.offer().await {
            Ok(offer) => offer,
            Err(error) => return self.ended(Err(error), None),
        };
        let unchanged = self.state().refusals.looked(&offer.fingerprint, Instant::now(), self.settings.login_retry);
        if let Some(refused) = unchanged {
            return Ended::Unchanged(refused);
        }
        let error = match self.present(&offer).await {
            Err(error) if error.kind == Kind::LoginRefused && error.service == Service::Answers => error,
            answer => return self.ended(answer, Some(offer.fingerprint)),
        };
        let failed = self.ended(Err(error.clone()), Some(offer.fingerprint));
        match self.offer().await {
            Ok(now) if worth_another(&error, &offer.fingerprint, &now.fingerprint) => {
                let answer = self.present(&now).await;
                self.ended(answer, Some(now.fingerprint))
            }
            Ok(_) | Err(_) => failed,
        }
    }

    async fn offer(&self) -> Result<Offer, LoginError> {
        let limit = self.settings.login_timeout;
        tokio::time::timeout(limit, self.settings.log_in.offer())
            .await
            .unwrap_or_else(|_| Err(LoginError::unread(limit)))
    }

    async fn present(&self, offer: &Offer) -> Result<Issued, LoginError> {
        self.state().presented = Some(offer.presented.clone());
        let limit = offer.limit(self.settings.login_timeout);
        tokio::time::timeout(limit, self.settings.log_in.present(offer)).await.unwrap_or_else(|_| {
            Err(LoginError::unanswered(format!("no answer of the login service within {} s", limit.as_secs_f64())))
        })
    }

    fn ended(&self, answer: Result<Issued, LoginError>, fingerprint: Option<Fingerprint>) -> Ended {
        self.settings.observer.login(match &answer {
            Ok(_) => LoginResult::Success,
            Err(error) if error.kind == Kind::LoginRefused => LoginResult::Refused,
            Err(_) => LoginResult::Unavailable,
        });
        match answer {
            Ok(issued) => Ended::Issued(issued),
            Err(error) => Ended::Failed(error, fingerprint),
        }
    }

    async fn log_in(&self) -> Result<Held, NoToken> {
        let ended = self.attempt().await;
        let (mut state, now) = (self.state(), Instant::now());
        state.ended += 1;
        match ended {
            Ended::Issued(issued) => Ok(state.hold(issued, now)),
            Ended::Unchanged(refused) => Err((refused.error.clone(), refused.again())),
            Ended::Failed(error, fingerprint) => {
                let refused = state.refusals.learn(error, fingerprint, now, self.settings.login_retry);
                drop(state);
                match refused.error.service {
                    Service::Answers => self.settings.gate.login_failed(),
                    Service::DoesNotAnswer => self.settings.gate.login_unanswered(refused.again()),
                    Service::NotAsked => {}
                }
                Err((refused.error.clone(), refused.again()))
            }
        }
    }

    /// What came of a login that ended while the caller waited. It is shared even if it is not cached, so that nobody
    /// waits for a second login.
    fn ended_since(&self, before: u64) -> Option<Result<Held, NoToken>> {
        let state = self.state();
        if state.ended == before {
            return None;
        }
        let failure = state.refusals.last().map(|refused| Err((refused.error.clone(), refused.again())));
        state.held.clone().filter(|held| held.expires > Instant::now()).map(Ok).or(failure)
    }

    fn remembered(&self) -> Result<(), NoToken> {
        let state = self.state();
        match state.refusals.last().filter(|refused| refused.again() > Instant::now()) {
            Some(refused) => Err((refused.error.clone(), refused.again())),
            None => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

#[cfg(test)]
mod rotation;
#[cfg(test)]
mod tests;
