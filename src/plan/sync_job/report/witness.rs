//! What is remembered of the recorded job beside its id, because the id alone proves nothing: whether a list has shown it,
//! whether it has had a history, and since when it, or its service principal, has been gone.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::{Report, RestartResult};
use crate::plan::sync_job::fact::Fact;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::report::end::End;

/// The members of the report of the same names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::plan) struct Witness {
    pub seen: Option<Time>,
    pub lived: Option<Time>,
    pub missing_since: Option<Time>,
    pub service_principal_lost: Option<Time>,
}

impl Witness {
    fn of(report: &Report) -> Self {
        Self {
            seen: report.job_seen_time.clone(),
            lived: report.job_lived_time.clone(),
            missing_since: report.job_missing_since_time.clone(),
            service_principal_lost: report.service_principal_lost_time.clone(),
        }
    }
}

/// The witness at the end of a pass. It belongs to the job that was recorded, so a new record begins a new one.
pub(in crate::plan) fn renewed(old: &Report, end: &End<'_>, now: Timestamp) -> Witness {
    let world = end.world;
    if world.job_id.is_none() {
        return Witness::default();
    }
    let renews =
        |fact: &Fact| matches!(fact, Fact::JobForgotten { .. } | Fact::JobBound { .. } | Fact::JobAdopted { .. });
    let before = if end.done.iter().any(|(_, fact)| renews(fact)) { Witness::default() } else { Witness::of(old) };
    let stamp = || Some(Time(now));
    if world.seen_in_list() {
        let has_history = world.bound_job().is_some_and(ObservedJob::has_history);
        let lived = before.lived.filter(|_| !restarted(end)).or_else(|| has_history.then(stamp).flatten());
        return Witness { seen: before.seen.or_else(stamp), lived, ..Witness::default() };
    }
    let gone = world.service_principal_exists == Some(false);
    let looked = world.jobs.is_some() && !world.jobs_recalled && !world.from_answer;
    let missing = before.missing_since.or_else(|| looked.then(stamp).flatten());
    Witness {
        lived: before.lived.filter(|_| !restarted(end)),
        missing_since: missing.filter(|_| !gone),
        service_principal_lost: before.service_principal_lost.or_else(|| gone.then(stamp).flatten()),
        ..before
    }
}

/// A restart, or a new job under the same id, begins without a history.
fn restarted(end: &End<'_>) -> bool {
    end.done.iter().any(|(_, fact)| {
        matches!(fact, Fact::OriginRecorded { .. } | Fact::RestartAnswered { result: RestartResult::Accepted, .. })
    })
}
