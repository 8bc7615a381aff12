//! A job as Graph shows it. What is not said is not known: run state and life are read from what is there.

use std::hash::{Hash, Hasher};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::ids::TemplateId;
use crate::api::{EntryCount, Execution, QuarantineStatus, RunState};

/// A job as Graph listed it, or as it answered a create request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedJob {
    pub id: String,
    pub template_id: Option<String>,
    /// Graph's status code, for display and for quarantine.
    pub code: Option<String>,
    /// Graph's schedule state: Active, Disabled, Paused, or a word that is not known here.
    pub schedule_state: Option<String>,
    pub interval: Option<String>,
    /// The service dropped records of failed entries during the initial cycle, and pauses the job after it
    /// (`synchronizationStatus`).
    pub escrows_pruned: bool,
    /// What is only shown, quarantine and history included.
    pub shown: Box<Shown>,
    /// Whether another SyncJob holds it, as far as the watch knows.
    pub held_by_other: bool,
}

/// The parts of a job that are shown to people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The last cycle that ended; `None` while none has, and while one is in flight.
    pub last_execution: Option<Execution>,
    /// A cycle is in flight, so nothing is known of its end.
    pub cycle_running: bool,
    pub last_success_time: Option<Time>,
    pub successive_failure_count: i64,
    pub steady_state_since_time: Option<Time>,
    pub entries: Vec<EntryCount>,
    pub troubleshooting_url: Option<String>,
    /// Present while the service keeps the job in quarantine, whatever its code says.
    pub quarantine: Option<QuarantineStatus>,
    /// The quarantine is older than the time after which the service disables the job.
    pub quarantine_lapsed: bool,
}

/// Two jobs that differ only in what is shown may share a hash.
impl Hash for ObservedJob {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.id, &self.template_id, &self.code, &self.schedule_state, self.escrows_pruned).hash(state);
        (self.held_by_other, self.lives()).hash(state);
    }
}

impl ObservedJob {
    /// `None` where Graph does not say it in a word that is known: neither running nor stopped.
    pub fn run_state(&self) -> Option<RunState> {
        let state = self.schedule_state.as_deref()?;
        let is = |name: &str| state.eq_ignore_ascii_case(name);
        match (is("Active"), is("Disabled") || is("Paused")) {
            (true, _) => Some(RunState::Running),
            (_, true) => Some(RunState::Paused),
            (false, false) => None,
        }
    }

    /// Whether the job was made from this template, by its `templateId` or by the first segment of its id.
    pub fn made_from(&self, template: &TemplateId) -> bool {
        self.template_id.as_deref().is_some_and(|made| template.same_as(made))
            || self.id.split('.').next().is_some_and(|prefix| template.same_as(prefix))
    }

    pub fn scheduled(&self) -> bool {
        self.run_state() == Some(RunState::Running)
    }

    pub fn stopped(&self) -> bool {
        self.run_state() == Some(RunState::Paused)
    }

    /// A quarantine object means trouble under any code.
    pub fn quarantined(&self) -> bool {
        let code = self.code.as_deref().is_some_and(|code| code.eq_ignore_ascii_case("Quarantine"));
        code || self.shown.quarantine.is_some()
    }

    /// Whether cycles of the job have ended, or one is in flight.
    pub fn has_history(&self) -> bool {
        let shown = &self.shown;
        shown.last_execution.is_some()
            || shown.cycle_running
            || shown.last_success_time.is_some()
            || shown.steady_state_since_time.is_some()
            || shown.quarantine.is_some()
    }

    /// Whether the job shows more than one that was created a moment ago can show.
    pub fn lives(&self) -> bool {
        self.scheduled() || self.has_history()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_state_that_graph_does_not_name_in_a_known_word_is_unknown() {
        let state = |text: Option<&str>| {
            ObservedJob { schedule_state: text.map(str::to_owned), ..ObservedJob::default() }.run_state()
        };
        assert_eq!((state(Some("active")), state(Some("Disabled"))), (Some(RunState::Running), Some(RunState::Paused)));
        for unknown in [None, Some(""), Some("unknownFutureValue"), Some("Hibernating")] {
            assert_eq!(state(unknown), None, "{unknown:?}");
        }
    }
}
