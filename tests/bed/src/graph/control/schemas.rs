//! Control calls on schemas: what a template begins with, and what somebody does to a job's schema in the portal.

use hyper::Method;
use serde_json::{Value, json};

use super::given_schema::GivenSchema;
use super::{Answered, Control, bad, done, missing};
use crate::graph::fixtures;
use crate::graph::http::reply::Reply;
use crate::graph::model::Effect;
use crate::graph::sync::schema;

impl Control<'_> {
    /// The names of the fixtures, or one of them.
    pub(super) fn fixtures(name: Option<&str>) -> Answered {
        match name {
            None => Ok(Reply::ok(json!({"value": fixtures::NAMES}))),
            Some(name) => {
                let found = fixtures::schema(name).ok_or_else(|| missing("fixture"))?;
                Ok(Reply::ok(Value::clone(&found)))
            }
        }
    }

    /// What a template has in place of the simulator's schema, and thereby each job that has none of its own.
    pub(super) fn template_schema(&mut self, method: &Method, tenant: &str, sp: &str, template: &str) -> Answered {
        match method.as_str() {
            "GET" => {
                self.known(tenant, sp)?;
                let known = self.model.tenants.get(tenant).ok_or_else(|| missing("tenant"))?;
                let found = schema::of_template(known, sp, template);
                Ok(Reply::ok(schema::owned_by(&found, template)))
            }
            "PUT" => {
                let given: GivenSchema = self.read()?;
                let principal = self.known(tenant, sp)?;
                principal.template_schemas.insert(template.to_owned(), given);
                principal.edited_schemas.remove(template);
                Ok(done())
            }
            "DELETE" => {
                let principal = self.known(tenant, sp)?;
                principal.template_schemas.remove(template);
                principal.edited_schemas.remove(template);
                Ok(done())
            }
            _ => Err(missing("control call")),
        }
    }

    /// The schema of a job as it really is, and how a person replaces or resets it.
    pub(super) fn job_schema(&mut self, method: &Method, tenant: &str, sp: &str, id: &str) -> Answered {
        let job = self.job(tenant, sp, id)?.clone();
        let known = self.model.tenants.get(tenant).ok_or_else(|| missing("tenant"))?;
        let now = schema::of_job(known, sp, &job);
        let wanted = match method.as_str() {
            "GET" => return Ok(Reply::ok(schema::owned_by(&now, id))),
            "DELETE" => None,
            "PUT" => {
                let given: GivenSchema = self.read()?;
                Some(given)
            }
            _ => return Err(missing("control call")),
        };
        let known = self.model.tenants.get(tenant).ok_or_else(|| missing("tenant"))?;
        let accepted = match &wanted {
            None => None,
            Some(given) => {
                let change = schema::Change {
                    owner: id,
                    now: self.model.now(),
                    current: now,
                    default: schema::of_template(known, sp, &job.template_id),
                };
                let sent = Value::clone(&given.0);
                let accepted = schema::accepted(sent, &change, &known.settings);
                Some(accepted.map_err(|refusal| bad(&refusal.body()["error"]["message"].to_string()))?)
            }
        };
        let (settings, now) = (self.model.settings(tenant), self.model.now());
        let job = self.job(tenant, sp, id)?;
        schema::save(job, accepted, &settings, now);
        let job = job.clone();
        let operation = if wanted.is_some() { "putSchema" } else { "deleteSchema" };
        self.commit(operation, tenant, &Effect { service_principal: sp, job: Some(&job), ..Effect::default() });
        Ok(done())
    }
}
