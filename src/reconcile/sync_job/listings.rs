//! Recent lists of Graph, by service principal: one answer serves all SyncJobs of that service principal that are
//! at rest. And the tombstones of jobs that this process deleted recently, because a lagging list may still show them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::graph::{Client, Error, Job};

/// Shorter than the shortest poll interval, so that no SyncJob is answered by its own last list.
const RECENT: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Known {
    /// When this process last wrote to the service principal's jobs: a list asked for before is worth nothing.
    changed: Option<Instant>,
    listing: Option<(Instant, Vec<Job>)>,
    /// Single flight: held while a list is in flight, so that others wait for its answer instead of sending their own.
    single_flight: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
pub(in crate::reconcile) struct Listings {
    known: Mutex<HashMap<String, Known>>,
    /// The tombstones of jobs: when each was deleted.
    tombstones: Mutex<HashMap<String, Instant>>,
}

impl Listings {
    /// Asks Graph.
    pub async fn list(&self, graph: &Client, service_principal: &str) -> Result<Vec<Job>, Error> {
        let asked = Instant::now();
        let jobs = graph.list_jobs(service_principal).await?;
        let mut all = self.known.lock();
        let known = all.entry(service_principal.to_owned()).or_default();
        if known.changed.is_none_or(|changed| changed < asked) {
            known.listing = Some((asked, jobs.clone()));
        }
        Ok(jobs)
    }

    /// The cached list, with `true`; or a list of now.
    pub async fn recall(&self, graph: &Client, service_principal: &str) -> Result<(Vec<Job>, bool), Error> {
        let single_flight = self.known.lock().entry(service_principal.to_owned()).or_default().single_flight.clone();
        let _in_flight = single_flight.lock().await;
        if let Some(jobs) = self.recent(service_principal) {
            return Ok((jobs, true));
        }
        Ok((self.list(graph, service_principal).await?, false))
    }

    fn recent(&self, service_principal: &str) -> Option<Vec<Job>> {
        let all = self.known.lock();
        let (asked, jobs) = all.get(service_principal)?.listing.as_ref()?;
        (asked.elapsed() < RECENT).then(|| jobs.clone())
    }

    /// The jobs of the service principal have changed, or may have.
    pub fn changed(&self, service_principal: &str) {
        let mut all = self.known.lock();
        let known = all.entry(service_principal.to_owned()).or_default();
        (known.changed, known.listing) = (Some(Instant::now()), None);
    }

    pub fn deleted(&self, job: &str) {
        self.tombstones.lock().insert(job.to_owned(), Instant::now());
    }

    /// A job of this id is there again: an id names a slot, and what was deleted may have a successor in it.
    pub fn is_back(&self, job: &str) {
        self.tombstones.lock().remove(job);
    }

    /// Whether this process deleted the job less than `lag` ago.
    pub fn is_deleted(&self, job: &str, lag: Duration) -> bool {
        self.tombstones.lock().get(job).is_some_and(|at| at.elapsed() < lag)
    }

    /// Throws away what no longer matters.
    pub fn prune(&self, lag: Duration) {
        let idle = |known: &Known| Arc::strong_count(&known.single_flight) == 1;
        let recent = |at: Option<Instant>| at.is_some_and(|at| at.elapsed() < lag.max(RECENT));
        let listed = |known: &Known| recent(known.listing.as_ref().map(|(asked, _)| *asked));
        self.known.lock().retain(|_, known| listed(known) || recent(known.changed) || !idle(known));
        self.tombstones.lock().retain(|_, at| at.elapsed() < lag);
    }
}
