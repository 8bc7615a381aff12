//! Graph and its login service in memory: an answer is a function of what is there, of the request and of the time. What
//! people and the service do is a method; what an operator does is a request on a line, where its fate is drawn.

mod answer;
mod expressions;
mod jobs;
mod ledger;
mod logins;
pub mod schemas;
pub mod secrets;
mod service;
pub mod template;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

pub use answer::CANARY;
pub use jobs::{Duplicate, Ids, Job, Principal, Scheduled, Tenant, WORLDS};
pub use ledger::{Call, Did, Effect, Ledger, Operation};
pub use logins::LoggedIn;
pub use service::{SECRET, Service, TENANT};

use super::By;
use super::clock::Clock;
use super::schedule::{Schedule, Site};
use super::wire::{Answers, Broke, Fate, Refusal, carry, latency};
use service::Replica;

/// Replicas lag by no more than this.
pub const LAG_MAX: Duration = Duration::from_secs(60);

const BUSY: Refusal = Refusal { status: 429, wait: Some(20) };
const BUSY_UNNAMED: Refusal = Refusal { status: 429, wait: None };
const BROKEN: Refusal = Refusal { status: 500, wait: None };
const GATEWAY: Refusal = Refusal { status: 502, wait: None };
const AWAY: Refusal = Refusal { status: 503, wait: Some(5) };
const TIMED_OUT: Refusal = Refusal { status: 504, wait: None };
/// The token is not accepted any more.
const REVOKED: Refusal = Refusal { status: 401, wait: None };
const READS: Answers = Answers { refusals: &[BUSY, BUSY_UNNAMED, BROKEN, GATEWAY, AWAY], after: &[] };
const WRITES: Answers =
    Answers { refusals: &[BUSY, BUSY_UNNAMED, BROKEN, AWAY, REVOKED], after: &[BROKEN, GATEWAY, TIMED_OUT] };

/// Graph. Clones are the same one.
#[derive(Clone)]
pub struct Graph {
    service: Arc<Mutex<Service>>,
    clock: Clock,
    schedule: Schedule,
}

impl Graph {
    pub fn new(clock: Clock, schedule: Schedule, world: (Ids, Duplicate)) -> Self {
        let service = Arc::new(Mutex::new(Service::new(world, clock.date(Duration::ZERO))));
        Self { service, clock, schedule }
    }

    pub fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock()
    }

    /// A service principal that offers these templates.
    pub fn principal(&self, id: &str, templates: &[&str]) -> usize {
        self.principal_of(TENANT, id, templates)
    }

    /// The same in another tenant.
    pub fn principal_of(&self, of: &str, id: &str, templates: &[&str]) -> usize {
        let tenant = &mut self.service().tenant;
        let number = tenant.principals.len();
        tenant.principals.push(Principal {
            id: id.to_owned(),
            tenant: of.to_owned(),
            app_id: format!("{number:08x}-aaaa-4000-8000-000000000000"),
            exists: true,
            templates: templates.iter().map(|&template| template.to_owned()).collect(),
            templates_from: Duration::ZERO,
        });
        number
    }

    /// Somebody acts on the tenant at this moment.
    pub fn act<T>(&self, with: impl FnOnce(&mut Tenant, Duration) -> T) -> T {
        with(&mut self.service().tenant, self.clock.stamp())
    }

    /// Refuses all requests with 429 for this long from now on.
    pub fn throttle(&self, time: Duration) {
        self.service().shut_until = self.clock.now() + time;
    }

    /// Carries a request of an operator to its fate.
    pub async fn exchange(&self, operator: u8, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Broke> {
        let (by, sent) = (By::Operator(operator), self.clock.stamp());
        let call = Call { login: self.service().logins.of(&request), ..service::call(&request, by, sent) };
        let (operation, number) = (call.operation, self.note(call));
        self.service().note_set(&request, operation, by, sent);
        self.service().note_schema(&request, operation, by, sent);
        let fate = match self.fate(operation) {
            Fate::Refused(Refusal { status: 429, wait: Some(wait) }) if operation != Operation::LogIn => {
                // A limit that is reached holds for all requests.
                self.throttle(Duration::from_secs(wait.into()));
                Fate::Answered
            }
            other => other,
        };
        // Somebody changes the schema between two reads of one pass.
        if operation == Operation::ReadSchema
            && fate == Fate::Answered
            && self.service().schemas.prepared.is_some()
            && self.schedule.fault(Site::GraphRead, 1) == 1
        {
            let mut service = self.service();
            if let Some(edit) = service.schemas.prepared.take() {
                service.edit_schema(edit, self.clock.stamp());
            }
        }
        if fate.is_deadly() {
            self.schedule.kill(by);
        }
        let replica = self.replica(operation);
        let (service, clock) = (self.service.clone(), self.clock);
        let execute = move || service.lock().answer(&request, by, clock.stamp(), replica);
        let answer = carry(fate, latency(&self.schedule), execute, answer::refusal).await;
        let heard = &mut self.service().tenant.ledger.calls[number];
        heard.heard = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
        heard.until = Some(self.clock.stamp());
        answer
    }

    fn note(&self, call: Call) -> usize {
        let calls = &mut self.service().tenant.ledger.calls;
        calls.push(call);
        calls.len() - 1
    }

    fn fate(&self, operation: Operation) -> Fate {
        let (site, answers) = match operation {
            Operation::LogIn => (Site::Login, &READS),
            Operation::CreateJob => (Site::GraphCreate, &WRITES),
            Operation::DeleteJob => (Site::GraphDelete, &WRITES),
            Operation::StartJob
            | Operation::PauseJob
            | Operation::RestartJob
            | Operation::SaveSecrets
            | Operation::SaveSchema
            | Operation::TestCredentials => (Site::GraphAction, &WRITES),
            Operation::GetPrincipal
            | Operation::ListTemplates
            | Operation::ListJobs
            | Operation::GetJob
            | Operation::ListSecrets
            | Operation::ReadSchema
            | Operation::ParseExpression
            | Operation::Unknown => (Site::GraphRead, &READS),
        };
        Fate::draw(&self.schedule, site, answers)
    }

    /// How far the replica lags that answers this request, and how long its effect stays unseen by all.
    fn replica(&self, operation: Operation) -> Replica {
        let schedule = &self.schedule;
        let part = |drawn| if drawn { schedule.part(Site::Replica, LAG_MAX) } else { Duration::ZERO };
        let unseen = matches!(
            operation,
            Operation::CreateJob | Operation::DeleteJob | Operation::SaveSecrets | Operation::SaveSchema
        );
        let replica = match schedule.fault(Site::Replica, if unseen { 2 } else { 1 }) {
            0 => Replica::default(),
            1 => Replica { lag: part(true), ..Replica::default() },
            _ => Replica { unseen: part(unseen), ..Replica::default() },
        };
        Replica { hides: operation == Operation::ListJobs && schedule.fault(Site::Hidden, 1) > 0, ..replica }
    }
}
