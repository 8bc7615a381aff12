//! One login, by the official `azure_identity` crate over the client's own transport. Each login uses a credential value
//! of its own, so that the crate's cache and its lock stay out of the way.

mod certificate;
pub(super) mod claims;
pub(super) mod credential;
mod managed;
mod offer;
mod person;
pub(super) mod presented;
mod refusal;
mod refusals;
pub(super) mod source;
pub(super) mod tenant;
pub(super) mod token;
mod transport;
pub(super) mod wall;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientMethodOptions, ClientOptions, RetryOptions};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};

use self::offer::Offer;
use self::person::Person;
use self::refusal::LoginError;
use self::source::{Material, Source};
use self::token::{Issued, LogIn};
use self::transport::{Desk, LoginTransport};
use self::wall::WallClock;
use super::endpoints::Endpoints;
use super::transport::Transport;

/// The logins of one client.
pub(super) struct Logins {
    pub transport: Arc<dyn Transport>,
    pub endpoints: Endpoints,
    /// A GUID or a domain; a person or a machine may have its own instead.
    pub tenant: Option<String>,
    pub source: Arc<dyn Source>,
    pub wall: WallClock,
}

impl LogIn for Logins {
    fn offer(&self) -> BoxFuture<'_, Result<Offer, LoginError>> {
        Box::pin(async {
            match self.source.read().await {
                Ok(material) => Ok(Offer::new(material)),
                Err(nothing) => Err(LoginError::without_material(&nothing)),
            }
        })
    }

    fn present<'a>(&'a self, offer: &'a Offer) -> BoxFuture<'a, Result<Issued, LoginError>> {
        Box::pin(self.log_in(offer))
    }
}

impl Logins {
    async fn log_in(&self, offer: &Offer) -> Result<Issued, LoginError> {
        let desk = match &offer.material {
            Material::ManagedIdentity { .. } => Desk::Machine(self.endpoints.imds.clone()),
            Material::ClientSecret { .. }
            | Material::Assertion { .. }
            | Material::Certificate { .. }
            | Material::Person => Desk::LoginService,
        };
        let transport = LoginTransport::new(self.transport.clone(), desk);
        let credential = self.token_credential(offer, transport.clone())?;
        let answer = credential.get_token(&[&self.endpoints.scope()], None).await;
        let token = answer.map_err(|error| LoginError::behind(&error))?;
        let life = transport.life().unwrap_or_else(|| {
            // A tool prints an instant of this machine's clock.
            let seconds = token.expires_on.unix_timestamp() - self.wall.now().as_second();
            Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
        });
        Ok(Issued { token: token.token.secret().to_owned().into(), life, obtained: self.wall.now() })
    }

    fn token_credential(
        &self,
        offer: &Offer,
        transport: Arc<LoginTransport>,
    ) -> Result<Arc<dyn TokenCredential>, LoginError> {
        let client_options = self.client_options(transport);
        let credential = match &offer.material {
            Material::ClientSecret { client_id, secret } => {
                let secret = Secret::new(secret.expose_secret().to_owned());
                let options = ClientSecretCredentialOptions { client_options };
                ClientSecretCredential::new(self.tenant()?, client_id.clone(), secret, Some(options))
                    .map(|credential| credential as Arc<dyn TokenCredential>)
            }
            Material::Assertion { client_id, token } => self.asserted(client_id, token.clone(), client_options),
            Material::Certificate { client_id, certificate, key } => {
                let endpoint = self.token_endpoint()?;
                let assertion = certificate::assertion((certificate, key), client_id, &endpoint, self.wall.now())?;
                self.asserted(client_id, assertion, client_options)
            }
            Material::ManagedIdentity { client_id } => {
                let user_assigned_id = client_id.clone().map(UserAssignedId::ClientId);
                let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
                ManagedIdentityCredential::new(Some(options)).map(|credential| credential as Arc<dyn TokenCredential>)
            }
            Material::Person => Ok(Arc::new(Person { tenant_id: self.tenant.clone() }) as Arc<dyn TokenCredential>),
        };
        credential.map_err(|error| LoginError::behind(&error))
    }

    fn asserted(
        &self,
        client_id: &str,
        assertion: SecretString,
        client_options: ClientOptions,
    ) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let options = ClientAssertionCredentialOptions { client_options };
        let tenant = self.tenant().map_err(|error| azure_core::Error::new(ErrorKind::Credential, error))?.to_owned();
        let credential =
            ClientAssertionCredential::new(tenant, client_id.to_owned(), Assertion(assertion), Some(options))?;
        Ok(credential)
    }

    fn tenant(&self) -> Result<&str, LoginError> {
        self.tenant.as_deref().ok_or_else(|| LoginError::refused("no tenant is named, and an application needs one"))
    }

    /// As the crate builds it; the audience of an assertion is this address to the letter.
    fn token_endpoint(&self) -> Result<String, LoginError> {
        Ok(format!("{}{}/oauth2/v2.0/token", self.endpoints.login, self.tenant()?))
    }

    fn client_options(&self, transport: Arc<LoginTransport>) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        self.endpoints.login.as_str().clone_into(&mut cloud.authority_host);
        ClientOptions {
            transport: Some(azure_core::http::Transport::new(transport)),
            retry: RetryOptions::none(),
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            ..ClientOptions::default()
        }
    }
}

/// One assertion for one login.
struct Assertion(SecretString);

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assertion")
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.expose_secret().to_owned())
    }
}
