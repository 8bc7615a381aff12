//! CRDs that another hand applied first, or that a release elsewhere left: Helm refuses them until it is asked to take them,
//! and the page of troubleshooting has its words.

use bed::tools::Tool;

use super::life::{Release, sync_job};
use super::plane::shared;
use super::{chart, read, repository};

/// What the page says of a release `entrain` in `entrain-system` that finds the CRD of a release in `elsewhere`.
fn as_documented(message: &str, here: &str, before: &str) -> String {
    message.replace(&format!("\"{here}\""), "\"entrain-system\"").replace(&format!("\"{before}\""), "\"elsewhere\"")
}

/// The installation fails with words of the page, and succeeds once it may take what is there.
fn taken_over(release: &Release, tool: Tool, (here, before): (&str, &str)) {
    let chart = chart().display().to_string();
    let refused = release.try_helm(tool, &["install", "entrain", &chart], &[]).unwrap_err();
    assert!(refused.contains("invalid ownership metadata"), "{refused}");
    let (_, words) = refused.split_once("CustomResourceDefinition").unwrap();
    let words = as_documented(words, here, before);
    let page = read(&repository().join("docs/troubleshooting.md"));
    assert!(page.contains(words.trim()), "{} has other words than the page: {words}", tool.name());
    release.try_helm(tool, &["install", "entrain", &chart, "--take-ownership"], &[]).unwrap();
}

#[test]
fn a_crd_that_is_there_before_the_release_is_taken_over_with_the_sync_jobs_untouched() {
    let plane = shared();
    for (tool, first, second) in [(Tool::Helm3, "own-a", "own-b"), (Tool::Helm, "own-c", "own-d")] {
        let _crds = plane.own_crds();
        plane.kubectl(&["apply", "-f", &repository().join("crds").display().to_string()], "").unwrap();
        let established = ["wait", "--for=condition=Established", "--timeout=60s", "crd/syncjobs.entrain.dev"];
        plane.kubectl(&established, "").unwrap();
        plane.create_namespace(first, &serde_json::json!({}));
        sync_job(plane, first);
        let before = plane.get("syncjob", first, "box");

        let release = Release::new("entrain", first);
        taken_over(&release, tool, (first, "nobody"));
        release.uninstall(tool);
        let elsewhere = Release::new("entrain", second);
        taken_over(&elsewhere, tool, (second, first));
        assert_eq!(plane.get("syncjob", first, "box"), before, "the SyncJob was touched");
        elsewhere.uninstall(tool);
    }
}
