//! From what the tenant has to SyncJobs that leave it as it is.

use super::credentials::{self, Credentials};
use super::held::{is_id, template_of};
use super::names::{Parts, names};
use super::remarks::Remarks;
use super::settings::{self, Settings};
use super::tenant::Principal;
use crate::api::sync_job::Mappings;
use crate::api::{Adoption, AdoptionPolicy, DeletionPolicy, Mode, RunState, SyncJob, SyncJobSpec};
use crate::args::{Import, ImportMode};
use crate::plan::ObservedJob;
use crate::plan::ids::{ServicePrincipalId, TemplateId};

const JOB_CHARS_MAX: usize = 512;

const NO_PLACE: &str = "An id of a job or of its template, or that of the service principal, is in no form that a SyncJob can hold; that job is left out.";
const SECOND: &str = "There are several jobs of one template, and a SyncJob holds only one of them: one is written, and the others as comments below it.";

/// One SyncJob, and what stands there about it.
pub(super) struct Imported {
    pub object: SyncJob,
    pub comments: Vec<String>,
    /// Keys of credentials that Graph does not show.
    pub hidden: Vec<String>,
}

/// A SyncJob, and further jobs of its template.
pub(super) struct Document {
    pub first: Imported,
    pub others: Vec<Imported>,
}

impl Document {
    /// The name of its SyncJob.
    pub(super) fn name(&self) -> &str {
        self.first.object.metadata.name.as_deref().unwrap_or_default()
    }
}

/// A job that has a place.
struct Placed<'a> {
    principal: &'a Principal,
    job: &'a ObservedJob,
    template: TemplateId,
    /// The number of the first job of its template.
    with: usize,
}

/// A document for each template of each service principal.
pub(super) fn documents(principals: &[Principal], options: &Import, remarks: &mut Remarks) -> Vec<Document> {
    let mut placed: Vec<Placed<'_>> = Vec::new();
    for principal in principals {
        let begin = placed.len();
        for (job, template) in in_order(principal, remarks) {
            let first = placed[begin..].iter().position(|other| other.template.same_as(template.as_str()));
            let with = first.map_or(placed.len(), |first| begin + first);
            if with < placed.len() {
                remarks.left_out(&principal.shown, SECOND);
            }
            placed.push(Placed { principal, job, template, with });
        }
    }
    let parts: Vec<Parts<'_>> = placed.iter().map(parts).collect();
    let (mut documents, mut number_of) = (Vec::<Document>::new(), vec![0; placed.len()]);
    for (number, (placed, name)) in placed.iter().zip(names(&parts)).enumerate() {
        let imported = imported(placed, &name, options);
        if placed.with == number {
            number_of[number] = documents.len();
            documents.push(Document { first: imported, others: Vec::new() });
        } else {
            documents[number_of[placed.with]].others.push(imported);
        }
    }
    documents
}

fn parts<'a>(placed: &'a Placed<'_>) -> Parts<'a> {
    let shown = &placed.principal.shown;
    Parts {
        display_name: shown.display_name.as_deref(),
        template: placed.template.as_str(),
        service_principal: &shown.id,
    }
}

/// The jobs that have a place, by template; of one template the one that runs first.
fn in_order<'a>(principal: &'a Principal, remarks: &mut Remarks) -> Vec<(&'a ObservedJob, TemplateId)> {
    let is_principal = ServicePrincipalId::parse(&principal.shown.id).is_some();
    let mut jobs = Vec::new();
    for job in &principal.jobs {
        match template_of(job).filter(|_| is_principal && is_id(&job.id, JOB_CHARS_MAX)) {
            Some(template) => jobs.push((job, template)),
            None => remarks.left_out(&principal.shown, NO_PLACE),
        }
    }
    jobs.sort_by_cached_key(|(job, template)| (template.as_str().to_lowercase(), !job.scheduled(), job.id.clone()));
    jobs
}

fn imported(placed: &Placed<'_>, name: &str, options: &Import) -> Imported {
    let Placed { principal, job, template, .. } = placed;
    let mut comments = vec![introduction(principal)];
    let state = job.run_state();
    if state.is_none() {
        comments.push(format!(
            "`state` is left out, and the mode is one that sends nothing: Graph {}.",
            job.schedule_state.as_ref().map_or_else(
                || "does not say whether the job is scheduled".to_owned(),
                |word| format!("says '{word}' of its schedule, a word that is not known here")
            )
        ));
    }
    if job.template_id.as_deref().and_then(TemplateId::parse).is_none() {
        comments.push("`templateId` is the beginning of the job's id: Graph does not name the template.".to_owned());
    }
    let set = principal.secrets.as_deref();
    let settings = set.map(|set| settings::read(set, template.as_str()));
    let credentials = set.filter(|_| options.credentials).map(credentials::read).unwrap_or_default();
    comments.extend(remarks_on(settings.as_ref(), &credentials));
    let settings = settings.unwrap_or_default();
    let mappings = mappings(principal, job, options, &mut comments);
    let spec = SyncJobSpec {
        service_principal_id: principal.shown.id.clone(),
        template_id: template.as_str().to_owned(),
        tenant_ref: options.tenant_ref.clone(),
        state,
        deletion_policy: Some(DeletionPolicy::Retain),
        adoption: Some(Adoption { policy: AdoptionPolicy::Only, job_id: Some(job.id.clone()) }),
        mode: mode(options.mode, state),
        out_of_band_policy: None,
        missing_job_policy: None,
        poll_interval_seconds: None,
        credentials: (!credentials.shown.is_empty()).then_some(credentials.shown),
        credential_validation: None,
        scope: settings.scope,
        out_of_scope_deletions: settings.out_of_scope_deletions,
        notifications: settings.notifications,
        delete_threshold: settings.delete_threshold,
        restart_after_change: None,
        mappings,
    };
    let mut object = SyncJob::new(name, spec);
    object.metadata.namespace.clone_from(&options.namespace);
    Imported { object, comments, hidden: credentials.hidden }
}

/// The overlay of a job, if there is anything in it.
fn mappings(
    principal: &Principal,
    job: &ObservedJob,
    options: &Import,
    comments: &mut Vec<String>,
) -> Option<Mappings> {
    let Some(read) = principal.mappings.get(&job.id) else {
        comments.extend(options.mappings.then(|| "Mappings are left out: they could not be read.".to_owned()));
        return None;
    };
    comments.extend(read.left_out.iter().map(|why| format!("Mappings that are left out: {why}")));
    (read.mappings != Mappings::default()).then(|| read.mappings.clone())
}

fn introduction(principal: &Principal) -> String {
    let shown = &principal.shown;
    let name = shown.display_name.as_deref().unwrap_or("(the display name could not be read)");
    let app = shown.app_id.as_ref().map_or(String::new(), |id| format!(", app id {id}"));
    format!("{name}{app}")
}

/// What is not declared, and why.
fn remarks_on(settings: Option<&Settings>, credentials: &Credentials) -> Vec<String> {
    let Some(settings) = settings else {
        return vec!["Settings and credentials are left out: they could not be read.".to_owned()];
    };
    let mut remarks: Vec<String> = settings.left_out.iter().map(|why| format!("Left out: {why}.")).collect();
    if !settings.absent.is_empty() {
        remarks.push(format!("Graph shows no value of: {}.", settings.absent.join(", ")));
    }
    if !credentials.left_out.is_empty() {
        remarks.push(format!("Credentials that a SyncJob cannot hold: {}.", credentials.left_out.join(", ")));
    }
    remarks
}

/// An absent `state` means Running, so that a job whose state is not known is only looked at.
fn mode(wanted: Option<ImportMode>, state: Option<RunState>) -> Option<Mode> {
    match (wanted, state) {
        (Some(ImportMode::Plan), _) => Some(Mode::Plan),
        (Some(ImportMode::Observe), _) | (Some(ImportMode::Manage) | None, None) => Some(Mode::Observe),
        (Some(ImportMode::Manage), Some(_)) => Some(Mode::Manage),
        (None, Some(_)) => None,
    }
}
