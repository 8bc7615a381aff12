//! The identity that calls: an application, from the standard environment of the Azure SDKs, or the person at this machine.

use std::fmt;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use secrecy::SecretString;
use uuid::Uuid;

use super::source::{Material, NoMaterial, Source};

const TENANT_ID: &str = "AZURE_TENANT_ID";
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";
const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

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
    /// The person who is logged in to the Azure CLI or the Azure Developer CLI, in their own tenant if none is named.
    Person {
        tenant_id: Option<String>,
    },
}

/// What is wrong with the environment. No value is repeated: a secret may stand in the wrong variable.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    #[error(
        "neither AZURE_CLIENT_SECRET nor AZURE_FEDERATED_TOKEN_FILE is set: the application has nothing to log in with"
    )]
    NoSecret,
    #[error(
        "the value of the environment variable {0} begins or ends with a quotation mark: set it without; a Secret or an env file takes every character as part of the value"
    )]
    Quoted(&'static str),
    #[error(
        "the environment variable {0} holds a control character, such as a line break, between others: set one line"
    )]
    ControlCharacter(&'static str),
    #[error(
        "the environment variable AZURE_TENANT_ID holds neither a GUID nor a domain: set the tenant id of the directory, as in 11111111-2222-3333-4444-555555555555"
    )]
    NoTenantId,
    #[error(
        "the environment variable AZURE_CLIENT_ID holds no GUID: set the application (client) id of the app registration, as in 11111111-2222-3333-4444-555555555555, not its name"
    )]
    NoClientId,
    #[error(
        "the file that the environment variable AZURE_FEDERATED_TOKEN_FILE names does not exist: azure-workload-identity puts it into pods that have the label azure.workload.identity/use: \"true\"; check that label and that its webhook runs, then create the pod again"
    )]
    NoTokenFile,
}

impl Credential {
    /// `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` or `AZURE_FEDERATED_TOKEN_FILE`; the secret wins.
    /// White space around a value, such as the line break at the end of a file, is not part of it.
    pub fn from_environment(get: impl Fn(&str) -> Option<String>) -> Result<Self, CredentialError> {
        let value = |name| clean(name, &get(name).unwrap_or_default());
        let needed = |name| value(name)?.ok_or(CredentialError::Missing(name));
        let tenant_id = needed(TENANT_ID)?;
        if !is_tenant(&tenant_id) {
            return Err(CredentialError::NoTenantId);
        }
        let client_id = needed(CLIENT_ID)?;
        if !is_guid(&client_id) {
            return Err(CredentialError::NoClientId);
        }
        match (value(CLIENT_SECRET)?, value(TOKEN_FILE)?) {
            (Some(secret), _) => Ok(Self::ClientSecret { tenant_id, client_id, secret: secret.into() }),
            (None, Some(file)) if Path::new(&file).exists() => {
                Ok(Self::WorkloadIdentity { tenant_id, client_id, token_file: file.into() })
            }
            (None, Some(_)) => Err(CredentialError::NoTokenFile),
            (None, None) => Err(CredentialError::NoSecret),
        }
    }
}

/// The bare value; `None` if there is nothing but white space.
fn clean(name: &'static str, value: &str) -> Result<Option<String>, CredentialError> {
    let value = one_line(value).map_err(|flaw| match flaw {
        Flaw::Quoted => CredentialError::Quoted(name),
        Flaw::ControlCharacter => CredentialError::ControlCharacter(name),
    })?;
    Ok((!value.is_empty()).then(|| value.to_owned()))
}

/// What people copy along with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It begins or ends with a quotation mark.
    Quoted,
    /// It holds a control character, such as a line break, between others.
    ControlCharacter,
}

/// A value as it is meant: without the white space around it, such as the line break at the end of a file.
pub fn one_line(value: &str) -> Result<&str, Flaw> {
    let value = value.trim();
    let quote = |c| matches!(c, '"' | '\'' | '`' | '\u{201c}' | '\u{201d}');
    if value.starts_with(quote) || value.ends_with(quote) {
        Err(Flaw::Quoted)
    } else if value.contains(char::is_control) {
        Err(Flaw::ControlCharacter)
    } else {
        Ok(value)
    }
}

/// With dashes: the other forms of a GUID are not ids of Entra ID.
fn is_guid(value: &str) -> bool {
    value.len() == 36 && Uuid::try_parse(value).is_ok()
}

/// `common`, `organizations` and `consumers` name no tenant that an application can log in to.
fn is_tenant(value: &str) -> bool {
    let label = |label: &str| {
        let plain = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        !label.is_empty() && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    is_guid(value) || (value.contains('.') && value.split('.').all(label))
}

impl Credential {
    /// The tenant as it is named: a GUID or a domain; `None` for a person's own.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::ClientSecret { tenant_id, .. } | Self::WorkloadIdentity { tenant_id, .. } => Some(tenant_id),
            Self::Person { tenant_id } => tenant_id.as_deref(),
        }
    }
}

impl Credential {
    /// The application; `None` for a person.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::ClientSecret { client_id, .. } | Self::WorkloadIdentity { client_id, .. } => Some(client_id),
            Self::Person { .. } => None,
        }
    }
}

/// The token file is read again for every login, because Kubernetes renews it.
impl Source for Credential {
    fn read(&self) -> BoxFuture<'_, Result<Material, NoMaterial>> {
        Box::pin(async {
            match self {
                Self::ClientSecret { client_id, secret, .. } => {
                    Ok(Material::ClientSecret { client_id: client_id.clone(), secret: secret.clone() })
                }
                Self::WorkloadIdentity { client_id, token_file, .. } => {
                    let token = tokio::fs::read_to_string(token_file).await.unwrap_or_default();
                    if token.trim().is_empty() {
                        return Err(NoMaterial { code: "", message: NO_TOKEN_FILE.to_owned(), passes: false });
                    }
                    let token = token.trim().to_owned().into();
                    Ok(Material::Assertion { client_id: client_id.clone(), token })
                }
                Self::Person { .. } => Ok(Material::Person),
            }
        })
    }
}

const NO_TOKEN_FILE: &str = "the file that AZURE_FEDERATED_TOKEN_FILE names does not exist or is empty: azure-workload-identity puts it into pods; check its webhook and create the pod again";

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

    const ID: &str = "11111111-2222-3333-4444-555555555555";
    const TENANT: (&str, &str) = (TENANT_ID, ID);
    const CLIENT: (&str, &str) = (CLIENT_ID, ID);
    const SECRET: (&str, &str) = (CLIENT_SECRET, "canary~.1");

    fn from(pairs: &[(&str, &str)]) -> Result<Credential, CredentialError> {
        Credential::from_environment(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_missing_is_named_and_no_secret_is_printed() {
        assert_eq!(from(&[]).unwrap_err(), CredentialError::Missing(TENANT_ID));
        assert_eq!(from(&[TENANT, CLIENT]).unwrap_err(), CredentialError::NoSecret);
        let secret = from(&[TENANT, CLIENT, SECRET, (TOKEN_FILE, "f")]);
        let text = format!("{:?}", secret.unwrap());
        assert!(text.contains("client secret") && !text.contains("canary"));
        let file = tempfile::NamedTempFile::new().unwrap();
        let file = file.path().to_str().unwrap();
        assert!(matches!(from(&[TENANT, CLIENT, (TOKEN_FILE, file)]), Ok(Credential::WorkloadIdentity { .. })));
    }

    #[test]
    fn white_space_around_a_value_is_no_part_of_it() {
        use secrecy::ExposeSecret;
        let id = format!(" {ID}\r\n");
        let credential = from(&[(TENANT_ID, &id), (CLIENT_ID, &id), (CLIENT_SECRET, " canary\n")]).unwrap();
        let Credential::ClientSecret { tenant_id, client_id, secret } = credential else { panic!("{credential:?}") };
        assert_eq!((tenant_id.as_str(), client_id.as_str(), secret.expose_secret()), (ID, ID, "canary"));
        assert_eq!(from(&[(TENANT_ID, " \n")]).unwrap_err(), CredentialError::Missing(TENANT_ID));
    }

    #[test]
    fn a_quotation_mark_is_refused_with_the_name_of_its_variable() {
        let quoted = format!("\"{ID}\"");
        for (name, value) in [(TENANT_ID, quoted.as_str()), (CLIENT_ID, "'canary'"), (CLIENT_SECRET, "\"canary\"")] {
            let others = [TENANT, CLIENT, SECRET].into_iter().filter(|(other, _)| *other != name);
            let error = from(&[(name, value)].into_iter().chain(others).collect::<Vec<_>>()).unwrap_err();
            assert_eq!(error, CredentialError::Quoted(name));
            assert!(error.to_string().contains(name) && !error.to_string().contains("canary"), "{error}");
        }
        assert_eq!(
            from(&[TENANT, CLIENT, (CLIENT_SECRET, "two\nlines")]).unwrap_err(),
            CredentialError::ControlCharacter(CLIENT_SECRET)
        );
    }

    #[test]
    fn a_tenant_is_a_guid_or_a_domain_and_a_client_is_a_guid() {
        for tenant in [ID, "contoso.onmicrosoft.com", "example.test"] {
            assert!(from(&[(TENANT_ID, tenant), CLIENT, SECRET]).is_ok(), "{tenant}");
        }
        for tenant in ["common", "my tenant", "https://contoso.example", "contoso.", "canary~.1", "{tenant}"] {
            let error = from(&[(TENANT_ID, tenant), CLIENT, SECRET]).unwrap_err();
            assert_eq!(error, CredentialError::NoTenantId, "{tenant}");
            assert!(error.to_string().contains(TENANT_ID) && !error.to_string().contains("canary"));
        }
        for client in ["entrain", "contoso.onmicrosoft.com", "11111111222233334444555555555555", "canary"] {
            let error = from(&[TENANT, (CLIENT_ID, client), SECRET]).unwrap_err();
            assert_eq!(error, CredentialError::NoClientId, "{client}");
            assert!(error.to_string().contains(CLIENT_ID) && !error.to_string().contains("canary"));
        }
    }

    #[test]
    fn a_token_file_that_is_not_there_is_traced_to_the_webhook_that_makes_it() {
        let error = from(&[TENANT, CLIENT, (TOKEN_FILE, "/nowhere/azure-identity-token")]).unwrap_err().to_string();
        for word in [TOKEN_FILE, "azure-workload-identity", "azure.workload.identity/use"] {
            assert!(error.contains(word), "{error}");
        }
    }
}
