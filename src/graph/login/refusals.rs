//! Logins that failed: the failure that later callers get, when the credential is read again, and when a login is worth
//! another try.

use std::time::Duration;

use tokio::time::Instant;

use super::super::error::Kind;
use super::offer::Fingerprint;
use super::refusal::{LoginError, Service};

/// An unavailable login service, or source of the credential, is asked again after this time.
pub(super) const UNAVAILABLE_RETRY: Duration = Duration::from_secs(5);
/// The wait after a refusal doubles up to this.
const RETRY_MAX: Duration = Duration::from_secs(600);
/// Each wait after a refusal is longer by up to this part of it, by chance.
const JITTER: f64 = 0.1;
/// A new federated credential is refused for minutes, and now and then after its first success
/// (`workload-identity-federation-considerations`).
const PROPAGATION: Duration = Duration::from_secs(600);
const PROPAGATION_RETRY: Duration = Duration::from_secs(15);
const PROPAGATING: &[&str] = &["AADSTS70021", "AADSTS700211", "AADSTS700213", "AADSTS7002131", "AADSTS7002138"];
/// The assertion was outside of its time: a new one may not be.
const OUT_OF_TIME: &[&str] = &["AADSTS700024", "AADSTS500133"];

/// A cached failure, which later callers get without a login of their own.
#[derive(Clone)]
pub(super) struct Refused {
    pub error: LoginError,
    /// No login before this instant with the material that was refused.
    until: Instant,
    /// When the credential is read again; another one is presented at once.
    look: Instant,
    /// Of the material that was refused.
    fingerprint: Option<Fingerprint>,
}

impl Refused {
    /// A failure that no other credential changes.
    pub fn until(error: LoginError, until: Instant) -> Self {
        Self { error, until, look: until, fingerprint: None }
    }

    /// When it makes sense to ask again.
    pub fn again(&self) -> Instant {
        self.look.min(self.until)
    }
}

/// The refusals of one material in a row.
struct Series {
    fingerprint: Fingerprint,
    began: Instant,
    wait: Duration,
}

#[derive(Default)]
pub(super) struct Refusals {
    standing: Option<Refused>,
    series: Option<Series>,
}

impl Refusals {
    /// The failure that is cached, past its time or not.
    pub fn last(&self) -> Option<&Refused> {
        self.standing.as_ref()
    }

    pub fn set(&mut self, refused: Refused) {
        self.standing = Some(refused);
    }

    /// A login succeeded.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether this material was refused, and it is too early for another try with it. If so, the next look is put off.
    pub fn looked(&mut self, fingerprint: &Fingerprint, now: Instant, retry: Duration) -> Option<Refused> {
        let standing = self.standing.as_mut()?;
        if standing.fingerprint.as_ref() != Some(fingerprint) || standing.until <= now {
            return None;
        }
        standing.look = now + retry;
        Some(standing.clone())
    }

    /// Takes note of a failed login with this material, or of one without any.
    pub fn learn(&mut self, error: LoginError, offer: Option<Fingerprint>, now: Instant, retry: Duration) -> Refused {
        let lasts = error.kind == Kind::LoginRefused;
        let presented = offer.filter(|_| lasts && error.service == Service::Answers);
        let refused = if let Some(fingerprint) = presented {
            let wait = error.retry_after.unwrap_or_else(|| self.wait(&error.code, fingerprint, now, retry));
            let chance = 1.0 + JITTER * fastrand::f64();
            let (until, look) = (now + wait.mul_f64(chance), now + retry.mul_f64(chance));
            Refused { error, until, look, fingerprint: Some(fingerprint) }
        } else {
            let own = if lasts { retry } else { UNAVAILABLE_RETRY };
            let until = now + error.retry_after.unwrap_or(own);
            Refused::until(error, until)
        };
        self.standing = Some(refused.clone());
        refused
    }

    /// How long until the next try with the same material; the wait grows from refusal to refusal.
    fn wait(&mut self, code: &str, fingerprint: Fingerprint, now: Instant, retry: Duration) -> Duration {
        let before = self.series.take().filter(|series| series.fingerprint == fingerprint);
        let began = before.as_ref().map_or(now, |series| series.began);
        let (first, most) = if PROPAGATING.contains(&code) && now.duration_since(began) < PROPAGATION {
            (PROPAGATION_RETRY.min(retry), retry)
        } else {
            (retry, retry.max(RETRY_MAX))
        };
        let wait = before.map_or(first, |series| (series.wait * 2).clamp(first, most));
        self.series = Some(Series { fingerprint, began, wait });
        wait
    }
}

/// Whether a refused login is worth another try at once with this material, which was read after the refusal.
pub(super) fn worth_another(error: &LoginError, refused: &Fingerprint, now: &Fingerprint) -> bool {
    refused != now || OUT_OF_TIME.contains(&error.code.as_str())
}
