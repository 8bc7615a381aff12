//! Every object of ours that the documentation shows, before a real API server.

use entrain::api::KINDS;
use serde_json::{Value, json};

use super::{pages, read, repository, split};
use crate::stack::plane::shared;

/// The documents of a YAML text; none if it is a fragment that does not parse.
fn documents(yaml: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(yaml).unwrap_or_default()
}

/// Each object of a kind with the place where it stands.
fn shown(kind: &str) -> Vec<(String, Value)> {
    let mut texts: Vec<(String, String)> = Vec::new();
    for page in pages() {
        let blocks = split(&read(&page)).1.into_iter().filter(|(language, _)| language == "yaml");
        texts.extend(blocks.map(|(_, body)| (page.display().to_string(), body)));
    }
    for sample in std::fs::read_dir(repository().join("config/samples")).unwrap() {
        let path = sample.unwrap().path();
        texts.push((path.display().to_string(), read(&path)));
    }
    let mut found = Vec::new();
    for (place, text) in texts {
        let here: Vec<Value> = documents(&text).into_iter().filter(|document| document["kind"] == kind).collect();
        // A reference has a kind too, but no version before it.
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let begins = |pair: &&[&str]| pair[0].starts_with("apiVersion:") && pair[1] == format!("kind: {kind}");
        let said = lines.windows(2).filter(begins).count();
        assert_eq!(here.len(), said, "{place}: a {kind} that does not parse:\n{text}");
        found.extend(here.into_iter().map(|object| (place.clone(), object)));
    }
    found
}

/// What the server says; it keeps nothing.
fn admit(object: &Value) -> Result<String, String> {
    let mut object = object.clone();
    if KINDS.iter().any(|kind| object["kind"] == kind.name && kind.namespaced) {
        object["metadata"]["namespace"] = json!("default");
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("object.json");
    std::fs::write(&file, object.to_string()).unwrap();
    let file = file.display().to_string();
    shared().try_kubectl(&["create", "--dry-run=server", "--validate=strict", "-f", &file])
}

#[test]
fn every_object_of_the_documentation_is_accepted() {
    let mut objects = Vec::new();
    for (kind, at_least) in KINDS.iter().zip([2, 3, 6]) {
        let shown = shown(kind.name);
        assert!(shown.len() >= at_least, "only {} of {} were found", shown.len(), kind.name);
        objects.extend(shown);
    }
    for (place, object) in &objects {
        admit(object).unwrap_or_else(|message| panic!("{place}: {message}\n{object:#}"));
        let mut misspelt = object.clone();
        misspelt["spec"]["mood"] = json!("Suspended");
        assert!(admit(&misspelt).unwrap_err().contains("mood"), "{place}: the server does not look");
    }
}

#[test]
fn the_applications_for_argo_cd_follow_one_another() {
    let applications = documents(&read(&repository().join("argocd/application.yaml")));
    let wave = |object: &Value| {
        assert_eq!(object["kind"], "Application");
        object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"].as_str().unwrap().parse::<i32>().unwrap()
    };
    let waves: Vec<i32> = applications.iter().map(wave).collect();
    assert!(waves.len() == 2 && waves[0] < waves[1], "the CRDs come before the SyncJobs: {waves:?}");
    let sync_jobs = &applications[1]["spec"]["syncPolicy"]["syncOptions"];
    assert!(sync_jobs.as_array().unwrap().contains(&json!("ServerSideApply=true")));
}
