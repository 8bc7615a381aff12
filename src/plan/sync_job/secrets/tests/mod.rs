//! Tables of what is done about a set of credentials and settings. Nothing runs here but the decisions.

mod restarting;
mod saving;
mod showing;
mod testing;

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::{Gap, LiveSecret, LiveValue, Saved, SettingKey, Tag, Tested, Text, Wanted, WantedKey, WantedValue};
use crate::api::{CredentialTestResult, SyncJobSpec};
use crate::plan::common::pass::{Next, Pass};
use crate::plan::common::settings::Settings;
use crate::plan::sync_job::step::{Change, Look, Record, Step, Verdict};
use crate::plan::sync_job::world::{RunView, World};
use crate::plan::sync_job::{Desired, Fact, Managed, ObservedJob};

const JOB: &str = "scim.1";
const TENANT: &str = "7f0c2b1e-5c1d-4d0a-9a53-0d6f4b8a2e11";

/// An address and a token, with what is laid over the spec.
fn wish(over: Value) -> Desired {
    let credentials = json!([
        {"key": "BaseAddress", "value": "https://scim.example.test/v2"},
        {"key": "SecretToken", "valueFrom": {"secretKeyRef": {"name": "box-scim", "key": "token"}}},
    ]);
    let base = json!({
        "servicePrincipalId": "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f", "templateId": "scim", "credentials": credentials,
    });
    let (Value::Object(mut spec), Value::Object(over)) = (base, over) else { panic!("a spec is an object") };
    spec.extend(over);
    let spec: SyncJobSpec = serde_json::from_value(Value::Object(spec)).unwrap();
    Desired::parse(&spec).unwrap()
}

/// Settings alone.
fn settings(over: Value) -> Desired {
    let mut desired = wish(over);
    desired.content.credentials.clear();
    desired
}

fn tag(text: &str) -> Tag {
    Tag(format!("hmac-{text}"))
}

/// What is declared, with this version of the token.
fn wanted(token: WantedValue) -> Wanted {
    let fingerprint = match &token {
        WantedValue::Known(Tag(text)) => Some(Tag(format!("all-{text}"))),
        WantedValue::Missing(_) | WantedValue::NotRead => None,
    };
    let key = |key: &str, value| WantedKey { key: key.to_owned(), value };
    let credentials = vec![key("BaseAddress", WantedValue::Known(tag("address"))), key("SecretToken", token)];
    Wanted { credentials, fingerprint, known: Vec::new(), others: Vec::new() }
}

fn token(version: &str) -> Wanted {
    wanted(WantedValue::Known(tag(version)))
}

fn nothing() -> Wanted {
    Wanted { credentials: Vec::new(), fingerprint: Some(tag("all-nothing")), known: Vec::new(), others: Vec::new() }
}

fn secret(key: &str, value: LiveValue) -> LiveSecret {
    LiveSecret { key: key.to_owned(), value }
}

fn masked(key: &str) -> LiveSecret {
    secret(key, LiveValue::Masked)
}

fn shown(key: &str, text: &str) -> LiveSecret {
    secret(key, LiveValue::Shown(tag(text)))
}

fn setting(key: SettingKey, text: &str) -> LiveSecret {
    secret(key.name(), LiveValue::Setting(Text(text.to_owned())))
}

/// The set after a save of the address and a token.
fn in_place() -> Vec<LiveSecret> {
    vec![shown("BaseAddress", "address"), masked("SecretToken")]
}

fn known(version: &str) -> Vec<(String, Tag)> {
    vec![("BaseAddress".to_owned(), tag("address")), ("SecretToken".to_owned(), tag(version))]
}

fn job(state: &str) -> ObservedJob {
    ObservedJob { id: JOB.to_owned(), schedule_state: Some(state.to_owned()), ..ObservedJob::default() }
}

/// A SyncJob that has not been looked at.
fn young() -> World {
    World { finalizer: true, tenant: Some(TENANT.to_owned()), ..World::unobserved() }
}

/// A job that runs as declared.
fn running() -> World {
    World {
        job_id: Some(JOB.to_owned()),
        recorded_tenant: Some(TENANT.to_owned()),
        seen: true,
        lived: true,
        jobs: Some(vec![job("Active")]),
        run: Some(RunView { asked: None, reached: true, ..RunView::asked(crate::api::RunState::Running) }),
        ..young()
    }
}

/// The same, where the credentials were saved and tested with this version of the token.
fn saved(version: &str) -> World {
    let mut world = running();
    (world.secrets.known, world.secrets.met) = (known(version), true);
    world.secrets.tested = Some(tested(version, CredentialTestResult::Accepted, 0));
    world
}

fn tested(version: &str, result: CredentialTestResult, minutes: u64) -> Tested {
    let age = Duration::from_secs(minutes * 60);
    Tested { result, code: None, fingerprint: Tag(format!("all-hmac-{version}")), age }
}

fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3600)
}

/// What the service and the cluster answer in one pass.
struct Answers {
    wanted: Wanted,
    live: Vec<LiveSecret>,
    test: CredentialTestResult,
}

impl Answers {
    fn new(wanted: Wanted, live: Vec<LiveSecret>) -> Self {
        Self { wanted, live, test: CredentialTestResult::Accepted }
    }

    fn to(&self, step: &Step, world: &World) -> Fact {
        match step {
            Step::Look(Look::Credentials) => Fact::CredentialsRead(self.wanted.clone()),
            Step::Look(Look::Secrets) => Fact::SecretsRead(self.live.clone()),
            Step::Look(Look::Jobs | Look::RecentJobs) => {
                Fact::JobsListed(world.job_id.iter().map(|_| job("Active")).collect())
            }
            Step::Look(Look::Templates) => Fact::TemplatesListed(vec!["scim".to_owned()]),
            Step::Look(Look::Rivals) => Fact::RivalsRead { rivals: Vec::new(), siblings: Vec::new() },
            Step::Look(Look::Tenant | Look::ServicePrincipal | Look::Definition | Look::Namespace | Look::Schema) => {
                panic!("{step:?}")
            }
            Step::Record(record) => record.done(),
            Step::Change(Change::TestCredentials { .. }) => Fact::CredentialsTested { result: self.test, code: None },
            Step::Change(change) => change.done(|| job("Disabled")),
        }
    }

    /// The steps of a pass, the world after it, and how things stand.
    fn pass(&self, desired: &Desired, world: World) -> (Vec<Step>, World, Verdict) {
        let settings = Settings::default();
        let mut pass = Pass::new(Managed { desired, settings: &settings }, world);
        while let Next::Do(step) = pass.next_step() {
            let fact = self.to(&step, pass.world());
            pass.learn(fact);
        }
        assert!(!pass.goes_round_in_circles(), "{:?}", pass.done());
        let (world, verdict, done) = pass.into_parts();
        (done.into_iter().map(|(step, _)| step).collect(), world, verdict)
    }
}

/// The names that the only save of these steps changes; `None` without one.
fn save(steps: &[Step]) -> Option<Vec<String>> {
    let mut saves = steps.iter().filter_map(|step| match step {
        Step::Change(Change::SaveSecrets { own, settings }) => {
            let settings = settings.iter().map(|(key, _)| key.name().to_owned());
            Some(own.iter().cloned().chain(settings).collect())
        }
        Step::Change(_) | Step::Look(_) | Step::Record(_) => None,
    });
    let save = saves.next();
    assert!(saves.next().is_none(), "one save in a pass: {steps:?}");
    save
}

fn changes(steps: &[Step]) -> Vec<&Change> {
    steps
        .iter()
        .filter_map(|step| match step {
            Step::Change(change) => Some(change),
            Step::Look(_) | Step::Record(_) => None,
        })
        .collect()
}

fn time(text: &str) -> Time {
    Time(text.parse().unwrap())
}
