//! What people read: names of keys, never values.

use jiff::Timestamp;

use super::*;
use crate::api::{ChangeAction, Reason};
use crate::plan::sync_job::preview;
use crate::plan::sync_job::secrets::status;

const ADDRESS: &str = "https://scim.example.test/v2";
const PERSON: &str = "ops@example.test";

fn everything() -> Desired {
    wish(json!({"scope": "Assigned", "notifications": {"recipients": [PERSON]}, "deleteThreshold": 500}))
}

#[test]
fn a_preview_names_the_keys_that_change_and_no_value() {
    let mut world = saved("0");
    world.secrets.wanted = Some(token("1"));
    world.secrets.read([in_place(), vec![setting(SettingKey::SyncAll, "false")]].concat());
    let preview = preview(&everything(), &world, &Settings::default());
    let [change, ..] = preview.changes.as_slice() else { panic!("{preview:?}") };
    assert_eq!(change.action, ChangeAction::SaveCredentials);
    assert_eq!(change.message, "Save credentials and settings: SecretToken, SyncNotificationSettings.");
    let text = format!("{preview:?}");
    assert!(!text.contains(PERSON) && !text.contains(ADDRESS) && !text.contains("hmac-"), "{text}");
}

#[test]
fn a_preview_stops_where_a_save_would() {
    let mut world = saved("0");
    world.secrets.wanted = Some(token("1"));
    world.secrets.read([in_place(), vec![masked("ClientSecret")]].concat());
    let preview = preview(&everything(), &world, &Settings::default());
    assert_eq!((preview.changes, preview.end.reason), (Vec::new(), Reason::CredentialsIncomplete));
}

#[test]
fn steps_and_verdicts_print_no_text_of_a_setting() {
    let (steps, _, verdict) = Answers::new(token("1"), vec![]).pass(&everything(), running());
    assert!(save(&steps).is_some());
    let text = format!("{steps:?} {verdict:?}");
    assert!(!text.contains(PERSON) && !text.contains("500"), "{text}");
}

#[test]
fn status_has_names_fingerprints_and_times_and_no_value() {
    let live = [in_place(), vec![shown("Url", "u"), setting(SettingKey::SkipOutOfScopeDeletions, "True")]].concat();
    let now = Timestamp::UNIX_EPOCH;
    let (_, world, _) = Answers::new(token("1"), live.clone()).pass(&everything(), saved("0"));
    let written = status(None, &everything(), &world, now).unwrap();
    let keys: Vec<(&str, &str)> = written.keys.iter().map(|key| (key.key.as_str(), key.fingerprint.as_str())).collect();
    assert_eq!(keys, [("BaseAddress", "hmac-address"), ("SecretToken", "hmac-1")]);
    assert_eq!(
        (written.foreign_keys.as_slice(), written.saved_time.is_some()),
        (&["SkipOutOfScopeDeletions".to_owned(), "Url".to_owned()][..], true)
    );
    let text = serde_json::to_string(&written).unwrap();
    assert!(!text.contains(PERSON) && !text.contains(ADDRESS) && !text.contains("True"), "{text}");
    let mut world = saved("0");
    world.secrets.wanted = Some(token("1"));
    world.secrets.read([live, vec![masked("ClientSecret")]].concat());
    let unsaved = status(None, &everything(), &world, now).unwrap();
    assert_eq!(unsaved.keys[1].fingerprint, "hmac-0", "what was not saved is not shown as saved");
    assert!(unsaved.saved_time.is_none());
}
