//! What the API server in memory promises about writes, asked by a real client.

use entrain::api::{FINALIZER, MANAGER_IDENTITY, MANAGER_REPORT, SyncJob};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api as Kube, ResourceExt};
use serde_json::{Value, json};

use super::*;
use crate::world::schedule::{Mix, Site};

const SP: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";

pub fn spec() -> Value {
    json!({"servicePrincipalId": SP, "templateId": "scim"})
}

pub fn clock() -> Clock {
    Clock::start("2026-11-26T10:00:00Z".parse().unwrap())
}

fn world() -> (Api, Kube<SyncJob>, Key) {
    let api = Api::new(clock(), Schedule::quiet());
    let jobs = Kube::namespaced(api.client(0), "apps");
    (api, jobs, Key::new("apps", "box"))
}

fn code<T: std::fmt::Debug>(result: kube::Result<T>) -> u16 {
    match result {
        Err(kube::Error::Api(status)) => status.code,
        other => panic!("{other:?}"),
    }
}

async fn apply(jobs: &Kube<SyncJob>, manager: &str, version: &str, status: Value) -> kube::Result<SyncJob> {
    let object = json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob",
        "metadata": {"name": "box", "resourceVersion": version}, "status": status});
    jobs.patch_status("box", &PatchParams::apply(manager).force(), &Patch::Apply(&object)).await
}

async fn set_finalizers(jobs: &Kube<SyncJob>, of: &SyncJob, finalizers: &[&str]) -> kube::Result<SyncJob> {
    let metadata = json!({"resourceVersion": of.resource_version(), "uid": of.uid(), "finalizers": finalizers});
    jobs.patch("box", &PatchParams::default(), &Patch::Merge(&json!({"metadata": metadata}))).await
}

#[tokio::test(start_paused = true)]
async fn an_object_is_created_with_what_the_server_sets() {
    let (api, jobs, key) = world();
    let mut wanted: SyncJob = serde_json::from_value(json!({"metadata": {"name": "box"}, "spec": spec()})).unwrap();
    wanted.status = Some(serde_json::from_value(json!({"jobId": "mine"})).unwrap());
    let made = jobs.create(&PostParams::default(), &wanted).await.unwrap();
    assert_eq!((made.namespace().as_deref(), made.metadata.generation), (Some("apps"), Some(1)));
    assert_eq!(made.creation_timestamp().unwrap().0.to_string(), "2026-11-26T10:00:00Z");
    let status = made.status.clone().unwrap();
    assert_eq!(
        (status.identity.job_id, status.report.observed_generation),
        (None, Some(-1)),
        "a status does not come with a create"
    );
    assert_eq!(code(jobs.create(&PostParams::default(), &wanted).await), 409);
    assert_eq!(jobs.get("box").await.unwrap().uid(), made.uid());
    assert_eq!(api.get(&key).unwrap().number.to_string(), made.resource_version().unwrap());
    assert!(jobs.get_opt("other").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_write_on_another_version_or_another_object_is_a_conflict() {
    let (api, jobs, key) = world();
    api.create(&key, &spec());
    let first = jobs.get("box").await.unwrap();
    api.touch(&key);
    assert_eq!(
        code(apply(&jobs, MANAGER_REPORT, &first.resource_version().unwrap(), json!({"jobId": "x"})).await),
        409
    );
    assert_eq!(code(set_finalizers(&jobs, &first, &[FINALIZER]).await), 409);
    api.delete(&key);
    assert_eq!(code(apply(&jobs, MANAGER_REPORT, "", json!({"jobId": "x"})).await), 404);
    api.create(&key, &spec());
    let mut second = jobs.get("box").await.unwrap();
    second.metadata.uid = first.uid();
    assert_eq!(code(set_finalizers(&jobs, &second, &[FINALIZER]).await), 409, "the name is another object's now");
}

#[tokio::test(start_paused = true)]
async fn managers_own_what_they_applied_and_the_fields_say_so() {
    let (api, jobs, key) = world();
    api.create(&key, &spec());
    let none = String::new();
    apply(&jobs, MANAGER_IDENTITY, &none, json!({"jobId": "j", "tenantId": "t"})).await.unwrap();
    let both = apply(&jobs, MANAGER_REPORT, &none, json!({"observedGeneration": 1})).await.unwrap();
    let status = both.status.clone().unwrap();
    assert_eq!((status.identity.job_id.as_deref(), status.report.observed_generation), (Some("j"), Some(1)));
    let fields = both.managed_fields();
    let report = fields.iter().find(|entry| entry.manager.as_deref() == Some(MANAGER_REPORT)).unwrap();
    assert_eq!(report.operation.as_deref(), Some("Apply"));
    assert_eq!(report.fields_v1.as_ref().unwrap().0, json!({"f:status": {"f:observedGeneration": {}}}));
    let less = apply(&jobs, MANAGER_IDENTITY, &none, json!({"tenantId": "t"})).await.unwrap();
    assert_eq!(less.status.unwrap().identity.job_id, None);
    assert_eq!(api.get(&key).unwrap().generation(), 1, "status is no new generation");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_changes_nothing_is_no_new_version() {
    let (api, jobs, key) = world();
    api.create(&key, &spec());
    let first = apply(&jobs, MANAGER_REPORT, "", json!({"jobId": "j"})).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let second = apply(&jobs, MANAGER_REPORT, "", json!({"jobId": "j"})).await.unwrap();
    assert_eq!(second.resource_version(), first.resource_version());
    let shared = apply(&jobs, MANAGER_IDENTITY, "", json!({"jobId": "j"})).await.unwrap();
    assert_ne!(shared.resource_version(), first.resource_version(), "another owner is a change");
    assert_eq!(api.store().history.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_changed_spec_and_a_deletion_are_new_generations() {
    let (api, _, key) = world();
    api.create(&key, &spec());
    let generation = |object: Option<Arc<Version>>| object.unwrap().generation();
    assert_eq!(generation(api.patch(&key, &json!({"metadata": {"finalizers": ["x"]}}))), 1);
    assert_eq!(generation(api.patch(&key, &json!({"spec": {"state": "Paused"}}))), 2);
    assert_eq!(generation(api.patch(&key, &json!({"spec": {"state": null}, "status": {"jobId": "x"}}))), 3);
    assert_eq!(api.get(&key).unwrap().status("jobId"), None);
    api.delete(&key);
    assert_eq!(generation(api.get(&key)), 4);
    api.delete(&key);
    assert_eq!(generation(api.get(&key)), 4, "it is deleted once");
}

#[tokio::test(start_paused = true)]
async fn an_object_goes_with_its_last_finalizer() {
    let (api, jobs, key) = world();
    api.create(&key, &spec());
    let made = jobs.get("box").await.unwrap();
    let held = set_finalizers(&jobs, &made, &[FINALIZER, "other"]).await.unwrap();
    api.delete(&key);
    let going = jobs.get("box").await.unwrap();
    assert!(going.metadata.deletion_timestamp.is_some() && going.uid() == held.uid());
    assert_eq!(code(set_finalizers(&jobs, &going, &[FINALIZER, "other", "new"]).await), 422);
    let less = set_finalizers(&jobs, &going, &["other"]).await.unwrap();
    assert_eq!(less.finalizers(), ["other"]);
    set_finalizers(&jobs, &less, &[]).await.unwrap();
    assert!(jobs.get_opt("box").await.unwrap().is_none());
    let store = api.store();
    let last = store.history.last().unwrap();
    assert_eq!((last.change, last.by), (Change::Deleted, By::Operator(0)));
}

#[tokio::test(start_paused = true)]
async fn lists_choose_by_namespace_and_by_the_recorded_service_principal() {
    let (api, jobs, key) = world();
    api.create(&key, &spec());
    api.create(&Key::new("other", "box"), &spec());
    api.create(&Key::new("apps", "holder"), &spec());
    let status = json!({"servicePrincipalId": SP});
    drop(api.store().replace_status(&Key::new("apps", "holder"), status, "x", By::Person));
    let all: Kube<SyncJob> = Kube::all(api.client(0));
    let count = async |api: &Kube<SyncJob>, params: ListParams| api.list(&params).await.unwrap().items.len();
    assert_eq!((count(&all, ListParams::default()).await, count(&jobs, ListParams::default()).await), (3, 2));
    let holders = ListParams::default().fields(&format!("status.servicePrincipalId={SP}"));
    assert_eq!((count(&all, holders.clone()).await, count(&jobs, holders).await), (1, 1));
    let newer = ListParams::default().at("99999");
    assert_eq!(code(jobs.list(&newer).await), 504);
}

#[tokio::test(start_paused = true)]
async fn the_definition_the_events_and_the_leases_are_served() {
    let (api, _, key) = world();
    let client = api.client(3);
    assert!(!entrain::cluster::read::definition_is_going(&client).await.unwrap());
    api.store().definition_going = true;
    assert!(entrain::cluster::read::definition_is_going(&client).await.unwrap());
    let object: SyncJob = serde_json::from_slice(&api.create(&key, &spec()).json).unwrap();
    let (events, work) = entrain::cluster::events::Events::new(client.clone(), "pod");
    events.send(&object, true, "Reason", "Act", "note");
    drop(events);
    work.await;
    let sent = &api.store().events;
    assert_eq!((sent.len(), sent[0].1, &sent[0].2["reason"]), (1, By::Operator(3), &json!("Reason")));
}

#[tokio::test(start_paused = true)]
async fn one_of_two_operators_has_the_lease() {
    use entrain::cluster::lease::{Config, Elector};
    use std::time::Duration;
    let (api, ..) = world();
    let elector = |operator: u8| {
        let seconds = Duration::from_secs;
        let (namespace, name, identity) = ("entrain".to_owned(), "entrain".to_owned(), operator.to_string());
        let (duration, renew_deadline, retry) = (seconds(30), seconds(20), seconds(5));
        Elector::new(api.client(operator), Config { namespace, name, identity, duration, renew_deadline, retry })
    };
    let (mut first, mut second) = (elector(0), elector(1));
    first.acquire().await;
    assert!(first.fence().is_open());
    let waited = tokio::time::timeout(seconds(20), second.acquire()).await;
    assert!(waited.is_err() && !second.fence().is_open());
    second.acquire().await;
    assert!(second.fence().is_open() && !first.fence().is_open());
}

fn seconds(seconds: u64) -> std::time::Duration {
    std::time::Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_rival_and_a_cut_line_are_what_the_product_can_meet() {
    let api = Api::new(clock(), Schedule::mixed(1, Mix { sites: vec![Site::ApiWrite], ..Mix::everywhere(60, 500) }));
    let (key, client) = (Key::new("apps", "box"), api.client(0));
    let object: SyncJob = serde_json::from_slice(&api.create(&key, &spec()).json).unwrap();
    let mut outcomes = std::collections::BTreeSet::new();
    for _ in 0..120 {
        let fresh: SyncJob = serde_json::from_slice(&api.get(&key).unwrap().json).unwrap();
        let mut handle = entrain::cluster::object::Handle::new(client.clone(), Arc::new(fresh));
        outcomes.insert(match handle.add_finalizer(entrain::api::FINALIZER).await {
            Ok(()) => "written",
            Err(entrain::cluster::Error::Changed) => "changed",
            Err(_) => "unavailable",
        });
    }
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), ["changed", "unavailable", "written"]);
    api.cut_off(0, true);
    let mut handle = entrain::cluster::object::Handle::new(client, Arc::new(object));
    let cut = handle.reread().await;
    assert!(matches!(cut, Err(entrain::cluster::Error::Unavailable(_))), "{cut:?}");
    api.cut_off(0, false);
    assert!(handle.reread().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_restored_backup_goes_back_in_versions_and_is_in_the_history() {
    let (api, jobs, key) = world();
    api.create(&key, &spec());
    let snapshot = api.store().snapshot();
    let later = apply(&jobs, MANAGER_IDENTITY, "", json!({"jobId": "j"})).await.unwrap();
    api.create(&Key::new("apps", "new"), &spec());
    api.store().restore(&snapshot);
    let back = jobs.get("box").await.unwrap();
    assert!(back.resource_version() < later.resource_version() && back.status.unwrap().identity.job_id.is_none());
    assert!(jobs.get_opt("new").await.unwrap().is_none());
    let changes: Vec<(Change, By)> = api.store().history[3..].iter().map(|write| (write.change, write.by)).collect();
    assert_eq!(changes, [(Change::Deleted, By::Person), (Change::Modified, By::Person)]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_with_all_that_is_in_it() {
    let (api, _, key) = world();
    api.create(&key, &spec());
    api.patch(&key, &json!({"metadata": {"finalizers": ["x"]}}));
    api.create(&Key::new("apps", "free"), &spec());
    api.create(&Key::new("other", "box"), &spec());
    api.delete_namespace("apps");
    let store = api.store();
    let left: Vec<(&str, bool)> =
        store.objects.values().map(|object| (&*object.key.namespace, object.is_deleting())).collect();
    assert_eq!(left, [("apps", true), ("other", false)]);
}

#[tokio::test(start_paused = true)]
async fn a_status_that_a_restore_takes_away_is_nobodys_any_more() {
    let (api, jobs, key) = world();
    api.create(&key, &spec());
    apply(&jobs, MANAGER_IDENTITY, "", json!({"jobId": "j"})).await.unwrap();
    api.remove_status(&key);
    let object = api.get(&key).unwrap();
    let owns = object.managers.iter().any(|manager| manager.name == MANAGER_IDENTITY);
    assert_eq!((object.status("jobId"), owns), (None, false), "{:?}", object.managers);
}
