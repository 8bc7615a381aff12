//! The control API: tenants, faults, clock and ledger, as JSON under `/control`.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Shared;
use super::calls::{Request, lock};
use super::faults::Fault;
use super::jobs::Answer;
use super::model::{Application, Caller, Job, Model, ServicePrincipal, Tenant};

pub fn handle(shared: &Shared, request: &Request) -> Answer {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).skip(1).collect();
    let body: Value = if request.body.is_empty() {
        Value::Null
    } else {
        match serde_json::from_slice(&request.body) {
            Ok(body) => body,
            Err(error) => return bad(&error.to_string()),
        }
    };
    let mut model = lock(shared);
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["ledger"]) => (200, json!({"value": model.ledger})),
        ("GET", ["calls"]) => (200, json!({"value": model.calls})),
        ("GET", ["faults"]) => (200, json!({"value": model.faults})),
        ("POST", ["faults"]) => add_fault(&mut model, body),
        ("DELETE", ["faults"]) => {
            model.faults.clear();
            done()
        }
        ("POST", ["clock"]) => {
            model.clock_offset += Duration::from_secs(body["advanceSeconds"].as_u64().unwrap_or_default());
            done()
        }
        ("POST", ["tokens", "revoke"]) => {
            model.tokens_from = model.now();
            done()
        }
        (_, ["tenants", tenant, rest @ ..]) => tenant_call(&mut model, &request.method, tenant, rest, body),
        _ => (404, json!({"error": "no such control call"})),
    }
}

fn tenant_call(model: &mut Model, method: &Method, tenant: &str, rest: &[&str], body: Value) -> Answer {
    let now = model.now();
    match (method.as_str(), rest) {
        ("PUT", []) => put(body, |settings: Tenant| {
            let known = model.tenants.entry(tenant.to_owned()).or_default();
            let old = std::mem::replace(known, settings);
            known.applications.extend(old.applications);
            known.service_principals.extend(old.service_principals);
        }),
        ("PUT", ["applications", id]) => put(body, |app: Application| {
            model.tenants.entry(tenant.to_owned()).or_default().applications.insert((*id).to_owned(), app);
        }),
        ("PATCH", ["applications", id, "secrets"]) => {
            let known = model.tenants.entry(tenant.to_owned()).or_default();
            let revoked = body["revoked"].as_bool().unwrap_or_default();
            known
                .applications
                .entry((*id).to_owned())
                .or_default()
                .secrets
                .iter_mut()
                .for_each(|secret| secret.revoked = revoked);
            done()
        }
        ("PUT", ["servicePrincipals", id]) => put(body, |mut found: ServicePrincipal| {
            let known = model.tenants.entry(tenant.to_owned()).or_default();
            if let Some(old) = known.service_principals.remove(*id) {
                found.jobs.extend(old.jobs);
            }
            known.service_principals.insert((*id).to_owned(), found);
        }),
        (verb @ ("DELETE" | "POST"), ["servicePrincipals", id, rest @ ..])
            if rest.is_empty() || rest == ["restore"] =>
        {
            let known = model.tenants.entry(tenant.to_owned()).or_default();
            known.service_principals.entry((*id).to_owned()).or_default().deleted = verb == "DELETE";
            done()
        }
        ("PUT", ["servicePrincipals", sp, "jobs", id]) => put_job(model, tenant, sp, id, &body, now),
        ("DELETE", ["servicePrincipals", sp, "jobs", id]) => {
            if let Some(found) = model.service_principal(tenant, sp) {
                found.jobs.iter_mut().filter(|job| job.id == *id).for_each(|job| job.deleted = Some(now));
            }
            done()
        }
        _ => (404, json!({"error": "no such control call"})),
    }
}

/// A job that somebody else made or changed: what is not named keeps its value.
fn put_job(model: &mut Model, tenant: &str, sp: &str, id: &str, body: &Value, now: jiff::Timestamp) -> Answer {
    let Some(found) = model.service_principal(tenant, sp) else { return bad("no such service principal") };
    let known = found.jobs.iter().position(|job| job.id == id);
    let mut job = known.map_or_else(
        || Job {
            id: id.to_owned(),
            template_id: String::new(),
            schedule_state: "Disabled".to_owned(),
            code: "Paused".to_owned(),
            created: now,
            deleted: None,
        },
        |index| found.jobs.remove(index),
    );
    for (field, value) in
        [("templateId", &mut job.template_id), ("scheduleState", &mut job.schedule_state), ("code", &mut job.code)]
    {
        if let Some(text) = body[field].as_str() {
            text.clone_into(value);
        }
    }
    found.jobs.push(job.clone());
    let portal = Caller { tenant_id: tenant.to_owned(), app_id: "portal".to_owned(), ..Caller::default() };
    model.commit("outOfBand", &portal, sp, Some(&job), ("", ""));
    done()
}

fn add_fault(model: &mut Model, body: Value) -> Answer {
    match serde_json::from_value::<Fault>(body) {
        Ok(mut fault) => {
            fault.id = Uuid::new_v4().to_string();
            let id = fault.id.clone();
            model.faults.push(fault);
            (200, json!({"id": id}))
        }
        Err(error) => bad(&error.to_string()),
    }
}

fn put<T: serde::de::DeserializeOwned>(body: Value, store: impl FnOnce(T)) -> Answer {
    match serde_json::from_value(body) {
        Ok(value) => {
            store(value);
            done()
        }
        Err(error) => bad(&error.to_string()),
    }
}

fn done() -> Answer {
    (200, json!({}))
}

fn bad(message: &str) -> Answer {
    (400, json!({"error": message}))
}
