//! What mappings were before they were changed: kept, found, and gone with the SyncJob.

use std::time::Duration;

use entrain::api::SyncJob;
use entrain::cluster::Error;
use entrain::cluster::revisions::{KEPT_MAX, UID_LABEL, keep, newest};
use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::stack::rig::Rig;

/// With the operator's rights, or with those of an administrator.
async fn client(kubeconfig: Kubeconfig) -> Client {
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.proxy_url = None;
    Client::try_from(config).unwrap()
}

/// SyncJobs that no operator works on, and who may do what to what is kept of them.
struct Stand {
    rig: Rig,
    operator: Client,
    revisions: Api<ControllerRevision>,
}

impl Stand {
    async fn new() -> Self {
        let rig = Rig::idle().await;
        let operator = client(serde_json::from_value(rig.plane.operator_kubeconfig()).unwrap()).await;
        let admin = client(Kubeconfig::read_from(&rig.plane.ready().kubeconfig).unwrap()).await;
        let revisions = Api::namespaced(admin, &rig.namespace);
        Self { rig, operator, revisions }
    }

    async fn sync_job(&self, name: &str) -> SyncJob {
        self.rig.apply_sync_job(name, &[]).await;
        serde_json::from_value(self.rig.get(name).await).unwrap()
    }

    /// The numbers of all that there is, the lowest first.
    async fn numbers(&self) -> Vec<i64> {
        let all = self.revisions.list(&ListParams::default()).await.unwrap();
        let mut numbers: Vec<i64> = all.items.iter().map(|found| found.revision).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Somebody makes a revision that looks like one of ours.
    async fn forge(&self, owner: &Value, label: &SyncJob, revision: i64, data: Value) {
        let forged = json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": revision, "data": data,
            "metadata": {"generateName": "forged-", "labels": {UID_LABEL: label.uid()}, "ownerReferences": [owner]},
        });
        self.revisions.create(&PostParams::default(), &serde_json::from_value(forged).unwrap()).await.unwrap();
    }
}

fn owner(object: &SyncJob) -> Value {
    json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob", "name": object.name_any(), "uid": object.uid(),
        "controller": true, "blockOwnerDeletion": false})
}

/// About as large and as monotonous as the schema of an application.
fn schema(mark: &str) -> Value {
    let attributes: Vec<Value> = (0..2000)
        .map(|n| json!({"name": format!("attribute{n}"), "type": "String", "caseExact": false, "metadata": []}))
        .collect();
    json!({"mark": mark, "directories": [{"objects": [{"attributes": attributes}]}]})
}

/// Everything that the rights are for: looking, keeping, finding that it is kept already, and deleting what is old.
pub async fn uses_every_right(rig: &Rig, object: &SyncJob) {
    let operator = client(serde_json::from_value(rig.plane.operator_kubeconfig()).unwrap()).await;
    for revision in (1..).take(KEPT_MAX + 1) {
        newest::<Value>(&operator, object).await.unwrap();
        for _ in 0..2 {
            keep(&operator, object, revision, &json!({})).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_last_is_found_and_the_same_is_kept_once() {
    let stand = Stand::new().await;
    let (object, other) = (stand.sync_job("wiki").await, stand.sync_job("wiki-2").await);
    assert!(newest::<Value>(&stand.operator, &object).await.unwrap().is_none());
    let name = keep(&stand.operator, &object, 1, &schema("one")).await.unwrap();
    assert_eq!(keep(&stand.operator, &object, 1, &schema("one")).await.unwrap(), name, "after a lost answer");
    let kept = newest::<Value>(&stand.operator, &object).await.unwrap().unwrap();
    assert_eq!((kept.name.as_str(), kept.revision, &kept.content), (name.as_str(), 1, &schema("one")));
    assert!(!format!("{kept:?}").contains("attribute"), "{kept:?}");
    let second = keep(&stand.operator, &object, 2, &schema("two")).await.unwrap();
    // What was there before returns: it is the newest, although the same content is kept already.
    let third = keep(&stand.operator, &object, 3, &schema("one")).await.unwrap();
    let kept = newest::<Value>(&stand.operator, &object).await.unwrap().unwrap();
    assert_eq!((kept.name, kept.revision, kept.content), (third.clone(), 3, schema("one")));
    assert_eq!(stand.numbers().await, [1, 2, 3]);
    assert!(newest::<Value>(&stand.operator, &other).await.unwrap().is_none());
    for name in [name, second, third] {
        let suffix = name.strip_prefix("wiki-").unwrap();
        assert!(suffix.len() == 10 && suffix.chars().all(|c| c.is_ascii_hexdigit()), "{name}");
        let stored = stand.revisions.get(&name).await.unwrap();
        assert_eq!(json!(stored.metadata.owner_references), json!([owner(&object)]));
        assert!(json!(stored.data).to_string().len() < 20_000, "it is compressed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_newest_stay_and_nothing_of_anybody_else_is_deleted() {
    let stand = Stand::new().await;
    let (object, other) = (stand.sync_job("wiki").await, stand.sync_job("crm").await);
    keep(&stand.operator, &other, 7, &schema("other")).await.unwrap();
    stand.forge(&owner(&other), &object, 8, json!({"gzip": "no"})).await;
    for revision in 1..=5 {
        keep(&stand.operator, &object, revision, &schema("x")).await.unwrap();
    }
    assert_eq!(stand.numbers().await, [3, 4, 5, 7, 8]);
    keep(&stand.operator, &object, 2, &schema("late")).await.unwrap();
    assert_eq!(stand.numbers().await, [2, 4, 5, 7, 8], "what was just kept stays");
    assert_eq!(newest::<Value>(&stand.operator, &object).await.unwrap().unwrap().revision, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_owns_is_ignored_and_what_cannot_be_read_is_not_taken_for_nothing() {
    let stand = Stand::new().await;
    let (object, other) = (stand.sync_job("wiki").await, stand.sync_job("crm").await);
    stand.forge(&owner(&other), &object, 9, json!({"gzip": "no"})).await;
    assert!(newest::<Value>(&stand.operator, &object).await.unwrap().is_none());
    let mut no_controller = owner(&object);
    no_controller["controller"] = json!(false);
    stand.forge(&no_controller, &object, 9, json!({"gzip": "no"})).await;
    assert!(newest::<Value>(&stand.operator, &object).await.unwrap().is_none());
    for (revision, data) in [(1, json!({"gzip": "canary"})), (2, json!({"other": "canary"})), (3, json!({"gzip": 7}))] {
        stand.forge(&owner(&object), &object, revision, data.clone()).await;
        let error = newest::<Value>(&stand.operator, &object).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(text) if text.contains("cannot be read")), "{data}: {error:?}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_is_not_mistaken_for_what_was_kept() {
    let stand = Stand::new().await;
    let object = stand.sync_job("wiki").await;
    for (number, change) in [(1, json!({"revision": 9})), (2, json!({"metadata": {"ownerReferences": null}}))] {
        let name = keep(&stand.operator, &object, number, &schema("one")).await.unwrap();
        stand.revisions.patch(&name, &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
        let error = keep(&stand.operator, &object, number, &schema("one")).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(text) if text.contains(&name)), "{change}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_a_sync_job_goes_with_it() {
    let stand = Stand::new().await;
    let (object, other) = (stand.sync_job("wiki").await, stand.sync_job("crm").await);
    keep(&stand.operator, &object, 1, &schema("one")).await.unwrap();
    keep(&stand.operator, &other, 2, &schema("two")).await.unwrap();
    stand.rig.delete("wiki").await;
    let gone = async {
        while stand.numbers().await != [2] {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("the garbage collector deletes it");
    let again = stand.sync_job("wiki").await;
    assert!(newest::<Value>(&stand.operator, &again).await.unwrap().is_none());
    keep(&stand.operator, &again, 1, &schema("one")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_before_it_is_sent() {
    let stand = Stand::new().await;
    let object = stand.sync_job("wiki").await;
    let noise: String = (0..60_000).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect();
    let error = keep(&stand.operator, &object, 1, &json!(noise)).await.unwrap_err();
    assert!(matches!(&error, Error::Refused(text) if text.contains("larger than 1 MiB")), "{error:?}");
    assert_eq!(stand.numbers().await, [0; 0]);
}
