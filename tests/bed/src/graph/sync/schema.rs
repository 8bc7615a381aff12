//! Schemas of jobs and templates: read, replaced as a whole, reset (CONTRACT §2.3, §3.8).

use std::sync::Arc;

use serde_json::Value;

use super::schema_form::{self, Stamp};
use super::{catalog, gate, lifecycle, schema_check, schema_default, templates};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::job::{Job, Schema};
use crate::graph::model::settings::{SchemaOrder, SchemaResetStatus, Settings};
use crate::graph::model::tenant::Tenant;
use crate::graph::permissions;

/// What a PUT is judged by.
pub struct Change<'a> {
    /// The id of the job or template.
    pub owner: &'a str,
    pub now: jiff::Timestamp,
    pub current: Schema,
    /// What a reset leads to.
    pub default: Schema,
}

/// A schema in the service's form, or a refusal.
pub fn accepted(sent: Value, change: &Change<'_>, settings: &Settings) -> Result<Schema, Reply> {
    let mut schema = schema_check::checked(sent, change, settings)?;
    let stamp = Stamp { owner: change.owner, now: change.now, current: &change.current };
    schema_form::stamp(&mut schema, &stamp, settings);
    Ok(Arc::new(schema))
}

/// Gives a job a schema of its own, or the template's again; its next cycle reads everything.
pub fn save(job: &mut Job, schema: Option<Schema>, settings: &Settings, now: jiff::Timestamp) {
    job.schema.change(now, |current| *current = schema);
    lifecycle::begin_anew(job, settings, now);
}

/// What the template has: an edited one, else the one that was given, else the connector's.
pub fn of_template(tenant: &Tenant, service_principal: &str, template_id: &str) -> Schema {
    let principal = tenant.service_principals.get(service_principal);
    // Jobs show the alias of their template.
    let is_meant = |id: &str| id == template_id || catalog::template(tenant, id).alias.as_deref() == Some(template_id);
    let edited = principal.and_then(|found| found.edited_schemas.iter().find(|(id, _)| is_meant(id)));
    let given = principal.and_then(|found| found.template_schemas.iter().find(|(id, _)| is_meant(id)));
    edited.map(|(_, schema)| schema).or(given.map(|(_, given)| &given.0)).cloned().unwrap_or_else(|| {
        Arc::new(schema_default::schema(template_id, template_id, &catalog::template(tenant, template_id)))
    })
}

/// The schema in force for a job.
pub fn of_job(tenant: &Tenant, service_principal: &str, job: &Job) -> Schema {
    job.schema.current().clone().unwrap_or_else(|| of_template(tenant, service_principal, &job.template_id))
}

/// As it is shown: it has the id of what it belongs to, if it has one at all.
pub fn owned_by(schema: &Schema, owner: &str) -> Value {
    let mut shown = Value::clone(schema);
    if let Some(id) = shown.get_mut("id") {
        *id = owner.into();
    }
    shown
}

/// The schema in force where the route points, as the replica of this call knows it.
pub fn effective(call: &mut Call<'_>) -> Result<Value, Reply> {
    let sp = call.principal_id();
    if call.param("job").is_empty() {
        let template = templates::known(call)?;
        let schema = of_template(call.tenant()?, &sp, &template);
        return Ok(owned_by(&schema, &template));
    }
    let wanted = call.param("job").to_owned();
    let found = call.visible_jobs().into_iter().find(|(job, _)| job.id == wanted);
    let (job, _) = found.ok_or_else(|| call.job_not_found())?;
    let schema = of_job(call.tenant()?, &sp, &job);
    Ok(owned_by(&schema, &job.id))
}

/// Schemas of jobs may need one more permission.
fn custom_attributes(call: &mut Call<'_>, write: bool) -> Result<(), Reply> {
    let concerned = !call.param("job").is_empty() && call.principal()?.custom_security_attributes;
    if concerned { permissions::check_custom_attributes(call.model, &call.caller, write) } else { Ok(()) }
}

pub fn get(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    custom_attributes(call, false)?;
    let mut schema = effective(call)?;
    if call.settings().schema_order == SchemaOrder::Shuffled {
        schema_form::shuffle(&mut schema, &mut call.model.next_read());
    }
    let context = call.request.segments[1..].join("/");
    Ok(Reply::ok(call.entity(&format!("{context}/$entity"), schema)))
}

pub fn put(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    custom_attributes(call, true)?;
    let sent = call.json()?;
    let (settings, now, sp) = (call.settings(), call.now(), call.principal_id());
    if call.param("job").is_empty() {
        let template = templates::known(call)?;
        let current = of_template(call.tenant()?, &sp, &template);
        let change = Change { owner: &template, now, current: current.clone(), default: current };
        let schema = accepted(sent, &change, &settings)?;
        return edit_template(call, &template, Some(schema));
    }
    let job = call.job()?.clone();
    let tenant = call.tenant()?;
    let (current, default) = (of_job(tenant, &sp, &job), of_template(tenant, &sp, &job.template_id));
    let schema = accepted(sent, &Change { owner: &job.id, now, current, default }, &settings)?;
    edit_job(call, Some(schema))
}

pub fn reset(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    custom_attributes(call, true)?;
    let status = call.settings().schema_reset_status;
    let answer = if call.param("job").is_empty() {
        let template = templates::known(call)?;
        edit_template(call, &template, None)
    } else {
        call.job()?;
        edit_job(call, None)
    }?;
    Ok(match status {
        SchemaResetStatus::NoContent => answer,
        SchemaResetStatus::Created => Reply { status: 201, ..answer },
    })
}

fn edit_template(call: &mut Call<'_>, template: &str, schema: Option<Schema>) -> Answered {
    let edited = &mut call.principal()?.edited_schemas;
    match schema {
        Some(schema) => edited.insert(template.to_owned(), schema),
        None => edited.remove(template),
    };
    call.commit(None, serde_json::json!({"templateId": template}));
    Ok(Reply::no_content())
}

fn edit_job(call: &mut Call<'_>, schema: Option<Schema>) -> Answered {
    let (settings, now) = (call.settings(), call.now());
    let job = call.job_again()?;
    save(job, schema, &settings, now);
    let job = job.clone();
    call.commit(Some(&job), Value::Null);
    Ok(Reply::no_content())
}
