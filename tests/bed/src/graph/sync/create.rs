//! Creates of jobs, by clients and in the portal (CONTRACT §4.1, §4.2, §4.6, §4.9).

use jiff::Timestamp;
use uuid::Uuid;

use super::catalog::{self, Template};
use super::connection;
use crate::graph::http::reply::Reply;
use crate::graph::model::job::{Code, Job, JobState};
use crate::graph::model::settings::{DuplicateCreate, JobIds, NewJob, Settings, WrongTemplate};
use crate::graph::model::tenant::{ServicePrincipal, Tenant};

/// What a create came to.
pub enum Created {
    New {
        job: Job,
        /// The id of the job whose place it took.
        replaced: Option<String>,
    },
    Existing(Job),
}

/// Makes a job of the template, or answers as the settings have it when there is one already.
pub fn create(
    tenant: &mut Tenant,
    tenant_id: &str,
    service_principal: &str,
    wanted: &str,
    now: Timestamp,
) -> Result<Created, Reply> {
    let settings = tenant.settings.clone();
    let missing = || Reply::object_not_found(service_principal);
    let principal = tenant.service_principals.get(service_principal).ok_or_else(missing)?;
    let offered = principal.templates.iter().find(|offered| offered.eq_ignore_ascii_case(wanted)).cloned();
    let offered = offered.ok_or_else(|| wrong_template(&settings))?;
    let template = catalog::template(tenant, &offered);
    if !template.creatable {
        return Err(wrong_template(&settings));
    }
    let shown = template.alias.clone().unwrap_or_else(|| offered.clone());
    let principal = tenant.service_principals.get_mut(service_principal).ok_or_else(missing)?;
    let mut replaced = None;
    if let Some(existing) = principal.jobs.iter_mut().find(|job| job.is_live() && job.template_id == shown) {
        match settings.duplicate_create {
            _ if existing.ghost.is_some() => return Err(conflict()),
            DuplicateCreate::ReturnExisting => return Ok(Created::Existing(existing.clone())),
            DuplicateCreate::Replace => {
                existing.delete(now);
                replaced = Some(existing.id.clone());
            }
            DuplicateCreate::SecondJob if settings.job_ids.leave_room() => {}
            DuplicateCreate::SecondJob | DuplicateCreate::Conflict => return Err(conflict()),
        }
    }
    let code = first_code(&settings, principal, &template);
    let id = job_id(settings.job_ids, &offered, tenant_id, &app_id(service_principal, principal));
    let mut job = Job::new(id, shown, now, JobState { code, ..JobState::default() });
    job.invisible = settings.create_invisible;
    principal.jobs.push(job.clone());
    Ok(Created::New { job, replaced })
}

fn conflict() -> Reply {
    Reply::error(409, "Conflict", "A synchronization job of this template exists already.")
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
    let configured = !connection::lacks(template, &principal.secrets);
    match settings.new_job {
        NewJob::ByCredentials if configured => Code::Paused,
        NewJob::Paused => Code::Paused,
        NewJob::ByCredentials | NewJob::NotConfigured => Code::NotConfigured,
    }
}

/// Of a service principal that was given without an application it is made from the object id.
fn app_id(id: &str, principal: &ServicePrincipal) -> String {
    if principal.app_id.is_empty() {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()).to_string()
    } else {
        principal.app_id.clone()
    }
}

fn job_id(form: JobIds, template: &str, tenant: &str, app_id: &str) -> String {
    let tenant = tenant.replace('-', "");
    match form {
        JobIds::ByApplication => format!("{template}.{tenant}.{app_id}"),
        JobIds::Random => format!("{template}.{tenant}.{}", Uuid::new_v4()),
        JobIds::TwoSegments => format!("{template}.{tenant}"),
        JobIds::Guid => Uuid::new_v4().to_string(),
    }
}
