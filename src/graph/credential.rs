//! Who calls: an application, from the standard environment of the Azure SDKs, or the person at this machine.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

#[derive(Clone)]
pub enum Credential {
    ClientSecret {
        tenant_id: String,
        client_id: String,
        secret: SecretString,
    },
    /// A token file that Kubernetes renews; it is read for every login.
    WorkloadIdentity {
        tenant_id: String,
        client_id: String,
        token_file: PathBuf,
    },
    /// Whoever is logged in to the Azure CLI or the Azure Developer CLI; their own tenant if none is named.
    Person {
        tenant_id: Option<String>,
    },
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    #[error(
        "neither AZURE_CLIENT_SECRET nor AZURE_FEDERATED_TOKEN_FILE is set: the application has nothing to log in with"
    )]
    NoSecret,
}

impl Credential {
    /// `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` or `AZURE_FEDERATED_TOKEN_FILE`; the secret wins.
    pub fn from_environment(get: impl Fn(&str) -> Option<String>) -> Result<Self, CredentialError> {
        let value = |name| get(name).filter(|value| !value.is_empty());
        let tenant_id = value("AZURE_TENANT_ID").ok_or(CredentialError::Missing("AZURE_TENANT_ID"))?;
        let client_id = value("AZURE_CLIENT_ID").ok_or(CredentialError::Missing("AZURE_CLIENT_ID"))?;
        match (value("AZURE_CLIENT_SECRET"), value("AZURE_FEDERATED_TOKEN_FILE")) {
            (Some(secret), _) => Ok(Self::ClientSecret { tenant_id, client_id, secret: secret.into() }),
            (None, Some(file)) => Ok(Self::WorkloadIdentity { tenant_id, client_id, token_file: file.into() }),
            (None, None) => Err(CredentialError::NoSecret),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientSecret { tenant_id, client_id, .. } => write!(f, "client secret of {client_id} in {tenant_id}"),
            Self::WorkloadIdentity { tenant_id, client_id, .. } => {
                write!(f, "workload identity of {client_id} in {tenant_id}")
            }
            Self::Person { tenant_id } => {
                write!(f, "the person who is logged in to {}", tenant_id.as_deref().unwrap_or("their own tenant"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<Credential, CredentialError> {
        Credential::from_environment(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_missing_is_named_and_no_secret_is_printed() {
        assert_eq!(from(&[]).unwrap_err(), CredentialError::Missing("AZURE_TENANT_ID"));
        let known = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")];
        assert_eq!(from(&known).unwrap_err(), CredentialError::NoSecret);
        let secret =
            from(&[known[0], known[1], ("AZURE_CLIENT_SECRET", "canary"), ("AZURE_FEDERATED_TOKEN_FILE", "f")]);
        let text = format!("{:?}", secret.unwrap());
        assert!(text.contains("client secret") && !text.contains("canary"));
        assert!(matches!(
            from(&[known[0], known[1], ("AZURE_FEDERATED_TOKEN_FILE", "f")]),
            Ok(Credential::WorkloadIdentity { .. })
        ));
    }
}
