//! What logins of tenants and credentials of jobs are read from: Secrets, ServiceAccounts and their tokens. Each read names
//! one namespace and one object; nothing is listed, watched or kept.

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use secrecy::SecretString;

use super::{Error, bounded};

/// The shortest life that the API server issues a token for, in seconds: it is used at once and kept nowhere.
const TOKEN_SECS: i64 = 600;

/// The Secret; `None` if it does not exist.
pub async fn secret(client: &Client, namespace: &str, name: &str) -> Result<Option<Secret>, Error> {
    bounded(Api::<Secret>::namespaced(client.clone(), namespace).get_opt(name)).await
}

/// Which state of which Secret it is. One that was deleted and created again has another uid.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretVersion {
    pub uid: String,
    pub resource_version: String,
}

impl SecretVersion {
    /// Of an object that was read.
    pub fn of(metadata: &ObjectMeta) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Self { uid: text(&metadata.uid), resource_version: text(&metadata.resource_version) }
    }
}

/// Whether the Secret is another one than before, without its content; `None` if it does not exist.
pub async fn secret_version(client: &Client, namespace: &str, name: &str) -> Result<Option<SecretVersion>, Error> {
    let found = bounded(Api::<Secret>::namespaced(client.clone(), namespace).get_metadata_opt(name)).await?;
    Ok(found.map(|found| SecretVersion::of(&found.metadata)))
}

/// The ServiceAccount; `None` if it does not exist.
pub async fn service_account(client: &Client, namespace: &str, name: &str) -> Result<Option<ServiceAccount>, Error> {
    bounded(Api::<ServiceAccount>::namespaced(client.clone(), namespace).get_opt(name)).await
}

/// A token of a ServiceAccount for exactly one audience, which must not be the API server's: a token that leaked would be
/// of no use in the cluster. `Refused` where the right to `create` `serviceaccounts/token` is missing.
pub async fn token(client: &Client, namespace: &str, name: &str, audience: &str) -> Result<SecretString, Error> {
    let spec = TokenRequestSpec {
        audiences: vec![audience.to_owned()],
        expiration_seconds: Some(TOKEN_SECS),
        ..TokenRequestSpec::default()
    };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), namespace);
    let answer = bounded(accounts.create_token_request(name, &PostParams::default(), &request)).await?;
    let token = answer.status.map(|status| status.token).unwrap_or_default();
    if token.is_empty() {
        return Err(Error::Unavailable("the API server answered without a token".to_owned()));
    }
    Ok(token.into())
}
