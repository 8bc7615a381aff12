//! A client of the control API, for tests in Rust.

use reqwest::{Certificate, Method};
use serde_json::{Value, json};

use crate::graph::Ready;

#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("the CA of the simulator cannot be read: {0}")]
    Ca(std::io::Error),
    #[error("the control call failed: {0}")]
    Http(#[from] reqwest::Error),
    #[error("the simulator refused the control call: {0}")]
    Refused(String),
}

#[derive(Clone)]
pub struct Control {
    http: reqwest::Client,
    root: String,
}

type Result<T> = std::result::Result<T, ControlError>;

impl Control {
    pub fn new(ready: &Ready) -> Result<Self> {
        let pem = std::fs::read(&ready.ca).map_err(ControlError::Ca)?;
        let http = reqwest::Client::builder().tls_certs_merge([Certificate::from_pem(&pem)?]).no_proxy().build()?;
        Ok(Self { http, root: ready.control.clone() })
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut request = self.http.request(method, format!("{}/{path}", self.root));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let good = answer.status().is_success();
        let body: Value = answer.json().await?;
        if good { Ok(body) } else { Err(ControlError::Refused(body["error"].to_string())) }
    }

    async fn put(&self, path: &str, body: &Value) -> Result<()> {
        self.call(Method::PUT, path, Some(body)).await.map(drop)
    }

    /// Settings of a tenant; its applications and service principals stay.
    pub async fn put_tenant(&self, tenant: &str, settings: &Value) -> Result<()> {
        self.put(&format!("tenants/{tenant}"), settings).await
    }

    pub async fn put_application(&self, tenant: &str, client: &str, application: &Value) -> Result<()> {
        self.put(&format!("tenants/{tenant}/applications/{client}"), application).await
    }

    pub async fn put_service_principal(&self, tenant: &str, id: &str, body: &Value) -> Result<()> {
        self.put(&format!("tenants/{tenant}/servicePrincipals/{id}"), body).await
    }

    pub async fn delete_service_principal(&self, tenant: &str, id: &str) -> Result<()> {
        self.call(Method::DELETE, &format!("tenants/{tenant}/servicePrincipals/{id}"), None).await.map(drop)
    }

    pub async fn restore_service_principal(&self, tenant: &str, id: &str) -> Result<()> {
        self.call(Method::POST, &format!("tenants/{tenant}/servicePrincipals/{id}/restore"), None).await.map(drop)
    }

    /// Makes or changes a job as somebody else would, in the portal or by the service.
    pub async fn put_job(&self, tenant: &str, service_principal: &str, id: &str, body: &Value) -> Result<()> {
        self.put(&format!("tenants/{tenant}/servicePrincipals/{service_principal}/jobs/{id}"), body).await
    }

    pub async fn delete_job(&self, tenant: &str, service_principal: &str, id: &str) -> Result<()> {
        let path = format!("tenants/{tenant}/servicePrincipals/{service_principal}/jobs/{id}");
        self.call(Method::DELETE, &path, None).await.map(drop)
    }

    /// Breaks a job: no delete removes it, and no other job of its template can be made. Reads show it if it is `listed`.
    pub async fn ghost_job(&self, tenant: &str, service_principal: &str, id: &str, listed: bool) -> Result<()> {
        let path = format!("tenants/{tenant}/servicePrincipals/{service_principal}/jobs/{id}/ghost");
        self.call(Method::POST, &path, Some(&json!({"listed": listed}))).await.map(drop)
    }

    /// Puts a job into quarantine: `{"reason", "error", "seriesBegan", "seriesCount"}`, each optional.
    pub async fn quarantine_job(&self, tenant: &str, service_principal: &str, id: &str, body: &Value) -> Result<()> {
        let path = format!("tenants/{tenant}/servicePrincipals/{service_principal}/jobs/{id}/quarantine");
        self.call(Method::POST, &path, Some(body)).await.map(drop)
    }

    /// Runs one cycle now, with this result or, without one, as the target has it.
    pub async fn run_cycle(
        &self,
        tenant: &str,
        service_principal: &str,
        id: &str,
        result: Option<&Value>,
    ) -> Result<()> {
        let path = format!("tenants/{tenant}/servicePrincipals/{service_principal}/jobs/{id}/cycle");
        self.call(Method::POST, &path, result).await.map(drop)
    }

    /// `{"value": [{"key", "value"}]}`: the secrets in the clear.
    pub async fn secrets(&self, tenant: &str, service_principal: &str) -> Result<Value> {
        let path = format!("tenants/{tenant}/servicePrincipals/{service_principal}/secrets");
        self.call(Method::GET, &path, None).await
    }

    /// Replaces the secrets at once, as a test sets its stage: `[{"key", "value"}]`. No ledger, no lag, no refusal.
    pub async fn put_secrets(&self, tenant: &str, service_principal: &str, secrets: &Value) -> Result<()> {
        let path = format!("tenants/{tenant}/servicePrincipals/{service_principal}/secrets");
        self.put(&path, &json!({"value": secrets})).await
    }

    /// Changes some of the secrets as a person does in the portal, and leaves the others: `[{"key", "value"}]`; an empty
    /// value takes one away.
    pub async fn change_secrets(&self, tenant: &str, service_principal: &str, secrets: &Value) -> Result<()> {
        let path = format!("tenants/{tenant}/servicePrincipals/{service_principal}/secrets");
        self.call(Method::PATCH, &path, Some(&json!({"value": secrets}))).await.map(drop)
    }

    /// Says what the connected application makes of credentials and what a cycle finds; what is not named is as usual.
    pub async fn put_target(&self, tenant: &str, service_principal: &str, target: &Value) -> Result<()> {
        self.put(&format!("tenants/{tenant}/servicePrincipals/{service_principal}/target"), target).await
    }

    /// The same, where what is not named stays as it is.
    pub async fn patch_target(&self, tenant: &str, service_principal: &str, target: &Value) -> Result<()> {
        let path = format!("tenants/{tenant}/servicePrincipals/{service_principal}/target");
        self.call(Method::PATCH, &path, Some(target)).await.map(drop)
    }

    /// The schema of a job as it really is; no call of Graph, and no lag.
    pub async fn schema(&self, tenant: &str, service_principal: &str, job: &str) -> Result<Value> {
        let path = format!("tenants/{tenant}/servicePrincipals/{service_principal}/jobs/{job}/schema");
        self.call(Method::GET, &path, None).await
    }

    /// Replaces the schema of a job as a person does in the portal, and as the service takes it.
    pub async fn put_schema(&self, tenant: &str, service_principal: &str, job: &str, schema: &Value) -> Result<()> {
        self.put(&format!("tenants/{tenant}/servicePrincipals/{service_principal}/jobs/{job}/schema"), schema).await
    }

    /// Says what a template begins with: a schema, or `{"fixture": NAME}`. It is kept as it is.
    pub async fn put_template_schema(
        &self,
        tenant: &str,
        service_principal: &str,
        template: &str,
        schema: &Value,
    ) -> Result<()> {
        let path = format!("tenants/{tenant}/servicePrincipals/{service_principal}/templates/{template}/schema");
        self.put(&path, schema).await
    }

    pub async fn revoke_secrets(&self, tenant: &str, client: &str) -> Result<()> {
        let path = format!("tenants/{tenant}/applications/{client}/secrets");
        self.call(Method::PATCH, &path, Some(&json!({"revoked": true}))).await.map(drop)
    }

    pub async fn restore_secrets(&self, tenant: &str, client: &str) -> Result<()> {
        let path = format!("tenants/{tenant}/applications/{client}/secrets");
        self.call(Method::PATCH, &path, Some(&json!({"revoked": false}))).await.map(drop)
    }

    /// Says which identities the machine has: `[{"tenantId", "clientId", "objectId", "resourceId"}]`, the last two optional.
    pub async fn put_managed_identities(&self, identities: &Value) -> Result<()> {
        self.put("managedIdentities", &json!({"value": identities})).await
    }

    /// Makes every token issued so far expired.
    pub async fn revoke_tokens(&self) -> Result<()> {
        self.call(Method::POST, "tokens/revoke", None).await.map(drop)
    }

    pub async fn put_fault(&self, fault: &Value) -> Result<()> {
        self.add_fault(fault).await.map(drop)
    }

    /// Returns the id of the fault.
    pub async fn add_fault(&self, fault: &Value) -> Result<String> {
        let answer = self.call(Method::POST, "faults", Some(fault)).await?;
        Ok(answer["id"].as_str().unwrap_or_default().to_owned())
    }

    pub async fn clear_fault(&self, id: &str) -> Result<()> {
        self.call(Method::DELETE, &format!("faults/{id}"), None).await.map(drop)
    }

    pub async fn clear_faults(&self) -> Result<()> {
        self.call(Method::DELETE, "faults", None).await.map(drop)
    }

    pub async fn advance_clock(&self, seconds: u64) -> Result<()> {
        self.call(Method::POST, "clock", Some(&json!({"advanceSeconds": seconds}))).await.map(drop)
    }

    /// Makes the clock stand still, now.
    pub async fn freeze_clock(&self) -> Result<()> {
        self.call(Method::POST, "clock", Some(&json!({"freeze": true}))).await.map(drop)
    }

    pub async fn resume_clock(&self) -> Result<()> {
        self.call(Method::POST, "clock", Some(&json!({"freeze": false}))).await.map(drop)
    }

    /// `{"value": [...]}`: committed effects.
    pub async fn ledger(&self) -> Result<Value> {
        self.call(Method::GET, "ledger", None).await
    }

    /// The entries of the ledger for one operation.
    pub async fn effects(&self, operation: &str) -> Result<Vec<Value>> {
        let found = self.call(Method::GET, &format!("ledger?operation={operation}"), None).await?;
        Ok(found["value"].as_array().cloned().unwrap_or_default())
    }

    /// `{"value": [...]}`: every request to login and Graph.
    pub async fn calls(&self) -> Result<Value> {
        self.call(Method::GET, "calls", None).await
    }

    /// Any call of the control API that has no method here; the path is relative to `control/`.
    pub async fn raw(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        self.call(method.parse().unwrap_or(Method::GET), path, body).await
    }
}
