//! How the set differs from what is declared, and what a save would write. A save replaces the whole set, so that whatever is
//! foreign has to be carried over.

use std::time::Duration;

use super::{LiveValue, SettingKey, Tag, Text, View, Wanted, WantedKey, WantedValue};
use crate::plan::sync_job::secrets::declared::Declared;

/// A save that would make the set as declared. Nothing to save if neither `own` nor `settings` has a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::plan) struct Difference {
    /// Credentials that are not there, or have another value.
    pub own: Vec<String>,
    /// Settings that change, with their new text.
    pub settings: Vec<(SettingKey, Text)>,
    /// Keys that are there, are not declared, and whose values Graph does not show: a save would lose them.
    pub masked: Vec<String>,
    /// Keys that are there and are neither declared credentials nor declared settings.
    pub foreign: Vec<String>,
    /// Keys that are not declared and not there, and that were there without their values a while ago: for how long that is.
    pub vanished: Vec<(String, Duration)>,
    /// Credentials of which nobody could say whether they differ.
    pub unknown: Vec<String>,
}

impl Difference {
    pub fn is_none(&self) -> bool {
        self.own.is_empty() && self.settings.is_empty()
    }

    /// The names of what changes.
    pub fn names(&self) -> Vec<&str> {
        let settings = self.settings.iter().map(|(key, _)| key.name());
        self.own.iter().map(String::as_str).chain(settings).collect()
    }
}

/// Compares by meaning. `None` before both sides were read.
pub(in crate::plan) fn difference(declared: &Declared, view: &View) -> Option<Difference> {
    let (wanted, live) = (view.wanted.as_ref()?, view.live.as_ref()?);
    let mut difference = Difference::default();
    for WantedKey { key, value } in &wanted.credentials {
        match (value, view.live_value(key)) {
            (WantedValue::Known(tag), there) if differs(key, tag, there, view) => difference.own.push(key.clone()),
            (WantedValue::NotRead, None) => difference.own.push(key.clone()),
            (WantedValue::NotRead, Some(_)) => difference.unknown.push(key.clone()),
            (WantedValue::Known(_) | WantedValue::Missing(_), _) => {}
        }
    }
    for key in SettingKey::ALL {
        let there = match view.live_value(key.name()) {
            Some(LiveValue::Setting(text)) => Some(text.0.as_str()),
            Some(LiveValue::Masked | LiveValue::Shown(_)) | None => None,
        };
        difference.settings.extend(declared.settings.change(key, there).map(|text| (key, Text(text))));
    }
    for secret in live {
        if is_declared(&secret.key, declared, wanted) {
            continue;
        }
        difference.foreign.push(secret.key.clone());
        match secret.value {
            LiveValue::Masked => difference.masked.push(secret.key.clone()),
            LiveValue::Shown(_) | LiveValue::Setting(_) => {}
        }
    }
    let vanished =
        |(key, _): &&(String, Duration)| view.live_value(key).is_none() && !is_declared(key, declared, wanted);
    difference.vanished = view.masked_before.iter().filter(vanished).cloned().collect();
    Some(difference)
}

/// A value that Graph does not show is the one that was last saved, as far as anybody knows.
fn differs(key: &str, wanted: &Tag, there: Option<&LiveValue>, view: &View) -> bool {
    match there {
        None => true,
        Some(LiveValue::Shown(tag)) => tag != wanted,
        Some(LiveValue::Masked | LiveValue::Setting(_)) => {
            let of_others = view.wanted.iter().flat_map(|wanted| &wanted.known);
            !view.known.iter().chain(of_others).any(|(known, tag)| known.eq_ignore_ascii_case(key) && tag == wanted)
        }
    }
}

fn is_declared(key: &str, declared: &Declared, wanted: &Wanted) -> bool {
    let settings = &declared.settings;
    let as_setting = match SettingKey::named(key) {
        Some(SettingKey::SyncAll) => settings.scope.is_some(),
        Some(SettingKey::SkipOutOfScopeDeletions) => settings.skip_out_of_scope_deletions.is_some(),
        Some(SettingKey::SyncNotificationSettings) => {
            settings.recipients.is_some() || settings.delete_threshold.is_some()
        }
        None => false,
    };
    as_setting || wanted.credentials.iter().any(|own| own.key.eq_ignore_ascii_case(key))
}
