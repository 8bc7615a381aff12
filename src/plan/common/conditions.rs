//! Conditions as both kinds of reports write them.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::api::{ConditionType, Reason};

/// What every condition of one report has in common.
#[derive(Clone, Copy, Debug)]
pub(in crate::plan) struct Maker<'a> {
    pub old: &'a [Condition],
    pub generation: i64,
    pub now: Timestamp,
}

impl Maker<'_> {
    /// The condition; its transition is the one before where its status is.
    pub fn make(&self, kind: ConditionType, status: &str, reason: Reason, message: &str) -> Condition {
        let before = find(self.old, kind).filter(|before| before.status == status);
        Condition {
            type_: kind.name().to_owned(),
            status: status.to_owned(),
            reason: reason.name().to_owned(),
            message: message.to_owned(),
            observed_generation: Some(self.generation),
            last_transition_time: before.map_or(Time(self.now), |before| before.last_transition_time.clone()),
        }
    }
}

pub(in crate::plan) fn find(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == kind.name())
}
