//! The real queue and the real client with a model of passes: a list and two writes, and another pass where one failed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use entrain::graph::{
    ApplicationLimits, Availability, Client, Cloud, Credential, Endpoints, Error, LimitSettings, Limits, Options,
    Priority, Rates, Turn,
};
use entrain::reconcile::{Again, Class, Lane, Queue, TenantKey, Work};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::graph::Graph;

/// As many workers as the operator has by default.
const WORKERS: usize = 16;
const RETRY: Duration = Duration::from_secs(15);

/// A tenant as the operator sees it.
pub struct Served {
    client: Client,
    limits: Limits,
}

pub fn serve(graph: &Graph, host: &str) -> Served {
    let url = |host: String| Some(Url::parse(&format!("https://{host}/")).unwrap());
    let endpoints = Endpoints::new(Cloud::Global, url(host.to_owned()), url(format!("login.{host}"))).unwrap();
    let options = Options::new(endpoints);
    let settings = LimitSettings { in_flight_max: options.in_flight_max, rates: Rates::documented() };
    let limits = Limits::new(settings, ApplicationLimits::default(), options.observer.clone());
    let id = "11111111-2222-3333-4444-555555555555".to_owned();
    let credential =
        Credential::ClientSecret { tenant_id: id.clone(), client_id: id.clone(), secret: "secret".to_owned().into() };
    let transport = Arc::new(graph.clone());
    let client = Client::with_transport(options, Arc::new(credential), Some(id), transport, limits.clone());
    Served { client, limits }
}

/// A SyncJob that is dirty from an instant on.
#[derive(Clone, Debug)]
pub struct Dirty {
    pub tenant: String,
    pub namespace: String,
    pub at: Duration,
    pub class: Class,
    /// It is dirty again after each pass.
    pub endless: bool,
}

struct Run<'a> {
    tenants: &'a HashMap<String, Served>,
    jobs: &'a [Dirty],
    queue: Queue<usize>,
    passes: JoinSet<(usize, Result<(), Error>)>,
    began: Instant,
    ready: Vec<Option<Duration>>,
}

/// Runs until all are ready or the time is over, and answers after which time each was ready.
pub async fn run(tenants: &HashMap<String, Served>, jobs: &[Dirty], time: Duration) -> Vec<Option<Duration>> {
    let began = Instant::now();
    let ready = vec![None; jobs.len()];
    let mut run = Run { tenants, jobs, queue: Queue::new(WORKERS), passes: JoinSet::new(), began, ready };
    for (key, job) in jobs.iter().enumerate() {
        run.queue.offer(key, job.class, lane(job), began + job.at);
    }
    let end = began + time;
    loop {
        let wake = run.start().unwrap_or(end).min(end);
        if Instant::now() >= end || run.passes.is_empty() && wake == end {
            return run.ready;
        }
        if let Ok(Some(ended)) = timeout_at(wake, next(&mut run.passes)).await {
            run.ended(ended);
        }
    }
}

async fn next(passes: &mut JoinSet<(usize, Result<(), Error>)>) -> Option<(usize, Result<(), Error>)> {
    match passes.join_next().await {
        Some(ended) => ended.ok(),
        None => std::future::pending().await,
    }
}

fn priority(class: Class) -> Priority {
    if class == Class::Poll { Priority::Poll } else { Priority::Change }
}

fn hash(namespace: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    namespace.hash(&mut hasher);
    hasher.finish()
}

fn lane(job: &Dirty) -> Lane {
    Lane { tenant: TenantKey::new(&job.tenant), namespace: job.namespace.as_str().into() }
}

impl Run<'_> {
    fn start(&mut self) -> Option<Instant> {
        loop {
            let available = |tenant: &TenantKey, class| -> Availability {
                self.tenants[tenant.as_str()].limits.availability_for(priority(class))
            };
            let Some(Work { key, class, .. }) = self.queue.next(Instant::now(), &available) else {
                return self.queue.wake_at();
            };
            let job = &self.jobs[key];
            let turn = Turn { priority: priority(class), lane: hash(&job.namespace) };
            let client = self.tenants[&job.tenant].client.with_turn(turn);
            self.passes.spawn(async move { (key, pass(&client).await) });
        }
    }

    fn ended(&mut self, (key, outcome): (usize, Result<(), Error>)) {
        let (now, job) = (Instant::now(), &self.jobs[key]);
        let next = match outcome {
            Ok(()) if job.endless => Some((now, job.class)),
            Ok(()) => {
                self.ready[key] = Some((now - self.began).saturating_sub(job.at));
                None
            }
            Err(error) => Some((error.retry_at.unwrap_or(now + RETRY).max(now), Class::New)),
        };
        let next = next.map(|(due, class)| Again { due, class, rests_until: now });
        self.queue.finished(&key, next, now);
    }
}

async fn pass(client: &Client) -> Result<(), Error> {
    client.list_jobs("sp").await?;
    client.pause_job("sp", "job", &|| true).await?;
    client.start_job("sp", "job", &|| true).await
}
