//! Sets of credentials and settings, made up, and what must be true of every step that touches them.

use std::time::Duration;

use entrain::api::{CredentialTestResult, CredentialValidation, RestartAfterChange, Scope};
use entrain::plan::secrets::settings::Settings as Connector;
use entrain::plan::secrets::{
    Credential, Declared, Gap, LiveSecret, LiveValue, SettingKey, Source, Tag, Tested, Text, View, Wanted, WantedKey,
    WantedValue,
};
use entrain::plan::{Change, Desired, Fact, Step, World};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Few keys and few tags, so that they meet.
fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["BaseAddress", "SecretToken", "secrettoken", "UserName"]).prop_map(str::to_owned)
}

fn tag() -> impl Strategy<Value = Tag> {
    prop::sample::select(vec!["hmac-1", "hmac-2"]).prop_map(|tag| Tag(tag.to_owned()))
}

prop_compose! {
    pub fn declared()(
        keys in vec(prop::sample::select(vec!["BaseAddress", "SecretToken"]), 0..3),
        (scope, skip) in (option::of(prop::sample::select(vec![Scope::All, Scope::Assigned])), option::of(any::<bool>())),
        (silent, threshold) in (any::<bool>(), option::of(0..3_u32)),
        validation in prop::sample::select(vec![CredentialValidation::Warn, CredentialValidation::Require, CredentialValidation::Skip]),
        automatic in any::<bool>(),
    ) -> Declared {
        let mut keys = keys;
        keys.sort_unstable();
        keys.dedup();
        let source = || Source::Secret { name: "box".to_owned(), key: "token".to_owned() };
        Declared {
            credentials: keys.into_iter().map(|key| Credential { key: key.to_owned(), source: source() }).collect(),
            validation,
            settings: Connector {
                scope,
                skip_out_of_scope_deletions: skip,
                recipients: silent.then(Vec::new),
                delete_threshold: threshold,
            },
            restart: if automatic { RestartAfterChange::Automatic } else { RestartAfterChange::Manual },
        }
    }
}

fn live() -> impl Strategy<Value = Vec<LiveSecret>> {
    let value = prop_oneof![Just(LiveValue::Masked), tag().prop_map(LiveValue::Shown)];
    let credential = (key(), value).prop_map(|(key, value)| LiveSecret { key, value });
    let text = prop::sample::select(vec!["true", "False", r#"{"DeleteThresholdEnabled":false,"Other":1}"#, "?"]);
    let setting = (prop::sample::select(SettingKey::ALL.to_vec()), text).prop_map(|(key, text)| LiveSecret {
        key: key.name().to_owned(),
        value: LiveValue::Setting(Text(text.to_owned())),
    });
    vec(prop_oneof![credential, setting], 0..5)
}

fn value() -> impl Strategy<Value = WantedValue> {
    let gap = || WantedValue::Missing(Gap::NoSecret { secret: "box".to_owned() });
    prop_oneof![6 => tag().prop_map(WantedValue::Known), 1 => Just(gap()), 1 => Just(WantedValue::NotRead)]
}

prop_compose! {
    fn tested()(
        result in prop::sample::select(vec![
            CredentialTestResult::Accepted, CredentialTestResult::Rejected, CredentialTestResult::NoAnswer,
        ]),
        fingerprint in tag(),
        age in prop::sample::select(vec![0, 30, 100_000_u64]),
    ) -> Tested {
        Tested { result, code: None, fingerprint, age: Duration::from_secs(age) }
    }
}

/// What may be known and learnt of the set.
#[derive(Clone, Debug)]
pub struct Luck {
    live: Vec<LiveSecret>,
    values: Vec<WantedValue>,
    together: Option<Tag>,
    others: bool,
    result: CredentialTestResult,
}

prop_compose! {
    pub fn luck()(
        live in live(),
        values in vec(value(), 3),
        together in option::weighted(0.9, tag()),
        others in prop::bool::weighted(0.1),
        tested in tested(),
    ) -> Luck {
        Luck { live, values, together, others, result: tested.result }
    }
}

impl Luck {
    pub fn wanted(&self, declared: &Declared) -> Fact {
        let keys = declared.credentials.iter().zip(&self.values);
        let credentials: Vec<WantedKey> =
            keys.map(|(credential, value)| WantedKey { key: credential.key.clone(), value: value.clone() }).collect();
        let known = credentials.iter().all(|wanted| matches!(wanted.value, WantedValue::Known(_)));
        let others = if self.others { vec!["elsewhere/other".to_owned()] } else { Vec::new() };
        Fact::CredentialsRead(Wanted {
            credentials,
            fingerprint: self.together.clone().filter(|_| known),
            known: Vec::new(),
            others,
            holders: Vec::new(),
        })
    }

    pub fn live(&self) -> Fact {
        Fact::SecretsRead(self.live.clone())
    }

    pub fn tested(&self) -> Fact {
        Fact::CredentialsTested { result: self.result, code: None }
    }
}

prop_compose! {
    /// What status and memory may say before a pass has looked.
    pub fn view()(
        known in vec((key(), tag()), 0..2),
        (met, inherited) in (any::<bool>(), any::<bool>()),
        tested in option::of(tested()),
        doubt in option::of(prop::sample::select(vec![0, 100_000_u64])),
        masked_before in vec((prop::sample::select(vec!["clientsecret", "secrettoken"]), prop::sample::select(vec![0, 100_000_u64])), 0..2),
        force in option::of(prop::sample::select(vec![Scope::All, Scope::Assigned])),
    ) -> View {
        let doubt = doubt.map(Duration::from_secs);
        let ago = |(key, ago): (&str, u64)| (key.to_owned(), Duration::from_secs(ago));
        let masked_before = masked_before.into_iter().map(ago).collect();
        View { known, met, inherited, tested, doubt, scope_in_force: force, masked_before, ..View::default() }
    }
}

/// What must be true of a step that tests, saves, or starts.
pub fn careful(step: &Step, wish: &Desired, world: &World) -> Result<(), String> {
    let demand = |held: bool, what: &str| if held { Ok(()) } else { Err(format!("{step:?} {what} in {world:?}")) };
    let view = &world.secrets;
    let missing = |view: &View| {
        let all = view.wanted.iter().flat_map(|wanted| &wanted.credentials);
        all.clone().any(|wanted| matches!(wanted.value, WantedValue::Missing(_)))
    };
    let required = wish.content.validation == CredentialValidation::Require && !wish.content.credentials.is_empty();
    let passed = view.wanted.as_ref().is_some_and(|wanted| {
        let of_these = |tested: &&Tested| Some(&tested.fingerprint) == wanted.fingerprint.as_ref();
        wanted.fingerprint.is_none()
            || view
                .tested
                .as_ref()
                .filter(of_these)
                .is_some_and(|tested| tested.result == CredentialTestResult::Accepted)
    });
    match step {
        Step::Change(Change::SaveSecrets { own, settings }) => {
            let (wanted, live) = (view.wanted.as_ref().expect("read"), view.live.as_ref().expect("read"));
            demand(!missing(view), "although a value is missing")?;
            demand(wanted.others.is_empty(), "although others declare something else")?;
            let declares = |key: &str| wanted.credentials.iter().any(|own| own.key.eq_ignore_ascii_case(key));
            let lost = live.iter().any(|secret| {
                secret.value == LiveValue::Masked && !declares(&secret.key) && SettingKey::named(&secret.key).is_none()
            });
            demand(!lost, "although it loses what cannot be read")?;
            let is_there = |key: &str| live.iter().any(|secret| secret.key.eq_ignore_ascii_case(key));
            let vanished = |(key, ago): &(String, Duration)| ago.is_zero() && !declares(key) && !is_there(key);
            demand(!view.masked_before.iter().any(vanished), "although a key was there a moment ago")?;
            demand(own.iter().all(|key| declares(key)), "of what is not declared")?;
            demand(!own.is_empty() || !settings.is_empty(), "of nothing")?;
            demand(
                !required || passed || own.is_empty() || view.doubt.is_some(),
                "untested, although a test is required",
            )?;
            demand(!world.deletion_requested && world.job_id.is_some(), "without a job")
        }
        Step::Change(Change::TestCredentials { .. }) => {
            demand(wish.content.validation != CredentialValidation::Skip, "although tests are to be skipped")?;
            demand(!missing(view), "although a value is missing")
        }
        Step::Change(Change::StartJob { .. }) if wish.content.is_any() => {
            let ready = view.wanted.is_some() && view.live.is_some() && !missing(view);
            demand(ready, "before the set is known to be as declared")?;
            demand(!required || passed, "untested, although a test is required")
        }
        Step::Change(Change::RestartAfterChange { .. }) => {
            demand(wish.content.restart == RestartAfterChange::Automatic, "unasked")?;
            demand(world.bound_job().is_some_and(|job| !job.stopped()), "of a job that is stopped")
        }
        Step::Change(
            Change::CreateJob
            | Change::StartJob { .. }
            | Change::PauseJob { .. }
            | Change::RestartJob { .. }
            | Change::DeleteJob { .. }
            | Change::SaveMappings { .. }
            | Change::ReleaseMappings { .. },
        )
        | Step::Look(_)
        | Step::Record(_) => Ok(()),
    }
}
