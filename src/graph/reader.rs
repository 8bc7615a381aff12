//! A client that can only ask: what it does not offer cannot be sent through it.

use std::sync::Arc;

use serde_json::Value;

use super::client::{Client, Options, SetupError};
use super::error::Error;
use super::jobs::Job;
use super::login::credential::Credential;
use super::principals::{ServicePrincipal, Template};
use super::request::Priority;
use super::schema::{FilterOperator, ParseRequest, ParsedExpression};
use super::secrets::SecretPair;

/// The questions that a [`Client`] can ask, and none of its writes.
pub struct Reader(Client);

impl Client {
    /// The same client, for questions only.
    pub fn reader(&self) -> Reader {
        Reader(self.clone())
    }
}

impl Reader {
    /// Over HTTPS.
    pub fn new(options: Options, credential: Credential) -> Result<Self, SetupError> {
        let tenant = credential.tenant().map(str::to_owned);
        Client::new(options, Arc::new(credential), tenant).map(Self)
    }

    /// As [`Client::known_tenant`].
    pub fn known_tenant(&self) -> Option<String> {
        self.0.known_tenant()
    }

    /// As [`Client::tenant`].
    pub async fn tenant(&self) -> Result<String, Error> {
        self.0.tenant().await
    }

    /// As [`Client::list_jobs`].
    pub async fn list_jobs(&self, service_principal: &str) -> Result<Vec<Job>, Error> {
        self.0.list_jobs(service_principal).await
    }

    /// As [`Client::list_templates`].
    pub async fn list_templates(&self, service_principal: &str) -> Result<Vec<Template>, Error> {
        self.0.list_templates(service_principal).await
    }

    /// As [`Client::list_secrets`].
    pub async fn list_secrets(&self, service_principal: &str) -> Result<Vec<SecretPair>, Error> {
        self.0.list_secrets(service_principal).await
    }

    /// The same reader, whose questions are this urgent.
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> Self {
        Self(self.0.with_priority(priority))
    }

    /// As [`Client::list_service_principals`].
    pub async fn list_service_principals(&self) -> Result<Vec<ServicePrincipal>, Error> {
        self.0.list_service_principals().await
    }

    /// As [`Client::get_service_principal`].
    pub async fn get_service_principal(&self, service_principal: &str) -> Result<ServicePrincipal, Error> {
        self.0.get_service_principal(service_principal).await
    }

    /// As [`Client::read_schema`].
    pub async fn read_schema(&self, service_principal: &str, job: &str) -> Result<Value, Error> {
        self.0.read_schema(service_principal, job).await
    }

    /// As [`Client::read_template_schema`].
    pub async fn read_template_schema(&self, service_principal: &str, template: &str) -> Result<Value, Error> {
        self.0.read_template_schema(service_principal, template).await
    }

    /// As [`Client::parse_expression`].
    pub async fn parse_expression(
        &self,
        service_principal: &str,
        job: &str,
        request: ParseRequest<'_>,
    ) -> Result<ParsedExpression, Error> {
        self.0.parse_expression(service_principal, job, request).await
    }

    /// As [`Client::list_filter_operators`].
    pub async fn list_filter_operators(
        &self,
        service_principal: &str,
        job: &str,
    ) -> Result<Vec<FilterOperator>, Error> {
        self.0.list_filter_operators(service_principal, job).await
    }
}
