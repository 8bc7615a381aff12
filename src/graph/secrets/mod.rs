//! The credentials and settings of a service principal's jobs: one set of pairs, which Graph replaces as a whole and shows
//! with the values of its secrets masked.

mod body;
mod mask;
mod outcome;
mod shapes;

use url::Url;

use super::answer::plain;
use super::client::Client;
use super::error::Error;
use super::operation::Operation;
use super::request::{Body, Call, MaySend};

pub use mask::is_masked;
pub use outcome::TestOutcome;
pub use shapes::{SecretPair, Tested};

impl Client {
    /// The whole set. The values of secrets are masked.
    pub async fn list_secrets(&self, service_principal: &str) -> Result<Vec<SecretPair>, Error> {
        self.list(Operation::ListSecrets, self.secrets_url(service_principal)).await
    }

    /// Replaces the whole set: a key that is not in it is gone. Sent once; a lost answer leaves open which set is stored.
    pub async fn save_secrets(
        &self,
        service_principal: &str,
        set: &[SecretPair],
        may_send: MaySend<'_>,
    ) -> Result<(), Error> {
        let write = || body::of_set(set);
        let call = Call::write(Operation::SaveSecrets, self.secrets_url(service_principal), may_send);
        let call = Call { body: Some(Body::Secret(&write)), ..call };
        plain(&call, &self.send(&call).await?)
    }

    /// Has Graph log in at the target of a job. Nothing is stored.
    pub async fn test_credentials(
        &self,
        service_principal: &str,
        job: &str,
        tested: Tested<'_>,
        may_send: MaySend<'_>,
    ) -> Result<TestOutcome, Error> {
        let write = || body::of_test(tested);
        let url = self.tests_url(service_principal, job);
        let call = Call { body: Some(Body::Secret(&write)), ..Call::write(Operation::TestCredentials, url, may_send) };
        let answer = match self.send(&call).await {
            Ok(answer) => plain(&call, &answer),
            Err(error) => Err(error),
        };
        outcome::of(answer)
    }

    fn secrets_url(&self, service_principal: &str) -> Url {
        self.url(&["servicePrincipals", service_principal, "synchronization", "secrets"])
    }

    fn tests_url(&self, service_principal: &str, job: &str) -> Url {
        self.url(&["servicePrincipals", service_principal, "synchronization", "jobs", job, "validateCredentials"])
    }
}
