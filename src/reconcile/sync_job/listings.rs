//! Recent lists of Graph, by service principal: one answer serves all SyncJobs of that service principal that are
//! at rest. And the tombstones of jobs that this process deleted recently, because a lagging list may still show them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::graph::{Error, Job};
use crate::reconcile::tenants::{Login, TenantKey};

/// Shorter than the shortest poll interval, so that no SyncJob is answered by its own last list.
const RECENT: Duration = Duration::from_secs(30);

/// A service principal, or a job, of a tenant.
type Key = (TenantKey, String);

#[derive(Default)]
struct Known {
    /// When this process last wrote to the service principal's jobs: a list asked for before is worth nothing.
    changed: Option<Instant>,
    listing: Option<(Instant, Vec<Job>)>,
    /// When a list last failed, and why.
    failed: Option<(Instant, Error)>,
    /// Single flight: held while a list is in flight, so that others wait for its answer instead of sending their own.
    single_flight: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
pub(in crate::reconcile) struct Listings {
    known: Mutex<HashMap<Key, Known>>,
    /// The ids of the templates that a service principal offers, and when they were asked for.
    offers: Mutex<HashMap<Key, (Instant, Vec<String>)>>,
    /// The tombstones of jobs: when each was deleted.
    tombstones: Mutex<HashMap<Key, Instant>>,
}

fn key(tenant: &TenantKey, id: &str) -> Key {
    (tenant.clone(), id.to_owned())
}

impl Listings {
    /// Asks Graph.
    pub async fn list(&self, login: &Login, service_principal: &str) -> Result<Vec<Job>, Error> {
        let asked = Instant::now();
        let answer = login.client.list_jobs(service_principal).await;
        let mut all = self.known.lock();
        let known = all.entry(key(&login.tenant, service_principal)).or_default();
        match &answer {
            Ok(jobs) if known.changed.is_none_or(|changed| changed < asked) => {
                (known.listing, known.failed) = (Some((asked, jobs.clone())), None);
            }
            Ok(_) => known.failed = None,
            Err(error) => known.failed = Some((Instant::now(), error.clone())),
        }
        answer
    }

    /// The cached list, with `true`; or a list of now. Those who waited for a list share its failure.
    pub async fn recall(&self, login: &Login, service_principal: &str) -> Result<(Vec<Job>, bool), Error> {
        let key = key(&login.tenant, service_principal);
        let single_flight = self.known.lock().entry(key.clone()).or_default().single_flight.clone();
        let waiting = Instant::now();
        let _in_flight = single_flight.lock().await;
        if let Some(jobs) = self.recent(&key) {
            return Ok((jobs, true));
        }
        if let Some(error) = self.failed_since(&key, waiting) {
            return Err(error);
        }
        Ok((self.list(login, service_principal).await?, false))
    }

    /// The ids of the templates that a service principal offers. The SyncJobs that are created together share a recent answer,
    /// unless it lacks what is wanted: a template comes late to a new application.
    pub async fn templates(
        &self,
        login: &Login,
        service_principal: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, Error> {
        let key = key(&login.tenant, service_principal);
        let single_flight = self.known.lock().entry(key.clone()).or_default().single_flight.clone();
        let _in_flight = single_flight.lock().await;
        let recent = self.offers.lock().get(&key).filter(|(asked, _)| asked.elapsed() < RECENT).cloned();
        if let Some((_, offered)) = recent.filter(|(_, offered)| offered.iter().any(|id| wanted(id))) {
            return Ok(offered);
        }
        let asked = Instant::now();
        let templates = login.client.list_templates(service_principal).await?;
        let offered: Vec<String> = templates.into_iter().map(|template| template.id).collect();
        self.offers.lock().insert(key, (asked, offered.clone()));
        Ok(offered)
    }

    fn recent(&self, key: &Key) -> Option<Vec<Job>> {
        let all = self.known.lock();
        let (asked, jobs) = all.get(key)?.listing.as_ref()?;
        (asked.elapsed() < RECENT).then(|| jobs.clone())
    }

    fn failed_since(&self, key: &Key, waiting: Instant) -> Option<Error> {
        let all = self.known.lock();
        let (at, error) = all.get(key)?.failed.as_ref()?;
        (*at > waiting).then(|| error.clone())
    }

    /// The jobs of the service principal have changed, or may have.
    pub fn changed(&self, tenant: &TenantKey, service_principal: &str) {
        let mut all = self.known.lock();
        let known = all.entry(key(tenant, service_principal)).or_default();
        (known.changed, known.listing) = (Some(Instant::now()), None);
    }

    pub fn deleted(&self, tenant: &TenantKey, job: &str) {
        self.tombstones.lock().insert(key(tenant, job), Instant::now());
    }

    /// A job of this id is there again: an id names a slot, and what was deleted may have a successor in it.
    pub fn is_back(&self, tenant: &TenantKey, job: &str) {
        self.tombstones.lock().remove(&key(tenant, job));
    }

    /// Whether this process deleted the job less than `lag` ago.
    pub fn is_deleted(&self, tenant: &TenantKey, job: &str, lag: Duration) -> bool {
        self.tombstones.lock().get(&key(tenant, job)).is_some_and(|at| at.elapsed() < lag)
    }

    /// Throws away what no longer matters.
    pub fn prune(&self, lag: Duration) {
        let idle = |known: &Known| Arc::strong_count(&known.single_flight) == 1;
        let recent = |at: Option<Instant>| at.is_some_and(|at| at.elapsed() < lag.max(RECENT));
        let listed = |known: &Known| recent(known.listing.as_ref().map(|(asked, _)| *asked));
        self.known.lock().retain(|_, known| listed(known) || recent(known.changed) || !idle(known));
        self.tombstones.lock().retain(|_, at| at.elapsed() < lag);
        self.offers.lock().retain(|_, (asked, _)| asked.elapsed() < RECENT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::tests::fake::{Fake, Reply};

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_for_a_list_share_its_failure_and_who_comes_later_asks_again() {
        let (fake, listings) = (Fake::new(), Listings::default());
        let client = fake.client();
        let login = Login { tenant: TenantKey::new("operator"), client: client.clone() };
        fake.graph(Reply::Hangs);
        let began = Instant::now();
        let waits = (0..4).map(|_| listings.recall(&login, "sp"));
        let answers = futures::future::join_all(waits).await;
        assert!(answers.iter().all(Result::is_err));
        assert_eq!(fake.calls(), 1, "three of them waited for the first");
        assert!(began.elapsed() < Duration::from_secs(60), "and none of them for longer: {:?}", began.elapsed());
        assert!(listings.recall(&login, "sp").await.is_err());
        assert_eq!(fake.calls(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn templates_are_asked_for_once_unless_the_wanted_one_is_missing() {
        let (fake, listings) = (Fake::new(), Listings::default());
        let login = Login { tenant: TenantKey::new("operator"), client: fake.client() };
        fake.graph(Reply::body(200, r#"{"value":[{"id":"scim"}]}"#));
        let asks = |wanted: &'static str| listings.templates(&login, "sp", move |id| id == wanted);
        let together = futures::future::join_all((0..4).map(|_| asks("scim"))).await;
        assert!(together.iter().all(|offered| offered.as_ref().is_ok_and(|offered| offered == &["scim"])));
        assert_eq!(fake.calls(), 1);
        assert!(asks("box").await.is_ok());
        assert_eq!(fake.calls(), 2, "it may be offered by now");
        tokio::time::advance(RECENT).await;
        assert!(asks("scim").await.is_ok());
        assert_eq!(fake.calls(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn tenants_share_neither_lists_nor_tombstones() {
        let (fake, listings) = (Fake::new(), Listings::default());
        let client = fake.client();
        let [one, other] = ["one", "other"].map(|name| Login { tenant: TenantKey::new(name), client: client.clone() });
        assert!(!listings.recall(&one, "sp").await.unwrap().1);
        assert!(listings.recall(&one, "sp").await.unwrap().1);
        assert!(!listings.recall(&other, "sp").await.unwrap().1, "asked for itself");
        listings.deleted(&one.tenant, "scim.1");
        let lag = Duration::from_secs(180);
        assert!(listings.is_deleted(&one.tenant, "scim.1", lag) && !listings.is_deleted(&other.tenant, "scim.1", lag));
    }
}
