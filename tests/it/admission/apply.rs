//! What is applied stays as written: no default is added, and a second apply changes nothing.

use entrain::api::KINDS;
use serde_json::{Value, json};

use super::tenant;
use crate::stack::plane::{SharedPlane, shared};

/// One object of each kind, as somebody would keep it in Git.
fn written() -> Vec<Value> {
    let grants =
        json!([{"namespaces": ["identity"], "modes": ["Observe"]}, {"namespaceSelector": {"matchLabels": {"a": "b"}}}]);
    let cluster = json!({"credential": {"operatorIdentity": {}}, "allowedNamespaces": grants});
    vec![
        tenant::manifest("ClusterEntraTenant", "applied", &cluster),
        tenant::manifest("EntraTenant", "applied", &json!({})),
        json!({
            "apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob", "metadata": {"name": "applied"},
            "spec": {"servicePrincipalId": super::GUID, "templateId": "BoxOutDelta", "tenantRef": {"name": "applied"}},
        }),
    ]
}

fn stored(plane: &SharedPlane, kind: &str) -> Value {
    serde_json::from_str(&plane.kubectl(&["get", kind, "applied", "--output=json"])).unwrap()
}

#[test]
fn what_is_applied_stays_as_written_and_is_not_changed_by_a_second_apply() {
    let plane = shared();
    let dir = tempfile::tempdir().unwrap();
    let written = written();
    let kinds: Vec<&str> = written.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>());
    for (object, kind) in written.iter().zip(kinds) {
        let file = dir.path().join(kind);
        std::fs::write(&file, object.to_string()).unwrap();
        let apply = || plane.kubectl(&["apply", "--server-side", "--filename", file.to_str().unwrap()]);
        apply();
        let first = stored(plane, kind);
        assert_eq!(first["spec"], object["spec"], "{kind}: the server adds nothing");
        assert_eq!(first["status"], json!({"observedGeneration": -1}), "{kind}: nobody has looked at it");
        // The server adds the default of status on read; the next write, even one that changes nothing, stores it.
        apply();
        let second = stored(plane, kind);
        assert_eq!((&second["spec"], &second["status"]), (&first["spec"], &first["status"]), "{kind}");
        assert_eq!(second["metadata"]["generation"], 1, "{kind}");
        apply();
        assert_eq!(stored(plane, kind), second, "{kind}: an apply that changes nothing is no write");
        plane.kubectl(&["delete", kind, "applied"]);
    }
}
