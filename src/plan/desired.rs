//! The wish, parsed: later code cannot hold an invalid one.

use std::time::Duration;

use super::world::ObservedJob;
use crate::api::{DeletionPolicy, RunState, SyncJobSpec};

const POLL_INTERVAL_DEFAULT: Duration = Duration::from_secs(600);

/// Template ids that Graph stores under another name than the one it was given.
const TEMPLATE_ALIASES: &[(&str, &str)] = &[("AD2AADProvisioning", "ADDCInPassthrough")];

/// Object id of a service principal: a GUID in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServicePrincipalId(String);

impl ServicePrincipalId {
    /// Accepts a GUID in any case, alone or after `/servicePrincipals/`.
    pub fn parse(text: &str) -> Option<Self> {
        let id = text.strip_prefix("/servicePrincipals/").unwrap_or(text);
        let groups: Vec<&str> = id.split('-').collect();
        let shaped = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
        let hex = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
        (shaped && hex).then(|| Self(id.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Id of a synchronization template, as written in the spec.
#[derive(Clone, Debug)]
pub struct TemplateId(String);

impl TemplateId {
    pub fn parse(text: &str) -> Option<Self> {
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let ends = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric());
        (ends && text.len() <= 128 && text.chars().all(inner) && !text.contains("..")).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Graph compares template ids without regard to case, and may echo an alias.
    pub fn same_as(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
            || TEMPLATE_ALIASES.iter().any(|(sent, stored)| {
                (self.0.eq_ignore_ascii_case(sent) && other.eq_ignore_ascii_case(stored))
                    || (self.0.eq_ignore_ascii_case(stored) && other.eq_ignore_ascii_case(sent))
            })
    }

    /// Whether the job was made from this template, by its `templateId` or by the first segment of its id.
    pub fn made(&self, job: &ObservedJob) -> bool {
        job.template_id.as_deref().is_some_and(|template| self.same_as(template))
            || job.id.split('.').next().is_some_and(|prefix| self.same_as(prefix))
    }
}

#[derive(Clone, Debug)]
pub struct Desired {
    pub service_principal: ServicePrincipalId,
    pub template: TemplateId,
    pub run_state: RunState,
    pub deletion_policy: DeletionPolicy,
    pub poll_interval: Duration,
}

/// Why a spec cannot be acted on: one sentence for each field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals(pub Vec<String>);

impl Desired {
    /// Repeats what admission checks: an object may be older than the rules.
    pub fn parse(spec: &SyncJobSpec) -> Result<Self, Refusals> {
        let service_principal = ServicePrincipalId::parse(&spec.service_principal_id);
        let template = TemplateId::parse(&spec.template_id);
        let poll = spec.poll_interval_seconds.map_or(Ok(POLL_INTERVAL_DEFAULT), |seconds| {
            u64::try_from(seconds).map(|seconds| Duration::from_secs(seconds.clamp(60, 86_400)))
        });
        match (service_principal, template, poll) {
            (Some(service_principal), Some(template), Ok(poll_interval)) => Ok(Self {
                service_principal,
                template,
                run_state: spec.run_state(),
                deletion_policy: spec.effective_deletion_policy(),
                poll_interval,
            }),
            (service_principal, template, poll) => Err(Refusals(
                [
                    service_principal
                        .is_none()
                        .then_some("spec.servicePrincipalId must be the GUID of a service principal"),
                    template.is_none().then_some("spec.templateId must be a template id such as 'BoxOutDelta'"),
                    poll.is_err().then_some("spec.pollIntervalSeconds must be from 60 to 86400"),
                ]
                .into_iter()
                .flatten()
                .map(str::to_owned)
                .collect(),
            )),
        }
    }
}
