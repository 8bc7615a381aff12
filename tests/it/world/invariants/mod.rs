//! The judges: what must hold of a run, read off the API server's history and Graph's ledger, never off what the operator
//! says of itself. The names S1 to S7 and L1 to L4 are those of the reliability page.

mod live;
mod safe;
pub mod story;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

pub use safe::waits_for_its_set;

use super::By;
use super::api::{Api, Key, Request, Version, Write};
use super::graph::{Graph, Job, Ledger, Principal};

/// A rule that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub rule: &'static str,
    pub at: Duration,
    pub what: String,
}

/// What a run is held to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// An edit is served, and an object written on, within this time while nothing is wrong.
    pub serve: Duration,
    /// After this long without a fault everything is as declared.
    pub converge: Duration,
    /// No call is repeated sooner after it failed.
    pub backoff: Duration,
    /// Requests to either side for each object in an hour while nothing changes.
    pub requests_per_hour: u32,
    /// Events about one object: so many, and one more for each of these periods.
    pub events: (u32, Duration),
    /// Requests of one operator to Graph at the same time.
    pub in_flight: usize,
    /// Open watches of one operator.
    pub watches: usize,
    /// When a sender that hears nothing gives a request up.
    pub call_timeout: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            serve: seconds(10),
            converge: seconds(30 * 60),
            backoff: Duration::from_millis(900),
            requests_per_hour: 20,
            events: (25, seconds(300)),
            in_flight: 16,
            watches: 2,
            call_timeout: seconds(30),
        }
    }
}

/// All that is known of a run when it is over.
pub struct Evidence {
    pub bounds: Bounds,
    pub history: Vec<Write>,
    pub requests: Vec<Request>,
    pub events: Vec<(Duration, By, Value)>,
    pub objects: Vec<Arc<Version>>,
    /// How many watches each operator has open.
    pub watches: Vec<(By, usize)>,
    pub principals: Vec<Principal>,
    pub jobs: Vec<Job>,
    pub ledger: Ledger,
    /// From when on nothing went wrong and nobody acted.
    pub calm: Duration,
    pub end: Duration,
    /// The resource itself was being deleted at some time.
    pub definition_going: bool,
    /// When people changed a Secret, which brings a pass where Secrets are watched, or labels of a namespace, which brings one
    /// where a tenant selects by them.
    pub rotations: Vec<Duration>,
    /// The SyncJobs, by uid, of a namespace that was being deleted of which an Event reports that their job is left behind.
    pub left_behind: BTreeSet<String>,
}

impl Evidence {
    /// Collects it. `calm` is the time of the last fault, or of the last act of people.
    pub fn of(api: &Api, graph: &Graph, bounds: Bounds, calm: Duration) -> Self {
        let (store, service) = (api.store(), graph.service());
        let owners: BTreeSet<By> = store.watchers.values().filter_map(|watcher| watcher.by).collect();
        let open = |by: By| store.watchers.values().filter(|watcher| watcher.by == Some(by)).count();
        let rotations = {
            let around = api.surroundings();
            around.changes.iter().map(|(at, ..)| *at).chain(around.labelled.iter().copied()).collect()
        };
        Self {
            bounds,
            history: store.history.clone(),
            requests: store.requests.clone(),
            events: store.events.clone(),
            objects: store.objects.values().cloned().collect(),
            watches: owners.into_iter().map(|by| (by, open(by))).collect(),
            principals: service.tenant.principals.clone(),
            jobs: service.tenant.jobs.clone(),
            ledger: service.tenant.ledger.clone(),
            calm,
            end: store.clock.now(),
            definition_going: store.definition_going,
            rotations,
            left_behind: left_behind(&store.events, api),
        }
    }

    /// What must hold at every moment, whatever happens.
    pub fn always(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        safe::one_started_job(self, &mut found);
        safe::nothing_of_others_is_touched(self, &mut found);
        safe::ids_change_by_steps(self, &mut found);
        safe::nothing_secret_is_written(self, &mut found);
        safe::only_declared_principals_are_asked(self, &mut found);
        safe::jobs_go_before_their_finalizer(self, &mut found);
        live::bounded(self, &mut found);
        live::a_failed_call_is_not_repeated_at_once(self, &mut found);
        found
    }

    /// What must hold once nothing has gone wrong for long enough.
    pub fn at_rest(&self) -> Vec<Violation> {
        let mut found = self.always();
        safe::one_job_and_no_leak(self, &mut found);
        live::all_is_as_declared(self, &mut found);
        live::edits_are_served(self, &mut found);
        live::nothing_waits_unwritten(self, &mut found);
        found
    }

    /// What must hold in addition of a time in which nothing happened and nothing was left to do.
    pub fn silent(&self, from: Duration) -> Vec<Violation> {
        let mut found = Vec::new();
        live::silence(self, from, &mut found);
        live::calls_are_bounded(self, from, &mut found);
        found
    }

    /// The versions of all objects as they were at a moment.
    pub fn objects_at(&self, at: Duration) -> Vec<&Arc<Version>> {
        let mut current: std::collections::BTreeMap<&Key, &Arc<Version>> = std::collections::BTreeMap::new();
        for write in self.history.iter().take_while(|write| write.at <= at) {
            match write.change {
                super::api::Change::Deleted => drop(current.remove(&write.after.key)),
                super::api::Change::Added | super::api::Change::Modified => {
                    current.insert(&write.after.key, &write.after);
                }
            }
        }
        current.into_values().collect()
    }

    fn principal_of(&self, job: &Job) -> &str {
        &self.principals[job.principal].id
    }

    /// Whether an object is about the service principal of a job.
    fn same_principal(&self, object: &Version, job: &Job) -> bool {
        principal(object).eq_ignore_ascii_case(self.principal_of(job))
    }

    /// Whether an object records this job.
    fn records(&self, object: &Version, job: &Job) -> bool {
        object.status("jobId") == Some(&*job.id) && self.same_principal(object, job)
    }

    /// Whether somebody other than an operator took the record of this job away. Who deletes an object without a finalizer
    /// takes nothing away: the operator did not hold on to it.
    fn record_was_taken(&self, job: &Job) -> bool {
        let intends = |object: &Version| nonce(object) == Some(&*job.request);
        self.history.iter().filter(|write| !write.by.is_operator()).any(|write| {
            let Some(before) = &write.before else { return false };
            // An intent in place of a record, as a restore leaves it, does not name a job that has a life by then.
            let recorded = self.records(before, job);
            let kept = self.records(&write.after, job) || !recorded && intends(&write.after);
            let gone = write.change == super::api::Change::Deleted;
            (recorded || intends(before)) && if gone { before.finalizers().next().is_some() } else { !kept }
        })
    }
}

fn left_behind(events: &[(Duration, By, Value)], api: &Api) -> BTreeSet<String> {
    let surroundings = api.surroundings();
    let dying = |event: &Value| {
        surroundings.terminating(event["regarding"]["namespace"].as_str().unwrap_or_default()).is_some()
    };
    let reported = events.iter().filter(|(_, _, event)| event["reason"] == "JobLeftBehind" && dying(event));
    reported.filter_map(|(_, _, event)| event["regarding"]["uid"].as_str().map(str::to_owned)).collect()
}

/// The service principal that a spec names.
fn principal(object: &Version) -> &str {
    let named = object.spec("servicePrincipalId").unwrap_or_default();
    named.strip_prefix("/servicePrincipals/").unwrap_or(named)
}

fn nonce(object: &Version) -> Option<&str> {
    object.value["status"]["intent"]["nonce"].as_str()
}

/// Whether the job stays when the object goes.
fn retains(object: &Version) -> bool {
    match object.spec("deletionPolicy") {
        Some(policy) => policy == "Retain",
        None => matches!(object.status("jobOrigin"), Some("Adopted" | "Replaced")),
    }
}
