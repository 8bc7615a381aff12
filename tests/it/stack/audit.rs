//! What the API server's audit log says that the operator wrote.

use jiff::Timestamp;
use serde_json::Value;

use super::plane::{OPERATOR_USER, SharedPlane, shared};

/// One write that was accepted.
#[derive(Clone, Debug)]
pub struct Write {
    pub name: String,
    /// `status`, or empty for the object itself.
    pub subresource: String,
    /// The field manager, or empty.
    pub manager: String,
    pub received: Timestamp,
    pub answered: Timestamp,
    pub code: u64,
}

/// What the log holds of the operator's requests in a namespace, as it stands.
pub fn text(namespace: &str) -> String {
    let log = std::fs::read_to_string(shared().ready().audit_log.as_ref().unwrap()).unwrap();
    log.lines().filter(|line| line.contains(namespace) && line.contains(OPERATOR_USER)).collect()
}

/// The operator's writes to SyncJobs of a namespace, in the order in which they were answered.
pub fn writes(namespace: &str) -> Vec<Write> {
    writes_on(shared(), namespace)
}

pub fn writes_on(plane: &SharedPlane, namespace: &str) -> Vec<Write> {
    let log = std::fs::read_to_string(plane.ready().audit_log.as_ref().unwrap()).unwrap();
    let lines = log.lines().filter(|line| line.contains(namespace) && line.contains(OPERATOR_USER));
    let mut writes: Vec<Write> = lines
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["user"]["username"] == OPERATOR_USER && event["objectRef"]["namespace"] == namespace)
        .filter(|event| event["objectRef"]["resource"] == "syncjobs")
        .filter(|event| !matches!(event["verb"].as_str(), Some("get" | "list" | "watch")))
        .map(|event| write(&event))
        .collect();
    writes.sort_by_key(|write| write.answered);
    writes
}

fn write(event: &Value) -> Write {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let time = |value: &Value| text(value).parse().unwrap();
    Write {
        name: text(&event["objectRef"]["name"]),
        subresource: text(&event["objectRef"]["subresource"]),
        manager: manager(event["requestURI"].as_str().unwrap_or_default()),
        received: time(&event["requestReceivedTimestamp"]),
        answered: time(&event["stageTimestamp"]),
        code: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
    }
}

/// The parameter of the address, whose slash is encoded there.
fn manager(uri: &str) -> String {
    let parameter = |part: &str| part.strip_prefix("fieldManager=").map(|value| value.replace("%2F", "/"));
    uri.split(['?', '&']).find_map(parameter).unwrap_or_default()
}
