//! A watched namespace that is deleted takes the operator's RoleBinding away first. What then happens, and that the way out
//! of the documentation is one.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::chart::{documents, read, rendered, repository};
use crate::stack::plane::{OPERATOR_USER, SharedPlane};
use crate::stack::read::effects;
use crate::stack::rig::Rig;

/// As they stand in docs/troubleshooting.md, for the namespace `team-a`.
const WAY_OUT: [&str; 5] = [
    "kubectl create clusterrole entrain-way-out --verb=get,list,watch,patch --resource=syncjobs.entrain.dev,syncjobs.entrain.dev/status",
    "kubectl create clusterrolebinding entrain-way-out --clusterrole=entrain-way-out --serviceaccount=entrain-system:entrain",
    "kubectl wait --for=delete namespace/team-a --timeout=5m",
    "kubectl delete clusterrolebinding entrain-way-out",
    "kubectl delete clusterrole entrain-way-out",
];

/// With the rights that the chart renders for one namespace, and the operator at work there.
async fn namespaced() -> Rig {
    let plane = tokio::task::spawn_blocking(|| Arc::new(SharedPlane::bare())).await.unwrap();
    let mut rig = Rig::idle_on(plane).await;
    let text = rendered(&json!({"watchNamespaces": [rig.namespace]})).unwrap();
    assert!(documents(&text).iter().all(|object| object["metadata"]["name"] != "entrain-system:entrain:view"));
    rig.kubectl(&["create", "namespace", "entrain-system"]).await;
    let file = rig.file("release.yaml", &text).display().to_string();
    rig.plane.kubectl(&["apply", "-f", &file]);
    rig.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/syncjobs.entrain.dev"]).await;
    rig.start_operator();
    rig
}

/// Whether the server has refused the operator a write because of its rights.
fn was_forbidden(plane: &SharedPlane) -> bool {
    let log = std::fs::read_to_string(plane.ready().audit_log.as_ref().unwrap()).unwrap();
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter(|event| event["user"]["username"] == OPERATOR_USER).any(|event| {
        ["get", "patch"].iter().any(|verb| event["verb"] == *verb)
            && event["objectRef"]["resource"] == "syncjobs"
            && event["annotations"]["authorization.k8s.io/decision"] == "forbid"
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_namespace_that_is_deleted_first_hangs_and_goes_once_the_operator_has_its_rights_again() {
    let mut rig = namespaced().await;
    rig.running(&[]).await;
    // Long enough for Kubernetes to sweep away everything without a finalizer, in whatever order.
    let slow = json!({"operation": "deleteJob", "times": 1, "action": {"delay": {"millis": 5000}}});
    rig.control.put_fault(&slow).await.unwrap();
    let (namespace, plane) = (rig.namespace.clone(), rig.plane.clone());
    rig.kubectl(&["delete", "namespace", &namespace, "--wait=false"]).await;
    rig.until_graph("the operator lacks the right to let go", async |_| was_forbidden(&plane)).await;
    // The SyncJob is read before the job is deleted, so that depends on when the right to read it went.
    assert!(effects(&rig.control, "deleteJob").await.len() <= 1);
    assert_eq!(rig.get("box").await["metadata"]["finalizers"], json!(["entrain.dev/syncjob"]));
    assert_eq!(rig.kubectl(&["get", "rolebindings", "-o", "name"]).await, "");

    let page = read(&repository().join("docs/troubleshooting.md"));
    for command in WAY_OUT {
        assert!(page.contains(&format!("{command}\n")), "the page does not say: {command}");
        let command = command.replace("team-a", &namespace);
        rig.kubectl(&command.split(' ').skip(1).collect::<Vec<_>>()).await;
    }
    assert!(rig.get("box").await.is_null());
    assert_eq!(effects(&rig.control, "deleteJob").await.len(), 1, "the job is deleted, once");
}
