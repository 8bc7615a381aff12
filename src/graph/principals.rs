//! Service principals, and the templates of jobs that each offers.

use serde::Deserialize;

use super::answer::parse;
use super::client::Client;
use super::error::Error;
use super::lenient;
use super::operation::Operation;
use super::request::Call;

/// `servicePrincipal`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct ServicePrincipal {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
}

/// `synchronizationTemplate`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Template {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
}

impl Client {
    /// A service principal by its object id.
    pub async fn get_service_principal(&self, service_principal: &str) -> Result<ServicePrincipal, Error> {
        let url = self.url(&["servicePrincipals", service_principal]);
        let call = Call::read(Operation::GetServicePrincipal, url);
        parse(&call, &self.send(&call).await?)
    }

    /// All templates that a service principal offers.
    pub async fn list_templates(&self, service_principal: &str) -> Result<Vec<Template>, Error> {
        let url = self.url(&["servicePrincipals", service_principal, "synchronization", "templates"]);
        self.list(Operation::ListTemplates, url).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_text_that_is_not_empty() {
        for id in ["7", "null", "\"\"", "{}"] {
            let body = format!(r#"{{"id":{id}}}"#);
            assert!(serde_json::from_str::<Template>(&body).is_err(), "{id}");
            assert!(serde_json::from_str::<ServicePrincipal>(&body).is_err(), "{id}");
        }
    }
}
