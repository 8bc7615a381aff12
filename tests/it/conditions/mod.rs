//! The table of states: what the operator tells in each, and what kstatus and Argo CD make of it. The table is a page of
//! the documentation, and its objects are the test data of the scripts for Argo CD.

mod graph;
pub mod kstatus;
mod page;
mod states;
mod story;
mod waiting;

use std::sync::LazyLock;

use entrain::api::{ConditionType, Reason, SyncJob};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Value, json};

use crate::argo::files::{self, HOME};
use crate::argo::vm::{self, Health};
use story::Story;

/// A state with everybody's word on it.
struct Row {
    name: String,
    title: String,
    story: Story,
    manifest: Value,
    kstatus: String,
    argo: Health,
}

impl Row {
    fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.story.status().report.conditions.iter().find(|condition| condition.type_ == kind.name())
    }

    /// Why the work goes on, or why it does not.
    fn reason(&self) -> &str {
        let kinds = [ConditionType::Reconciling, ConditionType::Stalled, ConditionType::Ready];
        kinds.into_iter().find_map(|kind| self.condition(kind)).map_or("", |condition| &condition.reason)
    }

    fn observed(&self) -> bool {
        self.story.status().report.observed_generation == Some(self.story.generation())
    }
}

fn rows() -> Vec<(&'static str, Vec<Row>)> {
    let sections = states::all();
    let manifests: Vec<Value> =
        sections.iter().flat_map(|section| &section.states).map(|state| state.story.manifest(&state.name)).collect();
    let mut judged = manifests.iter().cloned().zip(kstatus::verdicts(&manifests));
    let script = files::script("health.lua");
    let row = |state: states::State, (manifest, kstatus)| {
        let argo = vm::health(&script, &manifest).unwrap_or_else(|error| panic!("{}: {error}", state.name));
        Row { name: state.name, title: state.title, story: state.story, manifest, kstatus, argo }
    };
    let mut row = |state| row(state, judged.next().unwrap());
    sections.into_iter().map(|section| (section.title, section.states.into_iter().map(&mut row).collect())).collect()
}

#[test]
fn every_state_is_told_as_the_documentation_shows_it() {
    let sections = rows();
    let rows: Vec<&Row> = sections.iter().flat_map(|(_, rows)| rows).collect();
    let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows.len(), "two states have one name");

    files::assert_current(goldens());
    let offences: Vec<String> = rows.iter().flat_map(|row| offences(row)).collect();
    assert_eq!(offences, Vec::<String>::new());
    assert_eq!(unshown(&rows), Vec::<&str>::new());
}

/// The files that do not say what the code does. They are written first if that is asked for.
pub fn goldens() -> &'static [String] {
    static STALE: LazyLock<Vec<String>> = LazyLock::new(|| {
        let sections = rows();
        let mut stale: Vec<String> = files::stale(page::PATH, &page::page(&sections)).into_iter().collect();
        let rows: Vec<&Row> = sections.iter().flat_map(|(_, rows)| rows).collect();
        let paths: Vec<String> = rows.iter().map(|row| format!("{}.yaml", row.name)).collect();
        for (row, path) in rows.iter().zip(&paths) {
            stale.extend(files::stale(&format!("{HOME}/testdata/{path}"), &yaml(&row.manifest)));
        }
        let cases: Vec<Value> = rows.iter().zip(&paths).map(|(row, path)| case(row, path)).collect();
        stale.extend(files::stale(&format!("{HOME}/health_test.yaml"), &yaml(&json!({"tests": cases}))));
        stale.extend(files::left_over(&format!("{HOME}/testdata"), &paths));
        stale
    });
    &STALE
}

fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).unwrap()
}

/// A case of `health_test.yaml`, in Argo CD's form.
fn case(row: &Row, path: &str) -> Value {
    json!({"healthStatus": {"status": row.argo.status, "message": row.argo.message}, "inputPath": format!("testdata/{path}")})
}

/// What passes by itself, and never fails a rollout.
const PASSING: &[Reason] = &[
    Reason::Throttled,
    Reason::GraphUnavailable,
    Reason::LoginUnavailable,
    Reason::ClusterUnavailable,
    Reason::Interrupted,
    Reason::CreateOutcomeUnknown,
];
/// What waiting never mends, and fails a rollout at once.
const HOPELESS: &[Reason] = &[Reason::InvalidSpec, Reason::TemplateNotOffered, Reason::Quarantined];

/// What no row of the table may say.
fn offences(row: &Row) -> Vec<String> {
    let is = |reasons: &[Reason]| reasons.iter().any(|reason| reason.name() == row.reason());
    let suspended = row.manifest["spec"]["mode"] == "Suspended";
    let failed = row.kstatus == "Failed" || row.argo.status == "Degraded";
    let settled = row.kstatus == "Current" || row.argo.status == "Healthy";
    let both = row.condition(ConditionType::Reconciling).zip(row.condition(ConditionType::Stalled));
    let gone = [Reason::JobMissing, Reason::ServicePrincipalNotFound];
    let well = row.condition(ConditionType::Healthy).is_some_and(|healthy| healthy.status == "True");
    // A person and two machines read one story.
    let agreed = match row.argo.status.as_str() {
        "Healthy" => row.kstatus == "Current",
        "Degraded" => row.kstatus == "Failed",
        "Progressing" => row.kstatus == "InProgress" || row.kstatus == "Terminating",
        "Suspended" => suspended,
        _ => false,
    };
    let read = serde_json::from_value::<SyncJob>(row.manifest.clone()).and_then(serde_json::to_value);
    let rules = [
        (read.ok().as_ref() != Some(&row.manifest), "is no SyncJob"),
        (is(PASSING) && failed, "fails over trouble that passes"),
        (is(HOPELESS) && !failed && !suspended, "does not fail at once"),
        (is(&gone) && well, "is healthy though it is gone"),
        (both.is_some(), "goes on and is stuck at once"),
        (settled && !row.observed(), "is settled before anybody looked"),
        (!agreed, "is judged differently by kstatus and Argo CD"),
        (suspended && row.argo.status != "Suspended", "is suspended and does not say so"),
    ];
    let broken = rules.into_iter().filter(|(broken, _)| *broken);
    broken.map(|(_, what)| format!("{} {what} ({}, {})", row.name, row.kstatus, row.argo.status)).collect()
}

/// What the work is called on the way: a pass that ends has come further.
const NOT_SHOWN: &[Reason] = &[Reason::Adopting, Reason::Creating];
/// What a tenant is to its SyncJobs is not part of the story of one SyncJob.
const OF_THE_TENANT: &[Reason] =
    &[Reason::TenantNotFound, Reason::TenantNotAllowed, Reason::TenantSuspended, Reason::TenantNotReady];

/// Reasons that no row shows.
fn unshown(rows: &[&Row]) -> Vec<&'static str> {
    let shown = |name: &str| {
        rows.iter().any(|row| row.story.status().report.conditions.iter().any(|condition| condition.reason == name))
    };
    let elsewhere = [NOT_SHOWN, OF_THE_TENANT, Reason::TENANT];
    let expected = Reason::ALL.iter().filter(|reason| elsewhere.iter().all(|list| !list.contains(reason)));
    expected.map(|reason| reason.name()).filter(|name| !shown(name)).collect()
}
