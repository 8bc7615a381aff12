//! How a job looks and what the operations do to it (graph-api §4.1 to §4.3).

use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{Caller, Job, Model};

/// An answer: status and body.
pub type Answer = (u16, Value);

pub fn error(status: u16, code: &str, message: &str) -> Answer {
    (status, json!({"error": {"code": code, "message": message}}))
}

fn job_not_found() -> Answer {
    error(404, "ResourceNotFound", "The synchronization job does not exist.")
}

/// The JSON of a job; a started one has the default-filled execution that looks like a failure.
pub fn render(job: &Job) -> Value {
    let zero = "0001-01-01T00:00:00Z";
    let last = (job.schedule_state == "Active").then(|| {
        json!({"activityIdentifier": null, "state": "Failed", "countExported": 0, "timeBegan": zero, "timeEnded": zero,
               "error": {"code": "None", "message": "", "tenantActionable": false}})
    });
    json!({
        "id": job.id, "templateId": job.template_id,
        "schedule": {"expiration": null, "interval": "PT40M", "state": job.schedule_state},
        "status": {
            "countSuccessiveCompleteFailures": 0, "escrowsPruned": false, "code": job.code, "lastExecution": last,
            "lastSuccessfulExecution": null, "lastSuccessfulExecutionWithExports": null, "quarantine": null,
            "steadyStateFirstAchievedTime": zero, "steadyStateLastAchievedTime": zero, "troubleshootingUrl": "",
            "progress": [], "synchronizedEntryCountByType": [],
        },
        "synchronizationJobSettings": [{"name": "AzureIngestionAttributeOptimization", "value": "False"}],
    })
}

pub fn create(model: &mut Model, caller: &Caller, sp: &str, body: &Value, ids: (&str, &str)) -> Answer {
    let Some(wanted) = body["templateId"].as_str() else {
        return error(400, "BadRequest", "The property 'templateId' is required.");
    };
    let now = model.now();
    let Some(tenant) = model.tenants.get_mut(&caller.tenant_id) else { return job_not_found() };
    let (duplicate, wrong) = (tenant.duplicate_create.clone(), tenant.wrong_template.clone());
    let Some(found) = tenant.service_principals.get_mut(sp) else { return job_not_found() };
    let Some(template) = found.templates.iter().find(|offered| offered.eq_ignore_ascii_case(wanted)).cloned() else {
        return match wrong.as_str() {
            "unknownError" => error(400, "UnknownError", ""),
            _ => error(400, "BadRequest", "The template is not available for this service principal."),
        };
    };
    if let Some(existing) = found.jobs.iter().find(|job| job.deleted.is_none() && job.template_id == template) {
        match duplicate.as_str() {
            "conflict" => return error(409, "Conflict", "A job of this template exists already."),
            "returnExisting" => return (201, render(existing)),
            _ => {}
        }
    }
    let id = format!("{template}.{}.{}", caller.tenant_id.replace('-', ""), Uuid::new_v4());
    let job = Job {
        id,
        template_id: template,
        schedule_state: "Disabled".to_owned(),
        code: "Paused".to_owned(),
        created: now,
        deleted: None,
    };
    found.jobs.push(job.clone());
    model.commit("createJob", caller, sp, Some(&job), ids);
    (201, render(&job))
}

/// start, pause, restart and delete.
pub fn change(model: &mut Model, caller: &Caller, sp: &str, id: &str, operation: &str, ids: (&str, &str)) -> Answer {
    let visible = model.visible_jobs(&caller.tenant_id, sp).iter().any(|job| job.id == id);
    let now = model.now();
    let Some(found) = model.service_principal(&caller.tenant_id, sp) else { return job_not_found() };
    let Some(job) = found.jobs.iter_mut().find(|job| visible && job.id == id && job.deleted.is_none()) else {
        return job_not_found();
    };
    match operation {
        "startJob" | "restartJob" => ("Active", "NotRun").clone_into_job(job),
        "pauseJob" => ("Paused", "Paused").clone_into_job(job),
        _ => job.deleted = Some(now),
    }
    let job = job.clone();
    model.commit(operation, caller, sp, Some(&job), ids);
    (204, Value::Null)
}

trait CloneIntoJob {
    fn clone_into_job(self, job: &mut Job);
}

impl CloneIntoJob for (&str, &str) {
    fn clone_into_job(self, job: &mut Job) {
        self.0.clone_into(&mut job.schedule_state);
        self.1.clone_into(&mut job.code);
    }
}
