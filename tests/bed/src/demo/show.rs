//! What the demo prints.

use serde_json::Value;

use super::Stage;
use crate::graph;

pub(super) fn manifest(demo: &graph::Demo) -> String {
    format!(
        "apiVersion: entrain.dev/v1alpha1
kind: SyncJob
metadata:
  name: demo
  namespace: default
spec:
  servicePrincipalId: {}
  templateId: {}
",
        demo.service_principal_id, demo.template_id
    )
}

pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// The conditions in one line, for a person who wonders why nothing happened.
pub(super) fn conditions(sync_job: &Value) -> String {
    let conditions = sync_job["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |condition: &Value, field: &str| condition[field].as_str().unwrap_or("?").to_owned();
    let each = conditions.iter().map(|condition| {
        let (kind, status) = (text(condition, "type"), text(condition, "status"));
        format!("{kind}={status} ({}: {})", text(condition, "reason"), text(condition, "message"))
    });
    let all = each.collect::<Vec<_>>().join("; ");
    if all.is_empty() { "nothing yet".to_owned() } else { all }
}

pub(super) fn what_next(stage: &Stage) -> String {
    let ready = stage.simulator.ready();
    // A kubectl that only the demo has must be called by its path.
    let on_path = std::env::var_os("PATH").is_some_and(|path| {
        stage.kubectl.program().parent().is_some_and(|dir| std::env::split_paths(&path).any(|part| part == dir))
    });
    let kubectl = if on_path { "kubectl".to_owned() } else { stage.kubectl.program().display().to_string() };
    format!(
        "
What to try next, in another terminal:

    export KUBECONFIG={kubeconfig}
    {kubectl} describe syncjob demo
    {kubectl} patch syncjob demo --type=merge -p '{{\"spec\":{{\"state\":\"Paused\"}}}}'
    {kubectl} get syncjobs -o wide --watch
    curl --silent --cacert {ca} {control}/ledger | python3 -m json.tool   # what was done in Graph
    tail -f {log}
    {kubectl} delete syncjob demo                     # deletes the job in Graph too

The manifest is {manifest}.
Ctrl-C ends the demo and removes everything.",
        kubeconfig = stage.plane.ready().kubeconfig.display(),
        ca = ready.ca.display(),
        control = ready.control,
        log = stage.operator.log_path().display(),
        manifest = stage.manifest.display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_are_told_in_one_line() {
        let condition = json!({ "type": "Ready", "status": "False", "reason": "LoginRefused", "message": "no" });
        let sync_job = json!({ "status": { "conditions": [condition] } });
        assert_eq!(conditions(&sync_job), "Ready=False (LoginRefused: no)");
        assert_eq!(conditions(&Value::Null), "nothing yet");
    }
}
