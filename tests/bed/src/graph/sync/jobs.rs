//! List, create, read and delete jobs (CONTRACT §2.2, §4.1, §4.2, §4.6, §4.9).

use serde::Deserialize;
use serde_json::{Value, json};

use super::create::{self, Created};
use super::{catalog, gate, query_options, render};
use crate::graph::directory::equality;
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::settings::CreateStatus;

pub fn list(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    query_options(call)?;
    let id = call.principal_id();
    let (jobs, now) = (call.visible_jobs(), call.now());
    let wanted = call.request.query("$filter").and_then(equality).filter(|(name, _)| name == "templateId");
    let tenant = call.tenant()?;
    let wanted = wanted.map(|(_, id)| catalog::template(tenant, &id).alias.unwrap_or(id));
    let kept = jobs.iter().filter(|(job, _)| wanted.as_ref().is_none_or(|wanted| job.template_id == *wanted));
    let items = kept.map(|(job, state)| {
        render::job(job, state, &catalog::template(tenant, &job.template_id), &tenant.settings, now)
    });
    let items = items.collect();
    call.collection(&format!("servicePrincipals('{id}')/synchronization/jobs"), items)
}

pub fn get(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    query_options(call)?;
    let wanted = call.param("job").to_owned();
    let found = call.visible_jobs().into_iter().find(|(job, _)| job.id == wanted);
    let (job, state) = found.ok_or_else(|| call.job_not_found())?;
    let template = catalog::template(call.tenant()?, &job.template_id);
    let body = render::job(&job, &state, &template, &call.settings(), call.now());
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
    let id = call.principal_id();
    let job = match create::create(call.tenant()?, &tenant_id, &id, &wanted, now)? {
        Created::Existing(job) => job,
        Created::New { job, replaced } => {
            let detail = replaced.map_or(Value::Null, |id| json!({"replaced": id}));
            call.commit(Some(&job), detail);
            job
        }
    };
    let template = catalog::template(call.tenant()?, &job.template_id);
    let body = render::job(&job, job.now(), &template, &settings, now);
    let status = if settings.create_status == CreateStatus::Created { 201 } else { 200 };
    Ok(Reply::json(status, entity(call, body)))
}

/// Sends nothing to the target, and leaves the secrets where they are. Whichever job has the id now is deleted, be it
/// the one that the caller saw or a later one.
pub fn delete(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let (now, wanted) = (call.now(), call.param("job").to_owned());
    let named = call.principal()?.jobs.iter().find(|job| job.id == wanted && job.is_live());
    if let Some(ghost) = named.and_then(|job| job.ghost) {
        return Err(Reply::error(ghost.status, "UnknownError", ""));
    }
    let job = call.job()?;
    job.delete(now);
    let job = job.clone();
    call.commit(Some(&job), json!(null));
    Ok(Reply::no_content())
}
