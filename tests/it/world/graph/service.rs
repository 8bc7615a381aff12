//! Requests read and answered: routes, tokens, limits, and what a replica that lags makes of them.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use percent::decoded;
use serde_json::Value;

use super::super::By;
use super::LAG_MAX;
use super::answer::{self, Response};
use super::expressions;
use super::jobs::{Created, Duplicate, Ids, Tenant};
use super::ledger::{Call, Ledger, Operation};
use super::logins::Logins;
use super::schemas::{self, Schemas};
use super::secrets::{Sent, Sets, pairs};

/// The client secret. No log, status or event may hold it.
pub const SECRET: &str = "canary-secret-51c9";
pub const TENANT: &str = "7f0c2b1e-5c1d-4d0a-9a53-0d6f4b8a2e11";

/// How the replica that answers a request differs from what is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replica {
    /// It shows what was there that long ago.
    pub lag: Duration,
    /// What the request does is not shown by any replica for that long.
    pub unseen: Duration,
    /// It has lost the jobs, for a while.
    pub hides: bool,
}

/// A replica that has lost the jobs finds them again within `LAG_MAX`, and keeps them for at least this long.
const FOUND_FOR: Duration = Duration::from_secs(240);

/// What answers.
pub struct Service {
    pub tenant: Tenant,
    /// Requests before this moment are refused with 429.
    pub shut_until: Duration,
    /// The same for one application.
    pub shut_for: BTreeMap<String, Duration>,
    /// Logins are refused with this error and this AADSTS code.
    pub login_refused: Option<(&'static str, u32)>,
    /// Requests are answered as if a permission were missing.
    pub permission_missing: bool,
    /// When a replica last began to hide the jobs.
    hidden_since: Option<Duration>,
    epoch: Timestamp,
    pub logins: Logins,
    /// The credentials and settings of service principals.
    pub sets: Sets,
    /// The schemas of jobs.
    pub schemas: Schemas,
}

impl Service {
    pub fn new(world: (Ids, Duplicate), epoch: Timestamp) -> Self {
        let (id, principals, jobs, ledger) = (TENANT.to_owned(), Vec::new(), Vec::new(), Ledger::default());
        Self {
            tenant: Tenant { id, world, principals, jobs, ledger },
            shut_until: Duration::ZERO,
            shut_for: BTreeMap::new(),
            login_refused: None,
            permission_missing: false,
            hidden_since: None,
            epoch,
            logins: Logins::default(),
            sets: Sets::default(),
            schemas: Schemas::default(),
        }
    }

    /// Withdraws every token that was issued.
    pub fn revoke(&mut self) {
        self.logins.withdraw(None);
    }

    /// The answer to a request that arrives now at this replica.
    pub fn answer(&mut self, request: &http::Request<Bytes>, by: By, now: Duration, replica: Replica) -> Response {
        let route = Route::parse(request);
        if route.operation == Operation::LogIn {
            return match self.login_refused {
                Some((error, code)) => answer::login_error(401, error, code),
                None => self.logins.log_in(request, by, now),
            };
        }
        let Some(login) = self.logins.good(request, by, now) else {
            return answer::error(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.");
        };
        let shut = self.shut_for.get(&login.application).copied().unwrap_or_default().max(self.shut_until);
        if now < shut {
            let wait = shut.checked_sub(now).unwrap().as_secs_f64().ceil();
            let mut response = answer::error(429, "TooManyRequests", "");
            response.headers_mut().insert("retry-after", format!("{wait:.0}").parse().unwrap());
            return response;
        }
        if self.permission_missing {
            return answer::error(401, "UnknownError", "");
        }
        let there = |principal: &usize| self.tenant.principals[*principal].tenant == login.tenant;
        let Some(principal) = self.tenant.principal(&route.principal).filter(there) else {
            return answer::error(404, "Request_ResourceNotFound", "Resource does not exist.");
        };
        let request_id = header(request, "client-request-id");
        match route.operation {
            Operation::GetPrincipal => answer::principal(&self.tenant.principals[principal]),
            Operation::ListTemplates => {
                let principal = &self.tenant.principals[principal];
                answer::templates(if now < principal.templates_from { &[] } else { &principal.templates })
            }
            Operation::ListJobs if replica.hides && self.may_hide(now) => answer::jobs(std::iter::empty(), self.epoch),
            Operation::ListJobs => {
                let jobs = self.tenant.jobs.iter().filter(|job| job.principal == principal);
                let shown = jobs.filter(|job| job.is_shown(now, replica.lag));
                answer::jobs(shown.map(|job| (job, job.state(now, replica.lag))), self.epoch)
            }
            Operation::GetJob => match self.shown(principal, &route.job, now, replica.lag) {
                Some(job) => {
                    let job = &self.tenant.jobs[job];
                    answer::job(200, job, job.state(now, replica.lag), self.epoch)
                }
                None => not_found(),
            },
            Operation::CreateJob => self.create(principal, request, by, request_id, now, replica),
            Operation::ListSecrets => self.sets.list(principal, by, now, replica.lag),
            Operation::SaveSecrets => self.sets.put(principal, request.body(), (by, request_id), now, replica.unseen),
            Operation::TestCredentials if self.shown(principal, &route.job, now, replica.lag).is_some() => {
                self.sets.test(principal, request.body(), now)
            }
            Operation::ReadSchema | Operation::SaveSchema | Operation::ParseExpression => {
                self.schema(principal, &route, request, by, now, replica)
            }
            _ => self.act(principal, &route, request, by, request_id, now, replica),
        }
    }

    /// Takes note of a set that is sent, whatever becomes of it.
    pub fn note_set(&mut self, request: &http::Request<Bytes>, operation: Operation, by: By, at: Duration) {
        let (member, test) = match operation {
            Operation::SaveSecrets => ("value", false),
            Operation::TestCredentials => ("credentials", true),
            _ => return,
        };
        let principal = self.tenant.principal(&Route::parse(request).principal);
        if let Some((principal, set)) = principal.zip(pairs(request.body(), member)) {
            let request = header(request, "client-request-id").to_owned();
            self.sets.sent.push(Sent { at, by, principal, request, set, test });
        }
    }

    /// What is asked of the schema of a job that the replica shows.
    fn schema(
        &mut self,
        principal: usize,
        route: &Route,
        request: &http::Request<Bytes>,
        by: By,
        now: Duration,
        replica: Replica,
    ) -> Response {
        let shown = self.shown(principal, &route.job, now, replica.lag);
        let (Some(_), Some(job)) = (shown, self.tenant.find(principal, &route.job)) else { return not_found() };
        self.schemas.begin(job, self.tenant.jobs[job].created);
        let named = header(request, "client-request-id");
        match route.operation {
            Operation::ReadSchema => self.schemas.read(job, by, now, replica.lag),
            Operation::SaveSchema => self.schemas.put(job, request.body(), (by, named), now, replica.unseen),
            _ => {
                let asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                answer::json(200, expressions::parsed(&asked).to_string())
            }
        }
    }

    /// Takes note of a schema that is sent, whatever becomes of it.
    pub fn note_schema(&mut self, request: &http::Request<Bytes>, operation: Operation, by: By, at: Duration) {
        if operation != Operation::SaveSchema {
            return;
        }
        let route = Route::parse(request);
        let job = self.tenant.principal(&route.principal).and_then(|principal| self.tenant.find(principal, &route.job));
        let schema = serde_json::from_slice(request.body()).unwrap_or_default();
        let request = header(request, "client-request-id").to_owned();
        self.schemas.sent.extend(job.map(|job| schemas::Sent { at, by, job, request, schema }));
    }

    /// Somebody changes the schema of the newest job of the first template.
    pub fn edit_schema(&mut self, edit: schemas::Edit, now: Duration) {
        let template = self.tenant.principals[0].templates[0].clone();
        let newest = self.tenant.present(0).filter(|(_, job)| job.template == template).last();
        let Some((job, created)) = newest.map(|(number, job)| (number, job.created)) else { return };
        self.schemas.begin(job, created);
        self.schemas.edit(job, edit, now);
    }

    /// Lists lack what is there for a while only.
    fn may_hide(&mut self, now: Duration) -> bool {
        let since = self.hidden_since.filter(|since| now < *since + LAG_MAX + FOUND_FOR).unwrap_or(now);
        self.hidden_since = Some(since);
        now < since + LAG_MAX
    }

    /// The job of this id that a replica shows; of several lives, the newest that it shows.
    fn shown(&self, principal: usize, id: &str, now: Duration, lag: Duration) -> Option<usize> {
        let mut jobs = self.tenant.jobs.iter().enumerate().rev();
        let found = jobs.find(|(_, job)| job.principal == principal && job.id == id && job.is_shown(now, lag));
        found.map(|(index, _)| index)
    }

    fn create(
        &mut self,
        principal: usize,
        request: &http::Request<Bytes>,
        by: By,
        request_id: &str,
        now: Duration,
        replica: Replica,
    ) -> Response {
        let template = template(request.body());
        let offered = &self.tenant.principals[principal].templates;
        if !offered.iter().any(|offered| offered.eq_ignore_ascii_case(&template)) {
            return answer::error(400, "BadRequest", "The template is not offered.");
        }
        match self.tenant.create(principal, &template, by, request_id, now) {
            Created::Conflict => answer::error(409, "AlreadyExists", "A job of this template already exists."),
            Created::Job(index) => {
                let job = &mut self.tenant.jobs[index];
                if job.created == now {
                    job.shown_from = now + replica.unseen;
                }
                answer::job(201, job, job.now(), self.epoch)
            }
        }
    }

    /// An action on a job. A replica that does not show it refuses; one that still shows it when it is gone finds nothing.
    #[expect(clippy::too_many_arguments, reason = "all of it is the request")]
    fn act(
        &mut self,
        principal: usize,
        route: &Route,
        request: &http::Request<Bytes>,
        by: By,
        request_id: &str,
        now: Duration,
        replica: Replica,
    ) -> Response {
        let shown = self.shown(principal, &route.job, now, replica.lag);
        let (Some(_), Some(job)) = (shown, self.tenant.find(principal, &route.job)) else { return not_found() };
        match route.operation {
            Operation::StartJob => self.tenant.start(job, by, request_id, now),
            Operation::PauseJob => self.tenant.pause(job, by, request_id, now),
            Operation::RestartJob => self.tenant.restart(job, lifts(request.body()), by, request_id, now),
            Operation::DeleteJob if self.tenant.jobs[job].ghost => {
                return answer::error(500, "InternalServerError", "The job could not be deleted.");
            }
            Operation::DeleteJob => {
                self.tenant.delete(job, by, request_id, now);
                self.tenant.jobs[job].shown_until = now + replica.unseen;
            }
            _ => return answer::error(404, "UnknownError", "{\"Message\":\"No HTTP resource was found.\"}"),
        }
        answer::no_content()
    }
}

fn not_found() -> Response {
    answer::error(404, "ResourceNotFound", "The job does not exist.")
}

pub(super) fn header<'a>(request: &'a http::Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn template(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["templateId"].as_str().unwrap_or_default().to_owned()
}

/// Whether a restart of this scope lifts a quarantine; without a scope it does (CONTRACT §3.6).
fn lifts(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let scope = body["criteria"]["resetScope"].as_str().unwrap_or_default();
    scope.is_empty() || scope.split(',').any(|one| matches!(one.trim(), "QuarantineState" | "Full" | "None"))
}

/// What a request is for.
struct Route {
    operation: Operation,
    principal: String,
    job: String,
}

impl Route {
    fn parse(request: &http::Request<Bytes>) -> Self {
        let path = request.uri().path().trim_end_matches('/');
        let route = |operation, principal: &str, job: &str| Self {
            operation,
            principal: decoded(principal),
            job: decoded(job),
        };
        if path.ends_with("/oauth2/v2.0/token") {
            return route(Operation::LogIn, "", "");
        }
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let fixed =
            |index: usize, word: &str| segments.get(index).is_some_and(|found| found.eq_ignore_ascii_case(word));
        if !(fixed(0, "v1.0") && fixed(1, "servicePrincipals")) || segments.len() > 3 && !fixed(3, "synchronization") {
            return route(Operation::Unknown, "", "");
        }
        let word = |index: usize| segments.get(index).map(|word| word.to_ascii_lowercase()).unwrap_or_default();
        let operation = match (request.method(), segments.len(), word(4).as_str(), word(6).as_str()) {
            (&Method::GET, 3, ..) => Operation::GetPrincipal,
            (&Method::GET, 5, "templates", _) => Operation::ListTemplates,
            (&Method::GET, 5, "jobs", _) => Operation::ListJobs,
            (&Method::POST, 5, "jobs", _) => Operation::CreateJob,
            (&Method::GET, 5, "secrets", _) => Operation::ListSecrets,
            (&Method::PUT, 5, "secrets", _) => Operation::SaveSecrets,
            (&Method::GET, 6, "jobs", _) => Operation::GetJob,
            (&Method::DELETE, 6, "jobs", _) => Operation::DeleteJob,
            (&Method::POST, 7, "jobs", "start") => Operation::StartJob,
            (&Method::POST, 7, "jobs", "pause") => Operation::PauseJob,
            (&Method::POST, 7, "jobs", "restart") => Operation::RestartJob,
            (&Method::POST, 7, "jobs", "validatecredentials") => Operation::TestCredentials,
            (&Method::GET, 7, "jobs", "schema") => Operation::ReadSchema,
            (&Method::PUT, 7, "jobs", "schema") => Operation::SaveSchema,
            (&Method::POST, 8, "jobs", "schema") => Operation::ParseExpression,
            _ => Operation::Unknown,
        };
        route(operation, segments.get(2).unwrap_or(&""), segments.get(5).unwrap_or(&""))
    }
}

/// A request as the ledger has it.
pub fn call(request: &http::Request<Bytes>, by: By, at: Duration) -> Call {
    let route = Route::parse(request);
    let creates = route.operation == Operation::CreateJob;
    let about = if creates { template(request.body()) } else { route.job };
    let request = header(request, "client-request-id").to_owned();
    let principal = route.principal.to_ascii_lowercase();
    Call { at, by, operation: route.operation, principal, about, request, heard: 0, until: None, login: None }
}

mod percent {
    /// A path segment as it is meant.
    pub fn decoded(segment: &str) -> String {
        if !segment.contains('%') {
            return segment.to_owned();
        }
        // A form decodes `+` as well, which a path does not.
        let form = segment.replace('+', "%2B");
        url::form_urlencoded::parse(form.as_bytes()).map(|(key, _)| key.into_owned()).collect()
    }
}
