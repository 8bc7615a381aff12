//! Where the credential of a tenant is read: one Secret or one ServiceAccount, of the tenant's own namespace, or of the
//! operator's where the tenant has none. It is read when a login needs it, and kept nowhere.

use std::fmt;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Secret;
use secrecy::SecretString;

use crate::cluster::{self, secrets};
use crate::graph::{Flaw, Material, NoMaterial, Source, one_line};
use crate::plan::tenant::LogInWith;

/// The consent of those who own a ServiceAccount: which application it stands for (azure-workload-identity).
const CLIENT_ID: &str = "azure.workload.identity/client-id";
/// The keys of a Secret of type `kubernetes.io/tls`.
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
/// A longer value is no client secret, and no chain of certificates.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// The credential of one tenant.
pub(super) struct TenantSource {
    pub client: kube::Client,
    pub namespace: String,
    pub login: LogInWith,
    /// The audience of the federated tokens of its cloud.
    pub audience: String,
    /// What the operator itself logs in with, if it has something.
    pub own: Option<Arc<dyn Source>>,
}

impl fmt::Debug for TenantSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("TenantSource");
        text.field("namespace", &self.namespace).field("login", &self.login).finish_non_exhaustive()
    }
}

impl Source for TenantSource {
    fn read(&self) -> BoxFuture<'_, Result<Material, NoMaterial>> {
        self.material().boxed()
    }
}

impl TenantSource {
    async fn material(&self) -> Result<Material, NoMaterial> {
        match &self.login {
            LogInWith::WorkloadIdentity { client_id, service_account } => {
                self.workload_identity(client_id.as_deref(), service_account).await
            }
            LogInWith::ClientSecret { client_id, secret, key } => {
                let object = self.secret(secret).await?;
                let value = self.value(&object, secret, key)?;
                let secret = self.one_line(&value, secret, key)?;
                Ok(Material::ClientSecret { client_id: client_id.clone(), secret })
            }
            LogInWith::Certificate { client_id, secret } => {
                let object = self.secret(secret).await?;
                let certificate = self.value(&object, secret, CERTIFICATE)?;
                let key = self.value(&object, secret, KEY)?;
                let key = String::from_utf8(key).map_err(|_| self.invalid(secret, KEY, "is not text"))?;
                Ok(Material::Certificate { client_id: client_id.clone(), certificate, key: key.into() })
            }
            LogInWith::OperatorIdentity => match &self.own {
                Some(own) => own.read().await,
                None => Err(refused(
                    "ClientIdMissing",
                    "the operator has no identity of its own: its environment has no AZURE_CLIENT_ID with AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET".to_owned(),
                )),
            },
            LogInWith::ManagedIdentity { client_id } => Ok(Material::ManagedIdentity { client_id: client_id.clone() }),
        }
    }

    async fn workload_identity(&self, client_id: Option<&str>, account: &str) -> Result<Material, NoMaterial> {
        let found = secrets::service_account(&self.client, &self.namespace, account).await;
        let found = found.map_err(|error| self.unread("ServiceAccount", account, &error))?;
        let Some(found) = found else {
            let message = format!("there is no ServiceAccount '{account}' in namespace '{}'", self.namespace);
            return Err(refused("ServiceAccountNotFound", message));
        };
        let annotated = found.metadata.annotations.as_ref().and_then(|all| all.get(CLIENT_ID)).map(|id| id.trim());
        let client_id = match (client_id, annotated.filter(|id| !id.is_empty())) {
            (Some(given), Some(annotated)) if !given.eq_ignore_ascii_case(annotated) => {
                let message = format!(
                    "the credential names client id '{given}', and the annotation {CLIENT_ID} of ServiceAccount '{account}' another one"
                );
                return Err(refused("ClientIdMismatch", message));
            }
            (Some(id), _) | (None, Some(id)) => id.to_owned(),
            (None, None) => {
                let message = format!(
                    "neither the credential nor the annotation {CLIENT_ID} of ServiceAccount '{account}' names a client id"
                );
                return Err(refused("ClientIdMissing", message));
            }
        };
        match secrets::token(&self.client, &self.namespace, account, &self.audience).await {
            Ok(token) => Ok(Material::Assertion { client_id, token }),
            Err(cluster::Error::Refused(reason)) => {
                let message = format!(
                    "the operator may not request a token of ServiceAccount '{account}' in namespace '{}': {reason}",
                    self.namespace
                );
                Err(refused("TokenRequestForbidden", message))
            }
            Err(cluster::Error::Gone) => {
                let message = format!("there is no ServiceAccount '{account}' in namespace '{}'", self.namespace);
                Err(refused("ServiceAccountNotFound", message))
            }
            Err(error @ (cluster::Error::Changed | cluster::Error::Unavailable(_))) => {
                Err(self.unread("token of ServiceAccount", account, &error))
            }
        }
    }

    async fn secret(&self, name: &str) -> Result<Secret, NoMaterial> {
        let found = secrets::secret(&self.client, &self.namespace, name).await;
        let found = found.map_err(|error| self.unread("Secret", name, &error))?;
        found.ok_or_else(|| {
            refused("SecretNotFound", format!("there is no Secret '{name}' in namespace '{}'", self.namespace))
        })
    }

    fn value(&self, secret: &Secret, name: &str, key: &str) -> Result<Vec<u8>, NoMaterial> {
        let value = secret.data.as_ref().and_then(|data| data.get(key)).map(|value| value.0.clone());
        let value = value.filter(|value| !value.trim_ascii().is_empty()).ok_or_else(|| {
            let message = format!("Secret '{name}' in namespace '{}' has no value under key '{key}'", self.namespace);
            refused("SecretKeyMissing", message)
        })?;
        if value.len() > VALUE_BYTES_MAX {
            return Err(self.invalid(name, key, "is too long"));
        }
        Ok(value)
    }

    fn one_line(&self, value: &[u8], name: &str, key: &str) -> Result<SecretString, NoMaterial> {
        let text = std::str::from_utf8(value).map_err(|_| self.invalid(name, key, "is not text"))?;
        let text = one_line(text).map_err(|flaw| match flaw {
            Flaw::Quoted => self.invalid(name, key, "begins or ends with a quotation mark"),
            Flaw::ControlCharacter => {
                self.invalid(name, key, "holds a control character, such as a line break, between others")
            }
        })?;
        Ok(text.to_owned().into())
    }

    fn invalid(&self, name: &str, key: &str, what: &str) -> NoMaterial {
        let message =
            format!("the value under key '{key}' of Secret '{name}' in namespace '{}' {what}", self.namespace);
        refused("SecretInvalid", message)
    }

    /// A right that is missing stays so until a person acts; anything else passes.
    fn unread(&self, what: &str, name: &str, error: &cluster::Error) -> NoMaterial {
        let message = format!("the {what} '{name}' in namespace '{}' cannot be read: {error}", self.namespace);
        let (code, passes) = match error {
            cluster::Error::Refused(_) if what == "Secret" => ("SecretNotFound", false),
            cluster::Error::Refused(_) => ("ServiceAccountNotFound", false),
            cluster::Error::Changed | cluster::Error::Gone | cluster::Error::Unavailable(_) => ("", true),
        };
        NoMaterial { code, message, passes }
    }
}

fn refused(code: &'static str, message: String) -> NoMaterial {
    NoMaterial { code, message, passes: false }
}
