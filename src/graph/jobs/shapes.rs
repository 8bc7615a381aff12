//! The shapes of a job. Every field but the id is optional and unknown ones are ignored: answers omit fields freely.
//! A field of another type than its own is not known, and hides neither its neighbours nor other jobs.
//! Enumerations stay strings: Graph adds members, and nothing here needs to know them.

use serde::Deserialize;

use super::super::lenient;

/// `synchronizationJob`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub template_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::object")]
    pub schedule: Option<Schedule>,
    #[serde(default, deserialize_with = "lenient::object")]
    pub status: Option<Status>,
}

/// `synchronizationSchedule`: `state` is Active, Disabled or Paused; `interval` an ISO 8601 duration.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Schedule {
    #[serde(deserialize_with = "lenient::text")]
    pub state: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub interval: Option<String>,
}

/// `synchronizationStatus`: `code` is NotConfigured, NotRun, Active, Paused or Quarantine. Times are as Graph writes them;
/// one that never was is `0001-01-01T00:00:00Z`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    #[serde(deserialize_with = "lenient::text")]
    pub code: Option<String>,
    #[serde(deserialize_with = "lenient::count")]
    pub count_successive_complete_failures: Option<i64>,
    /// Error records were dropped; after the initial cycle the service pauses the job with it.
    #[serde(deserialize_with = "lenient::flag")]
    pub escrows_pruned: Option<bool>,
    #[serde(deserialize_with = "lenient::object")]
    pub last_execution: Option<Execution>,
    #[serde(deserialize_with = "lenient::object")]
    pub last_successful_execution: Option<Execution>,
    /// Whether `progress` has an entry, as it does during an initial cycle.
    #[serde(rename = "progress", deserialize_with = "lenient::filled")]
    pub has_progress: bool,
    #[serde(deserialize_with = "lenient::object")]
    pub quarantine: Option<Quarantine>,
    #[serde(deserialize_with = "lenient::text")]
    pub steady_state_first_achieved_time: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub steady_state_last_achieved_time: Option<String>,
    #[serde(deserialize_with = "lenient::list")]
    pub synchronized_entry_count_by_type: Option<Vec<EntryCount>>,
    #[serde(deserialize_with = "lenient::text")]
    pub troubleshooting_url: Option<String>,
}

/// `synchronizationTaskExecution`: `state` is Succeeded, Failed or EntryLevelErrors. A job that was started and has not
/// run yet has one that looks like a failure, with the zero time and the error code `None`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Execution {
    #[serde(deserialize_with = "lenient::text")]
    pub state: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub time_began: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub time_ended: Option<String>,
    #[serde(deserialize_with = "lenient::count")]
    pub count_entitled: Option<i64>,
    #[serde(deserialize_with = "lenient::count")]
    pub count_imported: Option<i64>,
    #[serde(deserialize_with = "lenient::count")]
    pub count_exported: Option<i64>,
    /// Entries in error that are kept for another try.
    #[serde(deserialize_with = "lenient::count")]
    pub count_escrowed: Option<i64>,
    #[serde(deserialize_with = "lenient::object")]
    pub error: Option<JobError>,
}

/// `synchronizationQuarantine`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Quarantine {
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Option<String>,
    /// When it was last imposed or confirmed.
    #[serde(deserialize_with = "lenient::text")]
    pub current_began: Option<String>,
    /// When it was first imposed.
    #[serde(deserialize_with = "lenient::text")]
    pub series_began: Option<String>,
    /// 1 when it was first imposed, and one more for each look that left it in force.
    #[serde(deserialize_with = "lenient::count")]
    pub series_count: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub next_attempt: Option<String>,
    #[serde(deserialize_with = "lenient::object")]
    pub error: Option<JobError>,
}

/// `synchronizationError`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct JobError {
    #[serde(deserialize_with = "lenient::text")]
    pub code: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
}

/// `stringKeyLongValuePair`: a label such as "Users to Salesforce", and how many.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct EntryCount {
    #[serde(deserialize_with = "lenient::text")]
    pub key: Option<String>,
    #[serde(deserialize_with = "lenient::count")]
    pub value: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::super::super::pages::Page;
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

    /// A list with a sound job and one with these members.
    fn neighbour(members: &str) -> Vec<Job> {
        let text = format!(r#"{{"value":[{{"id":"sound","status":{{"code":"Active"}}}},{{"id":"odd",{members}}}]}}"#);
        let page: Page<Job> = serde_json::from_str(&text).unwrap();
        assert_eq!(page.value.len(), 2, "{members}");
        assert_eq!(page.value[0].status.as_ref().unwrap().code.as_deref(), Some("Active"));
        assert_eq!(page.value[1].id, "odd");
        page.value
    }

    #[test]
    fn members_that_are_odd_are_not_known_and_hide_no_job() {
        for members in [
            r#""templateId":7"#,
            r#""templateId":null,"schedule":[],"status":"Active""#,
            r#""schedule":{"state":{"value":"Active"},"interval":40}"#,
            r#""schedule":{"state":null},"status":{"code":""}"#,
            r#""status":{"code":3,"quarantine":[],"progress":null,"synchronizedEntryCountByType":null}"#,
            r#""status":{"progress":{"a":1},"synchronizedEntryCountByType":{"key":"Users"}}"#,
            r#""status":{"lastExecution":"never","steadyStateFirstAchievedTime":0,"troubleshootingUrl":[]}"#,
        ] {
            let job = neighbour(members).remove(1);
            let status = job.status.unwrap_or_default();
            assert_eq!((job.template_id, status), (None, Status::default()), "{members}");
            assert_eq!(job.schedule.unwrap_or_default(), Schedule::default(), "{members}");
        }
    }

    #[test]
    fn members_next_to_an_odd_one_are_read() {
        let job = neighbour(
            r#""templateId":"scim","status":{"code":"Quarantine","countSuccessiveCompleteFailures":"3","escrowsPruned":"true",
            "lastExecution":{"state":7,"timeBegan":"","countExported":12.0,"countEscrowed":{},"error":"none"},"progress":[{}],
            "quarantine":{"reason":"","seriesBegan":"2026-11-19T20:00:00Z","currentBegan":"2026-11-20T09:00:15Z","seriesCount":"2","nextAttempt":""},
            "steadyStateLastAchievedTime":"2026-11-19T08:00:00Z","synchronizedEntryCountByType":[null,{"key":"Users","value":"5"},7]}"#,
        )
        .remove(1);
        let status = job.status.unwrap();
        assert_eq!((status.code.as_deref(), status.count_successive_complete_failures), (Some("Quarantine"), Some(3)));
        assert_eq!((status.escrows_pruned, status.has_progress), (Some(true), true));
        assert_eq!(status.steady_state_last_achieved_time.as_deref(), Some("2026-11-19T08:00:00Z"));
        let execution = Execution { count_exported: Some(12), ..Execution::default() };
        assert_eq!(status.last_execution, Some(execution));
        let quarantine = status.quarantine.unwrap();
        assert_eq!((quarantine.reason, quarantine.next_attempt, quarantine.series_count), (None, None, Some(2)));
        assert_eq!(quarantine.current_began.as_deref(), Some("2026-11-20T09:00:15Z"));
        let users = EntryCount { key: Some("Users".to_owned()), value: Some(5) };
        assert_eq!(status.synchronized_entry_count_by_type, Some(vec![users]));
    }

    #[test]
    fn an_id_is_a_text_that_is_not_empty() {
        for id in ["7", "null", "\"\"", "{}"] {
            assert!(serde_json::from_str::<Job>(&format!(r#"{{"id":{id}}}"#)).is_err(), "{id}");
        }
    }
}
