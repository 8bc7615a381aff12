//! Where the credential of a login comes from.

use std::fmt;

use futures::future::BoxFuture;
use secrecy::SecretString;

/// Where the credential of a login comes from. It is read before every login, and once more after a refusal.
pub trait Source: fmt::Debug + Send + Sync {
    /// What there is to log in with now.
    fn read(&self) -> BoxFuture<'_, Result<Material, NoMaterial>>;
}

/// What a login is made with.
#[derive(Clone)]
pub enum Material {
    ClientSecret {
        client_id: String,
        secret: SecretString,
    },
    /// A token of another issuer that Entra ID trusts (federated credential): a JWT.
    Assertion {
        client_id: String,
        token: SecretString,
    },
    /// PEM, as in a `kubernetes.io/tls` Secret: the chain with the leaf first, and the key (PKCS#8 or PKCS#1, RSA).
    Certificate {
        client_id: String,
        certificate: Vec<u8>,
        key: SecretString,
    },
    /// An identity of the machine that this process runs on; `None`: the only one.
    ManagedIdentity {
        client_id: Option<String>,
    },
    /// The person who is logged in to the Azure CLI or the Azure Developer CLI.
    Person,
}

/// Why there is nothing to log in with. It becomes an [`Error`](crate::graph::Error) of kind `LoginRefused`, or
/// `LoginUnavailable` if it passes, with this code and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoMaterial {
    pub code: &'static str,
    pub message: String,
    pub passes: bool,
}

/// Shows no secret.
impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientSecret { client_id, .. } => write!(f, "client secret of {client_id}"),
            Self::Assertion { client_id, .. } => write!(f, "federated token of {client_id}"),
            Self::Certificate { client_id, .. } => write!(f, "certificate of {client_id}"),
            Self::ManagedIdentity { client_id: Some(client_id) } => write!(f, "managed identity {client_id}"),
            Self::ManagedIdentity { client_id: None } => write!(f, "the only managed identity"),
            Self::Person => write!(f, "the person who is logged in"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_printed() {
        let (client_id, canary) = (String::from("an-id"), || SecretString::from(String::from("canary")));
        for material in [
            Material::ClientSecret { client_id: client_id.clone(), secret: canary() },
            Material::Assertion { client_id: client_id.clone(), token: canary() },
            Material::Certificate { client_id, certificate: b"canary".to_vec(), key: canary() },
        ] {
            let text = format!("{material:?}");
            assert!(text.contains("an-id") && !text.contains("canary"), "{text}");
        }
    }
}
