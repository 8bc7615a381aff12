//! What the simulated tenants hold, and what was done to them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::faults::Fault;

/// The state to start with: the bodies of the control API's PUT calls, by tenant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Seed {
    pub tenants: BTreeMap<String, Tenant>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tenant {
    /// How long a new or deleted job is seen by only some replicas, or by none.
    pub replication_lag_millis: u64,
    /// Whether every other request meets the lagging replica while the lag lasts; otherwise all of them do.
    pub flapping: bool,
    /// `unknownError401` (observed, default) or `denied403` (documented).
    pub missing_permission: String,
    /// `secondJob` (default), `conflict` or `returnExisting`; all guessed.
    pub duplicate_create: String,
    /// `badRequest` (default) or `unknownError`; both guessed.
    pub wrong_template: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub applications: BTreeMap<String, Application>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub service_principals: BTreeMap<String, ServicePrincipal>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Application {
    pub display_name: String,
    pub secrets: Vec<ClientSecret>,
    pub federated_credentials: Vec<FederatedCredential>,
    /// Application permissions, as they appear in the token.
    pub roles: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientSecret {
    pub value: String,
    pub revoked: bool,
    pub expired: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FederatedCredential {
    pub issuer: String,
    pub subject: String,
    pub audience: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServicePrincipal {
    pub app_id: String,
    pub display_name: String,
    pub templates: Vec<String>,
    pub deleted: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<Job>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub id: String,
    pub template_id: String,
    /// `Disabled` from creation to the first start, then `Active` or `Paused`.
    pub schedule_state: String,
    pub code: String,
    /// When it came to be and, once deleted, when it went; both matter while replicas lag.
    pub created: Timestamp,
    pub deleted: Option<Timestamp>,
}

/// Who calls, as the token says.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    pub tenant_id: String,
    pub app_id: String,
    pub object_id: String,
    pub roles: Vec<String>,
}

pub struct Model {
    pub tenants: BTreeMap<String, Tenant>,
    pub faults: Vec<Fault>,
    pub ledger: Vec<Value>,
    pub calls: Vec<Value>,
    /// Tokens issued before this instant are expired.
    pub tokens_from: Timestamp,
    pub origin: String,
    /// Added to the real time.
    pub clock_offset: Duration,
    pub reads: u64,
}

impl Model {
    pub fn new(origin: String, seed: Seed) -> Self {
        Self {
            tenants: seed.tenants,
            faults: Vec::new(),
            ledger: Vec::new(),
            calls: Vec::new(),
            tokens_from: Timestamp::UNIX_EPOCH,
            origin,
            clock_offset: Duration::ZERO,
            reads: 0,
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::now().saturating_add(self.clock_offset).unwrap_or(Timestamp::MAX)
    }

    /// Notes a committed effect.
    pub fn commit(
        &mut self,
        operation: &str,
        caller: &Caller,
        service_principal: &str,
        job: Option<&Job>,
        ids: (&str, &str),
    ) {
        let entry = json!({
            "sequence": self.ledger.len() + 1, "time": self.now().to_string(), "operation": operation,
            "tenantId": caller.tenant_id, "callerAppId": caller.app_id, "callerObjectId": caller.object_id,
            "servicePrincipalId": service_principal, "jobId": job.map(|job| &job.id), "templateId": job.map(|job| &job.template_id),
            "requestId": ids.0, "clientRequestId": ids.1,
        });
        self.ledger.push(entry);
    }

    pub fn service_principal(&mut self, tenant: &str, id: &str) -> Option<&mut ServicePrincipal> {
        self.tenants.get_mut(tenant)?.service_principals.get_mut(id).filter(|found| !found.deleted)
    }

    /// The jobs that the replica of this request shows.
    pub fn visible_jobs(&mut self, tenant: &str, id: &str) -> Vec<Job> {
        self.reads += 1;
        let (now, odd) = (self.now(), self.reads % 2 == 1);
        let Some(settings) = self.tenants.get(tenant) else { return Vec::new() };
        let lag = Duration::from_millis(settings.replication_lag_millis);
        let lagging = !settings.flapping || odd;
        let seen_at = |event: Timestamp| {
            !lagging || now.duration_since(event) >= jiff::SignedDuration::try_from(lag).unwrap_or_default()
        };
        let jobs = settings.service_principals.get(id).map(|found| found.jobs.clone()).unwrap_or_default();
        jobs.into_iter().filter(|job| seen_at(job.created) && !job.deleted.is_some_and(seen_at)).collect()
    }
}
