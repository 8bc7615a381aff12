//! The settings that are kept among the secrets, and the text that makes each as declared. Graph shows them in the clear, in
//! its own order and with members of its own, which are kept.

use serde_json::{Map, Value};

use crate::api::{OutOfScopeDeletions, Scope, SyncJobSpec};

/// A key of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SettingKey {
    SyncAll,
    SkipOutOfScopeDeletions,
    SyncNotificationSettings,
}

impl SettingKey {
    pub const ALL: [Self; 3] = [Self::SyncAll, Self::SkipOutOfScopeDeletions, Self::SyncNotificationSettings];

    /// Graph's name (`synchronizationSecret`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::SyncAll => "SyncAll",
            Self::SkipOutOfScopeDeletions => "SkipOutOfScopeDeletions",
            Self::SyncNotificationSettings => "SyncNotificationSettings",
        }
    }

    /// The setting of this key, in any case.
    pub fn named(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(key))
    }
}

/// Settings as declared; `None` is not this SyncJob's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    pub scope: Option<Scope>,
    pub skip_out_of_scope_deletions: Option<bool>,
    /// Empty turns notifications off.
    pub recipients: Option<Vec<String>>,
    /// 0 turns the guard off.
    pub delete_threshold: Option<u32>,
}

impl Settings {
    pub(in crate::plan) fn parse(spec: &SyncJobSpec) -> Result<Self, &'static str> {
        let threshold = spec.delete_threshold.map(u32::try_from).transpose();
        Ok(Self {
            scope: spec.scope,
            skip_out_of_scope_deletions: spec
                .out_of_scope_deletions
                .map(|deletions| deletions == OutOfScopeDeletions::Skip),
            recipients: spec.notifications.as_ref().map(|notifications| notifications.recipients.clone()),
            delete_threshold: threshold.map_err(|_| "spec.deleteThreshold must be 0 or more")?,
        })
    }

    /// The text that makes a setting as declared, given what is there; `None` if it is so already, or not declared.
    pub(in crate::plan) fn change(&self, key: SettingKey, live: Option<&str>) -> Option<String> {
        match key {
            SettingKey::SyncAll => switch(self.scope? == Scope::All, live, "true", "false"),
            SettingKey::SkipOutOfScopeDeletions => switch(self.skip_out_of_scope_deletions?, live, "True", "False"),
            SettingKey::SyncNotificationSettings => self.notification_settings(live),
        }
    }

    fn notification_settings(&self, live: Option<&str>) -> Option<String> {
        let mut members =
            live.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok()).unwrap_or_default();
        let mut changed = false;
        for (name, value) in self.members() {
            changed |= set(&mut members, name, value);
        }
        changed.then(|| Value::Object(members).to_string())
    }

    fn members(&self) -> Vec<(&'static str, Value)> {
        let mut members = Vec::new();
        if let Some(recipients) = &self.recipients {
            members.push(("Enabled", Value::Bool(!recipients.is_empty())));
            if !recipients.is_empty() {
                members.push(("Recipients", Value::String(recipients.join(","))));
            }
        }
        if let Some(threshold) = self.delete_threshold {
            members.push(("DeleteThresholdEnabled", Value::Bool(threshold > 0)));
            if threshold > 0 {
                members.push(("DeleteThresholdValue", Value::from(threshold)));
            }
        }
        members
    }
}

/// The scope that a text of `SyncAll` stands for.
pub(in crate::plan) fn scope(text: &str) -> Option<Scope> {
    truth(text).map(|all| if all { Scope::All } else { Scope::Assigned })
}

fn truth(text: &str) -> Option<bool> {
    text.trim().to_ascii_lowercase().parse().ok()
}

fn switch(wanted: bool, live: Option<&str>, yes: &str, no: &str) -> Option<String> {
    let text = if wanted { yes } else { no };
    (live.and_then(truth) != Some(wanted)).then(|| text.to_owned())
}

/// Sets a member under the name that it has already, whatever its case. Returns whether its meaning changed.
fn set(members: &mut Map<String, Value>, name: &str, value: Value) -> bool {
    let known = members.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
    let name = known.unwrap_or_else(|| name.to_owned());
    if members.get(&name).is_some_and(|live| means_the_same(&name, live, &value)) {
        return false;
    }
    members.insert(name, value);
    true
}

/// Booleans and numbers occur as text; recipients occur with commas or semicolons and in any order.
fn means_the_same(name: &str, live: &Value, wanted: &Value) -> bool {
    if name.eq_ignore_ascii_case("Recipients") {
        let list = |value: &Value| {
            let text = value.as_str().unwrap_or_default().to_lowercase();
            let mut list: Vec<String> =
                text.split([',', ';', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect();
            list.sort();
            list
        };
        return list(live) == list(wanted);
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).to_lowercase();
    text(live) == text(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(recipients: Option<&[&str]>, threshold: Option<u32>) -> Settings {
        let recipients = recipients.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
        Settings { recipients, delete_threshold: threshold, ..Settings::default() }
    }

    fn text(settings: &Settings, live: Option<&str>) -> Option<Value> {
        let text = settings.change(SettingKey::SyncNotificationSettings, live)?;
        Some(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn members_that_are_not_declared_are_kept_and_a_threshold_of_0_is_written() {
        let live = r#"{"Enabled":"true","DeleteThresholdEnabled":true,"HumanResourcesLookaheadQueryEnabled":false,"Recipients":"a@b.test","DeleteThresholdValue":500}"#;
        let off = text(&declared(None, Some(0)), Some(live)).unwrap();
        assert_eq!(off["DeleteThresholdEnabled"], false);
        for (member, value) in serde_json::from_str::<Map<String, Value>>(live).unwrap() {
            assert!(member == "DeleteThresholdEnabled" || off[&member] == value, "{member}");
        }
        let silent = text(&declared(Some(&[]), None), Some(live)).unwrap();
        assert_eq!((&silent["Enabled"], &silent["Recipients"]), (&Value::Bool(false), &Value::from("a@b.test")));
    }

    #[test]
    fn what_means_the_same_is_not_written() {
        let live = r#"{"enabled":"True","recipients":"B@x.test; a@x.test","DeleteThresholdEnabled":"true","DeleteThresholdValue":"500"}"#;
        assert_eq!(text(&declared(Some(&["a@x.test", "b@x.test"]), Some(500)), Some(live)), None);
        assert!(text(&declared(None, Some(499)), Some(live)).is_some());
        assert!(text(&declared(None, Some(500)), None).is_some(), "no default is relied on");
        assert!(text(&declared(None, Some(500)), Some("not JSON")).is_some());
        assert_eq!(text(&declared(None, None), Some(live)), None, "nothing is declared");
    }

    #[test]
    fn switches_are_compared_without_case_and_absence_is_not_an_answer() {
        let assigned = Settings { scope: Some(Scope::Assigned), ..Settings::default() };
        let change = |live| assigned.change(SettingKey::SyncAll, live);
        assert_eq!((change(Some("False")), change(Some("FALSE "))), (None, None));
        for live in [None, Some("true"), Some("maybe"), Some("")] {
            assert_eq!(change(live).as_deref(), Some("false"), "{live:?}");
        }
        assert_eq!(assigned.change(SettingKey::SkipOutOfScopeDeletions, Some("True")), None);
    }
}
