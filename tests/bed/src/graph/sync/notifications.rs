//! `SyncNotificationSettings`, the JSON among the secrets: how it comes back, and what it says of the deletion guard
//! (CONTRACT §3.9, §3.10).

use serde_json::{Map, Value, json};

use super::secrets;
use crate::graph::http::reply::Reply;
use crate::graph::model::settings::{NotificationSettings, Settings};
use crate::graph::model::tenant::Secret;

pub const KEY: &str = "SyncNotificationSettings";

/// The members that the service knows, in its order.
const MEMBERS: [&str; 5] =
    ["Enabled", "DeleteThresholdEnabled", "HumanResourcesLookaheadQueryEnabled", "Recipients", "DeleteThresholdValue"];

/// What is saved of a text that was sent; an empty one and one that is no object are refused.
pub fn saved(text: &str, settings: &Settings) -> Result<String, Reply> {
    let Ok(Value::Object(sent)) = serde_json::from_str(text) else { return Err(invalid()) };
    if settings.notifications_read_back == NotificationSettings::AsSent {
        return Ok(text.to_owned());
    }
    let mut whole = Vec::new();
    for name in MEMBERS {
        if let Some(value) = known(&sent, name, settings)? {
            whole.push((name.to_owned(), value));
        }
    }
    if settings.notifications_read_back == NotificationSettings::WholeAndUnknown {
        let unknown =
            sent.into_iter().filter(|(name, _)| !MEMBERS.iter().any(|known| known.eq_ignore_ascii_case(name)));
        whole.extend(unknown);
    }
    // By hand, because the order is the service's, and a map would sort it.
    let members: Vec<String> = whole.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    Ok(format!("{{{}}}", members.join(",")))
}

/// A member that the service knows, in its type; `None` for one that is shown only if it is set.
fn known(sent: &Map<String, Value>, name: &str, settings: &Settings) -> Result<Option<Value>, Reply> {
    let value = member(sent, name);
    match name {
        "Recipients" => match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.into())),
            _ => Err(invalid()),
        },
        "DeleteThresholdValue" => match (&value, number(&value)) {
            (Value::Null, _) => Ok(Some(settings.delete_threshold_default.into())),
            (_, number) => Ok(Some(number.ok_or_else(invalid)?.into())),
        },
        _ => match (&value, truth(&value)) {
            (Value::Null, _) => Ok(Some(false.into())),
            (_, truth) => Ok(Some(truth.ok_or_else(invalid)?.into())),
        },
    }
}

/// The back end's refusal, as JSON in the message of an `UnknownError`.
fn invalid() -> Reply {
    let error = json!({"code": "InvalidNotificationSettings", "message": null, "target": null, "details": [], "innerError": null});
    Reply::error(400, "UnknownError", &format!("{:#}", json!({"error": error})))
}

fn member(object: &Map<String, Value>, name: &str) -> Value {
    object
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.clone())
        .unwrap_or_default()
}

/// A Boolean, which can be a text.
fn truth(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.to_lowercase().parse().ok())
}

/// A number, which can be a text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn all(secrets: &[Secret]) -> Map<String, Value> {
    let text = secrets::value(secrets, KEY).unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

/// Whether they are on, and name somebody.
pub fn reach_somebody(secrets: &[Secret]) -> bool {
    let all = all(secrets);
    let named = member(&all, "Recipients").as_str().is_some_and(|recipients| !recipients.trim().is_empty());
    named && truth(&member(&all, "Enabled")) == Some(true)
}

/// What they say of the deletion guard: whether it is on, and its number.
pub fn deletion_guard(secrets: &[Secret]) -> (Option<bool>, Option<u64>) {
    let all = all(secrets);
    (truth(&member(&all, "DeleteThresholdEnabled")), number(&member(&all, "DeleteThresholdValue")))
}
