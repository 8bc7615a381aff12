//! What the simulated tenants hold, and what was done to them.

pub mod clock;
pub mod job;
pub mod ledger;
pub mod replicas;
pub mod settings;
mod switches;
pub mod target;
pub mod tenant;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::clock::{Clock, millis, seconds};
use self::job::{Job, JobState};
use self::ledger::Record;
use self::replicas::Replicated;
use self::settings::Settings;
use self::tenant::{Seed, ServicePrincipal, Tenant};
use super::faults::Fault;
use super::sync::lifecycle;
use super::throttle::Buckets;

/// Who calls, as the token says.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    pub tenant_id: String,
    pub app_id: String,
    pub object_id: String,
    pub roles: Vec<String>,
    /// Present for a user: the scopes of the token, and the directory roles.
    pub delegated: Option<Delegated>,
}

#[derive(Clone, Debug, Default)]
pub struct Delegated {
    pub scopes: Vec<String>,
    pub directory_roles: Vec<String>,
}

/// The ids under which a request is known.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    pub request: String,
    pub client_request: String,
}

/// A managed identity of the machine, and the application that it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    #[serde(rename = "tenantId")]
    pub tenant: String,
    #[serde(rename = "clientId")]
    pub client: String,
    /// The principal's of the application where absent.
    #[serde(rename = "objectId")]
    pub object: Option<String>,
    #[serde(rename = "resourceId")]
    pub resource: Option<String>,
}

pub struct Model {
    pub origin: String,
    pub tenants: BTreeMap<String, Tenant>,
    pub clock: Clock,
    pub faults: Vec<Fault>,
    /// Committed effects.
    pub ledger: Record,
    /// Requests to login and Graph.
    pub calls: Record,
    pub buckets: Buckets,
    /// How often tokens were revoked; a token of an earlier generation is refused. Instants would not do: a frozen clock
    /// gives a revocation and the tokens before it the same one.
    pub token_generation: u64,
    /// The last time that they were.
    pub tokens_revoked: Timestamp,
    /// Assertions that were presented, until they expire.
    pub assertions: BTreeMap<String, i64>,
    /// How often a federated credential was looked up that not every replica knows yet.
    pub federated_lookups: u64,
    /// What the metadata service of the machine knows; every application there is where none was registered.
    pub identities: Option<Vec<Identity>>,
    reads: u64,
}

impl Model {
    pub fn new(origin: String, seed: Seed) -> Self {
        Self {
            origin,
            tenants: seed.tenants,
            clock: Clock::default(),
            faults: Vec::new(),
            ledger: Record::default(),
            calls: Record::default(),
            buckets: Buckets::default(),
            token_generation: 0,
            tokens_revoked: Timestamp::UNIX_EPOCH,
            assertions: BTreeMap::new(),
            federated_lookups: 0,
            identities: None,
            reads: 0,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The id of a tenant that is named by its id or by a domain.
    pub fn tenant_id(&self, name: &str) -> Option<String> {
        let named =
            |(id, tenant): &(&String, &Tenant)| *id == name || tenant.settings.domains.iter().any(|d| d == name);
        self.tenants.iter().find(named).map(|(id, _)| id.clone())
    }

    pub fn settings(&self, tenant: &str) -> Settings {
        self.tenants.get(tenant).map(|tenant| tenant.settings.clone()).unwrap_or_default()
    }

    /// Lets everything happen that is due: cycles, quarantines, purges.
    pub fn settle(&mut self) {
        let now = self.now();
        for tenant in self.tenants.values_mut() {
            lifecycle::settle(tenant, now);
        }
    }

    /// A service principal that is not deleted.
    pub fn service_principal(&mut self, tenant: &str, id: &str) -> Option<&mut ServicePrincipal> {
        let tenant = self.tenants.get_mut(tenant)?;
        let id = tenant.find(id)?.0.clone();
        tenant.service_principals.get_mut(&id).filter(|found| found.deleted.is_none())
    }

    /// Notes a committed effect.
    pub fn commit(&mut self, operation: &str, caller: &Caller, ids: &Ids, effect: &Effect<'_>) {
        let mut entry = json!({
            "time": clock::text(self.now()), "operation": operation,
            "tenantId": caller.tenant_id, "callerAppId": caller.app_id, "callerObjectId": caller.object_id,
            "servicePrincipalId": effect.service_principal, "jobId": effect.job.map(|job| &job.id),
            "templateId": effect.job.map(|job| &job.template_id),
            "requestId": ids.request, "clientRequestId": ids.client_request,
        });
        if effect.no_change {
            entry["noChange"] = true.into();
        }
        if !effect.detail.is_null() {
            entry["detail"] = effect.detail.clone();
        }
        self.ledger.push(entry);
    }

    /// A number that is another one for every read, and never 0.
    pub fn next_read(&mut self) -> u64 {
        self.reads += 1;
        self.reads.wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1)
    }

    /// How far the replica is behind that answers this request.
    pub fn lag(&mut self, tenant: &str) -> Lag {
        self.reads += 1;
        let settings = self.settings(tenant);
        if settings.flapping && self.reads.is_multiple_of(2) {
            return Lag::default();
        }
        let existence = settings.replication_lag_millis;
        Lag {
            existence: millis(existence),
            state: millis(settings.status_lag_millis.unwrap_or(existence)),
            secrets: millis(settings.secrets_lag_millis),
            schema: millis(settings.schema_lag_millis),
        }
    }

    /// The jobs that the replica of this request shows, with what it shows of them. Of several jobs that had one id
    /// after each other it shows one at most, because a job is made only after the one before it was deleted.
    pub fn visible_jobs(&mut self, tenant: &str, id: &str) -> Vec<(Job, JobState)> {
        let (now, lag) = (self.now(), self.lag(tenant));
        let restore_delay = seconds(self.settings(tenant).restore_delay_seconds);
        let Some(found) = self.service_principal(tenant, id) else { return Vec::new() };
        if found.restored.is_some_and(|restored| now.duration_since(restored) < restore_delay) {
            return Vec::new();
        }
        let seen = |event: Timestamp| now.duration_since(event) >= lag.existence;
        let shows = |job: &&Job| job.is_shown() && seen(job.created) && !job.deleted.is_some_and(seen);
        let view = |job: &Job| {
            let mut copy = job.clone();
            copy.schema = Replicated::new(job.created, job.schema.seen(now, lag.schema).clone());
            copy.running = job.running.filter(|running| now.duration_since(running.began) >= lag.state);
            (copy, job.state.seen(now, lag.state).clone())
        };
        found.jobs.iter().filter(shows).map(view).collect()
    }
}

/// How far a replica is behind, by what it shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lag {
    pub existence: SignedDuration,
    /// Of jobs.
    pub state: SignedDuration,
    pub secrets: SignedDuration,
    /// Of a job.
    pub schema: SignedDuration,
}

/// What a request did, for the ledger.
#[derive(Clone, Debug, Default)]
pub struct Effect<'a> {
    pub service_principal: &'a str,
    pub job: Option<&'a Job>,
    /// Accepted, but things were so already.
    pub no_change: bool,
    pub detail: Value,
}
