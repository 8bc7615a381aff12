//! The files that the processes of a plane read.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::PlaneError;
use super::home::file_error;
use super::keys::Keys;

/// Where everything is. Paths are absolute.
pub(super) struct Files {
    pub(super) dir: PathBuf,
    pub(super) ca: PathBuf,
    pub(super) server_certificate: PathBuf,
    pub(super) server_key: PathBuf,
    pub(super) service_account_key: PathBuf,
    pub(super) service_account_public_key: PathBuf,
    pub(super) tokens: PathBuf,
    pub(super) kubeconfig: PathBuf,
    pub(super) audit_policy: PathBuf,
    pub(super) audit_log: PathBuf,
}

impl Files {
    pub(super) fn below(dir: &Path) -> Self {
        let path = |name: &str| dir.join(name);
        Self {
            dir: dir.to_owned(),
            ca: path("ca.crt"),
            server_certificate: path("apiserver.crt"),
            server_key: path("apiserver.key"),
            service_account_key: path("sa.key"),
            service_account_public_key: path("sa.pub"),
            tokens: path("tokens.csv"),
            kubeconfig: path("kubeconfig"),
            audit_policy: path("audit-policy.json"),
            audit_log: path("logs/audit.log"),
        }
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.dir.join("logs").join(format!("{name}.log"))
    }

    pub(super) fn write(&self, keys: &Keys, server: &str, admin_token: &str) -> Result<(), PlaneError> {
        write(&self.ca, &keys.ca)?;
        write(&self.server_certificate, &keys.server_certificate)?;
        write(&self.server_key, &keys.server_key)?;
        write(&self.service_account_key, &keys.service_account_key)?;
        write(&self.service_account_public_key, &keys.service_account_public_key)?;
        write(&self.tokens, &format!("{admin_token},admin,admin,\"system:masters\"\n"))?;
        write(&self.kubeconfig, &kubeconfig(server, &keys.ca, admin_token).to_string())?;
        write(&self.audit_policy, &audit_policy().to_string())
    }

    /// `processes`: name and process id.
    pub(super) fn write_processes(&self, processes: &[(&str, u32)]) -> Result<(), PlaneError> {
        let map: serde_json::Map<_, _> = processes.iter().map(|&(name, pid)| (name.to_owned(), json!(pid))).collect();
        write(&self.dir.join("processes.json"), &Value::Object(map).to_string())
    }
}

/// Readable by the owner alone, because most of them hold keys.
fn write(path: &Path, text: &str) -> Result<(), PlaneError> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(file_error(path))
}

/// JSON, which every reader of YAML takes.
pub(super) fn kubeconfig(server: &str, ca_pem: &str, token: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "bed", "cluster": {
            "server": server, "certificate-authority-data": STANDARD.encode(ca_pem) } }],
        "users": [{ "name": "admin", "user": { "token": token } }],
        "contexts": [{ "name": "bed", "context": { "cluster": "bed", "user": "admin", "namespace": "default" } }],
        "current-context": "bed",
    })
}

/// Who did what to the things that the operator touches; bodies are left out, because Secrets have some.
fn audit_policy() -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            { "level": "Metadata", "resources": [
                { "group": "entrain.dev" },
                { "group": "coordination.k8s.io", "resources": ["leases"] },
                { "group": "events.k8s.io" },
                { "group": "apiextensions.k8s.io", "resources": ["customresourcedefinitions"] },
                { "group": "apps", "resources": ["controllerrevisions"] },
                { "group": "", "resources": ["secrets"] },
                { "group": "authentication.k8s.io", "resources": ["tokenreviews"] },
                { "group": "authorization.k8s.io", "resources": ["subjectaccessreviews"] },
            ] },
            { "level": "None" },
        ],
    })
}
