//! The shapes of Graph. Every field but the id is optional and unknown ones are ignored: answers omit fields freely.
//! Enumerations stay strings: Graph adds members, and nothing here needs to know them.

use serde::Deserialize;

/// `synchronizationJob`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub id: String,
    pub template_id: Option<String>,
    pub schedule: Option<Schedule>,
    pub status: Option<Status>,
}

/// `synchronizationSchedule`: `state` is Active, Disabled or Paused; `interval` an ISO 8601 duration.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Schedule {
    pub state: Option<String>,
    pub interval: Option<String>,
}

/// `synchronizationStatus`: `code` is NotConfigured, NotRun, Active, Paused or Quarantine. Times are as Graph writes them;
/// one that never was is `0001-01-01T00:00:00Z`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub code: Option<String>,
    pub count_successive_complete_failures: Option<i64>,
    pub last_execution: Option<Execution>,
    pub last_successful_execution: Option<Execution>,
    pub quarantine: Option<Quarantine>,
    pub steady_state_first_achieved_time: Option<String>,
    pub synchronized_entry_count_by_type: Option<Vec<EntryCount>>,
    pub troubleshooting_url: Option<String>,
}

/// `synchronizationTaskExecution`: `state` is Succeeded, Failed or EntryLevelErrors. A job that was started and has not
/// run yet has one that looks like a failure, with the zero time and the error code `None`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    pub state: Option<String>,
    pub time_began: Option<String>,
    pub time_ended: Option<String>,
    pub count_entitled: Option<i64>,
    pub count_imported: Option<i64>,
    pub count_exported: Option<i64>,
    pub count_escrowed: Option<i64>,
    pub error: Option<JobError>,
}

/// `synchronizationQuarantine`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Quarantine {
    pub reason: Option<String>,
    pub series_began: Option<String>,
    pub next_attempt: Option<String>,
    pub error: Option<JobError>,
}

/// `synchronizationError`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct JobError {
    pub code: Option<String>,
    pub message: Option<String>,
}

/// `stringKeyLongValuePair`: a label such as "Users to Salesforce", and how many.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct EntryCount {
    pub key: Option<String>,
    pub value: Option<i64>,
}

/// `synchronizationTemplate`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Template {
    pub id: String,
}

/// `servicePrincipal`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    pub id: String,
    pub display_name: Option<String>,
}

/// One page of a collection. `value` is not optional: a page without it says nothing about what there is.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    pub next_link: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_read_with_everything_and_with_next_to_nothing() {
        let full = r#"{"@odata.context":"x","id":"Azure2Azure.7f0c.5b9a","templateId":"Azure2Azure","schedule":{"expiration":null,
            "interval":"PT40M","state":"Disabled"},"status":{"code":"Paused","quarantine":null,"progress":[]},"new":{"a":1}}"#;
        let job: Job = serde_json::from_str(full).unwrap();
        assert_eq!(job.schedule.unwrap().state.as_deref(), Some("Disabled"));
        assert_eq!(job.status.unwrap().code.as_deref(), Some("Paused"));
        let bare: Job = serde_json::from_str(r#"{"id":"x","status":{},"schedule":null}"#).unwrap();
        assert_eq!(bare.status, Some(Status::default()));
    }

    #[test]
    fn a_page_without_its_list_or_a_job_without_its_id_is_an_error() {
        assert!(serde_json::from_str::<Page<Job>>("{}").is_err());
        assert!(serde_json::from_str::<Page<Job>>(r#"{"value":null}"#).is_err());
        assert!(serde_json::from_str::<Page<Job>>(r#"{"value":[{"templateId":"x"}]}"#).is_err());
    }
}
