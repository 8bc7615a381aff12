//! One call of a handler: the model, the request, who asks, and the parts of the path.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::reply::Reply;
use super::request::Request;
use crate::graph::model::job::{Job, JobState};
use crate::graph::model::settings::{MissingJob, Settings};
use crate::graph::model::tenant::{ServicePrincipal, Tenant};
use crate::graph::model::{Caller, Effect, Ids, Model};
use crate::graph::paging;

/// What a handler says; a refusal is an answer too, so that `?` ends a handler early.
pub type Answered = Result<Reply, Reply>;

pub struct Call<'a> {
    pub model: &'a mut Model,
    pub request: &'a Request,
    pub caller: Caller,
    pub ids: &'a Ids,
    /// The name of the operation, as in the ledger.
    pub operation: &'static str,
    pub params: Vec<(&'static str, String)>,
}

impl Call<'_> {
    pub fn now(&self) -> Timestamp {
        self.model.now()
    }

    /// A part of the path; empty if the route has none of that name.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub fn settings(&self) -> Settings {
        self.model.settings(&self.caller.tenant_id)
    }

    pub fn tenant(&mut self) -> Result<&mut Tenant, Reply> {
        let missing =
            Reply::error(404, "Directory_ObjectNotFound", "Unable to read the company information from the directory.");
        self.model.tenants.get_mut(&self.caller.tenant_id).ok_or(missing)
    }

    /// The object id of the service principal of this route.
    pub fn principal_id(&mut self) -> String {
        let named = self.param("sp").to_owned();
        self.tenant().ok().and_then(|tenant| tenant.find(&named).map(|(id, _)| id.clone())).unwrap_or(named)
    }

    pub fn principal(&mut self) -> Result<&mut ServicePrincipal, Reply> {
        let id = self.principal_id();
        let missing = Reply::object_not_found(&id);
        self.model.service_principal(&self.caller.tenant_id, &id).ok_or(missing)
    }

    /// The jobs that the replica of this call shows.
    pub fn visible_jobs(&mut self) -> Vec<(Job, JobState)> {
        let id = self.principal_id();
        self.model.visible_jobs(&self.caller.tenant_id, &id)
    }

    /// The job of this route as it really is, if the replica of this call knows it.
    pub fn job(&mut self) -> Result<&mut Job, Reply> {
        let wanted = self.param("job").to_owned();
        let known = self.visible_jobs().iter().any(|(job, _)| job.id == wanted);
        let missing = self.job_not_found();
        let jobs = &mut self.principal()?.jobs;
        jobs.iter_mut().find(|job| known && job.id == wanted && job.is_live()).ok_or(missing)
    }

    /// The same job once more, whatever the next replica would say.
    pub fn job_again(&mut self) -> Result<&mut Job, Reply> {
        let wanted = self.param("job").to_owned();
        let missing = self.job_not_found();
        let jobs = &mut self.principal()?.jobs;
        jobs.iter_mut().find(|job| job.id == wanted && job.is_live()).ok_or(missing)
    }

    pub fn job_not_found(&self) -> Reply {
        match self.settings().missing_job {
            MissingJob::ResourceNotFound => {
                Reply::error(404, "ResourceNotFound", "The synchronization job does not exist.")
            }
            MissingJob::RequestResourceNotFound => Reply::object_not_found(self.param("job")),
            MissingJob::UnknownError => Reply::error(404, "UnknownError", ""),
        }
    }

    pub fn commit(&mut self, job: Option<&Job>, detail: Value) {
        self.note(job, detail, false);
    }

    /// Notes a call that was accepted although there was nothing to do.
    pub fn commit_no_change(&mut self, job: Option<&Job>, detail: Value) {
        self.note(job, detail, true);
    }

    fn note(&mut self, job: Option<&Job>, detail: Value, no_change: bool) {
        let id = self.principal_id();
        let effect = Effect { service_principal: &id, job, no_change, detail };
        self.model.commit(self.operation, &self.caller, self.ids, &effect);
    }

    /// The body as a type; a body that does not fit is a 400.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Reply> {
        let read = serde_json::from_slice(&self.request.body);
        read.map_err(|error| Reply::bad_request(&format!("The body cannot be read: {error}.")))
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, Reply> {
        self.request.json().map_err(|_| Reply::bad_request("Unable to read JSON request payload."))
    }

    /// `@odata.context` for this path below the version root.
    pub fn context(&self, path: &str) -> String {
        let version = self.request.segments.first().map(String::as_str).unwrap_or_default();
        format!("{}/{version}/$metadata#{path}", self.model.origin)
    }

    /// An entity with its context.
    pub fn entity(&self, context: &str, mut body: Value) -> Value {
        let mut whole = json!({"@odata.context": self.context(context)});
        if let (Some(whole), Some(body)) = (whole.as_object_mut(), body.as_object_mut()) {
            whole.append(body);
        }
        whole
    }

    /// One page of a collection.
    pub fn collection(&self, context: &str, items: Vec<Value>) -> Answered {
        paging::page(self, &self.context(context), items)
    }
}
