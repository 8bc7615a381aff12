//! The settings of the connector as fields of a SyncJob: the reverse of what `plan::secrets::settings` writes. A value that
//! the fields would not leave exactly as it is has no place.

use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::held::is_recipient;
use crate::api::{Notifications, OutOfScopeDeletions, Scope};
use crate::graph::{SecretPair, is_masked};
use crate::plan::secrets::SettingKey;

const RECIPIENTS_MAX: usize = 20;
const THRESHOLD_MAX: i32 = 1_000_000;

/// Settings as they are.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Settings {
    pub scope: Option<Scope>,
    pub out_of_scope_deletions: Option<OutOfScopeDeletions>,
    pub notifications: Option<Notifications>,
    pub delete_threshold: Option<i32>,
    /// Fields for which Graph shows no value.
    pub absent: Vec<&'static str>,
    /// What has no place, and why.
    pub left_out: Vec<&'static str>,
}

/// The settings of a set, for a job of this template.
pub(super) fn read(set: &[SecretPair], template: &str) -> Settings {
    let mut read = Settings::default();
    match shown(set, SettingKey::SyncAll).map(truth) {
        None => read.absent.push("scope"),
        Some(Some(all)) => read.scope = Some(if all { Scope::All } else { Scope::Assigned }),
        Some(None) => read.left_out.push("`scope`: SyncAll is neither true nor false"),
    }
    let cross_tenant = template.to_ascii_lowercase().starts_with("azure2azure");
    match shown(set, SettingKey::SkipOutOfScopeDeletions).map(truth) {
        None if cross_tenant => {}
        None => read.absent.push("outOfScopeDeletions"),
        Some(_) if cross_tenant => {
            read.left_out.push("`outOfScopeDeletions`: a SyncJob cannot declare it for cross-tenant synchronization");
        }
        Some(Some(skip)) => {
            let deletions = if skip { OutOfScopeDeletions::Skip } else { OutOfScopeDeletions::Process };
            read.out_of_scope_deletions = Some(deletions);
        }
        Some(None) => {
            read.left_out.push("`outOfScopeDeletions`: SkipOutOfScopeDeletions is neither true nor false");
        }
    }
    match shown(set, SettingKey::SyncNotificationSettings).map(serde_json::from_str::<Map<String, Value>>) {
        None => read.absent.extend(["notifications", "deleteThreshold"]),
        Some(Ok(members)) => {
            notifications(&members, &mut read);
            threshold(&members, &mut read);
        }
        Some(Err(_)) => {
            read.left_out.push("`notifications` and `deleteThreshold`: SyncNotificationSettings cannot be read");
        }
    }
    read
}

fn shown(set: &[SecretPair], key: SettingKey) -> Option<&str> {
    let pair = set.iter().find(|pair| pair.key.eq_ignore_ascii_case(key.name()))?;
    let text = pair.value.expose_secret();
    (!is_masked(&pair.key, text)).then_some(text)
}

fn truth(text: &str) -> Option<bool> {
    text.trim().to_ascii_lowercase().parse().ok()
}

fn notifications(members: &Map<String, Value>, read: &mut Settings) {
    let on = match member(members, "Enabled").map(flag) {
        None => return read.absent.push("notifications"),
        Some(None) => return read.left_out.push("`notifications`: Enabled is neither true nor false"),
        Some(Some(on)) => on,
    };
    if !on {
        read.notifications = Some(Notifications { recipients: Vec::new() });
        return;
    }
    let text = member(members, "Recipients").and_then(Value::as_str).unwrap_or_default();
    let recipients: Vec<String> =
        text.split([',', ';', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let mut each_once = recipients.clone();
    each_once.sort();
    each_once.dedup();
    if (1..=RECIPIENTS_MAX).contains(&recipients.len())
        && each_once.len() == recipients.len()
        && recipients.iter().all(|one| is_recipient(one))
    {
        read.notifications = Some(Notifications { recipients });
    } else {
        read.left_out
            .push("`notifications`: they are on, and the recipients are none, too many, repeated or no addresses");
    }
}

fn threshold(members: &Map<String, Value>, read: &mut Settings) {
    match member(members, "DeleteThresholdEnabled").map(flag) {
        None => read.absent.push("deleteThreshold"),
        Some(None) => read.left_out.push("`deleteThreshold`: DeleteThresholdEnabled is neither true nor false"),
        Some(Some(false)) => read.delete_threshold = Some(0),
        Some(Some(true)) => match member(members, "DeleteThresholdValue").and_then(count) {
            Some(value) if (1..=THRESHOLD_MAX).contains(&value) => read.delete_threshold = Some(value),
            _ => read.left_out.push("`deleteThreshold`: it is on with a value that is not from 1 to 1000000"),
        },
    }
}

/// A member in any case of letters.
fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Booleans and numbers occur as text.
fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.to_lowercase().parse().ok())
}

fn count(value: &Value) -> Option<i32> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse::<i32>().ok().filter(|count| count.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> Vec<SecretPair> {
        pairs.iter().map(|(key, value)| SecretPair { key: (*key).to_owned(), value: (*value).into() }).collect()
    }

    fn of_notifications(text: &str) -> Settings {
        read(
            &set(&[("SyncAll", "true"), ("SkipOutOfScopeDeletions", "False"), ("SyncNotificationSettings", text)]),
            "scim",
        )
    }

    #[test]
    fn what_graph_shows_in_its_spellings_is_read() {
        let text = r#"{"enabled":"True","Recipients":"B@x.test; a@x.test","DeleteThresholdEnabled":true,"DeleteThresholdValue":"500"}"#;
        let read = read(
            &set(&[("syncall", "FALSE "), ("SkipOutOfScopeDeletions", "True"), ("SyncNotificationSettings", text)]),
            "scim",
        );
        let recipients = vec!["B@x.test".to_owned(), "a@x.test".to_owned()];
        let expected = Settings {
            scope: Some(Scope::Assigned),
            out_of_scope_deletions: Some(OutOfScopeDeletions::Skip),
            notifications: Some(Notifications { recipients }),
            delete_threshold: Some(500),
            ..Settings::default()
        };
        assert_eq!(read, expected);
        let off = of_notifications(r#"{"Enabled":false,"Recipients":"a@x.test","DeleteThresholdEnabled":"false"}"#);
        assert_eq!((off.notifications.unwrap().recipients.len(), off.delete_threshold), (0, Some(0)));
    }

    #[test]
    fn what_is_not_there_is_no_answer() {
        let all = ["scope", "outOfScopeDeletions", "notifications", "deleteThreshold"];
        let nothing = read(&[], "scim");
        assert_eq!(nothing, Settings { absent: all.to_vec(), ..Settings::default() });
        assert_eq!(read(&set(&[("SyncAll", "***"), ("SkipOutOfScopeDeletions", "")]), "scim"), nothing);
        assert_eq!(of_notifications("{}").absent, ["notifications", "deleteThreshold"]);
    }

    #[test]
    fn what_the_fields_would_not_leave_as_it_is_has_no_place() {
        let many: Vec<String> = (0..21).map(|number| format!("a{number}@x.test")).collect();
        for recipients in ["", "a@x.test,a@x.test", "nobody", &many.join(",")] {
            let text = serde_json::json!({"Enabled": true, "Recipients": recipients}).to_string();
            let read = of_notifications(&text);
            assert_eq!((read.notifications, read.left_out.len()), (None, 1), "{recipients}");
        }
        for value in [r#""0500""#, "0", "5e2", "1000001", "null", r#""many""#] {
            let read =
                of_notifications(&format!(r#"{{"DeleteThresholdEnabled":true,"DeleteThresholdValue":{value}}}"#));
            assert_eq!((read.delete_threshold, read.left_out.len()), (None, 1), "{value}");
        }
        for text in ["no JSON", r#"{"Enabled":"maybe","DeleteThresholdEnabled":1}"#] {
            let read = of_notifications(text);
            assert_eq!((read.notifications, read.delete_threshold), (None, None), "{text}");
            assert!(!read.left_out.is_empty() && read.absent.is_empty(), "{text}");
        }
        let odd = read(&set(&[("SyncAll", "maybe"), ("SkipOutOfScopeDeletions", "maybe")]), "scim");
        assert_eq!((odd.scope, odd.out_of_scope_deletions, odd.left_out.len()), (None, None, 2));
        let cross = read(&set(&[("SkipOutOfScopeDeletions", "true")]), "Azure2Azure");
        assert_eq!((cross.out_of_scope_deletions, cross.left_out.len()), (None, 1));
    }
}
