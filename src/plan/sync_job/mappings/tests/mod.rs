//! Tables of when a schema is read and saved, and why not. Nothing runs here but the decisions.

mod letting_go;
mod looking;
mod saving;
mod showing;

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::*;
use crate::api::{ChangeAction, JobOrigin, PlannedChange, Reason, RunState, SyncJobSpec};
use crate::plan::common::pass::{Next, Pass};
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::trouble::{Trouble, TroubleKind};
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::secrets::Wanted;
use crate::plan::sync_job::step::{Change, Leaving, Look, Record, Step, Verdict};
use crate::plan::sync_job::world::{RunView, World};
use crate::plan::sync_job::{Desired, Fact, Managed, ObservedJob, preview};

const JOB: &str = "scim.1";
const TENANT: &str = "7f0c2b1e-5c1d-4d0a-9a53-0d6f4b8a2e11";
const MINUTE: Duration = Duration::from_secs(60);

fn wish(over: Value) -> Desired {
    let mapping = json!({"targetAttributeName": "userName", "expression": "[mail]"});
    let object = json!({"sourceObjectName": "User", "targetObjectName": "User", "attributeMappings": [mapping]});
    let base = json!({
        "servicePrincipalId": "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f", "templateId": "scim",
        "mappings": {"objectMappings": [object]},
    });
    let (Value::Object(mut spec), Value::Object(over)) = (base, over) else { panic!("a spec is an object") };
    spec.extend(over);
    spec.retain(|_, value| !value.is_null());
    let spec: SyncJobSpec = serde_json::from_value(Value::Object(spec)).unwrap();
    Desired::parse(&spec).unwrap()
}

/// A job that runs as declared.
fn running() -> World {
    World {
        finalizer: true,
        tenant: Some(TENANT.to_owned()),
        job_id: Some(JOB.to_owned()),
        recorded_tenant: Some(TENANT.to_owned()),
        seen: true,
        lived: true,
        origin: Some(JobOrigin::Adopted),
        jobs: Some(vec![job("Active")]),
        run: Some(RunView { asked: None, reached: true, ..RunView::asked(RunState::Running) }),
        ..World::unobserved()
    }
}

fn job(state: &str) -> ObservedJob {
    ObservedJob { id: JOB.to_owned(), schedule_state: Some(state.to_owned()), ..ObservedJob::default() }
}

fn differs(lines: &[&str]) -> Difference {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    Difference { confirmation: format!("c{}", lines.len()), lines, owned: 1, ..Difference::default() }
}

fn one_line() -> Difference {
    differs(&["userName: [userPrincipalName] → [mail]"])
}

fn compared(desired: &Desired, outcome: Compared) -> Comparison {
    let hash = desired.mappings.as_ref().map_or_else(|| Wish::nothing().hash, |wish| wish.hash.clone());
    Comparison::new(&hash, outcome)
}

fn hash(desired: &Desired) -> String {
    compared(desired, Compared::TestsFailed(Vec::new())).wish
}

/// The steps of one pass in which the schema shows `outcome`, and after a save what was wished for.
fn pass(desired: &Desired, world: World, outcome: &Compared) -> (Vec<Step>, World, Verdict) {
    let settings = Settings::default();
    let mut pass = Pass::new(Managed { desired, settings: &settings }, world);
    while let Next::Do(step) = pass.next_step() {
        pass.learn(match &step {
            Step::Look(Look::Schema) => Fact::SchemaRead(compared(desired, outcome.clone())),
            Step::Look(Look::Jobs | Look::RecentJobs) => Fact::JobsListed(vec![job("Active")]),
            Step::Look(Look::Credentials) => Fact::CredentialsRead(Wanted {
                credentials: Vec::new(),
                fingerprint: None,
                known: Vec::new(),
                others: Vec::new(),
                holders: Vec::new(),
            }),
            Step::Look(Look::Secrets) => Fact::SecretsRead(Vec::new()),
            Step::Record(record @ (Record::RemoveFinalizer { .. } | Record::AddFinalizer)) => record.done(),
            Step::Change(change) => change.done(|| job("Disabled")),
            other @ (Step::Look(_) | Step::Record(_)) => panic!("{other:?}"),
        });
    }
    let (world, verdict, done) = pass.into_parts();
    (done.into_iter().map(|(step, _)| step).collect(), world, verdict)
}

fn reads(steps: &[Step]) -> usize {
    steps.iter().filter(|step| **step == Step::Look(Look::Schema)).count()
}

fn saves(steps: &[Step]) -> usize {
    steps.iter().filter(|step| matches!(step, Step::Change(Change::SaveMappings { .. }))).count()
}

fn saved(age: Duration) -> View {
    View { saved: Some((Some(Time(Timestamp::UNIX_EPOCH)), age)), revision: Some("r".to_owned()), ..View::default() }
}

/// A drift that is to be corrected.
fn correction() -> Difference {
    Difference { corrects: true, ..one_line() }
}
