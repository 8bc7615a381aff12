//! A job as a test or a seed file gives it: what is not named keeps its value.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::given_schema::GivenSchema;
use crate::graph::model::clock::after;
use crate::graph::model::job::{Code, Job, JobState, Quarantine, Reason, ScheduleState, Trouble};
use crate::graph::model::replicas::Replicated;
use crate::graph::model::settings::Settings;
use crate::graph::sync::lifecycle::retry_after;
use crate::graph::sync::render;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GivenJob {
    pub template_id: Option<String>,
    pub schedule_state: Option<ScheduleState>,
    pub code: Option<Code>,
    /// Puts the job into quarantine.
    pub quarantine: Option<GivenQuarantine>,
    pub created: Option<Timestamp>,
    /// Parts of the job's JSON, laid over what the simulator would say until the job changes. A null makes the part, or
    /// a member of it, null.
    #[serde(deserialize_with = "part")]
    pub schedule: Option<Value>,
    #[serde(deserialize_with = "part")]
    pub status: Option<Value>,
    /// In place of the template's, as it is.
    pub schema: Option<GivenSchema>,
    /// They stay.
    #[serde(deserialize_with = "given")]
    pub synchronization_job_settings: Option<Value>,
}

/// What was given, be it null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// An object or null.
fn part<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_object() || value.is_null() { Ok(Some(value)) } else { Err(D::Error::custom("an object or null")) }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GivenQuarantine {
    pub reason: Reason,
    pub error: Option<Trouble>,
    pub series_began: Option<Timestamp>,
    pub series_count: u64,
}

impl Default for GivenQuarantine {
    fn default() -> Self {
        Self { reason: Reason::default(), error: None, series_began: None, series_count: 1 }
    }
}

impl GivenQuarantine {
    pub fn at(&self, settings: &Settings, now: Timestamp) -> Quarantine {
        Quarantine {
            current_began: now,
            next_attempt: after(now, retry_after(settings.quarantine_retries, self.series_count)),
            reason: self.reason,
            series_began: self.series_began.unwrap_or(now),
            series_count: self.series_count,
            error: self.error.clone(),
        }
    }
}

impl GivenJob {
    /// Makes the job, or changes the one there is.
    pub fn apply(&self, id: &str, known: Option<Job>, settings: &Settings, now: Timestamp) -> Job {
        let created = self.created.unwrap_or(now);
        let template = self.template_id.clone();
        let fresh = || {
            let template = template.unwrap_or_else(|| id.split('.').next().unwrap_or_default().to_owned());
            let state = JobState { code: Code::Paused, ..JobState::default() };
            Job::new(id.to_owned(), template, created, state)
        };
        let mut job = known.unwrap_or_else(fresh);
        if let Some(template) = &self.template_id {
            job.template_id.clone_from(template);
        }
        let quarantine = self.quarantine.as_ref().map(|given| given.at(settings, now));
        if let Some(quarantine) = &quarantine {
            job.next_cycle = Some(quarantine.next_attempt);
            job.running = None;
        }
        if let Some(schema) = &self.schema {
            job.schema = Replicated::new(now, Some(schema.0.clone()));
        }
        let mut overlay = job.now().overlay.clone();
        let mut parts = Map::new();
        for (name, part) in [("schedule", &self.schedule), ("status", &self.status)] {
            if let Some(part) = part {
                parts.insert(name.to_owned(), part.clone());
            }
        }
        if let Some(settings) = &self.synchronization_job_settings {
            job.settings = Some(settings.clone());
        }
        if overlay.is_null() {
            overlay = Value::Object(parts);
        } else {
            render::merge(&mut overlay, &Value::Object(parts));
        }
        job.change(now, |state| {
            state.overlay = overlay;
            state.schedule = self.schedule_state.unwrap_or(state.schedule);
            state.code = self.code.unwrap_or(state.code);
            state.started |= state.schedule == ScheduleState::Active;
            if quarantine.is_some() {
                state.code = Code::Quarantine;
                state.schedule = self.schedule_state.unwrap_or(ScheduleState::Active);
                state.quarantine = quarantine;
            } else if state.code != Code::Quarantine {
                state.quarantine = None;
            }
        });
        job
    }
}
