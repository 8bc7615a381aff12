//! The scripts as Argo CD takes them from its ConfigMap, for installations that do not build Argo CD themselves.

use std::fmt::Write as _;

use entrain::api;

use super::files::{self, ACTIONS};
use super::tenants;

const PATH: &str = "argocd/argocd-cm.yaml";
const HEAD: &str = "\
# Generated from resource_customizations/ by `UPDATE=1 cargo test --test it -- conditions argo`.
# Merge `data` into the ConfigMap `argocd-cm` of your Argo CD, for example:
#   kubectl --namespace argocd patch configmap argocd-cm --type merge --patch-file argocd-cm.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
  namespace: argocd
  labels:
    app.kubernetes.io/name: argocd-cm
    app.kubernetes.io/part-of: argocd
data:
";

/// A literal block, whose text keeps its line breaks.
fn block(text: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{pad}{line}\n") }).collect()
}

fn actions() -> String {
    let mut text = format!("discovery.lua: |\n{}definitions:\n", block(&files::script("actions/discovery.lua"), 2));
    for name in ACTIONS {
        let script = files::script(&format!("actions/{name}/action.lua"));
        let _ = write!(text, "- name: {name}\n  action.lua: |\n{}", block(&script, 4));
    }
    text
}

fn fragment() -> String {
    let health = block(&files::script("health.lua"), 4);
    let actions = block(&actions(), 4);
    let mut text = format!(
        "{HEAD}  resource.customizations.health.entrain.dev_SyncJob: |\n{health}  resource.customizations.actions.entrain.dev_SyncJob: |\n{actions}"
    );
    for kind in tenants::KINDS {
        let health = block(&tenants::script(kind), 4);
        let _ = write!(text, "  resource.customizations.health.entrain.dev_{kind}: |\n{health}");
    }
    text
}

#[test]
fn the_fragment_for_the_config_map_holds_the_same_scripts() {
    let stale: Vec<String> = files::stale(PATH, &fragment()).into_iter().collect();
    files::assert_current(&stale);
    let data = &files::yaml(PATH)["data"];
    assert_eq!(data["resource.customizations.health.entrain.dev_SyncJob"], files::script("health.lua"));
    for kind in api::KINDS {
        let script = files::text(&format!("argocd/resource_customizations/entrain.dev/{}/health.lua", kind.name));
        assert_eq!(data[format!("resource.customizations.health.entrain.dev_{}", kind.name)], script, "{}", kind.name);
    }
    let actions = data["resource.customizations.actions.entrain.dev_SyncJob"].as_str().unwrap();
    let actions: serde_json::Value = serde_saphyr::from_str(actions).unwrap();
    assert_eq!(actions["discovery.lua"], files::script("actions/discovery.lua"));
    let definitions = actions["definitions"].as_array().unwrap();
    let dirs: Vec<String> = files::names(&format!("{}/actions", files::HOME))
        .into_iter()
        .filter(|name| !name.contains('.') && name != "testdata")
        .collect();
    let named: Vec<&str> = definitions.iter().filter_map(|definition| definition["name"].as_str()).collect();
    assert_eq!(named, dirs);
    for definition in definitions {
        let path = format!("actions/{}/action.lua", definition["name"].as_str().unwrap());
        assert_eq!(definition["action.lua"], files::script(&path));
    }
}
