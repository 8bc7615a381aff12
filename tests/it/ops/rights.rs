//! What the operator may do is what it does: nothing is refused, and nothing is granted that is never used.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::leader::ELECT;
use crate::cluster::revisions::uses_every_right;
use crate::stack::plane::{OPERATOR_USER, repository, shared};
use crate::stack::read::is_ready;
use crate::stack::rig::Rig;

const CREDENTIALS: &str = "credentials: [{key: SecretToken, valueFrom: {secretKeyRef: {name: box-scim, key: token}}}]";

pub type Right = (String, String, String);

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Of the shipped roles of the operator.
fn granted() -> BTreeSet<Right> {
    let manifest = std::fs::read_to_string(repository().join("config/rbac/operator.yaml")).unwrap();
    granted_by(&serde_saphyr::from_multiple::<Value>(&manifest).unwrap())
}

/// Group, resource with its subresource, verb: of every rule in these roles.
pub fn granted_by(objects: &[Value]) -> BTreeSet<Right> {
    let list = |value: &Value| -> Vec<String> { value.as_array().unwrap().iter().map(text).collect() };
    let mut rights = BTreeSet::new();
    for object in objects {
        for rule in object["rules"].as_array().into_iter().flatten() {
            for group in list(&rule["apiGroups"]) {
                for resource in list(&rule["resources"]) {
                    rights.extend(list(&rule["verbs"]).into_iter().map(|verb| (group.clone(), resource.clone(), verb)));
                }
            }
        }
    }
    rights
}

/// What the audit log says that operators of these tests did, and what of it was forbidden.
pub fn used() -> (BTreeSet<Right>, Vec<Value>) {
    let log = std::fs::read_to_string(shared().ready().audit_log.as_ref().unwrap()).unwrap();
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let ours: Vec<Value> = events.filter(|event| event["user"]["username"] == OPERATOR_USER).collect();
    let right = |event: &Value| {
        let (object, below) = (&event["objectRef"], text(&event["objectRef"]["subresource"]));
        let resource =
            if below.is_empty() { text(&object["resource"]) } else { format!("{}/{below}", text(&object["resource"])) };
        (text(&object["apiGroup"]), resource, text(&event["verb"]))
    };
    // An event in a namespace that is going is refused with 403 as well, by admission.
    let refused = |event: &&Value| event["annotations"]["authorization.k8s.io/decision"] == "forbid";
    // A token that the chart does not let the operator request is what one of the tests of tenants is about.
    let meant =
        |event: &&Value| event["objectRef"]["subresource"] == "token" && event["objectRef"]["name"] == "of-the-team";
    let forbidden = ours.iter().filter(|event| refused(event) && !meant(event)).cloned().collect();
    // An apply that made the object took the right to create it as well.
    let made = |event: &&Value| event["verb"] == "patch" && event["responseStatus"]["code"] == 201;
    let created =
        ours.iter().filter(made).map(right).map(|(group, resource, _)| (group, resource, "create".to_owned()));
    (ours.iter().map(right).chain(created).collect(), forbidden)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_right_of_the_operator_is_used_and_none_is_missing() {
    let _lease = super::LEASE.lock().await;
    let mut rig = Rig::start_with(&[&ELECT[..], &["--operator-namespace=entrain-system"]].concat()).await;
    let slow = json!({"operation": "createJob", "times": 1, "action": {"delay": {"millis": 1500}}});
    rig.control.put_fault(&slow).await.unwrap();
    rig.kubectl(&["create", "secret", "generic", "box-scim", "--from-literal=token=one"]).await;
    rig.apply_sync_job("box", &[CREDENTIALS, "credentialValidation: Skip"]).await;
    // The object changes under the record of the id, which then reads it anew.
    rig.until("box", "has an intent", |object| object["status"]["intent"].is_object()).await;
    rig.kubectl(&["label", "syncjob", "box", "edited=meanwhile"]).await;
    rig.until("box", "is ready", is_ready).await;
    rig.until_event("JobCreated").await;
    uses_every_right(&rig, &serde_json::from_value(rig.get("box").await).unwrap()).await;
    rig.delete("box").await;
    rig.until("box", "is gone", Value::is_null).await;
    rig.stop_operator(std::time::Duration::from_secs(10)).await;

    let (used, forbidden) = used();
    assert_eq!(forbidden, Vec::<Value>::new());
    let unused: Vec<Right> = granted().difference(&used).cloned().collect();
    assert_eq!(unused, Vec::<Right>::new(), "granted and never used; used is {used:#?}");
}
