//! The same binary as a plugin of kubectl, and what krew installs it from.

use std::path::Path;
use std::process::Command;

use bed::tools::{self, Tool};
use serde_json::{Value, json};

use crate::chart::{documents, read, run};
use crate::stack::plane::repository;

const ENTRAIN: &str = env!("CARGO_BIN_EXE_entrain");

/// Real kubectl, with nothing but this directory to find plugins in.
fn kubectl(plugins: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(tools::ensure(Tool::Kubectl).unwrap());
    run(command.env("PATH", plugins).env("KUBECONFIG", "/dev/null").args(arguments), "").unwrap()
}

#[test]
fn kubectl_finds_the_binary_by_its_other_name_and_the_help_says_how_it_was_called() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = dir.path().join("kubectl-entrain");
    std::os::unix::fs::symlink(ENTRAIN, &plugin).unwrap();
    let listed = kubectl(dir.path(), &["plugin", "list"]);
    assert!(listed.lines().any(|line| line == plugin.display().to_string()), "{listed}");

    let usage = |help: &str| help.lines().find(|line| line.starts_with("Usage: ")).unwrap().to_owned();
    let plan = ["plan", "--help"];
    assert_eq!(usage(&kubectl(dir.path(), &["entrain", "--help"])), "Usage: kubectl entrain <COMMAND>");
    let as_plugin = kubectl(dir.path(), &[&["entrain"], &plan[..]].concat());
    assert_eq!(usage(&as_plugin), "Usage: kubectl entrain plan [OPTIONS] --filename <PATH>");
    let import = kubectl(dir.path(), &["entrain", "import", "--help"]);
    assert_eq!(usage(&import), "Usage: kubectl entrain import [OPTIONS]");
    let as_itself = run(Command::new(ENTRAIN).args(plan), "").unwrap();
    assert_eq!(usage(&as_itself), "Usage: entrain plan [OPTIONS] --filename <PATH>");
    assert_eq!(kubectl(dir.path(), &["entrain", "crd"]), entrain::api::schema::yaml().unwrap());
}

/// What krew demands of a manifest, as far as its own validation goes; `None` if nothing is missing.
fn complaint(manifest: &Value, file: &str) -> Option<String> {
    let spec = &manifest["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = |value: &Value, is: fn(char) -> bool| !text(value).is_empty() && text(value).chars().all(is);
    let number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let version = text(&spec["version"]);
    let parts: Vec<&str> = version.strip_prefix('v').unwrap_or_default().split('.').collect();
    let name_of_file = text(&manifest["metadata"]["name"]) == file.trim_end_matches(".yaml");
    let demands = [
        ("apiVersion", manifest["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2"),
        ("kind", manifest["kind"] == "Plugin"),
        ("metadata.name", name_of_file),
        ("spec.version", parts.len() == 3 && parts.into_iter().all(number)),
        ("spec.shortDescription", (1..=50).contains(&text(&spec["shortDescription"]).len())),
        ("spec.platforms", spec["platforms"].as_array().is_some_and(|platforms| !platforms.is_empty())),
    ];
    let platforms = spec["platforms"].as_array().into_iter().flatten().flat_map(|platform| {
        [
            ("uri", text(&platform["uri"]).starts_with("https://")),
            ("sha256", text(&platform["sha256"]).len() == 64 && all(&platform["sha256"], |c| c.is_ascii_hexdigit())),
            ("bin", all(&platform["bin"], |c| c != '/')),
            ("selector", platform["selector"]["matchLabels"]["os"].is_string()),
        ]
    });
    demands.into_iter().chain(platforms).find(|(_, met)| !met).map(|(member, _)| member.to_owned())
}

#[test]
fn a_release_makes_archives_and_a_manifest_that_krew_takes() {
    let dir = tempfile::tempdir().unwrap();
    let (binaries, out) = (dir.path().join("binaries"), dir.path().join("out"));
    for platform in ["linux-amd64", "linux-arm64"] {
        std::fs::create_dir_all(binaries.join(platform)).unwrap();
        std::fs::write(binaries.join(platform).join("entrain"), platform).unwrap();
    }
    let script = repository().join("packaging/krew/package.sh");
    run(Command::new(script).arg("v1.2.3").args([&binaries, &out]), "").unwrap();
    let manifest = documents(&read(&out.join("entrain.yaml"))).remove(0);
    assert_eq!(complaint(&manifest, "entrain.yaml"), None);
    assert_eq!(manifest["spec"]["version"], "v1.2.3");
    for platform in manifest["spec"]["platforms"].as_array().unwrap() {
        let (uri, labels) = (platform["uri"].as_str().unwrap(), &platform["selector"]["matchLabels"]);
        let (folder, archive) = uri.rsplit_once('/').unwrap();
        assert!(folder.ends_with("/v1.2.3"), "{uri}");
        let archive = out.join(archive);
        let sum = run(Command::new("sha256sum").arg(&archive), "").unwrap();
        assert!(sum.starts_with(platform["sha256"].as_str().unwrap()), "{uri}");
        let listed = run(Command::new("tar").arg("--list").arg("--file").arg(&archive), "").unwrap();
        assert_eq!(listed.lines().collect::<Vec<_>>(), [platform["bin"].as_str().unwrap(), "LICENSE"]);
        let inside =
            run(Command::new("tar").args(["--extract", "--to-stdout", "--file"]).arg(&archive).arg("entrain"), "");
        let [os, arch] = ["os", "arch"].map(|label| labels[label].as_str().unwrap());
        assert_eq!(inside.unwrap(), format!("{os}-{arch}"), "an archive of another processor");
    }
    // The template itself is not one that krew takes, and neither is a manifest that lacks something.
    let template = documents(&read(&repository().join("packaging/krew/entrain.yaml"))).remove(0);
    assert_eq!(complaint(&template, "entrain.yaml").as_deref(), Some("sha256"));
    assert_eq!(complaint(&manifest, "other.yaml").as_deref(), Some("metadata.name"));
    let mut without = manifest;
    without["spec"]["platforms"] = json!([]);
    assert_eq!(complaint(&without, "entrain.yaml").as_deref(), Some("spec.platforms"));
}

#[test]
fn the_release_publishes_the_archives_and_the_manifest() {
    let release = read(&repository().join(".github/workflows/release.yml"));
    let (before, publish) = release.split_once("gh release create").unwrap();
    assert!(before.contains("packaging/krew/package.sh \"$TAG\" binaries krew"));
    assert!(publish.contains("krew/*.tar.gz krew/entrain.yaml"));
}
