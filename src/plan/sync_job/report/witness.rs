//! What is remembered of the recorded job beside its id, because the id alone proves nothing: whether a list has shown it,
//! whether it has had a history, and since when it, or its service principal, has been gone.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::Serialize;

use crate::api::{RestartResult, SyncJobStatus};
use crate::plan::sync_job::fact::Fact;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::report::End;

/// The fields of status of the same names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Witness {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_seen_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_lived_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_missing_since_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_principal_lost_time: Option<Time>,
}

impl Witness {
    pub fn of(status: &SyncJobStatus) -> Self {
        Self {
            job_seen_time: status.job_seen_time.clone(),
            job_lived_time: status.job_lived_time.clone(),
            job_missing_since_time: status.job_missing_since_time.clone(),
            service_principal_lost_time: status.service_principal_lost_time.clone(),
        }
    }

    /// The witness at the end of a pass. It belongs to the job that was recorded, so a new record begins a new one.
    pub(in crate::plan) fn renewed(old: &SyncJobStatus, end: &End<'_>, now: Timestamp) -> Self {
        let world = end.world;
        if world.job_id.is_none() {
            return Self::default();
        }
        let renews =
            |fact: &Fact| matches!(fact, Fact::JobForgotten { .. } | Fact::JobBound { .. } | Fact::JobAdopted { .. });
        let before = if end.done.iter().any(|(_, fact)| renews(fact)) { Self::default() } else { Self::of(old) };
        let stamp = || Some(Time(now));
        if world.seen_in_list() {
            let has_history = world.bound_job().is_some_and(ObservedJob::has_history);
            let lived = before.job_lived_time.filter(|_| !restarted(end)).or_else(|| has_history.then(stamp).flatten());
            return Self {
                job_seen_time: before.job_seen_time.or_else(stamp),
                job_lived_time: lived,
                ..Self::default()
            };
        }
        let gone = world.service_principal_exists == Some(false);
        let looked = world.jobs.is_some() && !world.jobs_recalled && !world.from_answer;
        let missing = before.job_missing_since_time.or_else(|| looked.then(stamp).flatten());
        Self {
            job_lived_time: before.job_lived_time.filter(|_| !restarted(end)),
            job_missing_since_time: missing.filter(|_| !gone),
            service_principal_lost_time: before.service_principal_lost_time.or_else(|| gone.then(stamp).flatten()),
            ..before
        }
    }
}

/// A restart, or a new job under the same id, begins without a history.
fn restarted(end: &End<'_>) -> bool {
    end.done.iter().any(|(_, fact)| {
        matches!(fact, Fact::OriginRecorded { .. } | Fact::RestartAnswered { result: RestartResult::Accepted, .. })
    })
}
