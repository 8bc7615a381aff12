//! Service principals, and the templates of jobs that each offers.

use serde::Deserialize;

use super::answer::parse;
use super::client::Client;
use super::error::Error;
use super::lenient;
use super::operation::Operation;
use super::request::Call;

/// What is asked of each service principal of a list. Graph gives a page at most 999 of them, and 100 without being asked.
const LIST_QUERY: &str = "$select=id,appId,displayName&$top=999";

/// `servicePrincipal`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Client id of its application.
    #[serde(default, deserialize_with = "lenient::text")]
    pub app_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: Option<String>,
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

    /// All service principals of the tenant.
    pub async fn list_service_principals(&self) -> Result<Vec<ServicePrincipal>, Error> {
        let mut url = self.url(&["servicePrincipals"]);
        url.set_query(Some(LIST_QUERY));
        self.list(Operation::ListServicePrincipals, url).await
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
