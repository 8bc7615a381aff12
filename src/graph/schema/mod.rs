//! The schema of a job: what becomes which attribute. Graph replaces it as a whole, so that it is read and saved as the
//! document that it is, with members that nobody here knows.

mod body;
mod shapes;

use serde_json::Value;
use url::Url;

use super::answer::{parse, plain};
use super::client::Client;
use super::error::{Error, Kind};
use super::operation::Operation;
use super::request::{Body, Call, MaySend};

pub use shapes::{Arity, FilterOperator, Given, GivenValue, ParseRequest, ParsedExpression};

/// A document without it shows nothing of what there is; saved with a change, it would erase all the rest.
const RULES: &str = "synchronizationRules";

impl Client {
    /// The schema that is in force for a job, with all its members.
    pub async fn read_schema(&self, service_principal: &str, job: &str) -> Result<Value, Error> {
        self.document(Operation::ReadSchema, self.schema_url(service_principal, "jobs", job, &[])).await
    }

    /// The schema that a new job of a template begins with.
    pub async fn read_template_schema(&self, service_principal: &str, template: &str) -> Result<Value, Error> {
        let url = self.schema_url(service_principal, "templates", template, &[]);
        self.document(Operation::ReadTemplateSchema, url).await
    }

    /// Replaces the whole schema of a job, which has the service evaluate every account again: what is not in the document is
    /// gone. Sent once; a lost answer leaves open which schema is stored.
    pub async fn save_schema(
        &self,
        service_principal: &str,
        job: &str,
        schema: &Value,
        may_send: MaySend<'_>,
    ) -> Result<(), Error> {
        let url = self.schema_url(service_principal, "jobs", job, &[]);
        let call = Call { body: Some(Body::Json(schema)), ..Call::write(Operation::SaveSchema, url, may_send) };
        plain(&call, &self.send(&call).await?)
    }

    /// Has Graph parse an expression, and evaluate it if there is something given. Nothing is stored. Clouds differ in whether
    /// they can: see [`Error::is_unknown_route`].
    pub async fn parse_expression(
        &self,
        service_principal: &str,
        job: &str,
        request: ParseRequest<'_>,
    ) -> Result<ParsedExpression, Error> {
        let url = self.schema_url(service_principal, "jobs", job, &["parseExpression"]);
        let body = body::of(request);
        let call = Call { body: Some(Body::Json(&body)), ..Call::read(Operation::ParseExpression, url) };
        let answer: shapes::Answer = parse(&call, &self.send(&call).await?)?;
        Ok(answer.into())
    }

    /// The operators that a scoping filter of a job may use.
    pub async fn list_filter_operators(
        &self,
        service_principal: &str,
        job: &str,
    ) -> Result<Vec<FilterOperator>, Error> {
        let url = self.schema_url(service_principal, "jobs", job, &["filterOperators"]);
        let operators: Vec<shapes::Operator> = self.list(Operation::ListFilterOperators, url).await?;
        Ok(operators.into_iter().filter_map(shapes::Operator::named).collect())
    }

    async fn document(&self, operation: Operation, url: Url) -> Result<Value, Error> {
        let call = Call::read(operation, url);
        // Without the path of a member: keeping one costs more than reading the document.
        let read = serde_json::from_slice::<Value>(&self.send(&call).await?);
        let document = read.map_err(|_| call.failed(Kind::Malformed, "the answer is not whole JSON"))?;
        if document[RULES].is_array() {
            return Ok(document);
        }
        Err(call.failed(Kind::Malformed, &format!("the answer cannot be read: '{RULES}' is missing")))
    }

    fn schema_url(&self, service_principal: &str, parent: &str, id: &str, below: &[&str]) -> Url {
        let schema = ["servicePrincipals", service_principal, "synchronization", parent, id, "schema"];
        self.url(&[&schema, below].concat())
    }
}
