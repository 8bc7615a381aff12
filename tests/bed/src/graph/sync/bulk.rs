//! Uploads of API-driven inbound provisioning (CONTRACT §2.7).

use serde_json::{Value, json};

use super::gate;
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;

const OPERATIONS_MAX: usize = 50;

pub fn upload(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let invalid = || Reply::error(400, "BadRequest", "Invalid Data Format");
    let job = call.job()?.clone();
    if !job.template_id.starts_with("API2") || !call.request.header("content-type").starts_with("application/scim+json")
    {
        return Err(invalid());
    }
    let body: Value = call.request.json().map_err(|_| invalid())?;
    let count = body["Operations"].as_array().map(Vec::len).ok_or_else(invalid)?;
    if count == 0 || count > OPERATIONS_MAX {
        return Err(invalid());
    }
    call.commit(Some(&job), json!({"operations": count}));
    let log = format!("{}/v1.0/auditLogs/provisioning/?$filter=jobid%20eq%20'{}'", call.model.origin, job.id);
    Ok(Reply { status: 202, ..Reply::no_content() }.with("location", log))
}
