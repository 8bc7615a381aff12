//! The set of credentials and settings of a service principal, which Graph replaces as a whole: what is declared, what is
//! there, and what is saved. No value of a credential comes here: tags stand for them.

mod change;
mod decide;
pub mod declared;
mod doubt;
pub mod meaning;
mod restart;
pub mod settings;
mod shown;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

pub(in crate::plan) use change::{Difference, difference};
pub use decide::not_compared;
pub(in crate::plan) use decide::{course, looked_at_soon, required_test, unread};
pub use declared::{Credential, Declared, Source};
pub(in crate::plan) use doubt::in_doubt;
pub(in crate::plan) use restart::{after_save, in_force, words_for_quarantine};
pub use settings::SettingKey;
pub(in crate::plan) use shown::{condition, status};

pub use crate::plan::sync_job::step::TestOf;

use crate::api::{CredentialTestResult, Scope};

/// The keyed fingerprint of one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag(pub String);

/// The text of a setting. It may hold e-mail addresses, so that it is not printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text(pub String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What is declared, with the Secrets that it names read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// In the order of the spec.
    pub credentials: Vec<WantedKey>,
    /// Of all credentials together; `None` where one is not known.
    pub fingerprint: Option<Tag>,
    /// Credentials as SyncJobs that declare the same have saved them.
    pub known: Vec<(String, Tag)>,
    /// Other SyncJobs of this service principal, `namespace/name`, that declare something else, or of which that is not known.
    pub others: Vec<String>,
    /// The uids of all SyncJobs that save the same set, apart from this one.
    pub holders: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WantedKey {
    pub key: String,
    pub value: WantedValue,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WantedValue {
    Known(Tag),
    Missing(Gap),
    /// Nobody could look, as on a workstation.
    NotRead,
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Gap {
    NoSecret { secret: String },
    NoKey { secret: String, key: String },
    Invalid { secret: String, key: String, why: &'static str },
}

/// One pair of the set as Graph shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LiveSecret {
    pub key: String,
    pub value: LiveValue,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LiveValue {
    /// There is a value, and Graph does not show it.
    Masked,
    /// Graph shows it.
    Shown(Tag),
    /// It is one of the settings.
    Setting(Text),
}

/// What this process saved a moment ago. What Graph shows may lag behind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Saved {
    pub credentials: Vec<WantedKey>,
    pub settings: settings::Settings,
    pub age: Duration,
}

/// What a test of all declared credentials came to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tested {
    pub result: CredentialTestResult,
    pub code: Option<String>,
    /// Of the credentials that were tested.
    pub fingerprint: Tag,
    pub age: Duration,
}

/// What is known of the set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub wanted: Option<Wanted>,
    pub live: Option<Vec<LiveSecret>>,
    /// The scope that the first look of this pass showed.
    pub scope_found: Option<Scope>,
    /// Credentials as they were last saved, or found.
    pub known: Vec<(String, Tag)>,
    /// Whether status has spoken of the set before.
    pub met: bool,
    pub saved: Option<Saved>,
    /// When the set was last saved, by status, and how long ago.
    pub saved_time: Option<(Time, Duration)>,
    pub tested: Option<Tested>,
    /// The scope that the job last began from the start with.
    pub scope_in_force: Option<Scope>,
    /// For how long a save may have been under way that is older than the last one.
    pub doubt: Option<Duration>,
    /// This process has not saved the set yet, and the job was there before: another process may have sent a save that is
    /// still under way.
    pub inherited: bool,
    /// Keys that were shown without their values, and for how long that has been so. A later read may lag behind.
    pub masked_before: Vec<(String, Duration)>,
    /// A restart from the start was sent for the saved settings, and its answer was lost.
    pub restart_unclear: bool,
    /// The set was saved in this pass.
    pub saved_now: bool,
    /// The job began from the start since the settings were saved, as this process knows.
    pub begun: bool,
}

impl std::hash::Hash for View {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.wanted, &self.live, &self.known, self.met, &self.saved, &self.tested).hash(state);
        (self.scope_in_force, self.scope_found, self.saved_now, self.begun, self.restart_unclear).hash(state);
    }
}

impl View {
    /// The value of a key in the set.
    pub(in crate::plan) fn live_value(&self, key: &str) -> Option<&LiveValue> {
        let set = self.live.as_ref()?;
        set.iter().find(|secret| secret.key.eq_ignore_ascii_case(key)).map(|secret| &secret.value)
    }

    /// The keys that the set shows without their values, in lower case.
    pub(in crate::plan) fn masked(&self) -> impl Iterator<Item = String> {
        let masked = self.live.iter().flatten().filter(|secret| secret.value == LiveValue::Masked);
        masked.map(|secret| secret.key.to_ascii_lowercase())
    }

    /// The scope that the set has, as far as it says so.
    pub(in crate::plan) fn live_scope(&self) -> Option<Scope> {
        match self.live_value(SettingKey::SyncAll.name())? {
            LiveValue::Setting(text) => settings::scope(&text.0),
            LiveValue::Masked | LiveValue::Shown(_) => None,
        }
    }

    /// The test of exactly these credentials.
    pub(in crate::plan) fn test_of(&self, wanted: &Wanted) -> Option<&Tested> {
        self.tested.as_ref().filter(|tested| Some(&tested.fingerprint) == wanted.fingerprint.as_ref())
    }

    /// The set as it was read, or as it was just saved.
    pub fn read(&mut self, live: Vec<LiveSecret>) {
        let first = self.live.is_none() && !self.saved_now;
        self.live = Some(live);
        if first {
            self.scope_found = self.live_scope();
        }
    }

    /// A test of the credentials that are wanted.
    pub fn test(&mut self, result: CredentialTestResult, code: Option<String>) {
        let fingerprint = self.wanted.as_ref().and_then(|wanted| wanted.fingerprint.clone());
        self.tested = fingerprint.map(|fingerprint| Tested { result, code, fingerprint, age: Duration::ZERO });
    }

    /// The set was saved: what was written is what is there.
    pub fn save(&mut self, own: &[String], changed: &[(SettingKey, Text)], declared: &Declared) {
        let wanted = self.wanted.as_ref().map(|wanted| wanted.credentials.clone()).unwrap_or_default();
        let live = self.live.get_or_insert_default();
        for WantedKey { key, value } in &wanted {
            if let WantedValue::Known(tag) = value
                && own.contains(key)
            {
                put(live, key, LiveValue::Shown(tag.clone()));
            }
        }
        for (key, text) in changed {
            put(live, key.name(), LiveValue::Setting(text.clone()));
        }
        self.begun &= changed.is_empty();
        self.known = tags(&wanted);
        self.saved = Some(Saved { credentials: wanted, settings: declared.settings.clone(), age: Duration::ZERO });
        self.saved_now = true;
    }
}

fn put(live: &mut Vec<LiveSecret>, key: &str, value: LiveValue) {
    match live.iter_mut().find(|secret| secret.key.eq_ignore_ascii_case(key)) {
        Some(secret) => secret.value = value,
        None => live.push(LiveSecret { key: key.to_owned(), value }),
    }
}

/// The tags of those that are known.
pub(in crate::plan) fn tags(credentials: &[WantedKey]) -> Vec<(String, Tag)> {
    let known = |credential: &WantedKey| match &credential.value {
        WantedValue::Known(tag) => Some((credential.key.clone(), tag.clone())),
        WantedValue::Missing(_) | WantedValue::NotRead => None,
    };
    credentials.iter().filter_map(known).collect()
}
