//! List, create, read and delete jobs (graph-api §2.2, §4.1, §4.2, §4.6, §4.9).

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::catalog::{self, Template};
use super::{credentials, gate, query_options, render};
use crate::graph::http::call::{Answered, Call, job_not_found};
use crate::graph::http::reply::Reply;
use crate::graph::model::job::{Code, Job, JobState};
use crate::graph::model::settings::{CreateStatus, DuplicateCreate, JobIds, NewJob, Settings, WrongTemplate};
use crate::graph::model::tenant::ServicePrincipal;

pub fn list(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    query_options(call)?;
    let id = call.principal_id();
    let jobs = call.visible_jobs();
    let tenant = call.tenant()?;
    let items = jobs.iter().map(|(job, state)| render::job(job, state, &catalog::template(tenant, &job.template_id)));
    let items = items.collect();
    call.collection(&format!("servicePrincipals('{id}')/synchronization/jobs"), items)
}

pub fn get(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    query_options(call)?;
    let wanted = call.param("job").to_owned();
    let found = call.visible_jobs().into_iter().find(|(job, _)| job.id == wanted);
    let (job, state) = found.ok_or_else(job_not_found)?;
    let template = catalog::template(call.tenant()?, &job.template_id);
    let body = render::job(&job, &state, &template);
    Ok(Reply::ok(entity(call, body)))
}

fn entity(call: &mut Call<'_>, body: Value) -> Value {
    let id = call.principal_id();
    call.entity(&format!("servicePrincipals('{id}')/synchronization/jobs/$entity"), body)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct New {
    template_id: Option<String>,
}

pub fn create(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let wanted = call.body::<New>()?.template_id.filter(|id| !id.is_empty());
    let wanted = wanted.ok_or_else(|| Reply::bad_request("The property 'templateId' is required."))?;
    let (settings, now, tenant_id) = (call.settings(), call.now(), call.caller.tenant_id.clone());
    let offered = call.principal()?.templates.iter().find(|offered| offered.eq_ignore_ascii_case(&wanted)).cloned();
    let offered = offered.ok_or_else(|| wrong_template(&settings))?;
    let template = catalog::template(call.tenant()?, &offered);
    if !template.creatable {
        return Err(wrong_template(&settings));
    }
    let shown = template.alias.clone().unwrap_or_else(|| offered.clone());
    let principal = call.principal()?;
    let existing = principal.jobs.iter().find(|job| job.is_live() && job.template_id == shown).cloned();
    let status = if settings.create_status == CreateStatus::Created { 201 } else { 200 };
    if let Some(existing) = existing {
        // Ids without a random part leave no room for a second job.
        let collides = settings.job_ids == JobIds::WithoutRandom;
        match settings.duplicate_create {
            DuplicateCreate::ReturnExisting => {
                let body = render::job(&existing, existing.now(), &template);
                return Ok(Reply::json(status, entity(call, body)));
            }
            DuplicateCreate::SecondJob if !collides => {}
            _ => return Err(Reply::error(409, "Conflict", "A synchronization job of this template exists already.")),
        }
    }
    let code = first_code(&settings, principal, &template);
    let job =
        Job::new(job_id(settings.job_ids, &offered, &tenant_id), shown, now, JobState { code, ..JobState::default() });
    principal.jobs.push(job.clone());
    call.commit(Some(&job), Value::Null);
    let body = render::job(&job, job.now(), &template);
    Ok(Reply::json(status, entity(call, body)))
}

fn wrong_template(settings: &Settings) -> Reply {
    match settings.wrong_template {
        WrongTemplate::BadRequest => Reply::bad_request("The template is not available for this service principal."),
        WrongTemplate::UnknownError => Reply::error(400, "UnknownError", ""),
        WrongTemplate::NotFound => Reply::error(404, "ResourceNotFound", "The template does not exist."),
    }
}

/// Nothing is configured until the connector has what it needs.
pub fn first_code(settings: &Settings, principal: &ServicePrincipal, template: &Template) -> Code {
    let configured = credentials::missing(template, &principal.secrets).is_none();
    match settings.new_job {
        NewJob::ByCredentials if configured => Code::Paused,
        NewJob::Paused => Code::Paused,
        NewJob::ByCredentials | NewJob::NotConfigured => Code::NotConfigured,
    }
}

pub fn job_id(form: JobIds, template: &str, tenant: &str) -> String {
    let tenant = tenant.replace('-', "");
    match form {
        JobIds::Current => format!("{template}.{tenant}.{}", Uuid::new_v4()),
        JobIds::WithoutRandom => format!("{template}.{tenant}"),
        JobIds::Guid => Uuid::new_v4().to_string(),
    }
}

/// Sends nothing to the target, and leaves the secrets where they are.
pub fn delete(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let now = call.now();
    let job = call.job()?;
    job.delete(now);
    let job = job.clone();
    call.commit(Some(&job), json!(null));
    Ok(Reply::no_content())
}
