//! The wish, parsed: later code cannot hold an invalid one.

use std::time::Duration;

use crate::api::{
    AdoptionPolicy, DeletionPolicy, JobOrigin, MissingJobPolicy, Mode, OutOfBandPolicy, RunState, SyncJobSpec,
};
use crate::plan::sync_job::ids::{ServicePrincipalId, TemplateId};
use crate::plan::sync_job::mappings::Wish;
use crate::plan::sync_job::secrets::Declared;

const POLL_INTERVAL_DEFAULT: Duration = Duration::from_secs(600);

/// Whether a job that is there already may become the SyncJob's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adoption {
    Never,
    /// The only job of the template, if there is one.
    IfExists,
    /// The only job of the template, and none is created.
    Only,
    /// This job, and none is created.
    Named(String),
}

impl Adoption {
    /// The job that is to be adopted, where the spec names one.
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::Named(id) => Some(id),
            Self::Never | Self::IfExists | Self::Only => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Desired {
    pub service_principal: ServicePrincipalId,
    pub template: TemplateId,
    pub run_state: RunState,
    pub mode: Mode,
    pub adoption: Adoption,
    /// As written; what its absence means depends on how the job came to be the SyncJob's.
    pub deletion_policy: Option<DeletionPolicy>,
    pub out_of_band: OutOfBandPolicy,
    pub missing_job: MissingJobPolicy,
    pub poll_interval: Duration,
    /// Credentials and settings of the connector.
    pub content: Declared,
    pub mappings: Option<Wish>,
}

/// Why a spec cannot be acted on: one sentence for each field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals(pub Vec<String>);

impl Desired {
    /// The wish with a default for every optional field.
    pub fn new(service_principal: ServicePrincipalId, template: TemplateId) -> Self {
        Self {
            service_principal,
            template,
            run_state: RunState::Running,
            mode: Mode::Manage,
            adoption: Adoption::Never,
            deletion_policy: None,
            out_of_band: OutOfBandPolicy::Respect,
            missing_job: MissingJobPolicy::Report,
            poll_interval: POLL_INTERVAL_DEFAULT,
            content: Declared::default(),
            mappings: None,
        }
    }

    /// Whether a job that is there already may become the SyncJob's own.
    pub fn may_adopt(&self, id: &str) -> bool {
        match &self.adoption {
            Adoption::Never => false,
            Adoption::IfExists | Adoption::Only => true,
            Adoption::Named(named) => named == id,
        }
    }

    /// Repeats what admission checks: an object may be older than the rules.
    pub fn parse(spec: &SyncJobSpec) -> Result<Self, Refusals> {
        let poll = spec.poll_interval_seconds.map_or(Ok(POLL_INTERVAL_DEFAULT), |seconds| {
            u64::try_from(seconds)
                .map(|seconds| Duration::from_secs(seconds.clamp(60, 86_400)))
                .map_err(|_| "spec.pollIntervalSeconds must be from 60 to 86400")
        });
        let service_principal = ServicePrincipalId::parse(&spec.service_principal_id)
            .ok_or("spec.servicePrincipalId must be the GUID of a service principal");
        let template =
            TemplateId::parse(&spec.template_id).ok_or("spec.templateId must be a template id such as 'BoxOutDelta'");
        match (service_principal, template, adoption(spec), poll, Declared::parse(spec)) {
            (Ok(service_principal), Ok(template), Ok(adoption), Ok(poll_interval), Ok(content)) => Ok(Self {
                run_state: spec.run_state(),
                mode: spec.mode(),
                adoption,
                deletion_policy: spec.deletion_policy,
                out_of_band: spec.out_of_band_policy.unwrap_or(OutOfBandPolicy::Respect),
                missing_job: spec.missing_job_policy.unwrap_or(MissingJobPolicy::Report),
                poll_interval,
                content,
                mappings: Wish::parse(spec),
                ..Self::new(service_principal, template)
            }),
            (service_principal, template, adoption, poll, content) => Err(Refusals(
                [service_principal.err(), template.err(), adoption.err(), poll.err(), content.err()]
                    .into_iter()
                    .flatten()
                    .map(str::to_owned)
                    .collect(),
            )),
        }
    }

    /// What becomes of the job when the SyncJob goes. One that this SyncJob did not create survives unless its deletion is
    /// written out.
    pub fn deletion_policy(&self, origin: Option<JobOrigin>) -> DeletionPolicy {
        self.deletion_policy.unwrap_or(match origin {
            Some(JobOrigin::Adopted | JobOrigin::Replaced) => DeletionPolicy::Retain,
            Some(JobOrigin::Created) | None => DeletionPolicy::Delete,
        })
    }
}

fn adoption(spec: &SyncJobSpec) -> Result<Adoption, &'static str> {
    let named = spec.adoption.as_ref().and_then(|adoption| adoption.job_id.clone());
    match (spec.adoption.as_ref().map(|adoption| adoption.policy), named) {
        (None | Some(AdoptionPolicy::Never), None) => Ok(Adoption::Never),
        (None | Some(AdoptionPolicy::Never), Some(_)) => {
            Err("spec.adoption.jobId must come with policy 'IfExists' or 'Only'")
        }
        (Some(_), Some(id)) if id.is_empty() || id.contains(['/', '?', '#', '%']) => {
            Err("spec.adoption.jobId must be the id of a job as Graph shows it")
        }
        (Some(_), Some(id)) => Ok(Adoption::Named(id)),
        (Some(AdoptionPolicy::IfExists), None) => Ok(Adoption::IfExists),
        (Some(AdoptionPolicy::Only), None) => Ok(Adoption::Only),
    }
}
