//! One login, by the official `azure_identity` crate over the client's own transport. Each login uses a credential value
//! of its own, so that the crate's cache and its lock stay out of the way.

pub(super) mod credential;
mod person;
mod refusal;
pub(super) mod tenant;
pub(super) mod token;
mod transport;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientMethodOptions, ClientOptions, RetryOptions};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions,
};
use secrecy::ExposeSecret;

use self::credential::Credential;
use self::person::Person;
use self::refusal::LoginError;
use self::token::{Issued, LogIn};
use self::transport::LoginTransport;
use super::endpoints::Endpoints;
use super::transport::Transport;

/// Logs in with this credential, once each time it is called.
pub(super) fn with(transport: Arc<dyn Transport>, endpoints: Endpoints, credential: Credential) -> LogIn {
    let parts = Arc::new((transport, endpoints, credential));
    Box::new(move || {
        let parts = parts.clone();
        Box::pin(async move { log_in(parts.0.clone(), &parts.1, &parts.2).await })
    })
}

async fn log_in(
    transport: Arc<dyn Transport>,
    endpoints: &Endpoints,
    credential: &Credential,
) -> Result<Issued, LoginError> {
    let transport = LoginTransport::new(transport);
    let answer = match token_credential(credential, endpoints, transport.clone()) {
        Ok(credential) => credential.get_token(&[&endpoints.scope()], None).await,
        Err(error) => Err(error),
    };
    let token = answer.map_err(|error| LoginError::behind(&error))?;
    let life = transport.life().unwrap_or_else(|| {
        // A tool prints an instant of this machine's clock.
        let seconds = token.expires_on.unix_timestamp() - jiff::Timestamp::now().as_second();
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    });
    Ok(Issued { token: token.token.secret().to_owned().into(), life })
}

fn token_credential(
    credential: &Credential,
    endpoints: &Endpoints,
    transport: Arc<LoginTransport>,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let mut cloud = CustomConfiguration::default();
    endpoints.login.as_str().clone_into(&mut cloud.authority_host);
    let client_options = ClientOptions {
        transport: Some(azure_core::http::Transport::new(transport)),
        retry: RetryOptions::none(),
        cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
        ..ClientOptions::default()
    };
    Ok(match credential {
        Credential::ClientSecret { tenant_id, client_id, secret } => {
            let secret = Secret::new(secret.expose_secret().to_owned());
            let options = ClientSecretCredentialOptions { client_options };
            ClientSecretCredential::new(tenant_id, client_id.clone(), secret, Some(options))?
        }
        Credential::WorkloadIdentity { tenant_id, client_id, token_file } => {
            let options = ClientAssertionCredentialOptions { client_options };
            let assertion = TokenFile { path: token_file.clone() };
            ClientAssertionCredential::new(tenant_id.clone(), client_id.clone(), assertion, Some(options))?
        }
        Credential::Person { tenant_id } => Arc::new(Person { tenant_id: tenant_id.clone() }),
    })
}

/// The projected token, read again for every login because Kubernetes renews it.
#[derive(Debug)]
struct TokenFile {
    path: PathBuf,
}

#[async_trait::async_trait]
impl ClientAssertion for TokenFile {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let text = tokio::fs::read_to_string(&self.path).await.unwrap_or_default();
        if text.trim().is_empty() {
            return Err(azure_core::Error::new(ErrorKind::Io, LoginError::refused(NO_TOKEN_FILE)));
        }
        Ok(text.trim().to_owned())
    }
}

const NO_TOKEN_FILE: &str = "the file that AZURE_FEDERATED_TOKEN_FILE names does not exist or is empty: azure-workload-identity puts it into pods; check its webhook and create the pod again";
