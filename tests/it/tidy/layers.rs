//! What each folder may know: other folders, libraries and capabilities. What is not listed is forbidden, and a folder
//! without a row fails.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{File, Names};

/// A folder of `src` or `tests/bed/src`, and what it may name besides itself. A name that ends in a slash stands for
/// everything below as well.
type Row = (&'static str, &'static [&'static str]);

/// From the wiring down to the words of the API; `src` are the files outside of the folders.
const PRODUCT_FOLDERS: &[Row] = &[
    ("src", &["src/api/", "src/cli/plan", "src/graph/", "src/operator", "src/plan/"]),
    ("src/operator", &["src", "src/cluster/", "src/graph/", "src/metrics", "src/reconcile", "src/serve"]),
    ("src/cli", &[]),
    ("src/cli/manifests", &["src/api/", "src/plan/"]),
    ("src/cli/plan", &["src", "src/api/", "src/cli/manifests", "src/graph/", "src/plan/", "src/reconcile/"]),
    ("src/serve", &["src/cluster", "src/metrics"]),
    (
        "src/reconcile",
        &[
            "src",
            "src/api/",
            "src/cluster/",
            "src/graph",
            "src/metrics",
            "src/plan/common",
            "src/plan/sync_job",
            "src/reconcile/queue",
            "src/reconcile/sync_job",
        ],
    ),
    ("src/reconcile/sync_job", &["src", "src/api/", "src/cluster/", "src/graph/", "src/plan/", "src/reconcile"]),
    ("src/reconcile/queue", &["src/graph", "src/reconcile"]),
    ("src/metrics", &["src/api/", "src/graph"]),
    ("src/cluster", &["src/api/"]),
    ("src/cluster/watch", &["src/api/", "src/cluster"]),
    ("src/graph", &["src/graph/budget", "src/graph/jobs", "src/graph/login"]),
    ("src/graph/budget", &["src/graph"]),
    ("src/graph/jobs", &["src/graph"]),
    ("src/graph/login", &["src/graph"]),
    ("src/plan", &["src/plan/"]),
    ("src/plan/common", &["src/api/"]),
    ("src/plan/sync_job", &["src/api/", "src/plan/common", "src/plan/sync_job/"]),
    (
        "src/plan/sync_job/existence",
        &["src/api/", "src/plan/common", "src/plan/sync_job", "src/plan/sync_job/running", "src/plan/sync_job/world"],
    ),
    ("src/plan/sync_job/report", &["src/api/", "src/plan/common", "src/plan/sync_job", "src/plan/sync_job/world"]),
    ("src/plan/sync_job/running", &["src/api/", "src/plan/common", "src/plan/sync_job", "src/plan/sync_job/world"]),
    ("src/plan/sync_job/world", &["src/api/", "src/plan/common", "src/plan/sync_job", "src/plan/sync_job/running"]),
    ("src/api", &["src/api/sync_job"]),
    ("src/api/sync_job", &["src/api"]),
];

/// What reaches out of a folder: `plan` has neither a runtime nor a client, a clock, chance or a thread.
const PRODUCT_LIBRARIES: &[Row] = &[
    (
        "src",
        &[
            "clap",
            "clock",
            "jiff",
            "opentelemetry",
            "opentelemetry_otlp",
            "opentelemetry_sdk",
            "std::env",
            "std::fs",
            "std::io",
            "std::net",
            "std::process",
            "tokio",
            "tracing",
            "tracing_opentelemetry",
            "tracing_subscriber",
            "url",
        ],
    ),
    ("src/operator", &["chance", "kube", "std::env", "std::io", "std::net", "tokio", "tracing", "uuid"]),
    ("src/cli", &[]),
    (
        "src/cli/manifests",
        &[
            "serde",
            "serde_ignored",
            "serde_json",
            "serde_path_to_error",
            "serde_saphyr",
            "std::fs",
            "std::io",
            "walkdir",
        ],
    ),
    (
        "src/cli/plan",
        &[
            "anstream",
            "anstyle",
            "clock",
            "futures",
            "serde",
            "serde_json",
            "sleep",
            "std::env",
            "std::io",
            "std::process",
            "tokio",
        ],
    ),
    (
        "src/serve",
        &[
            "aws_lc_rs",
            "axum",
            "axum_server",
            "clock",
            "futures",
            "kube",
            "parking_lot",
            "rcgen",
            "std::io",
            "std::net",
            "tokio",
            "tower",
            "tower_http",
            "tracing",
            "url",
        ],
    ),
    ("src/reconcile", &["clock", "futures", "kube", "parking_lot", "tokio", "tracing"]),
    ("src/reconcile/queue", &["tokio"]),
    (
        "src/reconcile/sync_job",
        &["chance", "clock", "jiff", "k8s_openapi", "kube", "parking_lot", "tokio", "tracing", "url", "uuid"],
    ),
    (
        "src/metrics",
        &[
            "clock",
            "http",
            "k8s_openapi",
            "kube",
            "opentelemetry",
            "parking_lot",
            "prometheus_client",
            "tokio",
            "tower",
            "tracing",
            "tracing_opentelemetry",
        ],
    ),
    (
        "src/cluster",
        &[
            "clock",
            "futures",
            "governor",
            "http",
            "hyper_util",
            "jiff",
            "k8s_openapi",
            "kube",
            "parking_lot",
            "serde",
            "serde_json",
            "serde_path_to_error",
            "tokio",
            "tracing",
        ],
    ),
    ("src/cluster/watch", &["clock", "futures", "kube", "parking_lot", "serde", "tokio", "tracing"]),
    (
        "src/graph",
        &[
            "bytes",
            "chance",
            "clock",
            "fastrand",
            "futures",
            "http",
            "httpdate",
            "parking_lot",
            "reqwest",
            "secrecy",
            "serde",
            "serde_json",
            "serde_path_to_error",
            "tokio",
            "tracing",
            "url",
            "uuid",
        ],
    ),
    ("src/graph/budget", &["http", "tokio"]),
    ("src/graph/jobs", &["serde", "serde_json", "url", "uuid"]),
    (
        "src/graph/login",
        &[
            "async_trait",
            "azure_core",
            "azure_identity",
            "base64",
            "bytes",
            "chance",
            "clock",
            "fastrand",
            "futures",
            "http",
            "jiff",
            "parking_lot",
            "secrecy",
            "serde_json",
            "tokio",
            "uuid",
        ],
    ),
    ("src/plan", &[]),
    ("src/plan/common", &["jiff"]),
    ("src/plan/sync_job", &["k8s_openapi", "uuid"]),
    ("src/plan/sync_job/existence", &[]),
    ("src/plan/sync_job/report", &["jiff", "k8s_openapi"]),
    ("src/plan/sync_job/running", &["jiff"]),
    ("src/plan/sync_job/world", &["k8s_openapi"]),
    ("src/api", &["k8s_openapi", "kube", "serde", "serde_json", "serde_saphyr"]),
    ("src/api/sync_job", &["k8s_openapi", "kube", "schemars", "serde"]),
];

/// The simulator and its control plane, demo and tools.
const BED_FOLDERS: &[Row] = &[
    (
        "tests/bed/src",
        &[
            "tests/bed/src/demo",
            "tests/bed/src/graph",
            "tests/bed/src/graph/model",
            "tests/bed/src/plane",
            "tests/bed/src/tools",
        ],
    ),
    ("tests/bed/src/demo", &["tests/bed/src", "tests/bed/src/graph", "tests/bed/src/plane", "tests/bed/src/tools"]),
    ("tests/bed/src/graph", &["tests/bed/src/graph/control", "tests/bed/src/graph/http", "tests/bed/src/graph/model"]),
    (
        "tests/bed/src/graph/control",
        &[
            "tests/bed/src/graph",
            "tests/bed/src/graph/faults",
            "tests/bed/src/graph/http",
            "tests/bed/src/graph/login",
            "tests/bed/src/graph/model",
            "tests/bed/src/graph/sync",
        ],
    ),
    ("tests/bed/src/graph/faults", &["tests/bed/src/graph/http"]),
    (
        "tests/bed/src/graph/http",
        &[
            "tests/bed/src/graph",
            "tests/bed/src/graph/control",
            "tests/bed/src/graph/faults",
            "tests/bed/src/graph/login",
            "tests/bed/src/graph/model",
            "tests/bed/src/graph/sync",
        ],
    ),
    ("tests/bed/src/graph/login", &["tests/bed/src/graph", "tests/bed/src/graph/http", "tests/bed/src/graph/model"]),
    (
        "tests/bed/src/graph/model",
        &[
            "tests/bed/src/graph",
            "tests/bed/src/graph/control",
            "tests/bed/src/graph/faults",
            "tests/bed/src/graph/sync",
        ],
    ),
    ("tests/bed/src/graph/sync", &["tests/bed/src/graph", "tests/bed/src/graph/http", "tests/bed/src/graph/model"]),
    ("tests/bed/src/plane", &["tests/bed/src", "tests/bed/src/tools"]),
    ("tests/bed/src/tools", &["tests/bed/src"]),
];

type Found = BTreeMap<String, BTreeSet<String>>;

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn folders(files: &BTreeMap<File, Names>) -> Found {
    let mut found = Found::new();
    for (file, names) in files {
        let others = names.uses.iter().chain(&names.passes_on).map(|other| folder(other).to_owned());
        found.entry(folder(file).to_owned()).or_default().extend(others.filter(|other| *other != folder(file)));
    }
    found
}

/// Modules of the standard library that reach outside stand among the libraries, and so do `clock`, `chance` and `sleep`.
fn libraries(files: &BTreeMap<File, Names>) -> Found {
    let mut found = Found::new();
    for (file, names) in files {
        let capabilities = names.capabilities.iter().map(|capability| (*capability).to_owned());
        let libraries = names.libraries.iter().cloned().chain(capabilities);
        found.entry(folder(file).to_owned()).or_default().extend(libraries);
    }
    found
}

/// Whether an entry of a row stands for a name.
fn stands_for(entry: &str, name: &str) -> bool {
    entry.strip_suffix('/').map_or(name == entry, |folder| name == folder || name.starts_with(entry))
}

/// Every way in which the folders and their rows do not agree.
fn offences(found: &Found, rows: &[Row]) -> Vec<String> {
    let gone = rows.iter().filter(|(row, _)| !found.contains_key(*row));
    let mut offences: Vec<String> = gone.map(|(row, _)| format!("{row} has a row and is not there")).collect();
    for (folder, names) in found {
        let Some((_, allowed)) = rows.iter().find(|(row, _)| row == folder) else {
            offences.push(format!("{folder} has no row; it names {names:?}"));
            continue;
        };
        let forbidden = names.iter().filter(|name| !allowed.iter().any(|entry| stands_for(entry, name)));
        offences.extend(forbidden.map(|name| format!("{folder} may not name {name}")));
    }
    offences
}

#[test]
fn folders_name_the_folders_that_the_table_allows() {
    assert_eq!(offences(&folders(&super::product()), PRODUCT_FOLDERS), Vec::<String>::new());
    assert_eq!(offences(&folders(&super::bed()), BED_FOLDERS), Vec::<String>::new());
}

#[test]
fn folders_use_the_libraries_and_capabilities_that_the_table_allows() {
    assert_eq!(offences(&libraries(&super::product()), PRODUCT_LIBRARIES), Vec::<String>::new());
}

#[test]
fn what_the_table_does_not_allow_is_an_offence() {
    let found: Found = [("src/a", vec!["src/b", "tokio"]), ("src/c", vec![])]
        .map(|(folder, names)| (folder.to_owned(), names.into_iter().map(str::to_owned).collect()))
        .into();
    let expected = ["src/d has a row and is not there", "src/a may not name tokio", "src/c has no row; it names {}"];
    assert_eq!(offences(&found, &[("src/a", &["src/b"]), ("src/d", &[])]), expected);
    let below = [
        ("src/b/", "src/b", true),
        ("src/b/", "src/b/c", true),
        ("src/b/", "src/bc", false),
        ("src/b", "src/b/c", false),
    ];
    for (entry, name, expected) in below {
        assert_eq!(stands_for(entry, name), expected, "{entry} for {name}");
    }
}
