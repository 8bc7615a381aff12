//! Credentials of these tests other than client secrets: certificates, ServiceAccounts, and what the application trusts.

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use super::stand::{CLIENT, Stand};

/// What a federated token is for in the global cloud.
pub const AUDIENCE: &str = "api://AzureADTokenExchange";

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Pair {
    /// One of these years.
    pub fn of(from: i32, until: i32) -> Self {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::default();
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(from, 1, 1), rcgen::date_time_ymd(until, 1, 1));
        Self { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    }

    /// Puts it into the Secret `login-tls`.
    pub async fn store(&self, stand: &Stand, namespace: &str) {
        let data = json!({"stringData": {"tls.crt": self.certificate, "tls.key": self.key}});
        stand.put_secret(namespace, "login-tls", "kubernetes.io/tls", &data).await;
    }
}

/// The credential of a tenant whose certificate is in the Secret `login-tls`.
pub fn certificate() -> Value {
    json!({"certificate": {"clientId": CLIENT, "secretName": "login-tls"}})
}

/// The application knows these certificates and no others.
pub async fn register(stand: &Stand, pairs: &[&Pair]) {
    let known: Vec<Value> = pairs.iter().map(|pair| json!({"pem": pair.certificate})).collect();
    stand.application(&json!({"certificates": known})).await;
}

/// A federated credential for tokens of the API server with this subject and audience.
pub async fn trust(stand: &Stand, subject: &str, audience: &str) -> Value {
    let configuration = stand.rig.admin.get("/.well-known/openid-configuration").await.unwrap().1;
    let keys = stand.rig.admin.get("/openid/v1/jwks").await.unwrap().1;
    json!({"issuer": configuration["issuer"], "subject": subject, "audience": audience, "jwks": keys})
}

/// The application trusts tokens of the API server with this subject and audience, and no others.
pub async fn federated(stand: &Stand, subject: &str, audience: &str) {
    let known = trust(stand, subject, audience).await;
    stand.application(&json!({"federatedCredentials": [known]})).await;
}

/// The subject of the tokens of a ServiceAccount of the test's namespace.
pub fn subject(stand: &Stand, account: &str) -> String {
    format!("system:serviceaccount:{}:{account}", stand.rig.namespace)
}

pub async fn service_account(stand: &Stand, name: &str, annotations: &Value) {
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": name, "annotations": annotations}});
    stand.rig.apply(&account.to_string()).await;
}
