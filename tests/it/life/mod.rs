//! The whole life of a SyncJob on the real stack: what people, the service and other SyncJobs do to it.

mod adoption;
mod deletion;
mod describe;
mod identity;
mod letting_go;
mod modes;
mod out_of_band;
mod quarantine;
mod requests;
mod rest;
mod run_state;
mod service;
mod twins;
mod unreadable;
mod unwritten;
mod week;

use serde_json::{Value, json};

use crate::stack::read::{effects, is_ready, job_id, manifest};
use crate::stack::rig::Rig;

pub const BOX: &str = "BoxOutDelta";
/// The job that somebody else made.
pub const FOREIGN: &str = "BoxOutDelta.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.00000000-0000-4000-8000-000000000001";
pub const FOREIGN_TOO: &str = "BoxOutDelta.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.00000000-0000-4000-8000-000000000002";

impl Rig {
    pub fn service_principal(&self) -> String {
        self.demo.service_principal_id.clone()
    }

    /// A SyncJob for the demo's service principal, with more of the spec.
    pub async fn apply_sync_job(&self, name: &str, more: &[&str]) {
        self.apply(&manifest(name, &self.demo.service_principal_id, BOX, more)).await;
    }

    /// A SyncJob `box` whose job runs, and the id of the job.
    pub async fn running(&mut self, more: &[&str]) -> String {
        self.apply_sync_job("box", more).await;
        let reached = |object: &Value| is_ready(object) && object["status"]["run"]["reachedTime"].is_string();
        job_id(&self.until("box", "is ready", reached).await).unwrap().to_owned()
    }

    /// Makes or changes a job as somebody in the portal would.
    pub async fn put_job(&self, id: &str, job: Value) {
        self.control.put_job(&self.demo.tenant_id, &self.demo.service_principal_id, id, &job).await.unwrap();
    }

    pub async fn pause_in_portal(&self, id: &str) {
        self.put_job(id, json!({"scheduleState": "Paused", "code": "Paused"})).await;
    }

    pub async fn start_in_portal(&self, id: &str) {
        self.put_job(id, json!({"scheduleState": "Active", "code": "Active"})).await;
    }

    /// A paused job that nobody here made.
    pub async fn put_foreign_job(&self, id: &str) {
        self.put_job(id, json!({"templateId": BOX, "scheduleState": "Paused", "code": "Paused"})).await;
    }

    /// From some time after this on the API server refuses what does not fulfil the expression, in this test's namespace.
    pub async fn put_policy(&self, name: &str, rules: &Value, expression: &str) {
        let here = json!({"matchLabels": {"kubernetes.io/metadata.name": self.namespace}});
        let object = |kind: &str, spec: Value| json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
        let policy = json!({"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": expression}]});
        let binding =
            json!({"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": here}});
        self.create(&object("ValidatingAdmissionPolicy", policy).to_string()).await;
        self.create(&object("ValidatingAdmissionPolicyBinding", binding).to_string()).await;
    }

    pub async fn drop_policy(&self, name: &str) {
        self.kubectl(&["delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", name]).await;
    }

    /// Effects on Graph that the operator had, by operation.
    pub async fn wrote(&self, operation: &str) -> usize {
        let client = self.demo.client_id.as_str();
        effects(&self.control, operation).await.iter().filter(|entry| entry["callerAppId"] == client).count()
    }

    /// All effects on Graph that the operator had.
    pub async fn wrote_anything(&self) -> Vec<Value> {
        let client = self.demo.client_id.as_str();
        let ledger = self.control.ledger().await.unwrap();
        ledger["value"].as_array().unwrap().iter().filter(|entry| entry["callerAppId"] == client).cloned().collect()
    }
}
