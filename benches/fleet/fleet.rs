//! The SyncJobs of a run, and the tenants and service principals that they are for.

use serde_json::{Map, Value, json};

/// Where SyncJobs and tenants are.
pub const NAMESPACE: &str = "bench";
pub const HOME: &str = "entrain-system";
pub const SECRET: &str = "a-secret-of-the-bench";
/// Service principals beyond those of the fleet, for SyncJobs that come later.
pub const SPARE: usize = 1000;

/// How many of each there are.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    pub sync_jobs: usize,
    pub per_principal: usize,
    pub tenants: usize,
    /// The poll interval that the SyncJobs name.
    pub poll_seconds: Option<u32>,
}

impl Fleet {
    pub fn principals(&self) -> usize {
        self.sync_jobs.div_ceil(self.per_principal)
    }

    pub fn name(number: usize) -> String {
        format!("job-{number:06}")
    }

    pub fn principal_id(principal: usize) -> String {
        format!("c0000000-0000-4000-8000-{principal:012}")
    }

    pub fn tenant_of(&self, principal: usize) -> usize {
        principal % self.tenants
    }

    pub fn tenant_id(tenant: usize) -> String {
        format!("7e000000-0000-4000-8000-{tenant:012}")
    }

    pub fn client_id(tenant: usize) -> String {
        format!("a0000000-0000-4000-8000-{tenant:012}")
    }

    fn template(number: usize) -> String {
        format!("bench{number}")
    }

    /// The place that a template has among those of its service principal.
    pub fn template_number(name: &str) -> Option<usize> {
        name.strip_prefix("bench")?.parse().ok()
    }

    /// What the simulator begins with. Connections have their secrets, so that jobs run and do not end in quarantine.
    pub fn seed(&self) -> Value {
        let templates: Vec<String> = (0..self.per_principal).map(Self::template).collect();
        let mut tenants = Map::new();
        for tenant in 0..self.tenants {
            let application = json!({"displayName": "entrain", "secrets": [{"value": SECRET}],
                "roles": ["Synchronization.ReadWrite.All", "Application.Read.All"]});
            let principals: Map<String, Value> = (0..self.principals() + SPARE)
                .filter(|principal| self.tenant_of(*principal) == tenant)
                .map(|principal| (Self::principal_id(principal), connected(principal, &templates)))
                .collect();
            let whole =
                json!({"applications": {Self::client_id(tenant): application}, "servicePrincipals": principals});
            tenants.insert(Self::tenant_id(tenant), whole);
        }
        json!({"tenants": tenants})
    }

    /// The Secret and the EntraTenant of a tenant.
    pub fn login(tenant: usize) -> [Value; 2] {
        let name = format!("tenant-{tenant}");
        [
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"clientSecret": SECRET}}),
            json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "EntraTenant", "metadata": {"name": name},
                "spec": {"tenantId": Self::tenant_id(tenant), "credential": {"clientSecret":
                    {"clientId": Self::client_id(tenant), "secretRef": {"name": name}}}}}),
        ]
    }

    pub fn sync_job(&self, number: usize) -> Value {
        let (principal, template) = (number / self.per_principal, number % self.per_principal);
        self.manifest(&Self::name(number), principal, template)
    }

    /// One on a service principal that the fleet does not use; those that follow each other are on different ones.
    pub fn newcomer(&self, number: usize) -> Value {
        self.manifest(
            &Self::newcomer_name(number),
            self.newcomer_principal(number),
            number / SPARE % self.per_principal,
        )
    }

    pub fn newcomer_name(number: usize) -> String {
        format!("new-{number:06}")
    }

    pub fn newcomer_principal(&self, number: usize) -> usize {
        self.principals() + number % SPARE
    }

    /// The service principal and the template of a SyncJob of the fleet, as paths of Graph have them.
    pub fn place(&self, number: usize) -> (String, String) {
        (Self::principal_id(number / self.per_principal), format!("/{}.", Self::template(number % self.per_principal)))
    }

    fn manifest(&self, name: &str, principal: usize, template: usize) -> Value {
        let mut manifest = json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"servicePrincipalId": Self::principal_id(principal), "templateId": Self::template(template),
                "tenantRef": {"name": format!("tenant-{}", self.tenant_of(principal))}}});
        if let Some(seconds) = self.poll_seconds {
            manifest["spec"]["pollIntervalSeconds"] = seconds.into();
        }
        manifest
    }
}

fn connected(principal: usize, templates: &[String]) -> Value {
    json!({"appId": format!("d0000000-0000-4000-8000-{principal:012}"), "displayName": "One of many", "templates": templates,
        "secrets": [{"key": "BaseAddress", "value": "https://app.example.test/scim"}, {"key": "SecretToken", "value": "t"}]})
}
