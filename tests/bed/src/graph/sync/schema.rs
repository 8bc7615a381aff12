//! Schemas of jobs and templates: read, replaced as a whole, reset (CONTRACT §2.3).

use serde_json::Value;

use super::{catalog, gate, lifecycle, schema_default, templates};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::settings::SchemaResetStatus;
use crate::graph::permissions;

/// The schema in force: of the job, else of the edited template, else of the connector.
pub fn effective(call: &mut Call<'_>) -> Result<Value, Reply> {
    let (id, template_id, own) = if call.param("job").is_empty() {
        let template = templates::known(call)?;
        (template.clone(), template, None)
    } else {
        let wanted = call.param("job").to_owned();
        let found = call.visible_jobs().into_iter().find(|(job, _)| job.id == wanted);
        let (job, _) = found.ok_or_else(|| call.job_not_found())?;
        (job.id, job.template_id, job.schema)
    };
    let edited = call.principal()?.template_schemas.get(&template_id).cloned();
    let template = catalog::template(call.tenant()?, &template_id);
    Ok(own.or(edited).map_or_else(
        || schema_default::schema(&id, &template_id, &template),
        |mut schema| {
            schema["id"] = id.clone().into();
            schema
        },
    ))
}

/// Schemas of jobs may need one more permission.
fn custom_attributes(call: &mut Call<'_>, write: bool) -> Result<(), Reply> {
    let concerned = !call.param("job").is_empty() && call.principal()?.custom_security_attributes;
    if concerned { permissions::check_custom_attributes(call.model, &call.caller, write) } else { Ok(()) }
}

pub fn get(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    custom_attributes(call, false)?;
    let schema = effective(call)?;
    let context = call.request.segments[1..].join("/");
    Ok(Reply::ok(call.entity(&format!("{context}/$entity"), schema)))
}

pub fn put(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    custom_attributes(call, true)?;
    let mut schema = call.json()?;
    if !schema["synchronizationRules"].is_array() {
        return Err(Reply::bad_request("The schema has no 'synchronizationRules'."));
    }
    if let Some(members) = schema.as_object_mut() {
        members.retain(|name, _| !name.starts_with("@odata."));
    }
    store(call, Some(schema))?;
    Ok(Reply::no_content())
}

pub fn reset(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    custom_attributes(call, true)?;
    store(call, None)?;
    Ok(match call.settings().schema_reset_status {
        SchemaResetStatus::NoContent => Reply::no_content(),
        SchemaResetStatus::Created => Reply { status: 201, ..Reply::no_content() },
    })
}

fn store(call: &mut Call<'_>, schema: Option<Value>) -> Result<(), Reply> {
    let (settings, now) = (call.settings(), call.now());
    if call.param("job").is_empty() {
        let template = templates::known(call)?;
        let edited = &mut call.principal()?.template_schemas;
        match schema {
            Some(schema) => edited.insert(template.clone(), schema),
            None => edited.remove(&template),
        };
        call.commit(None, serde_json::json!({"templateId": template}));
        return Ok(());
    }
    let job = call.job()?;
    job.schema = schema;
    lifecycle::begin_anew(job, &settings, now);
    let job = job.clone();
    call.commit(Some(&job), Value::Null);
    Ok(())
}
