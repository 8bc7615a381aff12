//! Which of several operators is active: a Lease, held and renewed by compare-and-swap, and a fence that is checked before
//! every write to Graph.
//!
//! The lease is advice, not mutual exclusion: a process may be stopped between the check and the write. The create protocol
//! is safe even then. Expiry is measured on this process's own monotonic clock, from the
//! moment the record was last seen to change; the clocks of other machines are not trusted.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior};

use super::{Error, bounded};

/// No write to Graph begins with less than this left.
pub const MARGIN: Duration = Duration::from_secs(10);
/// How often a release is tried while others write the lease.
const RELEASE_TRIES: u32 = 3;

#[derive(Clone, Debug)]
pub struct Config {
    pub namespace: String,
    pub name: String,
    /// Unique to this process.
    pub identity: String,
    /// How long others respect a lease that is not renewed.
    pub duration: Duration,
    /// How long a holder that cannot renew goes on before it gives up; less than `duration`.
    pub renew_deadline: Duration,
    /// How often a holder renews and a candidate looks.
    pub retry: Duration,
}

/// Whether this process may begin a write to Graph. Clones share the answer.
#[derive(Clone, Debug)]
pub struct Fence(Option<Arc<Mutex<Option<Instant>>>>);

impl Fence {
    /// For an operator that runs alone.
    pub fn open() -> Self {
        Self(None)
    }

    /// For a lease that somebody else keeps: it ends at the instant that is shared here, or is not held.
    pub fn following(until: Arc<Mutex<Option<Instant>>>) -> Self {
        Self(Some(until))
    }

    pub fn is_open(&self) -> bool {
        let Some(until) = &self.0 else { return true };
        until.lock().is_some_and(|until| until > Instant::now() + MARGIN)
    }
}

/// What a candidate has seen of the lease, and when it saw it change.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    spec: LeaseSpec,
    changed: Instant,
}

/// The outcome of one try.
#[derive(Debug, PartialEq, Eq)]
enum Try {
    Held,
    Others,
    /// The lease was written between our read and our write; the next read shows by whom.
    Raced,
}

#[derive(Debug, PartialEq, Eq)]
enum Claim {
    /// Nobody holds it, or its holder has not renewed it for as long as it promised to.
    Free,
    Ours,
    Others,
}

impl Seen {
    /// Takes a read record; the clock restarts only if the record has changed.
    fn again(before: Option<Self>, spec: LeaseSpec, now: Instant) -> Self {
        match before {
            Some(before) if before.spec == spec => before,
            _ => Self { spec, changed: now },
        }
    }

    fn claim(&self, identity: &str, fallback: Duration, now: Instant) -> Claim {
        let holder = self.spec.holder_identity.as_deref().unwrap_or_default();
        let promised = self.spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let expired = now >= self.changed + promised.map_or(fallback, Duration::from_secs);
        match holder {
            "" => Claim::Free,
            _ if holder == identity => Claim::Ours,
            _ if expired => Claim::Free,
            _ => Claim::Others,
        }
    }
}

/// A candidate for the lease.
pub struct Elector {
    api: Api<Lease>,
    config: Config,
    until: Arc<Mutex<Option<Instant>>>,
    seen: Option<Seen>,
}

impl Elector {
    pub fn new(client: Client, config: Config) -> Self {
        let api = Api::namespaced(client, &config.namespace);
        Self { api, config, until: Arc::default(), seen: None }
    }

    pub fn fence(&self) -> Fence {
        Fence::following(self.until.clone())
    }

    /// Returns when this process holds the lease.
    pub async fn acquire(&mut self) {
        let mut ticks = tokio::time::interval(self.config.retry);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut awaited = None;
        loop {
            ticks.tick().await;
            match self.try_once().await {
                Ok(Try::Held) => return,
                Ok(Try::Others) => {
                    let holder = self.seen.as_ref().and_then(|seen| seen.spec.holder_identity.clone());
                    if holder != awaited {
                        let name = holder.as_deref().unwrap_or_default();
                        tracing::info!(holder = name, "another operator holds the lease, or has not given it up");
                        awaited = holder;
                    }
                }
                Ok(Try::Raced) => {}
                Err(error) => tracing::warn!(%error, "the lease could not be read or written"),
            }
        }
    }

    /// Keeps the lease; returns when it is lost.
    pub async fn keep(&mut self) {
        let mut ticks = tokio::time::interval(self.config.retry);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        loop {
            let deadline = renewed + self.config.renew_deadline;
            let next = async {
                ticks.tick().await;
                (Instant::now(), self.try_once().await)
            };
            match tokio::time::timeout_at(deadline, next).await {
                Ok((began, Ok(Try::Held))) => renewed = began,
                Ok((_, Ok(Try::Raced))) => {}
                Ok((_, Ok(Try::Others))) => return self.lose("another operator holds it"),
                Ok((_, Err(error))) => tracing::warn!(%error, "the lease could not be renewed"),
                Err(_) => return self.lose("it could not be renewed in time"),
            }
        }
    }

    /// Releases the lease, so that another operator need not wait until it expires. A renewal that nobody waits for any more may
    /// be carried out between the read and the write.
    pub async fn release(&mut self) {
        self.set(None);
        let mut released = self.release_once().await;
        for _ in 1..RELEASE_TRIES {
            if !matches!(released, Err(Error::Changed)) {
                break;
            }
            released = self.release_once().await;
        }
        if let Err(error) = released {
            tracing::warn!(%error, "cannot release the lease; others wait until it expires");
        }
    }

    async fn release_once(&self) -> Result<(), Error> {
        let Some(mut lease) = bounded(self.api.get_opt(&self.config.name)).await? else { return Ok(()) };
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.config.identity) {
            return Ok(());
        }
        (spec.holder_identity, spec.lease_duration_seconds) = (Some(String::new()), Some(1));
        bounded(self.api.replace(&self.config.name, &PostParams::default(), &lease)).await.map(drop)
    }

    fn lose(&self, why: &str) {
        self.set(None);
        tracing::error!(why, "the lease is lost");
    }

    fn set(&self, until: Option<Instant>) {
        *self.until.lock() = until;
    }

    /// Looks once, and takes or renews the lease if that is allowed.
    async fn try_once(&mut self) -> Result<Try, Error> {
        // Others count from the moment they see the write, which is later.
        let began = Instant::now();
        let won = match bounded(self.api.get_opt(&self.config.name)).await? {
            None => self.create().await,
            Some(lease) => {
                let now = Instant::now();
                let seen = Seen::again(self.seen.take(), lease.spec.clone().unwrap_or_default(), now);
                let claim = seen.claim(&self.config.identity, self.config.duration, now);
                self.seen = Some(seen);
                match claim {
                    Claim::Others => return Ok(Try::Others),
                    Claim::Free => self.replace(lease, true).await,
                    Claim::Ours => self.replace(lease, false).await,
                }
            }
        };
        match won {
            Ok(_) => {
                self.set(Some(began + self.config.duration));
                Ok(Try::Held)
            }
            Err(Error::Changed | Error::Gone) => Ok(Try::Raced),
            Err(error) => Err(error),
        }
    }

    async fn create(&self) -> Result<Lease, Error> {
        let metadata = ObjectMeta { name: Some(self.config.name.clone()), ..ObjectMeta::default() };
        let mut lease = Lease { metadata, spec: None };
        self.sign(&mut lease, true);
        bounded(self.api.create(&PostParams::default(), &lease)).await
    }

    /// The resourceVersion that was read goes along: of two candidates one gets a conflict.
    async fn replace(&self, mut lease: Lease, takes_over: bool) -> Result<Lease, Error> {
        self.sign(&mut lease, takes_over);
        bounded(self.api.replace(&self.config.name, &PostParams::default(), &lease)).await
    }

    #[expect(clippy::disallowed_methods, reason = "a Lease says at what time of day it was renewed")]
    fn sign(&self, lease: &mut Lease, takes_over: bool) {
        let now = MicroTime(Timestamp::now());
        let spec = lease.spec.get_or_insert_default();
        if takes_over {
            spec.acquire_time = Some(now.clone());
            spec.lease_transitions = Some(spec.lease_transitions.map_or(0, |count| count.saturating_add(1)));
        }
        spec.holder_identity = Some(self.config.identity.clone());
        spec.lease_duration_seconds = i32::try_from(self.config.duration.as_secs()).ok();
        spec.renew_time = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tower::service_fn;

    use super::*;

    fn spec(holder: &str) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(30),
            renew_time: Some(MicroTime(Timestamp::UNIX_EPOCH)),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn a_lease_expires_by_our_own_clock_from_the_moment_it_was_seen_to_change() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let seen = Seen::again(None, spec("other"), start);
        let claim = |seen: &Seen, now| seen.claim("us", Duration::from_secs(30), now);
        assert_eq!(claim(&seen, at(29)), Claim::Others);
        assert_eq!(claim(&seen, at(30)), Claim::Free);

        let unchanged = Seen::again(Some(seen.clone()), spec("other"), at(20));
        assert_eq!(claim(&unchanged, at(30)), Claim::Free);
        let renewed = LeaseSpec { renew_time: Some(MicroTime(Timestamp::MAX)), ..spec("other") };
        let renewed = Seen::again(Some(seen), renewed, at(20));
        assert_eq!((claim(&renewed, at(49)), claim(&renewed, at(50))), (Claim::Others, Claim::Free));
    }

    #[test]
    fn a_released_lease_is_free_at_once_and_ours_stays_ours() {
        let now = Instant::now();
        let claim = |holder: &str| Seen::again(None, spec(holder), now).claim("us", Duration::ZERO, now);
        assert_eq!((claim(""), claim("us"), claim("other")), (Claim::Free, Claim::Ours, Claim::Others));
    }

    #[test]
    fn the_fence_closes_before_the_lease_ends() {
        let until = Arc::new(Mutex::new(None));
        let fence = Fence(Some(until.clone()));
        assert!(Fence::open().is_open() && !fence.is_open());
        *until.lock() = Some(Instant::now() + MARGIN * 2);
        assert!(fence.is_open());
        *until.lock() = Some(Instant::now() + MARGIN - Duration::from_secs(1));
        assert!(!fence.is_open());
    }

    /// A renewal that was in flight when the operator was asked to stop is carried out under the release.
    #[tokio::test]
    async fn a_release_that_a_renewal_overtook_is_tried_again() {
        let writes = Arc::new(Mutex::new(0));
        let counted = writes.clone();
        let server = service_fn(move |request: http::Request<kube::client::Body>| {
            let overtaken = *request.method() == http::Method::PUT && {
                *counted.lock() += 1;
                *counted.lock() == 1
            };
            let (code, body) = if overtaken {
                let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no",
                    "reason": "Conflict", "code": 409});
                (409, body)
            } else {
                (200, json!({"metadata": {"name": "entrain"}, "spec": {"holderIdentity": "us"}}))
            };
            let answer = http::Response::builder().status(code).header("content-type", "application/json");
            async move { answer.body(kube::client::Body::from(body.to_string().into_bytes())) }
        });
        let config = Config {
            namespace: "entrain".to_owned(),
            name: "entrain".to_owned(),
            identity: "us".to_owned(),
            duration: Duration::from_secs(30),
            renew_deadline: Duration::from_secs(20),
            retry: Duration::from_secs(5),
        };
        Elector::new(Client::new(server, "entrain"), config).release().await;
        assert_eq!(*writes.lock(), 2);
    }
}
