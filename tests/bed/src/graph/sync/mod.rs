//! The synchronization API: jobs, templates, schemas and secrets of a service principal.

mod actions;
mod bulk;
pub mod catalog;
mod connection;
pub mod create;
pub mod credentials;
pub mod cycle;
pub mod expressions;
pub mod jobs;
pub mod lifecycle;
pub mod notifications;
mod on_demand;
pub mod render;
pub mod schema;
mod schema_check;
mod schema_default;
mod schema_form;
mod schema_shape;
mod schema_tools;
mod scope;
pub mod secret_keys;
pub mod secrets;
pub mod target;
mod templates;
mod unverified;

use super::http::call::Call;
use super::http::reply::Reply;
use super::http::route::Line;
use super::model::clock::seconds;
use super::model::settings::{Accepts, DeletedServicePrincipal, NewServicePrincipal, QueryOptions, WithoutTemplates};
use super::permissions::Access::{Discover, Read, ReadSecrets, Upload, ValidateWithoutJob, Write, WriteAll};

#[rustfmt::skip]
pub const ROUTES: &[Line] = &[
    ("GET", "servicePrincipals/{sp}/synchronization/jobs", "listJobs", Read, jobs::list),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs", "createJob", Write, jobs::create),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs/validateCredentials", "validateCredentials", ValidateWithoutJob, credentials::validate),
    ("GET", "servicePrincipals/{sp}/synchronization/jobs/{job}", "getJob", Read, jobs::get),
    ("DELETE", "servicePrincipals/{sp}/synchronization/jobs/{job}", "deleteJob", Write, jobs::delete),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs/{job}/start", "startJob", Write, actions::start),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs/{job}/pause", "pauseJob", Write, actions::pause),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs/{job}/restart", "restartJob", Write, actions::restart),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs/{job}/provisionOnDemand", "provisionOnDemand", Write, on_demand::provision),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs/{job}/validateCredentials", "validateCredentials", Write, credentials::validate),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs/{job}/bulkUpload", "bulkUpload", Upload, bulk::upload),

    ("GET", "servicePrincipals/{sp}/synchronization/jobs/{job}/schema", "getSchema", Read, schema::get),
    ("PUT", "servicePrincipals/{sp}/synchronization/jobs/{job}/schema", "putSchema", Write, schema::put),
    ("DELETE", "servicePrincipals/{sp}/synchronization/jobs/{job}/schema", "deleteSchema", Write, schema::reset),
    ("GET", "servicePrincipals/{sp}/synchronization/templates/{tpl}/schema", "getTemplateSchema", Read, schema::get),
    ("GET", "applications/{app}/synchronization/templates/{tpl}/schema", "getTemplateSchema", Read, schema::get),
    ("PUT", "applications/{app}/synchronization/templates/{tpl}/schema", "putTemplateSchema", Write, schema::put),
    ("DELETE", "applications/{app}/synchronization/templates/{tpl}/schema", "deleteTemplateSchema", Write, schema::reset),
    ("GET", "servicePrincipals/{sp}/synchronization/jobs/{job}/schema/filterOperators", "filterOperators", Write, schema_tools::filter_operators),
    ("GET", "servicePrincipals/{sp}/synchronization/templates/{tpl}/schema/filterOperators", "filterOperators", Write, schema_tools::filter_operators),
    ("GET", "applications/{app}/synchronization/templates/{tpl}/schema/filterOperators", "filterOperators", Write, schema_tools::filter_operators),
    ("GET", "servicePrincipals/{sp}/synchronization/jobs/{job}/schema/functions", "functions", Write, schema_tools::functions),
    ("GET", "servicePrincipals/{sp}/synchronization/templates/{tpl}/schema/functions", "functions", Write, schema_tools::functions),
    ("GET", "applications/{app}/synchronization/templates/{tpl}/schema/functions", "functions", Write, schema_tools::functions),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs/{job}/schema/parseExpression", "parseExpression", Write, schema_tools::parse_expression),
    ("POST", "servicePrincipals/{sp}/synchronization/templates/{tpl}/schema/parseExpression", "parseExpression", Write, schema_tools::parse_expression),
    ("GET", "servicePrincipals/{sp}/synchronization/jobs/{job}/schema/directories", "listDirectories", Read, schema_tools::directories),
    ("GET", "servicePrincipals/{sp}/synchronization/jobs/{job}/schema/directories/{dir}", "getDirectory", Read, schema_tools::directory),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs/{job}/schema/directories/{dir}/discover", "discover", Discover, schema_tools::discover),

    ("GET", "servicePrincipals/{sp}/synchronization/templates", "listTemplates", Read, templates::list),
    ("GET", "applications/{app}/synchronization/templates", "listTemplates", Read, templates::list),
    ("GET", "servicePrincipals/{sp}/synchronization/templates/{tpl}", "getTemplate", Read, templates::get),
    ("GET", "applications/{app}/synchronization/templates/{tpl}", "getTemplate", Read, templates::get),
    ("PATCH", "applications/{app}/synchronization/templates/{tpl}", "updateTemplate", Write, templates::update),

    ("GET", "servicePrincipals/{sp}/synchronization/secrets", "getSecrets", ReadSecrets, secrets::get),
    ("PUT", "servicePrincipals/{sp}/synchronization/secrets", "putSecrets", Write, secrets::put),
    ("POST", "servicePrincipals/{sp}/synchronization/acquireAccessToken", "acquireAccessToken", Write, credentials::acquire),
    ("POST", "applications/{app}/synchronization/acquireAccessToken", "acquireAccessToken", Write, credentials::acquire),

    ("PATCH", "servicePrincipals/{sp}/synchronization/jobs/{job}", "updateJob", WriteAll, unverified::answer),
    ("POST", "servicePrincipals/{sp}/synchronization/jobs/{job}/validateConnectivity", "validateConnectivity", Write, unverified::answer),
    ("PATCH", "servicePrincipals/{sp}/synchronization/connectivityParameters", "updateConnectivityParameters", Write, unverified::answer),
    ("GET", "servicePrincipals/{sp}/synchronization/Ping()", "ping", Read, unverified::ping),
];

/// What every synchronization route asks first: is there such a service principal, and do its routes answer already?
fn gate(call: &mut Call<'_>) -> Result<(), Reply> {
    let settings = call.settings();
    if call.param("sp").starts_with("appId=") && settings.addressing_by_app_id == Accepts::Refused {
        return Err(super::http::route::unknown(call.request));
    }
    let app = call.param("app").to_owned();
    if !app.is_empty() {
        let principal = call.tenant()?.principal_of_application(&app);
        let id = principal.ok_or_else(|| Reply::object_not_found(&app))?;
        call.params.push(("sp", id));
    }
    let id = call.principal_id();
    let (now, operation) = (call.now(), call.operation);
    let tenant = call.tenant()?;
    let Some((_, found)) = tenant.find(&id) else {
        // The id of an application where a service principal is meant is a mistake that the back end meets.
        let application = tenant.principal_of_application(&id).is_some();
        return Err(if application { Reply::error(404, "UnknownError", "") } else { Reply::object_not_found(&id) });
    };
    if found.deleted.is_some() {
        return Err(match settings.service_principal_deleted {
            DeletedServicePrincipal::NotFound => Reply::object_not_found(&id),
            DeletedServicePrincipal::UnknownError => Reply::error(404, "UnknownError", ""),
        });
    }
    let empty_list =
        settings.without_templates == WithoutTemplates::EmptyLists && matches!(operation, "listJobs" | "listTemplates");
    if found.templates.is_empty() && !empty_list {
        return Err(Reply::error(400, "UnknownError", ""));
    }
    let young = found
        .created
        .is_some_and(|created| now.duration_since(created) < seconds(settings.new_service_principal_seconds));
    if young {
        let odd = call.model.lag(&call.caller.tenant_id.clone()).existence.is_zero();
        return not_ready(settings.new_service_principal, &id, odd);
    }
    Ok(())
}

fn not_ready(how: NewServicePrincipal, id: &str, odd: bool) -> Result<(), Reply> {
    match how {
        NewServicePrincipal::NotFound => Err(Reply::object_not_found(id)),
        NewServicePrincipal::Unauthorized => Err(Reply::error(401, "UnknownError", "")),
        NewServicePrincipal::Forbidden => {
            Err(Reply::error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."))
        }
        NewServicePrincipal::Flapping if odd => Err(Reply::object_not_found(id)),
        NewServicePrincipal::Flapping => Ok(()),
    }
}

/// Whether the query options of a route on jobs are tolerated.
fn query_options(call: &Call<'_>) -> Result<(), Reply> {
    let refused = call.settings().query_options_on_jobs == QueryOptions::Refused;
    match call.request.query.iter().find(|(name, _)| name.starts_with('$') && name != "$skiptoken") {
        Some((name, _)) if refused => Err(Reply::bad_request(&format!("The query option '{name}' is not supported."))),
        _ => Ok(()),
    }
}
