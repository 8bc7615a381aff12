//! What is released, as far as reading can tell: one version everywhere, an image that is safe to run, workflows that
//! trust nothing that can move.

use clap::Parser;
use entrain::args::Cli;
use serde_json::{Value, json};

use super::{VALUES_FILES, chart, documents, objects, only, read, repository};

#[test]
fn there_is_one_version() {
    let version = env!("CARGO_PKG_VERSION");
    let metadata = documents(&read(&chart().join("Chart.yaml"))).remove(0);
    assert_eq!((&metadata["version"], &metadata["appVersion"]), (&json!(version), &json!(version)));
    let images = metadata["annotations"]["artifacthub.io/images"].as_str().unwrap();
    assert!(images.contains(&format!("ghcr.io/entrain-dev/entrain:{version}\n")), "{images}");
    assert!(read(&repository().join("Dockerfile")).contains(&format!("ARG VERSION={version}\n")));
    let changes = read(&repository().join("CHANGELOG.md"));
    assert!(changes.contains("## Unreleased") || changes.contains(&format!("## {version}")), "no word about {version}");
}

#[test]
fn the_chart_lists_the_kinds_that_there_are() {
    let metadata = documents(&read(&chart().join("Chart.yaml"))).remove(0);
    let listed = documents(metadata["annotations"]["artifacthub.io/crds"].as_str().unwrap()).remove(0);
    let listed: Vec<&Value> = listed.as_array().unwrap().iter().map(|crd| &crd["name"]).collect();
    let crds = documents(&entrain::api::schema::yaml().unwrap());
    assert_eq!(listed, crds.iter().map(|crd| &crd["metadata"]["name"]).collect::<Vec<_>>());
}

#[test]
fn the_operator_accepts_what_the_chart_passes() {
    for file in VALUES_FILES {
        let rendered = objects(&[file], &json!({})).unwrap();
        let arguments = &only(&rendered, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"];
        let arguments = arguments.as_array().unwrap().iter().map(|argument| argument.as_str().unwrap());
        let accepted = Cli::try_parse_from(["entrain"].into_iter().chain(arguments));
        assert!(accepted.is_ok(), "{file}: {}", accepted.unwrap_err());
    }
}

#[test]
fn a_window_that_is_longer_than_a_day_is_refused_by_the_operator_and_by_the_chart() {
    for name in ["settle-window", "missing-grace", "stalled-grace", "slow-retry", "stuck-after"] {
        let parsed =
            |seconds: &str| Cli::try_parse_from(["entrain", "operator", &format!("--{name}-seconds={seconds}")]);
        assert!(parsed("86400").is_ok() && parsed("86401").is_err(), "{name}");
    }
    for key in ["settleWindowSeconds", "missingGraceSeconds", "stalledGraceSeconds", "slowRetrySeconds"] {
        let rendered = |seconds: u32| objects(&[], &json!({key: seconds}));
        assert!(rendered(86_400).is_ok() && rendered(86_401).is_err(), "{key}");
    }
}

#[test]
fn the_image_is_built_from_arguments_and_runs_as_nobody() {
    let text = read(&repository().join("Dockerfile"));
    let instructions =
        |name: &str| -> Vec<&str> { text.lines().filter_map(|line| line.strip_prefix(name)).map(str::trim).collect() };
    let from = instructions("FROM ");
    assert_eq!(from, ["${RUST_IMAGE} AS build", "${BASE_IMAGE}"]);
    let user = instructions("USER ");
    assert_eq!(user, ["65532:65532"]);
    let pod =
        &only(&objects(&[], &json!({})).unwrap(), "Deployment")["spec"]["template"]["spec"]["securityContext"].clone();
    assert_eq!(format!("{}:{}", pod["runAsUser"], pod["runAsGroup"]), user[0]);
    assert_eq!(instructions("ENTRYPOINT "), ["[\"/usr/bin/entrain\"]"]);
    for label in ["title", "description", "licenses", "source", "documentation", "version", "revision"] {
        assert!(text.contains(&format!("org.opencontainers.image.{label}=\"")), "{label}");
    }
    assert_eq!(text.matches("cargo auditable build --release --locked").count(), 2);
    assert!(text.contains("target-feature=+crt-static"));
}

#[test]
fn workflows_pin_what_they_use_and_ask_for_little() {
    let folder = repository().join(".github/workflows");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let (text, name) = (read(&path), path.display().to_string());
        for line in text.lines().filter(|line| line.contains("uses: ")) {
            let (_, reference) = line.split_once('@').unwrap();
            let (commit, version) =
                reference.split_once(" # v").unwrap_or_else(|| panic!("{name}: no version: {line}"));
            assert!(commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{name}: {line}");
            assert!(version.contains('.'), "{name}: {line}");
        }
        let workflow = documents(&text).remove(0);
        assert_eq!(workflow["permissions"], json!({}), "{name} gives rights to all of its jobs");
        assert!(workflow["on"]["pull_request_target"].is_null() && workflow["on"]["workflow_run"].is_null(), "{name}");
        for (job, details) in workflow["jobs"].as_object().unwrap() {
            assert!(details["permissions"].is_object() && details["timeout-minutes"].is_number(), "{name}: {job}");
            let writes = details["permissions"].to_string().contains("write");
            assert!(!writes || name.ends_with("release.yml"), "{name}: {job} may write");
            for step in details["steps"].as_array().unwrap() {
                // What a stranger chose must not become part of a script.
                assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{name}: {job}: {}", step["run"]);
            }
        }
    }
}

/// Workflows cannot run in a test; that nothing is published without these steps can be read.
#[test]
fn what_is_published_is_signed_attested_and_verified() {
    let release = read(&repository().join(".github/workflows/release.yml"));
    let mut rest = release.as_str();
    for step in [
        "imagetools create",
        "helm push",
        "cosign sign",
        "actions/attest@",
        "sbom-path:",
        "cosign verify",
        "gh attestation verify",
        "gh release create",
        " crds.yaml install.yaml ",
    ] {
        let (_, after) = rest.split_once(step).unwrap_or_else(|| panic!("{step} is missing, or comes too early"));
        rest = after;
    }
}

#[test]
fn the_repository_has_what_people_look_for() {
    let files = [
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "deny.toml",
        "renovate.json",
        ".github/CODEOWNERS",
        ".github/PULL_REQUEST_TEMPLATE.md",
        ".github/ISSUE_TEMPLATE/bug.yml",
        ".github/ISSUE_TEMPLATE/feature.yml",
        ".github/ISSUE_TEMPLATE/config.yml",
    ];
    for file in files {
        assert!(!read(&repository().join(file)).trim().is_empty(), "{file}");
    }
    assert!(read(&repository().join("SECURITY.md")).contains("/security/advisories/new"), "no private channel");
}
