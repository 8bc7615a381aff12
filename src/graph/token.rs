//! The token in use: one login at a time, renewed ahead of its end, kept while it is good, and a refusal remembered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::login::{Issued, LoginError, login};
use super::observer::{LoginResult, Observer};
use super::{Credential, Endpoints, Kind};

/// An unavailable login service is asked again after this time.
const UNAVAILABLE_RETRY: Duration = Duration::from_secs(5);
/// A token is not handed out when less than this is left of it.
const LIFE_MIN: Duration = Duration::from_secs(30);

/// A token, and which one it is.
#[derive(Clone)]
pub(super) struct Held {
    pub token: SecretString,
    pub number: u64,
    pub issued: Instant,
    renew: Instant,
    expires: Instant,
}

/// A refusal that later callers get as well, without a login of their own.
#[derive(Clone)]
struct Refused {
    error: LoginError,
    until: Instant,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    refused: Option<Refused>,
    number: u64,
}

pub(super) struct Tokens {
    http: reqwest::Client,
    endpoints: Endpoints,
    credential: Credential,
    /// How long a refusal that will last is remembered.
    login_retry: Duration,
    state: Mutex<State>,
    turn: tokio::sync::Mutex<()>,
    observer: Arc<dyn Observer>,
}

impl Tokens {
    pub fn new(
        http: reqwest::Client,
        endpoints: Endpoints,
        credential: Credential,
        login_retry: Duration,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let (state, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { http, endpoints, credential, login_retry, state, turn, observer }
    }

    /// A token that is good now; or why there is none, and when it makes sense to ask again.
    pub async fn get(&self) -> Result<Held, (LoginError, Instant)> {
        if let Some(held) = self.usable() {
            if held.renew <= Instant::now()
                && let Ok(_turn) = self.turn.try_lock()
            {
                // Only this caller waits for the renewal; a failed one leaves the old token in use.
                return Ok(self.log_in().await.unwrap_or(held));
            }
            return Ok(held);
        }
        self.remembered()?;
        let _turn = self.turn.lock().await;
        if let Some(held) = self.usable() {
            return Ok(held);
        }
        self.remembered()?;
        self.log_in().await
    }

    /// Forgets the token if it is still the one that was refused.
    pub fn evict(&self, number: u64) {
        let mut state = self.state();
        if state.held.as_ref().is_some_and(|held| held.number == number) {
            state.held = None;
        }
    }

    async fn log_in(&self) -> Result<Held, (LoginError, Instant)> {
        let answer = login(&self.http, &self.endpoints, &self.credential).await;
        self.observer.login(match &answer {
            Ok(_) => LoginResult::Success,
            Err(error) if matches!(error.kind, Kind::LoginRefused { .. }) => LoginResult::Refused,
            Err(_) => LoginResult::Unavailable,
        });
        let (mut state, now) = (self.state(), Instant::now());
        match answer {
            Ok(Issued { token, life }) => {
                state.number += 1;
                let held = Held {
                    token,
                    number: state.number,
                    issued: now,
                    renew: now + life.mul_f64(0.8),
                    expires: now + life,
                };
                state.held = Some(held.clone());
                state.refused = None;
                Ok(held)
            }
            Err(error) => {
                let wait = error.retry_after.unwrap_or(match error.kind {
                    Kind::LoginRefused { .. } => self.login_retry,
                    _ => UNAVAILABLE_RETRY,
                });
                let until = now + wait;
                state.refused = Some(Refused { error: error.clone(), until });
                Err((error, until))
            }
        }
    }

    /// The token that is good now, without a login.
    pub fn usable(&self) -> Option<Held> {
        self.state().held.clone().filter(|held| held.expires > Instant::now() + LIFE_MIN)
    }

    fn remembered(&self) -> Result<(), (LoginError, Instant)> {
        let refused = self.state().refused.clone();
        match refused.filter(|refused| refused.until > Instant::now()) {
            Some(refused) => Err((refused.error, refused.until)),
            None => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
