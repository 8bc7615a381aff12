//! What these tests stand on: a rig with a SCIM application of its own, and a Secret with its token.

use serde_json::{Value, json};

use crate::stack::read::{calls, condition, manifest};
use crate::stack::rig::Rig;

pub const PRINCIPAL: &str = "5c1d0a00-7b21-4f7e-9a35-1e2d3c4b5a69";
pub const ADDRESS: &str = "https://scim.example.test/v2";
pub const TOKEN: &str = "canary-of-the-target~T0ken";
/// The credentials of a SCIM application as a SyncJob declares them.
pub const CREDENTIALS: &str = "credentials: [{key: BaseAddress, value: \"https://scim.example.test/v2\"}, {key: SecretToken, valueFrom: {secretKeyRef: {name: box-scim, key: token}}}]";

/// In these tests the key of fingerprints is where the rights of the operator put it.
const HOME: &str = "--operator-namespace=entrain-system";

pub struct Stand {
    pub rig: Rig,
}

impl Stand {
    pub async fn begin() -> Self {
        Self::begin_with(&[]).await
    }

    pub async fn begin_with(arguments: &[&str]) -> Self {
        let mut stand = Self { rig: Rig::idle().await };
        stand.start(arguments).await;
        stand
    }

    /// With an operator that watches Secrets, for which it has the right in this namespace.
    pub async fn watching() -> Self {
        let mut stand = Self { rig: Rig::idle().await };
        stand.rig.kubectl(&["create", "role", "watch-secrets", "--verb=list,watch", "--resource=secrets"]).await;
        let account = "--serviceaccount=entrain-system:entrain";
        stand.rig.kubectl(&["create", "rolebinding", "watch-secrets", "--role=watch-secrets", account]).await;
        stand.start(&["--watch-secrets"]).await;
        stand
    }

    /// With an operator that logs all there is.
    pub async fn loud(arguments: &[&str]) -> Self {
        let mut stand = Self { rig: Rig::idle().await };
        stand.rig.more_env.push(("RUST_LOG".to_owned(), "trace".to_owned()));
        stand.start(arguments).await;
        stand
    }

    async fn start(&mut self, arguments: &[&str]) {
        let offered = json!({"appId": "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", "displayName": "SCIM",
            "templates": ["scim", "customappsso"]});
        self.rig.control.put_service_principal(&self.rig.demo.tenant_id, PRINCIPAL, &offered).await.unwrap();
        self.target(&json!({"accepts": {"SecretToken": TOKEN}})).await;
        self.rig.start_operator_with(&[&[HOME], arguments].concat());
    }

    /// What the connected application makes of credentials.
    pub async fn target(&self, target: &Value) {
        self.rig.control.put_target(&self.rig.demo.tenant_id, PRINCIPAL, target).await.unwrap();
    }

    pub async fn secret(&self, name: &str, value: &str) {
        self.secret_in(&self.rig.namespace, name, &json!({"token": value})).await;
    }

    pub async fn secret_in(&self, namespace: &str, name: &str, values: &Value) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": name},
            "stringData": values});
        self.rig.apply_in(namespace, &secret.to_string()).await;
    }

    pub async fn delete_secret(&self, name: &str) {
        self.rig.kubectl(&["delete", "secret", name]).await;
    }

    /// Applies the SyncJob `box` with more of its spec.
    pub async fn sync_job(&self, more: &[&str]) {
        self.sync_job_named("box", "scim", more).await;
    }

    pub async fn sync_job_named(&self, name: &str, template: &str, more: &[&str]) {
        self.rig.apply(&manifest(name, PRINCIPAL, template, more)).await;
    }

    /// The SyncJob with its credentials, once the job runs.
    pub async fn runs(&mut self, more: &[&str]) -> Value {
        self.secret("box-scim", TOKEN).await;
        self.sync_job(&[&[CREDENTIALS], more].concat()).await;
        self.until("runs", crate::stack::read::is_ready).await
    }

    pub async fn until(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.rig.until("box", what, is).await
    }

    /// The true value of a key of the set.
    pub async fn value(&self, key: &str) -> Option<String> {
        let set = self.rig.control.secrets(&self.rig.demo.tenant_id, PRINCIPAL).await.unwrap();
        let pairs = set["value"].as_array().unwrap();
        let pair = pairs.iter().find(|pair| pair["key"] == key)?;
        pair["value"].as_str().map(str::to_owned)
    }

    /// Somebody sets the stage: this is the whole set.
    pub async fn stage(&self, set: &Value) {
        self.rig.control.put_secrets(&self.rig.demo.tenant_id, PRINCIPAL, set).await.unwrap();
    }

    /// A person changes some of the set in the portal.
    pub async fn portal(&self, changes: &Value) {
        self.rig.control.change_secrets(&self.rig.demo.tenant_id, PRINCIPAL, changes).await.unwrap();
    }

    pub async fn until_value(&mut self, key: &str, value: &str) {
        let tenant = self.rig.demo.tenant_id.clone();
        let has = async |control: &bed::graph::Control| {
            let set = control.secrets(&tenant, PRINCIPAL).await.unwrap();
            set["value"].as_array().unwrap().iter().any(|pair| pair["key"] == key && pair["value"] == value)
        };
        self.rig.until_graph(&format!("{key} has its new value"), has).await;
    }

    /// How often the set was saved through Graph.
    pub async fn saves(&self) -> usize {
        let accepted = |call: &&Value| call["status"] == 204;
        calls(&self.rig.control, "putSecrets").await.iter().filter(accepted).count()
    }

    /// Has the operator look once more, and waits until it has.
    pub async fn look(&mut self) -> Value {
        self.look_at("box").await
    }

    pub async fn look_at(&mut self, name: &str) -> Value {
        self.rig.nudge(name).await;
        self.rig
            .until(name, "was looked at", |it| {
                it["status"]["lastHandledReconcile"]
                    == it["metadata"]["annotations"]["entrain.dev/reconcile-requested-at"]
            })
            .await
    }
}

/// Status and reason of CredentialsValid.
pub fn valid(object: &Value, status: &str, reason: &str) -> bool {
    let found = condition(object, "CredentialsValid");
    found["status"] == status && found["reason"] == reason
}
